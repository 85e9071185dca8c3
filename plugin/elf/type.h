/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: types by their DIEs. */
#ifndef PYO3_GDB_TYPE_H
#define PYO3_GDB_TYPE_H

#include "elf_file.h"

#include <pyo3-gdb/value.h>

/* The type that a DIE describes, behind typedefs and qualifiers; NULL: it is damaged. */
const struct p3_type *p3_type_of(struct p3_file *file, Dwarf_Die *die);
/* The type of a variable, parameter or function; NULL: it has none. */
const struct p3_type *p3_type_of_variable(struct p3_file *file, Dwarf_Die *die);

/* A constant, with a sign only where its form has one. */
bool p3_attribute_number(Dwarf_Attribute *attribute, int64_t *ret);
/* Of a DIE, with the namespaces and types around it; NULL: it has no name. */
const char *p3_file_qualified_name(struct p3_file *file, Dwarf_Die *die);
/*
 * The DIEs at a link-time pc: the function, then what is inlined there, outermost first;
 * at most `room`. Gives how many, 0: no function.
 */
size_t p3_file_chain(struct p3_file *file, uint64_t pc, Dwarf_Die *ret, size_t room);
/* The call site whose call returns to this link-time pc; false: none is described. */
bool p3_file_call(struct p3_file *file, uint64_t pc, Dwarf_Die *ret);

#endif
