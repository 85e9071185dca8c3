/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to stack/: what of the session is not in stack.h. */
#ifndef PYO3_GDB_STACK_PRIVATE_H
#define PYO3_GDB_STACK_PRIVATE_H

#include <pyo3-gdb/stack.h>

struct p3_native *p3_session_native(struct p3_session *session);
/* The variables of a Rust frame, to find guards among; none if it has none that can be read. */
void p3_session_rust_variables(struct p3_session *session, const struct p3_stack *stack,
			       const struct p3_frame *frame, struct p3_frame_variables *ret);
/* "demo::CACHE", "demo::Cache.inner at 0x7f...", "demo.so +0x1234"; `stack` waits for it. NULL: the
 * address is not known. */
const char *p3_session_lock_name(struct p3_session *session, const struct p3_snapshot *snapshot,
				 const struct p3_stack *stack, uint64_t address);
/* Instances of Rust's classes are written with the struct in them, and who has borrowed it. */
void p3_session_use_pyclasses(struct p3_session *session, struct p3_snapshot *snapshot,
			      struct p3_py *py);

#endif
