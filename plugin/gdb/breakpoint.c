/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break-panic: a breakpoint on rust_panic(), where every panic that
 * unwinds or aborts passes with its message made. gdb resolves the name in each
 * module as modules come and go. The name was plain up to rustc 1.86, and is
 * __rustc::rust_panic from 1.87 on (facts/users.md 2.2). gdb 13 demangles that
 * with a crate hash, and finds both by "rust_panic"; newer ones without, and
 * find each by its own name alone: then a second, internal breakpoint follows
 * the first, which the user sees.
 */
#include "gdb.h"

#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <string.h>

enum { CALLERS = 12 }; /* frames above rust_panic() that can tell a resumed panic */

/* The one the user sees, and the one for the other name; NULL: none. */
static PyObject *breakpoint, *follower;

/* The first two integer arguments of a function, at its start. */
static const struct {
	const char *data, *vtable;
} argument_registers[] = { { "rdi", "rsi" }, { "x0", "x1" } };

/* What the frames above rust_panic() say: the stack of its caller, and a resume. */
static bool look_at_callers(PyObject *newest, uint64_t *sp, uint64_t *stack_end)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	PyObject *frame = newest;
	bool resumed = false;
	int i;

	*sp = *stack_end = p3_gdb_register(newest, "sp");
	Py_INCREF(frame);
	for (i = 0; i < CALLERS && frame && frame != Py_None; i++) {
		P3_OBJECT name = p3_gdb_call(frame, "name", "()");
		PyObject *older = name ? p3_gdb_call(frame, "older", "()") : NULL;
		const char *text = p3_gdb_text(arena, name);

		if (i == 2)
			*stack_end = p3_gdb_register(frame, "sp");
		resumed |= text && p3_rust_resumes(text);
		Py_DECREF(frame);
		frame = older;
	}
	Py_XDECREF(frame);
	p3_gdb_clear();
	return resumed;
}

static void say(const struct p3_panic *panic, const struct p3_error *error)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_error *ignored;

	p3_text_add(&text, "\nRust panic");
	if (error)
		p3_text_printf(&text, " (its message cannot be read: %s)", error->message);
	else if (panic->message)
		p3_text_printf(&text, ": %s", panic->message);
	else
		p3_text_add(&text, " with a payload that is no string");
	if (!error && panic->file)
		p3_text_printf(&text, "\n  at %s:%" PRIu32 ":%" PRIu32, panic->file, panic->line,
			       panic->column);
	p3_text_add(&text, "\n");
	ignored = p3_gdb_write(p3_text_string(&text));
	p3_error_free(ignored);
}

static PyObject *handle_hit(void)
{
	struct p3_command_context context = p3_gdb_context();
	struct p3_target *target = p3_session_target(context.session);
	P3_OBJECT frame = p3_gdb_call(p3_gdb(), "newest_frame", "()");
	struct p3_panic panic = { 0 };
	struct p3_error *error = NULL;
	uint64_t data = 0, vtable = 0, sp, stack_end;
	size_t i;

	p3_gdb_clear();
	if (!frame)
		Py_RETURN_TRUE;
	for (i = 0; i < sizeof(argument_registers) / sizeof(*argument_registers) && !data; i++) {
		data = p3_gdb_register(frame, argument_registers[i].data);
		vtable = p3_gdb_register(frame, argument_registers[i].vtable);
	}
	if (look_at_callers(frame, &sp, &stack_end))
		Py_RETURN_FALSE;
	error = p3_rust_panic(target, p3_target_arena(target), data, vtable, sp, stack_end, &panic);
	if (!error && panic.kind == P3_PANIC_RESUMED)
		Py_RETURN_FALSE;
	say(&panic, error);
	p3_error_free(error);
	Py_RETURN_TRUE;
}

/* gdb asks at each hit: True stops, False goes on. */
static PyObject *stop(PyObject *self, PyObject *args)
{
	PyObject *answer;

	(void)self;
	(void)args;
	/* A user's pretty-printer that called a function, from within a command of ours. */
	if (p3_gdb_busy())
		Py_RETURN_TRUE;
	answer = handle_hit();
	p3_gdb_host_forget();
	p3_gdb_clear();
	return answer;
}

static bool is_valid(PyObject *object)
{
	P3_OBJECT valid = object ? p3_gdb_call(object, "is_valid", "()") : NULL;

	p3_gdb_clear();
	return valid == Py_True;
}

/* The follower does as the user's breakpoint would: deleted or disabled, neither stops. */
static PyObject *follow(PyObject *self, PyObject *args)
{
	P3_OBJECT enabled =
		is_valid(breakpoint) ? PyObject_GetAttrString(breakpoint, "enabled") : NULL;

	p3_gdb_clear();
	if (enabled != Py_True)
		Py_RETURN_FALSE;
	return stop(self, args);
}

static PyMethodDef methods[] = {
	{ "stop", stop, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};
static PyMethodDef follower_methods[] = {
	{ "stop", follow, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

/* Does this gdb demangle v0 names with crate hashes? */
static bool shows_hashes(void)
{
	P3_OBJECT output =
		p3_gdb_output_of("demangle -l rust -- _RNvCs3XEF1nXgZqC_7___rustc10rust_panic");
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	const char *text = p3_gdb_text(arena, output);

	return text && strchr(text, '[');
}

static PyObject *make(PyMethodDef *with, const char *name, bool internal)
{
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Breakpoint");
	P3_OBJECT type =
		base ? p3_gdb_subclass("PanicBreakpoint", base, "Stops at Rust panics.", with, NULL)
		     : NULL;
	P3_OBJECT none = PyTuple_New(0);
	P3_OBJECT options =
		Py_BuildValue("{s:s,s:O}", "spec", name, "internal", internal ? Py_True : Py_False);

	return type && none && options ? PyObject_Call(type, none, options) : NULL;
}

/* Rust modules whose panics this breakpoint cannot see, one line each. */
static struct p3_error *warn_of_stripped(void)
{
	struct p3_command_context context = p3_gdb_context();
	const struct p3_snapshot *snapshot;
	struct p3_error *error = p3_session_snapshot(context.session, P3_NO_THREADS, &snapshot);
	size_t i;

	if (error) { /* no process yet */
		p3_error_free(error);
		return NULL;
	}
	for (i = 0; i < snapshot->modules.count; i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		struct p3_module *module = &snapshot->modules.items[i];
		const struct p3_file_facts *facts = p3_session_facts(context.session, module);

		if (!facts || !facts->rust || facts->tier != P3_TIER_STRIPPED)
			continue;
		p3_text_printf(&text, "warning: %s is stripped: panics in it are not stopped at\n",
			       module->name);
		P3_TRY(p3_gdb_write(p3_text_string(&text)));
	}
	return NULL;
}

struct p3_error *p3_gdb_break_panic(void *context)
{
	bool both = !shows_hashes();

	(void)context;
	if (is_valid(breakpoint)) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_printf(&text, "Breakpoint %lld stops at Rust panics already.\n",
			       (long long)p3_gdb_attribute_number(breakpoint, "number", 0));
		return p3_gdb_write(p3_text_string(&text));
	}
	Py_CLEAR(breakpoint);
	breakpoint = make(methods, both ? "__rustc::rust_panic" : "rust_panic", false);
	if (!breakpoint)
		return p3_gdb_error("setting a breakpoint on rust_panic");
	if (both && !is_valid(follower)) {
		Py_CLEAR(follower);
		follower = make(follower_methods, "rust_panic", true);
		p3_gdb_clear();
	}
	return warn_of_stripped();
}
