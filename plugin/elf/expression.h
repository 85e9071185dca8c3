/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: the stack machine of DWARF expressions. */
#ifndef PYO3_GDB_EXPRESSION_H
#define PYO3_GDB_EXPRESSION_H

#include <pyo3-gdb/elf.h>

enum { P3_EXPRESSION_STACK = 64 };

struct p3_machine_state {
	struct p3_target *target;
	const uint64_t *registers; /* by DWARF number */
	uint64_t known;		   /* bit n: register n has its value */
	uint64_t cfa;
	uint64_t stack[P3_EXPRESSION_STACK];
	size_t depth;
};

bool p3_machine_push(struct p3_machine_state *machine, uint64_t value);
bool p3_machine_pop(struct p3_machine_state *machine, uint64_t *ret);
/*
 * One operation on numbers, registers and memory; none that names a place. P3_MISSING: of a
 * register that is lost; P3_UNSUPPORTED: an operation not known; P3_BAD_DATA: the stack
 * runs over or under.
 */
struct p3_error *p3_machine_step(struct p3_machine_state *machine,
				 const struct p3_operation *operation) P3_MUST_CHECK;

#endif
