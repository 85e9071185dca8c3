/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Folding: hide by role what says nothing about the user's program. Never the
 * innermost frame (unless it is the panic machinery, whose message is shown),
 * nor the one a signal interrupted, nor one with a note.
 */
#include <pyo3-gdb/stack.h>

#include <string.h>

static bool is_rust(const struct p3_frame *frame)
{
	return frame->language && !strcmp(frame->language, "rust");
}

/* A Rust function directly above its wrapper is the one Python called. */
static void name_entries(struct p3_stack *stack)
{
	size_t i;

	for (i = 0; i < stack->count; i++) {
		struct p3_frame *wrapper = &stack->items[i];
		struct p3_frame *inner = i ? &stack->items[i - 1] : NULL;

		if (wrapper->role != P3_ROLE_WRAPPER)
			continue;
		if (inner && is_rust(inner) && !inner->python_name &&
		    (inner->role == P3_ROLE_USER || inner->role == P3_ROLE_DEPENDENCY)) {
			inner->python_name = wrapper->python_name;
			wrapper->python_name = NULL;
		} else {
			/* The function itself left no frame: the wrapper stands for it. */
			wrapper->folded = false;
		}
	}
}

void p3_fold(struct p3_stack *stack)
{
	bool shown = false;
	size_t i;

	for (i = 0; i < stack->count; i++) {
		struct p3_frame *frame = &stack->items[i];
		bool interrupted = i > 0 && stack->items[i - 1].role == P3_ROLE_SIGNAL;
		bool innermost = i == 0 && frame->role != P3_ROLE_PANIC;

		frame->folded =
			p3_role_is_glue(frame->role) && !frame->note && !interrupted && !innermost;
	}
	name_entries(stack);
	for (i = 0; i < stack->count; i++)
		shown |= !stack->items[i].folded;
	if (!shown && stack->count)
		stack->items[0].folded = false;
}
