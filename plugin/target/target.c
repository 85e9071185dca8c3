/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The target: typed reads over a page cache, and the host's other answers
 * kept for one stop. Refuses: reads above P3_MAX_READ, wrapping ranges.
 */
#include <pyo3-gdb/target.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE = 4096 };

struct thread_frames {
	uint32_t thread;
	struct p3_host_frames frames;
};

struct p3_target {
	struct p3_host host;
	struct p3_arena *arena;
	struct p3_target_counts counts;

	struct p3_map *pages; /* page number -> its bytes; NULL: not readable whole */

	uint64_t typed_reads; /* at this stop */
	bool interrupted;
	bool has_process, has_threads;
	struct p3_process process;
	struct p3_thread *threads;
	size_t thread_count;
	P3_LIST(struct thread_frames *) frames;
};

struct p3_target *p3_target_new(struct p3_host host)
{
	struct p3_target *target = calloc(1, sizeof(*target));

	if (!target)
		abort();
	target->host = host;
	target->arena = p3_arena_new();
	target->pages = p3_map_new(target->arena);
	return target;
}

void p3_target_free(struct p3_target *target)
{
	if (!target)
		return;
	p3_arena_free(target->arena);
	free(target);
}

void p3_target_done(struct p3_target **target)
{
	p3_target_free(*target);
}

void p3_target_forget(struct p3_target *target)
{
	struct p3_target_counts counts = target->counts;
	struct p3_host host = target->host;

	p3_arena_free(target->arena);
	*target = (struct p3_target){ .host = host, .counts = counts, .arena = p3_arena_new() };
	target->pages = p3_map_new(target->arena);
}

struct p3_arena *p3_target_arena(struct p3_target *target)
{
	return target->arena;
}

struct p3_target_counts p3_target_counts(const struct p3_target *target)
{
	return target->counts;
}

const char *p3_tier_name(enum p3_tier tier)
{
	static const char *const names[] = {
		[P3_TIER_UNKNOWN] = "unknown",
		[P3_TIER_DWARF] = "dwarf",
		[P3_TIER_SYMBOLS] = "symbols",
		[P3_TIER_STRIPPED] = "stripped",
	};

	return names[tier];
}

/* ---- the page cache ---- */

static struct p3_error *ask_read(struct p3_target *target, uint64_t address, void *buffer,
				 size_t size)
{
	target->counts.reads++;
	target->counts.bytes += size;
	return target->host.ops->read(target->host.context, address, buffer, size);
}

/* The bytes of a page, asked for once; NULL: it is not readable whole. */
static const uint8_t *page_data(struct p3_target *target, uint64_t number)
{
	void **slot = p3_map_find(target->pages, number);
	struct p3_error *error;
	uint8_t *data;

	if (slot)
		return *slot;
	data = p3_arena_take(target->arena, PAGE_SIZE);
	error = ask_read(target, number * PAGE_SIZE, data, PAGE_SIZE);
	*p3_map_slot(target->pages, number) = error ? NULL : data;
	p3_error_free(error);
	return error ? NULL : data;
}

bool p3_target_interrupted(struct p3_target *target)
{
	const struct p3_host *host = &target->host;

	if (!target->interrupted && host->ops->interrupted)
		target->interrupted = host->ops->interrupted(host->context);
	return target->interrupted;
}

/* Work on cached pages asks the host nothing: it must end, and heed Ctrl-C, all the same. */
static struct p3_error *check_budget(struct p3_target *target)
{
	enum { ASK_EVERY = 16384 };

	if (++target->typed_reads % ASK_EVERY == 0)
		(void)p3_target_interrupted(target);
	if (target->interrupted)
		return p3_error_new(P3_HOST, "interrupted");
	if (target->typed_reads > P3_MAX_READS)
		return p3_error_new(P3_BAD_DATA, "there is too much to read");
	return NULL;
}

struct p3_error *p3_read(struct p3_target *target, uint64_t address, void *buffer, size_t size)
{
	uint8_t *at = buffer;

	P3_TRY(check_budget(target));
	if (size > P3_MAX_READ || address + size < address)
		return p3_error_new(P3_BAD_DATA, "refused to read %zu bytes at 0x%" PRIx64, size,
				    address);
	while (size) {
		uint64_t number = address / PAGE_SIZE;
		size_t offset = address % PAGE_SIZE;
		size_t part = size < PAGE_SIZE - offset ? size : PAGE_SIZE - offset;
		const uint8_t *data = page_data(target, number);

		if (data)
			memcpy(at, data + offset, part);
		else /* part of the page may be readable: segments of a core end anywhere */
			P3_TRY(ask_read(target, address, at, part));
		at += part;
		address += part;
		size -= part;
	}
	return NULL;
}

bool p3_target_prefetch(struct p3_target *target, uint64_t start, uint64_t end)
{
	uint64_t first = start / PAGE_SIZE, last = (end + PAGE_SIZE - 1) / PAGE_SIZE, number;
	struct p3_error *error;
	uint8_t *data;

	while (first < last && p3_map_find(target->pages, first))
		first++;
	while (first < last && p3_map_find(target->pages, last - 1))
		last--;
	if (first >= last)
		return true;
	if (last - first > P3_MAX_READ / PAGE_SIZE)
		return false;
	data = p3_arena_take(target->arena, (last - first) * PAGE_SIZE);
	error = ask_read(target, first * PAGE_SIZE, data, (last - first) * PAGE_SIZE);
	if (error) {
		p3_error_free(error);
		return false;
	}
	for (number = first; number < last; number++)
		*p3_map_slot(target->pages, number) = data + (number - first) * PAGE_SIZE;
	return true;
}

struct p3_error *p3_read_u8(struct p3_target *target, uint64_t address, uint8_t *ret)
{
	return p3_read(target, address, ret, sizeof(*ret));
}

struct p3_error *p3_read_u32(struct p3_target *target, uint64_t address, uint32_t *ret)
{
	return p3_read(target, address, ret, sizeof(*ret));
}

struct p3_error *p3_read_u64(struct p3_target *target, uint64_t address, uint64_t *ret)
{
	return p3_read(target, address, ret, sizeof(*ret));
}

struct p3_error *p3_read_string(struct p3_target *target, uint64_t address, size_t limit,
				struct p3_arena *arena, const char **ret)
{
	char buffer[PAGE_SIZE];
	size_t size = 0;

	if (limit > sizeof(buffer))
		limit = sizeof(buffer);
	while (size < limit) {
		/* Up to the end of a page at a time: the next one may be unreadable. */
		size_t part = PAGE_SIZE - (address + size) % PAGE_SIZE;
		const char *end;

		if (part > limit - size)
			part = limit - size;
		P3_TRY(p3_read(target, address + size, buffer + size, part));
		end = memchr(buffer + size, 0, part);
		if (end) {
			size = (size_t)(end - buffer);
			break;
		}
		size += part;
	}
	*ret = p3_arena_bytes(arena, buffer, size);
	return NULL;
}

/* ---- the other answers ---- */

struct p3_error *p3_target_process(struct p3_target *target, const struct p3_process **ret)
{
	if (!target->has_process)
		P3_TRY(target->host.ops->process(target->host.context, target->arena,
						 &target->process));
	target->has_process = true;
	*ret = &target->process;
	return NULL;
}

struct p3_error *p3_target_threads(struct p3_target *target, const struct p3_thread **ret,
				   size_t *count_ret)
{
	if (!target->has_threads)
		P3_TRY(target->host.ops->threads(target->host.context, target->arena,
						 &target->threads, &target->thread_count));
	target->has_threads = true;
	*ret = target->threads;
	*count_ret = target->thread_count;
	return NULL;
}

uint64_t p3_target_thread_pointer(struct p3_target *target, const struct p3_thread *thread)
{
	size_t i;

	if (thread->pointer || !target->host.ops->pointer)
		return thread->pointer;
	for (i = 0; i < target->thread_count; i++) {
		struct p3_thread *kept = &target->threads[i];

		if (kept->number != thread->number)
			continue;
		if (!kept->pointer)
			kept->pointer =
				target->host.ops->pointer(target->host.context, thread->number);
		return kept->pointer;
	}
	return 0;
}

struct p3_error *p3_target_file(struct p3_target *target, const char *name, const char *build_id,
				struct p3_host_file *ret)
{
	return target->host.ops->file(target->host.context, target->arena, name, build_id, ret);
}

struct p3_error *p3_target_registers(struct p3_target *target, uint32_t thread,
				     const char *const *names, size_t count, uint64_t *ret)
{
	if (!target->host.ops->registers)
		return p3_error_new(P3_UNSUPPORTED, "no registers");
	return target->host.ops->registers(target->host.context, thread, names, count, ret);
}

struct p3_error *p3_target_frames(struct p3_target *target, uint32_t thread,
				  const struct p3_host_frames **ret)
{
	struct thread_frames *answer;
	size_t i;

	for (i = 0; i < target->frames.count; i++) {
		if (target->frames.items[i]->thread == thread) {
			*ret = &target->frames.items[i]->frames;
			return NULL;
		}
	}
	answer = p3_arena_take(target->arena, sizeof(*answer));
	answer->thread = thread;
	P3_TRY(target->host.ops->frames(target->host.context, target->arena, thread,
					&answer->frames));
	*p3_list_add(target->arena, &target->frames) = answer;
	*ret = &answer->frames;
	return NULL;
}

struct p3_error *p3_target_selected_level(struct p3_target *target, uint32_t *ret)
{
	*ret = 0;
	if (!target->host.ops->selected_level)
		return NULL;
	return target->host.ops->selected_level(target->host.context, ret);
}

struct p3_error *p3_target_places(struct p3_target *target, struct p3_arena *arena, uint64_t pc,
				  struct p3_host_places *ret)
{
	if (!target->host.ops->places)
		return p3_error_new(P3_UNSUPPORTED, "the host does not name addresses");
	return target->host.ops->places(target->host.context, arena, pc, ret);
}

struct p3_error *p3_target_variables(struct p3_target *target, uint32_t thread, uint32_t level,
				     unsigned int wanted, struct p3_variable_list *ret)
{
	return target->host.ops->variables(target->host.context, target->arena, thread, level,
					   wanted, ret);
}
