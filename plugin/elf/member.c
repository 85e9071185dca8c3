/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Where members are in C's structs, by name: a walk over the top of each unit, until all
 * are found. A struct that is only declared in a unit says nothing.
 */
#include "die.h"
#include "type.h"

#include <dwarf.h>
#include <string.h>

enum { MAX_DIES = 1 << 22 };

/* The offset of "ceval.gil" in a struct, of "" its size; false: it has no such member. */
static bool find_member(const struct p3_type *type, const char *path, uint32_t *ret)
{
	uint64_t offset = *path ? 0 : type->size;

	if (!*path && !offset)
		return false; /* it is only declared here */
	while (type && *path) {
		char name[64];
		size_t size = strcspn(path, ".");
		const struct p3_member *member;

		if (size >= sizeof(name))
			return false;
		memcpy(name, path, size);
		name[size] = '\0';
		member = p3_type_member(type, name);
		if (!member)
			return false;
		offset += member->offset;
		type = member->type;
		path += size + (path[size] == '.');
	}
	*ret = (uint32_t)offset;
	return offset <= UINT32_MAX;
}

/* Everything that is wanted of the struct or typedef at this DIE. */
static void use_type(struct p3_file *file, Dwarf_Die *die, struct p3_wanted_member *wanted,
		     size_t count)
{
	const char *name = dwarf_diename(die);
	const struct p3_type *type = NULL;
	size_t i;

	for (i = 0; name && i < count; i++) {
		if (wanted[i].found || strcmp(wanted[i].type, name) != 0)
			continue;
		if (!type)
			type = p3_type_of(file, die);
		wanted[i].found = type && find_member(type, wanted[i].member, &wanted[i].offset);
	}
}

static bool is_complete(const struct p3_wanted_member *wanted, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!wanted[i].found)
			return false;
	return true;
}

void p3_file_members(struct p3_file *file, struct p3_wanted_member *wanted, size_t count)
{
	Dwarf *dwarf = p3_file_dwarf(file);
	Dwarf_Off header = 0, next;
	size_t header_size, dies = 0;

	while (dwarf && !is_complete(wanted, count) && dies < MAX_DIES &&
	       dwarf_nextcu(dwarf, header, &next, &header_size, NULL, NULL, NULL) == 0) {
		struct p3_walk walk;
		Dwarf_Die die;

		if (p3_walk_start(file, header + header_size, &walk))
			for (; dies < MAX_DIES && p3_walk_next(&walk); dies++) {
				if ((walk.tag == DW_TAG_structure_type ||
				     walk.tag == DW_TAG_typedef) &&
				    dwarf_offdie(dwarf, walk.offset, &die))
					use_type(file, &die, wanted, count);
				if (walk.depth > 0)
					p3_walk_skip_children(&walk);
			}
		header = next;
	}
}
