/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Python frames of one thread state, cut into segments: one a call of the
 * interpreter's loop, keyed by an address within that call's native frame.
 * Reads _PyCFrame, _PyInterpreterFrame, PyFrameObject, PyCodeObject. Ends a walk, saying why,
 * at frames that are unreadable, zero, or repeat.
 * Source: python/cpython Include/internal/pycore_frame.h, Python/traceback.c, and to 3.10
 * Include/cpython/frameobject.h; facts/cpython.md 3.
 */
#include "layout.h"

#include <inttypes.h>
#include <string.h>

enum {
	OWNER_GENERATOR = 1,
	OWNER_SHIM = 3,		 /* 3.12+: not a Python frame from here on */
	MAX_LINETABLE = 1 << 18, /* bytes */
	MAX_STACK = 1000,	 /* slots of a frame's value stack */
	MAX_CODE_HEAD = 1024,	 /* the layout's limit on code.size */
	/* co_flags: Include/cpython/code.h */
	CO_VARARGS = 4,
	CO_VARKEYWORDS = 8,
	/* co_localspluskinds: Include/internal/pycore_code.h */
	KIND_HIDDEN = 0x10,
	KIND_CELL = 0x40,
	KIND_FREE = 0x80,
};

struct p3_py_code {
	uint64_t address;
	const char *file, *name, *qualname;
	uint32_t stacksize, firstlineno, traceable, nlocals, argcount, kwonly, flags;
	uint64_t names, kinds;		       /* the tuple and the bytes object (3.11+) */
	uint64_t varnames, cellvars, freevars; /* tuples (to 3.10) */
	uint64_t instructions; /* where the bytecode begins; 0: it is no part of it */
	uint64_t tlbc;	       /* the threads' own bytecode; 0: none */
	const uint8_t *linetable;
	size_t linetable_size;
	uint64_t last_offset; /* the line looked up last: recursion asks again and again */
	uint32_t last_line;
	bool has_last;
};

static uint64_t get_u64(const uint8_t *bytes, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static uint32_t get_u32(const uint8_t *bytes, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

/* The bytes of a line table; code objects may share one. */
struct table {
	const uint8_t *data;
	size_t size;
};

static void read_linetable(struct p3_py *py, uint64_t object, struct p3_py_code *code)
{
	void **known = p3_map_find(py->tables, object);
	struct table *kept = known ? *known : NULL;
	uint64_t size;
	uint8_t *table;
	struct p3_error *error =
		p3_read_u64(py->target, object + py->layout->object.var_size, &size);

	if (!error && kept && kept->size == size) {
		code->linetable = kept->data;
		code->linetable_size = size;
	} else if (!error && size <= MAX_LINETABLE) {
		table = p3_arena_take(py->arena, size + 1);
		error = p3_read(py->target, object + py->layout->bytes.data, table, size);
		if (!error) {
			code->linetable = table;
			code->linetable_size = size;
			kept = p3_arena_take(py->arena, sizeof(*kept));
			*kept = (struct table){ table, size };
			*p3_map_slot(py->tables, object) = kept;
		}
	}
	p3_error_free(error); /* the frame is shown without its line */
}

/* Decode a code object, once for this stop. */
static struct p3_error *read_code(struct p3_py *py, uint64_t address, struct p3_py_code **ret)
{
	const struct p3_layout *layout = py->layout;
	void **slot = p3_map_find(py->codes, address);
	uint8_t head[MAX_CODE_HEAD + 8] = { 0 };
	struct p3_py_code *code;

	if (slot) {
		*ret = *slot;
		return NULL;
	}
	if (strcmp(p3_py_static_type(py, address), "code") != 0)
		return p3_error_new(P3_BAD_DATA, "0x%" PRIx64 " is no code object", address);
	P3_TRY(p3_read(py->target, address, head, layout->code.size));
	code = p3_arena_take(py->arena, sizeof(*code));
	code->address = address;
	code->file = p3_py_string(py, get_u64(head, layout->code.filename));
	code->name = p3_py_string(py, get_u64(head, layout->code.name));
	code->qualname = p3_py_string(py, get_u64(head, layout->code.qualname));
	code->firstlineno = get_u32(head, layout->code.firstlineno);
	code->traceable = get_u32(head, layout->code.traceable);
	code->stacksize = get_u32(head, layout->code.stacksize);
	code->nlocals = get_u32(head, layout->code.nlocals);
	code->argcount = get_u32(head, layout->code.argcount);
	code->kwonly = get_u32(head, layout->code.kwonly);
	code->flags = get_u32(head, layout->code.flags);
	if (layout->code.varnames) {
		code->qualname = code->name;
		code->traceable = 0;
		code->varnames = get_u64(head, layout->code.varnames);
		code->cellvars = get_u64(head, layout->code.cellvars);
		code->freevars = get_u64(head, layout->code.freevars);
	} else {
		code->names = get_u64(head, layout->code.names);
		code->kinds = get_u64(head, layout->code.kinds);
		code->instructions = address + layout->code.size;
	}
	if (layout->code.tlbc)
		code->tlbc = get_u64(head, layout->code.tlbc);
	read_linetable(py, get_u64(head, layout->code.linetable), code);
	*p3_map_slot(py->codes, address) = code;
	*ret = code;
	return NULL;
}

struct raw_frame {
	uint64_t code, previous, instruction;
	int32_t lasti; /* to 3.10 */
	uint32_t tlbc_index;
	uint8_t owner, is_entry;
};

uint64_t p3_py_reference(const struct p3_py *py, uint64_t slot)
{
	/* Include/internal/pycore_stackref.h, 3.14: the bits are "borrowed" and "an int". */
	return py->layout->references == P3_REFERENCES_TAGGED ? slot & ~(uint64_t)3 : slot;
}

static struct p3_error *read_frame(struct p3_py *py, uint64_t address, struct raw_frame *ret)
{
	const struct p3_layout *layout = py->layout;
	uint8_t head[MAX_CODE_HEAD + 8] = { 0 };

	if (layout->frame.size > MAX_CODE_HEAD || layout->frame.size < 8)
		return p3_error_new(P3_BAD_DATA, "frames of %u bytes", layout->frame.size);
	P3_TRY(p3_read(py->target, address, head, layout->frame.size));
	*ret = (struct raw_frame){ 0 };
	ret->code = p3_py_reference(py, get_u64(head, layout->frame.code));
	ret->previous = get_u64(head, layout->frame.previous);
	if (layout->frame.lasti) {
		ret->lasti = (int32_t)get_u32(head, layout->frame.lasti);
		return NULL;
	}
	ret->instruction = get_u64(head, layout->frame.instruction);
	ret->owner = head[layout->frame.owner];
	ret->is_entry = layout->frame.is_entry ? head[layout->frame.is_entry] : 0;
	ret->tlbc_index = layout->frame.tlbc_index ? get_u32(head, layout->frame.tlbc_index) : 0;
	return NULL;
}

/*
 * Where a thread of a free-threaded build has its own copy of the bytecode (3.14+):
 * Include/cpython/code.h, _PyCodeArray { size, entries[] }.
 */
static uint64_t own_instructions(struct p3_py *py, const struct p3_py_code *code, uint32_t index)
{
	uint64_t size = 0, start = 0;
	struct p3_error *error;

	if (!code->tlbc || !index)
		return code->instructions;
	error = p3_read_u64(py->target, code->tlbc, &size);
	if (!error && index < size)
		error = p3_read_u64(py->target, code->tlbc + 8 + 8 * (uint64_t)index, &start);
	p3_error_free(error);
	return start ? start : code->instructions;
}

/* The offset of the instruction, in bytes; below 0: the frame has not begun. */
static int64_t find_offset(struct p3_py *py, const struct raw_frame *raw,
			   const struct p3_py_code *code)
{
	if (!py->layout->frame.lasti)
		return (int64_t)(raw->instruction - own_instructions(py, code, raw->tlbc_index));
	/* 3.10 counts in code units of two bytes. */
	return py->layout->lines == P3_LINES_3_10 ? (int64_t)raw->lasti * 2 : raw->lasti;
}

static void describe(struct p3_py *py, struct p3_py_code *code, int64_t offset,
		     struct p3_py_frame *ret)
{
	if (!code->has_last || code->last_offset != (uint64_t)offset) {
		code->has_last = true;
		code->last_offset = (uint64_t)offset;
		code->last_line = offset < 0 ? code->firstlineno
					     : p3_py_line(py->layout->lines, code->linetable,
							  code->linetable_size, code->firstlineno,
							  (uint64_t)offset);
	}
	ret->code = code;
	ret->function = code->qualname;
	ret->name = code->name;
	ret->file = code->file;
	ret->line = code->last_line;
}

/* Add a frame to the segment, unless Python itself would not show it yet. */
static struct p3_error *add_frame(struct p3_py *py, uint64_t address, const struct raw_frame *raw,
				  struct p3_py_segment *segment)
{
	struct p3_py_code *code;
	struct p3_py_frame *frame;
	int64_t offset;

	if (!raw->code)
		return p3_error_hint(
			p3_error_new(P3_BAD_DATA, "frame 0x%" PRIx64 " is all zeros", address),
			"the stack's memory may be missing from this core: take one with the "
			"kernel, or with a newer gcore");
	P3_TRY(read_code(py, raw->code, &code));
	offset = find_offset(py, raw, code);
	/* Arguments are still being set up: _PyFrame_IsIncomplete() of pycore_frame.h. */
	if (raw->owner != OWNER_GENERATOR && offset < (int64_t)code->traceable * 2 &&
	    !py->layout->frame.lasti)
		return NULL;
	if (++py->frames > P3_PY_MAX_FRAMES)
		return p3_error_new(P3_BAD_DATA, "there are too many Python frames");
	frame = p3_list_add(py->arena, segment);
	describe(py, code, offset, frame);
	frame->address = address;
	return NULL;
}

struct p3_error *p3_py_code_frame(struct p3_py *py, uint64_t address, int64_t offset,
				  struct p3_py_frame *ret)
{
	struct p3_py_code *code;

	P3_TRY(read_code(py, address, &code));
	describe(py, code, offset, ret);
	return NULL;
}

struct p3_error *p3_py_frame_object(struct p3_py *py, uint64_t object, struct p3_py_frame *ret)
{
	struct raw_frame raw;
	struct p3_py_code *code;

	if (py->layout->frame_object.frame)
		P3_TRY(p3_read_u64(py->target, object + py->layout->frame_object.frame, &object));
	P3_TRY(read_frame(py, object, &raw));
	P3_TRY(read_code(py, raw.code, &code));
	describe(py, code, find_offset(py, &raw, code), ret);
	ret->address = object;
	return NULL;
}

/* Brent's algorithm: is this step of the walk back where an earlier one was? */
struct cycle {
	uint64_t mark, steps, limit;
};

static struct p3_error *check_step(struct cycle *cycle, uint64_t address)
{
	if (address == cycle->mark || cycle->steps > P3_PY_MAX_FRAMES)
		return p3_error_new(P3_BAD_DATA,
				    "the chain of Python frames does not end (0x%" PRIx64 ")",
				    address);
	if (cycle->steps++ == cycle->limit) {
		cycle->mark = address;
		cycle->limit = cycle->limit * 2 + 1;
	}
	return NULL;
}

/* 3.12+: the entry frame (owner 3) that ends a segment is its key. */
static struct p3_error *walk_shims(struct p3_py *py, struct p3_py_thread *thread, uint64_t address)
{
	struct p3_py_segment *segment = NULL;
	struct cycle cycle = { 0 };

	while (address) {
		struct raw_frame raw;

		/* 3.15: the last one is in the thread state, and runs nothing. */
		if (address >= thread->address &&
		    address < thread->address + py->layout->thread.size)
			break;
		P3_TRY(check_step(&cycle, address));
		P3_TRY(read_frame(py, address, &raw));
		if (!segment)
			segment = p3_list_add(py->arena, thread);
		if (raw.owner >= OWNER_SHIM) {
			segment->key = address;
			segment = NULL;
		} else {
			P3_TRY(add_frame(py, address, &raw, segment));
		}
		address = raw.previous;
	}
	return NULL;
}

/* The frames of one call, from its current one to the one with is_entry. */
static struct p3_error *walk_call(struct p3_py *py, uint64_t cframe, struct cycle *cycle,
				  struct p3_py_segment *segment)
{
	struct raw_frame raw = { 0 };
	uint64_t address;

	P3_TRY(p3_read_u64(py->target, cframe + py->layout->cframe.current, &address));
	while (address && !raw.is_entry) {
		P3_TRY(check_step(cycle, address));
		P3_TRY(read_frame(py, address, &raw));
		P3_TRY(add_frame(py, address, &raw, segment));
		address = raw.previous;
	}
	return NULL;
}

/* 3.11: each call of the loop has a _PyCFrame. */
static struct p3_error *walk_cframes(struct p3_py *py, struct p3_py_thread *thread, uint64_t cframe)
{
	const struct p3_layout *layout = py->layout;
	struct cycle cframes = { 0 }, cycle = { 0 };
	struct p3_error *first = NULL, *error = NULL;

	/* The last one, root_cframe, is within the thread state and runs nothing. */
	while (!error && cframe &&
	       (cframe < thread->address || cframe >= thread->address + layout->thread.size)) {
		struct p3_py_segment *segment = p3_list_add(py->arena, thread);

		segment->key = cframe;
		error = check_step(&cframes, cframe);
		if (!error &&
		    !first) /* a call being entered has no frame yet: go on with the rest */
			first = walk_call(py, cframe, &cycle, segment);
		else if (!error)
			p3_error_free(walk_call(py, cframe, &cycle, segment));
		if (!error)
			error = p3_read_u64(py->target, cframe + layout->cframe.previous, &cframe);
	}
	if (!first)
		return error;
	p3_error_free(error);
	return first;
}

/* To 3.10: each call of the loop runs one frame, and nothing on its stack leads to it. */
static struct p3_error *walk_objects(struct p3_py *py, struct p3_py_thread *thread,
				     uint64_t address)
{
	struct cycle cycle = { 0 };

	while (address) {
		struct raw_frame raw;

		P3_TRY(check_step(&cycle, address));
		P3_TRY(read_frame(py, address, &raw));
		P3_TRY(add_frame(py, address, &raw, p3_list_add(py->arena, thread)));
		address = raw.previous;
	}
	return NULL;
}

static struct p3_error *walk_frames(struct p3_py *py, struct p3_py_thread *thread)
{
	const struct p3_layout *layout = py->layout;
	uint64_t frame = 0, cframe = 0;

	if (layout->thread.cframe)
		P3_TRY(p3_read_u64(py->target, thread->address + layout->thread.cframe, &cframe));
	if (layout->anchor == P3_ANCHOR_CFRAME)
		return walk_cframes(py, thread, cframe);
	P3_TRY(p3_read_u64(py->target,
			   layout->thread.frame ? thread->address + layout->thread.frame
						: cframe + layout->cframe.current,
			   &frame));
	if (layout->anchor == P3_ANCHOR_NONE)
		return walk_objects(py, thread, frame);
	return walk_shims(py, thread, frame);
}

void p3_py_frames(struct p3_py *py, struct p3_py_thread *thread)
{
	struct p3_error *error = walk_frames(py, thread);

	if (error)
		thread->incomplete =
			p3_arena_printf(py->arena, "%s%s%s", error->message,
					error->hint ? "; " : "", error->hint ? error->hint : "");
	p3_error_free(error);
}

/* ---- locals ---- */

/* A slot of a frame, by the tuple that names it. */
struct slot {
	uint64_t name; /* the str */
	uint8_t kind;
};

struct slots {
	P3_LIST(struct slot);
};

static struct p3_error *add_names(struct p3_py *py, uint64_t tuple, uint8_t kind,
				  struct slots *slots)
{
	const struct p3_layout *layout = py->layout;
	uint64_t count, i, name;

	P3_TRY(p3_read_u64(py->target, tuple + layout->object.var_size, &count));
	for (i = 0; i < count && slots->count < P3_MAX_VARIABLES; i++) {
		P3_TRY(p3_read_u64(py->target, tuple + layout->tuple.items + 8 * i, &name));
		*p3_list_add(py->arena, slots) = (struct slot){ name, kind };
	}
	return NULL;
}

/* 3.11+: one tuple of names, and a byte for each that tells its kind. */
static struct p3_error *read_slots(struct p3_py *py, const struct p3_py_code *code,
				   struct slots *ret)
{
	uint8_t *kinds;
	size_t i;

	if (code->varnames) {
		P3_TRY(add_names(py, code->varnames, 0, ret));
		P3_TRY(add_names(py, code->cellvars, KIND_CELL, ret));
		return add_names(py, code->freevars, KIND_FREE, ret);
	}
	P3_TRY(add_names(py, code->names, 0, ret));
	kinds = p3_arena_take(py->arena, ret->count + 1);
	P3_TRY(p3_read(py->target, code->kinds + py->layout->bytes.data, kinds, ret->count));
	for (i = 0; i < ret->count; i++)
		ret->items[i].kind = kinds[i];
	return NULL;
}

/* To 3.10 an argument that a closure uses moves into a cell of its name, further back. */
static bool is_moved(struct p3_py *py, const struct slots *slots, size_t index)
{
	const char *name = p3_py_string(py, slots->items[index].name);
	size_t i;

	for (i = index + 1; i < slots->count; i++)
		if (slots->items[i].kind == KIND_CELL &&
		    !strcmp(p3_py_string(py, slots->items[i].name), name))
			return true;
	return false;
}

/* The index of the argument that a cell has taken over; SIZE_MAX: none. */
static size_t moved_argument(struct p3_py *py, const struct slots *slots, size_t index,
			     size_t arguments)
{
	const char *name = p3_py_string(py, slots->items[index].name);
	size_t i;

	for (i = 0; i < arguments && i < index; i++)
		if (!strcmp(p3_py_string(py, slots->items[i].name), name))
			return i;
	return SIZE_MAX;
}

struct p3_error *p3_py_locals(struct p3_py *py, const struct p3_py_frame *frame,
			      unsigned int wanted, struct p3_variable_list *ret)
{
	const struct p3_layout *layout = py->layout;
	const struct p3_py_code *code = frame->code;
	struct p3_variable_list list = { 0 };
	struct slots slots = { 0 };
	uint64_t *values;
	size_t i, positional = (size_t)code->argcount + code->kwonly;
	size_t arguments =
		positional + !!(code->flags & CO_VARARGS) + !!(code->flags & CO_VARKEYWORDS);

	P3_TRY(read_slots(py, code, &slots));
	values = p3_arena_take(py->arena, (slots.count + 1) * sizeof(*values));
	P3_TRY(p3_read(py->target, frame->address + layout->frame.locals, values,
		       slots.count * sizeof(*values)));
	for (i = 0; i < slots.count; i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		uint64_t value = p3_py_reference(py, values[i]);
		uint8_t kind = slots.items[i].kind;
		struct p3_variable *variable;
		struct p3_error *error = NULL;
		size_t as = i;

		if (code->varnames && i < arguments && !value && is_moved(py, &slots, i))
			continue;
		if (code->varnames && kind == KIND_CELL) {
			as = moved_argument(py, &slots, i, arguments);
			as = as == SIZE_MAX ? i : as;
		}
		if (!(wanted & (as < arguments ? P3_ARGUMENTS : P3_LOCALS)))
			continue;
		/* Comprehensions inlined by 3.12+ have their variables here, unbound outside. */
		if ((kind & KIND_HIDDEN) && !value)
			continue;
		/* The slot of a cell variable holds the bare value until MAKE_CELL has run. */
		if (value && (kind & (KIND_CELL | KIND_FREE)) &&
		    !strcmp(p3_py_static_type(py, value), "cell"))
			error = p3_read_u64(py->target, value + layout->cell.value, &value);
		variable = p3_list_add(py->arena, &list);
		variable->name = p3_py_string(py, slots.items[i].name);
		if (as >= positional && as < arguments) /* *args, **kwargs */
			variable->name = p3_arena_printf(
				py->arena, "%s%s",
				(code->flags & CO_VARARGS) && as == positional ? "*" : "**",
				variable->name);
		variable->argument = as < arguments;
		if (error) {
			variable->absent = p3_arena_string(py->arena, error->message);
			p3_error_free(error);
		} else if (!value) {
			variable->absent = "unbound";
		} else {
			variable->object = value;
			p3_py_format(py, value, !variable->argument, &text, &variable->aggregate);
			variable->value = p3_arena_string(py->arena, p3_text_string(&text));
		}
	}
	*ret = list;
	return NULL;
}

/* How many slots there are before the value stack. */
static uint64_t count_slots(struct p3_py *py, const struct p3_py_code *code)
{
	uint64_t count = code->nlocals, cells = 0, frees = 0;
	uint32_t size = py->layout->object.var_size;

	if (code->varnames) {
		p3_error_free(p3_read_u64(py->target, code->cellvars + size, &cells));
		p3_error_free(p3_read_u64(py->target, code->freevars + size, &frees));
	}
	return count + cells + frees;
}

/* What is in one slot of the frame's own stack, stale ones, too; 0: no object; the end. */
static bool next_operand(struct p3_py *py, const struct p3_py_frame *frame, uint32_t *index,
			 uint64_t *ret)
{
	const struct p3_py_code *code = frame->code;
	uint64_t slot = frame->address + py->layout->frame.locals + 8 * count_slots(py, code);

	while (*index < code->stacksize && *index < MAX_STACK) {
		uint64_t object;
		struct p3_error *error =
			p3_read_u64(py->target, slot + 8 * (uint64_t)(*index)++, &object);

		if (error) {
			p3_error_free(error);
			return false;
		}
		object = p3_py_reference(py, object);
		if (object > 4096 && object % 8 == 0) {
			*ret = object;
			return true;
		}
	}
	return false;
}

uint64_t p3_py_callee(struct p3_py *py, const struct p3_py_frame *frame, uint64_t entry,
		      struct p3_text *ret)
{
	uint64_t object;
	uint32_t i = 0;

	/* Only the address of the C function decides. */
	while (next_operand(py, frame, &i, &object))
		if (p3_py_is_callable(py, object, entry, ret))
			return object;
	return 0;
}

uint64_t p3_py_operand(struct p3_py *py, const struct p3_py_frame *frame, const char *type)
{
	uint64_t object;
	uint32_t i = 0;

	while (next_operand(py, frame, &i, &object))
		if (!strcmp(p3_py_static_type(py, object), type))
			return object;
	return 0;
}

static bool is_lock(struct p3_py *py, uint64_t object, bool *recursive_ret)
{
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t type = 0;
	struct p3_error *error = p3_read_u64(py->target, object + py->layout->object.type, &type);

	if (!error)
		error = p3_py_type_name(py, type, &name);
	p3_error_free(error);
	*recursive_ret = !strcmp(p3_text_string(&name), "_thread.RLock");
	return *recursive_ret || !strcmp(p3_text_string(&name), "_thread.lock");
}

uint64_t p3_py_lock(struct p3_py *py, const struct p3_py_frame *frame, bool *recursive_ret)
{
	uint64_t object, self, entered = 0;
	bool recursive, entered_recursive = false, held = false;
	uint32_t i = 0;

	while (next_operand(py, frame, &i, &object)) {
		const char *name = "";

		self = p3_py_bound_self(py, object, &name);
		/* What an enclosing `with` holds: bound to its __exit__, or behind it from 3.14 on
		 * (LOAD_SPECIAL, Python/bytecodes.c). To 3.11 that is also all that there is of the
		 * lock that a `with` enters. */
		if (!self)
			self = object;
		else
			held = !strcmp(name, "__exit__");
		if (is_lock(py, self, &recursive)) {
			*recursive_ret = recursive;
			if (!held)
				return self;
			entered = self;
			entered_recursive = recursive;
		}
		held = !strcmp(name, "__exit__");
	}
	*recursive_ret = entered_recursive;
	return entered;
}

const char *p3_py_import_lock(struct p3_py *py, const struct p3_py_frame *frame,
			      uint64_t *owner_ret)
{
	struct p3_text type P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t self, name, owner;

	/* Lib/importlib/_bootstrap.py; its code is frozen, and so is its file's name. */
	if (!frame->file || !frame->name || strcmp(frame->name, "acquire") != 0 ||
	    !strstr(frame->file, "importlib._bootstrap"))
		return NULL;
	self = p3_py_reference(py, p3_py_peek(py, frame->address + py->layout->frame.locals, 8));
	p3_error_free(p3_py_type_name(py, p3_py_type_of(py, self), &type));
	if (!strstr(p3_text_string(&type), "_ModuleLock"))
		return NULL;
	name = p3_py_attribute(py, self, "name");
	owner = p3_py_attribute(py, self, "owner");
	if (!owner || !p3_py_small_int(py, owner, owner_ret))
		*owner_ret = 0;
	return name ? p3_py_string(py, name) : NULL;
}

uint64_t p3_py_lock_owner(struct p3_py *py, uint64_t lock, const uint64_t *pointers, size_t count)
{
	uint64_t words[6];
	struct p3_error *error =
		p3_read(py->target, lock + py->layout->object.var_size, words, sizeof(words));
	size_t i, j;

	/* rlockobject of Modules/_threadmodule.c: the owner's place varies with the version. */
	for (i = 0; !error && i < 4; i++)
		for (j = 0; j < count; j++)
			if (pointers[j] && words[i] == pointers[j])
				return words[i];
	p3_error_free(error);
	return 0;
}

bool p3_py_is_within(struct p3_py *py, const struct p3_py_frame *frame, uint64_t object)
{
	uint64_t operand;
	uint32_t i = 0;

	while (next_operand(py, frame, &i, &operand)) {
		const char *name = "";
		uint64_t self = p3_py_bound_self(py, operand, &name);

		/* From 3.14 on `with` keeps the lock itself beside its method; in older ones a slot
		 * that has it may be a stale one (LOAD_SPECIAL, Python/bytecodes.c). */
		if ((operand == object && py->layout->references == P3_REFERENCES_TAGGED) ||
		    (self == object && !strcmp(name, "__exit__")))
			return true;
	}
	return false;
}

bool p3_py_has_operand(struct p3_py *py, const struct p3_py_frame *frame, uint64_t object)
{
	const char *name;
	uint64_t operand;
	uint32_t i = 0;

	while (next_operand(py, frame, &i, &operand))
		if (operand == object || p3_py_bound_self(py, operand, &name) == object)
			return true;
	return false;
}

uint64_t p3_py_global_object(struct p3_py *py, const struct p3_py_frame *frame, const char *name,
			     const char **kind_ret)
{
	const struct {
		uint32_t offset;
		const char *kind;
	} places[] = { { py->layout->frame.globals, "global" },
		       { py->layout->frame.builtins, "builtin" } };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint64_t dict = 0, value;

		p3_error_free(p3_read_u64(py->target, frame->address + places[i].offset, &dict));
		value = dict ? p3_py_dict_get(py, dict, name) : 0;
		if (!value)
			continue;
		*kind_ret = places[i].kind;
		return value;
	}
	return 0;
}
