/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to commands/: the functions of command.def, and what they share. */
#ifndef PYO3_GDB_COMMANDS_H
#define PYO3_GDB_COMMANDS_H

#include <pyo3-gdb/command.h>
#include <pyo3-gdb/rust.h>

#include <stdio.h>

#define COMMAND(function, ...)                                                                   \
	struct p3_error *p3_command_##function(struct p3_command_context *context, char **words, \
					       size_t count);
#include "command.def"
#undef COMMAND

/* The merged stack of the selected thread, and which of its frames one is in. */
struct p3_place_in_stack {
	const struct p3_snapshot_thread *thread;
	struct p3_stack stack;
	size_t index;
};

struct p3_error *p3_place_find(struct p3_command_context *context,
			       struct p3_place_in_stack *ret) P3_MUST_CHECK;
struct p3_frame *p3_place_frame(struct p3_place_in_stack *place);
/* That frame, or the nearest one further out that is Python's; NULL: there is none. */
struct p3_frame *p3_place_python(struct p3_place_in_stack *place);
/* Select the frame at an index of the stack, in the debugger, too. */
struct p3_error *p3_place_select(struct p3_command_context *context,
				 struct p3_place_in_stack *place, size_t index) P3_MUST_CHECK;
/* Print the one line of the frame. */
struct p3_error *p3_place_write(struct p3_command_context *context,
				struct p3_place_in_stack *place) P3_MUST_CHECK;
/* There is no Python frame here or further out. */
struct p3_error *p3_place_no_python(const struct p3_place_in_stack *place) P3_MUST_CHECK;
/* List the source of the frame; `python`: of the nearest Python frame. */
struct p3_error *p3_place_list(struct p3_command_context *context, char **words, size_t count,
			       const char *command, bool python) P3_MUST_CHECK;

/* NULL: there is no such file, or it is no plain one; errno says which. */
FILE *p3_source_open(const char *path);
/* For P3_CLEANUP. */
void p3_source_done(FILE **file);

/* ---- stops (stop.c) ---- */

/* The functions of these points, in all modules, now and later, have breakpoints. */
#define P3_POINT_BIT(point) (1u << (point))
struct p3_error *p3_stop_arm(struct p3_command_context *context, uint32_t points) P3_MUST_CHECK;
/* The same for one place, if it is there; it does as the breakpoint with this condition, NULL: as any of
 * its kind. */
struct p3_error *p3_stop_follow(struct p3_command_context *context, enum p3_stop stop,
				const char *spec, const char *condition) P3_MUST_CHECK;
/* Has the module a function that is such a point, with a breakpoint? */
bool p3_stop_has_point(const char *path, enum p3_rust_point point);
/* The selected thread, which has frames. */
struct p3_error *p3_stop_thread(struct p3_command_context *context,
				const struct p3_snapshot_thread **ret) P3_MUST_CHECK;
/* The first two integer arguments of a function, at its start. */
struct p3_error *p3_stop_arguments(struct p3_command_context *context, uint32_t thread,
				   uint64_t ret[2]) P3_MUST_CHECK;
/* Print this, and the mixed stack. */
struct p3_error *p3_stop_show(struct p3_command_context *context,
			      const struct p3_text *text) P3_MUST_CHECK;

/* An exception that Rust hands to CPython (raise.c). */
struct p3_raised {
	const struct p3_snapshot_thread *thread; /* NULL: it is not Rust's, or does not leave it */
	const struct p3_module *module;
	uint64_t type, value; /* value: an instance, or what one is made of; 0: nothing */
};
/* At the start of one of CPython's functions for it. */
struct p3_error *p3_raise_find(struct p3_command_context *context,
			       struct p3_raised *ret) P3_MUST_CHECK;
/* Add "ValueError('no')". */
void p3_raise_write(const struct p3_raised *raised, struct p3_text *text);
/* The user's breakpoint on the first of those functions, with this condition. */
struct p3_error *p3_raise_set(struct p3_command_context *context, enum p3_stop stop,
			      const char *condition) P3_MUST_CHECK;
/* An interpreter was loaded: pyo3-break-exception follows it to the others. */
struct p3_error *p3_raise_loaded(struct p3_command_context *context) P3_MUST_CHECK;

/* A Rust module was loaded: what pyo3-break waits for may be in it. */
struct p3_file;
struct p3_error *p3_break_loaded(struct p3_command_context *context,
				 struct p3_file *file) P3_MUST_CHECK;
/* An interpreter was loaded, too: it tells what PyO3 makes, where symbols do not. */
struct p3_error *p3_break_makers(struct p3_command_context *context) P3_MUST_CHECK;

p3_stop_hit p3_panic_hit, p3_borrow_hit, p3_exception_hit, p3_function_hit;
struct p3_error *p3_borrow_stopped(struct p3_command_context *context) P3_MUST_CHECK;

struct p3_error *p3_command_no_arguments(const char *name, size_t count) P3_MUST_CHECK;
struct p3_error *p3_command_write(struct p3_command_context *context,
				  const char *text) P3_MUST_CHECK;

#endif
