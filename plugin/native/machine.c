/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Registers by DWARF number. Sources: System V ABI AMD64, figure 3.36; DWARF for
 * the Arm 64-bit Architecture, 4.1. aarch64 has not been run on a machine.
 */
#include "native.h"

#include <elf.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const x86_64[] = { "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const aarch64[] = { "x0",  "x1",  "x2",  "x3",  "x4",  "x5",	 "x6",	"x7",
				       "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
				       "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
				       "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp" };

static const struct p3_machine machines[] = {
	{ EM_X86_64, x86_64, COUNT(x86_64), 7, "rip" },
	{ EM_AARCH64, aarch64, COUNT(aarch64), 31, "pc" },
};

const struct p3_machine *p3_machine_find(int elf)
{
	size_t i;

	for (i = 0; i < COUNT(machines); i++)
		if (machines[i].elf == elf)
			return &machines[i];
	return NULL;
}
