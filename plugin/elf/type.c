/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Types, from DWARF. A type is known by its DIE; what it consists of is read when
 * it is asked for. typedef and qualifiers are seen through.
 * Source: DWARF 5, 5; rustc's debuginfo of enums: rust-lang/rust
 * compiler/rustc_codegen_llvm/src/debuginfo/metadata/enums (DW_TAG_variant_part).
 */
#include "type.h"

#include <dwarf.h>
#include <string.h>

enum { MAX_LINKS = 32 /* typedefs and qualifiers in a row */ };

/* A type as it is kept: what was not asked for yet is NULL. */
struct full_type {
	struct p3_type type;
	struct p3_file *file;
	Dwarf_Die die;
	struct p3_members *members;
	struct p3_variants *variants;
	struct p3_enumerators *enumerators;
	const struct p3_type *target;
	bool looked_for_target;
};

static struct full_type *full(const struct p3_type *type)
{
	return (struct full_type *)(uintptr_t)type;
}

static enum p3_type_kind base_kind(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Word encoding;

	if (dwarf_formudata(dwarf_attr(die, DW_AT_encoding, &attribute), &encoding) != 0)
		return P3_TYPE_UNKNOWN;
	switch (encoding) {
	case DW_ATE_boolean:
		return P3_TYPE_BOOL;
	case DW_ATE_UTF:
	case DW_ATE_signed_char:
		return P3_TYPE_CHARACTER;
	case DW_ATE_signed:
		return P3_TYPE_SIGNED;
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
		return P3_TYPE_UNSIGNED;
	case DW_ATE_float:
		return P3_TYPE_FLOAT;
	default:
		return P3_TYPE_UNKNOWN;
	}
}

static enum p3_type_kind kind_of(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return base_kind(die);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		return P3_TYPE_POINTER;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return P3_TYPE_STRUCT;
	case DW_TAG_union_type:
		return P3_TYPE_UNION;
	case DW_TAG_enumeration_type:
		return P3_TYPE_ENUM;
	case DW_TAG_array_type:
		return P3_TYPE_ARRAY;
	case DW_TAG_subroutine_type:
		return P3_TYPE_FUNCTION;
	case DW_TAG_unspecified_type:
		return P3_TYPE_VOID;
	default:
		return P3_TYPE_UNKNOWN;
	}
}

/* Elements of all dimensions. */
static uint64_t array_count(Dwarf_Die *die)
{
	uint64_t count = 1;
	bool found = false;
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return 0;
	do {
		Dwarf_Attribute attribute;
		Dwarf_Word number;

		if (dwarf_tag(&child) != DW_TAG_subrange_type)
			continue;
		if (dwarf_formudata(dwarf_attr(&child, DW_AT_count, &attribute), &number) != 0) {
			if (dwarf_formudata(dwarf_attr(&child, DW_AT_upper_bound, &attribute),
					    &number) != 0)
				return 0;
			number++;
		}
		if (number && count > UINT64_MAX / number)
			return 0;
		count *= number;
		found = true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return found ? count : 0;
}

const struct p3_type *p3_type_of(struct p3_file *file, Dwarf_Die *given)
{
	Dwarf_Die die = *given;
	struct full_type *type;
	Dwarf_Attribute attribute;
	Dwarf_Word size;
	void **slot;
	int i;

	for (i = 0; i < MAX_LINKS; i++) {
		int tag = dwarf_tag(&die);
		Dwarf_Die next;

		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type &&
		    tag != DW_TAG_atomic_type)
			break;
		if (!dwarf_formref_die(dwarf_attr(&die, DW_AT_type, &attribute), &next))
			return NULL;
		die = next;
	}
	/* By where it is in the mapped file: offsets of dwz's common file are others. */
	slot = p3_map_slot(file->types, (uint64_t)(uintptr_t)die.addr);
	if (*slot)
		return *slot;
	type = p3_arena_take(file->arena, sizeof(*type));
	*slot = type;
	type->file = file;
	type->die = die;
	type->type.kind = kind_of(&die);
	type->type.name = p3_file_qualified_name(file, &die);
	if (dwarf_formudata(dwarf_attr_integrate(&die, DW_AT_byte_size, &attribute), &size) == 0)
		type->type.size = size;
	else if (type->type.kind == P3_TYPE_POINTER)
		type->type.size = 8;
	if (type->type.kind == P3_TYPE_ARRAY && file->array_depth < MAX_LINKS) {
		const struct p3_type *element;

		file->array_depth++; /* of arrays of arrays: damaged ones may not end */
		element = p3_type_target(&type->type);
		file->array_depth--;

		type->type.count = array_count(&die);
		if (element && type->type.count && element->size < UINT64_MAX / type->type.count)
			type->type.size = element->size * type->type.count;
	}
	return &type->type;
}

static const struct p3_type *attribute_type(struct p3_file *file, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type;

	if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &type))
		return NULL;
	return p3_type_of(file, &type);
}

const struct p3_type *p3_type_of_variable(struct p3_file *file, Dwarf_Die *die)
{
	return attribute_type(file, die);
}

const struct p3_type *p3_type_target(const struct p3_type *given)
{
	struct full_type *type = full(given);

	if (!type->looked_for_target)
		type->target = attribute_type(type->file, &type->die);
	type->looked_for_target = true;
	return type->target;
}

static bool read_member(struct p3_file *file, Dwarf_Die *die, struct p3_member *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset = 0;

	ret->name = dwarf_diename(die);
	ret->type = attribute_type(file, die);
	if (dwarf_attr(die, DW_AT_data_member_location, &attribute) &&
	    dwarf_formudata(&attribute, &offset) != 0)
		return false;
	/* C's bit-fields: not read. */
	if (dwarf_hasattr(die, DW_AT_bit_size))
		return false;
	ret->offset = offset;
	return ret->type != NULL;
}

const struct p3_members *p3_type_members(const struct p3_type *given)
{
	struct full_type *type = full(given);
	Dwarf_Die child;

	if (type->members)
		return type->members;
	type->members = p3_arena_take(type->file->arena, sizeof(*type->members));
	if ((given->kind != P3_TYPE_STRUCT && given->kind != P3_TYPE_UNION) ||
	    dwarf_child(&type->die, &child) != 0)
		return type->members;
	do {
		struct p3_member member;

		if (dwarf_tag(&child) == DW_TAG_member &&
		    type->members->count < P3_VALUE_MAX_MEMBERS &&
		    read_member(type->file, &child, &member))
			*p3_list_add(type->file->arena, type->members) = member;
	} while (dwarf_siblingof(&child, &child) == 0);
	return type->members;
}

const struct p3_member *p3_type_member(const struct p3_type *type, const char *name)
{
	const struct p3_members *members = p3_type_members(type);
	size_t i;

	for (i = 0; i < members->count; i++)
		if (members->items[i].name && !strcmp(members->items[i].name, name))
			return &members->items[i];
	return NULL;
}

/* DW_AT_discr_value, or DW_AT_discr_list, of which a range is enough for rustc's. */
static void read_discriminants(Dwarf_Die *die, struct p3_variant *variant)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	variant->is_default = true;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_discr_value, &attribute), &value) != 0)
		return;
	variant->is_default = false;
	variant->low = variant->high = value;
}

static void read_variant(struct full_type *type, Dwarf_Die *die)
{
	struct p3_variant variant = { 0 };
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) == DW_TAG_member &&
		    read_member(type->file, &child, &variant.member)) {
			read_discriminants(die, &variant);
			if (type->variants->count < P3_VALUE_MAX_MEMBERS)
				*p3_list_add(type->file->arena, type->variants) = variant;
			return;
		}
	} while (dwarf_siblingof(&child, &child) == 0);
}

static void read_variant_part(struct full_type *type, Dwarf_Die *part)
{
	Dwarf_Attribute attribute;
	Dwarf_Die child, discriminant;

	if (dwarf_formref_die(dwarf_attr(part, DW_AT_discr, &attribute), &discriminant))
		(void)read_member(type->file, &discriminant, &type->variants->discriminant);
	if (dwarf_child(part, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) == DW_TAG_variant)
			read_variant(type, &child);
	} while (dwarf_siblingof(&child, &child) == 0);
}

const struct p3_variants *p3_type_variants(const struct p3_type *given)
{
	struct full_type *type = full(given);
	Dwarf_Die child;

	if (type->variants)
		return type->variants;
	type->variants = p3_arena_take(type->file->arena, sizeof(*type->variants));
	if (given->kind != P3_TYPE_STRUCT || dwarf_child(&type->die, &child) != 0)
		return type->variants;
	do {
		if (dwarf_tag(&child) == DW_TAG_variant_part)
			read_variant_part(type, &child);
	} while (dwarf_siblingof(&child, &child) == 0);
	return type->variants;
}

bool p3_attribute_number(Dwarf_Attribute *attribute, int64_t *ret)
{
	Dwarf_Word number;
	Dwarf_Sword value;

	if (!attribute)
		return false;
	switch (dwarf_whatform(attribute)) {
	case DW_FORM_data1:
	case DW_FORM_data2:
	case DW_FORM_data4:
	case DW_FORM_data8: /* gdb takes these without a sign; what has one is sdata */
		if (dwarf_formudata(attribute, &number) != 0)
			return false;
		*ret = (int64_t)number;
		return true;
	default:
		if (dwarf_formsdata(attribute, &value) != 0)
			return false;
		*ret = value;
		return true;
	}
}

const struct p3_enumerators *p3_type_enumerators(const struct p3_type *given)
{
	struct full_type *type = full(given);
	Dwarf_Die child;

	if (type->enumerators)
		return type->enumerators;
	type->enumerators = p3_arena_take(type->file->arena, sizeof(*type->enumerators));
	if (given->kind != P3_TYPE_ENUM || dwarf_child(&type->die, &child) != 0)
		return type->enumerators;
	do {
		Dwarf_Attribute attribute;
		Dwarf_Sword value;

		if (dwarf_tag(&child) == DW_TAG_enumerator &&
		    type->enumerators->count < P3_VALUE_MAX_MEMBERS &&
		    p3_attribute_number(dwarf_attr(&child, DW_AT_const_value, &attribute), &value))
			*p3_list_add(type->file->arena, type->enumerators) =
				(struct p3_enumerator){ dwarf_diename(&child), value };
	} while (dwarf_siblingof(&child, &child) == 0);
	return type->enumerators;
}

static const struct p3_type *find_parameter(struct p3_file *file, Dwarf_Die *die, const char *name)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) != 0)
		return NULL;
	do {
		const char *of = dwarf_tag(&child) == DW_TAG_template_type_parameter
					 ? dwarf_diename(&child)
					 : NULL;

		if (of && !strcmp(of, name))
			return attribute_type(file, &child);
	} while (dwarf_siblingof(&child, &child) == 0);
	return NULL;
}

const struct p3_type *p3_type_parameter(const struct p3_type *given, const char *name)
{
	struct full_type *type = full(given);

	return find_parameter(type->file, &type->die, name);
}

const struct p3_type *p3_file_parameter(struct p3_file *file, uint64_t pc, const char *name)
{
	Dwarf_Attribute attribute;
	Dwarf_Die function, declaration;
	const struct p3_type *type;

	if (p3_file_is_packed(file) || !p3_file_chain(file, pc, &function, 1))
		return NULL;
	type = find_parameter(file, &function, name);
	if (!type &&
	    dwarf_formref_die(dwarf_attr(&function, DW_AT_specification, &attribute), &declaration))
		type = find_parameter(file, &declaration, name);
	return type;
}

/* ---- values ---- */

struct p3_error *p3_value_read(struct p3_target *target, const struct p3_value *value,
			       uint64_t offset, void *buffer, size_t size)
{
	size_t i;

	if (!value->bytes)
		return p3_read(target, value->address + offset, buffer, size);
	if (!value->type || offset > value->type->size || size > value->type->size - offset)
		return p3_error_new(P3_BAD_DATA, "a value of %zu bytes is not in one of %zu", size,
				    value->type ? (size_t)value->type->size : 0);
	for (i = 0; value->known && i < size; i++)
		if (!value->known[offset + i])
			return p3_error_new(P3_MISSING, "optimized out");
	memcpy(buffer, value->bytes + offset, size);
	return NULL;
}

struct p3_error *p3_value_number(struct p3_target *target, const struct p3_value *value,
				 uint64_t *ret)
{
	uint64_t size = value->type ? value->type->size : 0, number = 0;

	if (!size || size > 8)
		return p3_error_new(P3_UNSUPPORTED, "a number of %zu bytes", (size_t)size);
	P3_TRY(p3_value_read(target, value, 0, &number, size));
	if (size < 8 && value->type->kind == P3_TYPE_SIGNED && (number >> (size * 8 - 1)))
		number |= ~(uint64_t)0 << (size * 8);
	*ret = number;
	return NULL;
}

struct p3_value p3_value_member(const struct p3_value *value, const struct p3_member *member)
{
	struct p3_value part = *value;

	part.type = member->type;
	if (!value->bytes) {
		part.address += member->offset;
		return part;
	}
	/* A damaged description may lead out of the bytes: nothing is known of those. */
	if (member->offset > value->type->size ||
	    member->type->size > value->type->size - member->offset) {
		static const uint8_t none[P3_VALUE_MAX_BYTES];

		part.bytes = part.known = none;
		if (member->type->size > sizeof(none))
			part = (struct p3_value){ .type = member->type };
		return part;
	}
	part.bytes += member->offset;
	if (part.known)
		part.known += member->offset;
	return part;
}

struct p3_value p3_value_at(const struct p3_type *type, uint64_t address)
{
	return (struct p3_value){ .type = type, .address = address };
}
