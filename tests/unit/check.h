/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A unit test is a program of functions listed in main() with RUN(). It prints
 * "PASS name" or "FAIL name" a function, which tests/run counts.
 */
#ifndef PYO3_GDB_CHECK_H
#define PYO3_GDB_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <pyo3-gdb/error.h>

static int check_failures, check_failed;

#define CHECK(condition)                                                         \
	do {                                                                     \
		if (!(condition)) {                                              \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			check_failures++;                                        \
		}                                                                \
	} while (0)

#define CHECK_STRING(got, wanted)                                                          \
	do {                                                                               \
		const char *got_ = (got), *wanted_ = (wanted);                             \
		if (!got_ || strcmp(got_, wanted_) != 0) {                                 \
			printf("# %s:%d: got \"%s\", wanted \"%s\"\n", __FILE__, __LINE__, \
			       got_ ? got_ : "(null)", wanted_);                           \
			check_failures++;                                                  \
		}                                                                          \
	} while (0)

static inline bool check_ok(struct p3_error *error)
{
	if (error)
		printf("# error: %s\n", error->message);
	p3_error_free(error);
	return !error;
}

static inline bool check_fails(struct p3_error *error, enum p3_error_code code)
{
	bool fails = error && error->code == code;

	p3_error_free(error);
	return fails;
}

static inline void check_run(const char *name, void (*function)(void))
{
	check_failures = 0;
	function();
	printf("%s %s\n", check_failures ? "FAIL" : "PASS", name);
	check_failed |= check_failures;
}

#define RUN(function) check_run(#function, function)
#define RESULT()      (check_failed ? 1 : 0)

#endif
