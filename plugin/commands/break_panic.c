/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pyo3-break-panic: the work is the host's, which owns breakpoints. */
#include "commands.h"

struct p3_error *p3_command_break_panic(struct p3_command_context *context, char **words,
					size_t count)
{
	(void)words;
	P3_TRY(p3_command_no_arguments("pyo3-break-panic", count));
	if (!context->actions->break_panic)
		return p3_error_new(P3_USAGE, "a capture cannot be run");
	return context->actions->break_panic(context->actions_context);
}
