/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the frame one is in has: pyo3-locals, pyo3-print, pyo3-list, and their py- names. */
#include "commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	AROUND = 5, /* lines before and behind the current one, as gdb's list */
	MAX_LINE = 4096,
};

struct p3_error *p3_place_no_python(const struct p3_place_in_stack *place)
{
	return p3_error_new(P3_USAGE, "%s%s%s", "Unable to locate python frame",
			    place->thread->python_absent ? ": " : "",
			    place->thread->python_absent ? place->thread->python_absent : "");
}

static struct p3_error *read_all(struct p3_command_context *context,
				 struct p3_place_in_stack *place, struct p3_frame *frame)
{
	p3_session_read_variables(context->session, &place->stack, frame, P3_VARIABLES);
	if (frame->variables_absent)
		return p3_error_new(P3_BAD_DATA, "%s", frame->variables_absent);
	return NULL;
}

static struct p3_error *write_variables(struct p3_command_context *context,
					const struct p3_frame *frame)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	size_t i;

	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];

		if (variable->value)
			p3_text_printf(&text, "%s = %s\n", variable->name, variable->value);
		else
			p3_text_printf(&text, "%s = <%s>\n", variable->name, variable->absent);
	}
	if (!frame->variables.count)
		p3_text_add(&text,
			    !frame->py && frame->language && !strcmp(frame->language, "rust") &&
					    frame->file
				    ? "No locals. (A build with debug = 1 has no variables.)\n"
			    : !frame->py && !frame->file ? "No symbol table info available.\n"
							 : "No locals.\n");
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_command_locals(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_place_in_stack place;
	struct p3_frame *frame;

	(void)words;
	P3_TRY(p3_command_no_arguments("pyo3-locals", count));
	P3_TRY(p3_place_find(context, &place));
	frame = p3_place_frame(&place);
	P3_TRY(read_all(context, &place, frame));
	return write_variables(context, frame);
}

/* ---- one variable ---- */

static struct p3_error *write_named(struct p3_command_context *context, const char *kind,
				    const char *name, const char *value)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	p3_text_printf(&text, "%s%s%s = %s\n", kind, *kind ? " " : "", name, value);
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_command_print(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_place_in_stack place;
	struct p3_frame *frame;
	const char *kind;
	size_t i;

	if (count != 1)
		return p3_error_new(P3_USAGE, "usage: pyo3-print NAME");
	P3_TRY(p3_place_find(context, &place));
	frame = p3_place_frame(&place);
	P3_TRY(read_all(context, &place, frame));
	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];
		const char *name = variable->name;

		name += strspn(name, frame->py ? "*" : "");
		if (strcmp(name, words[0]) != 0)
			continue;
		if (!variable->value)
			return p3_error_new(P3_USAGE, "%s is %s", name, variable->absent);
		return write_named(context, frame->py ? "local" : "", words[0], variable->value);
	}
	if (frame->py) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		uint64_t object = p3_py_global_object(frame->py, frame->python, words[0], &kind);
		bool aggregate;

		if (object) {
			p3_py_format(frame->py, object, true, &text, &aggregate);
			return write_named(context, kind, words[0], p3_text_string(&text));
		}
	}
	return p3_error_new(P3_USAGE, "'%s' not found", words[0]);
}

/* ---- source ---- */

/* Lines [first, last] of a source file, the current one marked. */
static struct p3_error *list_file(struct p3_command_context *context, const char *path,
				  uint32_t current, long first, long last)
{
	FILE *file P3_CLEANUP(p3_source_done) = p3_source_open(path);
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	char line[MAX_LINE];
	long number = 0;
	bool begins = true;

	if (!file)
		return p3_error_hint(
			p3_error_new(P3_MISSING, "Unable to open %s: %s", path, strerror(errno)),
			"the source is read from this machine, where the process "
			"has it");
	while (number <= last && fgets(line, sizeof(line), file)) {
		size_t size = strlen(line);
		char mark[32];

		number += begins;
		begins = size && line[size - 1] == '\n';
		if (number < first || number > last)
			continue;
		snprintf(mark, sizeof(mark), "%s%ld", number == (long)current ? ">" : "", number);
		p3_text_printf(&text, "%4s    ", mark);
		p3_text_add_safe(&text, line, begins ? size - 1 : size, 0);
		p3_text_add(&text, "\n");
	}
	return p3_command_write(context, p3_text_string(&text));
}

/* As gdb's list: around the current line; from LINE on; FIRST,LAST. */
static struct p3_error *parse_lines(const char *command, char **words, size_t count,
				    uint32_t current, long *first, long *last)
{
	char *end;

	*first = (long)current - AROUND;
	*last = (long)current + AROUND;
	if (!count)
		return NULL;
	*first = strtol(words[0], &end, 10);
	*last = *first + 2 * AROUND;
	if (*end == ',') {
		if (!end[1] && count == 2)
			*last = strtol(words[1], &end, 10);
		else
			*last = strtol(end + 1, &end, 10);
	} else if (count > 1) {
		end = words[0];
	}
	if (*end || end == words[0] || count > 2)
		return p3_error_new(P3_USAGE, "usage: %s [LINE | FIRST,LAST]", command);
	return NULL;
}

struct p3_error *p3_place_list(struct p3_command_context *context, char **words, size_t count,
			       const char *command, bool python)
{
	struct p3_place_in_stack place;
	struct p3_frame *frame;
	long first, last;

	P3_TRY(p3_place_find(context, &place));
	frame = python ? p3_place_python(&place) : p3_place_frame(&place);
	if (!frame)
		return p3_place_no_python(&place);
	if (!frame->py) /* gdb knows where native sources are */
		return context->actions->list(context->actions_context, count ? words[0] : "");
	P3_TRY(parse_lines(command, words, count, frame->line, &first, &last));
	return list_file(context, frame->file, frame->line, first < 1 ? 1 : first, last);
}

struct p3_error *p3_command_list(struct p3_command_context *context, char **words, size_t count)
{
	return p3_place_list(context, words, count, "pyo3-list", false);
}
