/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stack/merge and stack/fold, and the views, on literals. */
#include "check.h"

#include <pyo3-gdb/render.h>
#include <pyo3-gdb/stack.h>

#define EVAL "_PyEval_EvalFrameDefault"

static struct p3_arena *arena;

/* A thread being put together: native frames from the innermost out. */
static struct p3_snapshot_thread thread;

static void begin(void)
{
	p3_arena_free(arena);
	arena = p3_arena_new();
	thread = (struct p3_snapshot_thread){ .thread = { .number = 1, .lwp = 7 } };
}

static void native(const char *name, enum p3_role role, uint64_t sp, uint64_t cfa)
{
	struct p3_snapshot_frame *frame = p3_list_add(arena, &thread.frames);
	uint32_t level = (uint32_t)thread.frames.count - 1;

	frame->native = (struct p3_native_frame){ .level = level,
						  .name = name,
						  .sp = sp,
						  .cfa = cfa,
						  .pc = 0x1000 + level,
						  .group = level };
	frame->function = name;
	frame->language = role == P3_ROLE_USER ? "rust" : "c";
	frame->role = role;
}

/* The next frames are inlined into the one after them. */
static void inlined(const char *name, enum p3_role role, uint64_t sp, uint64_t cfa)
{
	native(name, role, sp, cfa);
	thread.frames.items[thread.frames.count - 1].native.kind = P3_FRAME_INLINE;
	thread.frames.items[thread.frames.count - 1].native.group++;
}

static void state(void)
{
	(void)p3_list_add(arena, &thread.python);
}

static void segment(uint64_t key, const char *first, const char *second)
{
	struct p3_py_thread *python = &thread.python.items[thread.python.count - 1].thread;
	struct p3_py_segment *new = p3_list_add(arena, python);

	new->key = key;
	if (first)
		p3_list_add(arena, new)->function = first;
	if (second)
		p3_list_add(arena, new)->function = second;
}

/* "level[.sub]:name" of every frame; "?" for no level, "!" for a note, "-" when folded. */
static const char *merged(void)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_stack stack;
	size_t i;

	p3_merge(arena, &thread, &stack);
	p3_fold(arena, &stack);
	for (i = 0; i < stack.count; i++) {
		const struct p3_frame *frame = &stack.items[i];

		p3_text_add(&text, i ? " " : "");
		if (frame->has_level)
			p3_text_printf(&text, "%u", frame->level);
		else
			p3_text_add(&text, "?");
		if (frame->sub)
			p3_text_printf(&text, ".%u", frame->sub);
		p3_text_printf(&text, ":%s%s%s", frame->function, frame->note ? "!" : "",
			       frame->folded ? "-" : "");
	}
	return p3_arena_string(arena, p3_text_string(&text));
}

static void equal_counts(void)
{
	begin();
	native("user", P3_ROLE_USER, 100, 200);
	native(EVAL, P3_ROLE_CPYTHON, 200, 300);
	native("main", P3_ROLE_CPYTHON, 300, 400);
	native(EVAL, P3_ROLE_CPYTHON, 400, 500);
	state();
	segment(250, "inner", "middle");
	segment(450, "outer", NULL);
	CHECK_STRING(merged(), "0:user 1:inner 1.1:middle 1:" EVAL "- 2:main- 3:outer 3:" EVAL "-");
}

static void names_do_not_matter(void)
{
	begin();
	native(NULL, P3_ROLE_SYSTEM, 100, 200);
	native("some_other.cold", P3_ROLE_CPYTHON, 200, 300);
	state();
	segment(200, "f", NULL); /* [sp, cfa): the first byte belongs to it */
	CHECK_STRING(merged(), "0:(null) 1:f 1:some_other.cold-");
}

static void eval_without_python_frame(void)
{
	begin();
	native(EVAL, P3_ROLE_CPYTHON, 100, 200);
	native(EVAL, P3_ROLE_CPYTHON, 200, 300);
	state();
	segment(250, "f", NULL);
	CHECK_STRING(merged(), "0:" EVAL "! 1:f 1:" EVAL "-");
}

static void segment_without_frames(void)
{
	begin();
	native("user", P3_ROLE_USER, 50, 100);
	native(EVAL, P3_ROLE_CPYTHON, 100, 200);
	state();
	segment(150, NULL, NULL);
	CHECK_STRING(merged(), "0:user 1:" EVAL "!");
}

static void segment_without_native_frame(void)
{
	begin();
	native("user", P3_ROLE_USER, 100, 200);
	native(EVAL, P3_ROLE_CPYTHON, 200, 300);
	state();
	segment(50, "above", NULL); /* more inner than all that was unwound */
	segment(250, "placed", NULL);
	segment(900, "below", NULL); /* the unwind ended before it */
	segment(0, "unkeyed", NULL);
	CHECK_STRING(merged(), "?:above! 0:user 1:placed 1:" EVAL "- ?.1:below! ?.2:unkeyed!");
}

static void two_states_on_one_thread(void)
{
	begin();
	native(EVAL, P3_ROLE_CPYTHON, 100, 200);
	native(EVAL, P3_ROLE_CPYTHON, 200, 300);
	native(EVAL, P3_ROLE_CPYTHON, 300, 400);
	state();
	segment(150, "sub", NULL);
	segment(350, "main", NULL);
	state();
	segment(250, "other", NULL);
	CHECK_STRING(merged(), "0:sub 0:" EVAL "- 1:other 1:" EVAL "- 2:main 2:" EVAL "-");
}

static void inline_frames_share_the_stack(void)
{
	begin();
	inlined("helper", P3_ROLE_CPYTHON, 100, 200);
	native("caller", P3_ROLE_CPYTHON, 100, 200);
	state();
	segment(120, "f", NULL);
	CHECK_STRING(merged(), "0:helper 1:f 1:caller-");
	/* the loop itself inlined into its caller: it is the one that runs the frames */
	begin();
	inlined(EVAL, P3_ROLE_CPYTHON, 100, 200);
	native("vector", P3_ROLE_CPYTHON, 100, 200);
	state();
	segment(120, "f", NULL);
	CHECK_STRING(merged(), "0:f 0:" EVAL "- 1:vector-");
}

static void a_signal_on_another_stack(void)
{
	begin();
	native("handler", P3_ROLE_USER, 9000, 9100); /* sigaltstack: above the thread's own */
	native("sigreturn", P3_ROLE_SIGNAL, 9100, 9100);
	native("user", P3_ROLE_USER, 100, 200);
	native(EVAL, P3_ROLE_CPYTHON, 200, 300);
	state();
	segment(250, "f", NULL);
	CHECK_STRING(merged(), "0:handler 1:sigreturn 2:user 3:f 3:" EVAL "-");
}

static void python_without_native_frames(void)
{
	begin();
	state();
	segment(120, "f", "g");
	CHECK_STRING(merged(), "?:f! ?.1:g!");
}

static void folding_keeps_what_matters(void)
{
	begin();
	native("memcpy", P3_ROLE_CPYTHON, 10, 20); /* the innermost frame, whatever it is */
	native("sigreturn", P3_ROLE_SIGNAL, 20, 30);
	native("interrupted", P3_ROLE_CPYTHON, 30, 40);
	native("plumbing", P3_ROLE_CPYTHON, 40, 50);
	CHECK_STRING(merged(), "0:memcpy 1:sigreturn 2:interrupted 3:plumbing-");
	begin();
	native("rust_panic", P3_ROLE_PANIC, 10, 20);
	native("user", P3_ROLE_USER, 20, 30);
	CHECK_STRING(merged(), "0:rust_panic- 1:user");
	begin();
	native("rust_panic", P3_ROLE_PANIC, 10, 20); /* nothing else: show it */
	CHECK_STRING(merged(), "0:rust_panic");
}

static void recursion_is_counted(void)
{
	struct p3_stack stack;
	size_t i;

	begin();
	native("leaf", P3_ROLE_USER, 10, 20);
	for (i = 0; i < 5; i++) {
		native("f", P3_ROLE_USER, 20, 30);
		native("glue", P3_ROLE_PYO3, 20, 30);
		native("g", P3_ROLE_USER, 20, 30);
	}
	native("main", P3_ROLE_USER, 30, 40);
	p3_merge(arena, &thread, &stack);
	p3_fold(arena, &stack);
	CHECK(stack.items[0].times == 0);
	CHECK(stack.items[1].times == 5 && stack.items[1].period == 2);
	CHECK(stack.items[1].round_end == 4 && stack.items[1].run_end == 16);
	CHECK(stack.items[4].times == 0 && stack.items[16].times == 0);
	stack.items[8].line = 7; /* glue: it does not count */
	p3_fold(arena, &stack);
	CHECK(stack.items[1].times == 5);
	stack.items[9].line = 7; /* another call in the middle of it */
	p3_fold(arena, &stack);
	CHECK(stack.items[1].times == 0);
}

static void wrappers_name_functions(void)
{
	struct p3_stack stack;

	begin();
	native("demo::f", P3_ROLE_USER, 10, 20);
	native("demo::__pyfunction_f", P3_ROLE_WRAPPER, 20, 30);
	native("trampoline", P3_ROLE_ENTRY, 30, 40);
	native("demo::__pyfunction_g", P3_ROLE_WRAPPER, 40, 50);
	thread.frames.items[1].wraps = "demo.f";
	thread.frames.items[3].wraps = "demo.g";
	p3_merge(arena, &thread, &stack);
	p3_fold(arena, &stack);
	CHECK_STRING(stack.items[0].python_name, "demo.f");
	CHECK(stack.items[1].folded && !stack.items[1].python_name);
	/* g itself was inlined away and left no frame: its wrapper stands for it */
	CHECK(!stack.items[3].folded);
	CHECK_STRING(stack.items[3].python_name, "demo.g");
}

static void ranges_count_as_bt(void)
{
	struct p3_stack stack;
	struct p3_range range;

	begin();
	native("user", P3_ROLE_USER, 10, 20);
	native("glue", P3_ROLE_PYO3, 20, 30);
	native("user2", P3_ROLE_USER, 30, 40);
	native("glue2", P3_ROLE_START, 40, 50);
	p3_merge(arena, &thread, &stack);
	p3_fold(arena, &stack);
	range = p3_render_range(&stack, false, NULL);
	CHECK(range.first == 0 && range.end == 4 && !range.more);
	range = p3_render_range(&stack, false, &(long){ 1 });
	CHECK(range.first == 0 && range.end == 1 && range.more);
	range = p3_render_range(&stack, false, &(long){ 2 });
	CHECK(range.end == 3 && !range.more);
	range = p3_render_range(&stack, true, &(long){ 2 });
	CHECK(range.end == 2 && range.more);
	range = p3_render_range(&stack, false, &(long){ -1 });
	CHECK(range.first == 2 && range.end == 4 && !range.more);
	range = p3_render_range(&stack, false, &(long){ 99 });
	CHECK(range.end == 4 && !range.more);
}

static void plain_lines(void)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_render_options options = { .arguments = P3_SHOW_SCALARS, .width = 80 };
	struct p3_range range;
	struct p3_stack stack;
	struct p3_variable *variable;
	size_t next = 0;

	begin();
	thread.name = "worker";
	thread.gil = P3_GIL_WAITS;
	native("demo::f", P3_ROLE_USER, 10, 20);
	native("glue", P3_ROLE_PYO3, 20, 30);
	native("start", P3_ROLE_START, 30, 40);
	p3_merge(arena, &thread, &stack);
	p3_fold(arena, &stack);
	stack.items[0].file = "src/lib.rs";
	stack.items[0].line = 7;
	variable = p3_list_add(arena, &stack.items[0].variables);
	*variable = (struct p3_variable){ .name = "a", .value = "1", .argument = true };
	variable = p3_list_add(arena, &stack.items[0].variables);
	*variable = (struct p3_variable){
		.name = "b", .value = "[1]", .argument = true, .aggregate = true
	};
	variable = p3_list_add(arena, &stack.items[0].variables);
	*variable =
		(struct p3_variable){ .name = "c", .absent = "optimized out", .argument = true };
	range = p3_render_range(&stack, false, NULL);
	p3_render_header(&thread, &(struct p3_wait){ 0 }, &text);
	while (next < range.end)
		p3_render_frame(&stack, &range, &options, &next, &text);
	CHECK_STRING(p3_text_string(&text),
		     "Thread 1 (LWP 7) \"worker\", waits for the GIL\n"
		     "#0     rust  demo::f (a=1, b=..., c=<optimized out>)     at src/lib.rs:7\n"
		     "         :   2 frames of PyO3 and start-up\n");
}

int main(void)
{
	RUN(equal_counts);
	RUN(names_do_not_matter);
	RUN(eval_without_python_frame);
	RUN(segment_without_frames);
	RUN(segment_without_native_frame);
	RUN(two_states_on_one_thread);
	RUN(inline_frames_share_the_stack);
	RUN(a_signal_on_another_stack);
	RUN(python_without_native_frames);
	RUN(folding_keeps_what_matters);
	RUN(recursion_is_counted);
	RUN(wrappers_name_functions);
	RUN(ranges_count_as_bt);
	RUN(plain_lines);
	p3_arena_free(arena);
	return RESULT();
}
