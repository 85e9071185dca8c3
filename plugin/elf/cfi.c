/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Call frame information as rows: what libdw says of one pc, in a form that
 * unwinds without it. .eh_frame of the loaded file first, .debug_frame where it
 * has nothing. A register rule this does not know makes the row unusable, and
 * the thread the host's. Source: elfutils libdw.h; DWARF 5, 6.4; System V
 * ABI AMD64, figure 3.36; ELF for the Arm 64-bit Architecture, 4.1.
 */
#include "elf_file.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

static void free_frame(Dwarf_Frame **frame)
{
	free(*frame);
}

static struct p3_expression *copy_expression(struct p3_file *file, const Dwarf_Op *operations,
					     size_t count)
{
	struct p3_expression *expression;
	size_t i;

	if (count > P3_CFA_OPERATIONS)
		return NULL;
	expression = p3_arena_take(file->arena, sizeof(*expression));
	expression->count = (uint8_t)count;
	for (i = 0; i < count; i++)
		expression->operations[i] =
			(struct p3_operation){ operations[i].atom, (int64_t)operations[i].number,
					       (int64_t)operations[i].number2 };
	return expression;
}

static bool use_cfa(struct p3_file *file, Dwarf_Frame *frame, struct p3_cfi_row *row)
{
	Dwarf_Op *operations;
	size_t count;

	if (dwarf_frame_cfa(frame, &operations, &count) != 0 || !count)
		return false;
	row->cfa_register = -1;
	if (count == 1 && operations[0].atom == DW_OP_bregx &&
	    operations[0].number < P3_REGISTERS) {
		row->cfa_register = (int32_t)operations[0].number;
		row->cfa_offset = (int64_t)operations[0].number2;
	} else if (count == 1 && operations[0].atom >= DW_OP_breg0 &&
		   operations[0].atom <= DW_OP_breg31) {
		row->cfa_register = operations[0].atom - DW_OP_breg0;
		row->cfa_offset = (int64_t)operations[0].number;
	} else {
		row->cfa = copy_expression(file, operations, count);
	}
	return row->cfa_register >= 0 || row->cfa;
}

static bool use_rule(struct p3_file *file, Dwarf_Frame *frame, int number, struct p3_cfi_row *row)
{
	struct p3_rule *rule = &row->rules[number];
	Dwarf_Op memory[3], *operations;
	size_t count;
	bool value;

	if (dwarf_frame_register(frame, number, memory, &operations, &count) != 0)
		return false;
	if (!count) {
		rule->kind = operations ? P3_RULE_UNDEFINED : P3_RULE_SAME;
		return true;
	}
	value = count > 1 && operations[count - 1].atom == DW_OP_stack_value;
	if (value)
		count--;
	if (count >= 1 && count <= 2 && operations[0].atom == DW_OP_call_frame_cfa &&
	    (count == 1 || operations[1].atom == DW_OP_plus_uconst)) {
		rule->kind = value ? P3_RULE_VALUE : P3_RULE_MEMORY;
		rule->offset = count == 2 ? (int32_t)operations[1].number : 0;
		return true;
	}
	if (!value && count == 1 && operations[0].atom == DW_OP_regx &&
	    operations[0].number < P3_REGISTERS) {
		rule->kind = P3_RULE_REGISTER;
		rule->offset = (int32_t)operations[0].number;
		return true;
	}
	if (!value && count == 1 && operations[0].atom >= DW_OP_reg0 &&
	    operations[0].atom <= DW_OP_reg31) {
		rule->kind = P3_RULE_REGISTER;
		rule->offset = operations[0].atom - DW_OP_reg0;
		return true;
	}
	rule->kind = P3_RULE_EXPRESSION;
	row->expressions[number] = value ? NULL : copy_expression(file, operations, count);
	return row->expressions[number] != NULL;
}

static bool use_frame(struct p3_file *file, Dwarf_Frame *frame, struct p3_cfi_row *row)
{
	int number, column = dwarf_frame_info(frame, NULL, NULL, &row->signal);

	if (column < 0 || column >= P3_REGISTERS || !use_cfa(file, frame, row))
		return false;
	row->return_register = (uint8_t)column;
	for (number = 0; number < P3_REGISTERS; number++) {
		if (use_rule(file, frame, number, row))
			continue;
		if (number <= column)
			return false;
		row->rules[number].kind = P3_RULE_SAME; /* no register of this machine */
	}
	return true;
}

const struct p3_cfi_row *p3_file_cfi(struct p3_file *file, uint64_t pc)
{
	void **known = p3_map_find(file->rows, pc);
	Dwarf_Frame *frame P3_CLEANUP(free_frame) = NULL;
	struct p3_cfi_row *row;

	if (known)
		return *known;
	if (!file->looked_for_cfi)
		file->eh_frame = dwarf_getcfi_elf(file->elf);
	file->looked_for_cfi = true;
	row = p3_arena_take(file->arena, sizeof(*row));
	if (!file->eh_frame || dwarf_cfi_addrframe(file->eh_frame, pc, &frame) != 0) {
		if (!file->debug_frame && p3_file_dwarf(file))
			file->debug_frame = dwarf_getcfi(file->dwarf);
		if (!file->debug_frame || dwarf_cfi_addrframe(file->debug_frame, pc, &frame) != 0)
			frame = NULL;
	}
	if (frame)
		row->usable = use_frame(file, frame, row);
	*p3_map_slot(file->rows, pc) = row;
	return row;
}

/*
 * The table of .eh_frame_hdr: where each FDE's function starts, sorted, so that the unwinder
 * finds it. Source: the LSB's core specification, "Exception Frames". Only the encoding that
 * every linker writes is read: pairs of 4 bytes, relative to the section.
 */
uint64_t p3_file_fde_start(struct p3_file *file, uint64_t pc)
{
	static const uint8_t usual[4] = { 1, 0x1b, 0x03, 0x3b };
	size_t i = 0, low = 0, high;
	GElf_Phdr header;
	const uint8_t *table;
	uint32_t entries;
	int32_t start = 0;

	if (!p3_elf_next_segment(file->elf, PT_GNU_EH_FRAME, &i, &header) || header.p_filesz < 12 ||
	    header.p_offset > file->image.size ||
	    header.p_filesz > file->image.size - header.p_offset)
		return 0;
	table = file->image.data + header.p_offset;
	memcpy(&entries, table + 8, sizeof(entries));
	if (memcmp(table, usual, sizeof(usual)) != 0 || entries > (header.p_filesz - 12) / 8)
		return 0;
	for (high = entries; low < high;) {
		size_t middle = low + (high - low) / 2;

		memcpy(&start, table + 12 + middle * 8, sizeof(start));
		if (header.p_vaddr + (uint64_t)(int64_t)start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	memcpy(&start, table + 12 + (low - 1) * 8, sizeof(start));
	return header.p_vaddr + (uint64_t)(int64_t)start;
}
