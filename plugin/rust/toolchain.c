/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Installed Rust toolchains, told apart by the .comment of their own std
 * (lib/libstd-*.so), which names rustc exactly as the modules it builds do. So
 * nothing is run: `rustc` may be rustup's proxy, which can download.
 */
#include <pyo3-gdb/rust.h>

#include <pyo3-gdb/elf.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where sysroots are; %s is rustup's home. */
static const char *const places[] = {
	"%s/toolchains/*", /* rustup */
	"/usr",		   /* Debian, Fedora, Arch, openSUSE */
	"/usr/local",
	"/opt/rust*",	   /* the standalone installer */
	"/usr/lib/rust-*", /* Ubuntu's versioned packages */
};
/* Where std's shared object is in a sysroot. */
static const char *const std_places[] = {
	"%s/lib/libstd-*.so",
	"%s/lib/x86_64-linux-gnu/libstd-*.so",
	"%s/lib/aarch64-linux-gnu/libstd-*.so",
	"%s/lib64/libstd-*.so",
	"%s/lib/rustlib/*/lib/libstd-*.so",
};

/* The pattern, with its "%s", if it begins with one, replaced. */
static void add_pattern(struct p3_text *text, const char *pattern, const char *folder)
{
	if (!strncmp(pattern, "%s", 2)) {
		p3_text_add(text, folder);
		pattern += 2;
	}
	p3_text_add(text, pattern);
}

/* The version a toolchain's std was built with; "" if it cannot be told. */
static void find_version(const char *sysroot, char *ret, size_t size)
{
	size_t i, j;

	*ret = 0;
	for (i = 0; i < sizeof(std_places) / sizeof(*std_places) && !*ret; i++) {
		struct p3_text pattern P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		glob_t found;

		add_pattern(&pattern, std_places[i], sysroot);
		if (glob(p3_text_string(&pattern), 0, NULL, &found) != 0)
			continue;
		for (j = 0; j < found.gl_pathc && !*ret; j++) {
			struct p3_file_facts facts;
			struct p3_error *error = p3_elf_facts(found.gl_pathv[j], NULL, &facts);

			if (!error)
				snprintf(ret, size, "%s", facts.rustc);
			p3_error_free(error);
		}
		globfree(&found);
	}
}

/* How far two versions are apart; printers change with the minor number. */
static long distance(const char *a, const char *b)
{
	long major_a = 0, minor_a = 0, major_b = 0, minor_b = 0;

	if (sscanf(a, "%ld.%ld", &major_a, &minor_a) != 2 ||
	    sscanf(b, "%ld.%ld", &major_b, &minor_b) != 2)
		return 1000000;
	return labs((major_a - major_b) * 10000 + minor_a - minor_b);
}

struct p3_error *p3_rust_toolchain(struct p3_arena *arena, const char *rustc,
				   struct p3_toolchain *ret)
{
	struct p3_text home P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_toolchain best = { 0 };
	size_t i, j;

	if (getenv("RUSTUP_HOME"))
		p3_text_add(&home, getenv("RUSTUP_HOME"));
	else
		p3_text_printf(&home, "%s/.rustup", getenv("HOME") ? getenv("HOME") : "");
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct p3_text pattern P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		glob_t found;

		add_pattern(&pattern, places[i], p3_text_string(&home));
		if (glob(p3_text_string(&pattern), 0, NULL, &found) != 0)
			continue;
		for (j = 0; j < found.gl_pathc && !best.exact; j++) {
			struct p3_text lookup P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
			char version[64];

			p3_text_printf(&lookup, "%s/lib/rustlib/etc/gdb_lookup.py",
				       found.gl_pathv[j]);
			if (access(p3_text_string(&lookup), R_OK) != 0)
				continue;
			find_version(found.gl_pathv[j], version, sizeof(version));
			if (best.sysroot && strcmp(version, rustc) != 0 &&
			    distance(version, rustc) >= distance(best.rustc, rustc))
				continue;
			best.sysroot = p3_arena_string(arena, found.gl_pathv[j]);
			best.rustc = p3_arena_string(arena, version);
			best.exact = *version && !strcmp(version, rustc);
		}
		globfree(&found);
	}
	if (!best.sysroot)
		return p3_error_hint(
			p3_error_new(P3_MISSING, "no Rust toolchain with gdb printers found"),
			"install rustc %s (rustup toolchain install), or set RUSTUP_HOME", rustc);
	*ret = best;
	return NULL;
}
