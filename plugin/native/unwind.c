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
};

/* The state of one frame. */
struct cursor {
	uint64_t registers[P3_REGISTERS];
	uint64_t pc;
	bool exact; /* pc is where it stopped, no return address */
	struct p3_file *file;
	const struct p3_module *module;
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

static struct p3_error *find_file(struct unwind *unwind, struct cursor *cursor,
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

static struct p3_error *find_cfa(struct unwind *unwind, const struct cursor *cursor,
				 const struct p3_cfi_row *row, uint64_t *ret)
{
	if (row->cfa)
		return p3_expression_value(row->cfa, unwind->target, cursor->registers, 0, ret);
	*ret = cursor->registers[row->cfa_register] + (uint64_t)row->cfa_offset;
	return NULL;
}

/* The caller's value of one register; *known false: it is lost. */
static struct p3_error *restore(struct unwind *unwind, const struct cursor *cursor,
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

/* Step to the caller; *last: this frame has none. */
static struct p3_error *step(struct unwind *unwind, struct cursor *cursor, bool *last)
{
	const struct p3_machine *machine = unwind->machine;
	uint64_t pc = cursor->pc - !cursor->exact - cursor->module->bias, cfa;
	const struct p3_cfi_row *row = p3_file_cfi(cursor->file, pc);
	struct cursor caller = { 0 };
	struct physical *frame;
	unsigned int i;
	bool known = false;

	if (!row->usable)
		return p3_error_new(P3_UNSUPPORTED, "no usable CFI at 0x%" PRIx64, cursor->pc);
	P3_TRY(find_cfa(unwind, cursor, row, &cfa));
	if (cfa <= cursor->registers[machine->sp] && !row->signal)
		return p3_error_new(P3_UNSUPPORTED, "the stack does not grow at 0x%" PRIx64,
				    cursor->pc);
	frame = p3_list_add(unwind->arena, &unwind->frames);
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
		if (i == machine->sp && row->rules[i].kind == P3_RULE_SAME)
			caller.registers[i] = cfa;
		else
			P3_TRY(restore(unwind, cursor, row, i, cfa, &caller.registers[i], &known));
	}
	caller.exact = row->signal;
	*cursor = caller;
	return NULL;
}

static const struct p3_places *places_of(const struct physical *frame)
{
	return p3_file_places(frame->file, frame->pc - !frame->exact - frame->bias);
}

/* gdb ends a backtrace at main(), unless told otherwise. */
static bool is_main(const struct physical *frame)
{
	const struct p3_places *places;
	const char *name;

	if (!frame->executable)
		return false;
	places = places_of(frame);
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
	frame->line = place->line;
	frame->language = language;
}

/* The tail calls between a frame and its caller, which left only the caller's return address. */
static void add_tail_calls(struct unwind *unwind, const struct physical *callee,
			   const struct physical *caller, uint32_t group,
			   struct p3_native_frames *ret)
{
	const struct p3_places *places = places_of(callee);
	const struct p3_pcs *pcs;
	size_t i;

	if (callee->signal || caller->exact || !places->from_dwarf)
		return;
	pcs = p3_file_tail_calls(caller->file, caller->pc - caller->bias, callee->file,
				 places->entry);
	for (i = 0; i < pcs->count; i++) {
		const struct p3_places *at = p3_file_places(callee->file, pcs->items[i] - 1);
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
		const struct p3_places *places = places_of(physical);
		struct p3_native_frame *frame;

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
			use_place(frame, &places->items[j], places->language);
		}
		frame = add_frame(unwind, physical, ret);
		frame->kind = physical->signal ? P3_FRAME_SIGNAL : P3_FRAME_NORMAL;
		frame->group = group;
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

struct p3_error *p3_native_unwind_own(struct p3_native *native, struct p3_target *target,
				      const struct p3_modules *modules, struct p3_arena *arena,
				      uint32_t thread, struct p3_native_frames *ret)
{
	struct unwind unwind = { .native = native,
				 .target = target,
				 .modules = modules,
				 .arena = arena,
				 .fetch = FIRST_FETCH };
	struct p3_native_frames frames = { 0 };
	struct p3_file *executable =
		modules->count ? p3_native_file(native, target, &modules->items[0]) : NULL;
	struct cursor cursor = { .exact = true };
	const struct p3_module *module = NULL;
	bool last = false;

	unwind.files = p3_arena_take(arena, (modules->count + 1) * sizeof(struct p3_file *));
	unwind.machine = executable ? p3_machine_find(p3_file_machine(executable)) : NULL;
	if (!unwind.machine)
		return p3_error_new(P3_UNSUPPORTED, "the machine of the executable is not known");
	P3_TRY(p3_target_registers(target, thread, unwind.machine->names, unwind.machine->count,
				   cursor.registers));
	P3_TRY(p3_target_registers(target, thread, &unwind.machine->pc, 1, &cursor.pc));
	fetch_stack(&unwind, cursor.registers[unwind.machine->sp]);
	while (!last) {
		if (unwind.frames.count >= P3_MAX_FRAMES) {
			frames.ended = "there are too many frames";
			break;
		}
		P3_TRY(find_file(&unwind, &cursor, module));
		module = cursor.module;
		P3_TRY(step(&unwind, &cursor, &last));
		last |= is_main(&unwind.frames.items[unwind.frames.count - 1]);
	}
	P3_TRY(expand(&unwind, &frames));
	*ret = frames;
	return NULL;
}
