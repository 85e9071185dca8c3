/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: an open file, and what has been read of it so far. */
#ifndef PYO3_GDB_ELF_FILE_H
#define PYO3_GDB_ELF_FILE_H

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/text.h>

#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

struct p3_unit_range {
	uint64_t low, high;
	Dwarf_Off unit; /* offset of its header (aranges), or of its DIE (unit_ranges) */
};

/* A section of linkage stubs. */
struct p3_plt {
	uint64_t start, end;
};

struct p3_unit; /* a compilation unit: unit.c */

/* The sections that are read without libdw. */
enum p3_debug_section {
	P3_DEBUG_INFO,
	P3_DEBUG_ABBREV,
	P3_DEBUG_ARANGES,
	P3_DEBUG_LINE,
	P3_DEBUG_LINE_STR,
	P3_DEBUG_STR,
	P3_DEBUG_SECTIONS, /* how many */
};

struct p3_section {
	const uint8_t *data; /* NULL: there is none */
	size_t size;
};

/* A file in memory. Ours, and not libelf's, to know which pages can be given back. */
struct p3_image {
	uint8_t *data; /* NULL: none */
	size_t size;
	bool mapped; /* of a file; else somebody else's memory */
};

struct p3_file {
	struct p3_arena *arena;
	struct p3_image image, debug_image;
	Elf *elf;
	Elf *debug_elf; /* of a separate debug file; NULL */
	Dwarf *dwarf;	/* of the file or its debug file: p3_file_dwarf(); NULL: none */
	bool has_dwarf; /* it was looked for */
	bool packed;
	unsigned int asked; /* for p3_file_trim() */
	int array_depth;    /* of the type being read */
	Dwarf_CFI *eh_frame, *debug_frame;
	bool looked_for_cfi;
	struct p3_map *rows; /* pc -> struct p3_cfi_row */

	bool has_symbols;
	P3_LIST(struct p3_symbol) symbols; /* sorted by start */
	struct p3_map *by_name;		   /* hash of a name -> struct p3_symbol */

	bool has_plts;
	P3_LIST(struct p3_plt) plts;

	struct p3_map *places;	      /* pc -> struct p3_places */
	struct p3_map *units;	      /* offset of the unit's DIE -> struct p3_unit */
	struct p3_map *tail_calls;    /* pc * callee -> struct p3_pcs */
	struct p3_map *abbreviations; /* offset -> struct p3_abbreviations */
	struct p3_map *lines;	      /* offset -> struct p3_lines */
	struct p3_map *types;	      /* address of a DIE -> type.c's struct full_type */
	bool has_sections, has_aranges, has_unit_ranges;
	struct p3_section sections[P3_DEBUG_SECTIONS];
	P3_LIST(struct p3_unit_range) aranges;	   /* sorted by low */
	P3_LIST(struct p3_unit_range) unit_ranges; /* the same, of units without aranges */
};

/* These bytes were passed over and are not needed soon: the pages need not stay in memory. */
void p3_file_release(struct p3_file *file, const void *data, size_t size);

/* The same for all DWARF, now and then: the kernel maps 64 kB around each byte looked at. */
void p3_file_trim(struct p3_file *file);

/* A section of the DWARF, unpacked. */
struct p3_section p3_file_debug_section(struct p3_file *file, enum p3_debug_section section);

/* The DWARF of the file or its debug file, unpacked; NULL: it has none. */
Dwarf *p3_file_dwarf(struct p3_file *file);

/* The next program header of this type from *index on, which is moved behind it. */
bool p3_elf_next_segment(Elf *elf, uint32_t type, size_t *index, GElf_Phdr *ret);

/* The function symbol that holds a link-time pc; NULL: none. */
const struct p3_symbol *p3_file_symbol(struct p3_file *file, uint64_t pc);
/* Where the function that holds a link-time pc starts, as the unwinder has it: all that a stripped
 * file says of it. 0: not known. */
uint64_t p3_file_fde_start(struct p3_file *file, uint64_t pc);

#endif
