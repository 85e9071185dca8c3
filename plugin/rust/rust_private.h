/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to rust/. */
#ifndef PYO3_GDB_RUST_PRIVATE_H
#define PYO3_GDB_RUST_PRIVATE_H

#include <pyo3-gdb/text.h>

#include <stdbool.h>

/* A mangled Rust name as a path; false, and nothing added: it is none. */
bool p3_rust_demangle(const char *name, struct p3_text *ret);

#endif
