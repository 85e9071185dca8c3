/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What pyo3-break-panic, -borrow and -exception have in common: the user's breakpoint is an
 * ordinary one with a condition that says what happened and whether it is worth a stop; others,
 * internal, are set by the linkage names in each module's own symbols, now and when a module is
 * loaded. They do as the user's.
 */
#include "commands.h"

#include <pyo3-gdb/elf.h>

#include <stdlib.h>
#include <string.h>

enum { MAX_MODULES = 256 };

const struct p3_stop_kind p3_stop_kinds[P3_STOPS] = {
	[P3_STOP_PANIC] = { "_pyo3_panic",
			    "$_pyo3_panic ([MODE]): say what Rust panic the thread is at the start "
			    "of.\nThe condition of the breakpoint that pyo3-break-panic makes.",
			    p3_panic_hit, NULL },
	[P3_STOP_BORROW] = { "_pyo3_borrow",
			     "$_pyo3_borrow (): say which object was borrowed, and by whom.\n"
			     "The condition of the breakpoint that pyo3-break-borrow makes.",
			     p3_borrow_hit, p3_borrow_stopped },
	[P3_STOP_EXCEPTION] = { "_pyo3_exception",
				"$_pyo3_exception ([MODE]): say which exception Rust raises.\n"
				"The condition of the breakpoint that pyo3-break-exception makes.",
				p3_exception_hit, NULL },
	[P3_STOP_FUNCTION] = { "_pyo3_function",
			       "$_pyo3_function (N): is this a function of Rust's?\n"
			       "The condition of the breakpoints that pyo3-break makes.",
			       p3_function_hit, NULL },
};

/* Whose breakpoint a function's is. */
static const enum p3_stop owners[] = {
	[P3_POINT_PANIC] = P3_STOP_PANIC,	[P3_POINT_NOUNWIND] = P3_STOP_PANIC,
	[P3_POINT_CLEANUP] = P3_STOP_PANIC,	[P3_POINT_CAUGHT] = P3_STOP_PANIC,
	[P3_POINT_RAISE] = P3_STOP_PANIC,	[P3_POINT_BORROW] = P3_STOP_BORROW,
	[P3_POINT_BORROW_MUT] = P3_STOP_BORROW,
};

/* A Rust module, and which functions it has of those that are stopped at. */
struct armed {
	char *path;
	uint32_t points;
	bool told;
	enum p3_tier tier;
	bool panic_abort;
};

/* One debugger, one of these: as long as it lives. */
static struct {
	bool armed;	 /* any command was given */
	uint32_t wanted; /* points, a bit each */
	struct armed modules[MAX_MODULES];
	size_t count;
} stops;

static struct armed *find_armed(const char *path)
{
	size_t i;

	for (i = 0; i < stops.count; i++)
		if (!strcmp(stops.modules[i].path, path))
			return &stops.modules[i];
	return NULL;
}

const char *p3_stop_state(const char *path)
{
	const struct armed *armed = find_armed(path);

	if (!armed || !(stops.wanted & P3_POINT_BIT(P3_POINT_PANIC)))
		return NULL;
	if (!(armed->points & P3_POINT_BIT(P3_POINT_PANIC)))
		return armed->panic_abort
			       ? "not at all: no symbols, and panic = \"abort\" calls no "
				 "unwinder; at its SIGABRT, pyo3-panic tells the message"
			       : "at the unwinder, as it has no symbols";
	return armed->tier == P3_TIER_DWARF ? "by its symbols, with DWARF" : "by its symbols";
}

bool p3_stop_has_point(const char *path, enum p3_rust_point point)
{
	const struct armed *armed = find_armed(path);

	return armed && (armed->points & P3_POINT_BIT(point));
}

struct p3_error *p3_stop_follow(struct p3_command_context *context, enum p3_stop stop,
				const char *spec, const char *condition)
{
	struct p3_error *error =
		context->actions->breakpoint(context->actions_context, stop, spec, condition, true);

	if (error && error->code == P3_NOT_FOUND) {
		p3_error_free(error);
		error = NULL;
	}
	return error;
}

/* By the functions that the module's symbols name. */
static struct p3_error *set_by_symbols(struct p3_command_context *context, struct p3_file *file,
				       uint32_t *points_ret)
{
	const struct p3_symbol *symbols;
	size_t count, i;

	symbols = p3_file_functions(file, &count);
	for (i = 0; i < count; i++) {
		enum p3_rust_point point = p3_rust_point(symbols[i].name);

		if (point == P3_POINT_RAISE || !(stops.wanted & P3_POINT_BIT(point)))
			continue;
		P3_TRY(p3_stop_follow(context, owners[point], symbols[i].name, NULL));
		*points_ret |= P3_POINT_BIT(point);
	}
	return NULL;
}

static struct p3_error *arm(struct p3_command_context *context, const char *path,
			    const char *debug_path, const struct p3_file_facts *facts)
{
	const char *name = p3_base_name(path);
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct armed *armed = find_armed(path);
	struct p3_file *file = NULL;
	struct p3_error *error;

	if (!armed && stops.count < MAX_MODULES) {
		armed = &stops.modules[stops.count++];
		armed->path = strdup(path);
		armed->tier = facts->tier;
		armed->panic_abort = facts->panic_abort;
	}
	error = armed ? p3_file_open(path, debug_path, &file) : NULL;
	if (error || !file) { /* what is no ELF file is no module */
		p3_error_free(error);
		return NULL;
	}
	error = set_by_symbols(context, file, &armed->points);
	if (!error)
		error = p3_break_loaded(context, file);
	p3_file_close(file);
	P3_TRY(error);
	if (armed->told || !p3_stop_state(path))
		return NULL;
	armed->told = true;
	p3_text_add(&text, "Armed for panics in ");
	p3_text_add_safe(&text, name, strlen(name), 0);
	p3_text_printf(&text, ": %s\n", p3_stop_state(path));
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_stop_loaded(struct p3_command_context *context, const char *path,
				const char *debug_path)
{
	const char *name = p3_base_name(path);
	struct p3_file_facts facts;
	struct p3_error *error;

	if (!stops.armed)
		return NULL;
	if (!strncmp(name, "libgcc_s", 8) || !strncmp(name, "libunwind", 9))
		return stops.wanted & P3_POINT_BIT(P3_POINT_PANIC)
			       ? p3_stop_follow(context, P3_STOP_PANIC, "_Unwind_RaiseException",
						NULL)
			       : NULL;
	error = p3_elf_facts(path, debug_path, &facts);
	if (error) {
		p3_error_free(error);
		return NULL;
	}
	if (facts.py_runtime) {
		P3_TRY(p3_raise_loaded(context));
		P3_TRY(p3_break_makers(context));
	}
	return facts.rust && stops.wanted ? arm(context, path, debug_path, &facts) : NULL;
}

/* No process yet: a program that has Python within is a module already; others are told of when
 * they are loaded. */
static struct p3_error *arm_files(struct p3_command_context *context)
{
	struct p3_arena *arena = p3_target_arena(p3_session_target(context->session));
	const char *const *files;
	size_t count, i;

	files = context->actions->files(context->actions_context, arena, &count);
	for (i = 0; i < count; i++)
		P3_TRY(p3_stop_loaded(context, files[i], NULL));
	return NULL;
}

struct p3_error *p3_stop_arm(struct p3_command_context *context, uint32_t points)
{
	const struct p3_snapshot *snapshot;
	struct p3_error *error;
	size_t i;

	stops.armed = true;
	stops.wanted |= points;
	error = p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot);
	if (error) {
		p3_error_free(error);
		return arm_files(context);
	}
	for (i = 0; i < snapshot->modules.count; i++)
		if (snapshot->modules.items[i].path)
			P3_TRY(p3_stop_loaded(context, snapshot->modules.items[i].path,
					      snapshot->modules.items[i].debug_path));
	return NULL;
}

struct p3_error *p3_stop_thread(struct p3_command_context *context,
				const struct p3_snapshot_thread **ret)
{
	const struct p3_snapshot *snapshot;

	P3_TRY(p3_session_snapshot(context->session, P3_SELECTED_THREAD, &snapshot));
	if (!snapshot->threads.count || !snapshot->threads.items[0].frames.count)
		return p3_error_new(P3_NOT_FOUND, "no thread is selected");
	*ret = &snapshot->threads.items[0];
	return NULL;
}

/* System V's, and the AAPCS64's. */
struct p3_error *p3_stop_arguments(struct p3_command_context *context, uint32_t thread,
				   uint64_t ret[2])
{
	static const char *const registers[][2] = { { "rdi", "rsi" }, { "x0", "x1" } };
	struct p3_target *target = p3_session_target(context->session);
	size_t i;

	for (i = 0; i < sizeof(registers) / sizeof(*registers); i++) {
		struct p3_error *error = p3_target_registers(target, thread, registers[i], 2, ret);

		if (!error && ret[0])
			return NULL;
		p3_error_free(error);
	}
	return p3_error_new(P3_UNSUPPORTED, "the registers of this machine are not known");
}

struct p3_error *p3_stop_show(struct p3_command_context *context, const struct p3_text *text)
{
	static char shown[] = "20";
	char *words[] = { shown };

	P3_TRY(p3_command_write(context, p3_text_string(text)));
	return p3_command_bt(context, words, 1);
}
