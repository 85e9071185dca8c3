/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Text being built, and the one place where data of the target becomes text:
 * control characters and escape sequences are escaped, invalid UTF-8 is
 * replaced by U+FFFD, lengths are capped by the caller.
 */
#ifndef PYO3_GDB_TEXT_H
#define PYO3_GDB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pyo3-gdb/error.h>

struct p3_text {
	char *data;  /* NUL-terminated once anything was added, else NULL */
	size_t size; /* bytes, without the NUL */
	size_t room;
};

#define P3_TEXT_INIT \
	{            \
		0    \
	}
void p3_text_done(struct p3_text *text);

/* The text as a C string, "" when nothing was added; valid until the next change. */
const char *p3_text_string(const struct p3_text *text);
void p3_text_add(struct p3_text *text, const char *string);
void p3_text_add_bytes(struct p3_text *text, const char *bytes, size_t size);
void p3_text_printf(struct p3_text *text, const char *format, ...) P3_PRINTF(2, 3);
/* Add a number with the fewest digits that mean it: "10.0", "1e+300"; `narrow`: of a float. */
void p3_text_add_real(struct p3_text *text, double value, bool narrow);
void p3_text_pad(struct p3_text *text, size_t columns);
void p3_text_clear(struct p3_text *text);
/* Cut to `size` bytes; a longer size changes nothing. */
void p3_text_cut(struct p3_text *text, size_t size);

/*
 * Add data of the target as safe UTF-8: C0 and C1 controls become \xNN (newline,
 * tab and return \n, \t and \r), and bytes that are no UTF-8 become U+FFFD.
 * Bidirectional controls (U+202A..2E, U+2066..69), which reorder a terminal
 * line, become \u escapes too. `quote`, unless 0, is escaped as well.
 */
void p3_text_add_safe(struct p3_text *text, const char *bytes, size_t size, char quote);
/* Add one code point in the same way; a surrogate becomes a \u escape. */
void p3_text_add_point(struct p3_text *text, uint32_t point, char quote);

/* Columns a terminal needs for UTF-8 text without escape sequences. */
size_t p3_text_columns(const char *string);
/* The part of a path behind its last slash. */
const char *p3_base_name(const char *path);

#endif
