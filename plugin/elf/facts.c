/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One look at a module's file. Reads section headers, .dynsym (or .symtab),
 * .comment and the build-id note; .rodata only of files made by rustc, for
 * PyO3's version, which its panic locations carry ("pyo3-0.30.1/src/...").
 * The sections to look for survive strip; see facts/cpython.md 1, users.md 3.2.
 */
#include "elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <elfutils/libdwelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SYMBOLS = 10000000 };

static void done_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void done_elf(Elf **elf)
{
	elf_end(*elf);
}

static struct p3_error *open_elf(const char *path, int *fd, Elf **elf)
{
	elf_version(EV_CURRENT);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return p3_error_new(P3_MISSING, "\"%s\": %s", path, strerror(errno));
	*elf = elf_begin(*fd, ELF_C_READ_MMAP, NULL);
	if (!*elf || elf_kind(*elf) != ELF_K_ELF || gelf_getclass(*elf) != ELFCLASS64)
		return p3_error_new(P3_BAD_DATA, "\"%s\" is no 64-bit ELF file", path);
	return NULL;
}

struct sections {
	Elf_Scn *dynsym, *symtab, *comment, *rodata;
	bool debug_info;
};

static void find_sections(Elf *elf, struct sections *ret)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header) ||
		    !(name = elf_strptr(elf, names, header.sh_name)))
			continue;
		if (header.sh_type == SHT_DYNSYM)
			ret->dynsym = section;
		else if (header.sh_type == SHT_SYMTAB)
			ret->symtab = section;
		else if (header.sh_type == SHT_NOBITS)
			continue;
		else if (!strcmp(name, ".comment"))
			ret->comment = section;
		else if (!strcmp(name, ".rodata"))
			ret->rodata = section;
		else if (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info"))
			ret->debug_info = true;
	}
}

/* Returns true if the file has, or asks others for, the function that starts an unwind. */
static bool use_symbols(Elf *elf, Elf_Scn *section, struct p3_file_facts *facts)
{
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Shdr header;
	bool raises = false;
	size_t i, count;

	if (!data || !gelf_getshdr(section, &header) || !header.sh_entsize)
		return false;
	count = data->d_size / header.sh_entsize;
	if (count > MAX_SYMBOLS)
		count = MAX_SYMBOLS;
	for (i = 0; i < count; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol) ||
		    !(name = elf_strptr(elf, header.sh_link, symbol.st_name)))
			continue;
		if (!strncmp(name, "_Unwind_RaiseException", 22)) /* "@GCC_3.0" in .symtab */
			raises = true;
		if (symbol.st_shndx == SHN_UNDEF || !symbol.st_value ||
		    (strncmp(name, "_Py", 3) && strncmp(name, "Py_", 3)))
			continue;
		if (!strcmp(name, "_PyRuntime"))
			facts->py_runtime = symbol.st_value;
		else if (!strcmp(name, "Py_Version"))
			facts->py_version = symbol.st_value;
		else if (!strcmp(name, "_Py_NegativeRefcount")) /* Py_REF_DEBUG, object.h */
			facts->py_debug = true;
	}
	return raises;
}

/* .comment is a list of NUL-terminated strings; rustc's is "rustc version 1.95.0 (hash date)". */
static void use_comment(Elf_Scn *section, struct p3_file_facts *facts)
{
	static const char key[] = "rustc version ";
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *start, *end;

	if (!data || !data->d_buf)
		return;
	start = memmem(data->d_buf, data->d_size, key, sizeof(key) - 1);
	if (!start)
		return;
	facts->rust = true;
	start += sizeof(key) - 1;
	end = (const char *)data->d_buf + data->d_size;
	p3_text_add_safe(&safe, start, strnlen(start, (size_t)(end - start)), 0);
	snprintf(facts->rustc, sizeof(facts->rustc), "%s", p3_text_string(&safe));
}

static void use_rodata(Elf_Scn *section, struct p3_file_facts *facts)
{
	static const char key[] = "/pyo3-";
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *at, *end;

	if (!data || !data->d_buf)
		return;
	at = data->d_buf;
	end = at + data->d_size;
	while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
		size_t size = 0, room;

		at += sizeof(key) - 1;
		room = (size_t)(end - at);
		while (size < room && size < sizeof(facts->pyo3) - 1 && at[size] != '/' &&
		       at[size] > ' ')
			size++;
		/* "pyo3-ffi-0.30.1" and the like are other crates */
		if (size && size < room && at[0] >= '0' && at[0] <= '9' && at[size] == '/') {
			memcpy(facts->pyo3, at, size);
			facts->pyo3[size] = 0;
			return;
		}
	}
}

/*
 * The version of those that have no Py_Version: sys.implementation.cache_tag, "cpython-39",
 * is a string in .rodata (Python/sysmodule.c); PY_VERSION itself is none in every build.
 */
static void use_version(Elf_Scn *section, struct p3_file_facts *facts)
{
	static const char key[] = "cpython-3";
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
	const char *at, *end;

	if (!data || !data->d_buf)
		return;
	at = data->d_buf;
	end = at + data->d_size;
	while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1))) {
		int minor = 0;

		for (at += sizeof(key) - 1; at < end && *at >= '0' && *at <= '9' && minor < 100;
		     at++)
			minor = minor * 10 + (*at - '0');
		/* "cpython-39.opt-1", "cpython-39-x86_64-linux-gnu", "cpython-39" */
		if (minor >= 1 && minor < 100 && at < end && (!*at || *at == '-' || *at == '.')) {
			facts->py_minor = (uint8_t)minor;
			return;
		}
	}
}

/* Returns true for a program: a file that names a dynamic linker, or needs none. */
static bool use_headers(Elf *elf, struct p3_file_facts *facts)
{
	bool interpreter, dynamic;
	const void *bits;
	GElf_Phdr header;
	ssize_t size;
	size_t i;

	facts->low = UINT64_MAX;
	for (i = 0; p3_elf_next_segment(elf, PT_LOAD, &i, &header);) {
		if (header.p_vaddr < facts->low)
			facts->low = header.p_vaddr;
		if (header.p_vaddr + header.p_memsz > facts->high)
			facts->high = header.p_vaddr + header.p_memsz;
	}
	i = 0;
	interpreter = p3_elf_next_segment(elf, PT_INTERP, &i, &header);
	i = 0;
	dynamic = p3_elf_next_segment(elf, PT_DYNAMIC, &i, &header);
	if (facts->low >= facts->high)
		facts->low = facts->high = 0;
	size = dwelf_elf_gnu_build_id(elf, &bits);
	for (i = 0; size > 0 && size <= 32 && i < (size_t)size; i++)
		snprintf(facts->build_id + 2 * i, 3, "%02x", ((const uint8_t *)bits)[i]);
	return interpreter || !dynamic;
}

struct p3_error *p3_elf_bytes(const char *path, uint64_t address, void *ret, size_t size)
{
	int fd P3_CLEANUP(done_fd) = -1;
	Elf *elf P3_CLEANUP(done_elf) = NULL;
	GElf_Phdr header;
	size_t i = 0;

	P3_TRY(open_elf(path, &fd, &elf));
	while (p3_elf_next_segment(elf, PT_LOAD, &i, &header)) {
		if (address < header.p_vaddr || address - header.p_vaddr > header.p_filesz ||
		    size > header.p_filesz - (address - header.p_vaddr))
			continue;
		if (pread(fd, ret, size, (off_t)(header.p_offset + (address - header.p_vaddr))) ==
		    (ssize_t)size)
			return NULL;
	}
	return p3_error_new(P3_BAD_DATA, "\"%s\" has nothing there", path);
}

struct p3_error *p3_elf_facts(const char *path, const char *debug_path, struct p3_file_facts *ret)
{
	int fd P3_CLEANUP(done_fd) = -1;
	Elf *elf P3_CLEANUP(done_elf) = NULL;
	struct p3_file_facts facts = { 0 };
	struct sections sections = { 0 };
	bool program, raises;

	P3_TRY(open_elf(path, &fd, &elf));
	find_sections(elf, &sections);
	program = use_headers(elf, &facts);
	raises = use_symbols(elf, sections.dynsym, &facts);
	/* A program that embeds libpython statically may not export it. */
	if (!facts.py_runtime && program)
		raises |= use_symbols(elf, sections.symtab, &facts);
	if (facts.py_runtime && !facts.py_version)
		use_version(sections.rodata, &facts);
	use_comment(sections.comment, &facts);
	if (facts.rust)
		use_rodata(sections.rodata, &facts);
	/* std's panic_abort calls no unwinder; one that is linked statically is in .symtab only. */
	if (facts.rust && !raises && sections.dynsym)
		facts.panic_abort = !use_symbols(elf, sections.symtab, &facts);
	facts.tier = sections.debug_info || debug_path ? P3_TIER_DWARF
		     : sections.symtab		       ? P3_TIER_SYMBOLS
						       : P3_TIER_STRIPPED;
	*ret = facts;
	return NULL;
}
