/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rust: names and their roles, panics, the toolchain that built a module.
 * Names are matched, versions are not compared; see rust/names.def.
 */
#ifndef PYO3_GDB_RUST_H
#define PYO3_GDB_RUST_H

#include <pyo3-gdb/role.h>
#include <pyo3-gdb/target.h>
#include <pyo3-gdb/text.h>
#include <pyo3-gdb/value.h>

/*
 * A demangled Rust name (DWARF path, legacy or v0, as gdb gives it) made short
 * and the same for all builds: no hashes, generic arguments shortened.
 */
void p3_rust_name(const char *name, struct p3_text *ret);

/* The role of a frame with this demangled name; `file` from its line table, or NULL; `folder` is
 * the one that a relative file is in, or NULL. */
enum p3_role p3_rust_role(const char *name, const char *file, const char *folder);

/*
 * What Python calls the item that a P3_ROLE_WRAPPER frame wraps:
 * "demo::Counter::__pymethod_add__" is "demo.Counter.add". False: no wrapper.
 */
bool p3_rust_wrapped(const char *name, struct p3_text *ret);

/*
 * The function that a symbol of PyO3's defines for Python, renamed or not: the PyMethodDef
 * "demo::rust_name::_PYO3_DEF" (0.28 and newer), or the trampoline that is in an `impl` of
 * "demo::rust_name::MakeDef" (to 0.26). False: it is neither.
 */
bool p3_rust_defined(const char *name, struct p3_text *ret);

/* True for names only Rust has; tells Rust from C in a module with both. */
bool p3_rust_looks_like(const char *name);

/* ---- values ---- */

/*
 * Add a value of Rust, much as {:?} has it: rust/types.def. `full`: what references
 * point at, too, if it is more than a number or text.
 */
void p3_rust_write(const struct p3_writer *writer, const struct p3_value *value, bool full);
/* Is it one that `print frame-arguments scalars` leaves out: more than a number or text? */
bool p3_rust_is_aggregate(const struct p3_type *type);
/* Is it PyO3's Py, Bound and the like? */
bool p3_rust_object_type(const struct p3_type *type);
/* The address of the Python object that a value is, or points at; 0: none. */
uint64_t p3_rust_object(struct p3_target *target, const struct p3_value *value);

/* ---- panics ---- */

enum p3_panic_kind {
	P3_PANIC_NEW,	  /* raised here */
	P3_PANIC_RESUMED, /* PyO3 or another catcher goes on with an old one */
};

struct p3_panic {
	enum p3_panic_kind kind;
	const char *message; /* escaped; NULL: the payload is no string */
	const char *file;    /* NULL: unknown */
	uint32_t line, column;
};

/*
 * The panic of a thread stopped at the start of rust_panic(). `data` and
 * `vtable` are its first two arguments, the halves of `&mut dyn PanicPayload`;
 * [sp, stack_end) is the stack of its caller, where std keeps the Location.
 * Source: rust-lang/rust library/std/src/panicking.rs.
 */
struct p3_error *p3_rust_panic(struct p3_target *target, struct p3_arena *arena, uint64_t data,
			       uint64_t vtable, uint64_t sp, uint64_t stack_end,
			       struct p3_panic *ret) P3_MUST_CHECK;

/*
 * The panic of a thread stopped at the start of _Unwind_RaiseException(), whose argument is at
 * `exception`: without symbols that is where a panic can be seen. The Location is looked for in
 * [sp, stack_end); a panic that is resumed has none. P3_NOT_FOUND: it is no exception of Rust's.
 */
struct p3_error *p3_rust_raised(struct p3_target *target, struct p3_arena *arena,
				uint64_t exception, uint64_t sp, uint64_t stack_end,
				struct p3_panic *ret) P3_MUST_CHECK;

/*
 * The panic that a stack holds, of a thread that is in it, or of a core of one that it ended: by
 * the payload and its vtable, which std keeps in [sp, stack_end). P3_NOT_FOUND: none.
 */
struct p3_error *p3_rust_find_panic(struct p3_target *target, struct p3_arena *arena, uint64_t sp,
				    uint64_t stack_end, struct p3_panic *ret) P3_MUST_CHECK;

/* Functions at which a panic, or its end, can be stopped: rust/names.def. */
enum p3_rust_point {
	P3_POINT_NONE,
	P3_POINT_PANIC,	     /* every panic, its message made; also those that are resumed */
	P3_POINT_NOUNWIND,   /* in a function that cannot unwind: the process ends */
	P3_POINT_CLEANUP,    /* out of a destructor during cleanup: the process ends */
	P3_POINT_CAUGHT,     /* PyO3 makes a PanicException of it */
	P3_POINT_RAISE,	     /* the unwinder: exceptions of all languages */
	P3_POINT_BORROW,     /* PyO3 makes an exception of a PyBorrowError */
	P3_POINT_BORROW_MUT, /* the same of a PyBorrowMutError */
	P3_POINT_FUNCTION,   /* what pyo3-break was given: by no name of its own */
};
/* By a function's name, mangled or not. */
enum p3_rust_point p3_rust_point(const char *name);

/* True if a frame with this name, above rust_panic(), resumes an old panic. */
bool p3_rust_resumes(const char *name);

/* ---- toolchains ---- */

struct p3_toolchain {
	const char *sysroot; /* "/root/.rustup/toolchains/stable-x86_64-unknown-linux-gnu" */
	const char *rustc;   /* "1.95.0 (59807616e 2026-04-14)" */
	bool exact;	     /* it is the one that built the module */
};

/*
 * The installed toolchain whose printers fit a module built by this rustc: the
 * same, else the nearest version. Looks at rustup's toolchains and the
 * distribution's; runs nothing, downloads nothing. P3_MISSING: there is none.
 */
struct p3_error *p3_rust_toolchain(struct p3_arena *arena, const char *rustc,
				   struct p3_toolchain *ret) P3_MUST_CHECK;

#endif
