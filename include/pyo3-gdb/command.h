/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Commands: what a person types. They see a session (facts, read-only) and a
 * table of actions, the only way to act on the debugger. Nothing here knows
 * gdb or Python; the tests run the same commands on captures.
 */
#ifndef PYO3_GDB_COMMAND_H
#define PYO3_GDB_COMMAND_H

#include <pyo3-gdb/render.h>
#include <pyo3-gdb/stack.h>

/* Kinds of breakpoints that say what happened. */
enum p3_stop { P3_STOP_PANIC, P3_STOP_BORROW, P3_STOP_EXCEPTION, P3_STOP_FUNCTION, P3_STOPS };

/* The acting op table. */
struct p3_actions {
	/* Write to the user; P3_HOST when the user interrupted or quit the pager. */
	struct p3_error *(*write)(void *context, const char *text);
	/*
	 * Set the user's breakpoint, pending if need be; P3_USAGE: there is one with this
	 * condition. `spec` NULL: on rust_panic, by the name that this debugger finds it by.
	 * `internal`: set one, once, that does as the user's with this condition, NULL: as any
	 * of the same kind; P3_NOT_FOUND: there is no such function yet.
	 */
	struct p3_error *(*breakpoint)(void *context, enum p3_stop stop, const char *spec,
				       const char *condition, bool internal);
	/* Would a breakpoint at `spec` have a place now? */
	bool (*resolves)(void *context, const char *spec);
	/* The files that the debugger has loaded, with no process, too. */
	const char *const *(*files)(void *context, struct p3_arena *arena, size_t *count_ret);
	/* Set a convenience variable, $NAME; text NULL: to the number. */
	void (*variable)(void *context, const char *name, const char *text, uint64_t number);
	/* Make the frame of this level the selected one, without printing it. */
	struct p3_error *(*select)(void *context, uint32_t thread, uint32_t level);
	/* List the source of the selected frame, as gdb does. */
	struct p3_error *(*list)(void *context, const char *arguments);
	/* State of a Rust module's pretty-printers, one line; NULL: unknown. */
	const char *(*printers)(void *context, struct p3_arena *arena, const char *module);
};

struct p3_command_context {
	struct p3_session *session;
	struct p3_host host; /* of the session, for pyo3-capture to record */
	struct p3_render_options options;
	const struct p3_actions *actions;
	void *actions_context;
};

enum p3_completes { P3_COMPLETES_NOTHING, P3_COMPLETES_FILES, P3_COMPLETES_FUNCTIONS };

struct p3_command {
	const char *name;	     /* "pyo3-bt", "info pyo3" */
	const char *arguments;	     /* "[-full] [-raw] ..." */
	const char *summary;	     /* one line, as `help` lists it */
	const char *help;	     /* the rest of `help pyo3-bt` */
	const char *const *options;  /* for completion; NULL-terminated */
	enum p3_completes completes; /* beside the options */
	struct p3_error *(*run)(struct p3_command_context *context, char **words, size_t count);
};

/* All commands, in the order of command.def. */
const struct p3_command *p3_commands(size_t *count_ret);
const struct p3_command *p3_command_find(const char *name);

/* Split the arguments as gdb does (quotes, backslashes) and run the command. */
struct p3_error *p3_command_run(const struct p3_command *command,
				struct p3_command_context *context,
				const char *arguments) P3_MUST_CHECK;

/* Read an option by gdb's rules: "-full", or a prefix of it that no other option has.
 * Gives the option's index in command->options, or P3_USAGE. */
struct p3_error *p3_command_option(const struct p3_command *command, const char *word,
				   size_t *ret) P3_MUST_CHECK;

/* ---- stops: what the debugger tells of, once pyo3-break-panic and the like were given ---- */

/*
 * A breakpoint was hit by the selected thread: say what it is, and whether to stop. `mode`: which
 * of several such commands, the number in its condition.
 */
typedef struct p3_error *p3_stop_hit(struct p3_command_context *context, uint32_t mode,
				     bool *stop_ret) P3_MUST_CHECK;
extern const struct p3_stop_kind {
	const char *function; /* $FUNCTION(MODE) is the condition of the user's breakpoint */
	const char *help;
	p3_stop_hit *hit;
	/* Once it has stopped, and so have all threads: say more. NULL: hit has said it all. */
	struct p3_error *(*stopped)(struct p3_command_context *context);
} p3_stop_kinds[P3_STOPS];

/* Call `add` with each Python name of a Rust function in the process that begins with `text`. */
void p3_break_complete(struct p3_command_context *context, const char *text,
		       void (*add)(void *list, const char *name), void *list);

/* A file was loaded: if it is a Rust module, breakpoints are set in it. */
struct p3_error *p3_stop_loaded(struct p3_command_context *context, const char *path,
				const char *debug_path) P3_MUST_CHECK;
/* How panics in this module are stopped at, one line; NULL: not asked for. */
const char *p3_stop_state(const char *path);

#endif
