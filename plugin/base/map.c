/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Open addressing with linear probing; see arena.h for the contract. */
#include <pyo3-gdb/arena.h>

#include <string.h>

enum { FIRST_SLOTS = 64 };

struct slot {
	uint64_t key;
	void *value;
	bool used;
};

struct p3_map {
	struct p3_arena *arena;
	struct slot *slots;
	size_t room, count; /* room is a power of two */
};

struct p3_map *p3_map_new(struct p3_arena *arena)
{
	struct p3_map *map = p3_arena_take(arena, sizeof(*map));

	map->arena = arena;
	map->room = FIRST_SLOTS;
	map->slots = p3_arena_take(arena, map->room * sizeof(*map->slots));
	return map;
}

static struct slot *probe(struct slot *slots, size_t room, uint64_t key)
{
	/* Fibonacci hashing: neighbouring pages and objects must not cluster. */
	size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);

	while (slots[at].used && slots[at].key != key)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

void **p3_map_slot(struct p3_map *map, uint64_t key)
{
	struct slot *slot;

	if ((map->count + 1) * 2 > map->room) {
		size_t room = map->room * 2, i;
		struct slot *slots = p3_arena_take(map->arena, room * sizeof(*slots));

		for (i = 0; i < map->room; i++)
			if (map->slots[i].used)
				*probe(slots, room, map->slots[i].key) = map->slots[i];
		map->slots = slots;
		map->room = room;
	}
	slot = probe(map->slots, map->room, key);
	if (!slot->used) {
		slot->used = true;
		slot->key = key;
		map->count++;
	}
	return &slot->value;
}

void **p3_map_find(const struct p3_map *map, uint64_t key)
{
	struct slot *slot = probe(map->slots, map->room, key);

	return slot->used ? &slot->value : NULL;
}
