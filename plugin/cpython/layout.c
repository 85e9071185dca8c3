/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rows of layout.def, and _Py_DebugOffsets on top of them. The table in the
 * process is untrusted: every value is checked once, here, and a table that
 * does not look right is refused whole.
 */
#include "layout.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	bool free_threaded;
	struct p3_layout layout;
} rows[] = {
#define LAYOUT(major_, minor_, free_threaded_, ...) \
	{ free_threaded_, { .major = major_, .minor = minor_, __VA_ARGS__ } },
#include "layout.def"
#undef LAYOUT
};

/* A position in _Py_DebugOffsets and where its value goes; a `size` starts a table. */
struct offset {
	uint8_t major, minor;
	uint32_t size;
	uint32_t position, member;
	uint64_t limit;
	bool add;
};

static const struct offset offsets[] = {
#define OFFSETS(major_, minor_, size_) { .major = major_, .minor = minor_, .size = size_ },
#define OFFSET(position_, member_, limit_) \
	{ .position = position_, .limit = limit_, .member = offsetof(struct p3_layout, member_) },
#define OFFSET_ADD(position_, member_, limit_)           \
	{ .position = position_,                         \
	  .limit = limit_,                               \
	  .member = offsetof(struct p3_layout, member_), \
	  .add = true },
#include "layout.def"
#undef OFFSETS
#undef OFFSET
#undef OFFSET_ADD
};

/* How a member of the layout is called in the interpreter's DWARF. */
static const struct {
	uint32_t member;
	const char *type, *path;
} members[] = {
#define MEMBER(member_, type_, path_) { offsetof(struct p3_layout, member_), type_, path_ },
#include "layout.def"
#undef MEMBER
};

enum {
	MAX_TABLE = 4096,
	OFFSET_COUNT = sizeof(offsets) / sizeof(*offsets),
	MEMBER_COUNT = sizeof(members) / sizeof(*members),
};

const struct p3_layout *p3_layout_find(uint8_t major, uint8_t minor, bool free_threaded)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].layout.major == major && rows[i].layout.minor == minor &&
		    rows[i].free_threaded == free_threaded)
			return &rows[i].layout;
	return NULL;
}

const char *p3_layout_supported(void)
{
	static char text[32];
	const struct p3_layout *first = &rows[0].layout;
	const struct p3_layout *last = &rows[sizeof(rows) / sizeof(*rows) - 1].layout;

	snprintf(text, sizeof(text), "%d.%d to %d.%d", first->major, first->minor, last->major,
		 last->minor);
	return text;
}

/* From memory, or, where a core does not have it, from the file: it is constant. */
static struct p3_error *read_table(struct p3_py *py, const struct p3_module *module, void *table,
				   size_t size)
{
	struct p3_error *error = p3_read(py->target, py->runtime, table, size);

	if (!error && !memcmp(table, "xdebugpy", 8))
		return NULL;
	p3_error_free(error);
	error = module->path ? p3_elf_bytes(module->path, module->facts->py_runtime, table, size)
			     : p3_error_new(P3_MISSING, "no file");
	if (!error && !memcmp(table, "xdebugpy", 8))
		return NULL;
	p3_error_free(error);
	return p3_error_new(P3_BAD_DATA,
			    "_Py_DebugOffsets at 0x%" PRIx64 " are damaged (no \"xdebugpy\")",
			    py->runtime);
}

struct p3_error *p3_layout_read(struct p3_py *py, const struct p3_module *module,
				const struct p3_layout *row, const struct p3_layout **ret)
{
	uint8_t table[MAX_TABLE];
	struct p3_layout *layout;
	size_t i;

	for (i = 0; i < OFFSET_COUNT; i++)
		if (offsets[i].size && offsets[i].major == row->major &&
		    offsets[i].minor == row->minor)
			break;
	if (i == OFFSET_COUNT) { /* 3.12 and older have no table */
		*ret = row;
		return NULL;
	}
	P3_TRY(read_table(py, module, table, offsets[i].size));
	layout = p3_arena_take(py->arena, sizeof(*layout));
	*layout = *row;
	for (i++; i < OFFSET_COUNT && !offsets[i].size; i++) {
		uint32_t *member;
		uint64_t value;

		memcpy(&value, table + offsets[i].position, sizeof(value));
		if (value > offsets[i].limit)
			return p3_error_new(P3_BAD_DATA,
					    "_Py_DebugOffsets at 0x%" PRIx64
					    " are damaged (offset %" PRIu64 ")",
					    py->runtime, value);
		member = (uint32_t *)((char *)layout + offsets[i].member);
		*member = (offsets[i].add ? *member : 0) + (uint32_t)value;
	}
	*ret = layout;
	return NULL;
}

bool p3_layout_from_dwarf(struct p3_file *file, struct p3_layout *layout)
{
	struct p3_wanted_member wanted[MEMBER_COUNT] = { 0 };
	size_t i, found = 0;

	for (i = 0; i < MEMBER_COUNT; i++) {
		wanted[i].type = members[i].type;
		wanted[i].member = members[i].path;
	}
	p3_file_members(file, wanted, MEMBER_COUNT);
	/* From the last to the first: of several names the first counts. */
	for (i = MEMBER_COUNT; i-- > 0;) {
		if (!wanted[i].found)
			continue;
		memcpy((char *)layout + members[i].member, &wanted[i].offset,
		       sizeof(wanted[i].offset));
		found++;
	}
	return found > 0;
}

/* The name of an object's type, as it stands in memory. */
static struct p3_error *read_type_name(struct p3_py *py, uint64_t object, char name[8])
{
	uint64_t type, at;

	P3_TRY(p3_read_u64(py->target, object + py->layout->object.type, &type));
	P3_TRY(p3_read_u64(py->target, type + py->layout->type.name, &at));
	return p3_read(py->target, at, name, 8);
}

/* Does the first interpreter look like one? P3_BAD_DATA: no. */
static struct p3_error *check_interpreter(struct p3_py *py)
{
	const struct p3_layout *layout = py->layout;
	uint64_t interpreter, thread, back, modules;
	char name[8];

	P3_TRY(p3_read_u64(py->target, py->runtime + layout->runtime.interpreters, &interpreter));
	if (!interpreter)
		return NULL; /* Python has not begun, or has ended */
	P3_TRY(p3_read_u64(py->target, interpreter + layout->interpreter.threads, &thread));
	if (thread)
		P3_TRY(p3_read_u64(py->target, thread + layout->thread.interpreter, &back));
	if (thread && back != interpreter)
		return p3_error_new(P3_BAD_DATA, "its thread is of another interpreter");
	P3_TRY(p3_read_u64(py->target, interpreter + layout->interpreter.modules, &modules));
	if (!modules)
		return NULL;
	P3_TRY(read_type_name(py, modules, name));
	if (memcmp(name, "dict", 5) != 0)
		return p3_error_new(P3_BAD_DATA, "its sys.modules is no dict");
	return NULL;
}

/* Do the offsets fit this process? */
static bool fits(struct p3_py *py)
{
	struct p3_error *error = check_interpreter(py);
	bool yes = !error;

	p3_error_free(error);
	return yes;
}

void p3_layout_adapt(struct p3_py *py, const struct p3_module *module)
{
	const struct p3_layout *row = py->layout;
	struct p3_file *file = NULL;
	struct p3_layout *layout;
	struct p3_error *error;

	if (fits(py) || !module->path)
		return;
	error = p3_file_open(module->path, module->debug_path, &file);
	p3_error_free(error);
	if (!file)
		return;
	layout = p3_arena_take(py->arena, sizeof(*layout));
	*layout = *row;
	py->layout = p3_layout_from_dwarf(file, layout) ? layout : row;
	p3_file_close(file);
	/* What does not fit either is damage, and not another build. */
	py->by_dwarf = py->layout != row && fits(py);
	if (!py->by_dwarf)
		py->layout = row;
}
