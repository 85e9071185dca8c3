/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Our own unwinder: registers, the stack read in bulk, one CFI row a distinct
 * pc. Then each frame is expanded as gdb has them: inlined functions, and tail
 * calls that left no trace on the stack. What it cannot do as gdb does ends in
 * P3_UNSUPPORTED, and the host unwinds that thread. It ends: the CFA must grow
 * (but for signal frames), and there are at most P3_MAX_FRAMES.
 */
#include "native.h"

#include <inttypes.h>
#include <string.h>

enum {
	FIRST_FETCH = 64 << 10, /* bytes of stack read at once, doubled up to */
	LAST_FETCH = 8 << 20,
	PAGE = 4096,
	HOST_LEVELS = 64, /* how far the host unwinds for the variables of a packed file */
};

struct physical {
	uint64_t pc, sp, cfa;
	bool exact, signal;
	struct p3_file *file;
	uint64_t bias;
	bool executable;
};

struct unwind {
	struct p3_native *native;
	struct p3_target *target;
	const struct p3_modules *modules;
	struct p3_arena *arena;
	const struct p3_machine *machine;
	struct p3_file **files;	 /* by index of the module; NULL: not looked for yet */
	uint64_t fetched, fetch; /* the stack is cached up to here; how much to read next */
	P3_LIST(struct physical) frames;
};

/* Read the stack ahead; where the mapping ends, less and less. */
static void fetch_stack(struct unwind *unwind, uint64_t address)
{
	uint64_t size;

	if (address < unwind->fetched)
		return;
	for (size = unwind->fetch; size >= PAGE; size /= 2) {
		uint64_t start = address / PAGE * PAGE;

		if (start + size < start)
			continue;
		if (p3_target_prefetch(unwind->target, start, start + size)) {
			unwind->fetched = start + size;
			break;
		}
	}
	if (unwind->fetch < LAST_FETCH && size == unwind->fetch)
		unwind->fetch *= 2;
}

static struct p3_error *read_stack(struct unwind *unwind, uint64_t address, uint64_t *ret)
{
	fetch_stack(unwind, address);
	return p3_read_u64(unwind->target, address, ret);
}

static struct p3_error *find_file(struct unwind *unwind, struct p3_frame_state *cursor,
				  const struct p3_module *last)
{
	uint64_t pc = cursor->pc - !cursor->exact;
	size_t index;

	cursor->module = last && pc >= last->start && pc < last->end
				 ? last
				 : p3_modules_at(unwind->modules, pc);
	if (!cursor->module)
		return p3_error_new(P3_UNSUPPORTED, "0x%" PRIx64 " is in no module", cursor->pc);
	index = (size_t)(cursor->module - unwind->modules->items);
	if (!unwind->files[index])
		unwind->files[index] =
			p3_native_file(unwind->native, unwind->target, cursor->module);
	cursor->file = unwind->files[index];
	if (!cursor->file)
		return p3_error_new(P3_UNSUPPORTED, "%s has no file", cursor->module->name);
	return NULL;
}

static struct p3_error *find_cfa(struct unwind *unwind, const struct p3_frame_state *cursor,
				 const struct p3_cfi_row *row, uint64_t *ret)
{
	if (row->cfa)
		return p3_expression_value(row->cfa, unwind->target, cursor->registers, 0, ret);
	*ret = cursor->registers[row->cfa_register] + (uint64_t)row->cfa_offset;
	return NULL;
}

/* The caller's value of one register; *known false: it is lost. */
static struct p3_error *restore(struct unwind *unwind, const struct p3_frame_state *cursor,
				const struct p3_cfi_row *row, unsigned int number, uint64_t cfa,
				uint64_t *ret, bool *known)
{
	const struct p3_rule *rule = &row->rules[number];
	uint64_t address;

	*known = true;
	switch (rule->kind) {
	case P3_RULE_SAME:
		*ret = cursor->registers[number];
		return NULL;
	case P3_RULE_MEMORY:
		return read_stack(unwind, cfa + (uint64_t)(int64_t)rule->offset, ret);
	case P3_RULE_VALUE:
		*ret = cfa + (uint64_t)(int64_t)rule->offset;
		return NULL;
	case P3_RULE_REGISTER:
		*ret = cursor->registers[rule->offset];
		return NULL;
	case P3_RULE_EXPRESSION:
		P3_TRY(p3_expression_value(row->expressions[number], unwind->target,
					   cursor->registers, cfa, &address));
		return p3_read_u64(unwind->target, address, ret);
	case P3_RULE_UNDEFINED:
		break;
	}
	*known = false;
	*ret = 0;
	return NULL;
}

/* Step to the caller; *last: this frame has none. The frame that was left has its CFA then. */
static struct p3_error *step(struct unwind *unwind, struct p3_frame_state *cursor,
			     struct physical *frame, bool *last)
{
	const struct p3_machine *machine = unwind->machine;
	uint64_t pc = cursor->pc - !cursor->exact - cursor->module->bias, cfa;
	const struct p3_cfi_row *row = p3_file_cfi(cursor->file, pc);
	struct p3_frame_state caller = { 0 };
	unsigned int i;
	bool known = false;

	if (!row->usable)
		return p3_error_new(P3_UNSUPPORTED, "no usable CFI at 0x%" PRIx64, cursor->pc);
	P3_TRY(find_cfa(unwind, cursor, row, &cfa));
	if (cfa <= cursor->registers[machine->sp] && !row->signal)
		return p3_error_new(P3_UNSUPPORTED, "the stack does not grow at 0x%" PRIx64,
				    cursor->pc);
	cursor->cfa = cfa;
	*frame = (struct physical){ .pc = cursor->pc,
				    .sp = cursor->registers[machine->sp],
				    .cfa = cfa,
				    .exact = cursor->exact,
				    .signal = row->signal,
				    .file = cursor->file,
				    .bias = cursor->module->bias,
				    .executable = cursor->module == unwind->modules->items };
	P3_TRY(restore(unwind, cursor, row, row->return_register, cfa, &caller.pc, &known));
	*last = !known || !caller.pc;
	if (*last)
		return NULL;
	for (i = 0; i < machine->count; i++) {
		known = true;
		if (i == machine->sp && row->rules[i].kind == P3_RULE_SAME)
			caller.registers[i] = cfa;
		else
			P3_TRY(restore(unwind, cursor, row, i, cfa, &caller.registers[i], &known));
		if (row->rules[i].kind == P3_RULE_SAME && i != machine->sp)
			known = cursor->known >> i & 1;
		caller.known |= (uint64_t)known << i;
	}
	caller.exact = row->signal;
	*cursor = caller;
	return NULL;
}

static const struct p3_places *places_of(struct unwind *unwind, const struct physical *frame)
{
	return p3_native_places(unwind->native, unwind->target, frame->file, frame->bias,
				frame->pc - !frame->exact - frame->bias);
}

/*
 * gdb ends a backtrace at main(), unless told otherwise. What it takes for main in a Rust
 * program with DWARF (DW_AT_main_subprogram) is another, which it then does not find.
 */
static bool is_main(struct unwind *unwind, const struct physical *frame)
{
	const struct p3_places *places;
	const char *name;

	if (!frame->executable)
		return false;
	if (frame > unwind->frames.items) {
		places = places_of(unwind, frame - 1);
		if (places->from_dwarf && places->language && !strcmp(places->language, "rust"))
			return false;
	}
	places = places_of(unwind, frame);
	name = places->count ? places->items[places->count - 1].name : NULL;
	return name && !strcmp(name, "main");
}

static struct p3_native_frame *add_frame(struct unwind *unwind, const struct physical *physical,
					 struct p3_native_frames *ret)
{
	struct p3_native_frame *frame = p3_list_add(unwind->arena, ret);

	frame->level = (uint32_t)ret->count - 1;
	frame->pc = physical->pc;
	frame->sp = physical->sp;
	frame->cfa = physical->cfa;
	return frame;
}

static void use_place(struct p3_native_frame *frame, const struct p3_place *place,
		      const char *language)
{
	frame->name = place->name;
	frame->file = place->file;
	frame->folder = place->folder;
	frame->line = place->line;
	frame->language = language;
}

/* The tail calls between a frame and its caller, which left only the caller's return address. */
static void add_tail_calls(struct unwind *unwind, const struct physical *callee,
			   const struct physical *caller, uint32_t group,
			   struct p3_native_frames *ret)
{
	const struct p3_places *places = places_of(unwind, callee);
	const struct p3_pcs *pcs;
	size_t i;

	if (callee->signal || caller->exact || !places->from_dwarf)
		return;
	if (p3_file_is_packed(caller->file) &&
	    p3_file_is_plain_call(caller->file, caller->pc - caller->bias,
				  callee->file == caller->file ? places->entry : UINT64_MAX))
		return;
	pcs = p3_file_tail_calls(caller->file, caller->pc - caller->bias, callee->file,
				 places->entry);
	for (i = 0; i < pcs->count; i++) {
		const struct p3_places *at =
			p3_native_places(unwind->native, unwind->target, callee->file, callee->bias,
					 pcs->items[i] - 1);
		struct p3_native_frame *frame = add_frame(unwind, caller, ret);

		frame->kind = P3_FRAME_TAIL_CALL;
		frame->pc = pcs->items[i] + callee->bias;
		frame->group = group;
		if (at->count)
			use_place(frame, &at->items[0], at->language);
	}
}

/* All frames that gdb has for the physical ones. */
static struct p3_error *expand(struct unwind *unwind, struct p3_native_frames *ret)
{
	uint32_t group = 0;
	size_t i, j;

	for (i = 0; i < unwind->frames.count; i++, group++) {
		const struct physical *physical = &unwind->frames.items[i];
		const struct p3_places *places = places_of(unwind, physical);
		struct p3_native_frame *frame;

		if (places->split)
			return p3_error_new(P3_UNSUPPORTED,
					    "the debug information of a module is in .dwo or .dwp "
					    "files, which only gdb reads");
		if (i == 0 && p3_file_in_plt(physical->file, physical->pc - physical->bias))
			return p3_error_new(P3_UNSUPPORTED, "stopped in a linkage stub");
		/* gdb may or may not have entered it, depending on how it stopped here. */
		if (i == 0 && places->at_inline_start)
			return p3_error_new(P3_UNSUPPORTED,
					    "stopped at the first instruction of an "
					    "inlined function");
		for (j = 0; j + 1 < places->count; j++) {
			frame = add_frame(unwind, physical, ret);
			frame->kind = P3_FRAME_INLINE;
			frame->group = group;
			frame->place = (uint32_t)j;
			use_place(frame, &places->items[j], places->language);
		}
		frame = add_frame(unwind, physical, ret);
		frame->kind = physical->signal ? P3_FRAME_SIGNAL : P3_FRAME_NORMAL;
		frame->group = group;
		frame->place = (uint32_t)j;
		if (places->count)
			use_place(frame, &places->items[places->count - 1], places->language);
		if (places->entry)
			frame->entry = places->entry + physical->bias;
		if (i + 1 < unwind->frames.count)
			add_tail_calls(unwind, physical, &unwind->frames.items[i + 1], group + 1,
				       ret);
	}
	return NULL;
}

static struct p3_error *start(struct unwind *unwind, struct p3_native *native,
			      struct p3_target *target, const struct p3_modules *modules,
			      struct p3_arena *arena)
{
	struct p3_file *executable =
		modules->count ? p3_native_file(native, target, &modules->items[0]) : NULL;

	*unwind = (struct unwind){ .native = native,
				   .target = target,
				   .modules = modules,
				   .arena = arena,
				   .fetch = FIRST_FETCH };
	unwind->files = p3_arena_take(arena, (modules->count + 1) * sizeof(struct p3_file *));
	unwind->machine = executable ? p3_machine_find(p3_file_machine(executable)) : NULL;
	if (!unwind->machine)
		return p3_error_new(P3_UNSUPPORTED, "the machine of the executable is not known");
	return NULL;
}

struct p3_error *p3_native_unwind_own(struct p3_native *native, struct p3_target *target,
				      const struct p3_modules *modules, struct p3_arena *arena,
				      uint32_t thread, struct p3_native_frames *ret)
{
	struct p3_native_frames frames = { 0 };
	struct p3_frame_state cursor = { .exact = true };
	const struct p3_module *module = NULL;
	struct unwind unwind;
	bool last = false;

	P3_TRY(start(&unwind, native, target, modules, arena));
	P3_TRY(p3_target_registers(target, thread, unwind.machine->names, unwind.machine->count,
				   cursor.registers));
	P3_TRY(p3_target_registers(target, thread, &unwind.machine->pc, 1, &cursor.pc));
	cursor.known = ((uint64_t)1 << unwind.machine->count) - 1;
	fetch_stack(&unwind, cursor.registers[unwind.machine->sp]);
	while (!last) {
		struct physical *frame;

		if (unwind.frames.count >= P3_MAX_FRAMES) {
			frames.ended = "there are too many frames";
			break;
		}
		P3_TRY(find_file(&unwind, &cursor, module));
		module = cursor.module;
		if (unwind.frames.count % P3_NATIVE_STRIDE == 0)
			*p3_list_add(arena, &frames.states) = cursor;
		frame = p3_list_add(arena, &unwind.frames);
		P3_TRY(step(&unwind, &cursor, frame, &last));
		last |= is_main(&unwind, frame);
	}
	P3_TRY(expand(&unwind, &frames));
	*ret = frames;
	return NULL;
}

/* Unwind again from the last state that was kept to this physical frame, and to its caller. */
static struct p3_error *find_state(struct unwind *unwind, const struct p3_native_frames *frames,
				   uint32_t group, struct p3_frame_state *ret,
				   struct p3_frame_state *caller, bool *has_caller)
{
	struct p3_frame_state cursor = frames->states.items[group / P3_NATIVE_STRIDE];
	struct physical frame;
	bool last = false;
	uint32_t i;

	for (i = group - group % P3_NATIVE_STRIDE; !last && i <= group + 1; i++) {
		struct p3_frame_state here;

		P3_TRY(find_file(unwind, &cursor, NULL));
		here = cursor;
		P3_TRY(step(unwind, &cursor, &frame, &last));
		here.cfa = frame.cfa;
		*(i == group + 1 ? caller : ret) = here;
	}
	*has_caller = i == group + 2;
	return NULL;
}

struct p3_error *p3_native_variables(struct p3_native *native, struct p3_target *target,
				     const struct p3_modules *modules, struct p3_arena *arena,
				     const struct p3_native_frames *frames, size_t index,
				     bool arguments, bool locals, struct p3_frame_variables *ret)
{
	const struct p3_native_frame *frame = &frames->items[index];
	struct p3_frame_state state, caller = { 0 };
	struct unwind unwind;
	bool has_caller;

	if (frame->group / P3_NATIVE_STRIDE >= frames->states.count)
		return p3_error_new(P3_UNSUPPORTED, "the host unwound it");
	*ret = (struct p3_frame_variables){ 0 };
	if (frame->kind == P3_FRAME_TAIL_CALL)
		return NULL;
	P3_TRY(start(&unwind, native, target, modules, arena));
	P3_TRY(find_state(&unwind, frames, frame->group, &state, &caller, &has_caller));
	/* The host would unwind to it. */
	if (p3_file_is_packed(state.file) && frame->level < HOST_LEVELS)
		return p3_error_new(P3_UNSUPPORTED, "its file is not unpacked");
	return p3_file_variables(target, arena, &state, has_caller ? &caller : NULL, frame->place,
				 arguments, locals, ret);
}
