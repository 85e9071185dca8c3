/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Python objects and exceptions of gdb's embedded interpreter, as C has them. */
#include "gdb.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static bool interrupted;

void p3_gdb_clear(void)
{
	interrupted |= PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
	PyErr_Clear();
}

bool p3_gdb_interrupted(void)
{
	if (!interrupted && PyErr_CheckSignals() == 0)
		return false;
	p3_gdb_clear();
	PyErr_SetNone(PyExc_KeyboardInterrupt);
	return true;
}

void p3_gdb_decref(PyObject **object)
{
	Py_XDECREF(*object);
}

PyObject *p3_gdb(void)
{
	static PyObject *gdb;

	if (!gdb)
		gdb = PyImport_ImportModule("gdb");
	return gdb;
}

struct p3_error *p3_gdb_error(const char *doing)
{
	PyObject *type = NULL, *value = NULL, *traceback = NULL;
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT string = NULL;
	const char *text;

	PyErr_Fetch(&type, &value, &traceback);
	interrupted |= type && PyErr_GivenExceptionMatches(type, PyExc_KeyboardInterrupt);
	string = value ? PyObject_Str(value) : NULL;
	text = p3_gdb_text(arena, string);
	p3_gdb_clear();
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(traceback);
	if (!text || !*text)
		text = interrupted ? "interrupted" : "gdb gave no reason";
	return doing ? p3_error_new(P3_HOST, "%s: %s", doing, text)
		     : p3_error_new(P3_HOST, "%s", text);
}

bool p3_gdb_take_interrupt(void)
{
	bool was = interrupted;

	interrupted = false;
	return was;
}

PyObject *p3_gdb_call(PyObject *object, const char *name, const char *format, ...)
{
	P3_OBJECT arguments = NULL;
	P3_OBJECT callable = NULL;
	va_list list;

	va_start(list, format);
	arguments = Py_VaBuildValue(format, list);
	va_end(list);
	callable = object && arguments ? PyObject_GetAttrString(object, name) : NULL;
	return callable ? PyObject_Call(callable, arguments, NULL) : NULL;
}

const char *p3_gdb_text(struct p3_arena *arena, PyObject *string)
{
	P3_OBJECT bytes = NULL;
	char *data;
	Py_ssize_t size;

	if (!string || !PyUnicode_Check(string))
		return NULL;
	/* Surrogates stand for bytes that were no UTF-8; text.c replaces them. */
	bytes = PyUnicode_AsEncodedString(string, "utf-8", "surrogateescape");
	if (!bytes || PyBytes_AsStringAndSize(bytes, &data, &size) < 0) {
		p3_gdb_clear();
		return NULL;
	}
	return p3_arena_bytes(arena, data, (size_t)size);
}

const char *p3_gdb_attribute_text(struct p3_arena *arena, PyObject *object, const char *name)
{
	P3_OBJECT value = object ? PyObject_GetAttrString(object, name) : NULL;

	p3_gdb_clear();
	return p3_gdb_text(arena, value);
}

int64_t p3_gdb_attribute_number(PyObject *object, const char *name, int64_t otherwise)
{
	P3_OBJECT value = object ? PyObject_GetAttrString(object, name) : NULL;
	long long number = value && PyLong_Check(value) ? PyLong_AsLongLong(value) : otherwise;

	if (PyErr_Occurred())
		number = otherwise;
	p3_gdb_clear();
	return number;
}

uint64_t p3_gdb_address(PyObject *value)
{
	P3_OBJECT number = value ? PyNumber_Long(value) : NULL;
	uint64_t address = number ? PyLong_AsUnsignedLongLongMask(number) : 0;

	p3_gdb_clear();
	return address;
}

const char *p3_gdb_local_path(const char *path)
{
	static const char prefix[] = "target:";

	return path && !strncmp(path, prefix, sizeof(prefix) - 1) ? path + sizeof(prefix) - 1
								  : path;
}

bool p3_gdb_is_lost(PyObject *value)
{
	P3_OBJECT gone = PyObject_GetAttrString(value, "is_optimized_out");
	P3_OBJECT number = NULL;
	bool lost = !gone || PyObject_IsTrue(gone) != 0;

	if (!lost) {
		number = PyNumber_Long(value);
		lost = number == NULL;
	}
	p3_gdb_clear();
	return lost;
}

long p3_gdb_constant(const char *name, long otherwise)
{
	return (long)p3_gdb_attribute_number(p3_gdb(), name, otherwise);
}

PyObject *p3_gdb_output_of(const char *command)
{
	PyObject *output = p3_gdb_call(p3_gdb(), "execute", "(sOO)", command, Py_False, Py_True);

	p3_gdb_clear();
	return output;
}

PyObject *p3_gdb_subclass(const char *name, PyObject *base, const char *doc, PyMethodDef *methods,
			  PyObject *self)
{
	P3_OBJECT members = PyDict_New();
	P3_OBJECT text = PyUnicode_FromString(doc);

	if (!members || !text || PyDict_SetItemString(members, "__doc__", text) < 0)
		return NULL;
	for (; methods->ml_name; methods++) {
		/* A builtin function is no descriptor: it is called with `self` of here, and
		 * without the instance. */
		P3_OBJECT function = PyCFunction_New(methods, self);

		if (!function || PyDict_SetItemString(members, methods->ml_name, function) < 0)
			return NULL;
	}
	return PyObject_CallFunction((PyObject *)&PyType_Type, "s(O)O", name, base, members);
}

bool p3_gdb_connect(const char *event_name, PyMethodDef *method)
{
	P3_OBJECT events = PyObject_GetAttrString(p3_gdb(), "events");
	P3_OBJECT event = events ? PyObject_GetAttrString(events, event_name) : NULL;
	P3_OBJECT handler = PyCFunction_New(method, NULL);
	P3_OBJECT done = event && handler ? p3_gdb_call(event, "connect", "(O)", handler) : NULL;

	return done != NULL;
}
