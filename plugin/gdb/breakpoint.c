/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Breakpoints of pyo3-break-panic. The user's has the condition $_pyo3_panic(); internal ones,
 * on other functions that matter, do as the user's: none stops when that is deleted or
 * disabled, and its `commands` are theirs.
 *
 * The name of rust_panic was plain up to rustc 1.86, and is __rustc::rust_panic from 1.87 on
 * (facts/users.md 2.2). gdb 13 demangles that with a crate hash, and finds both by
 * "rust_panic"; newer ones without, and find each by its own name alone.
 */
#include "gdb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *breakpoints(void)
{
	return p3_gdb_call(p3_gdb(), "breakpoints", "()");
}

enum { MAX_FACES = 64 };

/* Those that set_visible() has made, by number. gdb 13 does not tell Python the condition of a
 * pending one. */
static struct {
	int64_t number;
	char condition[40];
} faces[MAX_FACES];
static size_t face_count;

/* The condition of a breakpoint, if it is one of ours that the user sees; else NULL. */
static const char *face_condition(struct p3_arena *arena, PyObject *breakpoint)
{
	const char *condition = p3_gdb_attribute_text(arena, breakpoint, "condition");
	int64_t number = p3_gdb_attribute_number(breakpoint, "number", 0);
	size_t i;

	p3_gdb_clear();
	for (i = 0; !condition && i < face_count; i++)
		if (faces[i].number == number)
			condition = faces[i].condition;
	return condition && strstr(condition, "$_pyo3_panic(") ? condition : NULL;
}

/* The user's breakpoint that is enabled, and its mode; NULL: there is none. */
static PyObject *find_face(uint32_t *mode_ret)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT all = breakpoints();
	Py_ssize_t count = all ? PyObject_Size(all) : 0, i;

	for (i = 0; i < count; i++) {
		PyObject *breakpoint = PySequence_GetItem(all, i);
		P3_OBJECT enabled =
			breakpoint ? PyObject_GetAttrString(breakpoint, "enabled") : NULL;
		const char *condition = breakpoint ? face_condition(arena, breakpoint) : NULL;

		p3_gdb_clear();
		if (condition && enabled == Py_True) {
			*mode_ret = (uint32_t)strtoul(strstr(condition, "panic(") + 6, NULL, 10);
			return breakpoint;
		}
		Py_XDECREF(breakpoint);
	}
	p3_gdb_clear();
	return NULL;
}

static void say_error(struct p3_error *error)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	p3_text_printf(&text, "pyo3-break-panic: %s\n", error->message);
	p3_error_free(error);
	p3_error_free(p3_gdb_write(p3_text_string(&text)));
}

static bool hit(uint32_t mode)
{
	struct p3_command_context context;
	struct p3_error *error;
	bool stop = true;

	p3_gdb_host_forget(); /* gdb has not said yet that the program has stopped */
	context = p3_gdb_context();
	error = p3_panic_hit(&context, mode, &stop);
	if (error)
		say_error(error);
	p3_gdb_host_forget();
	return stop;
}

static uint64_t current_pc(void)
{
	P3_OBJECT frame = p3_gdb_call(p3_gdb(), "newest_frame", "()");
	uint64_t pc = frame ? p3_gdb_register(frame, "pc") : 0;

	p3_gdb_clear();
	return pc;
}

/* Where the user's breakpoint was asked about last. */
static uint64_t face_pc;

/* $_pyo3_panic([MODE]) */
static PyObject *panic_invoke(PyObject *self, PyObject *args)
{
	P3_OBJECT first = PyTuple_Size(args) > 0 ? PySequence_GetItem(args, 0) : NULL;
	P3_OBJECT number = first ? PyNumber_Long(first) : NULL;
	long mode = number ? PyLong_AsLong(number) : 0;
	bool stop;

	(void)self;
	p3_gdb_clear();
	face_pc = current_pc();
	/* A user's pretty-printer that called a function, from within a command of ours. */
	stop = p3_gdb_busy() || hit(mode < 0 ? 0 : (uint32_t)mode);
	p3_gdb_clear();
	return PyLong_FromLong(stop);
}

/* gdb asks at each hit of an internal breakpoint: True stops, False goes on. */
static PyObject *follow(PyObject *self, PyObject *args)
{
	uint32_t mode = 0;
	P3_OBJECT face = find_face(&mode);
	/* gdb asks in the order in which breakpoints were made: the user's was asked before, if
	 * it is at this place, too, and has an ignore count of its own. */
	bool stop = face && current_pc() != face_pc && (p3_gdb_busy() || hit(mode));

	(void)self;
	(void)args;
	p3_gdb_clear();
	return PyBool_FromLong(stop);
}

static PyMethodDef panic_methods[] = {
	{ "invoke", panic_invoke, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};
static PyMethodDef follow_methods[] = {
	{ "stop", follow, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

/* The internal breakpoints, by the place they are at. */
static PyObject *followers;

/* The `commands` of the user's breakpoint are those of the internal ones. */
static PyObject *on_modified(PyObject *self, PyObject *changed)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT commands = NULL;
	P3_OBJECT all = NULL;
	Py_ssize_t count, i;

	(void)self;
	if (!followers || !face_condition(arena, changed))
		Py_RETURN_NONE;
	commands = PyObject_GetAttrString(changed, "commands");
	all = PyDict_Values(followers);
	count = all && commands ? PyObject_Size(all) : 0;
	for (i = 0; i < count; i++) {
		P3_OBJECT other = PySequence_GetItem(all, i);

		(void)PyObject_SetAttrString(other, "commands", commands);
		p3_gdb_clear();
	}
	p3_gdb_clear();
	Py_RETURN_NONE;
}
static PyMethodDef on_modified_method = { "pyo3_gdb_modified", on_modified, METH_O, NULL };

static bool define(const char *name, const char *doc, PyMethodDef *methods)
{
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Function");
	P3_OBJECT type = base ? p3_gdb_subclass("Pyo3Function", base, doc, methods, NULL) : NULL;
	P3_OBJECT made = type ? PyObject_CallFunction(type, "s", name) : NULL;

	return made != NULL;
}

bool p3_gdb_define_functions(void)
{
	return define("_pyo3_panic",
		      "$_pyo3_panic ([MODE]): say what Rust panic the thread is at the start of.\n"
		      "The condition of the breakpoint that pyo3-break-panic makes.",
		      panic_methods) &&
	       p3_gdb_connect("breakpoint_modified", &on_modified_method);
}

/* Does this gdb demangle v0 names with crate hashes? */
static bool shows_hashes(void)
{
	P3_OBJECT output =
		p3_gdb_output_of("demangle -l rust -- _RNvCs3XEF1nXgZqC_7___rustc10rust_panic");
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *text = p3_gdb_text(arena, output);

	return text && strchr(text, '[');
}

/* The user's with this condition; 0: there is none. */
static int64_t find_equal(const char *wanted)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT all = breakpoints();
	Py_ssize_t count = all ? PyObject_Size(all) : 0, i;
	int64_t number = 0;

	for (i = 0; i < count && !number; i++) {
		P3_OBJECT breakpoint = PySequence_GetItem(all, i);
		const char *condition = breakpoint ? face_condition(arena, breakpoint) : NULL;

		if (condition && !strcmp(condition, wanted))
			number = p3_gdb_attribute_number(breakpoint, "number", 0);
	}
	p3_gdb_clear();
	return number;
}

/* Of the breakpoint that was made last: gdb's own $bpnum. */
static int64_t newest_number(void)
{
	P3_OBJECT value = p3_gdb_call(p3_gdb(), "convenience_variable", "(s)", "bpnum");
	P3_OBJECT number = value ? PyNumber_Long(value) : NULL;
	int64_t newest = number ? PyLong_AsLongLong(number) : 0;

	p3_gdb_clear();
	return newest;
}

/* gdb's own command: a condition set later makes it forget that it may be pending. */
static struct p3_error *set_visible(const char *spec, const char *condition)
{
	P3_OBJECT command = PyUnicode_FromFormat("with breakpoint pending on -- break %s if %s",
						 spec, condition);
	int64_t number = find_equal(condition);
	P3_OBJECT done = NULL;

	if (number)
		return p3_error_new(P3_USAGE, "breakpoint %" PRId64 " stops at Rust panics already",
				    number);
	done = command ? p3_gdb_call(p3_gdb(), "execute", "(O)", command) : NULL;
	if (!done)
		return p3_gdb_error("setting a breakpoint on rust_panic");
	if (face_count < MAX_FACES) {
		faces[face_count].number = newest_number();
		snprintf(faces[face_count].condition, sizeof(faces[face_count].condition), "%s",
			 condition);
		face_count++;
	}
	return NULL;
}

static bool is_valid(PyObject *breakpoint)
{
	P3_OBJECT valid = breakpoint ? p3_gdb_call(breakpoint, "is_valid", "()") : NULL;

	p3_gdb_clear();
	return valid == Py_True;
}

static struct p3_error *set_internal(const char *spec)
{
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Breakpoint");
	P3_OBJECT place = p3_gdb_call(p3_gdb(), "decode_line", "(s)", spec);
	P3_OBJECT type = NULL;
	P3_OBJECT none = PyTuple_New(0);
	P3_OBJECT options = NULL;
	P3_OBJECT made = NULL;

	p3_gdb_clear();
	if (!place) /* gdb would say so, of something that the user has not asked for */
		return p3_error_new(P3_NOT_FOUND, "there is no %s yet", spec);
	if (!followers)
		followers = PyDict_New();
	if (followers && is_valid(PyDict_GetItemString(followers, spec)))
		return NULL;
	type = base ? p3_gdb_subclass("PanicBreakpoint", base, "Stops at Rust panics.",
				      follow_methods, NULL)
		    : NULL;
	options = Py_BuildValue("{s:s,s:O}", "spec", spec, "internal", Py_True);
	made = type && none && options ? PyObject_Call(type, none, options) : NULL;
	if (!made || !followers || PyDict_SetItemString(followers, spec, made) < 0)
		return p3_gdb_error("setting a breakpoint on a panic");
	return NULL;
}

struct p3_error *p3_gdb_set_breakpoint(void *context, const char *spec, const char *condition)
{
	(void)context;
	if (spec)
		return set_internal(spec);
	return set_visible(shows_hashes() ? "rust_panic" : "__rustc::rust_panic", condition);
}

void p3_gdb_loaded(const char *path)
{
	struct p3_command_context context = p3_gdb_context();
	struct p3_error *error = p3_panic_loaded(&context, path, NULL);

	if (error)
		say_error(error);
}
