/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to native/. */
#ifndef PYO3_GDB_NATIVE_PRIVATE_H
#define PYO3_GDB_NATIVE_PRIVATE_H

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/native.h>

/* A machine's registers, by DWARF number. */
struct p3_machine {
	int elf;		  /* EM_* */
	const char *const *names; /* the host's, by number; NULL: not followed */
	size_t count;
	uint8_t sp;
	const char *pc; /* the host's name for it */
};

/* NULL: a machine this does not know. */
const struct p3_machine *p3_machine_find(int elf);

/* The open file of a module, for the session; NULL: it has none. */
struct p3_file *p3_native_file(struct p3_native *native, struct p3_target *target,
			       const struct p3_module *module);

/* What is at a link-time pc; of a file that is packed, the host is asked. */
const struct p3_places *p3_native_places(struct p3_native *native, struct p3_target *target,
					 struct p3_file *file, uint64_t bias, uint64_t pc);

/* The two ways to unwind. */
struct p3_error *p3_native_unwind_host(struct p3_target *target, struct p3_arena *arena,
				       uint32_t thread, struct p3_native_frames *ret) P3_MUST_CHECK;
struct p3_error *p3_native_unwind_own(struct p3_native *native, struct p3_target *target,
				      const struct p3_modules *modules, struct p3_arena *arena,
				      uint32_t thread, struct p3_native_frames *ret) P3_MUST_CHECK;

#endif
