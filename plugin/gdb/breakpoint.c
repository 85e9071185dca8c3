/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Breakpoints of pyo3-break-panic and the like. The user's has the condition $_pyo3_panic();
 * internal ones, on other functions that matter, do as the user's of their kind: none stops when
 * that is deleted or disabled, and its `commands` are theirs.
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
	char condition[48];
} faces[MAX_FACES];
static size_t face_count;

/* Is this the condition of the user's breakpoints of a kind? Then it goes on with the mode. */
static const char *is_condition(const char *condition, enum p3_stop stop)
{
	char call[32];
	const char *at;

	snprintf(call, sizeof(call), "$%s(", p3_stop_kinds[stop].function);
	at = condition ? strstr(condition, call) : NULL;
	return at ? at + strlen(call) : NULL;
}

/* The condition of a breakpoint, if it is one of ours that the user sees; else NULL. */
static const char *face_condition(struct p3_arena *arena, PyObject *breakpoint, enum p3_stop stop)
{
	const char *condition = p3_gdb_attribute_text(arena, breakpoint, "condition");
	int64_t number = p3_gdb_attribute_number(breakpoint, "number", 0);
	size_t i;

	p3_gdb_clear();
	for (i = 0; !condition && i < face_count; i++)
		if (faces[i].number == number)
			condition = faces[i].condition;
	return is_condition(condition, stop) ? condition : NULL;
}

/* The user's breakpoint that is enabled, with this condition (NULL: any of the kind), and its mode;
 * NULL: there is none. */
static PyObject *find_face(enum p3_stop stop, const char *wanted, uint32_t *mode_ret)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT all = breakpoints();
	Py_ssize_t count = all ? PyObject_Size(all) : 0, i;

	for (i = 0; i < count; i++) {
		PyObject *breakpoint = PySequence_GetItem(all, i);
		P3_OBJECT enabled =
			breakpoint ? PyObject_GetAttrString(breakpoint, "enabled") : NULL;
		const char *condition = breakpoint ? face_condition(arena, breakpoint, stop) : NULL;

		p3_gdb_clear();
		if (condition && enabled == Py_True && (!wanted || strstr(condition, wanted))) {
			*mode_ret = (uint32_t)strtoul(is_condition(condition, stop), NULL, 10);
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

	p3_text_printf(&text, "pyo3-gdb: %s\n", error->message);
	p3_error_free(error);
	p3_error_free(p3_gdb_write(p3_text_string(&text)));
}

/* Of the hits at this stop, what has more to say once all threads are stopped. */
static bool asked[P3_STOPS];

static bool hit(enum p3_stop stop_kind, uint32_t mode)
{
	struct p3_command_context context;
	struct p3_error *error;
	bool stop = true;

	p3_gdb_host_forget(); /* gdb has not said yet that the program has stopped */
	context = p3_gdb_context();
	error = p3_stop_kinds[stop_kind].hit(&context, mode, &stop);
	if (error)
		say_error(error);
	p3_gdb_host_forget();
	asked[stop_kind] |= stop;
	return stop;
}

static PyObject *on_stop(PyObject *self, PyObject *event)
{
	enum p3_stop kind;

	(void)self;
	(void)event;
	for (kind = 0; kind < P3_STOPS; kind++) {
		struct p3_error *error = NULL;

		if (asked[kind] && p3_stop_kinds[kind].stopped) {
			struct p3_command_context context;

			p3_gdb_host_forget();
			context = p3_gdb_context();
			error = p3_stop_kinds[kind].stopped(&context);
		}
		if (error)
			say_error(error);
		asked[kind] = false;
	}
	p3_gdb_host_forget();
	p3_gdb_clear();
	Py_RETURN_NONE;
}
static PyMethodDef on_stop_method = { "pyo3_gdb_stop", on_stop, METH_O, NULL };

static uint64_t current_pc(void)
{
	P3_OBJECT frame = p3_gdb_call(p3_gdb(), "newest_frame", "()");
	uint64_t pc = frame ? p3_gdb_register(frame, "pc") : 0;

	p3_gdb_clear();
	return pc;
}

/* Where the user's breakpoint was asked about last. */
static uint64_t face_pcs[P3_STOPS];

/* $_pyo3_panic([MODE]) */
static PyObject *invoke(PyObject *self, PyObject *args)
{
	P3_OBJECT first = PyTuple_Size(args) > 0 ? PySequence_GetItem(args, 0) : NULL;
	P3_OBJECT number = first ? PyNumber_Long(first) : NULL;
	long mode = number ? PyLong_AsLong(number) : 0;
	enum p3_stop kind = (enum p3_stop)PyLong_AsLong(self); /* of the subclass */
	bool stop;

	p3_gdb_clear();
	face_pcs[kind] = current_pc();
	/* A user's pretty-printer that called a function, from within a command of ours. */
	stop = p3_gdb_busy() || hit(kind, mode < 0 ? 0 : (uint32_t)mode);
	p3_gdb_clear();
	return PyLong_FromLong(stop);
}

/* gdb asks at each hit of an internal breakpoint: True stops, False goes on. */
static PyObject *follow(PyObject *self, PyObject *args)
{
	/* of the subclass: the kind, and the condition of the user's */
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT first = PySequence_GetItem(self, 0);
	P3_OBJECT second = PySequence_GetItem(self, 1);
	enum p3_stop kind = first ? (enum p3_stop)PyLong_AsLong(first) : P3_STOP_PANIC;
	uint32_t mode = 0;
	P3_OBJECT face = find_face(kind, p3_gdb_text(arena, second), &mode);
	/* gdb asks in the order in which breakpoints were made: the user's was asked before, if
	 * it is at this place, too, and has an ignore count of its own. */
	bool stop = face && current_pc() != face_pcs[kind] && (p3_gdb_busy() || hit(kind, mode));

	(void)args;
	p3_gdb_clear();
	return PyBool_FromLong(stop);
}

static PyMethodDef invoke_methods[] = {
	{ "invoke", invoke, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};
static PyMethodDef follow_methods[] = {
	{ "stop", follow, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

/* The internal breakpoints of each kind, by the place they are at. */
static PyObject *followers[P3_STOPS];

/* The `commands` of the user's breakpoint are those of the internal ones. */
static void copy_commands(PyObject *from, PyObject *to)
{
	P3_OBJECT commands = PyObject_GetAttrString(from, "commands");
	P3_OBJECT all = to ? PyDict_Values(to) : NULL;
	Py_ssize_t count = all && commands ? PyObject_Size(all) : 0, i;

	for (i = 0; i < count; i++) {
		P3_OBJECT other = PySequence_GetItem(all, i);

		(void)PyObject_SetAttrString(other, "commands", commands);
		p3_gdb_clear();
	}
	p3_gdb_clear();
}

static PyObject *on_modified(PyObject *self, PyObject *changed)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	enum p3_stop stop;

	(void)self;
	for (stop = 0; stop < P3_STOPS; stop++)
		if (face_condition(arena, changed, stop))
			copy_commands(changed, followers[stop]);
	Py_RETURN_NONE;
}
static PyMethodDef on_modified_method = { "pyo3_gdb_modified", on_modified, METH_O, NULL };

static bool define(enum p3_stop stop)
{
	const struct p3_stop_kind *kind = &p3_stop_kinds[stop];
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Function");
	P3_OBJECT self = PyLong_FromLong(stop);
	P3_OBJECT type = base && self ? p3_gdb_subclass("Pyo3Function", base, kind->help,
							invoke_methods, self)
				      : NULL;
	P3_OBJECT made = type ? PyObject_CallFunction(type, "s", kind->function) : NULL;

	return made != NULL;
}

bool p3_gdb_define_functions(void)
{
	enum p3_stop stop;

	for (stop = 0; stop < P3_STOPS; stop++)
		if (!define(stop))
			return false;
	return p3_gdb_connect("stop", &on_stop_method) &&
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
static int64_t find_equal(enum p3_stop stop, const char *wanted)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT all = breakpoints();
	Py_ssize_t count = all ? PyObject_Size(all) : 0, i;
	int64_t number = 0;

	for (i = 0; i < count && !number; i++) {
		P3_OBJECT breakpoint = PySequence_GetItem(all, i);
		const char *condition = breakpoint ? face_condition(arena, breakpoint, stop) : NULL;

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
static struct p3_error *set_visible(enum p3_stop stop, const char *spec, const char *condition)
{
	P3_OBJECT command = PyUnicode_FromFormat("with breakpoint pending on -- break %s if %s",
						 spec, condition);
	int64_t number = find_equal(stop, condition);
	P3_OBJECT done = NULL;

	if (number)
		return p3_error_new(P3_USAGE, "breakpoint %" PRId64 " does this already", number);
	done = command ? p3_gdb_call(p3_gdb(), "execute", "(O)", command) : NULL;
	if (!done)
		return p3_gdb_error("setting a breakpoint");
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

static bool resolves(const char *spec)
{
	P3_OBJECT place = p3_gdb_call(p3_gdb(), "decode_line", "(s)", spec);
	P3_OBJECT found = place ? PySequence_GetItem(place, 1) : NULL;
	bool yes = found && found != Py_None;

	p3_gdb_clear();
	return yes;
}

bool p3_gdb_resolves(void *context, const char *spec)
{
	(void)context;
	return resolves(spec);
}

const char *const *p3_gdb_files(void *context, struct p3_arena *arena, size_t *count_ret)
{
	P3_OBJECT objfiles = p3_gdb_call(p3_gdb(), "objfiles", "()");
	Py_ssize_t count = objfiles ? PyObject_Size(objfiles) : 0, i;
	const char **files = p3_arena_take(arena, (size_t)(count > 0 ? count : 1) * sizeof(*files));

	(void)context;
	*count_ret = 0;
	for (i = 0; i < count; i++) {
		P3_OBJECT objfile = PySequence_GetItem(objfiles, i);
		const char *file =
			p3_gdb_local_path(p3_gdb_attribute_text(arena, objfile, "filename"));

		if (file)
			files[(*count_ret)++] = file;
	}
	p3_gdb_clear();
	return files;
}

static struct p3_error *set_internal(enum p3_stop stop, const char *spec, const char *condition)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *key = p3_arena_printf(arena, "%s %s", spec, condition ? condition : "");
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Breakpoint");
	P3_OBJECT type = NULL;
	P3_OBJECT none = PyTuple_New(0);
	P3_OBJECT options = NULL;
	P3_OBJECT self = Py_BuildValue("(iz)", (int)stop, condition);
	P3_OBJECT made = NULL;

	/* gdb would say so, of something that the user has not asked for */
	if (!resolves(spec))
		return p3_error_new(P3_NOT_FOUND, "there is no %s yet", spec);
	if (!followers[stop])
		followers[stop] = PyDict_New();
	if (followers[stop] && is_valid(PyDict_GetItemString(followers[stop], key)))
		return NULL;
	type = base ? p3_gdb_subclass("Pyo3Breakpoint", base, "Does as one of the user's.",
				      follow_methods, self)
		    : NULL;
	options = Py_BuildValue("{s:s,s:O}", "spec", spec, "internal", Py_True);
	made = type && none && options ? PyObject_Call(type, none, options) : NULL;
	if (!made || !followers[stop] || PyDict_SetItemString(followers[stop], key, made) < 0)
		return p3_gdb_error("setting a breakpoint");
	return NULL;
}

struct p3_error *p3_gdb_set_breakpoint(void *context, enum p3_stop stop, const char *spec,
				       const char *condition, bool internal)
{
	(void)context;
	if (internal)
		return set_internal(stop, spec, condition);
	if (!spec)
		spec = shows_hashes() ? "rust_panic" : "__rustc::rust_panic";
	return set_visible(stop, spec, condition);
}

void p3_gdb_loaded(const char *path)
{
	struct p3_command_context context = p3_gdb_context();
	struct p3_error *error = p3_stop_loaded(&context, path, NULL);

	if (error)
		say_error(error);
}
