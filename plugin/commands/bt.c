/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pyo3-bt: snapshot, merge, fold, the variables of what is shown, and a view. */
#include "commands.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_FULL, OPTION_RAW, OPTION_ALL, OPTION_JSON };

struct arguments {
	bool all, json, counted;
	long count;
};

static struct p3_error *parse(struct p3_command_context *context, char **words, size_t count,
			      struct arguments *ret)
{
	const struct p3_command *command = p3_command_find("pyo3-bt");
	size_t i, option;

	for (i = 0; i < count; i++) {
		char *end;

		if (!strcmp(words[i], "full")) { /* as `bt full` */
			context->options.full = true;
			continue;
		}
		if (words[i][0] == '-' && !strchr("0123456789", words[i][1])) {
			P3_TRY(p3_command_option(command, words[i], &option));
			if (option == OPTION_FULL)
				context->options.full = true;
			else if (option == OPTION_RAW)
				context->options.raw = true;
			else if (option == OPTION_ALL)
				ret->all = true;
			else
				ret->json = true;
			continue;
		}
		errno = 0;
		ret->count = strtol(words[i], &end, 0);
		if (*end || end == words[i] || errno || ret->counted || ret->count == LONG_MIN)
			return p3_error_hint(
				p3_error_new(P3_USAGE, "pyo3-bt: \"%s\" is no COUNT", words[i]),
				"usage: pyo3-bt %s", command->arguments);
		ret->counted = true;
	}
	return NULL;
}

/* Variables cost much: ask only for what will be seen. */
static void read_variables(struct p3_command_context *context, struct p3_stack *stack,
			   const struct p3_range *range)
{
	const struct p3_render_options *options = &context->options;
	unsigned int wanted = 0;
	size_t i;

	if (options->arguments != P3_SHOW_NONE)
		wanted |= P3_ARGUMENTS;
	if (options->full)
		wanted |= P3_LOCALS;
	if (options->full || options->arguments == P3_SHOW_ALL)
		wanted |= P3_AGGREGATES;
	for (i = range->first; wanted && i < range->end; i++) {
		struct p3_frame *frame = &stack->items[i];

		if (options->raw || !frame->folded)
			p3_session_read_variables(context->session, stack, frame, wanted);
	}
}

static struct p3_error *write_stack(struct p3_command_context *context,
				    const struct p3_snapshot *snapshot, struct p3_stack *stack,
				    const struct p3_range *range)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const struct p3_frame *run = NULL; /* the recursion whose first round is being shown */
	struct p3_range shown = *range;
	size_t next = range->first;
	struct p3_wait wait;

	p3_session_wait(context->session, snapshot, stack, &wait);
	p3_render_header(stack->thread, &wait, &text);
	P3_TRY(p3_command_write(context, p3_text_string(&text)));
	while (next < range->end) {
		/* One frame at a time, so that Ctrl-C and the pager's q stop the work too. */
		const struct p3_frame *frame = &stack->items[next];
		struct p3_range one = { next, next + 1, false };

		if (run && next == run->round_end) {
			p3_text_clear(&text);
			p3_render_repeats(run->period, run->times - 1, &context->options, &text);
			P3_TRY(p3_command_write(context, p3_text_string(&text)));
			next = run->run_end;
			run = NULL;
			continue;
		}
		/* A run that the count cuts is shown in full. */
		if (!context->options.raw && frame->times && frame->run_end <= range->end)
			run = frame;
		read_variables(context, stack, &one);
		p3_text_clear(&text);
		if (run)
			shown.end = run->round_end;
		else
			shown = *range;
		p3_render_frame(stack, &shown, &context->options, &next, &text);
		P3_TRY(p3_command_write(context, p3_text_string(&text)));
	}
	if (range->more)
		P3_TRY(p3_command_write(context, "(More stack frames follow...)\n"));
	else if (stack->ended) {
		p3_text_clear(&text);
		p3_text_add(&text, "Stack ends early: ");
		p3_text_add_safe(&text, stack->ended, strlen(stack->ended), 0);
		p3_text_add(&text, "\n");
		P3_TRY(p3_command_write(context, p3_text_string(&text)));
	}
	return NULL;
}

struct p3_error *p3_command_bt(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	struct arguments arguments = { 0 };
	const struct p3_snapshot *snapshot;
	struct p3_stack *stacks;
	struct p3_range *ranges;
	size_t i;

	P3_TRY(parse(context, words, count, &arguments));
	P3_TRY(p3_session_snapshot(context->session,
				   arguments.all ? P3_ALL_THREADS : P3_SELECTED_THREAD, &snapshot));
	if (!snapshot->threads.count)
		return p3_error_hint(p3_error_new(P3_USAGE, "no thread is selected"),
				     "select one with `thread N`, or use pyo3-bt -all");
	stacks = p3_arena_take(arena, snapshot->threads.count * sizeof(*stacks));
	ranges = p3_arena_take(arena, snapshot->threads.count * sizeof(*ranges));
	for (i = 0; i < snapshot->threads.count; i++) {
		p3_session_stack(context->session, &snapshot->threads.items[i], &stacks[i]);
		ranges[i] = p3_render_range(&stacks[i], context->options.raw,
					    arguments.counted ? &arguments.count : NULL);
	}
	if (arguments.json) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		context->options.arguments = P3_SHOW_ALL; /* settings are for people */
		for (i = 0; i < snapshot->modules.count; i++)
			(void)p3_session_facts(context->session, &snapshot->modules.items[i]);
		for (i = 0; i < snapshot->threads.count; i++)
			read_variables(context, &stacks[i], &ranges[i]);
		p3_render_json(snapshot, stacks, ranges, snapshot->threads.count,
			       context->options.full, &text);
		return p3_command_write(context, p3_text_string(&text));
	}
	for (i = 0; i < snapshot->threads.count; i++) {
		if (i)
			P3_TRY(p3_command_write(context, "\n"));
		P3_TRY(write_stack(context, snapshot, &stacks[i], &ranges[i]));
	}
	return NULL;
}
