/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where things are in one CPython version. All numbers are bytes from the start
 * of the struct; the rows are in layout.def. Private to cpython/.
 */
#ifndef PYO3_GDB_LAYOUT_H
#define PYO3_GDB_LAYOUT_H

#include <pyo3-gdb/cpython.h>

/* What keys a run of Python frames to the native frame that runs it. */
enum p3_anchor {
	P3_ANCHOR_CFRAME, /* 3.11: the _PyCFrame of each call, and is_entry */
	P3_ANCHOR_SHIM,	  /* 3.12+: the entry frame (owner 3) on the `previous` chain */
};

/* Where an instance keeps its attributes when its type has a managed dict. */
enum p3_managed {
	P3_MANAGED_3_11, /* dict at -24, values at -32 */
	P3_MANAGED_3_12, /* one tagged word at -24 */
	P3_MANAGED_3_13, /* dict at -24; values inline behind the object */
};

struct p3_layout {
	uint8_t major, minor;
	enum p3_anchor anchor;
	enum p3_managed managed;

	struct {
		uint32_t interpreters; /* head of the list */
		uint32_t gil; /* the GIL itself (3.11); 0: each interpreter points at its own */
	} runtime;
	struct {
		uint32_t next, id, threads, modules;
		uint32_t gil; /* pointer to the GIL; 0: it is in the runtime */
	} interpreter;
	struct {
		uint32_t locked, last_holder;
	} gil;
	struct {
		uint32_t size, next, interpreter, thread_id, native_id;
		uint32_t frame;	 /* current frame; 0: through cframe */
		uint32_t cframe; /* 0: none */
	} thread;
	struct {
		uint32_t current, previous;
	} cframe;
	struct {
		uint32_t size, code, previous, instruction, owner, locals;
		uint32_t is_entry; /* 0: none */
	} frame;
	struct {
		uint32_t size; /* up to the bytecode */
		uint32_t argcount, kwonly, flags, firstlineno, nlocals, names, kinds;
		uint32_t filename, name, qualname, linetable, traceable, stacksize;
	} code;
	struct {
		uint32_t type, var_size; /* of PyObject, PyVarObject */
	} object;
	struct {
		uint32_t name, basicsize, flags, dictoffset, base, cached_keys, qualname, module;
	} type;
	struct {
		uint32_t length, state, kind_shift, ascii_data, compact_data, data;
	} unicode;
	struct {
		uint32_t data;
	} bytes;
	struct {
		uint32_t tag; /* lv_tag (3.12+); 0: the sign is in ob_size */
		uint32_t digits;
	} integer;
	struct {
		uint32_t value;
	} real;
	struct {
		uint32_t items;
	} tuple;
	struct {
		uint32_t items;
	} list;
	struct {
		uint32_t keys, values;
	} dict;
	struct {
		uint32_t log2_size, log2_index, kind, entries_used, indices;
	} keys;
	struct {
		uint32_t items; /* of PyDictValues */
		uint32_t valid; /* the byte that says inline values are in use; 0: no such thing */
	} values;
	struct {
		uint32_t used, mask, table;
	} set;
	struct {
		uint32_t args;
	} exception;
	struct {
		uint32_t value;
	} cell;
	struct {
		uint32_t qualname;
	} function;
	struct {
		uint32_t method, self, module;
	} builtin;
	struct {
		uint32_t type, method;
	} descriptor; /* PyMethodDescrObject */
	struct {
		uint32_t function, self;
	} method;
	struct {
		uint32_t dict;
	} module;
};

/* The row of this version; NULL: not supported. */
const struct p3_layout *p3_layout_find(uint8_t major, uint8_t minor, bool free_threaded);
/* "3.11, 3.12 and 3.13", for messages. */
const char *p3_layout_supported(void);
/*
 * For 3.13+: the row with what the process's own _Py_DebugOffsets say in it,
 * validated. Source: python/cpython Include/internal/pycore_debug_offsets.h.
 */
struct p3_error *p3_layout_read(struct p3_py *py, const struct p3_layout *row,
				const struct p3_layout **ret) P3_MUST_CHECK;

/* ---- private to cpython/: objects ---- */

/* A str as UTF-8, escaped; the text is "?" when it cannot be read. */
const char *p3_py_string(struct p3_py *py, uint64_t object);
/* The name of an object's type, if the type is static (not a class statement's); else "". */
const char *p3_py_static_type(struct p3_py *py, uint64_t object);
/* The value of `key` in a dict with str keys; 0: not there. */
uint64_t p3_py_dict_get(struct p3_py *py, uint64_t dict, const char *key);
/* All values of a dict with int keys, by key; addresses as pointers. 0: an empty dict. */
void p3_py_dict_map(struct p3_py *py, uint64_t dict, struct p3_map *ret);
/* An attribute in the instance's own dict or values; 0: not there. */
uint64_t p3_py_attribute(struct p3_py *py, uint64_t object, const char *name);

/* Is this a callable made from the C function at `entry`? Then its qualified name is added. */
bool p3_py_is_callable(struct p3_py *py, uint64_t object, uint64_t entry, struct p3_text *ret);

/* The line of a bytecode offset; 0: none. Source: Objects/locations.md (3.11+). */
uint32_t p3_py_line(const uint8_t *table, size_t size, uint32_t first, uint64_t offset);

#endif
