/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* info pyo3: what was found, and what is missing to tell more. */
#include "commands.h"

#include <inttypes.h>
#include <string.h>

static void add_runtime(const struct p3_py *py, struct p3_text *text)
{
	p3_text_printf(text, "Python     CPython %s%s%s%s, _PyRuntime at 0x%" PRIx64 "\n",
		       *py->version ? py->version : "of unknown version",
		       py->free_threaded ? ", free-threaded" : "", py->debug ? ", debug build" : "",
		       py->by_dwarf ? ", structs by its DWARF" : "", py->runtime);
	if (py->absent)
		p3_text_printf(text, "           %s\n", py->absent);
}

/* What a user can do to be told more about a module of this tier. */
static const char *tier_hint(enum p3_tier tier)
{
	switch (tier) {
	case P3_TIER_DWARF:
		return "functions, inlined calls, lines and variables";
	case P3_TIER_SYMBOLS:
		return "function names only; build with `debug = 2` in [profile.release] for more";
	case P3_TIER_STRIPPED:
		return "no names; build with `strip = false` and `debug = 2` in [profile.release]";
	case P3_TIER_UNKNOWN:
		break;
	}
	return "its file could not be read";
}

static void add_module(struct p3_command_context *context, struct p3_arena *arena,
		       const struct p3_module *module, struct p3_text *text)
{
	const struct p3_file_facts *facts = module->facts;
	const char *printers = NULL, *panics;

	p3_text_add(text, "Rust       ");
	p3_text_add_safe(text, module->name, strlen(module->name), 0);
	p3_text_printf(text, "\n           tier      %s: %s\n", p3_tier_name(facts->tier),
		       tier_hint(facts->tier));
	p3_text_printf(text, "           rustc     %s\n", *facts->rustc ? facts->rustc : "unknown");
	p3_text_printf(text, "           PyO3      %s\n", *facts->pyo3 ? facts->pyo3 : "not found");
	if (module->path && *module->build_id && *facts->build_id &&
	    strcmp(module->build_id, facts->build_id) != 0)
		p3_text_printf(text,
			       "           warning   %s is not the file that was running "
			       "(build-id differs)\n",
			       module->path);
	if (context->actions->printers)
		printers = context->actions->printers(context->actions_context, arena,
						      module->path ? module->path : module->name);
	if (printers)
		p3_text_printf(text, "           printers  %s\n", printers);
	panics = p3_stop_state(module->path ? module->path : module->name);
	if (panics)
		p3_text_printf(text, "           panics    armed %s\n", panics);
}

static void add_missing(const struct p3_module *module, struct p3_text *text)
{
	p3_text_add(text, "Missing    ");
	p3_text_add_safe(text, module->name, strlen(module->name), 0);
	p3_text_add(text, ": its file was not found (`set sysroot`, `set solib-search-path`)\n");
}

/* "1 holds the GIL, sleeps; 2 wait for the GIL": threads alike are counted. */
static void add_threads(struct p3_command_context *context, struct p3_arena *arena,
			struct p3_text *text)
{
	const struct p3_snapshot *snapshot;
	struct p3_error *error = p3_session_snapshot(context->session, P3_ALL_THREADS, &snapshot);
	const char **states;
	size_t i, j, count;

	if (error || !snapshot->threads.count) {
		p3_error_free(error);
		return;
	}
	states = p3_arena_take(arena, snapshot->threads.count * sizeof(*states));
	for (i = 0; i < snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];
		struct p3_text state P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		struct p3_stack stack;
		struct p3_wait wait;

		p3_session_stack(context->session, thread, &stack);
		p3_session_wait(context->session, snapshot, &stack, &wait);
		p3_render_state(thread, &wait, &state);
		states[i] = p3_arena_string(arena, p3_text_string(&state));
	}
	p3_text_printf(text, "Threads    %zu", snapshot->threads.count);
	for (i = 0; i < snapshot->threads.count; i++) {
		for (j = 0; j < i && strcmp(states[j], states[i]) != 0; j++)
			;
		if (j < i)
			continue;
		for (count = 0; j < snapshot->threads.count; j++)
			count += !strcmp(states[i], states[j]);
		p3_text_printf(text, "%s %zu%s", i ? ";" : ":", count,
			       *states[i] ? states[i] + 1 : " runs");
	}
	p3_text_add(text, "\n");
}

struct p3_error *p3_command_info(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const struct p3_snapshot *snapshot;
	struct p3_native_counts counts;
	size_t i, rust = 0, missing = 0;

	(void)words;
	P3_TRY(p3_command_no_arguments("info pyo3", count));
	P3_TRY(p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot));
	p3_text_printf(&text, "Process    %" PRId64 ", %s, seen through %s\n",
		       snapshot->process.pid, snapshot->process.state, snapshot->process.host);
	for (i = 0; i < snapshot->runtimes.count; i++)
		add_runtime(snapshot->runtimes.items[i], &text);
	if (!snapshot->runtimes.count)
		p3_text_printf(&text, "Python     none: %s\n", snapshot->python_absent);
	for (i = 0; i < snapshot->modules.count; i++) {
		struct p3_module *module = &snapshot->modules.items[i];
		const struct p3_file_facts *facts = p3_session_facts(context->session, module);

		if (!facts && strncmp(module->name, "linux-vdso", 10) && module->name[0] != '[') {
			if (missing++ < 3)
				add_missing(module, &text);
		}
		if (!facts || !facts->rust)
			continue;
		rust++;
		add_module(context, arena, module, &text);
	}
	if (missing > 3)
		p3_text_printf(&text, "Missing    %zu more\n", missing - 3);
	if (!rust)
		p3_text_add(&text, "Rust       no module made by rustc is loaded\n");
	add_threads(context, arena, &text);
	counts = p3_session_native_counts(context->session);
	if (counts.own || counts.host)
		p3_text_printf(&text,
			       "Unwinder   %" PRIu64 " threads by our own, %" PRIu64
			       " by gdb%s%s%s\n",
			       counts.own, counts.host, counts.why_host ? " (" : "",
			       counts.why_host ? counts.why_host : "", counts.why_host ? ")" : "");
	if (snapshot->modules.incomplete)
		p3_text_printf(&text, "Modules    the list is not whole: %s\n",
			       snapshot->modules.incomplete);
	return p3_command_write(context, p3_text_string(&text));
}
