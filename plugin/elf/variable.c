/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Variables of a frame: which are in scope, and where they are at its pc. Reads
 * formal parameters, variables and lexical blocks; locations, location lists,
 * constants, and, for values that only the caller still has, its call site.
 * Source: DWARF 5, 2.6, 3.4 and 4.1.
 */
#include "die.h"
#include "expression.h"
#include "type.h"

#include <dwarf.h>
#include <string.h>

enum {
	MAX_CHAIN = 256, /* inlined functions at one pc */
	MAX_VARIABLES = 1000,
	MAX_ENTRY = 4, /* values of callers of callers that lead to one */
};

/* Where expressions are evaluated: a frame, and how its function finds its own things. */
struct context {
	struct p3_target *target;
	struct p3_arena *arena;
	const struct p3_frame_state *state, *caller;
	uint64_t pc; /* link-time, in the instruction */
	Dwarf_Die function;
	int depth; /* of entry values */
	bool in_base;
};

static struct p3_error *evaluate(struct context *context, Dwarf_Attribute *attribute, Dwarf_Op *ops,
				 size_t count, const struct p3_type *type, struct p3_value *ret);

static struct p3_error *optimized_out(void)
{
	return p3_error_new(P3_MISSING, "optimized out");
}

static struct p3_error *too_large(uint64_t size)
{
	return p3_error_new(P3_UNSUPPORTED, "a value of %zu bytes that is not in memory",
			    (size_t)size);
}

/* The address that DW_OP_fbreg counts from. */
static struct p3_error *frame_base(struct context *context, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	struct p3_value value;
	struct p3_error *error;
	Dwarf_Op *ops;
	size_t count;

	if (!dwarf_attr_integrate(&context->function, DW_AT_frame_base, &attribute) ||
	    dwarf_getlocation_addr(&attribute, context->pc, &ops, &count, 1) != 1)
		return optimized_out();
	/* One that counts from itself does not end. */
	if (context->in_base)
		return optimized_out();
	context->in_base = true;
	error = evaluate(context, &attribute, ops, count, NULL, &value);
	context->in_base = false;
	if (error)
		return error;
	/* A register stands for what is in it. */
	if (value.bytes)
		memcpy(ret, value.bytes, sizeof(*ret));
	else
		*ret = value.address;
	return NULL;
}

/* ---- values at the entry of a function, from the caller's call site ---- */

static bool is_register(Dwarf_Attribute *attribute, uint64_t number)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_getlocation(attribute, &ops, &count) != 0 || count != 1)
		return false;
	return ops[0].atom == DW_OP_regx ? ops[0].number == number
					 : ops[0].atom == DW_OP_reg0 + number && number < 32;
}

/* What the caller had put into a register when it called. */
static struct p3_error *entry_value(struct context *context, uint64_t number, uint64_t *ret)
{
	const struct p3_frame_state *caller = context->caller;
	struct context there = { .target = context->target,
				 .arena = context->arena,
				 .state = caller,
				 .depth = context->depth + 1 };
	Dwarf_Die chain[MAX_CHAIN], call, parameter;
	Dwarf_Attribute attribute;
	struct p3_value value;
	Dwarf_Op *ops;
	size_t count;

	if (!caller || caller->exact || there.depth > MAX_ENTRY)
		return optimized_out();
	there.pc = caller->pc - 1 - caller->module->bias;
	if (!p3_file_call(caller->file, caller->pc - caller->module->bias, &call) ||
	    !p3_file_chain(caller->file, there.pc, chain, MAX_CHAIN))
		return optimized_out();
	there.function = chain[0];
	if (dwarf_child(&call, &parameter) != 0)
		return optimized_out();
	do {
		int tag = dwarf_tag(&parameter);

		if ((tag != DW_TAG_call_site_parameter && tag != DW_TAG_GNU_call_site_parameter) ||
		    !dwarf_attr(&parameter, DW_AT_location, &attribute) ||
		    !is_register(&attribute, number))
			continue;
		if (!dwarf_attr(&parameter, DW_AT_call_value, &attribute) &&
		    !dwarf_attr(&parameter, DW_AT_GNU_call_site_value, &attribute))
			break;
		if (dwarf_getlocation(&attribute, &ops, &count) != 0)
			break;
		/* An expression without a place: its value is what is meant. */
		P3_TRY(evaluate(&there, &attribute, ops, count, NULL, &value));
		if (value.bytes)
			memcpy(ret, value.bytes, sizeof(*ret));
		else
			*ret = value.address;
		return NULL;
	} while (dwarf_siblingof(&parameter, &parameter) == 0);
	return optimized_out();
}

/* ---- expressions ---- */

/* Where a value, or a piece of it, is. */
struct place {
	enum { PLACE_MEMORY, PLACE_NUMBER, PLACE_BLOCK, PLACE_NONE } kind;
	Dwarf_Block block; /* PLACE_BLOCK: a constant */
};

/* Narrow or widen the topmost number, as its new type has it. */
static struct p3_error *convert(struct p3_machine_state *machine, Dwarf_Attribute *attribute,
				const Dwarf_Op *op)
{
	Dwarf_Attribute size_attribute, encoding_attribute;
	Dwarf_Word size, encoding;
	uint64_t value;
	Dwarf_Die die;

	if (!op->number) /* to the generic type */
		return NULL;
	if (dwarf_getlocation_die(attribute, op, &die) != 0 ||
	    dwarf_formudata(dwarf_attr(&die, DW_AT_byte_size, &size_attribute), &size) != 0 ||
	    dwarf_formudata(dwarf_attr(&die, DW_AT_encoding, &encoding_attribute), &encoding) !=
		    0 ||
	    encoding == DW_ATE_float || !size || size > 8 || !p3_machine_pop(machine, &value))
		return p3_error_new(P3_UNSUPPORTED, "a conversion in a DWARF expression");
	if (size < 8) {
		value &= ((uint64_t)1 << size * 8) - 1;
		if ((encoding == DW_ATE_signed || encoding == DW_ATE_signed_char) &&
		    value >> (size * 8 - 1))
			value |= ~(uint64_t)0 << size * 8;
	}
	return p3_machine_push(machine, value)
		       ? NULL
		       : p3_error_new(P3_BAD_DATA, "a DWARF expression is damaged");
}

/* An operation that needs the frame, or names a place; others are the machine's. */
static struct p3_error *step(struct context *context, Dwarf_Attribute *attribute,
			     const Dwarf_Op *op, struct p3_machine_state *machine,
			     struct place *place)
{
	struct p3_operation operation = { op->atom, (int64_t)op->number, (int64_t)op->number2 };
	Dwarf_Attribute nested;
	Dwarf_Op *ops;
	Dwarf_Addr address;
	uint64_t value = 0;
	size_t count;

	if ((op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) || op->atom == DW_OP_regx) {
		/* A register with an offset of 0: its number. */
		operation.number2 = 0;
		if (op->atom != DW_OP_regx)
			operation.number = op->atom - DW_OP_reg0;
		if (p3_file_machine(context->state->file) == EM_X86_64 && operation.number >= 17 &&
		    operation.number <= 32)
			return p3_error_new(P3_UNSUPPORTED, "in register xmm%u, which is not read",
					    (unsigned int)operation.number - 17);
		operation.code = DW_OP_bregx;
		place->kind = PLACE_NUMBER;
		return p3_machine_step(machine, &operation);
	}
	switch (op->atom) {
	case DW_OP_fbreg:
		P3_TRY(frame_base(context, &value));
		value += op->number;
		break;
	case DW_OP_addr:
		value = op->number + context->state->module->bias;
		break;
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		if (dwarf_getlocation_attr(attribute, op, &nested) != 0 ||
		    dwarf_formaddr(&nested, &address) != 0)
			return optimized_out();
		value = address + context->state->module->bias;
		break;
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		if (dwarf_getlocation_attr(attribute, op, &nested) != 0 ||
		    dwarf_formaddr(&nested, &address) != 0)
			return optimized_out();
		value = address;
		break;
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		if (dwarf_getlocation_attr(attribute, op, &nested) != 0 ||
		    dwarf_getlocation(&nested, &ops, &count) != 0 || count != 1 ||
		    ops[0].atom < DW_OP_reg0 || ops[0].atom > DW_OP_reg31)
			return optimized_out();
		P3_TRY(entry_value(context, ops[0].atom - DW_OP_reg0, &value));
		break;
	case DW_OP_convert:
	case DW_OP_GNU_convert:
	case DW_OP_reinterpret:
	case DW_OP_GNU_reinterpret:
		return convert(machine, attribute, op);
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
		operation.code = DW_OP_bregx;
		operation.number2 = 0;
		return p3_machine_step(machine, &operation);
	case DW_OP_stack_value:
		place->kind = PLACE_NUMBER;
		return NULL;
	case DW_OP_implicit_value:
		place->kind = PLACE_BLOCK;
		return dwarf_getlocation_implicit_value(attribute, op, &place->block) == 0
			       ? NULL
			       : optimized_out();
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		place->kind = PLACE_NONE;
		return NULL;
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		return p3_error_new(P3_UNSUPPORTED, "thread-local");
	default:
		return p3_machine_step(machine, &operation);
	}
	return p3_machine_push(machine, value)
		       ? NULL
		       : p3_error_new(P3_BAD_DATA, "a DWARF expression is damaged");
}

/* A value put together from pieces. */
struct pieces {
	uint8_t *bytes, *known;
	uint64_t size, done;
};

static struct p3_error *add_piece(struct context *context, struct p3_machine_state *machine,
				  const struct place *place, bool lost, uint64_t size,
				  struct pieces *pieces)
{
	uint64_t number = 0, room;
	struct p3_error *error = NULL;

	room = pieces->size - pieces->done;
	if (size > room)
		size = room;
	if (lost || place->kind == PLACE_NONE) {
		lost = true;
	} else if (place->kind == PLACE_BLOCK) {
		lost = place->block.length < size;
		if (!lost)
			memcpy(pieces->bytes + pieces->done, place->block.data, size);
	} else if (!p3_machine_pop(machine, &number)) {
		lost = true; /* an empty piece: that part is nowhere */
	} else if (place->kind == PLACE_NUMBER) {
		lost = size > 8;
		if (!lost)
			memcpy(pieces->bytes + pieces->done, &number, size);
	} else {
		error = p3_read(context->target, number, pieces->bytes + pieces->done, size);
		lost = error != NULL;
		p3_error_free(error);
	}
	memset(pieces->known + pieces->done, !lost, size);
	pieces->done += size;
	return NULL;
}

/* The value that an expression leads to. Without a type: 8 bytes of it, or its address. */
static struct p3_error *evaluate(struct context *context, Dwarf_Attribute *attribute, Dwarf_Op *ops,
				 size_t count, const struct p3_type *type, struct p3_value *ret)
{
	struct p3_machine_state machine = { .target = context->target,
					    .registers = context->state->registers,
					    .known = context->state->known,
					    .cfa = context->state->cfa };
	struct pieces pieces = { .size = type ? type->size : 8 };
	struct place place = { 0 };
	bool lost = false, any_piece = false;
	size_t i;

	*ret = (struct p3_value){ .type = type };
	for (i = 0; i < count; i++) {
		struct p3_error *error = NULL;

		if (ops[i].atom == DW_OP_piece || ops[i].atom == DW_OP_bit_piece) {
			if (pieces.size > P3_VALUE_MAX_BYTES)
				return too_large(pieces.size);
			if (!any_piece) {
				pieces.bytes = p3_arena_take(context->arena, pieces.size + 8);
				pieces.known = p3_arena_take(context->arena, pieces.size + 8);
			}
			any_piece = true;
			if (ops[i].atom == DW_OP_bit_piece && (ops[i].number % 8 || ops[i].number2))
				return p3_error_new(P3_UNSUPPORTED, "a value in parts of bytes");
			P3_TRY(add_piece(context, &machine, &place, lost,
					 ops[i].atom == DW_OP_piece ? ops[i].number
								    : ops[i].number / 8,
					 &pieces));
			place = (struct place){ 0 };
			machine.depth = 0;
			lost = false;
			continue;
		}
		if (lost)
			continue;
		error = step(context, attribute, &ops[i], &machine, &place);
		if (!error)
			continue;
		/* One piece that is lost does not lose the others. */
		if (error->code == P3_HOST)
			return error;
		lost = true;
		if (i + 1 == count || (!any_piece && ops[count - 1].atom != DW_OP_piece))
			return error;
		p3_error_free(error);
	}
	if (any_piece) {
		ret->bytes = pieces.bytes;
		ret->known = pieces.known;
		return NULL;
	}
	if (place.kind == PLACE_MEMORY)
		return p3_machine_pop(&machine, &ret->address) ? NULL : optimized_out();
	if (pieces.size > P3_VALUE_MAX_BYTES)
		return too_large(pieces.size);
	pieces.bytes = p3_arena_take(context->arena, pieces.size + 8);
	pieces.known = p3_arena_take(context->arena, pieces.size + 8);
	P3_TRY(add_piece(context, &machine, &place, false, pieces.size, &pieces));
	if (pieces.size && !pieces.known[0])
		return optimized_out();
	ret->bytes = pieces.bytes;
	ret->known = pieces.known;
	return NULL;
}

static struct p3_error *constant_value(struct context *context, Dwarf_Attribute *attribute,
				       const struct p3_type *type, struct p3_value *ret)
{
	uint64_t size = type->size;
	Dwarf_Block block;
	Dwarf_Sword number;
	uint8_t *bytes;

	if (size > P3_VALUE_MAX_BYTES)
		return too_large(size);
	bytes = p3_arena_take(context->arena, size + 8);
	if (dwarf_formblock(attribute, &block) == 0)
		memcpy(bytes, block.data, block.length < size ? block.length : size);
	else if (p3_attribute_number(attribute, &number))
		memcpy(bytes, &number, size < 8 ? size : 8);
	else
		return p3_error_new(P3_UNSUPPORTED, "a constant of a form not known");
	*ret = (struct p3_value){ .type = type, .bytes = bytes };
	return NULL;
}

static struct p3_error *find_value(struct context *context, Dwarf_Die *die,
				   const struct p3_type *type, struct p3_value *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_attr(die, DW_AT_location, &attribute)) {
		if (dwarf_getlocation_addr(&attribute, context->pc, &ops, &count, 1) != 1 || !count)
			return optimized_out();
		return evaluate(context, &attribute, ops, count, type, ret);
	}
	if (dwarf_attr_integrate(die, DW_AT_const_value, &attribute))
		return constant_value(context, &attribute, type, ret);
	/* Nothing there to be kept anywhere. */
	if (type->kind == P3_TYPE_STRUCT && !type->size) {
		*ret = (struct p3_value){ .type = type };
		return NULL;
	}
	return optimized_out();
}

/* ---- which variables ---- */

struct found {
	Dwarf_Die die;
	int depth;
	bool argument;
};

struct found_list {
	P3_LIST(struct found);
	int deepest;
};

/* Variables of the block that the walk starts at, and of the blocks in it that hold pc. */
static void find_variables(struct p3_arena *arena, struct p3_file *file, Dwarf_Die *block,
			   uint64_t pc, bool arguments, bool locals, struct found_list *ret)
{
	struct p3_walk walk;
	int inside = 0; /* depth of the innermost block that holds pc */

	if (!p3_file_walk(file, block, &walk))
		return;
	while (p3_walk_next(&walk) && ret->count < MAX_VARIABLES) {
		bool argument = walk.tag == DW_TAG_formal_parameter;
		struct found *found;

		if (walk.depth <= inside && walk.depth) {
			/* Behind a block that holds pc: further variables of the outer ones. */
			inside = walk.depth - 1;
		}
		if (walk.depth != inside + 1)
			continue;
		if (walk.tag == DW_TAG_lexical_block) {
			if (!locals)
				break; /* parameters come first */
			if (p3_walk_has_pc(file, &walk, pc))
				inside = walk.depth;
			else
				p3_walk_skip_children(&walk);
			continue;
		}
		if (walk.tag == DW_TAG_inlined_subroutine && !locals)
			break;
		if (walk.tag == DW_TAG_inlined_subroutine)
			p3_walk_skip_children(&walk);
		if (!(argument && arguments && walk.depth == 1) &&
		    !(walk.tag == DW_TAG_variable && locals))
			continue;
		found = p3_list_add(arena, ret);
		*found = (struct found){ .depth = walk.depth, .argument = argument };
		if (!dwarf_offdie(file->dwarf, walk.offset, &found->die))
			ret->count--;
		else if (walk.depth > ret->deepest)
			ret->deepest = walk.depth;
	}
}

/* A local may have the name of an argument: both are shown. */
static bool is_known(const struct p3_frame_variables *list, const char *name, bool argument)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].argument == argument && !strcmp(list->items[i].name, name))
			return true;
	return false;
}

static struct p3_error *add_variable(struct context *context, struct found *found,
				     struct p3_frame_variables *ret)
{
	const char *name = dwarf_diename(&found->die);
	struct p3_frame_variable *variable;
	const struct p3_type *type;
	struct p3_error *error;

	if (!name || is_known(ret, name, found->argument))
		return NULL;
	type = p3_type_of_variable(context->state->file, &found->die);
	variable = p3_list_add(context->arena, ret);
	variable->name = name;
	variable->argument = found->argument;
	if (!type) {
		variable->absent = "its type is not described";
		return NULL;
	}
	variable->value.type = type;
	error = find_value(context, &found->die, type, &variable->value);
	if (error && error->code == P3_HOST)
		return error;
	if (error)
		variable->absent = p3_arena_string(context->arena, error->message);
	p3_error_free(error);
	return NULL;
}

struct p3_error *p3_file_variables(struct p3_target *target, struct p3_arena *arena,
				   const struct p3_frame_state *state,
				   const struct p3_frame_state *caller, size_t place,
				   bool arguments, bool locals, struct p3_frame_variables *ret)
{
	struct context context = { .target = target,
				   .arena = arena,
				   .state = state,
				   .caller = caller,
				   .pc = state->pc - !state->exact - state->module->bias };
	Dwarf_Die chain[MAX_CHAIN];
	size_t count = p3_file_chain(state->file, context.pc, chain, MAX_CHAIN), i;
	struct found_list found = { 0 };
	int depth;

	*ret = (struct p3_frame_variables){ 0 };
	if (place >= count)
		return NULL;
	context.function = chain[0];
	find_variables(arena, state->file, &chain[count - 1 - place], context.pc, arguments, locals,
		       &found);
	/* Innermost block first, each in the order of the source; arguments before all. */
	for (i = 0; i < found.count; i++)
		if (found.items[i].argument)
			P3_TRY(add_variable(&context, &found.items[i], ret));
	for (depth = found.deepest; depth > 0; depth--)
		for (i = 0; i < found.count; i++)
			if (found.items[i].depth == depth && !found.items[i].argument)
				P3_TRY(add_variable(&context, &found.items[i], ret));
	p3_file_trim(state->file);
	return NULL;
}
