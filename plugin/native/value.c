/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* C's values as text, as gdb prints them. */
#include <pyo3-gdb/native.h>

#include <inttypes.h>
#include <string.h>

/* Text up to its NUL, but not more than `limit` bytes. */
static void write_text(const struct p3_writer *writer, uint64_t address, size_t limit)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	bool cut = limit > P3_VALUE_MAX_TEXT;
	const char *string = "";
	struct p3_error *error = NULL;

	if (limit)
		error = p3_read_string(writer->target, address, cut ? P3_VALUE_MAX_TEXT : limit,
				       arena, &string);
	if (error) {
		p3_write_absent(writer, error);
		return;
	}
	p3_text_add(writer->text, "\"");
	p3_text_add_safe(writer->text, string, strlen(string), '"');
	p3_text_add(writer->text, cut && strlen(string) == P3_VALUE_MAX_TEXT ? "\"..." : "\"");
}

static void write_pointer(const struct p3_writer *writer, const struct p3_value *value)
{
	const struct p3_type *target = p3_type_target(value->type);
	struct p3_error *error;
	const char *name;
	uint64_t address;

	error = p3_value_number(writer->target, value, &address);
	if (error) {
		p3_write_absent(writer, error);
		return;
	}
	p3_text_printf(writer->text, "0x%" PRIx64, address);
	if (target && target->kind == P3_TYPE_CHARACTER && target->size == 1 && address) {
		p3_text_add(writer->text, " ");
		write_text(writer, address, SIZE_MAX);
		return;
	}
	name = target && target->kind == P3_TYPE_FUNCTION && writer->symbol
		       ? writer->symbol(writer->context, address)
		       : NULL;
	if (name) {
		p3_text_add(writer->text, " <");
		p3_text_add_safe(writer->text, name, strlen(name), 0);
		p3_text_add(writer->text, ">");
	}
}

static void write_value(const struct p3_writer *writer, const struct p3_value *value, int depth);

static void write_members(const struct p3_writer *writer, const struct p3_value *value, int depth)
{
	const struct p3_members *members = p3_type_members(value->type);
	size_t i;

	p3_text_add(writer->text, "{");
	for (i = 0; i < members->count; i++) {
		const struct p3_member *member = &members->items[i];
		struct p3_value part = p3_value_member(value, member);

		p3_text_add(writer->text, i ? ", " : "");
		if (i == P3_VALUE_MAX_ITEMS || writer->text->size > P3_VALUE_MAX_OUTPUT) {
			p3_text_add(writer->text, "...");
			break;
		}
		if (member->name)
			p3_text_printf(writer->text, "%s = ", member->name);
		write_value(writer, &part, depth + 1);
	}
	p3_text_add(writer->text, "}");
}

static void write_elements(const struct p3_writer *writer, const struct p3_value *value, int depth)
{
	const struct p3_type *element = p3_type_target(value->type);
	uint64_t i;

	if (element && element->kind == P3_TYPE_CHARACTER && element->size == 1 && !value->bytes) {
		write_text(writer, value->address, value->type->count);
		return;
	}
	p3_text_add(writer->text, "{");
	for (i = 0; element && i < value->type->count; i++) {
		struct p3_member member = { NULL, element, i * element->size };
		struct p3_value part = p3_value_member(value, &member);

		p3_text_add(writer->text, i ? ", " : "");
		if (i == P3_VALUE_MAX_ITEMS || writer->text->size > P3_VALUE_MAX_OUTPUT) {
			p3_text_add(writer->text, "...");
			break;
		}
		write_value(writer, &part, depth + 1);
	}
	p3_text_add(writer->text, "}");
}

static void write_value(const struct p3_writer *writer, const struct p3_value *value, int depth)
{
	if (value->type->kind == P3_TYPE_POINTER)
		write_pointer(writer, value);
	else if (p3_write_scalar(writer, value))
		return;
	else if (depth >= P3_VALUE_MAX_DEPTH)
		p3_text_add(writer->text, "{...}");
	else if (value->type->kind == P3_TYPE_ARRAY)
		write_elements(writer, value, depth);
	else if (value->type->kind == P3_TYPE_STRUCT || value->type->kind == P3_TYPE_UNION)
		write_members(writer, value, depth);
	else
		p3_text_add(writer->text, "?");
}

void p3_native_write(const struct p3_writer *writer, const struct p3_value *value)
{
	write_value(writer, value, 0);
}
