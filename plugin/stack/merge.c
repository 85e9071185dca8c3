/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Merge: put each Python segment in the place of the native frame on whose
 * stack its key lies. A merge of two lists sorted by address; equal counts, the
 * names of functions and the order of thread states do not matter
 * (facts/cpython.md 3.5). Segments that no native frame holds go where their
 * address belongs, with a note. Up to 3.10 there are no addresses: one Python frame
 * is one call of the loop.
 */
#include <pyo3-gdb/stack.h>

#include <stdlib.h>
#include <string.h>

struct placed {
	const struct p3_py_segment *segment;
	struct p3_py *py;
	uint64_t key; /* UINT64_MAX: unknown, which sorts last */
	bool has_frame;
	size_t order; /* keeps segments without a key in their order */
};

static int compare_keys(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static bool is_eval_name(const char *name)
{
	static const char eval[] = "_PyEval_EvalFrameDefault";

	return name && !strncmp(name, eval, sizeof(eval) - 1);
}

/* The stack addresses of the native frames that run the loop, innermost first. */
struct evals {
	P3_LIST(uint64_t);
};

static void find_evals(struct p3_arena *arena, const struct p3_snapshot_thread *thread,
		       struct evals *ret)
{
	uint64_t last = 0;
	size_t i;

	for (i = 0; i < thread->frames.count; i++) {
		const struct p3_native_frame *native = &thread->frames.items[i].native;

		/* The loop may be inlined into another: its group's stack is what counts. */
		if (!is_eval_name(native->name) || !native->sp || native->sp == last)
			continue;
		last = native->sp;
		*p3_list_add(arena, ret) = native->sp;
	}
}

/*
 * To 3.10 nothing on the stack leads to a Python frame, but each call of the loop runs
 * one. Counted from the outermost: further in, one may be about to begin or to end;
 * unless the native frames end early. With subinterpreters, over all thread states: they
 * come newest interpreter first, and the newer one runs within the older.
 */
static uint64_t count_key(const struct p3_snapshot_thread *thread, const struct evals *evals,
			  size_t index, size_t count)
{
	size_t surplus = thread->native_ended || evals->count < count ? 0 : evals->count - count;

	return index + surplus < evals->count ? evals->items[index + surplus] : UINT64_MAX;
}

/* All segments of the thread's thread states, by stack address. */
static struct placed *sort_segments(struct p3_arena *arena, const struct p3_snapshot_thread *thread,
				    size_t *count_ret)
{
	struct evals evals = { 0 };
	struct placed *placed;
	size_t i, j, count = 0;

	find_evals(arena, thread, &evals);
	for (i = 0; i < thread->python.count; i++)
		count += thread->python.items[i].thread.count;
	placed = p3_arena_take(arena, (count + 1) * sizeof(*placed));
	*count_ret = count;
	for (count = 0, i = 0; i < thread->python.count; i++) {
		const struct p3_snapshot_python *python = &thread->python.items[i];

		for (j = 0; j < python->thread.count; j++, count++) {
			const struct p3_py_segment *segment = &python->thread.items[j];
			uint64_t key = segment->key ? segment->key
						    : count_key(thread, &evals, count, *count_ret);

			placed[count] = (struct placed){ segment, python->py, key, false, count };
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
	frame->entry = native->native.entry;
	frame->offset = native->module ? frame->pc - native->module->bias : 0;
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

/* Which frame of a physical one runs the loop: it may be inlined into its caller. */
static size_t find_eval(const struct p3_snapshot_thread *thread, size_t first, size_t last)
{
	size_t i;

	for (i = first; i < last; i++)
		if (is_eval_name(thread->frames.items[i].native.name))
			return i;
	return last;
}

/* The first segment with a key of at least `address`. */
static size_t first_at(const struct placed *placed, size_t count, uint64_t address)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (placed[middle].key < address)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* The last frame of the physical one that begins at `first`. */
static size_t last_of_group(const struct p3_snapshot_thread *thread, size_t first)
{
	const struct p3_snapshot_frame *frames = thread->frames.items;

	while (first + 1 < thread->frames.count &&
	       frames[first + 1].native.group == frames[first].native.group)
		first++;
	return first;
}

/* Which segments lie on the stack of some native frame. Stacks may switch (signals). */
static void mark_placed(const struct p3_snapshot_thread *thread, struct placed *placed,
			size_t count)
{
	size_t first, last, i;

	for (first = 0; first < thread->frames.count; first = last + 1) {
		const struct p3_native_frame *native;

		last = last_of_group(thread, first);
		native = &thread->frames.items[last].native;
		for (i = first_at(placed, count, native->sp); native->sp && i < count; i++) {
			if (placed[i].key >= native->cfa)
				break;
			placed[i].has_frame = true;
		}
	}
}

void p3_merge(struct p3_arena *arena, const struct p3_snapshot_thread *thread, struct p3_stack *ret)
{
	const struct p3_snapshot_frame *frames = thread->frames.items;
	struct p3_stack stack = { .thread = thread };
	size_t count, lost = 0, first, last, i;
	struct placed *placed = sort_segments(arena, thread, &count);
	uint32_t lost_sub = 0;

	mark_placed(thread, placed, count);
	for (first = 0; first < thread->frames.count; first = last + 1) {
		size_t segment, end, eval = SIZE_MAX;
		uint64_t sp, cfa;

		last = last_of_group(thread, first);
		sp = frames[last].native.sp;
		cfa = frames[last].native.cfa;
		/* Further in than this frame: the frames that hold them were not unwound. */
		for (; sp && cfa > sp && lost < count && placed[lost].key < sp; lost++)
			if (!placed[lost].has_frame)
				add_segment(arena, &placed[lost], NULL, &lost_sub, &stack);
		segment = sp ? first_at(placed, count, sp) : 0;
		end = sp ? first_at(placed, count, cfa) : 0;
		if (segment < end)
			eval = find_eval(thread, first, last);
		for (i = first; i <= last; i++) {
			enum p3_role role = frames[i].role;
			const char *note = NULL;
			uint32_t sub = 0;

			if (i == eval) {
				role = P3_ROLE_EVAL;
				for (; segment < end; segment++)
					add_segment(arena, &placed[segment], &frames[i], &sub,
						    &stack);
				if (!sub)
					note = "entering or leaving a Python frame";
			} else if (role == P3_ROLE_CPYTHON && is_eval_name(frames[i].native.name)) {
				role = P3_ROLE_EVAL;
				note = thread->python.count ? "entering or leaving a Python frame"
							    : "its Python frames are missing";
			}
			add_native(arena, &frames[i], role, note, &stack);
		}
	}
	for (; lost < count; lost++)
		if (!placed[lost].has_frame)
			add_segment(arena, &placed[lost], NULL, &lost_sub, &stack);
	stack.ended = thread->native_ended;
	*ret = stack;
}

bool p3_frame_is_user(const struct p3_frame *frame)
{
	return frame->role == P3_ROLE_USER && frame->language &&
	       (frame->py || !strcmp(frame->language, "rust"));
}

const struct p3_frame *p3_stack_user_frame(const struct p3_stack *stack, const char *language)
{
	size_t i;

	for (i = 0; i < stack->count; i++) {
		const struct p3_frame *frame = &stack->items[i];

		if (p3_frame_is_user(frame) && frame->function &&
		    (!language || !strcmp(frame->language, language)))
			return frame;
	}
	return NULL;
}
