/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Text in the style of gdb's `bt`: one line a frame, aligned, folded runs counted. */
#include <pyo3-gdb/render.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LOCATION_COLUMN = 56, /* where "at FILE:LINE" stands when there is room */
	INDENT = 13,	      /* of what belongs to a frame: behind level and language */
	LOCALS_INDENT = 8,    /* as gdb's bt -full */
};

struct p3_range p3_render_range(const struct p3_stack *stack, bool raw, const long *wanted)
{
	struct p3_range range = { 0, stack->count, false };
	long shown = 0, count = wanted ? *wanted : 0;
	size_t i;

	if (!wanted)
		return range;
	if (count >= 0) {
		for (i = 0; i < stack->count && shown < count; i++)
			shown += raw || !stack->items[i].folded;
		range.end = i;
		for (; i < stack->count; i++)
			range.more |= raw || !stack->items[i].folded;
	} else {
		for (i = stack->count; i > 0 && shown < -count; i--)
			shown += raw || !stack->items[i - 1].folded;
		range.first = i;
	}
	return range;
}

static void add_styled(struct p3_text *text, const char *style, const char *string, size_t size)
{
	bool styled = style && *style && size;

	if (styled)
		p3_text_add(text, style);
	p3_text_add_safe(text, string, size, 0);
	if (styled)
		p3_text_add(text, "\033[m");
}

void p3_render_lock(const struct p3_wait *wait, struct p3_text *ret)
{
	p3_text_printf(ret, "%s%s", wait->kind == P3_WAIT_CONDITION ? "" : "the ", wait->what);
	if (wait->kind == P3_WAIT_LOCK && wait->name) {
		p3_text_add(ret, " ");
		p3_text_add_safe(ret, wait->name, strlen(wait->name), 0);
	}
}

void p3_render_wait(const struct p3_wait *wait, struct p3_text *ret)
{
	switch (wait->kind) {
	case P3_WAIT_NONE:
		p3_text_add(ret, "runs");
		break;
	case P3_WAIT_SLEEP:
		p3_text_add(ret, "sleeps");
		break;
	case P3_WAIT_IO:
		p3_text_printf(ret, "is in %s()", wait->what);
		break;
	case P3_WAIT_CONDITION:
	case P3_WAIT_JOIN:
	case P3_WAIT_WORLD:
		p3_text_printf(ret, "waits for %s", wait->what);
		break;
	case P3_WAIT_GIL:
	case P3_WAIT_LOCK:
		p3_text_add(ret, "waits for ");
		p3_render_lock(wait, ret);
		break;
	}
}

void p3_render_state(const struct p3_snapshot_thread *thread, const struct p3_wait *wait,
		     struct p3_text *ret)
{
	if (thread->gil == P3_GIL_HOLDS)
		p3_text_add(ret, ", holds the GIL");
	if (wait->kind != P3_WAIT_NONE) {
		p3_text_add(ret, ", ");
		p3_render_wait(wait, ret);
	} else if (thread->gil == P3_GIL_WAITS) {
		p3_text_add(ret, ", waits for the GIL");
	}
	if (thread->attached)
		p3_text_printf(ret, ", %s", p3_attached_name(thread->attached));
	if (thread->collecting)
		p3_text_add(ret, ", garbage is being collected");
	if (thread->finalizing)
		p3_text_add(ret, ", finalizing Python");
}

void p3_render_header(const struct p3_snapshot_thread *thread, const struct p3_wait *wait,
		      struct p3_text *ret)
{
	p3_text_add(ret, "Thread");
	if (thread->thread.number)
		p3_text_printf(ret, " %" PRIu32, thread->thread.number);
	if (thread->thread.lwp)
		p3_text_printf(ret, " (LWP %" PRId64 ")", thread->thread.lwp);
	if (thread->name) {
		p3_text_add(ret, " \"");
		p3_text_add_safe(ret, thread->name, strlen(thread->name), 0);
		p3_text_add(ret, "\"");
	}
	p3_render_state(thread, wait, ret);
	if (thread->python_absent) {
		p3_text_add(ret, " (");
		p3_text_add_safe(ret, thread->python_absent, strlen(thread->python_absent), 0);
		p3_text_add(ret, ")");
	}
	p3_text_add(ret, "\n");
}

/* What a run of folded frames is made of, in the words people use. */
static const struct {
	enum p3_role role;
	const char *text;
} glue[] = {
	{ P3_ROLE_PANIC, "panic machinery" }, { P3_ROLE_ENTRY, "PyO3" },
	{ P3_ROLE_WRAPPER, "PyO3" },	      { P3_ROLE_PYO3, "PyO3" },
	{ P3_ROLE_EVAL, "CPython" },	      { P3_ROLE_CPYTHON, "CPython" },
	{ P3_ROLE_RUNTIME, "Rust's std" },    { P3_ROLE_START, "start-up" },
};

static void add_folded(const struct p3_stack *stack, size_t first, size_t end,
		       const struct p3_render_options *options, struct p3_text *text)
{
	const char *words[sizeof(glue) / sizeof(*glue)];
	size_t count = 0, frames = 0, i, j;

	for (i = first; i < end; i++) /* an eval frame is shown, as its Python frames */
		frames += stack->items[i].role != P3_ROLE_EVAL;
	if (!frames)
		return;
	for (j = 0; j < sizeof(glue) / sizeof(*glue); j++) {
		bool present = false;

		for (i = first; i < end && !present; i++)
			present = stack->items[i].role == glue[j].role &&
				  glue[j].role != P3_ROLE_EVAL;
		if (present && (!count || words[count - 1] != glue[j].text))
			words[count++] = glue[j].text;
	}
	p3_text_pad(text, INDENT - 4);
	p3_text_printf(text, "%s   %zu frame%s of ", options->unicode ? "\u22ee" : ":", frames,
		       frames == 1 ? "" : "s");
	for (j = 0; j < count; j++)
		p3_text_printf(text, "%s%s", !j ? "" : j + 1 == count ? " and " : ", ", words[j]);
	p3_text_add(text, "\n");
}

void p3_render_repeats(uint32_t period, uint32_t more, const struct p3_render_options *options,
		       struct p3_text *ret)
{
	p3_text_pad(ret, INDENT - 4);
	if (period == 1)
		p3_text_printf(ret, "%s   the frame above repeats %" PRIu32 " more times\n",
			       options->unicode ? "\u22ee" : ":", more);
	else
		p3_text_printf(ret,
			       "%s   the %" PRIu32 " frames above repeat %" PRIu32 " more times\n",
			       options->unicode ? "\u22ee" : ":", period, more);
}

static void add_arguments(const struct p3_frame *frame, const struct p3_render_options *options,
			  struct p3_text *text)
{
	bool any = false;
	size_t i;

	if (options->arguments == P3_SHOW_NONE) {
		p3_text_add(text, " (...)");
		return;
	}
	p3_text_add(text, " (");
	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];

		if (!variable->argument)
			continue;
		if (options->arguments == P3_SHOW_PRESENCE) {
			p3_text_add(text, "...");
			break;
		}
		p3_text_add(text, any ? ", " : "");
		any = true;
		add_styled(text, options->variable_style, variable->name, strlen(variable->name));
		p3_text_add(text, "=");
		if (!variable->value)
			p3_text_printf(text, "<%s>", variable->absent);
		else if (variable->aggregate && options->arguments == P3_SHOW_SCALARS)
			p3_text_add(text, "...");
		else
			p3_text_add(text, variable->value);
	}
	p3_text_add(text, ")");
}

/* Columns of text that may hold styles. */
static size_t columns(const char *string)
{
	struct p3_text plain P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	while (*string) {
		if (*string == '\033') {
			string += strcspn(string, "m");
			string += *string == 'm';
		} else {
			p3_text_add_bytes(&plain, string++, 1);
		}
	}
	return p3_text_columns(p3_text_string(&plain));
}

static void add_location(const struct p3_frame *frame, const struct p3_render_options *options,
			 struct p3_text *text)
{
	if (frame->file) {
		p3_text_add(text, "at ");
		add_styled(text, options->file_style, frame->file, strlen(frame->file));
		if (frame->line)
			p3_text_printf(text, ":%" PRIu32, frame->line);
	} else if (frame->module) {
		/* Without a name the offset matters: what addr2line asks for. */
		bool unnamed = !frame->function || frame->by_python;
		const char *name = unnamed ? p3_base_name(frame->module) : frame->module;

		p3_text_add(text, "from ");
		add_styled(text, options->file_style, name, strlen(name));
		if (frame->by_python)
			p3_text_add(text, ", stripped");
		if (unnamed)
			p3_text_printf(text, " +0x%" PRIx64, frame->offset);
	}
	if (frame->python_name && !frame->by_python) {
		p3_text_printf(text, "%scalled as ", text->size ? "  " : "");
		p3_text_add_safe(text, frame->python_name, strlen(frame->python_name), 0);
	}
	if (frame->note)
		p3_text_printf(text, "%s(%s)", text->size ? "  " : "", frame->note);
}

static void add_locals(const struct p3_frame *frame, const struct p3_render_options *options,
		       struct p3_text *text)
{
	bool any = false;
	size_t i;

	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];

		if (variable->argument)
			continue;
		any = true;
		p3_text_pad(text, LOCALS_INDENT);
		add_styled(text, options->variable_style, variable->name, strlen(variable->name));
		if (variable->value)
			p3_text_printf(text, " = %s\n", variable->value);
		else
			p3_text_printf(text, " = <%s>\n", variable->absent);
	}
	if (frame->variables_absent)
		p3_text_printf(text, "%*s<%s>\n", LOCALS_INDENT, "", frame->variables_absent);
	else if (!any)
		p3_text_add(text, frame->py || frame->file ? "No locals.\n"
							   : "No symbol table info available.\n");
}

static void add_frame(const struct p3_frame *frame, const struct p3_render_options *options,
		      struct p3_text *text)
{
	struct p3_text head P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text location P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *language = !frame->language			    ? "?"
			       : !strcmp(frame->language, "python") ? "py"
								    : frame->language;
	size_t used, room;

	if (!frame->has_level)
		p3_text_add(&head, "#?");
	else if (frame->sub)
		p3_text_printf(&head, "#%" PRIu32 ".%" PRIu32, frame->level, frame->sub);
	else
		p3_text_printf(&head, "#%" PRIu32, frame->level);
	p3_text_pad(&head, head.size < 6 ? 7 - head.size : 1);
	p3_text_printf(&head, "%-4s  ", language);
	if (frame->function) {
		add_styled(&head, options->function_style, frame->function,
			   strlen(frame->function));
	} else {
		char address[2 + 16 + 1];

		snprintf(address, sizeof(address), "0x%016" PRIx64, frame->pc);
		add_styled(&head, options->address_style, address, strlen(address));
		p3_text_add(&head, " in ??");
	}
	/* Python has arguments for functions only: not for <module> and the like. */
	if (!frame->py || !frame->function || !strchr(frame->function, '<') ||
	    frame->variables.count)
		add_arguments(frame, options, &head);
	add_location(frame, options, &location);
	used = columns(p3_text_string(&head));
	room = columns(p3_text_string(&location));
	p3_text_add(text, p3_text_string(&head));
	if (!room) {
		p3_text_add(text, "\n");
	} else if (options->width && used + 1 + room > options->width) {
		p3_text_add(text, "\n");
		p3_text_pad(text, INDENT);
		p3_text_printf(text, "%s\n", p3_text_string(&location));
	} else {
		bool align = used < LOCATION_COLUMN &&
			     (!options->width || LOCATION_COLUMN + 1 + room <= options->width);

		p3_text_pad(text, align ? LOCATION_COLUMN + 1 - used : 1);
		p3_text_printf(text, "%s\n", p3_text_string(&location));
	}
	if (options->full)
		add_locals(frame, options, text);
}

void p3_render_frame(const struct p3_stack *stack, const struct p3_range *range,
		     const struct p3_render_options *options, size_t *next, struct p3_text *ret)
{
	size_t first = *next;

	if (!options->raw && stack->items[first].folded) {
		while (*next < range->end && stack->items[*next].folded)
			++*next;
		add_folded(stack, first, *next, options, ret);
		return;
	}
	add_frame(&stack->items[(*next)++], options, ret);
}
