/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * gdb prints a PyObject * as the Python object it is, as CPython's own python-gdb.py does,
 * in `print`, `info locals` and `bt`; C's and pyo3-ffi's. PyO3's Py, Bound and such as
 * pyo3-bt does, with the Rust struct in them. What is known of the interpreter is
 * kept from one value to the next, until the process runs or its memory is written.
 */
#include "gdb.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_OUTPUT = 1024 }; /* as python-gdb.py's MAX_OUTPUT_LEN */

static bool stale = true; /* something happened to the process since the last value */

static PyObject *forget(PyObject *self, PyObject *event)
{
	(void)self;
	(void)event;
	stale = true;
	Py_RETURN_NONE;
}

static PyMethodDef forget_method = { "pyo3_gdb_forget", forget, METH_O, NULL };

/* The first runtime whose version is known; NULL: there is no Python. */
static struct p3_py *find_runtime(void)
{
	static struct p3_session *session;
	static struct p3_py *runtime;
	static int64_t inferior;
	const struct p3_snapshot *snapshot;
	struct p3_error *error;
	P3_OBJECT selected = p3_gdb_call(p3_gdb(), "selected_inferior", "()");
	int64_t number = p3_gdb_attribute_number(selected, "num", 0);
	size_t i;

	if (!stale && number == inferior)
		return runtime;
	inferior = number;
	if (!session)
		session = p3_session_new(p3_gdb_host());
	p3_session_forget_stop(session);
	runtime = NULL;
	error = p3_session_snapshot(session, P3_NO_THREADS, &snapshot);
	for (i = 0; !error && i < snapshot->runtimes.count && !runtime; i++)
		if (snapshot->runtimes.items[i]->layout)
			runtime = snapshot->runtimes.items[i];
	stale = error != NULL;
	p3_error_free(error);
	return runtime;
}

static PyObject *write_object(PyObject *self, bool remote)
{
	uint64_t address = PyLong_AsUnsignedLongLong(self);
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_py *runtime;
	bool aggregate;

	PyErr_Clear();
	(void)p3_gdb_take_interrupt(); /* of an earlier value */
	runtime = find_runtime();
	if (!address || !runtime)
		p3_text_printf(&text, "0x%" PRIx64, address);
	else if (remote)
		p3_py_format_remote(runtime, address, MAX_OUTPUT, &text);
	else
		p3_py_format(runtime, address, true, &text, &aggregate);
	p3_gdb_clear();
	if (p3_gdb_take_interrupt()) {
		PyErr_SetNone(PyExc_KeyboardInterrupt);
		return NULL;
	}
	return PyUnicode_DecodeUTF8(p3_text_string(&text), (Py_ssize_t)text.size, "replace");
}

static PyObject *to_remote_string(PyObject *self, PyObject *args)
{
	(void)args;
	return write_object(self, true);
}

static PyObject *to_string(PyObject *self, PyObject *args)
{
	(void)args;
	return write_object(self, false);
}

static PyMethodDef remote_method[] = { { "to_string", to_remote_string, METH_VARARGS, NULL },
				       { NULL, NULL, 0, NULL } };
static PyMethodDef to_string_method[] = { { "to_string", to_string, METH_VARARGS, NULL },
					  { NULL, NULL, 0, NULL } };

static bool is_object_pointer(PyObject *value)
{
	static const char *const names[] = { "PyObject",	  "_object",
					     "PyFrameObject",	  "PyUnicodeObject",
					     "wrapperobject",	  "pyo3_ffi::object::PyObject",
					     "pyo3_ffi::PyObject" };
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT type = PyObject_GetAttrString(value, "type");
	P3_OBJECT plain = type ? p3_gdb_call(type, "unqualified", "()") : NULL;
	P3_OBJECT target = NULL;
	P3_OBJECT bare = NULL;
	const char *name;
	size_t i;

	if (!plain ||
	    p3_gdb_attribute_number(plain, "code", -1) != p3_gdb_constant("TYPE_CODE_PTR", 1))
		return false;
	target = p3_gdb_call(plain, "target", "()");
	bare = target ? p3_gdb_call(target, "unqualified", "()") : NULL;
	name = bare ? p3_gdb_attribute_text(arena, bare, "name") : NULL;
	for (i = 0; name && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static PyObject *make_printer(uint64_t object, PyMethodDef *methods)
{
	P3_OBJECT address = PyLong_FromUnsignedLongLong(object);
	P3_OBJECT type =
		address ? p3_gdb_subclass("PyObjectPrinter", (PyObject *)&PyBaseObject_Type,
					  "A Python object.", methods, address)
			: NULL;
	PyObject *printer = type ? PyObject_CallFunction(type, NULL) : NULL;

	p3_gdb_clear();
	if (printer)
		return printer;
	Py_RETURN_NONE;
}

/* The object in a value of PyO3's; 0: it is none, or was optimized out. */
static uint64_t find_held(PyObject *value)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT type = PyObject_GetAttrString(value, "type");
	P3_OBJECT plain = type ? p3_gdb_call(type, "strip_typedefs", "()") : NULL;
	const char *name = p3_gdb_attribute_text(arena, plain, "name");
	bool known = plain && name && strstr(name, "pyo3::");
	P3_OBJECT gone = known ? PyObject_GetAttrString(value, "is_optimized_out") : NULL;

	return gone == Py_False ? p3_gdb_find_object(arena, value, plain) : 0;
}

static PyObject *lookup(PyObject *self, PyObject *value)
{
	uint64_t held;

	(void)self;
	/* Values that we asked gdb for are read as objects by ourselves. */
	if (p3_gdb_busy())
		Py_RETURN_NONE;
	if (is_object_pointer(value)) {
		bool wanted = p3_gdb_py_commands() && !p3_gdb_is_lost(value);

		p3_gdb_clear();
		if (!wanted)
			Py_RETURN_NONE;
		return make_printer(p3_gdb_address(value), remote_method);
	}
	held = find_held(value);
	p3_gdb_clear();
	if (!held)
		Py_RETURN_NONE;
	return make_printer(held, to_string_method);
}

static PyMethodDef lookup_method = { "pyo3_gdb_PyObject", lookup, METH_O, NULL };

bool p3_gdb_start_objects(void)
{
	static const char *const names[] = { "stop",	       "cont",
					     "exited",	       "new_objfile",
					     "memory_changed", "inferior_call",
					     "clear_objfiles", "inferior_deleted" };
	P3_OBJECT events = PyObject_GetAttrString(p3_gdb(), "events");
	P3_OBJECT printers = PyObject_GetAttrString(p3_gdb(), "pretty_printers");
	P3_OBJECT printer = PyCFunction_New(&lookup_method, NULL);
	P3_OBJECT handler = PyCFunction_New(&forget_method, NULL);
	size_t i;

	for (i = 0; events && handler && i < sizeof(names) / sizeof(*names); i++) {
		P3_OBJECT event = PyObject_GetAttrString(events, names[i]);
		P3_OBJECT done = event ? p3_gdb_call(event, "connect", "(O)", handler) : NULL;

		p3_gdb_clear(); /* one that this gdb does not have */
	}
	return printers && printer && PyList_Append(printers, printer) == 0;
}
