/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Merge: put each Python segment in the place of the native frame on whose
 * stack its key lies. A merge of two lists sorted by address; equal counts, the
 * names of functions and the order of thread states do not matter
 * (facts/cpython.md 3.5). Segments that no native frame holds go where their
 * address belongs, with a note.
 */
#include <pyo3-gdb/stack.h>

#include <stdlib.h>
#include <string.h>

struct placed {
	const struct p3_py_segment *segment;
	struct p3_py *py;
	uint64_t key; /* UINT64_MAX: unknown, which sorts last */
	size_t order; /* keeps segments without a key in their order */
};

static int compare_keys(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* All segments of the thread's thread states, by stack address. */
static struct placed *sort_segments(struct p3_arena *arena, const struct p3_snapshot_thread *thread,
				    size_t *count_ret)
{
	struct placed *placed;
	size_t i, j, count = 0;

	for (i = 0; i < thread->python.count; i++)
		count += thread->python.items[i].thread.count;
	placed = p3_arena_take(arena, (count + 1) * sizeof(*placed));
	*count_ret = count;
	for (count = 0, i = 0; i < thread->python.count; i++) {
		const struct p3_snapshot_python *python = &thread->python.items[i];

		for (j = 0; j < python->thread.count; j++, count++) {
			const struct p3_py_segment *segment = &python->thread.items[j];

			placed[count] =
				(struct placed){ segment, python->py,
						 segment->key ? segment->key : UINT64_MAX, count };
		}
	}
	if (count)
		qsort(placed, count, sizeof(*placed), compare_keys);
	return placed;
}

static void add_native(struct p3_arena *arena, const struct p3_snapshot_frame *native,
		       enum p3_role role, const char *note, struct p3_stack *stack)
{
	struct p3_frame *frame = p3_list_add(arena, stack);

	frame->has_level = true;
	frame->level = native->native.level;
	frame->language = native->language;
	frame->role = role;
	frame->function = native->function;
	frame->python_name = native->wraps;
	frame->file = native->native.file;
	frame->line = native->native.line;
	frame->pc = native->native.pc;
	frame->module = native->module
				? native->module->path ? native->module->path : native->module->name
				: NULL;
	frame->inlined = native->native.kind == P3_FRAME_INLINE;
	frame->note = note;
}

/* `eval`, or NULL: no native frame was found for them. */
static void add_segment(struct p3_arena *arena, const struct placed *placed,
			const struct p3_snapshot_frame *eval, uint32_t *sub, struct p3_stack *stack)
{
	size_t i;

	for (i = 0; i < placed->segment->count; i++) {
		const struct p3_py_frame *python = &placed->segment->items[i];
		struct p3_frame *frame = p3_list_add(arena, stack);

		frame->has_level = eval != NULL;
		frame->level = eval ? eval->native.level : 0;
		frame->sub = (*sub)++;
		frame->language = "python";
		frame->role = P3_ROLE_USER;
		frame->function = python->function;
		frame->file = python->file;
		frame->line = python->line;
		frame->note = eval ? NULL : "its native frame was not found";
		frame->py = placed->py;
		frame->python = python;
	}
}

static bool is_eval_name(const char *name)
{
	static const char eval[] = "_PyEval_EvalFrameDefault";

	return name && !strncmp(name, eval, sizeof(eval) - 1);
}

/* Which frame of a physical one runs the loop: it may be inlined into its caller. */
static size_t find_eval(const struct p3_snapshot_thread *thread, size_t first, size_t last)
{
	size_t i;

	for (i = first; i < last; i++)
		if (is_eval_name(thread->frames.items[i].native.name))
			return i;
	return last;
}

void p3_merge(struct p3_arena *arena, const struct p3_snapshot_thread *thread, struct p3_stack *ret)
{
	struct p3_stack stack = { .thread = thread };
	size_t count, next = 0, first, last, i;
	struct placed *placed = sort_segments(arena, thread, &count);
	uint32_t sub = 0;

	for (first = 0; first < thread->frames.count; first = last + 1) {
		const struct p3_snapshot_frame *frames = thread->frames.items;
		uint32_t group = frames[first].native.group;
		uint64_t sp, cfa;
		size_t eval = SIZE_MAX, segments = next;

		for (last = first;
		     last + 1 < thread->frames.count && frames[last + 1].native.group == group;)
			last++;
		sp = frames[last].native.sp;
		cfa = frames[last].native.cfa;
		/* Below this frame's stack: the frames that hold them were not unwound. */
		for (sub = 0; sp && cfa > sp && next < count && placed[next].key < sp; next++)
			add_segment(arena, &placed[next], NULL, &sub, &stack);
		segments = next;
		while (next < count && sp && placed[next].key >= sp && placed[next].key < cfa)
			next++;
		if (segments < next)
			eval = find_eval(thread, first, last);
		for (i = first; i <= last; i++) {
			enum p3_role role = frames[i].role;
			const char *note = NULL;

			if (i == eval) {
				role = P3_ROLE_EVAL;
				for (sub = 0; segments < next; segments++)
					add_segment(arena, &placed[segments], &frames[i], &sub,
						    &stack);
				if (!sub)
					note = "entering or leaving a Python frame";
			} else if (role == P3_ROLE_CPYTHON && thread->python.count &&
				   is_eval_name(frames[i].native.name)) {
				role = P3_ROLE_EVAL;
				note = "entering or leaving a Python frame";
			}
			add_native(arena, &frames[i], role, note, &stack);
		}
	}
	for (sub = 0; next < count; next++)
		add_segment(arena, &placed[next], NULL, &sub, &stack);
	stack.ended = thread->native_ended;
	*ret = stack;
}
