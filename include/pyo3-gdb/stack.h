/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The mixed stack: a snapshot merged into one list of frames a thread, and the
 * session that holds what outlives one stop.
 */
#ifndef PYO3_GDB_STACK_H
#define PYO3_GDB_STACK_H

#include <pyo3-gdb/snapshot.h>

/* One frame of either language; innermost first in its stack. */
struct p3_frame {
	bool has_level;	      /* false: a Python frame whose native frame was not found */
	uint32_t level;	      /* gdb's; Python frames have that of the eval frame that runs them */
	uint32_t sub;	      /* 1, 2, ...: further Python frames of the same level */
	const char *language; /* "python", "rust", "c", "c++"; NULL: unknown */
	enum p3_role role;
	const char *function;	 /* NULL: no name */
	const char *python_name; /* the Rust function, as Python calls it; NULL */
	const char *file;	 /* NULL: unknown */
	uint32_t line;		 /* 0: unknown */
	uint64_t pc;		 /* 0: a Python frame */
	const char *module;	 /* path; NULL: none */
	uint64_t offset;	 /* link-time pc in the module */
	uint64_t entry;		 /* where its native function starts; 0: not known */
	bool inlined, folded;
	bool by_python;	  /* `function` is Python's name: the module is stripped */
	const char *note; /* what is odd about this frame; NULL: nothing */
	/* Recursion: `period` shown frames, this one first, stand there `times` times in a
	 * row, alike but for levels and values; the glue between them does not count.
	 * times 0: no run begins here. Indexes into the stack: where the first round
	 * ends, and where the run does. */
	uint32_t period, times;
	size_t round_end, run_end;

	struct p3_variable_list variables; /* see p3_session_read_variables() */
	const char *variables_absent;

	struct p3_py *py; /* of a Python frame; else NULL */
	const struct p3_py_frame *python;
};

struct p3_stack {
	const struct p3_snapshot_thread *thread;
	P3_LIST(struct p3_frame);
	const char *ended; /* why it ends early; NULL: it does not */
};

/*
 * One list of frames from a thread's native frames and Python segments. Pure:
 * reads only the snapshot. Segments are placed by stack address; nothing is
 * dropped: what cannot be placed is there, with a note.
 */
void p3_merge(struct p3_arena *arena, const struct p3_snapshot_thread *thread,
	      struct p3_stack *ret);

/* Mark the frames that are glue, and runs of repeating frames; give the Rust functions
 * their Python names. */
void p3_fold(struct p3_arena *arena, struct p3_stack *stack);
/* The innermost frame of the user's code in this language, NULL: Rust's or Python's. NULL: none. */
const struct p3_frame *p3_stack_user_frame(const struct p3_stack *stack, const char *language);
/* Is it the user's code, in Rust or Python? */
bool p3_frame_is_user(const struct p3_frame *frame);

/* ---- the session ---- */

struct p3_session;

struct p3_session *p3_session_new(struct p3_host host);
void p3_session_free(struct p3_session *session);
void p3_session_done(struct p3_session **session);
/* `set pyo3 unwinder`: auto unless it is set. */
void p3_session_set_unwinder(struct p3_session *session, enum p3_unwinder unwinder);
struct p3_native_counts p3_session_native_counts(const struct p3_session *session);
/* The frame that pyo3-frame and the like have selected; sub is 0 for native frames. */
struct p3_position {
	uint32_t thread, level, sub;
};
struct p3_position p3_session_position(const struct p3_session *session);
void p3_session_set_position(struct p3_session *session, struct p3_position position);
/* The process ran: what was known of the stop is dropped; files are kept. */
void p3_session_forget_stop(struct p3_session *session);
struct p3_target *p3_session_target(struct p3_session *session);

/* Facts about a module's file, looked at once a session; NULL: it has no readable file. */
const struct p3_file_facts *p3_session_facts(struct p3_session *session, struct p3_module *module);

enum p3_threads_wanted { P3_NO_THREADS, P3_SELECTED_THREAD, P3_ALL_THREADS };

/* The snapshot lives until p3_session_forget_stop(); it is made anew each time. */
struct p3_error *p3_session_snapshot(struct p3_session *session, enum p3_threads_wanted wanted,
				     const struct p3_snapshot **ret) P3_MUST_CHECK;
/* What Python calls the functions of a loaded module, by p3_py_natives(); read once a stop. */
const struct p3_map *p3_session_natives(struct p3_session *session, struct p3_py *py,
					const struct p3_module *module);
/* The function that starts at a run-time address, as the symbols have it; NULL: none does. */
const char *p3_session_symbol(struct p3_session *session, const struct p3_modules *modules,
			      uint64_t address);
/* The variable that starts at a run-time address, as the symbols have it; NULL: none does. */
const char *p3_session_object(struct p3_session *session, const struct p3_modules *modules,
			      uint64_t address);
/* Who has borrowed an object of a #[pyclass]. */
struct p3_borrower {
	const struct p3_snapshot_thread *thread; /* NULL: nobody was found */
	const struct p3_frame *frame;
	const char *guard; /* its variable; NULL: the frame was called with the object: likely */
};
/* `snapshot` has all threads. */
void p3_session_borrower(struct p3_session *session, const struct p3_snapshot *snapshot,
			 uint64_t object, struct p3_borrower *ret);
/* The stack of one of the snapshot's threads: merged, with the names that Python has for
 * Rust functions, and folded. */
void p3_session_stack(struct p3_session *session, const struct p3_snapshot_thread *thread,
		      struct p3_stack *ret);
/* Ask for variables of a frame (P3_ARGUMENTS ...), and put them, or why not, into it. */
void p3_session_read_variables(struct p3_session *session, const struct p3_stack *stack,
			       struct p3_frame *frame, unsigned int wanted);

/* ---- who waits for whom ---- */

enum p3_wait_kind {
	P3_WAIT_NONE, /* it runs, or is somewhere unknown */
	P3_WAIT_GIL,
	P3_WAIT_LOCK,	   /* one that a thread holds */
	P3_WAIT_JOIN,	   /* for another thread's end */
	P3_WAIT_WORLD,	   /* to stop all other threads, or to go on when they were stopped */
	P3_WAIT_CONDITION, /* to be notified: by whom, nothing tells */
	P3_WAIT_SLEEP,
	P3_WAIT_IO,
};

enum p3_certainty { P3_UNKNOWN, P3_PROBABLE, P3_CERTAIN };

/* What one thread waits for. Texts are of the stop's arena. */
struct p3_wait {
	enum p3_wait_kind kind;
	const char *what;  /* "Mutex", "GIL", "threading.RLock"; NULL: nothing */
	const char *name;  /* "demo::CACHE", "demo.so +0x1234", "at 0x7f..."; NULL */
	uint64_t address;  /* of the futex or the lock's object; 0: unknown */
	const char *where; /* "demo::refresh, src/cache.rs:47": the innermost user frame */
	size_t holder;	   /* index of the thread that holds it; SIZE_MAX: unknown */
	enum p3_certainty certainty;
	const char *why; /* of the holder: "guard `g` in demo::refresh, src/cache.rs:41" */
};

/* What this thread waits for, without who holds it. */
void p3_session_wait(struct p3_session *session, const struct p3_snapshot *snapshot,
		     struct p3_stack *stack, struct p3_wait *ret);
/* Of each of the snapshot's threads, in their order; by memory and registers alone. */
struct p3_wait *p3_session_waits(struct p3_session *session, const struct p3_snapshot *snapshot,
				 struct p3_stack *stacks);
/* For them: what the thread at `index` waits for, directly or not, comes back to it: how many
 * threads the circle has, their indexes in `ret`. 0: there is none. */
size_t p3_wait_cycle(const struct p3_wait *waits, size_t count, size_t index, size_t *ret);

#endif
