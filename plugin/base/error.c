/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Errors as returned objects; see error.h for the contract. */
#include <pyo3-gdb/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *format_string(const char *format, va_list args)
{
	char *string;

	if (vasprintf(&string, format, args) < 0)
		abort();
	return string;
}

struct p3_error *p3_error_new(enum p3_error_code code, const char *format, ...)
{
	struct p3_error *error = calloc(1, sizeof(*error));
	va_list args;

	if (!error)
		abort();
	error->code = code;
	va_start(args, format);
	error->message = format_string(format, args);
	va_end(args);
	return error;
}

void p3_error_free(struct p3_error *error)
{
	if (!error)
		return;
	free(error->message);
	free(error->hint);
	free(error);
}

void p3_error_done(struct p3_error **error)
{
	p3_error_free(*error);
}

struct p3_error *p3_error_context(struct p3_error *error, const char *format, ...)
{
	char *context, *message;
	va_list args;

	va_start(args, format);
	context = format_string(format, args);
	va_end(args);
	if (asprintf(&message, "%s: %s", context, error->message) < 0)
		abort();
	free(context);
	free(error->message);
	error->message = message;
	return error;
}

struct p3_error *p3_error_hint(struct p3_error *error, const char *format, ...)
{
	va_list args;

	if (error->hint)
		return error;
	va_start(args, format);
	error->hint = format_string(format, args);
	va_end(args);
	return error;
}

bool p3_error_catch(struct p3_error **error, enum p3_error_code code)
{
	if (!*error || (*error)->code != code)
		return false;
	p3_error_free(*error);
	*error = NULL;
	return true;
}
