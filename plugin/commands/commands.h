/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to commands/: the functions of command.def, and what they share. */
#ifndef PYO3_GDB_COMMANDS_H
#define PYO3_GDB_COMMANDS_H

#include <pyo3-gdb/command.h>

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

struct p3_error *p3_command_no_arguments(const char *name, size_t count) P3_MUST_CHECK;
struct p3_error *p3_command_write(struct p3_command_context *context,
				  const char *text) P3_MUST_CHECK;

#endif
