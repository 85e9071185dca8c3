/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Memory by lifetime: everything of one lifetime (session, stop, call) is
 * taken from one arena and goes with it. Nothing in it is freed singly.
 *
 * Allocation never fails: out of memory ends the program, as in gdb. Callers
 * check every size that comes from the target against a named limit first.
 */
#ifndef PYO3_GDB_ARENA_H
#define PYO3_GDB_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <pyo3-gdb/error.h>

struct p3_arena;

struct p3_arena *p3_arena_new(void);
/* Free the arena and all that was taken from it; NULL is accepted. */
void p3_arena_free(struct p3_arena *arena);
/* For P3_CLEANUP. */
void p3_arena_done(struct p3_arena **arena);

/* Zeroed memory, aligned for any object. */
void *p3_arena_take(struct p3_arena *arena, size_t size);
/* Copies; the second one adds the terminating NUL. NULL in, NULL out. */
char *p3_arena_string(struct p3_arena *arena, const char *string);
char *p3_arena_bytes(struct p3_arena *arena, const void *bytes, size_t size);
char *p3_arena_printf(struct p3_arena *arena, const char *format, ...) P3_PRINTF(2, 3);
/* Bytes this arena holds from the system. */
size_t p3_arena_size(const struct p3_arena *arena);

/* A list in an arena: struct { T *items; size_t count, room; } with any T. */
#define P3_LIST(T)            \
	struct {              \
		T *items;     \
		size_t count; \
		size_t room;  \
	}
/* Append a zeroed item; gives a pointer to it, valid until the next append. */
#define p3_list_add(arena, list)                                                            \
	((list)->items = p3_list_grow((arena), (list)->items, (list)->count, &(list)->room, \
				      sizeof(*(list)->items)),                              \
	 &(list)->items[(list)->count++])

void *p3_list_grow(struct p3_arena *arena, void *items, size_t count, size_t *room, size_t size);

/* A map from addresses (or other numbers) to pointers, in an arena. */
struct p3_map;

struct p3_map *p3_map_new(struct p3_arena *arena);
/* The slot of `key`, added with NULL in it if it is new; valid until the next call. */
void **p3_map_slot(struct p3_map *map, uint64_t key);
/* The same without adding; NULL: the key is not there. */
void **p3_map_find(const struct p3_map *map, uint64_t key);

#endif
