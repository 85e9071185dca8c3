/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rust names as people say them, and their roles. Input is a symbol
 * ("_RNvC4demo7checked"), or what a host demangled: a DWARF path
 * ("demo::Counter::add<u8>"), a legacy name ("<demo::D as
 * core::ops::Drop>::drop::h0123456789abcdef") or a v0 name
 * ("__rustc[b7974e86]::rust_panic").
 */
#include <pyo3-gdb/rust.h>

#include "rust_private.h"

#include <ctype.h>
#include <string.h>

enum {
	MAX_NAME = 16384,  /* bytes of a name; the rest is ignored */
	MAX_GENERICS = 24, /* bytes of generic arguments that are still shown */
};

/* Where the group opened by the '<' at `at` ends (behind its '>'), or `end`. */
static const char *skip_group(const char *at, const char *end)
{
	int depth = 0;

	for (; at < end; at++) {
		if (*at == '<')
			depth++;
		else if (*at == '>' && at[-1] != '-' &&
			 --depth == 0) /* not the arrow of fn() -> T */
			return at + 1;
	}
	return end;
}

/* Without "::h0123456789abcdef" (legacy) and " [clone ...]", ".llvm.123" (LLVM). */
static size_t plain_size(const char *name)
{
	size_t size = strnlen(name, MAX_NAME), i;
	const char *suffix = memmem(name, size, ".llvm.", 6);

	if (suffix)
		size = (size_t)(suffix - name);
	if (size > 19 && !memcmp(name + size - 19, "::h", 3)) {
		for (i = size - 16; i < size && isxdigit((unsigned char)name[i]); i++)
			;
		if (i == size)
			size -= 19;
	}
	return size;
}

/* The name demangled, if it is a symbol, and where it ends without its hash. */
static const char *readable(const char *name, struct p3_text *demangled, const char **end)
{
	if (p3_rust_demangle(name, demangled))
		name = p3_text_string(demangled);
	*end = name + plain_size(name);
	return name;
}

/* A crate's hash in v0 names: "std[0123abcd]::", but not the "[u8]" of a slice. */
static const char *skip_crate_hash(const char *at, const char *end)
{
	const char *close = memchr(at, ']', (size_t)(end - at)), *digit;

	if (!close || close - at < 6)
		return at;
	for (digit = at + 1; digit < close; digit++)
		if (!isxdigit((unsigned char)*digit))
			return at;
	return close + 1;
}

/* "a::b::C<..>" as "C"; for the insides of <...>, where whole paths drown the name. */
static void add_last_components(struct p3_text *text, const char *at, const char *end)
{
	while (at < end) {
		const char *start = at;

		while (at < end && (isalnum((unsigned char)*at) || strchr("_{}#", *at)))
			at++;
		if (at < end && *at == '[') /* "core[0123abcd]::" */
			at = skip_crate_hash(at, end);
		if (at + 1 < end && at[0] == ':' && at[1] == ':') {
			at += 2; /* a component that others follow */
		} else if (at > start) {
			p3_text_add_bytes(text, start,
					  strcspn(start, "[") < (size_t)(at - start)
						  ? strcspn(start, "[")
						  : (size_t)(at - start));
		} else if (*at == '<') {
			at = skip_group(at, end);
		} else {
			p3_text_add_bytes(text, at++, 1);
		}
	}
}

void p3_rust_name(const char *name, struct p3_text *ret)
{
	struct p3_text demangled P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *end, *at = name = readable(name, &demangled, &end);

	while (at < end) {
		struct p3_text inside P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		const char *close;

		if (*at == '[' && skip_crate_hash(at, end) != at) {
			at = skip_crate_hash(at, end);
			continue;
		}
		if (!strncmp(at, "{{closure}}", 11)) { /* legacy; DWARF and v0 number them */
			p3_text_add(ret, "{closure}");
			at += 11;
			continue;
		}
		if (*at != '<') {
			const char *stop = at + strcspn(at, "<[{");

			if (stop == at)
				stop++;
			if (stop > end)
				stop = end;
			p3_text_add_bytes(ret, at, (size_t)(stop - at));
			at = stop;
			continue;
		}
		close = skip_group(at, end);
		add_last_components(&inside, at + 1,
				    close > at + 1 && close[-1] == '>' ? close - 1 : close);
		/* At the start, or after "::", it names the item; elsewhere it only qualifies it. */
		if (at == name || !strncmp(at, "<impl ", 6) || inside.size <= MAX_GENERICS)
			p3_text_printf(ret, "<%s>", p3_text_string(&inside));
		else
			p3_text_add(ret, "<..>");
		at = close;
	}
}

/* The name as it is matched: no generic arguments, no hashes. */
static void add_path(const char *name, struct p3_text *ret)
{
	struct p3_text demangled P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *end, *at = name = readable(name, &demangled, &end);
	if (*at == '<') {
		/* <T as Trait>::f belongs to T's crate, or to Trait's if T has none. */
		const char *close = skip_group(at, end), *inside = at + 1, *as;
		const char *type = inside + strspn(inside, "&*[(' ");

		while (!strncmp(type, "mut ", 4) || !strncmp(type, "dyn ", 4) ||
		       !strncmp(type, "const ", 6) || !strncmp(type, "impl ", 5))
			type = strchr(type, ' ') + 1;
		as = memmem(inside, (size_t)(close - inside), " as ", 4);
		if (as && !memmem(type, (size_t)(as > type ? as - type : 0), "::", 2))
			type = as + 4;
		while (type < close) {
			if (*type == '[' && skip_crate_hash(type, close) != type)
				type = skip_crate_hash(type, close);
			else if (isalnum((unsigned char)*type) || *type == '_' || *type == ':')
				p3_text_add_bytes(ret, type++, 1);
			else
				break;
		}
		at = close;
	}
	while (at < end) {
		if (*at == '<')
			at = skip_group(at, end);
		else if (*at == '[' && skip_crate_hash(at, end) != at)
			at = skip_crate_hash(at, end);
		else
			p3_text_add_bytes(ret, at++, 1);
	}
}

static const char *last_component(const char *path)
{
	const char *last = path, *at;

	for (at = path; (at = strstr(at, "::")); at += 2)
		last = at + 2;
	return last;
}

enum how { PATH, LAST, PART };

static bool matches(enum how how, const char *text, const char *path)
{
	size_t size = strlen(text);
	const char *at;

	switch (how) {
	case PATH:
		return !strncmp(path, text, size) && (!path[size] || path[size] == ':');
	case LAST:
		return !strncmp(last_component(path), text, size);
	case PART:
		for (at = path; (at = strstr(at, text)); at++)
			if ((at == path || at[-1] == ':') && (!at[size] || at[size] == ':'))
				return true;
	}
	return false;
}

static const struct {
	enum how how;
	const char *text;
	enum p3_role role;
} names[] = {
#define NAME(how, text, role) { how, text, role },
#include "names.def"
#undef NAME
};

/* Where cargo keeps the sources of crates that are not the user's. */
static bool is_dependency(const char *file)
{
	return strstr(file, "/registry/src/") || strstr(file, "/git/checkouts/") ||
	       strstr(file, "/cargo/vendor/");
}

/* With line-tables-only, inlined std functions have bare names; their file tells. */
static bool is_library(const char *file)
{
	return !strncmp(file, "/rustc/", 7) || !strncmp(file, "library/", 8);
}

enum p3_role p3_rust_role(const char *name, const char *file, const char *folder)
{
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	size_t i;

	add_path(name, &path);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (matches(names[i].how, names[i].text, p3_text_string(&path)))
			return names[i].role;
	if (file && is_library(file))
		return P3_ROLE_RUNTIME;
	/* cargo runs rustc in a dependency's own folder */
	if (file && *file != '/' && folder)
		file = folder;
	if (file && strstr(file, "/pyo3-") && is_dependency(file))
		return P3_ROLE_PYO3;
	return file && is_dependency(file) ? P3_ROLE_DEPENDENCY : P3_ROLE_USER;
}

bool p3_rust_wrapped(const char *name, struct p3_text *ret)
{
	static const char *const prefixes[] = { "__pyfunction_", "__pymethod_get_",
						"__pymethod_set_", "__pymethod_" };
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *at, *last;
	size_t i, size;

	add_path(name, &path);
	at = p3_text_string(&path);
	last = last_component(at);
	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(last, prefixes[i], strlen(prefixes[i])))
			break;
	if (i == sizeof(prefixes) / sizeof(*prefixes))
		return false;
	while (at < last) {
		const char *next = strstr(at, "::");

		/* blocks that the macros open have no name in Python */
		if (*at != '{' && next - at != 1)
			p3_text_printf(ret, "%.*s.", (int)(next - at), at);
		at = next + 2;
	}
	last += strlen(prefixes[i]);
	size = strlen(last);
	if (i > 0 && size > 2 && !strcmp(last + size - 2, "__")) /* __pymethod_NAME__ */
		size -= 2;
	p3_text_add_bytes(ret, last, size);
	return size > 0;
}

bool p3_rust_defined(const char *name, struct p3_text *ret)
{
	struct p3_text demangled P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *end, *at, *start;

	start = readable(name, &demangled, &end);
	at = memmem(start, (size_t)(end - start), "::MakeDef", 9);
	if (at) { /* <impl demo::rust_name::MakeDef>::_PYO3_DEF::trampoline */
		end = at;
		for (at = start; at < end; at++)
			if (*at == '<' || *at == ' ')
				start = at + 1;
	} else { /* demo::rust_name::_PYO3_DEF */
		at = memmem(start, (size_t)(end - start), "::_PYO3_DEF", 11);
		if (!at || at + 11 != end)
			return false;
		end = at;
	}
	p3_text_add_bytes(ret, start, (size_t)(end - start));
	return true;
}

bool p3_rust_looks_like(const char *name)
{
	struct p3_text demangled P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	return strstr(name, "::") || !strncmp(name, "__rust", 6) || !strncmp(name, "rust_", 5) ||
	       p3_rust_demangle(name, &demangled);
}

bool p3_rust_resumes(const char *name)
{
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	add_path(name, &path);
	return matches(PATH, "std::panicking::resume_unwind", p3_text_string(&path)) ||
	       matches(PATH, "std::panic::resume_unwind", p3_text_string(&path)) ||
	       matches(PATH, "std::panicking::rust_panic_without_hook", p3_text_string(&path));
}

enum p3_rust_point p3_rust_point(const char *name)
{
	static const struct {
		enum p3_rust_point point;
		const char *path;
	} points[] = {
#define NAME(...)
#define POINT(point_, path_) { point_, path_ },
#include "names.def"
#undef NAME
	};
	static const struct {
		enum p3_rust_point point;
		const char *type;
	} conversions[] = {
#define NAME(...)
#define CONVERSION(point_, type_) { point_, type_ },
#include "names.def"
#undef NAME
	};
	struct p3_text demangled P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text path P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *end;
	size_t i;

	/* Of thousands of symbols few are worth the demangling. */
	if (strstr(name, "PyBorrow") && strstr(name, "from")) {
		name = readable(name, &demangled, &end);
		for (i = 0; i < sizeof(conversions) / sizeof(*conversions); i++)
			if (strstr(name, conversions[i].type) && strstr(name, "PyErr") &&
			    !strncmp(end - 6, "::from", 6))
				return conversions[i].point;
	}
	if (!strstr(name, "panic") && !strstr(name, "_Unwind"))
		return P3_POINT_NONE;
	add_path(name, &path);
	for (i = 0; i < sizeof(points) / sizeof(*points); i++)
		if (!strcmp(points[i].path, p3_text_string(&path)))
			return points[i].point;
	return P3_POINT_NONE;
}
