/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to elf/: the DIEs of a unit one after the other, straight from the
 * bytes. libdw needs a fifth of a microsecond for a step to the next DIE, and a unit of
 * a release build has half a million; here a step is a few nanoseconds. What a
 * DIE says in detail is still asked of libdw, by its offset.
 */
#ifndef PYO3_GDB_DIE_H
#define PYO3_GDB_DIE_H

#include "bytes.h"
#include "elf_file.h"

struct p3_abbreviation;
struct p3_form;

struct p3_walk {
	/* ---- the unit ---- */
	const uint8_t *section; /* .debug_info */
	uint64_t unit;		/* offset of its header */
	uint8_t offset_size, address_size;
	uint16_t version;
	const struct p3_abbreviation *abbreviations; /* by code */
	size_t abbreviation_count;
	const struct p3_form *forms;
	/* ---- the DIE, after p3_walk_next() ---- */
	uint64_t offset;
	int tag;
	bool children;
	int depth; /* below the DIE at which the walk began */
	/* ---- private ---- */
	const struct p3_abbreviation *abbreviation;
	struct p3_bytes bytes;
	int next_depth;
};

/* Start at a unit's DIE. False: there is no such unit, or of a form not known here. */
bool p3_walk_start(struct p3_file *file, uint64_t unit, struct p3_walk *walk);
/* Start anew at a DIE of the same unit: the walk ends behind its children. */
void p3_walk_seek(struct p3_walk *walk, uint64_t die);
/* The next DIE, in the order of the file; false at the end, or at damage. */
bool p3_walk_next(struct p3_walk *walk);
/* Go on behind the DIE's children, if it says where that is (DW_AT_sibling). */
void p3_walk_skip_children(struct p3_walk *walk);
/* A number that the DIE has for an attribute, as it stands there, and its form. False: it
 * has none, or no number. */
bool p3_walk_number(const struct p3_walk *walk, unsigned int name, uint64_t *ret,
		    unsigned int *form_ret);
/* Does the DIE have this attribute? */
bool p3_walk_has(const struct p3_walk *walk, unsigned int name);

/* Does the code that the DIE describes hold this pc? */
bool p3_walk_has_pc(struct p3_file *file, const struct p3_walk *walk, uint64_t pc);
/* Start at a DIE of a unit with functions. */
bool p3_file_walk(struct p3_file *file, Dwarf_Die *die, struct p3_walk *ret);

/* Skip a value of this form. False: a form not known here. */
bool p3_form_skip(struct p3_bytes *bytes, unsigned int form, unsigned int offset_size,
		  unsigned int address_size, unsigned int version);

#endif
