/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What is known at this stop: plain structs of one arena, never changed once
 * made. Every unknown carries its reason; absence is data.
 */
#ifndef PYO3_GDB_SNAPSHOT_H
#define PYO3_GDB_SNAPSHOT_H

#include <pyo3-gdb/cpython.h>
#include <pyo3-gdb/native.h>
#include <pyo3-gdb/role.h>

/* A native frame with what the readers of both languages know of it. */
struct p3_snapshot_frame {
	struct p3_native_frame native;
	enum p3_role role;
	const char *function;		/* short and readable; NULL: no name */
	const char *language;		/* "rust", "c", "c++"; NULL: unknown */
	const char *wraps;		/* of a P3_ROLE_WRAPPER: Python's name of the item */
	const struct p3_module *module; /* NULL: none */
};

/* A thread state and the runtime it belongs to. */
struct p3_snapshot_python {
	struct p3_py *py;
	struct p3_py_thread thread;
};

struct p3_snapshot_thread {
	struct p3_thread thread; /* number 0: a thread state without a thread */
	const char *name;	 /* Python's, else the system's; NULL: unknown */
	enum p3_gil gil;
	enum p3_attached attached; /* of a free-threaded build; else unknown */
	bool collecting, finalizing;
	P3_LIST(struct p3_snapshot_frame) frames; /* index: level */
	const struct p3_native_frames *native;	  /* the same, as they were unwound */
	const struct p3_modules *modules;
	P3_LIST(struct p3_snapshot_python) python; /* several with subinterpreters */
	const char *native_ended;  /* why native frames end early, or are missing; NULL */
	const char *python_absent; /* why Python frames are missing; NULL: they are not */
};

struct p3_snapshot {
	struct p3_process process;
	struct p3_modules modules;
	P3_LIST(struct p3_py *) runtimes;
	P3_LIST(struct p3_snapshot_thread) threads;
	const char *python_absent; /* why there is no Python at all; NULL: there is */
};

/* Name and classify the frames of a thread. A pure function of its arguments. */
void p3_snapshot_name_frames(struct p3_arena *arena, const struct p3_modules *modules,
			     const struct p3_native_frames *frames,
			     struct p3_snapshot_thread *thread);

#endif
