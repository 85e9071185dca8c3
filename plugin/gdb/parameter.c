/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* `set pyo3 ...` and `show pyo3 ...`: a table of gdb.Parameter objects. */
#include "gdb.h"

#include <string.h>

/* A choice among words. */
static const struct parameter {
	const char *name, *doc;
	const char *words[4]; /* NULL-terminated; the first is the default */
	const char *shown;    /* what `show` says, before the word */
} parameters[] = {
	{ "pyo3 unwinder",
	  "What unwinds native frames: our own reader, or gdb's unwinder.\n"
	  "auto: our own, which is much faster, and gdb's where ours cannot;\n"
	  "own: our own or an error; gdb: gdb's. `info pyo3` counts them.",
	  { "auto", "own", "gdb", NULL },
	  "The unwinder of pyo3-bt is" },
	{ "pyo3 py-commands",
	  "Whether py-bt, py-up and the like, and Python objects in print, are ours.\n"
	  "auto: where CPython's own python-gdb.py is not loaded; on: ours, in place of\n"
	  "CPython's own, too; off: they say that they are off.",
	  { "auto", "on", "off", NULL },
	  "The commands of python-gdb.py are" },
};

enum { PARAMETER_COUNT = sizeof(parameters) / sizeof(*parameters) };

static PyObject *made[PARAMETER_COUNT];

/* Which word a parameter is set to, by its index. */
static size_t value_of(size_t index)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *word = p3_gdb_attribute_text(arena, made[index], "value");
	size_t i;

	for (i = 0; word && parameters[index].words[i]; i++)
		if (!strcmp(parameters[index].words[i], word))
			return i;
	return 0;
}

enum p3_unwinder p3_gdb_unwinder(void)
{
	static const enum p3_unwinder unwinders[] = { P3_UNWINDER_AUTO, P3_UNWINDER_OWN,
						      P3_UNWINDER_GDB };

	return unwinders[value_of(0)];
}

bool p3_gdb_py_commands(void)
{
	return value_of(1) != 2;
}

bool p3_gdb_py_commands_forced(void)
{
	return value_of(1) == 1;
}

/* `set` says nothing, as gdb's own; without this, gdb prints the help. */
static PyObject *get_set_string(PyObject *self, PyObject *args)
{
	(void)args;
	/* CPython's own may have been loaded since: take their names back. */
	if (PyLong_AsSize_t(self) == 1 && p3_gdb_py_commands_forced() && !p3_gdb_define_commands())
		return NULL;
	return PyUnicode_FromString("");
}

static PyObject *get_show_string(PyObject *self, PyObject *args)
{
	const char *word;

	if (!PyArg_ParseTuple(args, "s", &word))
		return NULL;
	return PyUnicode_FromFormat("%s \"%s\".", parameters[PyLong_AsSize_t(self)].shown, word);
}

static PyMethodDef methods[] = {
	{ "get_set_string", get_set_string, METH_VARARGS, NULL },
	{ "get_show_string", get_show_string, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static bool define(size_t index)
{
	const struct parameter *parameter = &parameters[index];
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Parameter");
	P3_OBJECT number = PyLong_FromSize_t(index);
	P3_OBJECT type =
		base && number ? p3_gdb_subclass("Parameter", base, parameter->doc, methods, number)
			       : NULL;
	P3_OBJECT doc = PyUnicode_FromString("Set or show a setting of pyo3-gdb.");
	P3_OBJECT words = PyList_New(0);
	P3_OBJECT first = PyUnicode_FromString(parameter->words[0]);
	size_t i;

	if (!type || !doc || !words || !first || PyObject_SetAttrString(type, "set_doc", doc) < 0 ||
	    PyObject_SetAttrString(type, "show_doc", doc) < 0)
		return false;
	for (i = 0; parameter->words[i]; i++) {
		P3_OBJECT word = PyUnicode_FromString(parameter->words[i]);

		if (!word || PyList_Append(words, word) < 0)
			return false;
	}
	made[index] = PyObject_CallFunction(type, "sllO", parameter->name,
					    p3_gdb_constant("COMMAND_STACK", 2),
					    p3_gdb_constant("PARAM_ENUM", 9), words);
	return made[index] && PyObject_SetAttrString(made[index], "value", first) == 0;
}

/* `set pyo3` and `show pyo3` alone. */
static bool define_prefix(const char *name, const char *doc)
{
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Command");
	static PyMethodDef none[] = { { NULL, NULL, 0, NULL } };
	P3_OBJECT type = base ? p3_gdb_subclass("Prefix", base, doc, none, NULL) : NULL;
	P3_OBJECT prefix = type ? PyObject_CallFunction(
					  type, "sllO", name, p3_gdb_constant("COMMAND_STACK", 2),
					  p3_gdb_constant("COMPLETE_NONE", 0), Py_True)
				: NULL;

	return prefix != NULL;
}

bool p3_gdb_define_parameters(void)
{
	size_t i;

	if (!define_prefix("set pyo3", "Settings of pyo3-gdb.") ||
	    !define_prefix("show pyo3", "Settings of pyo3-gdb."))
		return false;
	for (i = 0; i < PARAMETER_COUNT; i++)
		if (!define(i))
			return false;
	return true;
}
