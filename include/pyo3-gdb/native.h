/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Native frames of a thread: unwound and named. Today the host does both; who
 * uses this header need not know.
 */
#ifndef PYO3_GDB_NATIVE_H
#define PYO3_GDB_NATIVE_H

#include <pyo3-gdb/target.h>

struct p3_native_frame {
	enum p3_frame_kind kind;
	uint32_t level; /* gdb's own, so that `frame LEVEL` selects it */
	uint64_t pc;
	/* The stack of the physical frame, [sp, cfa); inline frames share it.
	 * Equal when unknown: the outermost frame, or a switch of stacks. */
	uint64_t sp, cfa;
	uint32_t group;	  /* frames of one physical frame have the same number */
	const char *name; /* demangled, complete; NULL: none */
	const char *file; /* NULL: no line information */
	uint32_t line;
	const char *language; /* "rust", "c", "c++" ...; NULL: unknown */
};

struct p3_native_frames {
	P3_LIST(struct p3_native_frame);
	const char *ended; /* why the unwind ended early; NULL: it did not */
};

/* Innermost first. */
struct p3_error *p3_native_unwind(struct p3_target *target, struct p3_arena *arena, uint32_t thread,
				  struct p3_native_frames *ret) P3_MUST_CHECK;

#endif
