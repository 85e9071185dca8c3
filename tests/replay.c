/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Run a command on a capture, without gdb and without the process:
 *
 *	replay [--reads] FILE COMMAND [ARGUMENT...]
 *
 * --reads prints the number of reads asked of the host to standard error.
 * Exit status: 0; 1 when the command ends in an error; 2 for bad usage.
 */
#include <pyo3-gdb/command.h>

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static struct p3_error *write_text(void *context, const char *text)
{
	(void)context;
	fputs(text, stdout);
	return NULL;
}

static const struct p3_actions actions = { .write = write_text };

static int fail(struct p3_error *error)
{
	fprintf(stderr, "%s\n", error->message);
	if (error->hint)
		fprintf(stderr, "%s\n", error->hint);
	p3_error_free(error);
	return 1;
}

/* A command of one word, or of two; *words: how many it took. */
static const struct p3_command *find_command(char **argv, int *words)
{
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	*words = 1;
	if (p3_command_find(argv[0]) || !argv[1])
		return p3_command_find(argv[0]);
	*words = 2;
	p3_text_printf(&name, "%s %s", argv[0], argv[1]);
	return p3_command_find(p3_text_string(&name));
}

int main(int argc, char **argv)
{
	struct p3_capture *capture P3_CLEANUP(p3_capture_done) = NULL;
	struct p3_session *session P3_CLEANUP(p3_session_done) = NULL;
	struct p3_text arguments P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_command_context context = { .actions = &actions };
	const struct p3_command *command;
	struct p3_error *error;
	bool reads = argc > 1 && !strcmp(argv[1], "--reads");
	int i, words, first = reads ? 2 : 1;

	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc < first + 2 || !(command = find_command(argv + first + 1, &words))) {
		const struct p3_command *commands;
		size_t count, at;

		fprintf(stderr, "usage: replay [--reads] FILE COMMAND [ARGUMENT...]\n");
		commands = p3_commands(&count);
		for (at = 0; at < count; at++)
			fprintf(stderr, "  %s %s\n", commands[at].name, commands[at].arguments);
		return 2;
	}
	error = p3_capture_open(argv[first], &capture);
	if (error)
		return fail(error);
	session = p3_session_new(p3_capture_host(capture));
	context.session = session;
	context.host = p3_capture_host(capture);
	context.options.unicode = true;
	context.options.arguments = P3_SHOW_SCALARS;
	for (i = first + 1 + words; i < argc; i++)
		p3_text_printf(&arguments, "%s ", argv[i]);
	error = p3_command_run(command, &context, p3_text_string(&arguments));
	fflush(stdout);
	if (reads)
		fprintf(stderr, "%" PRIu64 " reads\n",
			p3_target_counts(p3_session_target(session)).reads);
	return error ? fail(error) : 0;
}
