/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: an open file, and what has been read of it so far. */
#ifndef PYO3_GDB_ELF_FILE_H
#define PYO3_GDB_ELF_FILE_H

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/text.h>

#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

/* A function symbol; link-time addresses. */
struct p3_symbol {
	uint64_t start, size;
	const char *name;
};

struct p3_unit_range {
	uint64_t low, high;
	Dwarf_Off unit; /* offset of the unit's DIE */
};

/* A section of linkage stubs. */
struct p3_plt {
	uint64_t start, end;
};

struct p3_unit; /* a compilation unit: unit.c */

struct p3_file {
	struct p3_arena *arena;
	int fd, debug_fd;
	Elf *elf;
	Dwarf *dwarf; /* of the file or its debug file; NULL: none */
	Dwarf_CFI *eh_frame, *debug_frame;
	bool looked_for_cfi;
	struct p3_map *rows; /* pc -> struct p3_cfi_row */

	bool has_symbols;
	P3_LIST(struct p3_symbol) symbols; /* sorted by start */
	struct p3_map *by_name;		   /* hash of a name -> struct p3_symbol */

	bool has_plts;
	P3_LIST(struct p3_plt) plts;

	struct p3_map *places;	   /* pc -> struct p3_places */
	struct p3_map *units;	   /* offset of the unit's DIE -> struct p3_unit */
	struct p3_map *tail_calls; /* pc * callee -> struct p3_pcs */
	Dwarf_Aranges *aranges;
	size_t arange_count;
	bool looked_for_aranges;
	P3_LIST(struct p3_unit_range) unit_ranges; /* where there are no aranges */
};

/* The function symbol that holds a link-time pc; NULL: none. */
const struct p3_symbol *p3_file_symbol(struct p3_file *file, uint64_t pc);
/* Where the function symbol of this name starts; 0: there is none. */
uint64_t p3_file_symbol_address(struct p3_file *file, const char *name);

#endif
