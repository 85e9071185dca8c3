/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Open files. libelf maps them; nothing is read until it is asked for. No
 * libdwfl: its module model is not the debugger's. Symbols are sorted at first
 * use. Refuses: files that are no 64-bit little-endian ELF.
 */
#include "elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SYMBOLS = 10000000 };

static bool is_known_form(Elf *elf)
{
	return elf && elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64 &&
	       elf_getident(elf, NULL)[EI_DATA] == ELFDATA2LSB;
}

static struct p3_error *open_file(struct p3_file *file, const char *path, const char *debug_path)
{
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0)
		return p3_error_new(P3_MISSING, "\"%s\": %s", path, strerror(errno));
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!is_known_form(file->elf))
		return p3_error_new(P3_BAD_DATA, "\"%s\" is no 64-bit ELF file", path);
	if (debug_path) {
		file->debug_fd = open(debug_path, O_RDONLY | O_CLOEXEC);
		if (file->debug_fd >= 0)
			file->dwarf = dwarf_begin(file->debug_fd, DWARF_C_READ);
	}
	if (!file->dwarf)
		file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	return NULL;
}

static struct p3_file *new_file(void)
{
	struct p3_file *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	elf_version(EV_CURRENT);
	file->fd = file->debug_fd = -1;
	file->arena = p3_arena_new();
	file->rows = p3_map_new(file->arena);
	file->places = p3_map_new(file->arena);
	file->units = p3_map_new(file->arena);
	file->tail_calls = p3_map_new(file->arena);
	file->abbreviations = p3_map_new(file->arena);
	file->lines = p3_map_new(file->arena);
	return file;
}

struct p3_error *p3_file_open_image(void *image, size_t size, struct p3_file **ret)
{
	struct p3_file *file = new_file();

	file->elf = elf_memory(image, size);
	if (!is_known_form(file->elf)) {
		p3_file_close(file);
		return p3_error_new(P3_BAD_DATA, "no ELF image");
	}
	*ret = file;
	return NULL;
}

struct p3_error *p3_file_open(const char *path, const char *debug_path, struct p3_file **ret)
{
	struct p3_file *file = new_file();
	struct p3_error *error;

	error = open_file(file, path, debug_path);
	if (error) {
		p3_file_close(file);
		return error;
	}
	*ret = file;
	return NULL;
}

void p3_file_close(struct p3_file *file)
{
	if (!file)
		return;
	if (file->eh_frame)
		dwarf_cfi_end(file->eh_frame);
	dwarf_end(file->dwarf); /* debug_frame goes with it */
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	if (file->debug_fd >= 0)
		close(file->debug_fd);
	p3_arena_free(file->arena);
	free(file);
}

int p3_file_machine(const struct p3_file *file)
{
	GElf_Ehdr header;

	return gelf_getehdr(file->elf, &header) ? header.e_machine : EM_NONE;
}

/* ---- debug sections ---- */

static void find_debug_sections(struct p3_file *file)
{
	static const char *const names[P3_DEBUG_SECTIONS] = {
		[P3_DEBUG_INFO] = ".debug_info",	 [P3_DEBUG_ABBREV] = ".debug_abbrev",
		[P3_DEBUG_ARANGES] = ".debug_aranges",	 [P3_DEBUG_LINE] = ".debug_line",
		[P3_DEBUG_LINE_STR] = ".debug_line_str", [P3_DEBUG_STR] = ".debug_str",
	};
	Elf *elf = dwarf_getelf(file->dwarf);
	Elf_Scn *section = NULL;
	size_t strings, i;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(elf, strings, header.sh_name)))
			continue;
		/* Compressed by GNU's old way; libdw has unpacked it, as the others. */
		name += !strncmp(name, ".zdebug", 7);
		for (i = 0; i < P3_DEBUG_SECTIONS; i++)
			if (!strcmp(name, names[i] + (*name != '.')) &&
			    (data = elf_rawdata(section, NULL)) && data->d_buf)
				file->sections[i] =
					(struct p3_section){ data->d_buf, data->d_size };
	}
}

struct p3_section p3_file_debug_section(struct p3_file *file, enum p3_debug_section section)
{
	if (!file->has_sections && file->dwarf)
		find_debug_sections(file);
	file->has_sections = true;
	return file->sections[section];
}

/* ---- symbols ---- */

static int compare_symbols(const void *left, const void *right)
{
	const struct p3_symbol *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void read_symbols(struct p3_file *file, Elf *elf, unsigned int type)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;
		size_t i, count;

		if (!gelf_getshdr(section, &header) || header.sh_type != type ||
		    !header.sh_entsize || !(data = elf_getdata(section, NULL)))
			continue;
		count = data->d_size / header.sh_entsize;
		for (i = 0; i < count && i < MAX_SYMBOLS; i++) {
			GElf_Sym symbol;
			const char *name;
			struct p3_symbol *new;

			if (!gelf_getsym(data, (int)i, &symbol) || !symbol.st_value ||
			    symbol.st_shndx == SHN_UNDEF ||
			    (GELF_ST_TYPE(symbol.st_info) != STT_FUNC &&
			     GELF_ST_TYPE(symbol.st_info) != STT_GNU_IFUNC &&
			     GELF_ST_TYPE(symbol.st_info) != STT_NOTYPE) ||
			    !(name = elf_strptr(elf, header.sh_link, symbol.st_name)) || !*name)
				continue;
			new = p3_list_add(file->arena, &file->symbols);
			*new = (struct p3_symbol){ symbol.st_value, symbol.st_size, name };
		}
	}
}

static void read_all_symbols(struct p3_file *file)
{
	if (file->has_symbols)
		return;
	file->has_symbols = true;
	read_symbols(file, file->elf, SHT_SYMTAB);
	if (!file->symbols.count && file->dwarf)
		read_symbols(file, dwarf_getelf(file->dwarf), SHT_SYMTAB);
	if (!file->symbols.count)
		read_symbols(file, file->elf, SHT_DYNSYM);
	if (file->symbols.count)
		qsort(file->symbols.items, file->symbols.count, sizeof(*file->symbols.items),
		      compare_symbols);
}

/* Up to a version: "pthread_mutex_unlock@@GLIBC_2.2.5". */
static size_t name_size(const char *name)
{
	return strcspn(name, "@");
}

/* FNV-1a; a collision only loses a tail-call frame. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	const char *end = name + name_size(name);

	for (; name < end; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash;
}

uint64_t p3_file_symbol_address(struct p3_file *file, const char *name)
{
	const struct p3_symbol *symbol;
	void **slot;
	size_t i;

	if (!name)
		return 0;
	read_all_symbols(file);
	if (!file->by_name) {
		file->by_name = p3_map_new(file->arena);
		for (i = 0; i < file->symbols.count; i++)
			*p3_map_slot(file->by_name, hash_name(file->symbols.items[i].name)) =
				&file->symbols.items[i];
	}
	slot = p3_map_find(file->by_name, hash_name(name));
	symbol = slot ? *slot : NULL;
	if (!symbol || name_size(symbol->name) != name_size(name) ||
	    strncmp(symbol->name, name, name_size(name)) != 0)
		return 0;
	return symbol->start;
}

bool p3_file_in_plt(struct p3_file *file, uint64_t pc)
{
	Elf_Scn *section = NULL;
	size_t names, i;

	if (!file->has_plts && elf_getshdrstrndx(file->elf, &names) == 0) {
		while ((section = elf_nextscn(file->elf, section))) {
			GElf_Shdr header;
			const char *name;

			if (gelf_getshdr(section, &header) &&
			    (name = elf_strptr(file->elf, names, header.sh_name)) &&
			    (!strncmp(name, ".plt", 4) || !strncmp(name, ".iplt", 5)))
				*p3_list_add(file->arena, &file->plts) =
					(struct p3_plt){ header.sh_addr,
							 header.sh_addr + header.sh_size };
		}
	}
	file->has_plts = true;
	for (i = 0; i < file->plts.count; i++)
		if (pc >= file->plts.items[i].start && pc < file->plts.items[i].end)
			return true;
	return false;
}

const struct p3_symbol *p3_file_symbol(struct p3_file *file, uint64_t pc)
{
	size_t low = 0, high;

	read_all_symbols(file);
	high = file->symbols.count;
	while (low < high) { /* the first that starts behind pc */
		size_t middle = low + (high - low) / 2;

		if (file->symbols.items[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	/* Back over labels and aliases: the first one large enough to hold pc. */
	for (high = low; high > 0 && low - high < 64; high--) {
		const struct p3_symbol *symbol = &file->symbols.items[high - 1];

		if (pc - symbol->start < symbol->size)
			return symbol;
	}
	/* Hand-written assembly may give no sizes. */
	if (low > 0 && !file->symbols.items[low - 1].size)
		return &file->symbols.items[low - 1];
	return NULL;
}
