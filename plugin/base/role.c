/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The words for roles, and which of them are glue. */
#include <pyo3-gdb/role.h>

static const struct {
	const char *name;
	bool glue;
} roles[P3_ROLE_COUNT] = {
	[P3_ROLE_UNKNOWN] = { "unknown", false },
	[P3_ROLE_USER] = { "user", false },
	[P3_ROLE_DEPENDENCY] = { "dependency", false },
	[P3_ROLE_SYSTEM] = { "system", false },
	[P3_ROLE_SIGNAL] = { "signal", false },
	[P3_ROLE_PANIC] = { "panic", true },
	[P3_ROLE_RUNTIME] = { "runtime", true },
	[P3_ROLE_PYO3] = { "pyo3", true },
	[P3_ROLE_ENTRY] = { "entry", true },
	[P3_ROLE_WRAPPER] = { "wrapper", true },
	[P3_ROLE_CPYTHON] = { "cpython", true },
	[P3_ROLE_EVAL] = { "eval", true },
	[P3_ROLE_START] = { "start", true },
};

const char *p3_role_name(enum p3_role role)
{
	return roles[role].name;
}

bool p3_role_is_glue(enum p3_role role)
{
	return roles[role].glue;
}
