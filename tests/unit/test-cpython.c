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
		CHECK(p3_py_line(P3_LINES_3_11, table, sizeof(table), 10, rows[i].offset) ==
		      rows[i].line);
	/* cut anywhere, it ends */
	for (i = 0; i < sizeof(table); i++)
		CHECK(p3_py_line(P3_LINES_3_11, table, i, 10, 1 << 20) == 0);
	CHECK(p3_py_line(P3_LINES_3_11, NULL, 0, 10, 0) == 0);
}

/* Objects/lnotab_notes.txt: an advance, then a signed step; steps of a function that goes back. */
static void old_line_tables(void)
{
	static const uint8_t lnotab[] = { 0, 1, 6, 1, 255, 0, 45, 2, 4, 0xfe };
	static const uint8_t pairs[] = { 4, 1, 6, 2, 2, 0x80, 4, 0, 2, 0xfd };

	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 0) == 11);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 5) == 11);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 6) == 12);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 305) == 12);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 306) == 14);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, sizeof(lnotab), 10, 1000) == 12);
	CHECK(p3_py_line(P3_LINES_3_8, lnotab, 3, 10, 6) == 11);
	CHECK(p3_py_line(P3_LINES_3_8, NULL, 0, 10, 6) == 10);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 3) == 11);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 4) == 13);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 10) == 0);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 12) == 13);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 16) == 10);
	CHECK(p3_py_line(P3_LINES_3_10, pairs, sizeof(pairs), 10, 18) == 0);
	CHECK(p3_py_line(P3_LINES_3_10, NULL, 0, 10, 0) == 0);
}

static void layouts(void)
{
	CHECK_STRING(p3_layout_supported(), "3.8 to 3.15");
	CHECK(p3_layout_find(3, 8, false) != NULL);
	CHECK(p3_layout_find(3, 7, false) == NULL);
	CHECK(p3_layout_find(3, 12, true) == NULL);
	CHECK(p3_layout_find(3, 13, true) != NULL);
	CHECK(p3_layout_find(3, 16, false) == NULL);
	CHECK(p3_layout_find(3, 99, false) == NULL);
	CHECK(p3_layout_find(0, 0, false) == NULL);
}

/* Of the members that the row has: what a version does not have is 0 there, or not asked for. */
static bool same_members(const struct p3_layout *row, const struct p3_layout *other)
{
	const uint32_t *a = (const uint32_t *)&row->runtime, *b = (const uint32_t *)&other->runtime;
	const uint32_t *end = (const uint32_t *)(row + 1), *begin = a;
	bool same = true;

	for (; a < end; a++, b++) {
		if (!*a || *a == *b)
			continue;
		printf("# word %td of the layout: the row has %u, DWARF %u\n", a - begin, *a, *b);
		same = false;
	}
	return same;
}

/* What the DWARF of a release build says is what its row says: LIBPYTHON... */
static char **interpreters;

static void dwarf_equals_row(void)
{
	for (; *interpreters; interpreters++) {
		struct p3_file *file = NULL;
		struct p3_layout layout;
		const struct p3_layout *row;
		const char *name = strstr(*interpreters, "python3.");
		int minor = 0;

		CHECK(name && sscanf(name, "python3.%d", &minor) == 1);
		row = p3_layout_find(3, (uint8_t)minor, false);
		if (!row || !check_ok(p3_file_open(*interpreters, NULL, &file))) {
			CHECK(!"a row, and a file");
			continue;
		}
		layout = *row;
		CHECK(p3_layout_from_dwarf(file, &layout));
		if (!same_members(row, &layout))
			printf("# %s\n", *interpreters);
		CHECK(same_members(row, &layout));
		/* From nothing, so that what is equal was not just left alone. */
		memset(&layout, 0, sizeof(layout));
		CHECK(p3_layout_from_dwarf(file, &layout));
		CHECK(layout.thread.interpreter == row->thread.interpreter);
		CHECK(layout.code.filename == row->code.filename);
		CHECK(layout.unicode.ascii_data == row->unicode.ascii_data);
		CHECK(layout.gil.locked == row->gil.locked);
		p3_file_close(file);
	}
}

static void same_name(void)
{
	CHECK(p3_py_same_name("demo.Counter.add", "demo.Counter.add"));
	CHECK(p3_py_same_name("builtins.Counter.add", "demo.Counter.add"));
	CHECK(p3_py_same_name("demo.Counter.add", "Counter.add"));
	CHECK(p3_py_same_name("demo.Counter.add", "add"));
	CHECK(p3_py_same_name("pydantic_core._pydantic_core.Url.host", "pydantic_core.Url.host"));
	CHECK(!p3_py_same_name("demo.Counter.add", "demo.Other.add"));
	CHECK(!p3_py_same_name("demo.Counter.add", "demo.Counter.ad"));
	CHECK(!p3_py_same_name("demo.add", "Counter.add"));
	CHECK(!p3_py_same_name("demo.Counters.add", "Counter.add"));
}

int main(int count, char **arguments)
{
	interpreters = arguments + 1;
	if (count > 1)
		RUN(dwarf_equals_row);
	RUN(line_table);
	RUN(same_name);
	RUN(old_line_tables);
	RUN(layouts);
	return RESULT();
}
