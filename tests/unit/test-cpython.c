/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cpython/: line tables and layouts; the rest is tested on real interpreters. */
#include "check.h"

#include "../../plugin/cpython/layout.h"

/* Python: (lambda: None).__code__.co_linetable of 3.11+ functions, by hand. */
static void line_table(void)
{
	static const uint8_t table[] = {
		0x80 | 14 << 3 | 1, 2,	  0, 1, 1, /* long: 2 units, line +1, one varint each */
		0x80 | 10 << 3 | 0, 0,	  0,	   /* one line, +0: 1 unit */
		0x80 | 12 << 3 | 3, 0,	  0,	   /* +2: 4 units */
		0x80 | 13 << 3 | 0, 3,		   /* no columns: -1, 1 unit */
		0x80 | 15 << 3 | 0,		   /* no line: 1 unit */
		0x80 | 0 << 3 | 7,  0x11,	   /* short: 8 units */
	};
	static const struct {
		uint64_t offset;
		uint32_t line;
	} rows[] = { { 0, 11 }, { 3, 11 },  { 4, 11 },	{ 6, 13 }, { 13, 13 },	  { 14, 12 },
		     { 16, 0 }, { 18, 12 }, { 33, 12 }, { 34, 0 }, { 1 << 20, 0 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK(p3_py_line(table, sizeof(table), 10, rows[i].offset) == rows[i].line);
	/* cut anywhere, it ends */
	for (i = 0; i < sizeof(table); i++)
		CHECK(p3_py_line(table, i, 10, 1 << 20) == 0);
	CHECK(p3_py_line(NULL, 0, 10, 0) == 0);
}

static void layouts(void)
{
	CHECK_STRING(p3_layout_supported(), "3.11, 3.12 and 3.13");
	CHECK(p3_layout_find(3, 13, false) != NULL);
	CHECK(p3_layout_find(3, 13, true) == NULL);
	CHECK(p3_layout_find(3, 99, false) == NULL);
	CHECK(p3_layout_find(0, 0, false) == NULL);
}

int main(void)
{
	RUN(line_table);
	RUN(layouts);
	return RESULT();
}
