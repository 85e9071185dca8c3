/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* base/: error, arena, map, text, role. */
#include "check.h"

#include <pyo3-gdb/arena.h>
#include <pyo3-gdb/role.h>
#include <pyo3-gdb/text.h>

#include <locale.h>
#include <stdint.h>

static void error_context_and_hint(void)
{
	struct p3_error *error = p3_error_new(P3_FAULT, "cannot read 0x%x", 16);

	error = p3_error_hint(p3_error_context(error, "thread %d", 3), "first");
	error = p3_error_hint(error, "second");
	CHECK_STRING(error->message, "thread 3: cannot read 0x10");
	CHECK_STRING(error->hint, "first");
	CHECK(!p3_error_catch(&error, P3_USAGE));
	CHECK(p3_error_catch(&error, P3_FAULT));
	CHECK(error == NULL);
	CHECK(!p3_error_catch(&error, P3_FAULT));
}

static void arena_keeps_objects_apart(void)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	char *small = p3_arena_take(arena, 3), *large = p3_arena_take(arena, 1 << 20), *next;

	memset(small, 1, 3);
	memset(large, 2, 1 << 20);
	next = p3_arena_take(arena, 100);
	CHECK(next[0] == 0 && next[99] == 0);
	CHECK((uintptr_t)next % 16 == 0);
	CHECK(next - small < 64); /* the large object did not use up the chunk */
	CHECK(small[2] == 1 && large[(1 << 20) - 1] == 2);
	CHECK(p3_arena_size(arena) < 3 << 20);
	CHECK_STRING(p3_arena_printf(arena, "%s-%d", "a", 5), "a-5");
	CHECK(p3_arena_string(arena, NULL) == NULL);
}

static void list_grows(void)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_LIST(int) list = { 0 };
	bool right = true;
	int i;

	for (i = 0; i < 10000; i++)
		*p3_list_add(arena, &list) = i;
	for (i = 0; i < 10000; i++)
		right &= list.items[i] == i;
	CHECK(right && list.count == 10000);
}

static void map_finds_what_was_added(void)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	struct p3_map *map = p3_map_new(arena);
	bool right = true;
	uint64_t i;

	for (i = 0; i < 5000; i++)
		*p3_map_slot(map, i * 4096) = (void *)(uintptr_t)(i + 1);
	for (i = 0; i < 5000; i++)
		right &= *p3_map_find(map, i * 4096) == (void *)(uintptr_t)(i + 1);
	CHECK(right);
	CHECK(!p3_map_find(map, 4097));
	CHECK(*p3_map_slot(map, UINT64_MAX) == NULL);
	CHECK(p3_map_find(map, UINT64_MAX) != NULL);
}

static void text_is_safe_for_a_terminal(void)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *wanted;
	} rows[] = {
		{ "plain", 5, "plain" },
		{ "a\033[31mb", 7, "a\\x1b[31mb" },
		{ "\n\t\r", 3, "\\n\\t\\r" },
		{ "\0", 1, "\\x00" },
		{ "\x7f", 1, "\\x7f" },
		{ "\xc2\x9b", 2, "\\x9b" }, /* a C1 control: CSI */
		{ "h\xc3\xa9", 3, "h\xc3\xa9" },
		{ "\xff\xfe", 2, "\xef\xbf\xbd\xef\xbf\xbd" }, /* no UTF-8 */
		{ "\xe2\x80\xae", 3, "\\u202e" },	       /* right-to-left override */
		{ "\xf0\x9f\x90\x8d", 4, "\xf0\x9f\x90\x8d" },
		{ "\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd" },		       /* cut off */
		{ "\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd" },		       /* overlong */
		{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_add_safe(&text, rows[i].bytes, rows[i].size, 0);
		CHECK_STRING(p3_text_string(&text), rows[i].wanted);
	}
}

static void text_quotes_and_cuts(void)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	CHECK_STRING(p3_text_string(&text), "");
	p3_text_add_safe(&text, "it's \\", 6, '\'');
	CHECK_STRING(p3_text_string(&text), "it\\'s \\\\");
	p3_text_cut(&text, 2);
	p3_text_cut(&text, 100);
	CHECK_STRING(p3_text_string(&text), "it");
	CHECK(p3_text_columns("a\xe2\x8b\xae") == 2);
}

static void roles_have_names(void)
{
	int role;

	for (role = 0; role < P3_ROLE_COUNT; role++)
		CHECK(p3_role_name((enum p3_role)role) != NULL);
	CHECK(!p3_role_is_glue(P3_ROLE_USER) && p3_role_is_glue(P3_ROLE_ENTRY));
}

static void reals(void)
{
	static const struct {
		double value;
		bool narrow;
		const char *text;
	} cases[] = {
		{ 10, false, "10.0" },
		{ 100, true, "100.0" },
		{ 0.1, false, "0.1" },
		{ 0.1f, true, "0.1" },
		{ 1e300, false, "1e+300" },
		{ -2.5, false, "-2.5" },
		{ 1.0 / 3, false, "0.3333333333333333" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_add_real(&text, cases[i].value, cases[i].narrow);
		CHECK_STRING(p3_text_string(&text), cases[i].text);
	}
}

int main(void)
{
	RUN(reals);
	setlocale(LC_CTYPE, "C.UTF-8");
	RUN(error_context_and_hint);
	RUN(arena_keeps_objects_apart);
	RUN(list_grows);
	RUN(map_finds_what_was_added);
	RUN(text_is_safe_for_a_terminal);
	RUN(text_quotes_and_cuts);
	RUN(roles_have_names);
	return RESULT();
}
