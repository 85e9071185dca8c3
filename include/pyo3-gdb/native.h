/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Native frames of a thread, unwound and named: from CFI and DWARF by our own
 * reader, or by the host. Both give the same frames with the same levels.
 */
#ifndef PYO3_GDB_NATIVE_H
#define PYO3_GDB_NATIVE_H

#include <pyo3-gdb/value.h>

struct p3_native_frame {
	enum p3_frame_kind kind;
	uint32_t level; /* gdb's own, so that `frame LEVEL` selects it */
	uint64_t pc;
	/* The stack of the physical frame, [sp, cfa); inline frames share it.
	 * Equal when unknown: the outermost frame, or a switch of stacks. */
	uint64_t sp, cfa;
	uint32_t group;	    /* frames of one physical frame have the same number, from 0 on */
	uint32_t place;	    /* which of them: its number in p3_file_places() */
	const char *name;   /* complete, demangled or not; NULL: none */
	const char *file;   /* NULL: no line information */
	const char *folder; /* that a relative file is in; NULL: not known */
	uint32_t line;
	uint64_t entry;	      /* where its function starts, of normal frames; 0: not known */
	const char *language; /* "rust", "c", "c++" ...; NULL: unknown */
};

struct p3_native_frames {
	P3_LIST(struct p3_native_frame);
	const char *ended; /* why the unwind ended early; NULL: it did not */
	/* Of every P3_NATIVE_STRIDE-th physical frame, to unwind from again; none: they are
	 * the host's frames. */
	P3_LIST(struct p3_frame_state) states;
};

enum { P3_NATIVE_STRIDE = 32 };

/* What unwinds: our own reader, gdb's unwinder, or ours with gdb's where ours cannot. */
enum p3_unwinder { P3_UNWINDER_AUTO, P3_UNWINDER_OWN, P3_UNWINDER_GDB };

/* Open files, rows and names by pc: lives as long as the session. */
struct p3_native;

struct p3_native *p3_native_new(void);
void p3_native_free(struct p3_native *native);

struct p3_native_counts {
	uint64_t own, host;   /* threads unwound by our reader, by the host */
	const char *why_host; /* the last reason for the host; NULL: none yet */
};
struct p3_native_counts p3_native_counts(const struct p3_native *native);

/* The stack of a thread, innermost frame first. `modules` of this stop. */
struct p3_error *p3_native_unwind(struct p3_native *native, enum p3_unwinder unwinder,
				  struct p3_target *target, const struct p3_modules *modules,
				  struct p3_arena *arena, uint32_t thread,
				  struct p3_native_frames *ret) P3_MUST_CHECK;

/*
 * The arguments and locals of one of our own frames. P3_UNSUPPORTED: it is the host's, or
 * of a file that only the host can read at little cost: ask it.
 */
struct p3_error *p3_native_variables(struct p3_native *native, struct p3_target *target,
				     const struct p3_modules *modules, struct p3_arena *arena,
				     const struct p3_native_frames *frames, size_t index,
				     bool arguments, bool locals,
				     struct p3_frame_variables *ret) P3_MUST_CHECK;

/* The function or object at this run-time address, by ELF symbols; NULL: none. Demangled or
 * not; lives as long as the session. */
const char *p3_native_symbol(struct p3_native *native, struct p3_target *target,
			     const struct p3_modules *modules, uint64_t address);
/* The variable that holds this run-time address, and how far into it; NULL: none is known. */
const char *p3_native_object(struct p3_native *native, struct p3_target *target,
			     const struct p3_modules *modules, uint64_t address,
			     uint64_t *offset_ret);
/* A generic argument of the function at this run-time address; NULL: not known. */
const struct p3_type *p3_native_parameter(struct p3_native *native, struct p3_target *target,
					  const struct p3_modules *modules, uint64_t address,
					  const char *name);
/* Add a value of C, as gdb prints it. */
void p3_native_write(const struct p3_writer *writer, const struct p3_value *value);

#endif
