/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Pretty-printers. rustc's own are registered on each Rust objfile, those of
 * the toolchain that built it; rustc leaves .debug_gdb_scripts out of cdylibs,
 * so that gdb does not do it (rust-lang/rust#96365). And a guard of our own:
 * gdb 13 aborts when it prints an array of enums (facts/tools.md 0.1).
 */
#include "gdb.h"

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/rust.h>

#include <stdlib.h>
#include <string.h>

/* ---- the guard: arrays whose elements have a dynamic type ---- */

/* A function that gives back the object it was made with. */
static PyObject *give_self(PyObject *self, PyObject *args)
{
	(void)args;
	Py_INCREF(self);
	return self;
}

static PyObject *give_iterator(PyObject *self, PyObject *args)
{
	(void)args;
	return PyObject_GetIter(self);
}

static PyObject *array_children(PyObject *value, PyObject *type)
{
	P3_OBJECT range = p3_gdb_call(type, "range", "()");
	P3_OBJECT children = PyList_New(0);
	P3_OBJECT elements = p3_gdb_call(p3_gdb(), "parameter", "(s)", "print elements");
	long long low = 0, high = -1, i, limit = 1 << 20;

	if (elements && PyLong_Check(elements) && PyLong_AsLongLong(elements) > 0)
		limit = PyLong_AsLongLong(elements) + 1; /* one more: gdb then adds its "..." */
	p3_gdb_clear();
	if (!range || !children || !PyArg_ParseTuple(range, "LL", &low, &high))
		return NULL;
	for (i = low; i <= high && i - low < limit; i++) {
		P3_OBJECT index = PyLong_FromLongLong(i);
		P3_OBJECT item = index ? PyObject_GetItem(value, index) : NULL;
		P3_OBJECT pair =
			item ? Py_BuildValue("(NO)", PyUnicode_FromFormat("[%d]", (int)i), item)
			     : NULL;

		if (!pair || PyList_Append(children, pair) < 0)
			return NULL;
	}
	Py_INCREF(children);
	return children;
}

static PyMethodDef children_method[] = { { "children", give_iterator, METH_VARARGS, NULL },
					 { NULL, NULL, 0, NULL } };
static PyMethodDef to_string_method[] = { { "to_string", give_self, METH_VARARGS, NULL },
					  { NULL, NULL, 0, NULL } };
static PyMethodDef hint_method[] = { { "display_hint", give_self, METH_VARARGS, NULL },
				     { NULL, NULL, 0, NULL } };

/* An object with the methods that gdb calls on a printer. */
static PyObject *make_array_printer(PyObject *children)
{
	static PyObject *type;
	P3_OBJECT printer = NULL;
	P3_OBJECT hint = PyUnicode_FromString("array");
	const struct {
		PyMethodDef *method;
		PyObject *self;
	} members[] = { { children_method, children },
			{ to_string_method, Py_None },
			{ hint_method, hint } };
	size_t i;

	if (!type)
		type = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){}", "ArrayPrinter",
					     (PyObject *)&PyBaseObject_Type);
	printer = type ? PyObject_CallFunction(type, NULL) : NULL;
	for (i = 0; printer && i < sizeof(members) / sizeof(*members); i++) {
		P3_OBJECT function = PyCFunction_New(members[i].method, members[i].self);

		if (!function ||
		    PyObject_SetAttrString(printer, members[i].method->ml_name, function) < 0)
			return NULL;
	}
	Py_XINCREF(printer);
	return printer;
}

static bool is_dynamic_array(PyObject *type)
{
	P3_OBJECT target = NULL;
	P3_OBJECT plain = NULL;
	P3_OBJECT dynamic = NULL;

	if (p3_gdb_attribute_number(type, "code", -1) != p3_gdb_constant("TYPE_CODE_ARRAY", 2))
		return false;
	target = p3_gdb_call(type, "target", "()");
	plain = target ? p3_gdb_call(target, "strip_typedefs", "()") : NULL;
	dynamic = plain ? PyObject_GetAttrString(plain, "dynamic") : NULL;
	return dynamic == Py_True &&
	       p3_gdb_attribute_number(plain, "code", -1) == p3_gdb_constant("TYPE_CODE_STRUCT", 3);
}

/* gdb asks for each value it prints: our printer, or None. Never raises. */
static PyObject *look_up_array(PyObject *self, PyObject *value)
{
	P3_OBJECT type = PyObject_GetAttrString(value, "type");
	P3_OBJECT plain = type ? p3_gdb_call(type, "strip_typedefs", "()") : NULL;
	P3_OBJECT children = NULL;
	PyObject *printer = NULL;

	(void)self;
	if (plain && is_dynamic_array(plain)) {
		children = array_children(value, plain);
		printer = children ? make_array_printer(children) : NULL;
	}
	p3_gdb_clear();
	if (printer)
		return printer;
	if (p3_gdb_interrupted()) /* Ctrl-C is gdb's: it ends the user's print */
		return NULL;
	Py_RETURN_NONE;
}

static PyMethodDef look_up_array_method = { "pyo3_gdb_array", look_up_array, METH_O, NULL };

static bool register_guard(void)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *version = p3_gdb_attribute_text(arena, p3_gdb(), "VERSION");
	P3_OBJECT printers = PyObject_GetAttrString(p3_gdb(), "pretty_printers");
	P3_OBJECT function = PyCFunction_New(&look_up_array_method, NULL);

	/* Seen on 13.1; 16.3 and 18.1 print such arrays. */
	if (version && strtol(version, NULL, 10) >= 16)
		return true;
	return printers && function && PyList_Insert(printers, 0, function) == 0;
}

/* ---- rustc's printers ---- */

/* sysroot -> what is registered of that toolchain's gdb_lookup module */
static PyObject *loaded;

/* The modules that gdb_lookup.py imports by plain names, which toolchains share. */
static const char *const module_names[] = { "gdb_lookup", "gdb_providers", "rust_types" };

static void forget_modules(PyObject *modules)
{
	size_t i;

	for (i = 0; i < sizeof(module_names) / sizeof(*module_names); i++)
		if (PyDict_DelItemString(modules, module_names[i]) < 0)
			p3_gdb_clear();
}

/* Import gdb_lookup from this toolchain, beside those of others; NULL on failure. */
static PyObject *import_lookup(const char *sysroot)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT folder =
		PyUnicode_FromString(p3_arena_printf(arena, "%s/lib/rustlib/etc", sysroot));
	PyObject *path = PySys_GetObject("path");	/* borrowed */
	PyObject *modules = PySys_GetObject("modules"); /* borrowed */
	PyObject *lookup;

	if (!folder || !path || !modules || PyList_Insert(path, 0, folder) < 0)
		return NULL;
	forget_modules(modules);
	lookup = PyImport_ImportModule("gdb_lookup");
	forget_modules(modules);
	/* rust-gdb may have the same folder on the path, for itself: take away ours only. */
	if (PySequence_DelItem(path, 0) < 0)
		p3_gdb_clear();
	return lookup;
}

/* The toolchain for a rustc, looked for once: it opens files of every toolchain. */
static struct p3_error *find_toolchain(const char *rustc, struct p3_toolchain *ret)
{
	static struct {
		char rustc[64];
		struct p3_toolchain toolchain;
	} known[16];
	static struct p3_arena *arena;
	static size_t count;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!strcmp(known[i].rustc, rustc)) {
			*ret = known[i].toolchain;
			return NULL;
		}
	}
	if (!arena)
		arena = p3_arena_new();
	P3_TRY(p3_rust_toolchain(arena, rustc, ret));
	if (count < sizeof(known) / sizeof(*known)) {
		snprintf(known[count].rustc, sizeof(known[count].rustc), "%s", rustc);
		known[count++].toolchain = *ret;
	}
	return NULL;
}

static bool has_rust_printers(PyObject *objfile)
{
	P3_OBJECT printers = PyObject_GetAttrString(objfile, "pretty_printers");
	Py_ssize_t count = printers ? PyList_Size(printers) : 0, i;

	for (i = 0; i < count; i++) {
		struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
		const char *name =
			p3_gdb_attribute_text(arena, PyList_GetItem(printers, i), "name");

		if (name && !strcmp(name, "rust"))
			return true;
	}
	p3_gdb_clear();
	return false;
}

/* The facts of a Rust objfile with DWARF, whose values can be printed; false: another. */
static bool is_printable(struct p3_arena *arena, PyObject *objfile, struct p3_file_facts *facts)
{
	const char *path = p3_gdb_local_path(p3_gdb_attribute_text(arena, objfile, "filename"));
	struct p3_error *error;

	if (!path || *path != '/')
		return false;
	error = p3_elf_facts(path, NULL, facts);
	if (error) {
		p3_error_free(error);
		return false;
	}
	return facts->rust && facts->tier == P3_TIER_DWARF;
}

/* gdb asks rustc's printers through this: an exception of theirs, which they raise for
 * types they do not expect, must not reach the user, who then sees the raw value. */
static PyObject *ask_rustc(PyObject *self, PyObject *args)
{
	PyObject *printer = PyObject_Call(self, args, NULL);

	if (printer || PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
		return printer;
	PyErr_Clear();
	Py_RETURN_NONE;
}

static PyMethodDef ask_rustc_methods[] = { { "__call__", ask_rustc, METH_VARARGS, NULL },
					   { NULL, NULL, 0, NULL } };

/* What is put into objfile.pretty_printers: `info pretty-printer` lists it as rustc's. */
static PyObject *wrap_printer(PyObject *lookup)
{
	static const char *const attributes[] = { "name", "enabled", "subprinters" };
	P3_OBJECT printer = PyObject_GetAttrString(lookup, "printer");
	P3_OBJECT type = printer ? p3_gdb_subclass("RustPrinters", (PyObject *)&PyBaseObject_Type,
						   "rustc's printers.", ask_rustc_methods, printer)
				 : NULL;
	P3_OBJECT wrapper = type ? PyObject_CallFunction(type, NULL) : NULL;
	size_t i;

	for (i = 0; wrapper && i < sizeof(attributes) / sizeof(*attributes); i++) {
		P3_OBJECT value = PyObject_GetAttrString(printer, attributes[i]);

		if (!value || PyObject_SetAttrString(wrapper, attributes[i], value) < 0)
			return NULL;
	}
	Py_XINCREF(wrapper);
	return wrapper;
}

static struct p3_error *register_rust(PyObject *objfile, const struct p3_file_facts *facts)
{
	struct p3_toolchain toolchain;
	PyObject *wrapper;
	P3_OBJECT printers = PyObject_GetAttrString(objfile, "pretty_printers");

	if (!printers || has_rust_printers(objfile))
		return NULL;
	P3_TRY(find_toolchain(facts->rustc, &toolchain));
	if (!loaded)
		loaded = PyDict_New();
	wrapper = loaded ? PyDict_GetItemString(loaded, toolchain.sysroot) : NULL;
	if (!wrapper) {
		P3_OBJECT imported = import_lookup(toolchain.sysroot);
		P3_OBJECT made = imported ? wrap_printer(imported) : NULL;

		if (!made || !loaded || PyDict_SetItemString(loaded, toolchain.sysroot, made) < 0)
			return p3_gdb_error("rustc's printers");
		wrapper = made; /* the dict holds it */
	}
	if (PyList_Append(printers, wrapper) < 0)
		return p3_gdb_error("rustc's printers");
	return NULL;
}

static void consider(PyObject *objfile)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	struct p3_file_facts facts;

	if (is_printable(arena, objfile, &facts)) {
		struct p3_error *error = register_rust(objfile, &facts);

		p3_error_free(error); /* `info pyo3` tells */
	}
	p3_gdb_clear();
}

static PyObject *on_new_objfile(PyObject *self, PyObject *event)
{
	P3_OBJECT objfile = PyObject_GetAttrString(event, "new_objfile");

	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *path = objfile ? p3_gdb_attribute_text(arena, objfile, "filename") : NULL;

	(void)self;
	if (objfile)
		consider(objfile);
	if (path && !p3_gdb_busy())
		p3_gdb_loaded(p3_gdb_local_path(path));
	p3_gdb_clear();
	Py_RETURN_NONE;
}

static PyMethodDef on_new_objfile_method = { "pyo3_gdb_new_objfile", on_new_objfile, METH_O, NULL };

bool p3_gdb_start_printers(void)
{
	bool connected = p3_gdb_connect("new_objfile", &on_new_objfile_method);
	P3_OBJECT objfiles = p3_gdb_call(p3_gdb(), "objfiles", "()");
	Py_ssize_t count = objfiles ? PyObject_Size(objfiles) : 0, i;

	if (!connected || !objfiles || !register_guard())
		return false;
	for (i = 0; i < count; i++) {
		P3_OBJECT objfile = PySequence_GetItem(objfiles, i);

		if (objfile)
			consider(objfile);
	}
	return true;
}

const char *p3_gdb_printer_state(void *context, struct p3_arena *arena, const char *module)
{
	PyObject *found = p3_gdb_call(p3_gdb(), "lookup_objfile", "(s)", module);
	P3_OBJECT objfile = NULL;
	struct p3_file_facts facts;
	struct p3_toolchain toolchain;
	struct p3_error *error;

	(void)context;
	p3_gdb_clear();
	if (!found) /* through gdbserver */
		found = p3_gdb_call(p3_gdb(), "lookup_objfile", "(s)",
				    p3_arena_printf(arena, "target:%s", module));
	objfile = found;
	p3_gdb_clear();
	if (!objfile)
		return NULL;
	if (!is_printable(arena, objfile, &facts))
		return "none: there are no types without DWARF";
	if (has_rust_printers(objfile)) {
		error = find_toolchain(facts.rustc, &toolchain);
		if (!error)
			return toolchain.exact
				       ? p3_arena_printf(arena, "rustc's own, of %s",
							 toolchain.rustc)
				       : p3_arena_printf(
						 arena, "rustc's, of %s: not the one that built it",
						 toolchain.rustc);
		p3_error_free(error);
		return "rustc's, registered by gdb or another script";
	}
	error = register_rust(objfile, &facts);
	if (!error)
		return "rustc's own";
	module = p3_arena_printf(arena, "none: %s%s%s", error->message, error->hint ? "; " : "",
				 error->hint ? error->hint : "");
	p3_error_free(error);
	return module;
}
