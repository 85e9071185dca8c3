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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_SYMBOLS = 10000000,
	TRIM_EVERY = 8, /* questions */
	MANY = 1 << 20, /* bytes of compressed DWARF from which on unpacking takes a while */
};

static bool is_known_form(Elf *elf)
{
	return elf && elf_kind(elf) == ELF_K_ELF && gelf_getclass(elf) == ELFCLASS64 &&
	       elf_getident(elf, NULL)[EI_DATA] == ELFDATA2LSB;
}

/* Is there so much compressed DWARF that unpacking takes long? libdw unpacks all at once. */
static bool is_packed(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		GElf_Chdr compressed;
		const char *name;

		if (!gelf_getshdr(section, &header) ||
		    !(name = elf_strptr(elf, strings, header.sh_name)))
			continue;
		if (!strcmp(name, ".zdebug_info"))
			return header.sh_size > MANY / 4;
		if (!strcmp(name, ".debug_info") && (header.sh_flags & SHF_COMPRESSED))
			return gelf_getchdr(section, &compressed) && compressed.ch_size > MANY;
	}
	return false;
}

static struct p3_error *map_file(const char *path, struct p3_image *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *data;

	if (fd < 0)
		return p3_error_new(P3_MISSING, "\"%s\": %s", path, strerror(errno));
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) {
		close(fd);
		return p3_error_new(P3_BAD_DATA, "\"%s\" is no 64-bit ELF file", path);
	}
	/* libelf notes in the section headers what it has unpacked: in a copy of that page. */
	data = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return p3_error_new(P3_MISSING, "\"%s\": %s", path, strerror(errno));
	*ret = (struct p3_image){ data, (size_t)status.st_size, true };
	return NULL;
}

static void unmap(struct p3_image *image)
{
	if (image->mapped)
		munmap(image->data, image->size);
	*image = (struct p3_image){ 0 };
}

/* NULL: no file of a known form. */
static Elf *open_image(const struct p3_image *image)
{
	Elf *elf = image->data ? elf_memory((char *)image->data, image->size) : NULL;

	if (elf && !is_known_form(elf)) {
		elf_end(elf);
		elf = NULL;
	}
	return elf;
}

void p3_file_release(struct p3_file *file, const void *data, size_t size)
{
	static const uintptr_t page = 4096;
	uintptr_t start = ((uintptr_t)data + page - 1) / page * page;
	uintptr_t end = ((uintptr_t)data + size) / page * page;
	const struct p3_image *images[] = { &file->image, &file->debug_image };
	size_t i;

	for (i = 0; i < 2; i++) { /* what libelf has unpacked is no file's */
		uintptr_t first = (uintptr_t)images[i]->data;

		if (images[i]->mapped && start >= first && end <= first + images[i]->size &&
		    start < end)
			(void)madvise((void *)start, end - start, MADV_DONTNEED);
	}
}

void p3_file_trim(struct p3_file *file)
{
	size_t i;

	if (++file->asked % TRIM_EVERY)
		return;
	for (i = 0; i < P3_DEBUG_SECTIONS; i++)
		p3_file_release(file, file->sections[i].data, file->sections[i].size);
}

static struct p3_error *open_file(struct p3_file *file, const char *path, const char *debug_path)
{
	P3_TRY(map_file(path, &file->image));
	file->elf = open_image(&file->image);
	if (!file->elf)
		return p3_error_new(P3_BAD_DATA, "\"%s\" is no 64-bit ELF file", path);
	if (debug_path) {
		p3_error_free(map_file(debug_path, &file->debug_image));
		file->debug_elf = open_image(&file->debug_image);
	}
	file->packed = is_packed(file->debug_elf ? file->debug_elf : file->elf);
	return NULL;
}

Dwarf *p3_file_dwarf(struct p3_file *file)
{
	if (file->has_dwarf)
		return file->dwarf;
	file->has_dwarf = true;
	if (file->debug_elf)
		file->dwarf = dwarf_begin_elf(file->debug_elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	return file->dwarf;
}

bool p3_file_is_packed(const struct p3_file *file)
{
	return file->packed && !file->has_dwarf;
}

static struct p3_file *new_file(void)
{
	struct p3_file *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	elf_version(EV_CURRENT);
	file->arena = p3_arena_new();
	file->rows = p3_map_new(file->arena);
	file->places = p3_map_new(file->arena);
	file->units = p3_map_new(file->arena);
	file->tail_calls = p3_map_new(file->arena);
	file->abbreviations = p3_map_new(file->arena);
	file->lines = p3_map_new(file->arena);
	file->types = p3_map_new(file->arena);
	return file;
}

struct p3_error *p3_file_open_image(void *image, size_t size, struct p3_file **ret)
{
	struct p3_file *file = new_file();

	file->image = (struct p3_image){ image, size, false };
	file->elf = open_image(&file->image);
	if (!file->elf) {
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
	elf_end(file->debug_elf);
	elf_end(file->elf);
	unmap(&file->image);
	unmap(&file->debug_image);
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
		name += !strncmp(name, ".zdebug", 7) ? 2 : 0;
		for (i = 0; i < P3_DEBUG_SECTIONS; i++)
			if (!strcmp(name, names[i] + (*name != '.')) &&
			    (data = elf_rawdata(section, NULL)) && data->d_buf)
				file->sections[i] =
					(struct p3_section){ data->d_buf, data->d_size };
	}
}

struct p3_section p3_file_debug_section(struct p3_file *file, enum p3_debug_section section)
{
	if (!file->has_sections && p3_file_dwarf(file))
		find_debug_sections(file);
	file->has_sections = true;
	return file->sections[section];
}

/* ---- symbols ---- */

static int compare_symbols(const void *left, const void *right)
{
	const struct p3_symbol *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* The versions of the dynamic symbols; NULL: they have none. */
static Elf_Data *find_versions(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_GNU_versym)
			return elf_getdata(section, NULL);
	return NULL;
}

/* One that only old programs are linked to: "cfree@GLIBC_2.2.5", not "free@@GLIBC_2.2.5". */
static bool is_hidden(Elf_Data *versions, size_t index)
{
	GElf_Versym version;

	return versions && gelf_getversym(versions, (int)index, &version) && (version & 0x8000);
}

static void read_symbols(struct p3_file *file, Elf *elf, unsigned int type)
{
	Elf_Data *versions = type == SHT_DYNSYM ? find_versions(elf) : NULL;
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
			/* gdb/minsyms.c, compare_minimal_symbols(): by where the name is; and
			 * gdb copies those of a .dynsym, one after the other. */
			*new = (struct p3_symbol){ symbol.st_value, symbol.st_size, name,
						   type != SHT_DYNSYM	    ? (uintptr_t)name
						   : is_hidden(versions, i) ? 0
									    : i };
		}
		p3_file_release(file, data->d_buf, data->d_size);
	}
}

static void read_all_symbols(struct p3_file *file)
{
	if (file->has_symbols)
		return;
	file->has_symbols = true;
	read_symbols(file, file->elf, SHT_SYMTAB);
	if (!file->symbols.count && file->debug_elf)
		read_symbols(file, file->debug_elf, SHT_SYMTAB);
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

/* In one symbol table; asked for the few locks of a deadlock, so nothing is kept. */
static const char *find_object(Elf *elf, uint64_t address, uint64_t *offset_ret)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data;
		size_t i;

		if (!gelf_getshdr(section, &header) ||
		    (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) ||
		    !header.sh_entsize || !(data = elf_getdata(section, NULL)))
			continue;
		for (i = 0; i < header.sh_size / header.sh_entsize; i++) {
			GElf_Sym symbol;

			if (!gelf_getsym(data, (int)i, &symbol) ||
			    GELF_ST_TYPE(symbol.st_info) != STT_OBJECT ||
			    address < symbol.st_value ||
			    address - symbol.st_value >= symbol.st_size)
				continue;
			*offset_ret = address - symbol.st_value;
			return elf_strptr(elf, header.sh_link, symbol.st_name);
		}
	}
	return NULL;
}

const char *p3_file_object(struct p3_file *file, uint64_t address, uint64_t *offset_ret)
{
	const char *name = find_object(file->elf, address, offset_ret);

	return name || !file->debug_elf ? name : find_object(file->debug_elf, address, offset_ret);
}

const struct p3_symbol *p3_file_functions(struct p3_file *file, size_t *count_ret)
{
	read_all_symbols(file);
	*count_ret = file->symbols.count;
	return file->symbols.items;
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

const char *p3_file_symbol_at(struct p3_file *file, uint64_t address)
{
	const struct p3_symbol *symbol = p3_file_symbol(file, address);

	return symbol && symbol->start == address ? symbol->name : NULL;
}

bool p3_elf_next_segment(Elf *elf, uint32_t type, size_t *index, GElf_Phdr *ret)
{
	size_t count;

	if (elf_getphdrnum(elf, &count) != 0)
		return false;
	while (*index < count)
		if (gelf_getphdr(elf, (int)(*index)++, ret) && ret->p_type == type)
			return true;
	return false;
}

/* Bytes of the code at a link-time address; false: there are none. */
static bool read_code(struct p3_file *file, uint64_t address, uint8_t *ret, size_t size)
{
	GElf_Phdr header;
	uint64_t offset;
	size_t i = 0;

	while (p3_elf_next_segment(file->elf, PT_LOAD, &i, &header)) {
		if (address < header.p_vaddr || address - header.p_vaddr >= header.p_filesz)
			continue;
		offset = header.p_offset + (address - header.p_vaddr);
		if (offset > file->image.size || size > file->image.size - offset)
			return false;
		memcpy(ret, file->image.data + offset, size);
		return true;
	}
	return false;
}

/* Is an indirect call of this many bytes before `end`? FF /2, Intel SDM volume 2. */
static bool is_indirect_call(const uint8_t *end, int size)
{
	uint8_t modrm = end[-size + 1], mode = modrm >> 6, base = modrm & 7;
	int expected = 2 + (base == 4 && mode != 3) + (mode == 1 ? 1 : mode == 2 ? 4 : 0);

	/* Relative to rip it is a call of something that has a name. */
	return end[-size] == 0xff && (modrm >> 3 & 7) == 2 && !(mode == 0 && base == 5) &&
	       expected == size;
}

bool p3_file_is_plain_call(struct p3_file *file, uint64_t pc, uint64_t callee)
{
	int machine = p3_file_machine(file), size;
	uint8_t code[8], there;
	uint64_t target;
	uint32_t word;
	int32_t offset;

	if (machine == EM_X86_64 && read_code(file, pc - 8, code, 8)) {
		memcpy(&offset, code + 4, sizeof(offset));
		target = pc + (uint64_t)(int64_t)offset;
		if (code[3] == 0xe8 && read_code(file, target, &there, 1))
			return target == callee;
		for (size = 2; size <= 7; size++)
			if (is_indirect_call(code + 8, size))
				return true;
	}
	if (machine == EM_AARCH64 && read_code(file, pc - 4, code, 4)) {
		memcpy(&word, code, sizeof(word));
		offset = (int32_t)(word << 6) >> 4; /* bl: 26 bits, of 4 bytes each */
		if ((word & 0xfc000000) == 0x94000000)
			return pc - 4 + (uint64_t)(int64_t)offset == callee;
		return (word & 0xfffffc1f) == 0xd63f0000; /* blr */
	}
	return false;
}

uint64_t p3_file_code_start(struct p3_file *file)
{
	GElf_Phdr header;
	size_t i = 0;

	while (p3_elf_next_segment(file->elf, PT_LOAD, &i, &header))
		if (header.p_flags & PF_X)
			return header.p_vaddr & ~(uint64_t)4095;
	return 0;
}

uint64_t p3_file_address(struct p3_file *file, uint64_t offset)
{
	GElf_Phdr header;
	size_t i = 0;

	while (p3_elf_next_segment(file->elf, PT_LOAD, &i, &header))
		if (offset >= header.p_offset && offset - header.p_offset < header.p_filesz)
			return header.p_vaddr + (offset - header.p_offset);
	return offset;
}
