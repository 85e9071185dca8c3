/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Line tables. 3.11+: entries of a first byte 1ccccLLL and operands (python/cpython
 * Objects/locations.md). 3.10: pairs of a length in bytes and a signed step of the line,
 * -128 for no line (Objects/lnotab_notes.txt). Before: pairs of an advance and a step.
 */
#include "layout.h"

enum {
	CODE_SHORT_END = 10,
	CODE_ONE_LINE_END = 13,
	CODE_NO_COLUMNS = 13,
	CODE_LONG = 14,
	CODE_NONE = 15
};

struct cursor {
	const uint8_t *at, *end;
};

static uint64_t read_varint(struct cursor *cursor)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte = 0x40;

	while (cursor->at < cursor->end && (byte & 0x40)) {
		byte = *cursor->at++;
		if (shift < 60)
			value |= (uint64_t)(byte & 0x3f) << shift;
		shift += 6;
	}
	return value;
}

static int64_t read_signed(struct cursor *cursor)
{
	uint64_t value = read_varint(cursor);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static uint32_t line_3_8(const uint8_t *table, size_t size, uint32_t first, uint64_t offset)
{
	uint64_t address = 0;
	int64_t line = first;
	size_t i;

	for (i = 0; i + 1 < size; i += 2) {
		address += table[i];
		if (address > offset)
			break;
		line += (int8_t)table[i + 1];
	}
	return line > 0 && line <= UINT32_MAX ? (uint32_t)line : 0;
}

static uint32_t line_3_10(const uint8_t *table, size_t size, uint32_t first, uint64_t offset)
{
	uint64_t end = 0;
	int64_t line = first;
	size_t i;

	for (i = 0; i + 1 < size; i += 2) {
		int8_t step = (int8_t)table[i + 1];

		end += table[i];
		if (step != -128)
			line += step;
		if (offset < end)
			return step != -128 && line > 0 && line <= UINT32_MAX ? (uint32_t)line : 0;
	}
	return 0;
}

static uint32_t line_3_11(const uint8_t *table, size_t size, uint32_t first, uint64_t offset)
{
	struct cursor cursor = { table, table + size };
	uint64_t end = 0;
	uint64_t line = first; /* wraps, as unsigned numbers may */

	while (cursor.at < cursor.end) {
		uint8_t byte = *cursor.at++;
		unsigned int code = byte >> 3 & 15;

		end += ((uint64_t)(byte & 7) + 1) * 2;
		if (code < CODE_SHORT_END) {
			cursor.at++;
		} else if (code < CODE_ONE_LINE_END) {
			line += code - CODE_SHORT_END;
			cursor.at += 2;
		} else if (code == CODE_NO_COLUMNS) {
			line += (uint64_t)read_signed(&cursor);
		} else if (code == CODE_LONG) {
			line += (uint64_t)read_signed(&cursor);
			read_varint(&cursor);
			read_varint(&cursor);
			read_varint(&cursor);
		}
		if (offset < end)
			return code == CODE_NONE || line > UINT32_MAX ? 0 : (uint32_t)line;
	}
	return 0;
}

uint32_t p3_py_line(enum p3_lines_form form, const uint8_t *table, size_t size, uint32_t first,
		    uint64_t offset)
{
	switch (form) {
	case P3_LINES_3_8:
		return line_3_8(table, size, first, offset);
	case P3_LINES_3_10:
		return line_3_10(table, size, first, offset);
	default:
		return line_3_11(table, size, first, offset);
	}
}
