/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to commands/: the functions of command.def, and what they share. */
#ifndef PYO3_GDB_COMMANDS_H
#define PYO3_GDB_COMMANDS_H

#include <pyo3-gdb/command.h>

#define COMMAND(function, ...)                                                                   \
	struct p3_error *p3_command_##function(struct p3_command_context *context, char **words, \
					       size_t count);
#include "command.def"
#undef COMMAND

struct p3_error *p3_command_no_arguments(const char *name, size_t count) P3_MUST_CHECK;
struct p3_error *p3_command_write(struct p3_command_context *context,
				  const char *text) P3_MUST_CHECK;

#endif
