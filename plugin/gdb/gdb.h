/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Private to gdb/, the only folder that sees Python.h. Built with the limited
 * API, so that one shared object loads in every gdb.
 *
 * Objects are owned by a variable with P3_OBJECT; a Python exception never
 * leaves this folder: p3_gdb_error() turns it into a p3_error.
 */
#ifndef PYO3_GDB_GDB_H
#define PYO3_GDB_GDB_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pyo3-gdb/command.h>

void p3_gdb_decref(PyObject **object);
/* An owned reference, dropped at the end of the scope; may be NULL. */
#define P3_OBJECT PyObject P3_CLEANUP(p3_gdb_decref) *

/* The `gdb` module, borrowed; it lives as long as gdb. */
PyObject *p3_gdb(void);

/* ---- values (value.c) ---- */

/* Turn the pending Python exception into an error; Ctrl-C is remembered. */
struct p3_error *p3_gdb_error(const char *doing) P3_MUST_CHECK;
/* Clear the pending exception, but remember a Ctrl-C. */
void p3_gdb_clear(void);
/* Has the user typed Ctrl-C since the command began? Then it is pending again. */
bool p3_gdb_interrupted(void);
/* True once after a Ctrl-C, or a q in the pager, was turned into an error. */
bool p3_gdb_take_interrupt(void);

/* object.name(...) with the arguments of Py_BuildValue; NULL with an exception set. */
PyObject *p3_gdb_call(PyObject *object, const char *name, const char *format, ...);
/* The same for an attribute or result as text, in an arena; NULL for None or failure. */
const char *p3_gdb_text(struct p3_arena *arena, PyObject *string);
const char *p3_gdb_attribute_text(struct p3_arena *arena, PyObject *object, const char *name);
/* An attribute as a number; `otherwise` on failure. Clears exceptions, as above. */
int64_t p3_gdb_attribute_number(PyObject *object, const char *name, int64_t otherwise);
/* The Python object that a value of this type, without typedefs, is or holds, as PyO3's Py and
 * Bound do; or that it points at; 0: none. */
uint64_t p3_gdb_find_object(struct p3_arena *arena, PyObject *value, PyObject *type);
/* A gdb.Value or int as an address; 0 on failure. Clears exceptions, as above. */
uint64_t p3_gdb_address(PyObject *value);
/* gdb puts "target:" before files that it reads through gdbserver; they may be here, too. */
const char *p3_gdb_local_path(const char *path);
/* A gdb.Value that was optimized out, or cannot be read. Clears exceptions, as above. */
bool p3_gdb_is_lost(PyObject *value);
/* gdb.NAME, a number; `otherwise` where this gdb has none. */
long p3_gdb_constant(const char *name, long otherwise);
/* What a gdb command prints; NULL on failure. Clears exceptions, as above. */
PyObject *p3_gdb_output_of(const char *command);
/* Have gdb.events.NAME call the method; it must live on. False with an exception set. */
bool p3_gdb_connect(const char *event, PyMethodDef *method);
/* A new subclass of `base` with this docstring; its one method is `method`. */
PyObject *p3_gdb_subclass(const char *name, PyObject *base, const char *doc, PyMethodDef *methods,
			  PyObject *self);

/* ---- gdb as a host and as what is acted upon ---- */

/* The read-only questions (target.c). */
struct p3_host p3_gdb_host(void);
/* Drop what was kept of gdb's objects at this stop. */
void p3_gdb_host_forget(void);
/* Select a frame for good: it is not put back at the end of the command. */
struct p3_error *p3_gdb_host_select(uint32_t thread, uint32_t level) P3_MUST_CHECK;
/* A register of a gdb.Frame; 0 if it has none of that name. */
uint64_t p3_gdb_register(PyObject *frame, const char *name);

/* The acting table (actions.c). */
extern const struct p3_actions p3_gdb_actions;
struct p3_error *p3_gdb_write(const char *text) P3_MUST_CHECK;

/* The one session, and its context for a command with gdb's settings (command.c). */
struct p3_command_context p3_gdb_context(void);
/* A command of ours is running: the session is in use. */
bool p3_gdb_busy(void);
/* Define all commands; false with an exception set. */
bool p3_gdb_define_commands(void);

/* `set pyo3 ...` (parameter.c). */
bool p3_gdb_define_parameters(void);
enum p3_unwinder p3_gdb_unwinder(void);

/* `set pyo3 py-commands`: false when it is off. */
bool p3_gdb_py_commands(void);
/* The same: true when it is on, in place of CPython's own. */
bool p3_gdb_py_commands_forced(void);

/* Python objects in gdb's own print (pyobject.c). */
bool p3_gdb_start_objects(void);

/* Breakpoints, and the functions in their conditions (breakpoint.c). */
struct p3_error *p3_gdb_set_breakpoint(void *context, enum p3_stop stop, const char *spec,
				       const char *condition, bool internal) P3_MUST_CHECK;
bool p3_gdb_resolves(void *context, const char *spec);
const char *const *p3_gdb_files(void *context, struct p3_arena *arena, size_t *count_ret);
bool p3_gdb_define_functions(void);
/* A file was loaded: its path. */
void p3_gdb_loaded(const char *path);

/* Printers (printer.c). Register gdb 13's guard and rustc's printers, now and later. */
bool p3_gdb_start_printers(void);
const char *p3_gdb_printer_state(void *context, struct p3_arena *arena, const char *module);

#endif
