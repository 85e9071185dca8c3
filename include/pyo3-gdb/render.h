/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Views: text for people, JSON for programs. No reads, no gdb. JSON's shape is
 * plugin/render/stack.schema.json, schema "pyo3-gdb/stack/1".
 */
#ifndef PYO3_GDB_RENDER_H
#define PYO3_GDB_RENDER_H

#include <pyo3-gdb/stack.h>
#include <pyo3-gdb/text.h>

/* `print frame-arguments` of gdb. */
enum p3_arguments_shown { P3_SHOW_ALL, P3_SHOW_SCALARS, P3_SHOW_PRESENCE, P3_SHOW_NONE };

struct p3_render_options {
	bool full, raw;
	bool unicode; /* the terminal can show more than ASCII */
	size_t width; /* columns; 0: unlimited */
	enum p3_arguments_shown arguments;
	/* Escape sequences that start a style; "" or NULL: none. */
	const char *function_style, *file_style, *variable_style, *address_style;
};

/* Which frames of a stack to show: [first, end) of its list. */
struct p3_range {
	size_t first, end;
	bool more; /* frames were left out by the count */
};

/* The range for `bt COUNT`: the innermost COUNT shown frames, or, negative, the
 * outermost; folded frames do not count unless `raw`. NULL: all. */
struct p3_range p3_render_range(const struct p3_stack *stack, bool raw, const long *wanted);

/* "the Mutex demo::CACHE": what is waited for. */
void p3_render_lock(const struct p3_wait *wait, struct p3_text *ret);
/* "waits for the GIL", "sleeps", "is in poll()", "runs". */
void p3_render_wait(const struct p3_wait *wait, struct p3_text *ret);
/* ", holds the GIL, waits for the Mutex demo::CACHE, finalizing Python": all that holds. */
void p3_render_state(const struct p3_snapshot_thread *thread, const struct p3_wait *wait,
		     struct p3_text *ret);
/* `Thread 2 (LWP 4711) "MainThread", holds the GIL, waits for the Mutex demo::CACHE`, with a
 * newline. */
void p3_render_header(const struct p3_snapshot_thread *thread, const struct p3_wait *wait,
		      struct p3_text *ret);
/* The next line or lines from frame `*next` on: one frame, or a run of folded ones. */
void p3_render_frame(const struct p3_stack *stack, const struct p3_range *range,
		     const struct p3_render_options *options, size_t *next, struct p3_text *ret);

/* "the 15 frames above repeat 998 more times" */
void p3_render_repeats(uint32_t period, uint32_t more, const struct p3_render_options *options,
		       struct p3_text *ret);

/* One JSON object of all stacks, ending in a newline. */
void p3_render_json(const struct p3_snapshot *snapshot, const struct p3_stack *stacks,
		    const struct p3_range *ranges, size_t count, bool full, struct p3_text *ret);

/* What each thread waits for, as JSON; `deadlocked`: those in a circle. */
void p3_render_waits(const struct p3_snapshot *snapshot, const struct p3_wait *waits,
		     const bool *deadlocked, struct p3_text *ret);

#endif
