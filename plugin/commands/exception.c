/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pyo3-exception: the Python exceptions of this thread, as a traceback shows them. */
#include "commands.h"

#include <inttypes.h>
#include <string.h>

static struct p3_error *write_exception(struct p3_command_context *context,
					const struct p3_py_exception *exception)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	size_t i;

	p3_text_printf(&text, "%s, %s (at 0x%" PRIx64 ")\n", exception->text, exception->how,
		       exception->object);
	for (i = 0; i < exception->count; i++) {
		const struct p3_py_frame *frame = &exception->items[i];

		p3_text_printf(&text, "  File \"%s\", line %" PRIu32 ", in %s\n", frame->file,
			       frame->line, frame->name);
	}
	if (exception->incomplete)
		p3_text_printf(&text, "  (its traceback ends early: %s)\n", exception->incomplete);
	return p3_command_write(context, p3_text_string(&text));
}

struct p3_error *p3_command_exception(struct p3_command_context *context, char **words,
				      size_t count)
{
	const struct p3_snapshot *snapshot;
	size_t i, j, k, shown = 0;

	(void)words;
	P3_TRY(p3_command_no_arguments("pyo3-exception", count));
	P3_TRY(p3_session_snapshot(context->session, P3_SELECTED_THREAD, &snapshot));
	for (i = 0; i < snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];

		if (!thread->python.count)
			return p3_error_new(P3_USAGE, "%s",
					    thread->python_absent
						    ? thread->python_absent
						    : "Python does not know this thread");
		for (j = 0; j < thread->python.count; j++) {
			const struct p3_snapshot_python *python = &thread->python.items[j];
			struct p3_py_exceptions exceptions;

			p3_py_exceptions(python->py, &python->thread, &exceptions);
			for (k = 0; k < exceptions.count; k++, shown++)
				P3_TRY(write_exception(context, &exceptions.items[k]));
			if (exceptions.incomplete)
				return p3_error_new(P3_BAD_DATA,
						    "the exceptions cannot be read: %s",
						    exceptions.incomplete);
		}
	}
	if (!shown)
		return p3_command_write(context, "No Python exception is on its way or being "
						 "handled in this thread.\n");
	return NULL;
}
