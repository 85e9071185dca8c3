/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to elf/: bounded reading of little-endian bytes. Past the end there are zeros, and `bad`. */
#ifndef PYO3_GDB_BYTES_H
#define PYO3_GDB_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct p3_bytes {
	const uint8_t *at, *end;
	bool bad;
};

static inline bool p3_bytes_skip(struct p3_bytes *bytes, uint64_t size)
{
	if (size > (uint64_t)(bytes->end - bytes->at)) {
		bytes->at = bytes->end;
		bytes->bad = true;
		return false;
	}
	bytes->at += size;
	return true;
}

/* An unsigned number of 1 to 8 bytes. */
static inline uint64_t p3_bytes_number(struct p3_bytes *bytes, unsigned int size)
{
	const uint8_t *at = bytes->at;
	uint64_t value = 0;

	if (p3_bytes_skip(bytes, size))
		memcpy(&value, at, size);
	return value;
}

static inline uint64_t p3_bytes_uleb(struct p3_bytes *bytes)
{
	uint64_t value = 0;
	unsigned int shift;

	for (shift = 0; bytes->at < bytes->end; shift += 7) {
		uint8_t byte = *bytes->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	bytes->bad = true;
	return 0;
}

static inline int64_t p3_bytes_sleb(struct p3_bytes *bytes)
{
	uint64_t value = 0;
	unsigned int shift;

	for (shift = 0; bytes->at < bytes->end; shift += 7) {
		uint8_t byte = *bytes->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift + 7 < 64)
			value |= ~(uint64_t)0 << (shift + 7);
		return (int64_t)value;
	}
	bytes->bad = true;
	return 0;
}

/* A NUL-terminated string; NULL past the end. */
static inline const char *p3_bytes_string(struct p3_bytes *bytes)
{
	const uint8_t *start = bytes->at;
	const uint8_t *nul = memchr(start, 0, (size_t)(bytes->end - start));

	if (!nul) {
		bytes->at = bytes->end;
		bytes->bad = true;
		return NULL;
	}
	bytes->at = nul + 1;
	return (const char *)start;
}

#endif
