/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The table of commands, and splitting what was typed. */
#include "commands.h"

#include <ctype.h>
#include <string.h>

enum { MAX_WORDS = 64 };

#define COMMAND(function, name, arguments, completes, summary, help, ...) \
	static const char *const function##_options[] = { __VA_ARGS__ __VA_OPT__(, ) NULL };
#include "command.def"
#undef COMMAND

static const struct p3_command commands[] = {
#define COMMAND(function, name, arguments, completes, summary, help, ...) \
	{ name, arguments, summary, help, function##_options, completes, p3_command_##function },
#include "command.def"
#undef COMMAND
};

const struct p3_command *p3_commands(size_t *count_ret)
{
	*count_ret = sizeof(commands) / sizeof(*commands);
	return commands;
}

const struct p3_command *p3_command_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* The next word, unquoted in place; *at is behind it. NULL: an unfinished quote. */
static char *next_word(char **at)
{
	char *from = *at, *to = *at, *word = *at;
	char quote = 0;

	for (; *from && (quote || !isspace((unsigned char)*from)); from++) {
		if (quote && *from == quote)
			quote = 0;
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else if (*from == '\\' && from[1] && quote != '\'')
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*at = from + (*from != 0);
	*to = 0;
	return quote ? NULL : word;
}

struct p3_error *p3_command_run(const struct p3_command *command,
				struct p3_command_context *context, const char *arguments)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	char *at = p3_arena_string(arena, arguments);
	char *words[MAX_WORDS];
	size_t count = 0;

	for (;;) {
		at += strspn(at, " \t\n\v\f\r");
		if (!*at)
			break;
		if (count == MAX_WORDS)
			return p3_error_new(P3_USAGE, "%s: too many arguments", command->name);
		words[count] = next_word(&at);
		if (!words[count++])
			return p3_error_new(P3_USAGE, "%s: unfinished quote", command->name);
	}
	return command->run(context, words, count);
}

struct p3_error *p3_command_option(const struct p3_command *command, const char *word, size_t *ret)
{
	size_t matches = 0, i, found = 0;

	for (i = 0; command->options[i]; i++) {
		if (strncmp(command->options[i], word, strlen(word)) != 0 || !word[1])
			continue;
		matches++;
		found = i;
		if (!strcmp(command->options[i], word)) {
			matches = 1;
			break;
		}
	}
	if (matches != 1)
		return p3_error_hint(p3_error_new(P3_USAGE, "%s: %s option \"%s\"", command->name,
						  matches ? "ambiguous" : "unknown", word),
				     "usage: %s %s", command->name, command->arguments);
	*ret = found;
	return NULL;
}

struct p3_error *p3_command_no_arguments(const char *name, size_t count)
{
	if (count)
		return p3_error_new(P3_USAGE, "%s takes no arguments", name);
	return NULL;
}

struct p3_error *p3_command_write(struct p3_command_context *context, const char *text)
{
	return context->actions->write(context->actions_context, text);
}
