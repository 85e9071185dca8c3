/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rust symbols as paths: the legacy scheme (an Itanium-like list of names that
 * ends in a hash) and v0. Output is what gdb's demangler gives, without hashes.
 * Sources: rust-lang/rfcs 2603 (v0); rust-lang/rust compiler/rustc_symbol_mangling
 * legacy.rs. Names are untrusted: depth, back references and output are bounded.
 */
#include <pyo3-gdb/rust.h>

#include "rust_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_DEPTH = 100,
	MAX_OUTPUT = 16384, /* bytes; back references can make names explode */
	MAX_PUNYCODE = 256, /* characters of an identifier that is not ASCII */
};

/* ---- legacy ---- */

static const struct {
	const char *code, *text;
} legacy_escapes[] = {
	{ "$SP$", "@" },  { "$BP$", "*" },  { "$RF$", "&" },  { "$LT$", "<" },	{ "$GT$", ">" },
	{ "$LP$", "(" },  { "$RP$", ")" },  { "$C$", "," },   { "$u20$", " " }, { "$u22$", "\"" },
	{ "$u27$", "'" }, { "$u2b$", "+" }, { "$u3b$", ";" }, { "$u5b$", "[" }, { "$u5d$", "]" },
	{ "$u7b$", "{" }, { "$u7d$", "}" }, { "$u7e$", "~" }, { "$u3d$", "=" }, { "$u2a$", "*" },
	{ "$u21$", "!" }, { "$u23$", "#" },
};

/* The escape at `at`: its bytes, and its text in *text; 0: none. */
static size_t legacy_escape(const char *at, size_t size, const char **text)
{
	size_t i;

	for (i = 0; i < sizeof(legacy_escapes) / sizeof(*legacy_escapes); i++) {
		size_t code = strlen(legacy_escapes[i].code);

		if (size >= code && !memcmp(at, legacy_escapes[i].code, code)) {
			*text = legacy_escapes[i].text;
			return code;
		}
	}
	return 0;
}

static void add_legacy_name(const char *at, size_t size, struct p3_text *ret)
{
	const char *end = at + size, *text;

	if (size > 2 && at[0] == '_' && at[1] == '$')
		at++; /* so that no name begins with '$' */
	while (at < end) {
		size_t escape = legacy_escape(at, (size_t)(end - at), &text);

		if (escape) {
			p3_text_add(ret, text);
			at += escape;
		} else if (end - at >= 2 && at[0] == '.' && at[1] == '.') {
			p3_text_add(ret, "::");
			at += 2;
		} else {
			p3_text_add_bytes(ret, at++, 1);
		}
	}
}

static bool is_hash(const char *at, size_t size)
{
	size_t i;

	if (size != 17 || at[0] != 'h')
		return false;
	for (i = 1; i < size; i++)
		if (!isxdigit((unsigned char)at[i]))
			return false;
	return true;
}

/* _ZN 4demo 7checked 17h0123456789abcdef E */
static bool demangle_legacy(const char *name, struct p3_text *ret)
{
	const char *at = name + 3;
	bool hash = false;
	size_t parts = 0;

	while (*at >= '1' && *at <= '9') {
		size_t size = 0;

		for (; *at >= '0' && *at <= '9' && size < 100000; at++)
			size = size * 10 + (size_t)(*at - '0');
		if (strnlen(at, size) < size)
			return false;
		hash = is_hash(at, size);
		if (!(hash && at[size] == 'E')) {
			p3_text_add(ret, parts++ ? "::" : "");
			add_legacy_name(at, size, ret);
		}
		at += size;
	}
	/* Without the hash it is C++. */
	return hash && *at == 'E' && parts;
}

/* ---- v0 ---- */

struct parser {
	const char *start, *at, *end; /* behind "_R" */
	struct p3_text *text;
	int depth;
	bool failed;
	bool quiet;	    /* parse, but add nothing */
	uint64_t lifetimes; /* bound so far */
};

static void add(struct parser *parser, const char *string)
{
	if (parser->quiet)
		return;
	if (parser->text->size > MAX_OUTPUT)
		parser->failed = true;
	else
		p3_text_add(parser->text, string);
}

static char peek(struct parser *parser)
{
	return parser->at < parser->end ? *parser->at : 0;
}

static char next(struct parser *parser)
{
	if (parser->at >= parser->end)
		parser->failed = true;
	return parser->failed ? 0 : *parser->at++;
}

static bool take(struct parser *parser, char wanted)
{
	if (peek(parser) != wanted)
		return false;
	parser->at++;
	return true;
}

/* base-62-number: "_" is 0, "0_" is 1 ... */
static uint64_t number62(struct parser *parser)
{
	uint64_t value = 0;

	if (take(parser, '_'))
		return 0;
	while (!parser->failed && !take(parser, '_')) {
		char digit = next(parser);

		if (value > UINT64_MAX / 62 - 62)
			parser->failed = true;
		value *= 62;
		if (digit >= '0' && digit <= '9')
			value += (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'z')
			value += (uint64_t)(digit - 'a') + 10;
		else if (digit >= 'A' && digit <= 'Z')
			value += (uint64_t)(digit - 'A') + 36;
		else
			parser->failed = true;
	}
	return value + 1;
}

/* An optional tagged number; 0 if it is not there. */
static uint64_t optional62(struct parser *parser, char tag)
{
	return take(parser, tag) ? number62(parser) + 1 : 0;
}

struct identifier {
	const char *name;
	size_t size;
	bool punycode;
	uint64_t disambiguator;
};

static struct identifier identifier(struct parser *parser)
{
	struct identifier id = { .disambiguator = optional62(parser, 's') };

	id.punycode = take(parser, 'u');
	if (peek(parser) == '0') {
		parser->at++;
	} else {
		while (peek(parser) >= '0' && peek(parser) <= '9' && id.size < 100000)
			id.size = id.size * 10 + (size_t)(next(parser) - '0');
	}
	take(parser, '_'); /* between the length and a name that begins with a digit or '_' */
	if (id.size > (size_t)(parser->end - parser->at)) {
		parser->failed = true;
		id.size = 0;
	}
	id.name = parser->at;
	parser->at += id.size;
	return id;
}

/* RFC 3492, with '_' for '-'; false: it is damaged. */
static bool decode_punycode(const struct identifier *id, uint32_t *points, size_t *count_ret)
{
	const char *at = id->name, *end = id->name + id->size, *basic = NULL, *scan;
	uint32_t point = 128, bias = 72, index = 0;
	size_t count = 0;
	bool first = true;

	for (scan = at; scan < end; scan++)
		if (*scan == '_')
			basic = scan;
	for (; basic && at < basic && count < MAX_PUNYCODE; at++)
		points[count++] = (unsigned char)*at;
	if (basic)
		at = basic + 1;
	while (at < end) {
		uint32_t old = index, weight = 1, k, delta;

		for (k = 36;; k += 36) {
			uint32_t digit, threshold;

			if (at >= end)
				return false;
			digit = *at >= 'a' && *at <= 'z'   ? (uint32_t)(*at - 'a')
				: *at >= '0' && *at <= '9' ? (uint32_t)(*at - '0') + 26
							   : 36;
			at++;
			if (digit > 35 || digit > (UINT32_MAX - index) / weight)
				return false;
			index += digit * weight;
			threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
			if (digit < threshold)
				break;
			if (weight > UINT32_MAX / (36 - threshold))
				return false;
			weight *= 36 - threshold;
		}
		delta = first ? (index - old) / 700 : (index - old) / 2;
		first = false;
		delta += delta / (uint32_t)(count + 1);
		for (k = 0; delta > 455; k += 36)
			delta /= 35;
		bias = k + 36 * delta / (delta + 38);
		point += index / (uint32_t)(count + 1);
		index %= (uint32_t)(count + 1);
		if (count >= MAX_PUNYCODE || point > 0x10ffff)
			return false;
		memmove(points + index + 1, points + index, (count - index) * sizeof(*points));
		points[index++] = point;
		count++;
	}
	*count_ret = count;
	return true;
}

static void add_identifier(struct parser *parser, const struct identifier *id)
{
	uint32_t points[MAX_PUNYCODE + 1];
	size_t count, i;

	if (parser->quiet || parser->failed)
		return;
	if (!id->punycode) {
		p3_text_add_bytes(parser->text, id->name, id->size);
	} else if (decode_punycode(id, points, &count)) {
		for (i = 0; i < count; i++)
			p3_text_add_point(parser->text, points[i], 0);
	} else {
		parser->failed = true;
	}
}

static void add_number(struct parser *parser, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	add(parser, digits);
}

static void path(struct parser *parser, bool value);
static void type(struct parser *parser);
static void constant(struct parser *parser);

/* Go on at an earlier place of the name, for one production. */
static void back_reference(struct parser *parser, void (*production)(struct parser *))
{
	const char *here = parser->at - 1;
	uint64_t offset = number62(parser);
	const char *after = parser->at;

	if (parser->failed || offset >= (uint64_t)(here - parser->start)) {
		parser->failed = true;
		return;
	}
	if (parser->quiet)
		return;
	parser->at = parser->start + offset;
	production(parser);
	parser->at = after;
}

static void value_path(struct parser *parser)
{
	path(parser, true);
}

static void type_path(struct parser *parser)
{
	path(parser, false);
}

static void lifetime(struct parser *parser, uint64_t index)
{
	char name[2] = "_";

	if (index && index <= parser->lifetimes && parser->lifetimes - index < 26)
		name[0] = (char)('a' + (parser->lifetimes - index));
	add(parser, "'");
	add(parser, name);
}

static void generic_arguments(struct parser *parser)
{
	size_t count = 0;

	while (!parser->failed && !take(parser, 'E')) {
		if (count++)
			add(parser, ", ");
		if (take(parser, 'L'))
			lifetime(parser, number62(parser));
		else if (take(parser, 'K'))
			constant(parser);
		else
			type(parser);
	}
}

/* An impl's own path only tells impls apart. */
static void skip_impl_path(struct parser *parser)
{
	bool quiet = parser->quiet;

	optional62(parser, 's');
	parser->quiet = true;
	path(parser, false);
	parser->quiet = quiet;
}

static void nested(struct parser *parser, bool value)
{
	char space = next(parser);
	struct identifier id;

	path(parser, value);
	id = identifier(parser);
	if (space >= 'A' && space <= 'Z') { /* {closure#0}, {shim:vtable#0} */
		add(parser, "::{");
		add(parser, space == 'C'   ? "closure"
			    : space == 'S' ? "shim"
					   : (char[]){ space, 0 });
		if (id.size) {
			add(parser, ":");
			add_identifier(parser, &id);
		}
		add(parser, "#");
		add_number(parser, id.disambiguator);
		add(parser, "}");
	} else if (id.size) {
		add(parser, "::");
		add_identifier(parser, &id);
	}
}

static void path(struct parser *parser, bool value)
{
	struct identifier id;

	if (parser->failed || ++parser->depth > MAX_DEPTH) {
		parser->failed = true;
		return;
	}
	switch (next(parser)) {
	case 'C':
		id = identifier(parser); /* its disambiguator is the crate's hash */
		add_identifier(parser, &id);
		break;
	case 'M': /* <T> */
		skip_impl_path(parser);
		add(parser, "<");
		type(parser);
		add(parser, ">");
		break;
	case 'X': /* <T as Trait>, in an impl */
		skip_impl_path(parser);
		/* fall through */
	case 'Y': /* <T as Trait> */
		add(parser, "<");
		type(parser);
		add(parser, " as ");
		path(parser, false);
		add(parser, ">");
		break;
	case 'N':
		nested(parser, value);
		break;
	case 'I':
		path(parser, value);
		add(parser, value ? "::<" : "<");
		generic_arguments(parser);
		add(parser, ">");
		break;
	case 'B':
		back_reference(parser, value ? value_path : type_path);
		break;
	default:
		parser->failed = true;
	}
	parser->depth--;
}

static const char *basic_type(char tag)
{
	static const char *const names[26] = {
		['a' - 'a'] = "i8",   ['b' - 'a'] = "bool",  ['c' - 'a'] = "char",
		['d' - 'a'] = "f64",  ['e' - 'a'] = "str",   ['f' - 'a'] = "f32",
		['h' - 'a'] = "u8",   ['i' - 'a'] = "isize", ['j' - 'a'] = "usize",
		['l' - 'a'] = "i32",  ['m' - 'a'] = "u32",   ['n' - 'a'] = "i128",
		['o' - 'a'] = "u128", ['p' - 'a'] = "_",     ['s' - 'a'] = "i16",
		['t' - 'a'] = "u16",  ['u' - 'a'] = "()",    ['v' - 'a'] = "...",
		['x' - 'a'] = "i64",  ['y' - 'a'] = "u64",   ['z' - 'a'] = "!",
	};

	return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

static void function_type(struct parser *parser)
{
	uint64_t bound = optional62(parser, 'G'), before = parser->lifetimes;
	struct identifier abi;
	size_t count = 0;

	parser->lifetimes += bound;
	if (take(parser, 'U'))
		add(parser, "unsafe ");
	if (take(parser, 'K')) {
		add(parser, "extern \"");
		if (take(parser, 'C')) {
			add(parser, "C");
		} else {
			abi = identifier(parser);
			add_identifier(parser, &abi);
		}
		add(parser, "\" ");
	}
	add(parser, "fn(");
	while (!parser->failed && !take(parser, 'E')) {
		if (count++)
			add(parser, ", ");
		type(parser);
	}
	add(parser, ")");
	if (!take(parser, 'u')) {
		add(parser, " -> ");
		type(parser);
	}
	parser->lifetimes = before;
}

/* A trait of dyn; the bounds of its associated types go into its own <...>. */
static void dyn_trait(struct parser *parser)
{
	struct identifier id;
	bool open = false;

	path(parser, false);
	if (!parser->quiet && parser->text->size &&
	    p3_text_string(parser->text)[parser->text->size - 1] == '>' && peek(parser) == 'p') {
		p3_text_cut(parser->text, parser->text->size - 1);
		add(parser, ", ");
		open = true;
	}
	while (!parser->failed && take(parser, 'p')) {
		if (!open)
			add(parser, "<");
		open = true;
		id = identifier(parser);
		add_identifier(parser, &id);
		add(parser, " = ");
		type(parser);
		if (peek(parser) == 'p')
			add(parser, ", ");
	}
	if (open)
		add(parser, ">");
}

static void dyn_type(struct parser *parser)
{
	uint64_t bound = optional62(parser, 'G'), before = parser->lifetimes;
	size_t count = 0;

	parser->lifetimes += bound;
	add(parser, "dyn ");
	while (!parser->failed && !take(parser, 'E')) {
		if (count++)
			add(parser, " + ");
		dyn_trait(parser);
	}
	parser->lifetimes = before;
	if (take(parser, 'L')) {
		uint64_t index = number62(parser);

		if (index) {
			add(parser, " + ");
			lifetime(parser, index);
		}
	}
}

static void reference(struct parser *parser, const char *text)
{
	add(parser, text);
	if (take(parser, 'L')) {
		uint64_t index = number62(parser);

		if (index) {
			lifetime(parser, index);
			add(parser, " ");
		}
	}
	if (!strcmp(text, "&mut"))
		add(parser, " ");
	type(parser);
}

static void tuple(struct parser *parser)
{
	size_t count = 0;

	add(parser, "(");
	while (!parser->failed && !take(parser, 'E')) {
		if (count++)
			add(parser, ", ");
		type(parser);
	}
	add(parser, count == 1 ? ",)" : ")");
}

static void type(struct parser *parser)
{
	char tag = next(parser);
	const char *name = basic_type(tag);

	if (parser->failed || ++parser->depth > MAX_DEPTH) {
		parser->failed = true;
		return;
	}
	if (name) {
		add(parser, name);
	} else {
		switch (tag) {
		case 'A':
		case 'S':
			add(parser, "[");
			type(parser);
			if (tag == 'A') {
				add(parser, "; ");
				constant(parser);
			}
			add(parser, "]");
			break;
		case 'T':
			tuple(parser);
			break;
		case 'R':
			reference(parser, "&");
			break;
		case 'Q':
			reference(parser, "&mut");
			break;
		case 'P':
			add(parser, "*const ");
			type(parser);
			break;
		case 'O':
			add(parser, "*mut ");
			type(parser);
			break;
		case 'F':
			function_type(parser);
			break;
		case 'D':
			dyn_type(parser);
			break;
		case 'B':
			back_reference(parser, type);
			break;
		default:
			parser->at--;
			path(parser, false);
		}
	}
	parser->depth--;
}

static void constant(struct parser *parser)
{
	char tag = next(parser);
	uint64_t value = 0;
	bool long_value = false;
	const char *start;

	if (tag == 'B') {
		back_reference(parser, constant);
		return;
	}
	if (tag == 'p') {
		add(parser, "_");
		return;
	}
	if (!basic_type(tag)) { /* structural constants are of no use in a stack */
		parser->failed = true;
		return;
	}
	if (take(parser, 'n'))
		add(parser, "-");
	start = parser->at;
	while (!parser->failed && !take(parser, '_')) {
		char digit = next(parser);

		long_value |= value >> 60 != 0;
		value = value << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
	}
	if (parser->failed)
		return;
	if (tag == 'b') {
		add(parser, value ? "true" : "false");
	} else if (tag == 'c') {
		add(parser, "'");
		if (!parser->quiet)
			p3_text_add_point(parser->text, (uint32_t)value, '\'');
		add(parser, "'");
	} else if (long_value) {
		add(parser, "0x");
		if (!parser->quiet)
			p3_text_add_bytes(parser->text, start, (size_t)(parser->at - 1 - start));
	} else {
		add_number(parser, value);
	}
}

static bool demangle_v0(const char *name, struct p3_text *ret)
{
	const char *start = name + 2;
	struct parser parser = { .start = start, .at = start, .text = ret };

	/* LLVM's ".llvm.123" and the like are not part of it. */
	parser.end = start + strcspn(start, ".$");
	if (*start >= '0' && *start <= '9') /* an encoding of the future */
		return false;
	path(&parser, true);
	/* What may follow is the crate that instantiated it. */
	return !parser.failed;
}

bool p3_rust_demangle(const char *name, struct p3_text *ret)
{
	size_t before = ret->size;
	bool done = false;

	if (!strncmp(name, "_ZN", 3))
		done = demangle_legacy(name, ret);
	else if (!strncmp(name, "_R", 2))
		done = demangle_v0(name, ret);
	if (!done)
		p3_text_cut(ret, before);
	return done;
}
