/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-break NAME, by the name that Python uses. What is imported is in Python's own tables, renamed
 * items and stripped modules, too; what is not is found by its symbols when the module is loaded,
 * else when PyO3 makes the function or the class: before anything can call it.
 */
#include "commands.h"

#include <pyo3-gdb/elf.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 64, MAX_PLACES = 16 };

/* One debugger, one of these: the NAME of each pyo3-break. */
static struct {
	char *names[MAX_NAMES];
	bool pending[MAX_NAMES]; /* not found yet when it was asked for */
	bool symbols[MAX_NAMES]; /* found since, by its symbols */
	uint32_t count;
} functions;

/* CPython's, that PyO3 makes functions and classes by; the first argument is what they are made
 * of. PyO3 src/types/function.rs, src/pyclass/create_type_object.rs (0.20 to 0.30). */
static const struct {
	const char *name;
	bool class;
} makers[] = {
	{ "PyCFunction_NewEx", false },
	{ "PyCMethod_New", false },
	{ "PyType_FromSpec", true },
};

/* Where to stop, as the debugger takes it. */
struct places {
	const char *specs[MAX_PLACES];
	size_t count;
};

static void add_place(struct places *places, const char *spec)
{
	size_t i;

	for (i = 0; i < places->count; i++)
		if (!strcmp(places->specs[i], spec))
			return;
	if (places->count < MAX_PLACES)
		places->specs[places->count++] = spec;
}

/* The path, if the debugger has a place for it, inlined or not; else NULL. */
static const char *known_path(struct p3_command_context *context, const char *path)
{
	if (!strstr(path, "::") || !context->actions->resolves(context->actions_context, path))
		return NULL;
	return p3_arena_string(p3_target_arena(p3_session_target(context->session)), path);
}

/* "demo.Counter.add" is demo::Counter::add in Rust, if nothing is renamed. */
static const char *rust_path(struct p3_command_context *context, const char *name)
{
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	for (; *name; name++)
		p3_text_add_bytes(&path, *name == '.' ? "::" : name, *name == '.' ? 2 : 1);
	return known_path(context, p3_text_string(&path));
}

/* By the functions that PyO3's macros generate around each item. */
static void find_by_symbols(struct p3_command_context *context, struct p3_file *file,
			    const char *name, struct places *ret)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	size_t count, i;
	const struct p3_symbol *symbols = p3_file_functions(file, &count);

	for (i = 0; i < count; i++) {
		struct p3_text wrapped P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		const char *path;

		/* Of thousands of symbols few are worth the demangling. */
		if (!strstr(symbols[i].name, "__py") ||
		    !p3_rust_wrapped(symbols[i].name, &wrapped) ||
		    !p3_py_same_name(p3_text_string(&wrapped), name))
			continue;
		path = rust_path(context, p3_text_string(&wrapped));
		add_place(ret, path ? path : p3_arena_string(arena, symbols[i].name));
	}
}

/* The user's function, by what PyO3 calls its definition or its trampoline; NULL: not known. */
static const char *defined_path(struct p3_command_context *context,
				const struct p3_modules *modules, const struct p3_py_entry *entry)
{
	const char *names[] = {
		p3_session_object(context->session, modules, entry->definition),
		p3_session_symbol(context->session, modules, entry->address),
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		if (names[i] && p3_rust_defined(names[i], &path))
			return known_path(context, p3_text_string(&path));
	}
	return NULL;
}

/* The best place for each function that Python's tables have. */
static void use_entries(struct p3_command_context *context, const struct p3_modules *modules,
			const struct p3_py_entries *entries, const char *name, struct places *ret)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	size_t i;

	for (i = 0; i < entries->count; i++) {
		const struct p3_py_entry *entry = &entries->items[i];
		const char *spec = defined_path(context, modules, entry);

		if (!spec)
			spec = rust_path(context, name);
		if (!spec)
			spec = p3_session_symbol(context->session, modules, entry->address);
		if (!spec || strpbrk(spec, " <"))
			spec = p3_arena_printf(arena, "*0x%" PRIx64, entry->address);
		add_place(ret, spec);
	}
}

static bool is_rust(struct p3_command_context *context, struct p3_module *module)
{
	const struct p3_file_facts *facts = p3_session_facts(context->session, module);

	return module->path && facts && facts->rust;
}

static void find_loaded(struct p3_command_context *context, const struct p3_snapshot *snapshot,
			const char *name, struct places *ret)
{
	size_t i;

	for (i = 0; i < snapshot->modules.count; i++) {
		struct p3_module *module = &snapshot->modules.items[i];
		struct p3_py_entries entries = { 0 };
		struct p3_file *file = NULL;
		size_t before = ret->count;

		if (!is_rust(context, module))
			continue;
		p3_error_free(p3_file_open(module->path, module->debug_path, &file));
		if (file)
			find_by_symbols(context, file, name, ret);
		p3_file_close(file);
		if (ret->count > before || !snapshot->runtimes.count ||
		    !snapshot->runtimes.items[0]->layout)
			continue;
		p3_py_native_entries(snapshot->runtimes.items[0], module->start, module->end, name,
				     &entries);
		use_entries(context, &snapshot->modules, &entries, name, ret);
	}
}

static const char *condition_of(struct p3_command_context *context, uint32_t number)
{
	return p3_arena_printf(p3_target_arena(p3_session_target(context->session)),
			       "$_pyo3_function(%" PRIu32 ")", number);
}

static struct p3_error *follow(struct p3_command_context *context, const struct places *places,
			       size_t first, uint32_t number)
{
	size_t i;

	for (i = first; i < places->count; i++)
		P3_TRY(p3_stop_follow(context, P3_STOP_FUNCTION, places->specs[i],
				      condition_of(context, number)));
	return NULL;
}

/* A renamed item has a symbol of another name; a stripped one has none. */
struct p3_error *p3_break_makers(struct p3_command_context *context)
{
	uint32_t number;
	size_t i;

	for (number = 0; number < functions.count; number++)
		for (i = 0; functions.pending[number] && !functions.symbols[number] &&
			    i < sizeof(makers) / sizeof(*makers);
		     i++)
			P3_TRY(p3_stop_follow(context, P3_STOP_FUNCTION, makers[i].name, NULL));
	return NULL;
}

struct p3_error *p3_break_loaded(struct p3_command_context *context, struct p3_file *file)
{
	uint32_t number;

	for (number = 0; number < functions.count; number++) {
		struct places places = { 0 };

		if (!functions.pending[number])
			continue;
		find_by_symbols(context, file, functions.names[number], &places);
		P3_TRY(follow(context, &places, 0, number));
		functions.symbols[number] |= places.count > 0;
	}
	return p3_break_makers(context);
}

static bool is_name(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_' && *text != '.' &&
		    !((unsigned char)*text & 0x80))
			return false;
	return true;
}

static struct p3_error *keep_name(const char *name, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < functions.count; i++)
		if (!strcmp(functions.names[i], name))
			break;
	if (i == MAX_NAMES)
		return p3_error_new(P3_USAGE, "there are %d pyo3-break already", MAX_NAMES);
	if (i == functions.count)
		functions.names[functions.count++] = strdup(name);
	*ret = i;
	return NULL;
}

struct p3_error *p3_command_break(struct p3_command_context *context, char **words, size_t count)
{
	const struct p3_snapshot *snapshot;
	struct places places = { 0 };
	struct p3_error *error;
	uint32_t number = 0;

	if (!context->actions->breakpoint)
		return p3_error_new(P3_USAGE, "a capture cannot be run");
	if (count != 1 || !is_name(words[0]))
		return p3_error_hint(p3_error_new(P3_USAGE, "pyo3-break: one name is needed"),
				     "usage: pyo3-break NAME, as Python has it: "
				     "module.function, module.Class.method, Class.__new__");
	P3_TRY(keep_name(words[0], &number));
	error = p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot);
	if (!error)
		find_loaded(context, snapshot, words[0], &places);
	p3_error_free(error);
	functions.pending[number] = !places.count;
	P3_TRY(context->actions->breakpoint(context->actions_context, P3_STOP_FUNCTION,
					    places.count ? places.specs[0] : words[0],
					    condition_of(context, number), false));
	P3_TRY(follow(context, &places, 1, number));
	return p3_stop_arm(context, P3_POINT_BIT(P3_POINT_FUNCTION));
}

/* A function or class is being made: is it asked for? */
static struct p3_error *look_at_making(struct p3_command_context *context,
				       const struct p3_snapshot_thread *thread, bool class)
{
	struct p3_py *py = thread->python.count ? thread->python.items[0].py : NULL;
	uint64_t arguments[2];
	uint32_t number;

	P3_TRY(p3_stop_arguments(context, thread->thread.number, arguments));
	for (number = 0; py && number < functions.count; number++) {
		const char *name = functions.names[number];
		struct p3_py_entries entries = { 0 };
		struct places places = { 0 };

		if (!functions.pending[number] || functions.symbols[number])
			continue;
		if (class)
			p3_py_spec_entries(py, arguments[0], thread->modules, name, &entries);
		else
			p3_py_definition_entries(py, arguments[0], name, &entries);
		use_entries(context, thread->modules, &entries, name, &places);
		P3_TRY(follow(context, &places, 0, number));
	}
	return NULL;
}

struct p3_error *p3_function_hit(struct p3_command_context *context, uint32_t mode, bool *stop_ret)
{
	const struct p3_snapshot_thread *thread;
	const struct p3_snapshot_frame *frame;
	size_t i;

	(void)mode;
	*stop_ret = false;
	P3_TRY(p3_stop_thread(context, &thread));
	frame = &thread->frames.items[0];
	for (i = 0; frame->function && i < sizeof(makers) / sizeof(*makers); i++)
		if (!strcmp(frame->function, makers[i].name))
			return look_at_making(context, thread, makers[i].class);
	/* An address of an earlier run may be anything now. */
	*stop_ret = frame->module && frame->module->facts && frame->module->facts->rust;
	return NULL;
}

/* ---- completion ---- */

void p3_break_complete(struct p3_command_context *context, const char *text,
		       void (*add)(void *list, const char *name), void *list)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	const struct p3_snapshot *snapshot;
	struct p3_error *error = p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot);
	size_t i, j;

	for (i = 0; !error && i < snapshot->modules.count; i++) {
		struct p3_module *module = &snapshot->modules.items[i];
		struct p3_py_names names = { 0 };

		if (!is_rust(context, module) || !snapshot->runtimes.count ||
		    !snapshot->runtimes.items[0]->layout)
			continue;
		p3_py_native_names(snapshot->runtimes.items[0], module->start, module->end, &names);
		for (j = 0; j < names.count; j++)
			if (!strncmp(names.items[j], text, strlen(text)))
				add(list, p3_arena_string(arena, names.items[j]));
	}
	p3_error_free(error);
}
