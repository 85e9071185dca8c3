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

/* ---- repetition ---- */

enum {
	MAX_PERIOD = 200, /* frames of one round of a recursion */
	MIN_TIMES = 4,	  /* rounds in a row worth a line that counts them */
};

static uint32_t hash_text(uint32_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x01000193u; /* FNV-1a */
	return hash;
}

/* What two frames have in common when they are the same but for level and values. */
static uint32_t frame_hash(const struct p3_frame *frame)
{
	uint32_t hash = hash_text(hash_text(0x811c9dc5u, frame->function), frame->file);

	return (hash ^ frame->line ^ (uint32_t)frame->role << 24 ^ (uint32_t)frame->folded << 30) *
	       0x01000193u;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The same function, from the same line: pcs may differ, levels and values do. */
static bool same_frame(const struct p3_frame *a, const struct p3_frame *b)
{
	return a->line == b->line && a->role == b->role && a->folded == b->folded &&
	       same_text(a->function, b->function) && same_text(a->file, b->file) && !a->note &&
	       !b->note && (a->function || a->pc == b->pc);
}

/* The frames that are shown, and their hashes. */
struct shown {
	size_t *at; /* indexes into the stack */
	uint32_t *hashes;
	size_t count;
};

/* How many rounds of this period stand at the shown frame `first`. */
static size_t count_rounds(const struct p3_stack *stack, const struct shown *shown, size_t first,
			   size_t period)
{
	size_t i = first + period;

	while (i < shown->count && shown->hashes[i] == shown->hashes[i - period] &&
	       same_frame(&stack->items[shown->at[i]], &stack->items[shown->at[i - period]]))
		i++;
	return (i - first) / period;
}

static void mark_run(struct p3_stack *stack, const struct shown *shown, size_t first, size_t period,
		     size_t times)
{
	struct p3_frame *frame = &stack->items[shown->at[first]];
	size_t end = first + period * times;

	frame->period = (uint32_t)period;
	frame->times = (uint32_t)times;
	frame->round_end = shown->at[first + period];
	/* The glue behind the last round stays visible. */
	frame->run_end = shown->at[end - 1] + 1;
}

static void find_repeats(struct p3_arena *arena, struct p3_stack *stack)
{
	struct shown shown = { 0 };
	size_t i, period;

	shown.at = p3_arena_take(arena, (stack->count + 1) * sizeof(*shown.at));
	shown.hashes = p3_arena_take(arena, (stack->count + 1) * sizeof(*shown.hashes));
	for (i = 0; i < stack->count; i++) {
		stack->items[i].times = 0;
		if (stack->items[i].folded)
			continue;
		shown.at[shown.count] = i;
		shown.hashes[shown.count++] = frame_hash(&stack->items[i]);
	}
	for (i = 0; i < shown.count; i++) {
		for (period = 1; period <= MAX_PERIOD && i + period < shown.count; period++) {
			size_t times = shown.hashes[i] == shown.hashes[i + period]
					       ? count_rounds(stack, &shown, i, period)
					       : 0;

			if (times < MIN_TIMES)
				continue;
			mark_run(stack, &shown, i, period, times);
			i += period * times - 1;
			break;
		}
	}
}

void p3_fold(struct p3_arena *arena, struct p3_stack *stack)
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
	find_repeats(arena, stack);
}
