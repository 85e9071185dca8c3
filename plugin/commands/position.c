/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where a person is in the mixed stack, and moving there. A native frame is the
 * debugger's selected one; of the Python frames that one interpreter's frame runs, the
 * session remembers which.
 */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The frame that this level and sub stand for: Python's, where there is one. */
static size_t find_frame(const struct p3_stack *stack, uint32_t level, uint32_t sub)
{
	size_t i, native = SIZE_MAX;

	for (i = 0; i < stack->count; i++) {
		const struct p3_frame *frame = &stack->items[i];

		if (!frame->has_level || frame->level != level)
			continue;
		if (frame->py && frame->sub == sub)
			return i;
		if (!frame->py && !sub)
			native = i;
	}
	return native;
}

struct p3_error *p3_place_find(struct p3_command_context *context, struct p3_place_in_stack *ret)
{
	const struct p3_snapshot *snapshot;
	struct p3_position kept = p3_session_position(context->session);
	uint32_t level = 0;

	P3_TRY(p3_session_snapshot(context->session, P3_SELECTED_THREAD, &snapshot));
	if (!snapshot->threads.count)
		return p3_error_new(P3_USAGE, "no thread is selected");
	ret->thread = &snapshot->threads.items[0];
	p3_session_stack(context->session, ret->thread, &ret->stack);
	if (!ret->stack.count)
		return p3_error_new(P3_USAGE, "there are no frames");
	P3_TRY(p3_target_selected_level(p3_session_target(context->session), &level));
	/* The debugger moved on by itself: what was remembered is of another frame. */
	if (kept.thread != ret->thread->thread.number || kept.level != level)
		kept.sub = 0;
	ret->index = find_frame(&ret->stack, level, kept.sub);
	if (ret->index == SIZE_MAX)
		ret->index = find_frame(&ret->stack, level, 0);
	if (ret->index == SIZE_MAX)
		ret->index = 0;
	return NULL;
}

struct p3_frame *p3_place_frame(struct p3_place_in_stack *place)
{
	return &place->stack.items[place->index];
}

/* The frame itself, or the nearest one further out that is Python's; NULL: there is none. */
struct p3_frame *p3_place_python(struct p3_place_in_stack *place)
{
	size_t i;

	for (i = place->index; i < place->stack.count; i++)
		if (place->stack.items[i].py)
			return &place->stack.items[i];
	return NULL;
}

struct p3_error *p3_place_write(struct p3_command_context *context, struct p3_place_in_stack *place)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_range one = { place->index, place->index + 1, false };
	size_t next = place->index;
	bool raw = context->options.raw;

	p3_session_read_variables(context->session, &place->stack, p3_place_frame(place),
				  P3_ARGUMENTS);
	context->options.raw = true; /* it was asked for, folded or not */
	p3_render_frame(&place->stack, &one, &context->options, &next, &text);
	context->options.raw = raw;
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_place_select(struct p3_command_context *context,
				 struct p3_place_in_stack *place, size_t index)
{
	const struct p3_frame *frame = &place->stack.items[index];

	if (frame->has_level)
		P3_TRY(context->actions->select(context->actions_context,
						place->thread->thread.number, frame->level));
	p3_session_set_position(
		context->session,
		(struct p3_position){ place->thread->thread.number, frame->level, frame->sub });
	place->index = index;
	return NULL;
}

/* Frames to go, as gdb's up: 1 unless given. */
static struct p3_error *parse_count(const char *name, char **words, size_t count, long *ret)
{
	char *end;

	*ret = 1;
	if (!count)
		return NULL;
	errno = 0;
	*ret = strtol(words[0], &end, 0);
	if (count > 1 || *end || end == words[0] || errno)
		return p3_error_new(P3_USAGE, "usage: %s [COUNT]", name);
	return NULL;
}

/* Move by [COUNT] shown frames: out, or in; the other way if it is negative. */
static struct p3_error *move(struct p3_command_context *context, const char *name, char **words,
			     size_t count, bool out)
{
	struct p3_place_in_stack place;
	size_t index, at;
	long steps;
	bool moved = false;

	P3_TRY(parse_count(name, words, count, &steps));
	P3_TRY(p3_place_find(context, &place));
	if (steps < 0) {
		steps = -steps;
		out = !out;
	}
	index = at = place.index;
	while (steps > 0) {
		const struct p3_frame *frame;

		if (out ? at + 1 >= place.stack.count : at == 0)
			break;
		at = out ? at + 1 : at - 1;
		frame = &place.stack.items[at];
		if (frame->folded || !frame->has_level)
			continue;
		index = at;
		moved = true;
		steps--;
	}
	if (!moved)
		return p3_error_new(P3_USAGE, "%s",
				    out ? "Initial frame selected; you can't go up."
					: "Bottom (innermost) frame selected; you can't go down.");
	P3_TRY(p3_place_select(context, &place, index));
	return p3_place_write(context, &place);
}

struct p3_error *p3_command_up(struct p3_command_context *context, char **words, size_t count)
{
	return move(context, "pyo3-up", words, count, true);
}

struct p3_error *p3_command_down(struct p3_command_context *context, char **words, size_t count)
{
	return move(context, "pyo3-down", words, count, false);
}

struct p3_error *p3_command_frame(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_place_in_stack place;
	unsigned long level, sub = 0;
	size_t index;
	char *end;

	P3_TRY(p3_place_find(context, &place));
	if (count) {
		errno = 0;
		level = strtoul(words[0], &end, 10);
		if (*end == '.' && end[1])
			sub = strtoul(end + 1, &end, 10);
		if (count > 1 || *end || words[0][0] == '-' || errno || level > UINT32_MAX ||
		    sub > UINT32_MAX)
			return p3_error_new(P3_USAGE, "usage: pyo3-frame [LEVEL[.SUB]]");
		index = find_frame(&place.stack, (uint32_t)level, (uint32_t)sub);
		if (index == SIZE_MAX)
			return p3_error_hint(
				p3_error_new(P3_USAGE, "there is no frame %s", words[0]),
				"pyo3-bt shows the levels");
		P3_TRY(p3_place_select(context, &place, index));
	}
	return p3_place_write(context, &place);
}
