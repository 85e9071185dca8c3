/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * py-bt, py-up and the like: the commands of CPython's own python-gdb.py, with its output,
 * which people and scripts know; but also without debug information, and from a Rust
 * frame. Source: python/cpython Tools/gdb/libpython.py, for what is printed.
 */
#include "commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_OUTPUT = 1024,
	MAX_LINE = 4096,
	MAX_CALL = 64, /* native frames between a C function and the Python frame that called it */
};

/* What py-bt shows of the frame at an index; further Python frames of its level belong to it. */
enum kind { NOTHING, PYTHON, BUILTIN, WAITING, COLLECTING };

/* The nearest Python frame further out; one that called C is not far. */
static const struct p3_frame *caller_of(const struct p3_stack *stack, size_t index)
{
	size_t end = stack->count - index > MAX_CALL ? index + MAX_CALL : stack->count;

	for (; index < end; index++)
		if (stack->items[index].py)
			return &stack->items[index];
	return NULL;
}

/* The callable whose C function is at this index, if Python called it. */
static bool add_callable(const struct p3_stack *stack, size_t index, struct p3_text *ret)
{
	const struct p3_frame *frame = &stack->items[index], *caller = caller_of(stack, index);
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t object = 0;

	if (frame->py || !frame->entry || !caller)
		return false;
	if (frame->function && !strcmp(frame->function, "wrapper_call"))
		object = p3_py_operand(caller->py, caller->python, "method-wrapper");
	else
		object = p3_py_callee(caller->py, caller->python, frame->entry, &name);
	if (!object)
		return false;
	p3_py_format_remote(caller->py, object, MAX_OUTPUT, ret);
	return true;
}

/*
 * "<built-in method ...>": it stands at the frame that calls the C function, one of
 * CPython's, or at the function's own, where the interpreter's loop calls it itself.
 */
static bool add_builtin(struct p3_command_context *context, struct p3_stack *stack, size_t index,
			struct p3_text *ret)
{
	bool inlined = index + 1 < stack->count && stack->items[index + 1].py;
	struct p3_frame *frame = &stack->items[index];
	const struct p3_frame *caller;
	size_t i;

	if (index && !stack->items[index - 1].py && add_callable(stack, index - 1, ret))
		return true;
	if ((inlined || (frame->function && !strcmp(frame->function, "wrapper_call"))) &&
	    add_callable(stack, index, ret))
		return true;
	/* One that has left its own frame behind, by a tail call: what calls it knows it. */
	if (!frame->function || strncmp(frame->function, "cfunction_", 10) != 0)
		return false;
	caller = caller_of(stack, index);
	if (!caller)
		return false;
	if (!frame->variables.count)
		p3_session_read_variables(context->session, stack, frame, P3_ARGUMENTS);
	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];

		if (strcmp(variable->name, "func") != 0 || !variable->object)
			continue;
		p3_py_format_remote(caller->py, variable->object, MAX_OUTPUT, ret);
		return true;
	}
	return false;
}

static enum kind kind_of(struct p3_command_context *context, struct p3_stack *stack, size_t index,
			 struct p3_text *builtin)
{
	static const char *const collectors[] = { "collect", "gc_collect_main", "gc_collect_region",
						  "gc_collect_young", "gc_collect_full" };
	const struct p3_frame *frame = &stack->items[index];
	size_t i;

	if (frame->py)
		return frame->sub ? NOTHING : PYTHON;
	if (frame->role != P3_ROLE_CPYTHON && frame->role != P3_ROLE_ENTRY &&
	    frame->role != P3_ROLE_USER)
		return NOTHING;
	if (frame->function && !strcmp(frame->function, "take_gil"))
		return WAITING;
	for (i = 0; frame->function && frame->role == P3_ROLE_CPYTHON &&
		    i < sizeof(collectors) / sizeof(*collectors);
	     i++)
		if (!strcmp(frame->function, collectors[i]))
			return COLLECTING;
	return add_builtin(context, stack, index, builtin) ? BUILTIN : NOTHING;
}

/* The source line, without the space around it; nothing where there is no such file. */
static void add_source(const struct p3_frame *frame, struct p3_text *text)
{
	FILE *file P3_CLEANUP(p3_source_done) = p3_source_open(frame->file);
	char line[MAX_LINE], *start, *end;
	uint32_t number = 1;

	while (file && fgets(line, sizeof(line), file)) {
		end = line + strlen(line);
		if (number < frame->line) {
			number += end > line && end[-1] == '\n';
			continue;
		}
		for (start = line; isspace((unsigned char)*start); start++)
			;
		while (end > start && isspace((unsigned char)end[-1]))
			end--;
		p3_text_add(text, "    ");
		p3_text_add_safe(text, start, (size_t)(end - start), 0);
		p3_text_add(text, "\n");
		return;
	}
}

static void add_variables(struct p3_command_context *context, struct p3_stack *stack,
			  struct p3_frame *frame, const char *separator, struct p3_text *text)
{
	size_t i, shown = 0;

	frame->variables.count = 0;
	p3_session_read_variables(context->session, stack, frame, P3_VARIABLES);
	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];

		if (!variable->object)
			continue;
		p3_text_printf(text, "%s%s%s", shown++ && *separator == ',' ? ", " : "",
			       variable->name + strspn(variable->name, "*"),
			       *separator == ',' ? "=" : " = ");
		p3_py_format_remote(frame->py, variable->object, MAX_OUTPUT, text);
		p3_text_add(text, *separator == ',' ? "" : separator);
	}
}

/* "#3 Frame 0x7f..., for file x.py, line 7, in f (a=1)", and the source line. */
static void add_full(struct p3_command_context *context, struct p3_stack *stack,
		     struct p3_frame *frame, struct p3_text *text)
{
	p3_text_printf(text, "#%" PRIu32 " Frame 0x%" PRIx64 ", for file ", frame->level,
		       frame->python->address);
	p3_text_add_safe(text, frame->file, strlen(frame->file), 0);
	p3_text_printf(text, ", line %" PRIu32 ", in %s (", frame->line, frame->python->name);
	add_variables(context, stack, frame, ", ", text);
	p3_text_add(text, ")\n");
	add_source(frame, text);
}

static void add_short(const struct p3_frame *frame, struct p3_text *text)
{
	p3_text_add(text, "  File \"");
	p3_text_add_safe(text, frame->file, strlen(frame->file), 0);
	p3_text_printf(text, "\", line %" PRIu32 ", in %s\n", frame->line, frame->python->name);
	add_source(frame, text);
}

static const char *words_of(enum kind kind, const struct p3_text *builtin)
{
	return kind == WAITING	    ? "Waiting for the GIL"
	       : kind == COLLECTING ? "Garbage-collecting"
				    : p3_text_string(builtin);
}

/* All that py-bt shows of one of its frames, in the long or the short form. */
static void add_entry(struct p3_command_context *context, struct p3_stack *stack, size_t index,
		      enum kind kind, const struct p3_text *builtin, bool full,
		      struct p3_text *text)
{
	uint32_t level = stack->items[index].level;

	if (kind != PYTHON && full)
		p3_text_printf(text, "#%" PRIu32 " %s\n", level, words_of(kind, builtin));
	else if (kind != PYTHON)
		p3_text_printf(text, "  %s\n", words_of(kind, builtin));
	for (; kind == PYTHON && index < stack->count && stack->items[index].py &&
	       stack->items[index].level == level;
	     index++) {
		if (full)
			add_full(context, stack, &stack->items[index], text);
		else
			add_short(&stack->items[index], text);
	}
}

static struct p3_error *show_stack(struct p3_command_context *context, size_t count,
				   const char *name, bool full)
{
	struct p3_place_in_stack place;
	size_t i, shown = 0;

	P3_TRY(p3_command_no_arguments(name, count));
	P3_TRY(p3_place_find(context, &place));
	if (!full)
		P3_TRY(p3_command_write(context, "Traceback (most recent call first):\n"));
	for (i = place.index; i < place.stack.count; i++) {
		struct p3_text builtin P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		enum kind kind = kind_of(context, &place.stack, i, &builtin);

		if (kind == NOTHING)
			continue;
		shown++;
		add_entry(context, &place.stack, i, kind, &builtin, full, &text);
		P3_TRY(p3_command_write(context, p3_text_string(&text)));
	}
	return shown ? NULL : p3_place_no_python(&place);
}

struct p3_error *p3_command_py_bt(struct p3_command_context *context, char **words, size_t count)
{
	(void)words;
	return show_stack(context, count, "py-bt", false);
}

struct p3_error *p3_command_py_bt_full(struct p3_command_context *context, char **words,
				       size_t count)
{
	(void)words;
	return show_stack(context, count, "py-bt-full", true);
}

/* To the next frame of py-bt's, further out or further in. */
static struct p3_error *move(struct p3_command_context *context, size_t count, const char *name,
			     bool out)
{
	struct p3_text builtin P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_place_in_stack place;
	uint32_t level;
	size_t at;

	P3_TRY(p3_command_no_arguments(name, count));
	P3_TRY(p3_place_find(context, &place));
	/* From the nearest such frame: here, or further out. */
	for (at = place.index; at + 1 < place.stack.count; at++)
		if (kind_of(context, &place.stack, at, &builtin) != NOTHING)
			break;
	p3_text_clear(&builtin);
	level = place.stack.items[at].level;
	for (; out ? at + 1 < place.stack.count : at > 0;) {
		enum kind kind;

		at = out ? at + 1 : at - 1;
		if (!place.stack.items[at].has_level || place.stack.items[at].level == level)
			continue;
		kind = kind_of(context, &place.stack, at, &builtin);
		if (kind == NOTHING)
			continue;
		P3_TRY(p3_place_select(context, &place, at));
		add_entry(context, &place.stack, at, kind, &builtin, true, &text);
		return p3_command_write(context, p3_text_string(&text));
	}
	return p3_command_write(context, out ? "Unable to find an older python frame\n"
					     : "Unable to find a newer python frame\n");
}

struct p3_error *p3_command_py_up(struct p3_command_context *context, char **words, size_t count)
{
	(void)words;
	return move(context, count, "py-up", true);
}

struct p3_error *p3_command_py_down(struct p3_command_context *context, char **words, size_t count)
{
	(void)words;
	return move(context, count, "py-down", false);
}

struct p3_error *p3_command_py_list(struct p3_command_context *context, char **words, size_t count)
{
	return p3_place_list(context, words, count, "py-list", true);
}

struct p3_error *p3_command_py_locals(struct p3_command_context *context, char **words,
				      size_t count)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_place_in_stack place;
	struct p3_frame *frame;
	size_t i;

	(void)words;
	P3_TRY(p3_command_no_arguments("py-locals", count));
	P3_TRY(p3_place_find(context, &place));
	frame = p3_place_python(&place);
	if (!frame)
		return p3_place_no_python(&place);
	/* Of all that the interpreter's frame runs. */
	for (i = (size_t)(frame - place.stack.items);
	     i < place.stack.count && place.stack.items[i].py &&
	     place.stack.items[i].level == frame->level;
	     i++) {
		p3_text_printf(&text, "Locals for %s\n", place.stack.items[i].python->name);
		add_variables(context, &place.stack, &place.stack.items[i], "\n", &text);
	}
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_command_py_print(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_place_in_stack place;
	struct p3_frame *frame;
	const char *kind = "local";
	uint64_t object = 0;
	size_t i;

	if (count != 1)
		return p3_error_new(P3_USAGE, "usage: py-print NAME");
	P3_TRY(p3_place_find(context, &place));
	frame = p3_place_python(&place);
	if (!frame)
		return p3_place_no_python(&place);
	p3_session_read_variables(context->session, &place.stack, frame, P3_VARIABLES);
	for (i = 0; i < frame->variables.count && !object; i++) {
		const char *name = frame->variables.items[i].name;

		if (!strcmp(name + strspn(name, "*"), words[0]))
			object = frame->variables.items[i].object;
	}
	if (!object)
		object = p3_py_global_object(frame->py, frame->python, words[0], &kind);
	if (!object) {
		p3_text_printf(&text, "'%s' not found\n", words[0]);
		return p3_command_write(context, p3_text_string(&text));
	}
	p3_text_printf(&text, "%s '%s' = ", kind, words[0]);
	p3_py_format_remote(frame->py, object, MAX_OUTPUT, &text);
	p3_text_add(&text, "\n");
	return p3_command_write(context, p3_text_string(&text));
}
