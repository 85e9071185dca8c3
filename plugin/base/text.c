/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Building text, and making data of the target safe to show; see text.h. */
#include <pyo3-gdb/text.h>

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void p3_text_done(struct p3_text *text)
{
	free(text->data);
	*text = (struct p3_text)P3_TEXT_INIT;
}

const char *p3_text_string(const struct p3_text *text)
{
	return text->data ? text->data : "";
}

void p3_text_add_bytes(struct p3_text *text, const char *bytes, size_t size)
{
	if (text->room - text->size <= size) {
		text->room = (text->size + size + 1) * 2;
		text->data = realloc(text->data, text->room);
		if (!text->data)
			abort();
	}
	if (size)
		memcpy(text->data + text->size, bytes, size);
	text->size += size;
	text->data[text->size] = 0;
}

void p3_text_add(struct p3_text *text, const char *string)
{
	p3_text_add_bytes(text, string, strlen(string));
}

void p3_text_printf(struct p3_text *text, const char *format, ...)
{
	va_list args;
	char *string;
	int size;

	va_start(args, format);
	size = vasprintf(&string, format, args);
	va_end(args);
	if (size < 0)
		abort();
	p3_text_add_bytes(text, string, (size_t)size);
	free(string);
}

void p3_text_pad(struct p3_text *text, size_t columns)
{
	while (columns--)
		p3_text_add_bytes(text, " ", 1);
}

void p3_text_clear(struct p3_text *text)
{
	p3_text_cut(text, 0);
}

void p3_text_cut(struct p3_text *text, size_t size)
{
	if (size < text->size) {
		text->size = size;
		text->data[size] = 0;
	}
}

static void add_utf8(struct p3_text *text, uint32_t point)
{
	char bytes[4];
	size_t size;

	if (point < 0x80) {
		bytes[0] = (char)point;
		size = 1;
	} else if (point < 0x800) {
		bytes[0] = (char)(0xc0 | point >> 6);
		bytes[1] = (char)(0x80 | (point & 0x3f));
		size = 2;
	} else if (point < 0x10000) {
		bytes[0] = (char)(0xe0 | point >> 12);
		bytes[1] = (char)(0x80 | (point >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (point & 0x3f));
		size = 3;
	} else {
		bytes[0] = (char)(0xf0 | point >> 18);
		bytes[1] = (char)(0x80 | (point >> 12 & 0x3f));
		bytes[2] = (char)(0x80 | (point >> 6 & 0x3f));
		bytes[3] = (char)(0x80 | (point & 0x3f));
		size = 4;
	}
	p3_text_add_bytes(text, bytes, size);
}

static bool reorders_line(uint32_t point)
{
	return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
	       point == 0x200e || point == 0x200f || point == 0x2028 || point == 0x2029;
}

void p3_text_add_point(struct p3_text *text, uint32_t point, char quote)
{
	if (point == '\n')
		p3_text_add(text, "\\n");
	else if (point == '\t')
		p3_text_add(text, "\\t");
	else if (point == '\r')
		p3_text_add(text, "\\r");
	else if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		p3_text_printf(text, "\\x%02x", point);
	else if (quote && (point == (uint32_t)quote || point == '\\'))
		p3_text_printf(text, "\\%c", (char)point);
	else if (reorders_line(point) || (point >= 0xd800 && point < 0xe000))
		p3_text_printf(text, "\\u%04x", point);
	else if (point > 0x10ffff)
		add_utf8(text, 0xfffd);
	else
		add_utf8(text, point);
}

/* Decode one code point; returns the bytes it took, with *point 0xfffd for one bad byte. */
static size_t decode_utf8(const unsigned char *bytes, size_t size, uint32_t *point)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length, i;
	uint32_t value;

	if (bytes[0] < 0x80) {
		*point = bytes[0];
		return 1;
	}
	length = bytes[0] >= 0xf0 && bytes[0] < 0xf5   ? 4
		 : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
		 : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
						       : 0;
	*point = 0xfffd;
	if (!length || length > size)
		return 1;
	value = bytes[0] & (0x7f >> length);
	for (i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < lowest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 1;
	*point = value;
	return length;
}

void p3_text_add_safe(struct p3_text *text, const char *bytes, size_t size, char quote)
{
	const unsigned char *at = (const unsigned char *)bytes;

	while (size) {
		uint32_t point;
		size_t taken = decode_utf8(at, size, &point);

		p3_text_add_point(text, point, quote);
		at += taken;
		size -= taken;
	}
}

size_t p3_text_columns(const char *string)
{
	size_t size = strlen(string), columns = 0;

	while (size) {
		uint32_t point;
		size_t taken = decode_utf8((const unsigned char *)string, size, &point);
		int width = point < 0x80 ? 1 : wcwidth((wchar_t)point);

		/* -1: the locale does not know it; one column is the better guess. */
		columns += width < 0 ? 1 : (size_t)width;
		string += taken;
		size -= taken;
	}
	return columns;
}

void p3_text_add_real(struct p3_text *text, double value, bool narrow)
{
	char number[64];
	int digits;

	/* From what a decimal fraction has: with fewer, %g would write 10 as 1e+01. */
	for (digits = narrow ? 6 : 15; digits < 18; digits++) {
		snprintf(number, sizeof(number), "%.*g", digits, value);
		if (narrow ? strtof(number, NULL) == (float)value : strtod(number, NULL) == value)
			break;
	}
	p3_text_add(text, number);
	if (isfinite(value) && !strpbrk(number, ".e"))
		p3_text_add(text, ".0");
}

const char *p3_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
