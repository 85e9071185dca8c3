/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The location table of 3.11+: entries of a first byte 1ccccLLL and operands.
 * Source: python/cpython Objects/locations.md.
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

uint32_t p3_py_line(const uint8_t *table, size_t size, uint32_t first, uint64_t offset)
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
