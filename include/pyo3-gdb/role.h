/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a frame is for. The words are the same in C, help texts and JSON. */
#ifndef PYO3_GDB_ROLE_H
#define PYO3_GDB_ROLE_H

#include <stdbool.h>

enum p3_role {
	P3_ROLE_UNKNOWN,    /* no name and no module: shown */
	P3_ROLE_USER,	    /* code of the person who debugs, of any language */
	P3_ROLE_DEPENDENCY, /* a crate from a registry or a git checkout */
	P3_ROLE_SYSTEM,	    /* libc, the vdso and other shared objects */
	P3_ROLE_SIGNAL,	    /* the kernel's signal frame */
	P3_ROLE_PANIC,	    /* Rust's panic machinery */
	P3_ROLE_RUNTIME,    /* std, core, alloc and what they are made of */
	P3_ROLE_PYO3,	    /* PyO3 itself */
	P3_ROLE_ENTRY,	    /* PyO3's trampolines: Python calls Rust here */
	P3_ROLE_WRAPPER,    /* what #[pyfunction] and #[pymethods] generate */
	P3_ROLE_CPYTHON,    /* the interpreter's plumbing */
	P3_ROLE_EVAL,	    /* the interpreter's loop: the Python frames are in its place */
	P3_ROLE_START,	    /* what starts a process or thread */
};

enum { P3_ROLE_COUNT = P3_ROLE_START + 1 };

/* "user", "dependency", ... */
const char *p3_role_name(enum p3_role role);
/* Folded unless -raw: it says nothing about the user's program. */
bool p3_role_is_glue(enum p3_role role);

#endif
