/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Scalars and strings as text: what all languages have alike. */
#include <pyo3-gdb/value.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void p3_write_absent(const struct p3_writer *writer, struct p3_error *error)
{
	const char *why = error->code == P3_FAULT ? "unreadable" : error->message;

	p3_text_add(writer->text, "<");
	p3_text_add_safe(writer->text, why, strlen(why), 0);
	p3_text_add(writer->text, ">");
	p3_error_free(error);
}

void p3_write_string(const struct p3_writer *writer, uint64_t address, uint64_t size)
{
	char buffer[P3_VALUE_MAX_TEXT];
	uint64_t shown = size < sizeof(buffer) ? size : sizeof(buffer);
	struct p3_error *error = shown ? p3_read(writer->target, address, buffer, shown) : NULL;

	if (error) {
		p3_write_absent(writer, error);
		return;
	}
	/* Not in the middle of a character. */
	while (shown < size && shown && ((unsigned char)buffer[shown - 1] & 0xc0) == 0x80)
		shown--;
	if (shown < size && shown && ((unsigned char)buffer[shown - 1] & 0x80))
		shown--;
	p3_text_add(writer->text, "\"");
	p3_text_add_safe(writer->text, buffer, shown, '"');
	p3_text_add(writer->text, shown < size ? "\"..." : "\"");
}

static void write_enumerator(const struct p3_writer *writer, const struct p3_type *type,
			     uint64_t number)
{
	const struct p3_enumerators *enumerators = p3_type_enumerators(type);
	uint64_t mask = type->size < 8 ? ((uint64_t)1 << type->size * 8) - 1 : UINT64_MAX;
	size_t i;

	for (i = 0; i < enumerators->count; i++) {
		const struct p3_enumerator *item = &enumerators->items[i];

		if (((uint64_t)item->value & mask) != (number & mask) || !item->name)
			continue;
		p3_text_add_safe(writer->text, item->name, strlen(item->name), 0);
		return;
	}
	p3_text_printf(writer->text, "%" PRIu64, number);
}

static void write_float(const struct p3_writer *writer, const struct p3_type *type, uint64_t bits)
{
	double value;
	float narrow;

	memcpy(&narrow, &bits, sizeof(narrow));
	memcpy(&value, &bits, sizeof(value));
	p3_text_add_real(writer->text, type->size == 4 ? (double)narrow : value, type->size == 4);
}

/* 128 bits, in decimal where they fit into 64, else in hexadecimal. */
static void write_wide(const struct p3_writer *writer, const struct p3_value *value)
{
	uint64_t words[2];
	struct p3_error *error = p3_value_read(writer->target, value, 0, words, sizeof(words));

	if (error)
		p3_write_absent(writer, error);
	else if (value->type->kind == P3_TYPE_SIGNED && words[1] == UINT64_MAX &&
		 (int64_t)words[0] < 0)
		p3_text_printf(writer->text, "%" PRId64, (int64_t)words[0]);
	else if (!words[1])
		p3_text_printf(writer->text, "%" PRIu64, words[0]);
	else
		p3_text_printf(writer->text, "0x%" PRIx64 "%016" PRIx64, words[1], words[0]);
}

bool p3_write_scalar(const struct p3_writer *writer, const struct p3_value *value)
{
	const struct p3_type *type = value->type;
	struct p3_error *error;
	uint64_t number;

	if (type->kind < P3_TYPE_BOOL || type->kind == P3_TYPE_STRUCT ||
	    type->kind == P3_TYPE_UNION || type->kind >= P3_TYPE_ARRAY)
		return false;
	if (type->size == 16 && (type->kind == P3_TYPE_SIGNED || type->kind == P3_TYPE_UNSIGNED)) {
		write_wide(writer, value);
		return true;
	}
	error = p3_value_number(writer->target, value, &number);
	if (error) {
		p3_write_absent(writer, error);
		return true;
	}
	switch (type->kind) {
	case P3_TYPE_BOOL:
		if (number > 1) /* not initialised, or gone */
			p3_text_printf(writer->text, "%" PRIu64, number);
		else
			p3_text_add(writer->text, number ? "true" : "false");
		break;
	case P3_TYPE_CHARACTER:
		p3_text_add(writer->text, "'");
		p3_text_add_point(writer->text, (uint32_t)number, '\'');
		p3_text_add(writer->text, "'");
		break;
	case P3_TYPE_SIGNED:
		p3_text_printf(writer->text, "%" PRId64, (int64_t)number);
		break;
	case P3_TYPE_UNSIGNED:
		p3_text_printf(writer->text, "%" PRIu64, number);
		break;
	case P3_TYPE_FLOAT:
		write_float(writer, type, number);
		break;
	case P3_TYPE_ENUM:
		write_enumerator(writer, type, number);
		break;
	default:
		p3_text_printf(writer->text, "0x%" PRIx64, number);
	}
	return true;
}
