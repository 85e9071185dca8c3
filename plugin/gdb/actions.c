/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The acting table: what commands can do to gdb. */
#include "gdb.h"

struct p3_error *p3_gdb_write(const char *text)
{
	/* Bytes that are no UTF-8 cannot come here, but never throw at the user. */
	P3_OBJECT string = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
	P3_OBJECT done = string ? p3_gdb_call(p3_gdb(), "write", "(O)", string) : NULL;

	if (!done || p3_gdb_interrupted())
		return p3_gdb_error("writing");
	return NULL;
}

static struct p3_error *write_text(void *context, const char *text)
{
	(void)context;
	return p3_gdb_write(text);
}

static struct p3_error *select_frame(void *context, uint32_t thread, uint32_t level)
{
	(void)context;
	return p3_gdb_host_select(thread, level);
}

static struct p3_error *list_source(void *context, const char *arguments)
{
	P3_OBJECT command = PyUnicode_FromFormat("list %s", arguments);
	P3_OBJECT done = NULL;

	(void)context;
	p3_gdb_host_forget(); /* the user's own frame is what is listed */
	done = command ? p3_gdb_call(p3_gdb(), "execute", "(O)", command) : NULL;
	return done ? NULL : p3_gdb_error(NULL);
}

static void set_variable(void *context, const char *name, const char *text, uint64_t number)
{
	P3_OBJECT value = text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace")
			       : PyLong_FromUnsignedLongLong(number);
	P3_OBJECT done =
		value ? p3_gdb_call(p3_gdb(), "set_convenience_variable", "(sO)", name, value)
		      : NULL;

	(void)context;
	(void)done;
	p3_gdb_clear();
}

const struct p3_actions p3_gdb_actions = {
	.select = select_frame,
	.list = list_source,
	.write = write_text,
	.breakpoint = p3_gdb_set_breakpoint,
	.resolves = p3_gdb_resolves,
	.files = p3_gdb_files,
	.variable = set_variable,
	.printers = p3_gdb_printer_state,
};
