/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ELF files. The files are as untrusted as the process: they may be damaged,
 * or made to look like something else.
 */
#ifndef PYO3_GDB_ELF_H
#define PYO3_GDB_ELF_H

#include <pyo3-gdb/target.h>

/*
 * One look at a module's file: sections, dynamic symbols, .comment; no DWARF is
 * read. `debug_path`, or NULL, is a separate debug file that belongs to it.
 * P3_MISSING: no such file; P3_BAD_DATA: no ELF file.
 */
struct p3_error *p3_elf_facts(const char *path, const char *debug_path,
			      struct p3_file_facts *ret) P3_MUST_CHECK;

#endif
