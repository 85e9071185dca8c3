/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-capture: ask everything that the commands that only read would ask, through a
 * recorder, and write down the answers.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct p3_error *write_nothing(void *context, const char *text)
{
	(void)context;
	(void)text;
	return NULL;
}

static const struct p3_actions no_actions = { .write = write_nothing };

struct p3_error *p3_command_capture(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_recorder *recorder P3_CLEANUP(p3_recorder_done) = NULL;
	struct p3_session *session P3_CLEANUP(p3_session_done) = NULL;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_command_context recording = { 0 };
	const struct p3_snapshot *snapshot;
	/* These have something to say at some stops only. */
	static const char *const others[] = { "pyo3-deadlock", "pyo3-exception", "pyo3-panic" };
	struct stat status;
	size_t i;

	if (count != 1)
		return p3_error_hint(
			p3_error_new(P3_USAGE, "pyo3-capture needs the name of a file"),
			"usage: pyo3-capture FILE");
	recorder = p3_recorder_new(context->host);
	session = p3_session_new(p3_recorder_host(recorder));
	recording.session = session;
	recording.host = p3_recorder_host(recorder);
	recording.actions = &no_actions;
	P3_TRY(p3_command_run(p3_command_find("pyo3-bt"), &recording, "-all -full -json"));
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		p3_error_free(p3_command_run(p3_command_find(others[i]), &recording, ""));
	P3_TRY(p3_session_snapshot(session, P3_NO_THREADS, &snapshot));
	for (i = 0; i < snapshot->modules.count; i++)
		(void)p3_session_facts(session, &snapshot->modules.items[i]);
	if (p3_target_interrupted(p3_session_target(session)))
		return p3_error_new(P3_HOST, "interrupted: nothing was written");
	if (!strncmp(words[0], "~/", 2) && getenv("HOME")) /* as gdb's own commands */
		p3_text_printf(&path, "%s%s", getenv("HOME"), words[0] + 1);
	else
		p3_text_add(&path, words[0]);
	P3_TRY(p3_recorder_write(recorder, &snapshot->modules, p3_text_string(&path)));
	if (stat(p3_text_string(&path), &status) < 0)
		status.st_size = 0;
	p3_text_printf(&text,
		       "Wrote %s (%lld KiB). It holds memory of the process, which may hold "
		       "secrets: look before you share it.\n",
		       p3_text_string(&path), (long long)(status.st_size + 1023) / 1024);
	return p3_command_write(context, p3_text_string(&text));
}
