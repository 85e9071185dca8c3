/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Native frames from the host's unwinder, with the stack range of each physical
 * frame: a frame's CFA is the stack pointer of the one that called it. gdb's
 * synthetic tail-call frames have no stack of their own.
 */
#include "native.h"

static bool is_physical(const struct p3_native_frame *frame)
{
	return frame->kind == P3_FRAME_NORMAL || frame->kind == P3_FRAME_SIGNAL;
}

struct p3_error *p3_native_unwind_host(struct p3_target *target, struct p3_arena *arena,
				       uint32_t thread, struct p3_native_frames *ret)
{
	const struct p3_host_frames *host;
	struct p3_native_frames frames = { 0 };
	uint64_t caller_sp = 0, sp = 0, cfa = 0;
	uint32_t group = 0;
	size_t i;

	P3_TRY(p3_target_frames(target, thread, &host));
	for (i = 0; i < host->count && i < P3_MAX_FRAMES; i++) {
		const struct p3_host_frame *from = &host->items[i];
		struct p3_native_frame *frame = p3_list_add(arena, &frames);

		frame->kind = from->kind;
		frame->level = (uint32_t)i;
		frame->pc = from->pc;
		frame->sp = from->sp;
		frame->name = from->name;
		frame->file = from->file;
		frame->line = from->line;
		frame->language = from->language;
		frame->group = group;
		if (is_physical(frame))
			group++;
	}
	/* From the outermost frame in, so that inline frames get the range of theirs. */
	for (i = frames.count; i--;) {
		struct p3_native_frame *frame = &frames.items[i];

		if (is_physical(frame)) {
			sp = frame->sp;
			cfa = sp && caller_sp > sp ? caller_sp : sp;
			caller_sp = sp;
		}
		frame->sp = sp;
		frame->cfa = cfa;
	}
	/* Python's frames on this stack are read next: in one go. */
	if (frames.count && frames.items[frames.count - 1].sp > frames.items[0].sp)
		(void)p3_target_prefetch(target, frames.items[0].sp,
					 frames.items[frames.count - 1].sp);
	frames.ended = host->ended;
	*ret = frames;
	return NULL;
}
