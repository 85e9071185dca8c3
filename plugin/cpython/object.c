/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Python objects as text, by memory reads. Every length is clamped before it
 * is read; what cannot be read is shown as "<unreadable>" in its place.
 * Source: python/cpython Include/cpython/{unicodeobject,longintrepr,object}.h,
 * Include/internal/pycore_dict.h, Objects/ of 3.8 to 3.15; facts/cpython.md 5.
 */
#include "layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* tp_flags: Include/object.h */
	TYPE_HEAP = 1 << 9,
	TYPE_MANAGED_DICT = 1 << 4,
	TYPE_INLINE_VALUES = 1 << 2,
	MAX_STRING = 1 << 16, /* characters of a str that are looked at */
	MAX_DICT = 1 << 16,   /* slots of a dict or set that are searched */
	MAX_SLOTS = 1 << 17,  /* the same, for all containers of one object shown */
	MAX_TYPE_NAME = 256,
	MAX_DIGITS = 64, /* of an int: longer ones are shown by their size */
	MAX_REMOTE_DEPTH = 16,
};

#define TYPE_INT       (1u << 24)
#define TYPE_LIST      (1u << 25)
#define TYPE_TUPLE     (1u << 26)
#define TYPE_BYTES     (1u << 27)
#define TYPE_STR       (1u << 28)
#define TYPE_DICT      (1u << 29)
#define TYPE_EXCEPTION (1u << 30)
#define TYPE_TYPE      (1u << 31)

struct type {
	uint64_t address;
	uint64_t flags;
	const char *name; /* tp_name, escaped */
};

static struct p3_error *read_type_at(struct p3_py *py, uint64_t address, struct type *ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	void **known = p3_map_find(py->types, address);
	struct type *type;
	const char *raw;
	uint64_t name;

	if (known) {
		*ret = *(struct type *)*known;
		return NULL;
	}
	ret->address = address;
	P3_TRY(p3_read_u64(py->target, address + py->layout->type.flags, &ret->flags));
	P3_TRY(p3_read_u64(py->target, address + py->layout->type.name, &name));
	P3_TRY(p3_read_string(py->target, name, MAX_TYPE_NAME, py->arena, &raw));
	p3_text_add_safe(&text, raw, strlen(raw), 0);
	ret->name = p3_arena_string(py->arena, p3_text_string(&text));
	type = p3_arena_take(py->arena, sizeof(*type));
	*type = *ret;
	*p3_map_slot(py->types, address) = type;
	return NULL;
}

static struct p3_error *read_type(struct p3_py *py, uint64_t object, struct type *ret)
{
	uint64_t type;

	P3_TRY(p3_read_u64(py->target, object + py->layout->object.type, &type));
	return read_type_at(py, type, ret);
}

const char *p3_py_static_type(struct p3_py *py, uint64_t object)
{
	struct type type;
	struct p3_error *error = read_type(py, object, &type);

	if (error) {
		p3_error_free(error);
		return "";
	}
	return type.flags & TYPE_HEAP ? "" : type.name;
}

static bool has_flag(struct p3_py *py, uint64_t object, uint64_t flag)
{
	struct type type;
	struct p3_error *error = read_type(py, object, &type);
	bool yes = !error && (type.flags & flag);

	p3_error_free(error);
	return yes;
}

bool p3_py_is_exception(struct p3_py *py, uint64_t object)
{
	return has_flag(py, object, TYPE_EXCEPTION);
}

bool p3_py_is_type(struct p3_py *py, uint64_t object)
{
	return has_flag(py, object, TYPE_TYPE);
}

uint64_t p3_py_peek(struct p3_py *py, uint64_t address, size_t size)
{
	uint64_t value = 0;
	struct p3_error *error = p3_read(py->target, address, &value, size);

	if (error)
		value = 0;
	p3_error_free(error);
	return value;
}

/* ---- str ---- */

struct string {
	uint64_t data;
	uint64_t length; /* in characters */
	uint8_t width;	 /* bytes a character: 1, 2, 4 */
};

static struct p3_error *read_string_head(struct p3_py *py, uint64_t object, struct string *ret)
{
	const struct p3_layout *layout = py->layout;
	uint32_t state, kind;

	P3_TRY(p3_read_u64(py->target, object + layout->unicode.length, &ret->length));
	P3_TRY(p3_read_u32(py->target, object + layout->unicode.state, &state));
	state >>= layout->unicode.kind_shift; /* kind:3, compact:1, ascii:1 */
	kind = state & 7;
	if (kind != 1 && kind != 2 && kind != 4)
		return p3_error_new(P3_BAD_DATA, "str at 0x%" PRIx64 " of kind %u", object, kind);
	ret->width = (uint8_t)kind;
	ret->data =
		object + (state & 16 ? layout->unicode.ascii_data : layout->unicode.compact_data);
	if (!(state & 8)) /* a subclass of str keeps its characters elsewhere */
		P3_TRY(p3_read_u64(py->target, object + layout->unicode.data, &ret->data));
	return NULL;
}

static struct p3_error *add_string(struct p3_py *py, uint64_t object, uint64_t limit, char quote,
				   struct p3_text *text)
{
	uint8_t buffer[4096];
	struct string string;
	uint64_t count, done;

	P3_TRY(read_string_head(py, object, &string));
	count = string.length < limit ? string.length : limit;
	for (done = 0; done < count;) {
		uint64_t part = sizeof(buffer) / string.width, i;

		if (part > count - done)
			part = count - done;
		P3_TRY(p3_read(py->target, string.data + done * string.width, buffer,
			       part * string.width));
		for (i = 0; i < part; i++) {
			uint32_t point = 0;

			memcpy(&point, buffer + i * string.width, string.width);
			p3_text_add_point(text, point, quote);
		}
		done += part;
	}
	if (count < string.length && !quote)
		p3_text_add(text, "...");
	return NULL;
}

const char *p3_py_string(struct p3_py *py, uint64_t object)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_error *error;

	if (strcmp(p3_py_static_type(py, object), "str") != 0)
		return "?";
	error = add_string(py, object, 4096, 0, &text);
	if (error) {
		p3_error_free(error);
		return "?";
	}
	return p3_arena_string(py->arena, p3_text_string(&text));
}

static bool string_equals(struct p3_py *py, uint64_t object, const char *value)
{
	size_t size = strlen(value);
	struct string string;
	char buffer[128];
	struct p3_error *error = read_string_head(py, object, &string);
	bool equal = false;

	if (!error && string.length == size && string.width == 1 && size <= sizeof(buffer)) {
		error = p3_read(py->target, string.data, buffer, size);
		equal = !error && !memcmp(buffer, value, size);
	}
	p3_error_free(error);
	return equal;
}

/* ---- dict ---- */

struct keys {
	uint64_t entries, count;
	uint32_t entry_size, key_offset;
};

static struct p3_error *read_keys(struct p3_py *py, uint64_t address, struct keys *ret)
{
	const struct p3_layout *layout = py->layout;
	uint8_t log2_index = 0, kind = 0;
	uint64_t slots;

	P3_TRY(p3_read_u64(py->target, address + layout->keys.entries_used, &ret->count));
	if (ret->count > MAX_DICT)
		ret->count = MAX_DICT;
	if (layout->keys.size) { /* to 3.10: an index as wide as its numbers need */
		P3_TRY(p3_read_u64(py->target, address + layout->keys.size, &slots));
		if (slots > (uint64_t)1 << 40)
			return p3_error_new(P3_BAD_DATA, "dict keys at 0x%" PRIx64 " are damaged",
					    address);
		ret->entries = address + layout->keys.indices +
			       slots * (slots <= 0xff	      ? 1
					: slots <= 0xffff     ? 2
					: slots <= 0xffffffff ? 4
							      : 8);
		ret->key_offset = 8;
		ret->entry_size = 24;
		return NULL;
	}
	P3_TRY(p3_read_u8(py->target, address + layout->keys.log2_index, &log2_index));
	P3_TRY(p3_read_u8(py->target, address + layout->keys.kind, &kind));
	if (log2_index > 40 || kind > 2)
		return p3_error_new(P3_BAD_DATA, "dict keys at 0x%" PRIx64 " are damaged", address);
	ret->entries = address + layout->keys.indices + ((uint64_t)1 << log2_index);
	ret->key_offset = kind == 0 ? 8 : 0; /* general entries begin with the hash */
	ret->entry_size = kind == 0 ? 24 : 16;
	return NULL;
}

/* A dict being walked in insertion order. */
struct walk {
	struct p3_py *py;
	struct keys keys;
	size_t *slots;	 /* counts the slots looked at; NULL: not counted */
	uint64_t values; /* of a split table; 0: the values are in the entries */
	uint64_t next;
};

static struct p3_error *start_walk(struct p3_py *py, uint64_t keys, uint64_t values,
				   struct walk *ret)
{
	ret->py = py;
	ret->values = values;
	ret->next = 0;
	ret->slots = NULL;
	return read_keys(py, keys, &ret->keys);
}

static struct p3_error *start_dict(struct p3_py *py, uint64_t dict, struct walk *ret)
{
	uint64_t keys, values;

	P3_TRY(p3_read_u64(py->target, dict + py->layout->dict.keys, &keys));
	P3_TRY(p3_read_u64(py->target, dict + py->layout->dict.values, &values));
	return start_walk(py, keys, values ? values + py->layout->values.items : 0, ret);
}

/* The next entry that is in use; *key 0 at the end. */
static struct p3_error *next_entry(struct walk *walk, uint64_t *key, uint64_t *value)
{
	while (walk->next < walk->keys.count) {
		if (walk->slots && ++*walk->slots > MAX_SLOTS)
			break;
		uint64_t entry = walk->keys.entries + walk->next * walk->keys.entry_size;
		uint64_t words[2];

		P3_TRY(p3_read(walk->py->target, entry + walk->keys.key_offset, words,
			       sizeof(words)));
		if (walk->values)
			P3_TRY(p3_read_u64(walk->py->target, walk->values + 8 * walk->next,
					   &words[1]));
		walk->next++;
		if (words[0] && words[1]) {
			*key = words[0];
			*value = words[1];
			return NULL;
		}
	}
	*key = 0;
	return NULL;
}

static uint64_t find_key(struct walk *walk, const char *wanted)
{
	struct p3_error *error;
	uint64_t key, value;

	while (!(error = next_entry(walk, &key, &value)) && key)
		if (string_equals(walk->py, key, wanted))
			return value;
	p3_error_free(error);
	return 0;
}

uint64_t p3_py_dict_get(struct p3_py *py, uint64_t dict, const char *key)
{
	struct walk walk;
	struct p3_error *error;

	if (strcmp(p3_py_static_type(py, dict), "dict") != 0)
		return 0;
	error = start_dict(py, dict, &walk);
	if (error) {
		p3_error_free(error);
		return 0;
	}
	return find_key(&walk, key);
}

void p3_py_dict_items(struct p3_py *py, uint64_t dict, struct p3_py_items *ret)
{
	struct p3_error *error;
	struct walk walk;
	struct p3_py_item item;

	if (!dict || strcmp(p3_py_static_type(py, dict), "dict") != 0)
		return;
	error = start_dict(py, dict, &walk);
	while (!error && !(error = next_entry(&walk, &item.key, &item.value)) && item.key)
		*p3_list_add(py->arena, ret) = item;
	p3_error_free(error);
}

/* ---- attributes ---- */

/* Where the pointer to an instance's dict is, by tp_dictoffset; 0: it has none. */
static struct p3_error *find_dict_slot(struct p3_py *py, uint64_t object, const struct type *type,
				       uint64_t *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t offset, basic, item, count;

	P3_TRY(p3_read_u64(py->target, type->address + layout->type.dictoffset, &offset));
	*ret = offset && offset <= 1 << 20 ? object + offset : 0;
	if ((int64_t)offset >= 0 || (int64_t)offset < -(1 << 20))
		return NULL;
	/* From the end of an object of variable size: _PyObject_GetDictPtr(). */
	P3_TRY(p3_read_u64(py->target, type->address + layout->type.basicsize, &basic));
	P3_TRY(p3_read_u64(py->target, type->address + layout->type.itemsize, &item));
	P3_TRY(p3_read_u64(py->target, object + layout->object.var_size, &count));
	count = (int64_t)count < 0 ? -count : count;
	if (basic > 1 << 20 || item > 1 << 10 || count > 1 << 20)
		return NULL;
	*ret = object + (basic + count * item + 7) / 8 * 8 + offset;
	return NULL;
}

/* Start a walk over the attributes of an instance; P3_NOT_FOUND: it has none. */
static struct p3_error *start_attributes(struct p3_py *py, uint64_t object, struct walk *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t dict = 0, values = 0, keys, word, slot;
	struct type type;

	P3_TRY(read_type(py, object, &type));
	if (layout->managed == P3_MANAGED_NONE || !(type.flags & TYPE_MANAGED_DICT)) {
		P3_TRY(find_dict_slot(py, object, &type, &slot));
		if (!slot)
			return p3_error_new(P3_NOT_FOUND, "no attributes");
		P3_TRY(p3_read_u64(py->target, slot, &dict));
	} else if (layout->managed == P3_MANAGED_3_11) {
		P3_TRY(p3_read_u64(py->target, object - 24, &dict));
		P3_TRY(p3_read_u64(py->target, object - 32, &values));
	} else if (layout->managed == P3_MANAGED_3_12) {
		P3_TRY(p3_read_u64(py->target, object - 24, &word));
		if (word & 1)
			values = word + 1;
		else
			dict = word;
	} else {
		P3_TRY(p3_read_u64(py->target, object - layout->attributes.dict, &dict));
		if (!dict && (type.flags & TYPE_INLINE_VALUES)) {
			uint64_t size;
			uint8_t valid;

			P3_TRY(p3_read_u64(py->target, type.address + layout->type.basicsize,
					   &size));
			P3_TRY(p3_read_u8(py->target, object + size + layout->values.valid,
					  &valid));
			values = valid ? object + size : 0;
		}
	}
	if (dict)
		return start_dict(py, dict, ret);
	if (!values)
		return p3_error_new(P3_NOT_FOUND, "no attributes");
	P3_TRY(p3_read_u64(py->target, type.address + layout->type.cached_keys, &keys));
	return start_walk(py, keys, values + layout->values.items, ret);
}

uint64_t p3_py_attribute(struct p3_py *py, uint64_t object, const char *name)
{
	struct walk walk;
	struct p3_error *error = start_attributes(py, object, &walk);

	if (error) {
		p3_error_free(error);
		return 0;
	}
	return find_key(&walk, name);
}

/* ---- int ---- */

struct integer {
	bool negative;
	uint64_t count;
	uint32_t digits[MAX_DIGITS]; /* of 30 bits, lowest first */
};

static struct p3_error *read_integer(struct p3_py *py, uint64_t object, struct integer *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t word;

	P3_TRY(p3_read_u64(
		py->target,
		object + (layout->integer.tag ? layout->integer.tag : layout->object.var_size),
		&word));
	if (layout->integer.tag) {
		ret->count = word >> 3;
		ret->negative = (word & 3) == 2;
		if ((word & 3) == 1)
			ret->count = 0;
	} else {
		ret->negative = (int64_t)word < 0;
		ret->count = ret->negative ? -word : word;
	}
	if (ret->count > MAX_DIGITS)
		return p3_error_new(P3_BAD_DATA, "an int of %" PRIu64 " bits", ret->count * 30);
	return p3_read(py->target, object + layout->integer.digits, ret->digits, ret->count * 4);
}

bool p3_py_small_int(struct p3_py *py, uint64_t object, uint64_t *ret)
{
	struct integer integer;
	struct p3_error *error;
	size_t i;

	if (strcmp(p3_py_static_type(py, object), "int") != 0)
		return false;
	error = read_integer(py, object, &integer);
	if (error || integer.count > 3 || integer.negative) {
		p3_error_free(error);
		return false;
	}
	for (*ret = 0, i = integer.count; i--;)
		*ret = *ret << 30 | integer.digits[i];
	return true;
}

static void add_integer(struct integer *integer, struct p3_text *text)
{
	char digits[MAX_DIGITS * 10 + 1];
	size_t at = sizeof(digits) - 1;

	digits[at] = 0;
	while (integer->count && !integer->digits[integer->count - 1])
		integer->count--;
	do { /* long division by ten */
		uint64_t rest = 0;
		size_t i;

		for (i = integer->count; i--;) {
			rest = rest << 30 | (integer->digits[i] & 0x3fffffff);
			integer->digits[i] = (uint32_t)(rest / 10);
			rest %= 10;
		}
		digits[--at] = (char)('0' + rest);
		while (integer->count && !integer->digits[integer->count - 1])
			integer->count--;
	} while (integer->count && at);
	p3_text_printf(text, "%s%s", integer->negative ? "-" : "", digits + at);
}

/* ---- repr ---- */

struct format {
	struct p3_py *py;
	struct p3_text *text;
	size_t start; /* where this object's text begins */
	unsigned int depth;
	uint64_t parents[MAX_REMOTE_DEPTH + 1];
	size_t slots;	 /* of containers, looked at so far */
	bool attributes; /* of an instance, at the outermost level */
	bool remote;	 /* as CPython's own python-gdb.py writes it: see p3_py_format_remote() */
	bool aggregate;
};

static struct p3_error *add_object(struct format *format, uint64_t object);

static bool is_full(const struct format *format)
{
	return format->text->size - format->start > P3_PY_MAX_OUTPUT;
}

/* Items of a container, characters of a string: python-gdb.py only cuts the whole. */
static uint64_t max_items(const struct format *format)
{
	return format->remote ? P3_PY_MAX_OUTPUT : P3_PY_MAX_ITEMS;
}

static uint64_t max_text(const struct format *format)
{
	return format->remote ? P3_PY_MAX_OUTPUT : P3_PY_MAX_TEXT;
}

/* What stands in the place of an object that cannot be shown; reading goes on behind it. */
static void add_item(struct format *format, uint64_t object)
{
	struct p3_error *error =
		object ? add_object(format, object) : p3_error_new(P3_FAULT, "NULL");

	if (error)
		p3_text_add(format->text, object ? "<unreadable>" : "<NULL>");
	p3_error_free(error);
}

static struct p3_error *add_sequence(struct format *format, uint64_t items, uint64_t count,
				     const char *open, const char *close)
{
	uint64_t i, item;

	format->aggregate |= count > 0;
	p3_text_add(format->text, open);
	for (i = 0; i < count; i++) {
		if (i)
			p3_text_add(format->text, ", ");
		if (i == max_items(format) || is_full(format)) {
			p3_text_add(format->text, "...");
			break;
		}
		P3_TRY(p3_read_u64(format->py->target, items + 8 * i, &item));
		add_item(format, item);
	}
	if (count == 1 && *close == ')')
		p3_text_add(format->text, ",");
	p3_text_add(format->text, close);
	return NULL;
}

static struct p3_error *add_none(struct format *format, uint64_t object, const struct type *type)
{
	(void)object;
	p3_text_add(format->text, !strcmp(type->name, "NoneType")   ? "None"
				  : !strcmp(type->name, "ellipsis") ? "Ellipsis"
								    : "NotImplemented");
	return NULL;
}

static struct p3_error *add_bool(struct format *format, uint64_t object, const struct type *type)
{
	struct integer integer;

	(void)type;
	P3_TRY(read_integer(format->py, object, &integer));
	p3_text_add(format->text, integer.count ? "True" : "False");
	return NULL;
}

static struct p3_error *add_float(struct format *format, uint64_t object, const struct type *type)
{
	uint32_t offset = format->py->layout->real.value;
	bool complex = !strcmp(type->name, "complex");
	double value[2];

	P3_TRY(p3_read(format->py->target, object + offset, value, complex ? 16 : 8));
	if (complex)
		p3_text_printf(format->text, "(%.15g%+.15gj)", value[0], value[1]);
	else
		p3_text_add_real(format->text, value[0], false);
	return NULL;
}

static struct p3_error *add_int(struct format *format, uint64_t object, const struct type *type)
{
	struct integer integer;
	struct p3_error *error = read_integer(format->py, object, &integer);

	(void)type;
	if (!error) {
		add_integer(&integer, format->text);
	} else if (error->code == P3_BAD_DATA) {
		p3_text_printf(format->text, "<%s>", error->message);
		p3_error_free(error);
		error = NULL;
	}
	return error;
}

/* As repr: double quotes around text that has single ones only. */
static char best_quote(struct format *format, uint64_t object)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_error *error = add_string(format->py, object, max_text(format), 0, &text);

	p3_error_free(error);
	return strchr(p3_text_string(&text), '\'') && !strchr(p3_text_string(&text), '"') ? '"'
											  : '\'';
}

static struct p3_error *add_str(struct format *format, uint64_t object, const struct type *type)
{
	struct string string;
	char quote;

	(void)type;
	P3_TRY(read_string_head(format->py, object, &string));
	quote = best_quote(format, object);
	p3_text_printf(format->text, "%c", quote);
	P3_TRY(add_string(format->py, object, max_text(format), quote, format->text));
	p3_text_printf(format->text, "%c%s", quote, string.length > max_text(format) ? "..." : "");
	return NULL;
}

static struct p3_error *add_bytes(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint8_t data[P3_PY_MAX_OUTPUT];
	uint64_t size, i, shown = max_text(format);
	char quote = '\'';

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->object.var_size, &size));
	if (shown > size)
		shown = size;
	P3_TRY(p3_read(format->py->target, object + layout->bytes.data, data, shown));
	if (memchr(data, '\'', shown) && !memchr(data, '"', shown))
		quote = '"';
	p3_text_printf(format->text, "b%c", quote);
	for (i = 0; i < shown; i++) {
		if (data[i] >= 0x80)
			p3_text_printf(format->text, "\\x%02x", data[i]);
		else
			p3_text_add_point(format->text, data[i], quote);
	}
	p3_text_printf(format->text, "%c%s", quote, size > shown ? "..." : "");
	return NULL;
}

static struct p3_error *add_tuple(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t size;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->object.var_size, &size));
	return add_sequence(format, object + layout->tuple.items, size, "(", ")");
}

static struct p3_error *add_list(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t size, items;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->object.var_size, &size));
	P3_TRY(p3_read_u64(format->py->target, object + layout->list.items, &items));
	return add_sequence(format, items, size, "[", "]");
}

static struct p3_error *add_dict(struct format *format, uint64_t object, const struct type *type)
{
	uint64_t key, value, count = 0;
	struct walk walk;

	(void)type;
	P3_TRY(start_dict(format->py, object, &walk));
	walk.slots = &format->slots;
	p3_text_add(format->text, "{");
	for (;;) {
		P3_TRY(next_entry(&walk, &key, &value));
		if (!key)
			break;
		format->aggregate = true;
		if (count)
			p3_text_add(format->text, ", ");
		if (count++ == max_items(format) || is_full(format)) {
			p3_text_add(format->text, "...");
			break;
		}
		add_item(format, key);
		p3_text_add(format->text, ": ");
		add_item(format, value);
	}
	p3_text_add(format->text, "}");
	return NULL;
}

static struct p3_error *add_set(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	bool frozen = !strcmp(type->name, "frozenset");
	uint64_t used, mask, table, i, count = 0;

	P3_TRY(p3_read_u64(format->py->target, object + layout->set.used, &used));
	P3_TRY(p3_read_u64(format->py->target, object + layout->set.mask, &mask));
	P3_TRY(p3_read_u64(format->py->target, object + layout->set.table, &table));
	if (!used) {
		p3_text_add(format->text, frozen ? "frozenset()" : "set()");
		return NULL;
	}
	format->aggregate = true;
	p3_text_add(format->text, frozen ? "frozenset({" : "{");
	for (i = 0; i <= mask && ++format->slots < MAX_SLOTS && count < used; i++) {
		uint64_t entry[2]; /* key, hash */

		P3_TRY(p3_read(format->py->target, table + 16 * i, entry, sizeof(entry)));
		if (!entry[0] || entry[1] == UINT64_MAX) /* free, or a deleted one */
			continue;
		if (count)
			p3_text_add(format->text, ", ");
		if (count++ == max_items(format) || is_full(format)) {
			p3_text_add(format->text, "...");
			break;
		}
		add_item(format, entry[0]);
	}
	p3_text_add(format->text, frozen ? "})" : "}");
	return NULL;
}

static struct p3_error *add_named(struct format *format, const char *what, uint64_t name)
{
	p3_text_printf(format->text, "<%s %s>", what, p3_py_string(format->py, name));
	return NULL;
}

static struct p3_error *add_function(struct format *format, uint64_t object,
				     const struct type *type)
{
	uint64_t name;

	P3_TRY(p3_read_u64(format->py->target, object + format->py->layout->function.qualname,
			   &name));
	return add_named(format, type->name, name);
}

static struct p3_error *add_builtin(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t definition, name;
	const char *raw;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->builtin.method, &definition));
	P3_TRY(p3_read_u64(format->py->target, definition, &name)); /* PyMethodDef.ml_name */
	P3_TRY(p3_read_string(format->py->target, name, MAX_TYPE_NAME, format->py->arena, &raw));
	p3_text_add_safe(&safe, raw, strlen(raw), 0);
	p3_text_printf(format->text, "<built-in function %s>", p3_text_string(&safe));
	return NULL;
}

static struct p3_error *add_method(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t function, self;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->method.function, &function));
	P3_TRY(p3_read_u64(format->py->target, object + layout->method.self, &self));
	p3_text_add(format->text, "<bound method ");
	add_item(format, function);
	p3_text_add(format->text, " of ");
	add_item(format, self);
	p3_text_add(format->text, ">");
	return NULL;
}

static struct p3_error *add_module(struct format *format, uint64_t object, const struct type *type)
{
	uint64_t dict;

	P3_TRY(p3_read_u64(format->py->target, object + format->py->layout->module.dict, &dict));
	return add_named(format, type->name, p3_py_dict_get(format->py, dict, "__name__"));
}

static struct p3_error *add_cell(struct format *format, uint64_t object, const struct type *type)
{
	uint64_t value;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + format->py->layout->cell.value, &value));
	p3_text_add(format->text, "<cell: ");
	add_item(format, value);
	p3_text_add(format->text, ">");
	return NULL;
}

/* "<function at remote 0x...>": all that python-gdb.py says of most types. */
static struct p3_error *add_remote(struct format *format, uint64_t object, const struct type *type)
{
	p3_text_printf(format->text, "<%s at remote 0x%" PRIx64 ">", type->name, object);
	return NULL;
}

/* "<built-in method len of module object at remote 0x...>" */
static struct p3_error *add_remote_builtin(struct format *format, uint64_t object,
					   const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t definition, name, self;
	struct type owner;
	const char *raw;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->builtin.method, &definition));
	P3_TRY(p3_read_u64(format->py->target, definition, &name));
	P3_TRY(p3_read_u64(format->py->target, object + layout->builtin.self, &self));
	P3_TRY(p3_read_string(format->py->target, name, MAX_TYPE_NAME, format->py->arena, &raw));
	p3_text_add(format->text, self ? "<built-in method " : "<built-in function ");
	p3_text_add_safe(format->text, raw, strlen(raw), 0);
	if (self) {
		P3_TRY(read_type(format->py, self, &owner));
		p3_text_printf(format->text, " of %s object at remote 0x%" PRIx64, owner.name,
			       self);
	}
	p3_text_add(format->text, ">");
	return NULL;
}

/* "<method-wrapper '__init__' of MyList object at 0x...>": a PyWrapperDescrObject, and self. */
static struct p3_error *add_wrapper(struct format *format, uint64_t object, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t descriptor, self, name;
	struct type owner;

	(void)type;
	P3_TRY(p3_read_u64(format->py->target, object + layout->method.function, &descriptor));
	P3_TRY(p3_read_u64(format->py->target, object + layout->method.self, &self));
	/* PyDescrObject: d_type, d_name */
	P3_TRY(p3_read_u64(format->py->target, descriptor + layout->descriptor.type + 8, &name));
	P3_TRY(read_type(format->py, self, &owner));
	p3_text_add(format->text, "<method-wrapper ");
	add_item(format, name);
	p3_text_printf(format->text, " of %s object at 0x%" PRIx64 ">", owner.name, self);
	return NULL;
}

/* "Frame 0x..., for file x.py, line 4, in foo (a=3)" of a PyFrameObject. */
static struct p3_error *add_frame_object(struct format *format, uint64_t object,
					 const struct type *type)
{
	struct p3_variable_list locals;
	struct p3_py_frame frame;
	size_t i, shown = 0;

	(void)type;
	P3_TRY(p3_py_frame_object(format->py, object, &frame));
	p3_text_printf(format->text, "Frame 0x%" PRIx64 ", for file %s, line %" PRIu32 ", in %s (",
		       object, frame.file, frame.line, frame.name);
	P3_TRY(p3_py_locals(format->py, &frame, P3_ARGUMENTS | P3_LOCALS, &locals));
	for (i = 0; i < locals.count && !is_full(format); i++) {
		if (!locals.items[i].object)
			continue;
		p3_text_printf(format->text, "%s%s=", shown++ ? ", " : "",
			       locals.items[i].name + strspn(locals.items[i].name, "*"));
		add_item(format, locals.items[i].object);
	}
	p3_text_add(format->text, ")");
	return NULL;
}

/* "module.Class" of a type, as its repr has it. */
static struct p3_error *add_type_name(struct format *format, const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t name, dict, module = 0;

	if (!(type->flags & TYPE_HEAP)) {
		p3_text_add(format->text, type->name);
		return NULL;
	}
	P3_TRY(p3_read_u64(format->py->target, type->address + layout->type.qualname, &name));
	/* tp_dict of a heap type is at a fixed place behind tp_base: Include/cpython/object.h */
	P3_TRY(p3_read_u64(format->py->target, type->address + layout->type.base + 8, &dict));
	if (dict)
		module = p3_py_dict_get(format->py, dict, "__module__");
	if (module && !string_equals(format->py, module, "builtins") &&
	    !string_equals(format->py, module, "__main__"))
		p3_text_printf(format->text, "%s.", p3_py_string(format->py, module));
	p3_text_add(format->text, p3_py_string(format->py, name));
	return NULL;
}

static struct p3_error *add_type(struct format *format, uint64_t object, const struct type *type)
{
	struct type shown;

	(void)type;
	P3_TRY(read_type_at(format->py, object, &shown));
	p3_text_add(format->text, "<class '");
	P3_TRY(add_type_name(format, &shown));
	p3_text_add(format->text, "'>");
	return NULL;
}

static struct p3_error *add_exception(struct format *format, uint64_t object,
				      const struct type *type)
{
	const struct p3_layout *layout = format->py->layout;
	uint64_t args, size;

	P3_TRY(add_type_name(format, type));
	P3_TRY(p3_read_u64(format->py->target, object + layout->exception.args, &args));
	P3_TRY(p3_read_u64(format->py->target, args + layout->object.var_size, &size));
	if (size == 1 && !format->remote) {
		uint64_t only;

		P3_TRY(p3_read_u64(format->py->target, args + layout->tuple.items, &only));
		p3_text_add(format->text, "(");
		add_item(format, only);
		p3_text_add(format->text, ")");
		return NULL;
	}
	return add_sequence(format, args + layout->tuple.items, size, "(", ")");
}

/* "<Foo(an_int=42) at remote 0x...>", or without brackets where there is no dict. */
static struct p3_error *add_remote_instance(struct format *format, uint64_t object,
					    const struct type *type)
{
	uint64_t key, value, count = 0;
	struct walk walk;
	struct p3_error *error = start_attributes(format->py, object, &walk);
	const char *name = strrchr(type->name, '.');

	if (error && !(type->flags & TYPE_HEAP)) {
		p3_error_free(error);
		return add_remote(format, object, type);
	}
	p3_text_printf(format->text, "<%s(",
		       name && (type->flags & TYPE_HEAP) ? name + 1 : type->name);
	if (!error)
		walk.slots = &format->slots;
	while (!error && !(error = next_entry(&walk, &key, &value)) && key && !is_full(format)) {
		p3_text_printf(format->text, "%s%s=", count++ ? ", " : "",
			       p3_py_string(format->py, key));
		add_item(format, value);
	}
	p3_error_free(error);
	p3_text_printf(format->text, ") at remote 0x%" PRIx64 ">", object);
	return NULL;
}

static struct p3_error *add_instance(struct format *format, uint64_t object,
				     const struct type *type)
{
	uint64_t key, value, count = 0;
	struct p3_error *error;
	struct walk walk;

	if (format->remote)
		return add_remote_instance(format, object, type);
	p3_text_add(format->text, "<");
	P3_TRY(add_type_name(format, type));
	p3_text_printf(format->text, " at 0x%" PRIx64, object);
	if (!format->attributes || format->depth > 1) {
		p3_text_add(format->text, ">");
		return NULL;
	}
	if (format->py->instance && type->flags & TYPE_HEAP)
		format->py->instance(format->py->instance_context, format->py, object,
				     format->text);
	error = start_attributes(format->py, object, &walk);
	if (!error)
		walk.slots = &format->slots;
	while (!error && !(error = next_entry(&walk, &key, &value)) && key) {
		p3_text_add(format->text, count ? ", " : ": ");
		if (count++ == max_items(format) || is_full(format)) {
			p3_text_add(format->text, "...");
			break;
		}
		p3_text_printf(format->text, "%s=", p3_py_string(format->py, key));
		add_item(format, value);
	}
	p3_error_free(error);
	p3_text_add(format->text, ">");
	return NULL;
}

typedef struct p3_error *add_function_type(struct format *, uint64_t, const struct type *);

/* What python-gdb.py puts where an object is within itself. */
static const char *cycle_text(const struct format *format, const struct type *type)
{
	return !format->remote		  ? "<cycle>"
	       : type->flags & TYPE_HEAP  ? "<...>"
	       : type->flags & TYPE_LIST  ? "[...]"
	       : type->flags & TYPE_DICT  ? "{...}"
	       : type->flags & TYPE_TUPLE ? "(...)"
					  : "<...>";
}

/* By exact static type first, then by the flag that subclasses inherit. */
static const struct {
	const char *name;
	uint64_t flag;
	add_function_type *add;
} printers[] = {
	{ "NoneType", 0, add_none },
	{ "ellipsis", 0, add_none },
	{ "NotImplementedType", 0, add_none },
	{ "bool", 0, add_bool },
	{ "float", 0, add_float },
	{ "complex", 0, add_float },
	{ "set", 0, add_set },
	{ "frozenset", 0, add_set },
	{ "function", 0, add_function },
	{ "builtin_function_or_method", 0, add_builtin },
	{ "method", 0, add_method },
	{ "module", 0, add_module },
	{ "cell", 0, add_cell },
	{ NULL, TYPE_INT, add_int },
	{ NULL, TYPE_STR, add_str },
	{ NULL, TYPE_BYTES, add_bytes },
	{ NULL, TYPE_TUPLE, add_tuple },
	{ NULL, TYPE_LIST, add_list },
	{ NULL, TYPE_DICT, add_dict },
	{ NULL, TYPE_EXCEPTION, add_exception },
	{ NULL, TYPE_TYPE, add_type },
};

/* Where python-gdb.py writes a type otherwise, or knows less of it. */
static add_function_type *remote_printer(const struct type *type, add_function_type *add)
{
	if (add == add_builtin)
		return add_remote_builtin;
	if (!(type->flags & TYPE_HEAP) && !strcmp(type->name, "method-wrapper"))
		return add_wrapper;
	if (!(type->flags & TYPE_HEAP) && !strcmp(type->name, "frame"))
		return add_frame_object;
	if (add == add_function || add == add_method || add == add_module || add == add_cell ||
	    add == add_type)
		return add_remote;
	/* Subclasses of containers are instances, to it. */
	if ((type->flags & TYPE_HEAP) && (add == add_list || add == add_tuple || add == add_dict))
		return add_instance;
	return add;
}

static struct p3_error *add_object(struct format *format, uint64_t object)
{
	add_function_type *add = add_instance;
	struct p3_error *error;
	struct type type;
	unsigned int i;

	if (is_full(format)) {
		p3_text_add(format->text, "...");
		return NULL;
	}
	P3_TRY(read_type(format->py, object, &type));
	for (i = 0; i < format->depth; i++) {
		if (format->parents[i] == object) {
			p3_text_add(format->text, cycle_text(format, &type));
			return NULL;
		}
	}
	for (i = 0; i < sizeof(printers) / sizeof(*printers); i++) {
		if (printers[i].name
			    ? !(type.flags & TYPE_HEAP) && !strcmp(type.name, printers[i].name)
			    : (type.flags & printers[i].flag) != 0) {
			add = printers[i].add;
			break;
		}
	}
	if (format->remote)
		add = remote_printer(&type, add);
	if (format->depth >
	    (format->remote ? (unsigned int)MAX_REMOTE_DEPTH : (unsigned int)P3_PY_MAX_DEPTH)) {
		p3_text_add(format->text, "...");
		return NULL;
	}
	format->parents[format->depth++] = object;
	error = add(format, object, &type);
	format->depth--;
	return error;
}

void p3_py_format(struct p3_py *py, uint64_t object, bool attributes, struct p3_text *ret,
		  bool *aggregate_ret)
{
	struct format format = {
		.py = py, .text = ret, .start = ret->size, .attributes = attributes
	};
	struct p3_error *error = py->layout ? add_object(&format, object) : NULL;

	if (error || !py->layout)
		p3_text_printf(ret, "<unreadable object at 0x%" PRIx64 ">", object);
	p3_error_free(error);
	*aggregate_ret = format.aggregate;
}

void p3_py_format_remote(struct p3_py *py, uint64_t object, size_t limit, struct p3_text *ret)
{
	struct format format = {
		.py = py, .text = ret, .start = ret->size, .attributes = true, .remote = true
	};
	struct p3_error *error = py->layout ? add_object(&format, object) : NULL;
	size_t start = format.start;
	struct type type;

	if (error || !py->layout) {
		p3_text_cut(ret, start);
		p3_error_free(error);
		error = py->layout ? read_type(py, object, &type) : NULL;
		p3_text_printf(ret, "<%s at remote 0x%" PRIx64 ">",
			       error || !py->layout ? "unknown" : type.name, object);
	}
	p3_error_free(error);
	if (ret->size - start > limit) {
		p3_text_cut(ret, start + limit);
		p3_text_add(ret, "...(truncated)");
	}
}

struct p3_error *p3_py_type_name(struct p3_py *py, uint64_t address, struct p3_text *ret)
{
	struct format format = { .py = py, .text = ret };
	struct type type;

	P3_TRY(read_type_at(py, address, &type));
	return add_type_name(&format, &type);
}

uint64_t p3_py_type_of(struct p3_py *py, uint64_t object)
{
	return p3_py_peek(py, object + py->layout->object.type, 8);
}

bool p3_py_is_subclass(struct p3_py *py, uint64_t type, const char *name)
{
	int i;

	for (i = 0; type && i < P3_MAX_BASES; i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		const char *whole, *last;

		p3_error_free(p3_py_type_name(py, type, &text));
		whole = p3_text_string(&text);
		last = strrchr(whole, '.');
		if (!strcmp(whole, name) || (last && !strcmp(last + 1, name)))
			return true;
		type = p3_py_peek(py, type + py->layout->type.base, 8);
	}
	return false;
}
