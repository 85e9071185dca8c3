/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The walk of a unit's DIEs. Abbreviations are decoded once a table, with the size of
 * all attributes where it is fixed, so that most steps are one addition.
 * Source: DWARF 5, 7.5; DWARF 4, 7.5. Refuses: codes above MAX_CODES.
 */
#include "die.h"

#include <dwarf.h>

enum { MAX_CODES = 1 << 18, MAX_DEPTH = 1 << 16 };

struct p3_form {
	uint16_t name, form;
	int64_t implicit; /* of DW_FORM_implicit_const */
};

struct p3_abbreviation {
	uint16_t tag; /* 0: no such code */
	bool children, sibling;
	int32_t size; /* of all attributes; -1: it varies */
	uint32_t first, count;
};

struct p3_abbreviations {
	P3_LIST(struct p3_abbreviation) codes;
	P3_LIST(struct p3_form) forms;
};

/* Bytes of a form; -1: it varies; -2: not known. */
static int form_size(unsigned int form, unsigned int offset_size, unsigned int address_size,
		     unsigned int version)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return (int)address_size;
	case DW_FORM_ref_addr:
		return (int)(version < 3 ? address_size : offset_size);
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return (int)offset_size;
	case DW_FORM_udata:
	case DW_FORM_sdata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
	case DW_FORM_string:
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
	case DW_FORM_exprloc:
	case DW_FORM_indirect:
		return -1;
	default:
		return -2;
	}
}

bool p3_form_skip(struct p3_bytes *bytes, unsigned int form, unsigned int offset_size,
		  unsigned int address_size, unsigned int version)
{
	int size = form_size(form, offset_size, address_size, version);

	if (size >= 0)
		return p3_bytes_skip(bytes, (uint64_t)size);
	switch (form) {
	case DW_FORM_string:
		return p3_bytes_string(bytes) != NULL;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		return p3_bytes_skip(bytes, p3_bytes_uleb(bytes));
	case DW_FORM_block1:
		return p3_bytes_skip(bytes, p3_bytes_number(bytes, 1));
	case DW_FORM_block2:
		return p3_bytes_skip(bytes, p3_bytes_number(bytes, 2));
	case DW_FORM_block4:
		return p3_bytes_skip(bytes, p3_bytes_number(bytes, 4));
	case DW_FORM_indirect:
		form = (unsigned int)p3_bytes_uleb(bytes);
		return form != DW_FORM_indirect &&
		       p3_form_skip(bytes, form, offset_size, address_size, version);
	default:
		if (size == -1)
			(void)p3_bytes_uleb(bytes);
		return size == -1 && !bytes->bad;
	}
}

static const struct p3_abbreviations *read_abbreviations(struct p3_file *file, uint64_t offset,
							 const struct p3_walk *walk)
{
	void **slot = p3_map_slot(file->abbreviations, offset);
	struct p3_section section = p3_file_debug_section(file, P3_DEBUG_ABBREV);
	struct p3_bytes bytes = { section.data, section.data + section.size, false };
	struct p3_abbreviations *table;

	if (*slot)
		return *slot;
	table = p3_arena_take(file->arena, sizeof(*table));
	*slot = table;
	p3_bytes_skip(&bytes, offset);
	for (;;) {
		uint64_t code = p3_bytes_uleb(&bytes);
		struct p3_abbreviation abbreviation = { 0 };

		if (!code || code > MAX_CODES || bytes.bad)
			return table;
		abbreviation.tag = (uint16_t)p3_bytes_uleb(&bytes);
		abbreviation.children = p3_bytes_number(&bytes, 1);
		abbreviation.first = (uint32_t)table->forms.count;
		for (;;) {
			struct p3_form form = { (uint16_t)p3_bytes_uleb(&bytes),
						(uint16_t)p3_bytes_uleb(&bytes), 0 };
			int size;

			if (form.form == DW_FORM_implicit_const)
				form.implicit = p3_bytes_sleb(&bytes);
			if ((!form.name && !form.form) || bytes.bad)
				break;
			abbreviation.sibling |= form.name == DW_AT_sibling;
			size = form_size(form.form, walk->offset_size, walk->address_size,
					 walk->version);
			if (size < 0 || abbreviation.size < 0)
				abbreviation.size = -1;
			else
				abbreviation.size += size;
			*p3_list_add(file->arena, &table->forms) = form;
		}
		abbreviation.count = (uint32_t)table->forms.count - abbreviation.first;
		while (table->codes.count <= code)
			(void)p3_list_add(file->arena, &table->codes);
		table->codes.items[code] = abbreviation;
	}
}

bool p3_walk_start(struct p3_file *file, uint64_t unit, struct p3_walk *walk)
{
	struct p3_section section = p3_file_debug_section(file, P3_DEBUG_INFO);
	const struct p3_abbreviations *table;
	struct p3_bytes bytes = { section.data, section.data + section.size, false };
	uint64_t length, abbreviations = 0;
	Dwarf_Die die;
	uint64_t header;

	/* libdw knows where the header begins. */
	if (!section.data || !dwarf_offdie(file->dwarf, unit, &die))
		return false;
	header = unit - dwarf_cuoffset(&die);
	*walk = (struct p3_walk){ .section = section.data, .unit = header, .offset_size = 4 };
	p3_bytes_skip(&bytes, header);
	length = p3_bytes_number(&bytes, 4);
	if (length == 0xffffffff) {
		walk->offset_size = 8;
		length = p3_bytes_number(&bytes, 8);
	}
	if (bytes.bad || length > (uint64_t)(bytes.end - bytes.at))
		return false;
	bytes.end = bytes.at + length;
	walk->version = (uint16_t)p3_bytes_number(&bytes, 2);
	if (walk->version >= 5)
		p3_bytes_skip(&bytes, 1); /* the unit's type */
	else
		abbreviations = p3_bytes_number(&bytes, walk->offset_size);
	walk->address_size = (uint8_t)p3_bytes_number(&bytes, 1);
	if (walk->version >= 5)
		abbreviations = p3_bytes_number(&bytes, walk->offset_size);
	if (bytes.bad || walk->version < 2 || walk->version > 5 || walk->address_size != 8 ||
	    unit > (uint64_t)(bytes.end - section.data))
		return false;
	table = read_abbreviations(file, abbreviations, walk);
	walk->abbreviations = table->codes.items;
	walk->abbreviation_count = table->codes.count;
	walk->forms = table->forms.items;
	bytes.at = section.data + unit;
	walk->bytes = bytes;
	return true;
}

void p3_walk_seek(struct p3_walk *walk, uint64_t die)
{
	walk->abbreviation = NULL;
	walk->tag = walk->depth = walk->next_depth = 0;
	walk->bytes.bad = die > (uint64_t)(walk->bytes.end - walk->section);
	walk->bytes.at = walk->bytes.bad ? walk->bytes.end : walk->section + die;
}

static bool skip_form(const struct p3_walk *walk, struct p3_bytes *bytes, unsigned int form)
{
	return p3_form_skip(bytes, form, walk->offset_size, walk->address_size, walk->version);
}

/* Go behind the attributes of the DIE that the walk is at. */
static bool skip_attributes(const struct p3_walk *walk, struct p3_bytes *bytes)
{
	const struct p3_abbreviation *abbreviation = walk->abbreviation;
	uint32_t i;

	if (abbreviation->size >= 0)
		return p3_bytes_skip(bytes, (uint64_t)abbreviation->size);
	for (i = 0; i < abbreviation->count; i++)
		if (!skip_form(walk, bytes, walk->forms[abbreviation->first + i].form))
			return false;
	return true;
}

bool p3_walk_next(struct p3_walk *walk)
{
	struct p3_bytes *bytes = &walk->bytes;
	uint64_t code;

	if (walk->tag && walk->next_depth <= 0) /* the first DIE has ended */
		return false;
	if (walk->abbreviation) {
		if (!skip_attributes(walk, bytes))
			return false;
		walk->abbreviation = NULL;
	}
	for (;;) {
		walk->offset = (uint64_t)(bytes->at - walk->section);
		if (bytes->at >= bytes->end)
			return false;
		code = *bytes->at < 0x80 ? *bytes->at++ : p3_bytes_uleb(bytes);
		if (code)
			break;
		if (--walk->next_depth <= 0)
			return false;
	}
	if (bytes->bad || code >= walk->abbreviation_count || !walk->abbreviations[code].tag ||
	    walk->next_depth > MAX_DEPTH)
		return false;
	walk->abbreviation = &walk->abbreviations[code];
	walk->tag = walk->abbreviation->tag;
	walk->children = walk->abbreviation->children;
	walk->depth = walk->next_depth;
	walk->next_depth += walk->children;
	return true;
}

bool p3_walk_has(const struct p3_walk *walk, unsigned int name)
{
	uint32_t i;

	for (i = 0; i < walk->abbreviation->count; i++)
		if (walk->forms[walk->abbreviation->first + i].name == name)
			return true;
	return false;
}

bool p3_walk_number(const struct p3_walk *walk, unsigned int name, uint64_t *ret,
		    unsigned int *form_ret)
{
	struct p3_bytes bytes = walk->bytes;
	uint32_t i;

	for (i = 0; i < walk->abbreviation->count; i++) {
		const struct p3_form *form = &walk->forms[walk->abbreviation->first + i];
		int size;

		if (form->name != name) {
			if (!skip_form(walk, &bytes, form->form))
				return false;
			continue;
		}
		*form_ret = form->form;
		if (form->form == DW_FORM_flag_present) {
			*ret = 1;
			return true;
		}
		if (form->form == DW_FORM_implicit_const) {
			*ret = (uint64_t)form->implicit;
			return true;
		}
		if (form->form == DW_FORM_udata || form->form == DW_FORM_ref_udata) {
			*ret = p3_bytes_uleb(&bytes);
			return !bytes.bad;
		}
		size = form_size(form->form, walk->offset_size, walk->address_size, walk->version);
		if (size <= 0 || size > 8)
			return false;
		*ret = p3_bytes_number(&bytes, (unsigned int)size);
		return !bytes.bad;
	}
	return false;
}

void p3_walk_skip_children(struct p3_walk *walk)
{
	unsigned int form;
	uint64_t sibling, target;

	if (!walk->children || !walk->abbreviation->sibling ||
	    !p3_walk_number(walk, DW_AT_sibling, &sibling, &form) || form != DW_FORM_ref4)
		return;
	target = walk->unit + sibling;
	if (target <= walk->offset || target > (uint64_t)(walk->bytes.end - walk->section))
		return;
	walk->bytes.at = walk->section + target;
	walk->abbreviation = NULL;
	walk->next_depth--;
}
