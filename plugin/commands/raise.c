/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break-exception: where Rust hands a Python exception back. PyO3 gives it to one of three
 * functions of CPython, by the kind of PyErr and the version; who has called it tells whether it
 * is Rust's, in stripped modules, too. Source: PyO3 src/err/err_state.rs (0.20 to 0.30).
 */
#include "commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TYPES = 16 };

/* One debugger, one of these: the TYPE of each pyo3-break-exception; NULL: any. */
static struct {
	char *types[MAX_TYPES];
	uint32_t count;
} wanted;

static const char *const functions[] = { "PyErr_SetObject", "PyErr_SetRaisedException",
					 "PyErr_Restore" };

struct p3_error *p3_raise_loaded(struct p3_command_context *context)
{
	size_t i;

	for (i = 1; wanted.count && i < sizeof(functions) / sizeof(*functions); i++)
		P3_TRY(p3_stop_follow(context, P3_STOP_EXCEPTION, functions[i], NULL));
	return NULL;
}

struct p3_error *p3_raise_set(struct p3_command_context *context, enum p3_stop stop,
			      const char *condition)
{
	return context->actions->breakpoint(context->actions_context, stop, functions[0], condition,
					    false);
}

struct p3_error *p3_command_break_exception(struct p3_command_context *context, char **words,
					    size_t count)
{
	const char *type = count ? words[0] : NULL;
	char condition[40];
	uint32_t i;

	if (!context->actions->breakpoint)
		return p3_error_new(P3_USAGE, "a capture cannot be run");
	if (count > 1)
		return p3_error_hint(p3_error_new(P3_USAGE, "pyo3-break-exception: one type only"),
				     "usage: pyo3-break-exception [TYPE]");
	for (i = 0; i < wanted.count; i++)
		if (type && wanted.types[i] ? !strcmp(type, wanted.types[i])
					    : !type && !wanted.types[i])
			break;
	if (i == MAX_TYPES)
		return p3_error_new(P3_USAGE, "there are %d kinds of pyo3-break-exception already",
				    MAX_TYPES);
	if (i == wanted.count)
		wanted.types[wanted.count++] = type ? strdup(type) : NULL;
	snprintf(condition, sizeof(condition), "$_pyo3_exception(%" PRIu32 ")", i);
	P3_TRY(p3_raise_set(context, P3_STOP_EXCEPTION, condition));
	P3_TRY(p3_raise_loaded(context)); /* a program that is loaded, but does not run yet */
	return p3_stop_arm(context, 0);
}

/*
 * Where on the stack the return address is, at a pc that is stopped at: the debugger may have
 * skipped a prologue. So that nothing is unwound at the thousands of exceptions that C raises.
 */
static struct {
	uint64_t pc, offset; /* from the stack pointer on */
} known[8];
static size_t known_count;

static void learn(const struct p3_snapshot_thread *thread)
{
	const struct p3_native_frame *frame = &thread->frames.items[0].native;
	size_t at = known_count++ % (sizeof(known) / sizeof(*known));

	known[at].pc = frame->pc;
	known[at].offset = frame->cfa - 8 - frame->sp;
}

/* Has other code than Rust's called the function the selected thread is in, for certain? */
static bool is_from_elsewhere(struct p3_command_context *context,
			      const struct p3_snapshot *snapshot)
{
	static const char *const names[] = { "rip", "rsp" };
	struct p3_target *target = p3_session_target(context->session);
	const struct p3_file_facts *facts;
	struct p3_module *module;
	const struct p3_thread *threads;
	uint64_t registers[2] = { 0 }, address = 0;
	struct p3_error *error;
	size_t count = 0, i;

	error = p3_target_threads(target, &threads, &count);
	for (i = 0; !error && i < count; i++)
		if (threads[i].selected)
			error = p3_target_registers(target, threads[i].number, names, 2, registers);
	for (i = 0; !error && i < sizeof(known) / sizeof(*known); i++)
		if (registers[0] && known[i].pc == registers[0])
			error = p3_read_u64(target, registers[1] + known[i].offset, &address);
	p3_error_free(error);
	module = error ? NULL : p3_modules_at(&snapshot->modules, address);
	facts = module ? p3_session_facts(context->session, module) : NULL;
	return facts && !facts->rust;
}

/* Does the exception leave Rust here? User code that raises one itself, or that makes it
 * from its parts, has a frame of its own between this and the wrapper. */
static bool is_handed_back(const struct p3_snapshot_thread *thread)
{
	size_t i;

	for (i = 1; i < thread->frames.count; i++) {
		const struct p3_snapshot_frame *frame = &thread->frames.items[i];

		if (!frame->module || !frame->module->facts || !frame->module->facts->rust ||
		    frame->module->facts->tier == P3_TIER_STRIPPED ||
		    frame->role == P3_ROLE_ENTRY || frame->role == P3_ROLE_WRAPPER)
			return true;
		if (frame->role == P3_ROLE_USER || frame->role == P3_ROLE_DEPENDENCY)
			return false;
	}
	return true;
}

static bool is_raise(const char *function)
{
	size_t i;

	for (i = 0; function && i < sizeof(functions) / sizeof(*functions); i++)
		if (!strcmp(function, functions[i]))
			return true;
	return false;
}

struct p3_error *p3_raise_find(struct p3_command_context *context, struct p3_raised *ret)
{
	const struct p3_snapshot *snapshot;
	const struct p3_snapshot_thread *thread;
	struct p3_raised raised = { 0 };
	uint64_t arguments[2];
	struct p3_py *py;

	*ret = raised;
	P3_TRY(p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot));
	if (is_from_elsewhere(context, snapshot))
		return NULL;
	P3_TRY(p3_stop_thread(context, &thread));
	if (!is_raise(thread->frames.items[0].function) || thread->frames.count < 2)
		return NULL;
	learn(thread);
	raised.module = thread->frames.items[1].module;
	if (!raised.module || !raised.module->facts || !raised.module->facts->rust)
		return NULL;
	if (!thread->python.count || !is_handed_back(thread))
		return NULL;
	py = thread->python.items[0].py;
	P3_TRY(p3_stop_arguments(context, thread->thread.number, arguments));
	raised.thread = thread;
	if (p3_py_is_exception(py, arguments[0])) {
		raised.value = arguments[0];
		raised.type = p3_py_type_of(py, raised.value);
	} else {
		raised.type = arguments[0];
		raised.value = arguments[1];
	}
	*ret = raised;
	return NULL;
}

void p3_raise_write(const struct p3_raised *raised, struct p3_text *text)
{
	struct p3_py *py = raised->thread->python.items[0].py;
	bool aggregate, instance = raised->value && p3_py_is_exception(py, raised->value);

	if (!instance) {
		p3_error_free(p3_py_type_name(py, raised->type, text));
		p3_text_add(text, "(");
	}
	if (raised->value)
		p3_py_format(py, raised->value, false, text, &aggregate);
	if (!instance)
		p3_text_add(text, ")");
}

/* Where Rust was called from. */
static uint64_t find_call(const struct p3_snapshot_thread *thread)
{
	size_t i;

	for (i = 1; i < thread->frames.count; i++) {
		const struct p3_module *module = thread->frames.items[i].module;

		if (!module || !module->facts || !module->facts->rust)
			return thread->frames.items[i].native.sp;
	}
	return 0;
}

/*
 * A PyErr that was not made yet is set, taken, and set again as an instance: one exception, by two
 * functions, in one call.
 */
static bool is_said(const struct p3_raised *raised, const char *text)
{
	static struct {
		int64_t lwp;
		uint64_t call;
		char *text;
	} last;
	uint64_t call = find_call(raised->thread);
	bool first = !strcmp(raised->thread->frames.items[0].function, functions[0]);
	bool said = !first && last.text && last.lwp == raised->thread->thread.lwp &&
		    last.call == call && !strcmp(last.text, text);

	free(last.text);
	last.lwp = raised->thread->thread.lwp;
	last.call = call;
	last.text = first ? strdup(text) : NULL;
	return said;
}

struct p3_error *p3_exception_hit(struct p3_command_context *context, uint32_t mode, bool *stop_ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text exception P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *type = mode < wanted.count ? wanted.types[mode] : NULL;
	struct p3_raised raised;

	*stop_ret = false;
	P3_TRY(p3_raise_find(context, &raised));
	if (!raised.thread ||
	    (type && !p3_py_is_subclass(raised.thread->python.items[0].py, raised.type, type)))
		return NULL;
	p3_raise_write(&raised, &exception);
	if (is_said(&raised, p3_text_string(&exception)))
		return NULL;
	*stop_ret = true;
	p3_text_printf(&text, "\nRust raises %s", p3_text_string(&exception));
	p3_text_add(&text, "\n  in ");
	p3_text_add_safe(&text, p3_base_name(raised.module->name),
			 strlen(p3_base_name(raised.module->name)), 0);
	p3_text_add(&text, "\n");
	return p3_stop_show(context, &text);
}
