/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Errors as returned objects.
 *
 *	struct p3_error *p3_thing_do(struct p3_thing *thing, ..., T *ret) P3_MUST_CHECK;
 *
 * NULL is success. `ret` is the last parameter and is written only on success.
 * An error has one owner: whoever holds it returns it, or frees it.
 */
#ifndef PYO3_GDB_ERROR_H
#define PYO3_GDB_ERROR_H

#include <stdbool.h>

#define P3_MUST_CHECK	     __attribute__((warn_unused_result))
#define P3_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* At a declaration: run done(&variable) when it goes out of scope. */
#define P3_CLEANUP(done) __attribute__((cleanup(done)))

/* Each code has one consequence for whoever catches it. */
enum p3_error_code {
	P3_FAULT = 1,	/* memory of the target is unreadable: show the thing as absent */
	P3_NOT_FOUND,	/* it is not there: go on without it */
	P3_MISSING,	/* a file or debug information is missing: the hint says which */
	P3_UNSUPPORTED, /* a version this program does not know: the message names it */
	P3_BAD_DATA,	/* what was read makes no sense: stop reading there */
	P3_USAGE,	/* the user asked for something that cannot be: show the hint */
	P3_HOST,	/* the debugger failed or was interrupted */
};

struct p3_error {
	enum p3_error_code code;
	char *message; /* one line, lower case, names the object and the address */
	char *hint;    /* one line: what the user can do; or NULL */
};

/* Make an error; never fails (out of memory ends the program, as in gdb). */
struct p3_error *p3_error_new(enum p3_error_code code, const char *format, ...)
	P3_PRINTF(2, 3) P3_MUST_CHECK;
/* Free an error; NULL is accepted. */
void p3_error_free(struct p3_error *error);
/* For P3_CLEANUP. */
void p3_error_done(struct p3_error **error);

/* Put "context: " in front of the message, where the purpose is known. Returns `error`. */
struct p3_error *p3_error_context(struct p3_error *error, const char *format, ...)
	P3_PRINTF(2, 3) P3_MUST_CHECK;
/* Set the remedy; an older hint, being closer to the cause, stays. Returns `error`. */
struct p3_error *p3_error_hint(struct p3_error *error, const char *format, ...)
	P3_PRINTF(2, 3) P3_MUST_CHECK;

/* True if *error has this code; it is then freed and *error is NULL. */
bool p3_error_catch(struct p3_error **error, enum p3_error_code code);

/* Return from the calling function if `expression` is an error. */
#define P3_TRY(expression)                            \
	do {                                          \
		struct p3_error *try_ = (expression); \
		if (try_)                             \
			return try_;                  \
	} while (0)

#endif
