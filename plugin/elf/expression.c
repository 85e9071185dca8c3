/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * DWARF expressions: the operations on a stack of numbers that call frame information
 * and the locations of variables share. No branches, so that they end.
 * Source: DWARF 5, 2.5.1.
 */
#include "expression.h"

#include <dwarf.h>

bool p3_machine_pop(struct p3_machine_state *machine, uint64_t *ret)
{
	if (!machine->depth)
		return false;
	*ret = machine->stack[--machine->depth];
	return true;
}

bool p3_machine_push(struct p3_machine_state *machine, uint64_t value)
{
	if (machine->depth == P3_EXPRESSION_STACK)
		return false;
	machine->stack[machine->depth++] = value;
	return true;
}

/* Operations on the two topmost values; false: not one of these. */
static bool binary(uint8_t code, uint64_t a, uint64_t b, uint64_t *ret)
{
	switch (code) {
	case DW_OP_plus:
		*ret = a + b;
		return true;
	case DW_OP_minus:
		*ret = a - b;
		return true;
	case DW_OP_mul:
		*ret = a * b;
		return true;
	case DW_OP_and:
		*ret = a & b;
		return true;
	case DW_OP_or:
		*ret = a | b;
		return true;
	case DW_OP_xor:
		*ret = a ^ b;
		return true;
	case DW_OP_shl:
		*ret = b < 64 ? a << b : 0;
		return true;
	case DW_OP_shr:
		*ret = b < 64 ? a >> b : 0;
		return true;
	case DW_OP_shra:
		*ret = (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
		return true;
	case DW_OP_div: /* signed; by zero, and what would overflow, is 0 */
		*ret = b && !(b == UINT64_MAX && a == (uint64_t)1 << 63)
			       ? (uint64_t)((int64_t)a / (int64_t)b)
			       : 0;
		return true;
	case DW_OP_mod:
		*ret = b ? a % b : 0;
		return true;
	case DW_OP_ge:
		*ret = (int64_t)a >= (int64_t)b;
		return true;
	case DW_OP_gt:
		*ret = (int64_t)a > (int64_t)b;
		return true;
	case DW_OP_le:
		*ret = (int64_t)a <= (int64_t)b;
		return true;
	case DW_OP_lt:
		*ret = (int64_t)a < (int64_t)b;
		return true;
	case DW_OP_eq:
		*ret = a == b;
		return true;
	case DW_OP_ne:
		*ret = a != b;
		return true;
	default:
		return false;
	}
}

/* Operations on the topmost value; false: not one of these. */
static bool unary(uint8_t code, uint64_t a, uint64_t operand, uint64_t *ret)
{
	switch (code) {
	case DW_OP_plus_uconst:
		*ret = a + operand;
		return true;
	case DW_OP_neg:
		*ret = -a;
		return true;
	case DW_OP_not:
		*ret = ~a;
		return true;
	case DW_OP_abs:
		*ret = (int64_t)a < 0 ? -a : a;
		return true;
	default:
		return false;
	}
}

static struct p3_error *read_register(const struct p3_machine_state *machine, uint64_t number,
				      uint64_t *ret)
{
	if (number >= P3_REGISTERS)
		return p3_error_new(P3_UNSUPPORTED, "register %u", (unsigned int)number);
	if (!(machine->known >> number & 1))
		return p3_error_new(P3_MISSING, "optimized out");
	*ret = machine->registers[number];
	return NULL;
}

static struct p3_error *damaged(void)
{
	return p3_error_new(P3_BAD_DATA, "a DWARF expression is damaged");
}

/* Moves within the stack; *done false: not one of these. */
static struct p3_error *rearrange(struct p3_machine_state *machine,
				  const struct p3_operation *operation, bool *done)
{
	uint64_t *top = machine->stack + machine->depth, index = 0, swap;

	*done = true;
	switch (operation->code) {
	case DW_OP_drop:
		return p3_machine_pop(machine, &swap) ? NULL : damaged();
	case DW_OP_over:
		index = 1;
		break;
	case DW_OP_pick:
		index = (uint64_t)operation->number;
		break;
	case DW_OP_dup:
		break;
	case DW_OP_swap:
		if (machine->depth < 2)
			return damaged();
		swap = top[-1];
		top[-1] = top[-2];
		top[-2] = swap;
		return NULL;
	case DW_OP_rot:
		if (machine->depth < 3)
			return damaged();
		swap = top[-1];
		top[-1] = top[-2];
		top[-2] = top[-3];
		top[-3] = swap;
		return NULL;
	default:
		*done = false;
		return NULL;
	}
	if (index >= machine->depth || !p3_machine_push(machine, top[-1 - (int64_t)index]))
		return damaged();
	return NULL;
}

static struct p3_error *dereference(struct p3_machine_state *machine, uint64_t size, uint64_t *ret)
{
	uint64_t address;

	if (!p3_machine_pop(machine, &address) || !size || size > 8)
		return damaged();
	*ret = 0;
	return p3_read(machine->target, address, ret, size);
}

struct p3_error *p3_machine_step(struct p3_machine_state *machine,
				 const struct p3_operation *operation)
{
	uint8_t code = operation->code;
	uint64_t a, b, value;
	bool done;

	P3_TRY(rearrange(machine, operation, &done));
	if (done || code == DW_OP_nop)
		return NULL;
	if (code >= DW_OP_lit0 && code <= DW_OP_lit31) {
		value = code - DW_OP_lit0;
	} else if (code >= DW_OP_breg0 && code <= DW_OP_breg31) {
		P3_TRY(read_register(machine, code - DW_OP_breg0, &value));
		value += (uint64_t)operation->number;
	} else if (code == DW_OP_bregx) {
		P3_TRY(read_register(machine, (uint64_t)operation->number, &value));
		value += (uint64_t)operation->number2;
	} else if ((code >= DW_OP_const1u && code <= DW_OP_consts) || code == DW_OP_addr) {
		value = (uint64_t)operation->number;
	} else if (code == DW_OP_call_frame_cfa) {
		value = machine->cfa; /* libdw puts it first in a register's expression */
	} else if (code == DW_OP_deref) {
		P3_TRY(dereference(machine, 8, &value));
	} else if (code == DW_OP_deref_size) {
		P3_TRY(dereference(machine, (uint64_t)operation->number, &value));
	} else {
		if (!p3_machine_pop(machine, &b))
			return damaged();
		if (!unary(code, b, (uint64_t)operation->number, &value)) {
			if (!p3_machine_pop(machine, &a))
				return damaged();
			if (!binary(code, a, b, &value))
				return p3_error_new(P3_UNSUPPORTED, "DWARF operation 0x%x", code);
		}
	}
	return p3_machine_push(machine, value) ? NULL : damaged();
}

struct p3_error *p3_expression_value(const struct p3_expression *expression,
				     struct p3_target *target, const uint64_t *registers,
				     uint64_t cfa, uint64_t *ret)
{
	struct p3_machine_state machine = {
		.target = target, .registers = registers, .known = UINT64_MAX, .cfa = cfa
	};
	size_t i;

	for (i = 0; i < expression->count; i++)
		P3_TRY(p3_machine_step(&machine, &expression->operations[i]));
	return p3_machine_pop(&machine, ret) ? NULL : damaged();
}
