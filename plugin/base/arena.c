/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Chunked bump allocation; see arena.h for the contract. */
#include <pyo3-gdb/arena.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024, ALIGNMENT = 16 };

struct chunk {
	struct chunk *next;
	size_t used, room;
	char data[] __attribute__((aligned(ALIGNMENT)));
};

struct p3_arena {
	struct chunk *chunks; /* the first one has the free room */
	size_t size;
};

struct p3_arena *p3_arena_new(void)
{
	struct p3_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		abort();
	return arena;
}

void p3_arena_free(struct p3_arena *arena)
{
	if (!arena)
		return;
	while (arena->chunks) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena);
}

void p3_arena_done(struct p3_arena **arena)
{
	p3_arena_free(*arena);
}

static struct chunk *add_chunk(struct p3_arena *arena, size_t size)
{
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	/* calloc leaves fresh pages untouched, so a large arena costs only what is used. */
	struct chunk *chunk = calloc(1, sizeof(*chunk) + room);

	if (!chunk)
		abort();
	chunk->room = room;
	arena->size += sizeof(*chunk) + room;
	/* A chunk made for one large object must not hide the room left in the current one. */
	if (arena->chunks && size > CHUNK_SIZE) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	return chunk;
}

void *p3_arena_take(struct p3_arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	void *object;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!chunk || chunk->room - chunk->used < size)
		chunk = add_chunk(arena, size);
	object = chunk->data + chunk->used;
	chunk->used += size;
	return object;
}

char *p3_arena_string(struct p3_arena *arena, const char *string)
{
	return string ? p3_arena_bytes(arena, string, strlen(string)) : NULL;
}

char *p3_arena_bytes(struct p3_arena *arena, const void *bytes, size_t size)
{
	char *copy = p3_arena_take(arena, size + 1);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *p3_arena_printf(struct p3_arena *arena, const char *format, ...)
{
	va_list args;
	char *string, *copy;
	int size;

	va_start(args, format);
	size = vasprintf(&string, format, args);
	va_end(args);
	if (size < 0)
		abort();
	copy = p3_arena_bytes(arena, string, (size_t)size);
	free(string);
	return copy;
}

size_t p3_arena_size(const struct p3_arena *arena)
{
	return arena->size;
}

/* Where the chunk hangs that holds nothing but this list; NULL: there is none. */
static struct chunk **chunk_of_list(struct p3_arena *arena, const void *items)
{
	struct chunk **link;

	for (link = &arena->chunks; *link; link = &(*link)->next)
		if ((*link)->data == (const char *)items && (*link)->used > CHUNK_SIZE)
			return link;
	return NULL;
}

/* Large lists grow in place, or take their pages along, and leave no copy behind. */
static void *grow_chunk(struct p3_arena *arena, struct chunk **link, size_t size)
{
	size_t old = (*link)->room;
	struct chunk *chunk = realloc(*link, sizeof(*chunk) + size);

	if (!chunk)
		abort();
	memset(chunk->data + old, 0, size - old);
	chunk->used = chunk->room = size;
	arena->size += size - old;
	*link = chunk;
	return chunk->data;
}

void *p3_list_grow(struct p3_arena *arena, void *items, size_t count, size_t *room, size_t size)
{
	struct chunk **link;
	void *grown;

	if (count < *room)
		return items;
	link = *room * size > CHUNK_SIZE ? chunk_of_list(arena, items) : NULL;
	*room = *room ? *room + *room / (link ? 4 : 1) : 8;
	if (*room > SIZE_MAX / 2 / size)
		abort();
	if (link)
		return grow_chunk(arena, link,
				  (*room * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	grown = p3_arena_take(arena, *room * size);
	if (count)
		memcpy(grown, items, count * size);
	return grown;
}
