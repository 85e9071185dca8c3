/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break-panic: a breakpoint on rust_panic(), where every panic that
 * unwinds or aborts passes with its message made. gdb resolves the name in each
 * module, with both manglings, as modules come and go; the name was plain up to
 * rustc 1.86 and is __rustc::rust_panic from 1.87 on (facts/users.md 2.2).
 */
#include "gdb.h"

#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <string.h>

enum { CALLERS = 12 }; /* frames above rust_panic() that can tell a resumed panic */

static PyObject *breakpoint;

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
		PyObject *older = p3_gdb_call(frame, "older", "()");
		P3_OBJECT name = p3_gdb_call(frame, "name", "()");
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

/* gdb asks at each hit: True stops, False goes on. */
static PyObject *stop(PyObject *self, PyObject *args)
{
	struct p3_command_context context = p3_gdb_context();
	struct p3_target *target = p3_session_target(context.session);
	P3_OBJECT frame = p3_gdb_call(p3_gdb(), "newest_frame", "()");
	struct p3_panic panic = { 0 };
	struct p3_error *error = NULL;
	uint64_t data = 0, vtable = 0, sp, stack_end;
	size_t i;

	(void)self;
	(void)args;
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
	p3_gdb_clear();
	Py_RETURN_TRUE;
}

static PyMethodDef methods[] = {
	{ "stop", stop, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

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
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Breakpoint");
	P3_OBJECT type = NULL;
	P3_OBJECT valid = breakpoint ? p3_gdb_call(breakpoint, "is_valid", "()") : NULL;

	(void)context;
	if (valid == Py_True) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_printf(&text, "Breakpoint %lld stops at Rust panics already.\n",
			       (long long)p3_gdb_attribute_number(breakpoint, "number", 0));
		return p3_gdb_write(p3_text_string(&text));
	}
	p3_gdb_clear();
	Py_CLEAR(breakpoint);
	type = base ? p3_gdb_subclass("PanicBreakpoint", base, "Stops at Rust panics.", methods,
				      NULL)
		    : NULL;
	breakpoint = type ? PyObject_CallFunction(type, "s", "rust_panic") : NULL;
	if (!breakpoint)
		return p3_gdb_error("setting a breakpoint on rust_panic");
	return warn_of_stripped();
}
