/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where things are in one CPython version. All numbers are bytes from the start
 * of the struct; the rows are in layout.def. Private to cpython/.
 */
#ifndef PYO3_GDB_LAYOUT_H
#define PYO3_GDB_LAYOUT_H

#include <pyo3-gdb/cpython.h>
#include <pyo3-gdb/elf.h>

/* What keys a run of Python frames to the native frame that runs it. */
enum p3_anchor {
	P3_ANCHOR_NONE,	  /* up to 3.10: nothing; each call of the loop runs one frame */
	P3_ANCHOR_CFRAME, /* 3.11: the _PyCFrame of each call, and is_entry */
	P3_ANCHOR_SHIM,	  /* 3.12+: the entry frame (owner 3) on the `previous` chain */
};

/* The form of a code object's line table. */
enum p3_lines_form {
	P3_LINES_3_8, /* co_lnotab */
	P3_LINES_3_10,
	P3_LINES_3_11,
};

/* Where an instance keeps its attributes when its type has a managed dict. */
enum p3_managed {
	P3_MANAGED_NONE, /* there is no such thing: tp_dictoffset only */
	P3_MANAGED_3_11, /* dict at -24, values at -32 */
	P3_MANAGED_3_12, /* one tagged word at -24 */
	P3_MANAGED_3_13, /* dict before the object; values inline behind it */
};

/* What the slots of a frame hold. */
enum p3_references {
	P3_REFERENCES_PLAIN,  /* PyObject * */
	P3_REFERENCES_TAGGED, /* 3.14+: _PyStackRef, with two bits of its own; NULL is 1 */
};

/* 0, where a member can be absent in a version, means that it is. */
struct p3_layout {
	uint8_t major, minor;
	enum p3_anchor anchor;
	enum p3_lines_form lines;
	enum p3_managed managed;
	enum p3_references references;

	struct {
		uint32_t interpreters; /* head of the list */
		uint32_t gil; /* the GIL itself (to 3.11); 0: each interpreter points at its own */
		uint32_t collecting; /* is the collector running (3.8) */
		uint32_t finalizing; /* the thread state in Py_Finalize() */
		uint32_t world;	     /* free-threaded: struct _stoptheworld_state */
	} runtime;
	struct {
		uint32_t next, id, threads, modules;
		uint32_t gil;	     /* pointer to the GIL */
		uint32_t collecting; /* is the collector running */
		uint32_t world;	     /* free-threaded: struct _stoptheworld_state */
	} interpreter;
	struct {
		uint32_t locked, last_holder;
	} gil;
	struct {
		uint32_t size, next, interpreter, thread_id;
		uint32_t native_id; /* 3.11+ */
		uint32_t frame;	    /* current frame; 0: through cframe */
		uint32_t cframe;
		uint32_t state;		    /* 3.13+: attached, detached ... */
		uint32_t critical_section;  /* free-threaded: the innermost, tagged */
		uint32_t holds_gil;	    /* 3.14+ */
		uint32_t gil_requested;	    /* 3.15 */
		uint32_t current_exception; /* 3.12+; before: */
		uint32_t curexc_type;	    /* and, behind it, its value and traceback */
		uint32_t exc_info;	    /* the innermost exception being handled */
	} thread;
	struct {
		uint32_t value, previous;
	} exc_item; /* _PyErr_StackItem */
	struct {
		uint32_t current, previous;
	} cframe;
	struct {
		uint32_t size, code, previous, locals, globals, builtins, names;
		uint32_t lasti; /* to 3.10; then: */
		uint32_t instruction, owner;
		uint32_t is_entry;   /* 3.11 */
		uint32_t tlbc_index; /* free-threaded, 3.14+ */
	} frame;
	struct {
		uint32_t size; /* up to the bytecode, which is in it from 3.11 on */
		uint32_t argcount, kwonly, flags, firstlineno, nlocals;
		uint32_t names, kinds; /* 3.11+; before: */
		uint32_t varnames, cellvars, freevars;
		uint32_t filename, name, qualname, linetable, traceable, stacksize, bytecode;
		uint32_t tlbc; /* free-threaded, 3.14+: each thread's own bytecode */
	} code;
	struct {
		uint32_t type, var_size; /* of PyObject, PyVarObject */
	} object;
	struct {
		uint32_t name, basicsize, itemsize, flags, dictoffset, base, mro, cached_keys,
			qualname;
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
		uint32_t size; /* to 3.10: slots of the index; then: */
		uint32_t log2_size, log2_index, kind;
		uint32_t entries_used, indices;
	} keys;
	struct {
		uint32_t items; /* of PyDictValues */
		uint32_t valid; /* the byte that says inline values are in use; 0: no such thing */
	} values;
	struct {
		uint32_t dict; /* how far before the object its managed dict is */
	} attributes;
	struct {
		uint32_t used, mask, table;
	} set;
	struct {
		uint32_t args, traceback, context, cause, suppress_context, notes;
	} exception;
	struct {
		uint32_t next, frame, lasti, lineno;
	} traceback;
	struct {
		uint32_t frame; /* the _PyInterpreterFrame of a PyFrameObject (3.11+) */
	} frame_object;
	struct {
		uint32_t value;
	} cell;
	struct {
		uint32_t qualname, code;
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
	struct {
		uint32_t frame; /* the _PyInterpreterFrame in a generator (3.11+) */
	} generator;
};

/* The row of this version; NULL: not supported. */
const struct p3_layout *p3_layout_find(uint8_t major, uint8_t minor, bool free_threaded);
/* "3.8 to 3.15", for messages. */
const char *p3_layout_supported(void);
/*
 * For 3.13+: the row with what the process's own _Py_DebugOffsets say in it,
 * validated. Source: python/cpython Include/internal/pycore_debug_offsets.h.
 */
struct p3_error *p3_layout_read(struct p3_py *py, const struct p3_module *module,
				const struct p3_layout *row,
				const struct p3_layout **ret) P3_MUST_CHECK;

/*
 * Where the row does not fit the process (built with Py_TRACE_REFS, or patched), take the
 * interpreter's DWARF, if that does. A row that fits is faster, and as good.
 */
void p3_layout_adapt(struct p3_py *py, const struct p3_module *module);
/* Put in what the file's DWARF says; false: nothing. */
bool p3_layout_from_dwarf(struct p3_file *file, struct p3_layout *layout);

/* ---- private to cpython/: objects ---- */

enum { P3_MAX_BASES = 64 }; /* classes that one is derived from, by the first base */
/* A number of up to 8 bytes; 0 where it cannot be read. */
uint64_t p3_py_peek(struct p3_py *py, uint64_t address, size_t size);
/* The name of an object's type, if the type is static (not a class statement's); else "". */
const char *p3_py_static_type(struct p3_py *py, uint64_t object);
/* The value of `key` in a dict with str keys; 0: not there. */
uint64_t p3_py_dict_get(struct p3_py *py, uint64_t dict, const char *key);
/* An int of one or two digits; false: it is none. */
bool p3_py_small_int(struct p3_py *py, uint64_t object, uint64_t *ret);
struct p3_py_item {
	uint64_t key, value;
};
struct p3_py_items {
	P3_LIST(struct p3_py_item);
};
/* What a dict holds, in its order; empty for what is no dict. */
void p3_py_dict_items(struct p3_py *py, uint64_t dict, struct p3_py_items *ret);
/* Is the object a class? */
bool p3_py_is_type(struct p3_py *py, uint64_t object);
/* An attribute in the instance's own dict or values; 0: not there. */
uint64_t p3_py_attribute(struct p3_py *py, uint64_t object, const char *name);

/* Is this a callable made from the C function at `entry`? Then its qualified name is added. */
bool p3_py_is_callable(struct p3_py *py, uint64_t object, uint64_t entry, struct p3_text *ret);
/* What a builtin method is bound to; 0: to nothing. *name_ret: the name of a method, bound or not. */
uint64_t p3_py_bound_self(struct p3_py *py, uint64_t object, const char **name_ret);

/* The line of a bytecode offset, in bytes; 0: none. */
uint32_t p3_py_line(enum p3_lines_form form, const uint8_t *table, size_t size, uint32_t first,
		    uint64_t offset);
/* What a frame with this code and instruction, in bytes, shows: no address, no locals. */
struct p3_error *p3_py_code_frame(struct p3_py *py, uint64_t code, int64_t offset,
				  struct p3_py_frame *ret) P3_MUST_CHECK;
/* What a PyFrameObject shows. */
struct p3_error *p3_py_frame_object(struct p3_py *py, uint64_t object,
				    struct p3_py_frame *ret) P3_MUST_CHECK;
/* What a slot of a frame refers to; 0: nothing. */
uint64_t p3_py_reference(const struct p3_py *py, uint64_t slot);

#endif
