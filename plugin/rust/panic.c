/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a panic says, read at the start of rust_panic(). std ships without
 * argument DWARF, so the message comes from the payload by its vtable's size,
 * and the Location from the caller's stack frame.
 *
 * vtable words: drop, size, align, methods. By size:
 *	16	a &str: ptr, len; or a Box<dyn Any> that is raised again: data, vtable
 *	24	Option<String> of panic_any(String)
 *	32	FormatStringPayload: an Option<String>, then &fmt::Arguments
 * Source: rust-lang/rust library/std/src/panicking.rs, 1.63 to 1.97;
 * facts/rust.md 3.3. Refuses: strings above MAX_MESSAGE.
 */
#include <pyo3-gdb/rust.h>

#include <string.h>

enum {
	MAX_MESSAGE = 4096, /* bytes shown of a message */
	MAX_PATH = 4096,
	MAX_STACK = 16384, /* bytes searched for the Location */
};

static const uint64_t max_string = 1 << 30; /* bytes; more is no plausible String */

/* A plausible, readable string; NULL if it is none. */
static const char *read_text(struct p3_target *target, struct p3_arena *arena, uint64_t address,
			     uint64_t size, uint64_t limit)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	char buffer[MAX_MESSAGE];
	struct p3_error *error;

	if (size > max_string || address < 4096)
		return size == 0 && address ? "" : NULL;
	if (size > limit)
		size = limit;
	error = p3_read(target, address, buffer, size);
	if (error) {
		p3_error_free(error);
		return NULL;
	}
	p3_text_add_safe(&text, buffer, size, 0);
	return p3_arena_string(arena, p3_text_string(&text));
}

/* A String's three words, in whatever order this rustc has put them. */
static const char *read_string(struct p3_target *target, struct p3_arena *arena,
			       const uint64_t *words)
{
	static const uint8_t orders[][3] = { { 0, 1, 2 }, { 1, 0, 2 } }; /* cap, ptr, len */
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		uint64_t room = words[orders[i][0]], address = words[orders[i][1]];
		uint64_t size = words[orders[i][2]];
		const char *text;

		if (room > max_string || size > room)
			continue;
		text = read_text(target, arena, address, size, MAX_MESSAGE);
		if (text)
			return text;
	}
	return NULL;
}

/* The message in a Box<dyn Any + Send> with this data and vtable. */
static const char *read_box(struct p3_target *target, struct p3_arena *arena, uint64_t data,
			    uint64_t vtable)
{
	uint64_t words[3], size;
	struct p3_error *error = p3_read_u64(target, vtable + 8, &size);
	const char *text = NULL;

	if (!error && (size == 24 || size == 16))
		error = p3_read(target, data, words, size);
	if (!error && size == 24)
		text = read_string(target, arena, words);
	else if (!error && size == 16)
		text = read_text(target, arena, words[0], words[1], MAX_MESSAGE);
	p3_error_free(error);
	return text;
}

/* struct Location { file: &str, line: u32, col: u32 }, if one is at this address. */
static bool read_location(struct p3_target *target, struct p3_arena *arena, uint64_t address,
			  struct p3_panic *ret)
{
	struct {
		uint64_t file, size;
		uint32_t line, column;
	} location;
	struct p3_error *error;
	const char *file;
	size_t size;

	if (address < 4096 || address % 8)
		return false;
	error = p3_read(target, address, &location, sizeof(location));
	if (error) {
		p3_error_free(error);
		return false;
	}
	if (location.size < 4 || location.size > MAX_PATH || !location.line ||
	    location.line > 10000000 || location.column > 1000000)
		return false;
	file = read_text(target, arena, location.file, location.size, MAX_PATH);
	size = file ? strlen(file) : 0;
	if (size > 4 && !strcmp(file + size - 4, "\\x00")) /* newer ones end in a NUL */
		size -= 4;
	if (size < 4 || memcmp(file + size - 3, ".rs", 3))
		return false;
	ret->file = p3_arena_bytes(arena, file, size);
	ret->line = location.line;
	ret->column = location.column;
	return true;
}

/* What is at `data`, by the size that its vtable has; NULL: it is no string. */
static struct p3_error *read_payload(struct p3_target *target, struct p3_arena *arena,
				     uint64_t data, uint64_t vtable, struct p3_panic *panic)
{
	uint64_t words[4] = { 0 }, size;

	P3_TRY(p3_read_u64(target, vtable + 8, &size));
	if (size == 16) {
		P3_TRY(p3_read(target, data, words, 16));
		if (words[1] > max_string) {
			panic->kind = P3_PANIC_RESUMED;
			panic->message = read_box(target, arena, words[0], words[1]);
		} else {
			panic->message = read_text(target, arena, words[0], words[1], MAX_MESSAGE);
		}
	} else if (size >= 24 && size <= 64) {
		P3_TRY(p3_read(target, data, words, size < 32 ? 24 : 32));
		panic->message = read_string(target, arena, words);
		if (!panic->message && size >= 32)
			panic->message = read_string(target, arena, words + 1);
	}
	return NULL;
}

static void find_location(struct p3_target *target, struct p3_arena *arena, uint64_t sp,
			  uint64_t stack_end, struct p3_panic *panic)
{
	uint64_t at;

	if (stack_end > sp + MAX_STACK)
		stack_end = sp + MAX_STACK;
	for (at = (sp + 7) & ~(uint64_t)7; at + 8 <= stack_end; at += 8) {
		uint64_t word;
		struct p3_error *error = p3_read_u64(target, at, &word);

		if (error) {
			p3_error_free(error);
			return;
		}
		if (read_location(target, arena, word, panic))
			return;
	}
}

struct p3_error *p3_rust_panic(struct p3_target *target, struct p3_arena *arena, uint64_t data,
			       uint64_t vtable, uint64_t sp, uint64_t stack_end,
			       struct p3_panic *ret)
{
	struct p3_panic panic = { .kind = P3_PANIC_NEW };

	P3_TRY(read_payload(target, arena, data, vtable, &panic));
	find_location(target, arena, sp, stack_end, &panic);
	*ret = panic;
	return NULL;
}

/*
 * struct Exception of library/panic_unwind/src/gcc.rs: _Unwind_Exception (class, cleanup, two
 * private words; with libunwind's on some targets six), then, since 1.66, a canary, then the
 * Box. The class is "MOZ\0RUST", which older ones had the other way round.
 */
struct p3_error *p3_rust_raised(struct p3_target *target, struct p3_arena *arena,
				uint64_t exception, uint64_t sp, uint64_t stack_end,
				struct p3_panic *ret)
{
	static const uint64_t class = 0x54535552005a4f4d, swapped = 0x4d4f5a0052555354;
	struct p3_panic panic = { .kind = P3_PANIC_NEW };
	uint64_t words[10] = { 0 };

	P3_TRY(p3_read(target, exception, words, 8 * 7));
	if (words[0] != class && words[0] != swapped)
		return p3_error_new(P3_NOT_FOUND, "it is no panic");
	if (words[4]) {
		panic.message = read_box(target, arena, words[5], words[6]);
	} else {
		P3_TRY(p3_read(target, exception, words, sizeof(words)));
		panic.message = read_box(target, arena, words[8], words[9]);
	}
	find_location(target, arena, sp, stack_end, &panic);
	if (!panic.file)
		panic.kind = P3_PANIC_RESUMED;
	*ret = panic;
	return NULL;
}

/* Is this the vtable of a payload? Its drop may be none; what follows the size and alignment are
 * methods, near each other. */
static bool is_payload_vtable(struct p3_target *target, uint64_t address)
{
	uint64_t words[6] = { 0 };
	struct p3_error *error = address % 8 || address < 4096
					 ? p3_error_new(P3_FAULT, "no vtable")
					 : p3_read(target, address, words, sizeof(words));
	bool yes = !error && (words[1] == 16 || words[1] == 24 || words[1] == 32) &&
		   words[2] == 8 && words[3] > 4096 && words[4] > 4096 &&
		   words[3] - words[4] + (1 << 24) < 1 << 25 &&
		   words[5] - words[4] + (1 << 24) < 1 << 25;

	p3_error_free(error);
	return yes;
}

static bool is_about_panics(const struct p3_panic *panic)
{
	return !strcmp(panic->message, "panic in a function that cannot unwind") ||
	       !strcmp(panic->message, "panic in a destructor during cleanup");
}

struct p3_error *p3_rust_find_panic(struct p3_target *target, struct p3_arena *arena, uint64_t sp,
				    uint64_t stack_end, struct p3_panic *ret)
{
	uint64_t at, words[2];
	bool found = false;

	if (stack_end > sp + MAX_STACK)
		stack_end = sp + MAX_STACK;
	for (at = (sp + 7) & ~(uint64_t)7; at + 16 <= stack_end; at += 8) {
		struct p3_panic panic = { .kind = P3_PANIC_NEW };
		struct p3_error *error = p3_read(target, at, words, sizeof(words));

		/* `&mut dyn PanicPayload`: the payload is further out on the stack. */
		if (!error && words[0] > at && words[0] < stack_end + MAX_STACK &&
		    words[0] % 8 == 0 && is_payload_vtable(target, words[1]))
			error = read_payload(target, arena, words[0], words[1], &panic);
		p3_error_free(error);
		if (!panic.message)
			continue;
		/* A panic that says that another may not leave its function is not what went
		 * wrong: that one is further out. */
		find_location(target, arena, found ? words[0] : sp, stack_end, &panic);
		*ret = panic;
		found = true;
		if (!is_about_panics(&panic))
			return NULL;
	}
	if (found)
		return NULL;
	return p3_error_new(P3_NOT_FOUND, "no panic is on this stack");
}
