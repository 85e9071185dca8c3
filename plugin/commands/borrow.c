/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break-borrow: "Already borrowed" and "Already mutably borrowed", which are no panics: where
 * PyO3 makes the exception, or, in modules without that symbol, where it raises it. Which object it
 * is, is told by its class and flag, and who has borrowed it by guards in the frames of all
 * threads, or by calls with it. Source: PyO3 src/pycell.rs, src/pyclass/guard.rs (0.20 to 0.30).
 */
#include "commands.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_STACK = 65536 }; /* bytes looked at for the object */

struct p3_error *p3_command_break_borrow(struct p3_command_context *context, char **words,
					 size_t count)
{
	(void)words;
	if (!context->actions->breakpoint)
		return p3_error_new(P3_USAGE, "a capture cannot be run");
	P3_TRY(p3_command_no_arguments("pyo3-break-borrow", count));
	P3_TRY(p3_raise_set(context, P3_STOP_BORROW, "$_pyo3_borrow()"));
	return p3_stop_arm(context,
			   P3_POINT_BIT(P3_POINT_BORROW) | P3_POINT_BIT(P3_POINT_BORROW_MUT));
}

/* The conflict: `mut`: it was to be borrowed mutably. */
struct conflict {
	const struct p3_snapshot_thread *thread;
	struct p3_py *py;
	bool mut;
	uint64_t object; /* 0: not found */
	struct p3_py_pyclass pyclass;
};

/* What the three messages of PyO3 are of; P3_POINT_NONE: another exception. */
static enum p3_rust_point by_message(const struct p3_raised *raised)
{
	struct p3_py *py = raised->thread->python.items[0].py;
	const char *text = raised->value ? p3_py_string(py, raised->value) : "";

	return !strcmp(text, "Already borrowed")	   ? P3_POINT_BORROW_MUT
	       : !strcmp(text, "Already mutably borrowed") ? P3_POINT_BORROW
							   : P3_POINT_NONE;
}

/* P3_POINT_NONE: nothing to stop at. */
static struct p3_error *find_point(struct p3_command_context *context,
				   const struct p3_snapshot_thread **thread_ret,
				   enum p3_rust_point *ret)
{
	struct p3_raised raised;
	uint64_t entry = 0;
	const char *name;
	size_t i;

	*ret = P3_POINT_NONE;
	P3_TRY(p3_raise_find(context, &raised));
	if (raised.thread) {
		*thread_ret = raised.thread;
		*ret = by_message(&raised);
		/* It was stopped at before, where it was made. */
		if (raised.module->path && p3_stop_has_point(raised.module->path, *ret))
			*ret = P3_POINT_NONE;
		return NULL;
	}
	P3_TRY(p3_stop_thread(context, thread_ret));
	/* DWARF calls it `{impl#25}::from`: only the symbol says of what. */
	for (i = 0; i < (*thread_ret)->frames.count && !entry; i++)
		entry = (*thread_ret)->frames.items[i].native.entry;
	name = p3_session_symbol(context->session, (*thread_ret)->modules, entry);
	*ret = name ? p3_rust_point(name) : P3_POINT_NONE;
	if (*ret != P3_POINT_BORROW && *ret != P3_POINT_BORROW_MUT)
		*ret = P3_POINT_NONE;
	return NULL;
}

/* Is it the object: an instance of a Rust class, borrowed in a way that conflicts? */
static bool is_object(struct conflict *conflict, uint64_t word)
{
	struct p3_py_pyclass pyclass;

	if (word < 65536 || word % 8 ||
	    !p3_py_pyclass(conflict->py, word, conflict->thread->modules, &pyclass) ||
	    !pyclass.has_flag || !pyclass.flag ||
	    (!conflict->mut && pyclass.flag != P3_BORROWED_MUT))
		return false;
	conflict->object = word;
	conflict->pyclass = pyclass;
	return true;
}

/* In the registers, and on the stack between here and the interpreter. */
static void find_object(struct p3_command_context *context, struct conflict *conflict)
{
	static const char *const registers[] = { "rdi", "rsi", "rbx", "rbp",
						 "r12", "r13", "r14", "r15" };
	enum { COUNT = sizeof(registers) / sizeof(*registers) };
	struct p3_target *target = p3_session_target(context->session);
	uint64_t words[COUNT] = { 0 }, word, sp = conflict->thread->frames.items[0].native.sp, at,
		 end;
	size_t i;

	p3_error_free(p3_target_registers(target, conflict->thread->thread.number, registers, COUNT,
					  words));
	for (i = 0; i < COUNT; i++)
		if (is_object(conflict, words[i]))
			return;
	for (i = 0; i + 1 < conflict->thread->frames.count; i++)
		if (conflict->thread->frames.items[i].role == P3_ROLE_EVAL)
			break;
	end = conflict->thread->frames.items[i].native.sp;
	for (at = sp; at < end && at - sp < MAX_STACK; at += 8) {
		struct p3_error *error = p3_read_u64(target, at, &word);
		bool found = !error && is_object(conflict, word);

		p3_error_free(error);
		if (error || found)
			return;
	}
}

/* ---- what is said ---- */

static void add_holder(const struct p3_borrower *holder, struct p3_text *text)
{
	const struct p3_snapshot_thread *thread = holder->thread;

	if (!thread) {
		p3_text_add(text,
			    "  who has borrowed it is not known: no frame of any thread has a "
			    "guard of it\n");
		return;
	}
	p3_text_printf(text, "  %s by thread %" PRIu32, holder->guard ? "borrowed" : "probably",
		       thread->thread.number);
	if (thread->name) {
		p3_text_add(text, " \"");
		p3_text_add_safe(text, thread->name, strlen(thread->name), 0);
		p3_text_add(text, "\"");
	}
	p3_text_printf(text, " in %s", holder->frame->function);
	if (holder->frame->file) {
		p3_text_add(text, ", ");
		p3_text_add_safe(text, holder->frame->file, strlen(holder->frame->file), 0);
		p3_text_printf(text, ":%" PRIu32, holder->frame->line);
	}
	p3_text_printf(text, holder->guard ? " (guard `%s`)\n" : ", which was called with it\n",
		       holder->guard);
}

static struct p3_error *add_conflict(struct p3_command_context *context,
				     const struct conflict *conflict, struct p3_text *text)
{
	const struct p3_snapshot *snapshot;
	struct p3_borrower holder;
	bool aggregate;

	p3_text_printf(text, "\nPyO3: Already %sborrowed\n", conflict->mut ? "" : "mutably ");
	if (!conflict->object) {
		p3_text_add(text, "  the object was not found in registers or on the stack\n");
		return NULL;
	}
	p3_text_add(text, "  ");
	p3_py_format(conflict->py, conflict->object, false, text, &aggregate);
	if (conflict->pyclass.flag == P3_BORROWED_MUT)
		p3_text_add(text, ": borrowed mutably");
	else
		p3_text_printf(text, ": borrowed %" PRIu64 " time%s", conflict->pyclass.flag,
			       conflict->pyclass.flag == 1 ? "" : "s");
	p3_text_printf(text, ", wanted %s\n", conflict->mut ? "mutably" : "as shared");
	P3_TRY(p3_session_snapshot(context->session, P3_ALL_THREADS, &snapshot));
	p3_session_borrower(context->session, snapshot, conflict->object, &holder);
	add_holder(&holder, text);
	return NULL;
}

struct p3_error *p3_borrow_hit(struct p3_command_context *context, uint32_t mode, bool *stop_ret)
{
	const struct p3_snapshot_thread *thread;
	enum p3_rust_point point;

	(void)mode;
	*stop_ret = false;
	P3_TRY(find_point(context, &thread, &point));
	*stop_ret = point != P3_POINT_NONE && thread->python.count;
	return NULL;
}

struct p3_error *p3_borrow_stopped(struct p3_command_context *context)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct conflict conflict = { 0 };
	enum p3_rust_point point;

	P3_TRY(find_point(context, &conflict.thread, &point));
	if (point == P3_POINT_NONE || !conflict.thread->python.count)
		return NULL;
	conflict.py = conflict.thread->python.items[0].py;
	conflict.mut = point == P3_POINT_BORROW_MUT;
	find_object(context, &conflict);
	P3_TRY(add_conflict(context, &conflict, &text));
	return p3_stop_show(context, &text);
}
