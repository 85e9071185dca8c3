/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break-panic and pyo3-panic. The user's breakpoint is on rust_panic(), with the condition
 * $_pyo3_panic(); the others are on what ends a process without it, and on the unwinder, for
 * modules that have no symbols (stop.c).
 */
#include "commands.h"

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_ALL, OPTION_MODULE, OPTION_MESSAGE, OPTION_CAUGHT };
enum {
	MAX_MODES = 16, /* pyo3-break-panic with different options */
	MAX_SEEN = 64,	/* panics remembered, to know them again */
	CALLERS = 12,	/* frames above rust_panic() that can tell a resumed panic */
};

struct mode {
	bool all, caught;
	char *module, *message; /* NULL: any */
	regex_t pattern;
};

struct seen {
	int64_t lwp;
	struct p3_panic panic; /* its texts are our own copies */
};

/* One debugger, one of these: as long as it lives. */
static struct {
	struct mode modes[MAX_MODES];
	uint32_t mode_count;
	struct seen seen[MAX_SEEN]; /* the latest MAX_SEEN, round and round */
	size_t seen_count;
} panics;

static struct p3_error *read_option(char **words, size_t count, size_t *at, struct mode *mode)
{
	const struct p3_command *command = p3_command_find("pyo3-break-panic");
	size_t option;

	if (words[*at][0] != '-')
		return p3_error_hint(
			p3_error_new(P3_USAGE, "pyo3-break-panic: \"%s\" is no option", words[*at]),
			"usage: pyo3-break-panic %s", command->arguments);
	P3_TRY(p3_command_option(command, words[*at], &option));
	if (option == OPTION_ALL)
		mode->all = true;
	if (option == OPTION_CAUGHT)
		mode->caught = true;
	if (option == OPTION_ALL || option == OPTION_CAUGHT)
		return NULL;
	if (++*at == count)
		return p3_error_new(P3_USAGE, "pyo3-break-panic: %s needs a value", words[*at - 1]);
	if (option == OPTION_MODULE) {
		mode->module = strdup(words[*at]);
		return NULL;
	}
	if (regcomp(&mode->pattern, words[*at], REG_EXTENDED | REG_NOSUB) != 0)
		return p3_error_new(P3_USAGE, "pyo3-break-panic: \"%s\" is no regular expression",
				    words[*at]);
	mode->message = strdup(words[*at]);
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The number of a mode like this one, added if there is none. */
static struct p3_error *keep_mode(const struct mode *mode, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < panics.mode_count; i++) {
		const struct mode *known = &panics.modes[i];

		if (known->all == mode->all && known->caught == mode->caught &&
		    same_text(known->module, mode->module) &&
		    same_text(known->message, mode->message)) {
			*ret = i;
			return NULL;
		}
	}
	if (i == MAX_MODES)
		return p3_error_new(P3_USAGE, "there are %d kinds of pyo3-break-panic already",
				    MAX_MODES);
	panics.modes[i] = *mode;
	panics.mode_count++;
	*ret = i;
	return NULL;
}

struct p3_error *p3_command_break_panic(struct p3_command_context *context, char **words,
					size_t count)
{
	struct mode mode = { 0 };
	char condition[40];
	uint32_t number = 0, points;
	size_t i;

	if (!context->actions->breakpoint)
		return p3_error_new(P3_USAGE, "a capture cannot be run");
	for (i = 0; i < count; i++)
		P3_TRY(read_option(words, count, &i, &mode));
	P3_TRY(keep_mode(&mode, &number));
	snprintf(condition, sizeof(condition),
		 number ? "$_pyo3_panic(%" PRIu32 ")" : "$_pyo3_panic()", number);
	P3_TRY(context->actions->breakpoint(context->actions_context, P3_STOP_PANIC, NULL,
					    condition, false));
	P3_TRY(p3_stop_follow(context, P3_STOP_PANIC, "_Unwind_RaiseException", NULL));
	points = P3_POINT_BIT(P3_POINT_PANIC) | P3_POINT_BIT(P3_POINT_NOUNWIND) |
		 P3_POINT_BIT(P3_POINT_CLEANUP);
	return p3_stop_arm(context, mode.caught ? points | P3_POINT_BIT(P3_POINT_CAUGHT) : points);
}

/* ---- a hit ---- */

struct hit {
	const struct p3_snapshot_thread *thread;
	enum p3_rust_point point;
	const struct p3_module *module; /* that panics; NULL: unknown */
	struct p3_panic panic;
	bool known; /* the panic could be read */
};

static const struct p3_panic *last_seen(int64_t lwp)
{
	size_t i = panics.seen_count, first = i > MAX_SEEN ? i - MAX_SEEN : 0;

	while (i-- > first)
		if (panics.seen[i % MAX_SEEN].lwp == lwp)
			return &panics.seen[i % MAX_SEEN].panic;
	return NULL;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void remember(const struct hit *hit)
{
	struct seen *seen = &panics.seen[panics.seen_count++ % MAX_SEEN];

	free((char *)seen->panic.message);
	free((char *)seen->panic.file);
	*seen = (struct seen){ hit->thread->thread.lwp, hit->panic };
	seen->panic.message = copy(hit->panic.message);
	seen->panic.file = copy(hit->panic.file);
}

/* The panic that was seen first with this message, on any thread: a panic is resumed where
 * rayon and the like join. */
static const struct p3_panic *first_seen(const char *message)
{
	size_t i = panics.seen_count > MAX_SEEN ? panics.seen_count - MAX_SEEN : 0;

	for (; message && i < panics.seen_count; i++)
		if (same_text(panics.seen[i % MAX_SEEN].panic.message, message))
			return &panics.seen[i % MAX_SEEN].panic;
	return NULL;
}

/* Where the frame's stack begins; 0: there is no such frame. */
static uint64_t stack_of(const struct p3_snapshot_thread *thread, size_t level)
{
	return level < thread->frames.count ? thread->frames.items[level].native.sp : 0;
}

static bool is_resumed(const struct p3_snapshot_thread *thread)
{
	size_t i;

	for (i = 0; i < thread->frames.count && i < CALLERS; i++)
		if (thread->frames.items[i].native.name &&
		    p3_rust_resumes(thread->frames.items[i].native.name))
			return true;
	return false;
}

static struct p3_error *read_panic(struct p3_command_context *context, struct hit *hit)
{
	struct p3_target *target = p3_session_target(context->session);
	struct p3_arena *arena = p3_target_arena(target);
	uint64_t arguments[2], sp = stack_of(hit->thread, 0), end = stack_of(hit->thread, 3);

	if (hit->point == P3_POINT_PANIC) {
		P3_TRY(p3_stop_arguments(context, hit->thread->thread.number, arguments));
		P3_TRY(p3_rust_panic(target, arena, arguments[0], arguments[1], sp, end,
				     &hit->panic));
	} else if (hit->point == P3_POINT_RAISE) {
		end = stack_of(hit->thread, 6) ? stack_of(hit->thread, 6) : end;
		P3_TRY(p3_stop_arguments(context, hit->thread->thread.number, arguments));
		P3_TRY(p3_rust_raised(target, arena, arguments[0], sp, end, &hit->panic));
	} else {
		const struct p3_panic *seen = last_seen(hit->thread->thread.lwp);

		if (!seen)
			return NULL;
		hit->panic = *seen;
	}
	if (is_resumed(hit->thread))
		hit->panic.kind = P3_PANIC_RESUMED;
	hit->known = true;
	return NULL;
}

/* What is said of each kind of stop. */
static const char *title(const struct hit *hit)
{
	switch (hit->point) {
	case P3_POINT_NOUNWIND:
		return "Rust panic in a function that cannot unwind: the process will abort";
	case P3_POINT_CLEANUP:
		return "Rust panic in a destructor during cleanup: the process will abort";
	case P3_POINT_CAUGHT:
		return "Rust panic caught: PyO3 makes a PanicException of it";
	default:
		return hit->panic.kind == P3_PANIC_RESUMED ? "Rust panic resumed" : "Rust panic";
	}
}

static void add_location(const char *file, uint32_t line, uint32_t column, struct p3_text *text)
{
	p3_text_add_safe(text, file, strlen(file), 0);
	p3_text_printf(text, ":%" PRIu32 ":%" PRIu32, line, column);
}

static void add_panic(const struct hit *hit, struct p3_text *text)
{
	const struct p3_panic *first;
	bool fatal = hit->point == P3_POINT_NOUNWIND || hit->point == P3_POINT_CLEANUP;

	p3_text_printf(text, "\n%s", title(hit));
	if (fatal && hit->panic.message)
		p3_text_printf(text, "\n  after: %s", hit->panic.message);
	else if (hit->panic.message)
		p3_text_printf(text, ": %s", hit->panic.message);
	else if (hit->known && !fatal)
		p3_text_add(text, " with a payload that is no string");
	if (hit->panic.file) {
		p3_text_add(text, "\n  at ");
		add_location(hit->panic.file, hit->panic.line, hit->panic.column, text);
	}
	if (hit->point == P3_POINT_PANIC && hit->module && hit->module->facts &&
	    hit->module->facts->panic_abort)
		p3_text_add(text, "\n  the process will abort: built with panic = \"abort\"");
	first = hit->panic.kind == P3_PANIC_RESUMED ? first_seen(hit->panic.message) : NULL;
	if (first && first->file) {
		p3_text_add(text, "\n  first seen at ");
		add_location(first->file, first->line, first->column, text);
	}
	if (hit->module) {
		p3_text_add(text, "\n  in ");
		p3_text_add_safe(text, p3_base_name(hit->module->name),
				 strlen(p3_base_name(hit->module->name)), 0);
	}
	p3_text_add(text, "\n");
}

static void set_variables(struct p3_command_context *context, const struct p3_panic *panic)
{
	if (!context->actions->variable)
		return;
	context->actions->variable(context->actions_context, "_pyo3_panic_message",
				   panic->message ? panic->message : "", 0);
	context->actions->variable(context->actions_context, "_pyo3_panic_file",
				   panic->file ? panic->file : "", 0);
	context->actions->variable(context->actions_context, "_pyo3_panic_line", NULL, panic->line);
}

static bool is_wanted(const struct mode *mode, const struct hit *hit)
{
	if (hit->point == P3_POINT_CAUGHT && !mode->caught)
		return false;
	if (hit->panic.kind == P3_PANIC_RESUMED && !mode->all)
		return false;
	if (mode->module &&
	    (!hit->module || !strstr(p3_base_name(hit->module->name), mode->module)))
		return false;
	return !mode->message ||
	       (hit->panic.message && regexec(&mode->pattern, hit->panic.message, 0, NULL, 0) == 0);
}

/* The selected thread, and which function it is at the start of. */
static struct p3_error *find_hit(struct p3_command_context *context, struct hit *ret)
{
	struct hit hit = { 0 };

	P3_TRY(p3_stop_thread(context, &hit.thread));
	hit.module = hit.thread->frames.items[0].module;
	if (hit.thread->frames.items[0].native.name)
		hit.point = p3_rust_point(hit.thread->frames.items[0].native.name);
	/* The unwinder was called by the module that panics. */
	if (hit.point == P3_POINT_RAISE)
		hit.module =
			hit.thread->frames.count > 1 ? hit.thread->frames.items[1].module : NULL;
	*ret = hit;
	return NULL;
}

struct p3_error *p3_panic_hit(struct p3_command_context *context, uint32_t mode, bool *stop_ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_error *error;
	struct hit hit;

	*stop_ret = true;
	P3_TRY(find_hit(context, &hit));
	/* A module with symbols was stopped in before it came to the unwinder. */
	if (hit.point == P3_POINT_RAISE &&
	    (!hit.module || !hit.module->facts || !hit.module->facts->rust ||
	     hit.module->facts->tier != P3_TIER_STRIPPED)) {
		*stop_ret = false;
		return NULL;
	}
	error = read_panic(context, &hit);
	if (error && error->code == P3_NOT_FOUND) {
		p3_error_free(error);
		*stop_ret = false;
		return NULL;
	}
	if (!error)
		*stop_ret = is_wanted(&panics.modes[mode < panics.mode_count ? mode : 0], &hit);
	if (!error && hit.panic.kind == P3_PANIC_NEW &&
	    (hit.point == P3_POINT_PANIC || hit.point == P3_POINT_RAISE))
		remember(&hit);
	if (!*stop_ret)
		return NULL;
	add_panic(&hit, &text);
	if (error)
		p3_text_printf(&text, "  its message cannot be read: %s\n", error->message);
	p3_error_free(error);
	set_variables(context, &hit.panic);
	return p3_stop_show(context, &text);
}

/* ---- later ---- */

/* Without symbols: what called abort(), as far as std's own frames can reach. */
static bool find_nameless(const struct p3_snapshot_thread *thread, uint64_t *sp, uint64_t *end)
{
	const struct p3_snapshot_frame *frame = NULL;
	size_t i, start = 0;

	for (i = 0; i < thread->frames.count && !start; i++) {
		const char *name = thread->frames.items[i].native.name;

		if (name && (!strcmp(name, "abort") || !strcmp(name, "__GI_abort")))
			start = i + 1;
	}
	for (i = start; start && i < thread->frames.count && i < start + CALLERS; i++) {
		const struct p3_module *module = thread->frames.items[i].module;

		if (!module || !module->facts || !module->facts->rust ||
		    module->facts->tier != P3_TIER_STRIPPED)
			break;
		frame = &thread->frames.items[i];
		*end = frame->native.cfa;
	}
	if (frame)
		*sp = thread->frames.items[start].native.sp;
	return frame && *end > *sp;
}

/* The stack from the innermost frame of the panic machinery on to where it was called. */
static bool find_machinery(const struct p3_snapshot_thread *thread, uint64_t *sp, uint64_t *end)
{
	size_t i;

	*sp = *end = 0;
	for (i = 0; i < thread->frames.count; i++) {
		const struct p3_snapshot_frame *frame = &thread->frames.items[i];

		if (frame->role == P3_ROLE_PANIC && !*sp)
			*sp = frame->native.sp;
		if (frame->role == P3_ROLE_PANIC)
			*end = frame->native.cfa;
	}
	return *sp ? *end > *sp : find_nameless(thread, sp, end);
}

struct p3_error *p3_command_panic(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_target *target = p3_session_target(context->session);
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const struct p3_panic *seen;
	struct p3_error *error;
	uint64_t sp, end;
	struct hit hit;

	(void)words;
	P3_TRY(p3_command_no_arguments("pyo3-panic", count));
	P3_TRY(find_hit(context, &hit));
	hit.module = NULL;
	error = find_machinery(hit.thread, &sp, &end)
			? p3_rust_find_panic(target, p3_target_arena(target), sp, end, &hit.panic)
			: p3_error_new(P3_NOT_FOUND, "this thread is in no panic");
	hit.known = !error;
	seen = last_seen(hit.thread->thread.lwp);
	if (error && seen) {
		hit.panic = *seen;
		hit.known = true;
	}
	if (!hit.known)
		return p3_error_hint(error, "pyo3-exception shows a PanicException; `thread apply "
					    "all pyo3-panic` looks at every thread");
	p3_error_free(error);
	set_variables(context, &hit.panic);
	add_panic(&hit, &text);
	return p3_command_write(context, p3_text_string(&text) + 1); /* without its empty line */
}
