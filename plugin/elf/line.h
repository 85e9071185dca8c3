/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: the line table of a unit. */
#ifndef PYO3_GDB_LINE_H
#define PYO3_GDB_LINE_H

#include "elf_file.h"

struct p3_lines;

/* The table at an offset of .debug_line, whose relative names are below `folder`, or NULL. */
const struct p3_lines *p3_lines_open(struct p3_file *file, uint64_t offset, const char *folder);
/* A file by its number in the table, as DW_AT_call_file has it; NULL: there is none. */
const char *p3_lines_file(struct p3_file *file, const struct p3_lines *lines, uint64_t number);
/* The line that gdb takes for this pc; false: it has none. */
bool p3_lines_find(struct p3_file *file, const struct p3_lines *lines, uint64_t pc,
		   const char **file_ret, uint32_t *line_ret);

#endif
