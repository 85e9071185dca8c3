/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pyo3-threads and pyo3-deadlock: who waits for whom, in sentences. */
#include "commands.h"

#include <inttypes.h>
#include <string.h>

enum { OPTION_JSON, OPTION_VERBOSE };

/* All threads of this stop, and what they wait for. */
struct scene {
	const struct p3_snapshot *snapshot;
	struct p3_stack *stacks;
	struct p3_wait *waits;
	size_t count;
};

static struct p3_error *read_scene(struct p3_command_context *context, struct scene *ret)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	struct scene scene = { 0 };
	size_t i;

	P3_TRY(p3_session_snapshot(context->session, P3_ALL_THREADS, &scene.snapshot));
	scene.count = scene.snapshot->threads.count;
	scene.stacks = p3_arena_take(arena, (scene.count + 1) * sizeof(*scene.stacks));
	for (i = 0; i < scene.count; i++)
		p3_session_stack(context->session, &scene.snapshot->threads.items[i],
				 &scene.stacks[i]);
	scene.waits = p3_session_waits(context->session, scene.snapshot, scene.stacks);
	*ret = scene;
	return NULL;
}

static struct p3_error *read_options(const char *name, char **words, size_t count, bool *json,
				     bool *verbose)
{
	const struct p3_command *command = p3_command_find(name);
	size_t i, option;

	for (i = 0; i < count; i++) {
		if (words[i][0] != '-')
			return p3_error_hint(
				p3_error_new(P3_USAGE, "%s: \"%s\" is no option", name, words[i]),
				"usage: %s %s", name, command->arguments);
		P3_TRY(p3_command_option(command, words[i], &option));
		*json |= option == OPTION_JSON;
		*verbose |= option == OPTION_VERBOSE;
	}
	return NULL;
}

static void add_thread(const struct p3_snapshot_thread *thread, struct p3_text *text)
{
	if (thread->thread.number)
		p3_text_printf(text, "thread %" PRIu32, thread->thread.number);
	else
		p3_text_add(text, "a thread that is gone");
	if (thread->name) {
		p3_text_add(text, " \"");
		p3_text_add_safe(text, thread->name, strlen(thread->name), 0);
		p3_text_add(text, "\"");
	}
}

static void add_wait(const struct p3_wait *wait, struct p3_text *text)
{
	p3_render_wait(wait, text);
	if (wait->where)
		p3_text_printf(text, " in %s", wait->where);
}

/* A lock is held; a job of rayon's runs; a thread is attached while others must stop. */
static const char *holds(const struct p3_wait *wait)
{
	if (wait->kind == P3_WAIT_WORLD)
		return wait->why;
	if (wait->kind == P3_WAIT_CONDITION)
		return "probably runs";
	return wait->certainty == P3_PROBABLE ? "probably holds" : "holds";
}

/* "holds the Mutex demo::CACHE (guard `g` in ...)": what another waits for. */
static void add_holds(const struct p3_wait *wait, struct p3_text *text)
{
	if (wait->kind == P3_WAIT_WORLD) {
		p3_text_add(text, holds(wait));
		return;
	}
	if (wait->kind == P3_WAIT_JOIN)
		p3_text_add(text, "is to end first");
	else {
		p3_text_add(text, holds(wait));
		p3_text_add(text, " ");
		p3_render_lock(wait, text);
	}
	if (wait->kind != P3_WAIT_GIL && wait->why)
		p3_text_printf(text, " (%s)", wait->why);
}

static void add_cycle(const struct scene *scene, const size_t *members, size_t count,
		      struct p3_text *text)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct p3_wait *before = &scene->waits[members[(i + count - 1) % count]];

		p3_text_add(text, i ? "          " : "deadlock: ");
		add_thread(&scene->snapshot->threads.items[members[i]], text);
		p3_text_add(text, " ");
		add_holds(before, text);
		p3_text_add(text, " and ");
		add_wait(&scene->waits[members[i]], text);
		p3_text_add(text, i + 1 < count ? ";\n" : "\n");
	}
}

/* A thread that waits for one of a circle, or for what nobody can give back. */
static void add_stuck(const struct scene *scene, size_t index, const bool *deadlocked, bool forked,
		      struct p3_text *text)
{
	const struct p3_wait *wait = &scene->waits[index];

	add_thread(&scene->snapshot->threads.items[index], text);
	p3_text_add(text, " ");
	add_wait(wait, text);
	if (wait->holder < scene->count) {
		p3_text_add(text, ", which ");
		add_thread(&scene->snapshot->threads.items[wait->holder], text);
		p3_text_printf(text, " %s", holds(wait));
		if (deadlocked[wait->holder])
			p3_text_add(text, ": it is in a deadlock");
	} else if (wait->why) {
		p3_text_printf(text, "; %s", wait->why);
	} else if (wait->kind == P3_WAIT_LOCK) {
		p3_text_add(text, forked ? "; no thread here holds it: the fork that made this "
					   "process has left it locked"
				  : scene->count == 1
					  ? "; no other thread is left that could unlock it: the "
					    "one that held it has ended, or this is the child of a "
					    "fork"
					  : "; who holds it is not known");
	}
	p3_text_add(text, "\n");
}

struct p3_error *p3_command_deadlock(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	bool json = false, verbose = false, forked = false;
	size_t i, j, cycles = 0, *members;
	struct scene scene;
	bool *deadlocked;

	P3_TRY(read_options("pyo3-deadlock", words, count, &json, &verbose));
	P3_TRY(read_scene(context, &scene));
	members = p3_arena_take(arena, (scene.count + 1) * sizeof(*members));
	deadlocked = p3_arena_take(arena, scene.count + 1);
	for (i = 0; i < scene.count; i++) {
		size_t size =
			deadlocked[i] ? 0 : p3_wait_cycle(scene.waits, scene.count, i, members);

		forked |= !scene.snapshot->threads.items[i].thread.number;
		if (!size)
			continue;
		cycles++;
		for (j = 0; j < size; j++)
			deadlocked[members[j]] = true;
		add_cycle(&scene, members, size, &text);
	}
	if (context->actions->variable)
		context->actions->variable(context->actions_context, "_pyo3_deadlock", NULL,
					   cycles);
	if (json) {
		p3_text_clear(&text);
		p3_render_waits(scene.snapshot, scene.waits, deadlocked, &text);
		return p3_command_write(context, p3_text_string(&text));
	}
	if (!cycles)
		p3_text_add(&text, "no deadlock was found\n");
	for (i = 0; i < scene.count; i++)
		if (!deadlocked[i] && scene.waits[i].kind != P3_WAIT_NONE &&
		    scene.snapshot->threads.items[i].thread.number)
			add_stuck(&scene, i, deadlocked, forked, &text);
	return p3_command_write(context, p3_text_string(&text));
}

/* ---- pyo3-threads ---- */

static void add_frame(const struct p3_frame *frame, struct p3_text *text)
{
	if (!frame)
		return;
	p3_text_printf(text, "  %s", frame->function);
	if (frame->file)
		p3_text_printf(text, " %s:%" PRIu32, frame->file, frame->line);
}

/* Everything of the line but which thread it is: threads alike have the same. */
static const char *summarize(struct p3_arena *arena, const struct scene *scene, size_t index)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const struct p3_snapshot_thread *thread = &scene->snapshot->threads.items[index];

	if (thread->python.count > 0 && thread->python.items[0].thread.interpreter)
		p3_text_printf(&text, "interpreter %" PRId64 ", ",
			       thread->python.items[0].thread.interpreter);
	if (thread->gil == P3_GIL_HOLDS)
		p3_text_add(&text, "holds the GIL, ");
	if (thread->attached)
		p3_text_printf(&text, "%s, ", p3_attached_name(thread->attached));
	p3_render_wait(&scene->waits[index], &text);
	add_frame(p3_stack_user_frame(&scene->stacks[index], "rust"), &text);
	add_frame(p3_stack_user_frame(&scene->stacks[index], "python"), &text);
	return p3_arena_string(arena, p3_text_string(&text));
}

static void add_line(const struct p3_snapshot_thread *thread, const char *summary,
		     struct p3_text *text)
{
	if (thread->thread.number)
		p3_text_printf(text, "%-4" PRIu32, thread->thread.number);
	else
		p3_text_add(text, "-   ");
	p3_text_printf(text, "LWP %-8" PRId64, thread->thread.lwp);
	if (thread->name) {
		p3_text_add(text, "\"");
		p3_text_add_safe(text, thread->name, strlen(thread->name), 0);
		p3_text_add(text, "\"  ");
	}
	p3_text_add(text, summary);
	p3_text_add(text, "\n");
}

struct p3_error *p3_command_threads(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	bool json = false, verbose = false, *done;
	const char **summaries;
	struct scene scene;
	size_t i, j, alike;

	P3_TRY(read_options("pyo3-threads", words, count, &json, &verbose));
	P3_TRY(read_scene(context, &scene));
	done = p3_arena_take(arena, scene.count + 1);
	if (json) {
		p3_render_waits(scene.snapshot, scene.waits, done, &text);
		return p3_command_write(context, p3_text_string(&text));
	}
	summaries = p3_arena_take(arena, (scene.count + 1) * sizeof(*summaries));
	for (i = 0; i < scene.count; i++)
		summaries[i] = summarize(arena, &scene, i);
	for (i = 0; i < scene.count; i++) {
		if (done[i])
			continue;
		for (alike = 0, j = i; j < scene.count; j++)
			alike += !strcmp(summaries[i], summaries[j]);
		if (alike < 3 || verbose) {
			add_line(&scene.snapshot->threads.items[i], summaries[i], &text);
			continue;
		}
		p3_text_printf(&text, "%zu threads: %s\n", alike, summaries[i]);
		for (j = i; j < scene.count; j++)
			done[j] |= !strcmp(summaries[i], summaries[j]);
	}
	return p3_command_write(context, p3_text_string(&text));
}
