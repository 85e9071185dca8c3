/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Who has borrowed an object of Rust's: guards in the frames of all threads have its address.
 * Where there is no DWARF, a call that it is part of, and that has not returned. Source: PyO3
 * src/pycell.rs, src/pyclass/guard.rs (0.20 to 0.30).
 */
#include "stack_private.h"

#include <string.h>

enum { MAX_FRAMES = 400 }; /* of a thread, looked at */

static bool is_guard(struct p3_target *target, const struct p3_frame_variable *variable,
		     uint64_t object)
{
	static const char *const guards[] = { "PyRef<", "PyRefMut<", "PyClassGuard<",
					      "PyClassGuardMut<" };
	const char *type = variable->value.type ? variable->value.type->name : NULL;
	uint64_t words[2] = { 0 };
	struct p3_error *error;
	size_t i;

	for (i = 0; type && i < sizeof(guards) / sizeof(*guards); i++)
		if (strstr(type, guards[i]))
			break;
	if (!type || i == sizeof(guards) / sizeof(*guards) || variable->absent)
		return false;
	error = p3_value_read(target, &variable->value, 0, words,
			      variable->value.type->size < 16 ? 8 : 16);
	p3_error_free(error);
	return !error && (words[0] == object || words[1] == object);
}

static const char *find_guard(struct p3_session *session, const struct p3_stack *stack,
			      const struct p3_frame *frame, uint64_t object)
{
	struct p3_frame_variables variables = { 0 };
	size_t i;

	p3_session_rust_variables(session, stack, frame, &variables);
	for (i = 0; i < variables.count; i++)
		if (is_guard(p3_session_target(session), &variables.items[i], object))
			return variables.items[i].name;
	return NULL;
}

/* On one thread; `own`: it is the one that wants it, too. A guard is better than a call. */
static void look_at(struct p3_session *session, const struct p3_snapshot_thread *thread, bool own,
		    uint64_t object, struct p3_borrower *ret)
{
	const struct p3_frame *rust = NULL;
	struct p3_stack stack = { 0 };
	size_t i;

	p3_session_stack(session, thread, &stack);
	for (i = 0; i < stack.count && i < MAX_FRAMES; i++) {
		const struct p3_frame *frame = &stack.items[i];
		const char *guard = find_guard(session, &stack, frame, object);

		if (guard) {
			/* What PyO3 has generated holds it for the user's function. */
			*ret = (struct p3_borrower){
				thread, rust && frame->role == P3_ROLE_WRAPPER ? rust : frame, guard
			};
			return;
		}
		if (frame->py) {
			if (rust && !own && !ret->thread &&
			    p3_py_has_operand(frame->py, frame->python, object))
				*ret = (struct p3_borrower){ thread, rust, NULL };
			own = false; /* further out are other calls */
			rust = NULL;
		} else if (frame->function &&
			   (p3_frame_is_user(frame) || (!rust && frame->role == P3_ROLE_WRAPPER))) {
			rust = frame;
		}
	}
}

void p3_session_borrower(struct p3_session *session, const struct p3_snapshot *snapshot,
			 uint64_t object, struct p3_borrower *ret)
{
	size_t i;

	*ret = (struct p3_borrower){ 0 };
	for (i = 0; i < snapshot->threads.count && !ret->guard; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];

		look_at(session, thread, thread->thread.selected, object, ret);
	}
}
