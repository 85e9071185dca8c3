/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Modules from the process's own link map, by memory reads alone, so that it
 * works the same live, on a core and over gdbserver:
 *
 *	auxv AT_PHDR -> program headers -> PT_DYNAMIC -> DT_DEBUG -> r_debug -> link_map
 *
 * The bias of the executable comes from PT_PHDR (or, without one, from the
 * segment that maps the headers), never from "map start - file offset": LLD's
 * text segment makes these differ. Refuses: more than P3_MAX_MODULES entries.
 * Source: glibc elf/link.h; System V ABI, "Auxiliary Vector", "Program Header".
 */
#include <pyo3-gdb/target.h>

#include <elf.h>
#include <string.h>

enum {
	MAX_HEADERS = 256,  /* program headers of one module */
	MAX_DYNAMIC = 4096, /* entries of the executable's dynamic section */
	MAX_NOTES = 4096,   /* bytes of one note segment */
	MAX_NAME = 4096,
};

/* The start of glibc's struct link_map, and of struct r_debug. */
struct link_map_head {
	uint64_t bias, name, dynamic, next, previous;
};

struct r_debug_head {
	int32_t version, unused;
	uint64_t map;
};

static uint64_t auxv_value(const struct p3_process *process, uint64_t type)
{
	size_t i;

	for (i = 0; i + 16 <= process->auxv_size; i += 16) {
		uint64_t entry[2];

		memcpy(entry, process->auxv + i, sizeof(entry));
		if (entry[0] == type)
			return entry[1];
	}
	return 0;
}

struct headers {
	Elf64_Phdr *items;
	size_t count;
};

static struct p3_error *read_headers(struct p3_target *target, uint64_t address, uint64_t count,
				     struct headers *ret)
{
	struct p3_arena *arena = p3_target_arena(target);

	if (count > MAX_HEADERS)
		return p3_error_new(P3_BAD_DATA, "%llu program headers", (unsigned long long)count);
	ret->items = p3_arena_take(arena, count * sizeof(*ret->items));
	ret->count = count;
	return p3_read(target, address, ret->items, count * sizeof(*ret->items));
}

/* Read the headers of the module whose ELF header is mapped at this address. */
static struct p3_error *read_elf_header(struct p3_target *target, uint64_t address,
					struct headers *ret)
{
	Elf64_Ehdr header;

	P3_TRY(p3_read(target, address, &header, sizeof(header)));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64)
		return p3_error_new(P3_BAD_DATA, "no ELF header");
	return read_headers(target, address + header.e_phoff, header.e_phnum, ret);
}

static void read_build_id(struct p3_target *target, const Elf64_Phdr *note, uint64_t bias,
			  char *build_id)
{
	uint64_t at = bias + note->p_vaddr, end = at + note->p_memsz;

	if (note->p_memsz > MAX_NOTES)
		return;
	while (at + sizeof(Elf64_Nhdr) <= end) {
		Elf64_Nhdr header;
		uint8_t bytes[4 + 32];
		struct p3_error *error = p3_read(target, at, &header, sizeof(header));
		uint64_t size;
		size_t i;

		if (error) {
			p3_error_free(error);
			return;
		}
		size = sizeof(header) + ((uint64_t)header.n_namesz + 3) / 4 * 4 +
		       ((uint64_t)header.n_descsz + 3) / 4 * 4;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    header.n_descsz <= 32) {
			error = p3_read(target, at + sizeof(header), bytes, 4 + header.n_descsz);
			if (!error && !memcmp(bytes, "GNU", 4))
				for (i = 0; i < header.n_descsz; i++) {
					static const char digits[] = "0123456789abcdef";

					build_id[2 * i] = digits[bytes[4 + i] >> 4];
					build_id[2 * i + 1] = digits[bytes[4 + i] & 15];
				}
			p3_error_free(error);
		}
		at += size;
	}
}

/* What the module spans, and its build-id. */
static void use_headers(struct p3_target *target, const struct headers *headers,
			struct p3_module *module)
{
	uint64_t low = UINT64_MAX, high = 0;
	size_t i;

	for (i = 0; i < headers->count; i++) {
		const Elf64_Phdr *header = &headers->items[i];

		if (header->p_type == PT_LOAD && header->p_memsz) {
			if (header->p_vaddr < low)
				low = header->p_vaddr;
			if (header->p_vaddr + header->p_memsz > high)
				high = header->p_vaddr + header->p_memsz;
		} else if (header->p_type == PT_NOTE && !*module->build_id) {
			read_build_id(target, header, module->bias, module->build_id);
		}
	}
	if (low < high) {
		module->start = module->bias + low;
		module->end = module->bias + high;
	}
}

static void find_file(struct p3_target *target, struct p3_module *module)
{
	struct p3_host_file file = { 0 };
	struct p3_error *error = p3_target_file(target, module->name, module->build_id, &file);

	module->path = file.path;
	module->debug_path = file.debug_path;
	module->facts = file.facts;
	p3_error_free(error);
}

static struct p3_error *find_debug_map(struct p3_target *target, const struct headers *headers,
				       uint64_t bias, uint64_t *ret)
{
	size_t i, j;

	for (i = 0; i < headers->count; i++) {
		const Elf64_Phdr *header = &headers->items[i];

		if (header->p_type != PT_DYNAMIC)
			continue;
		for (j = 0; j < MAX_DYNAMIC && j < header->p_memsz / sizeof(Elf64_Dyn); j++) {
			Elf64_Dyn entry;
			struct r_debug_head debug;

			P3_TRY(p3_read(target, bias + header->p_vaddr + j * sizeof(entry), &entry,
				       sizeof(entry)));
			if (entry.d_tag == DT_NULL)
				break;
			if (entry.d_tag != DT_DEBUG)
				continue;
			if (!entry.d_un.d_ptr)
				return p3_error_new(P3_NOT_FOUND,
						    "the dynamic linker has not run yet");
			P3_TRY(p3_read(target, entry.d_un.d_ptr, &debug, sizeof(debug)));
			*ret = debug.map;
			return NULL;
		}
	}
	return p3_error_new(P3_NOT_FOUND, "the executable is not dynamically linked");
}

static struct p3_error *walk_link_map(struct p3_target *target, uint64_t map,
				      struct p3_modules *ret)
{
	struct p3_arena *arena = p3_target_arena(target);
	uint64_t mark = 0, steps = 0, limit = 1;
	bool first = true;

	for (; map; first = false) {
		struct link_map_head head;
		struct p3_module *module;
		struct headers headers;
		struct p3_error *error;
		const char *name;

		/* Brent's algorithm: a list that comes back to an earlier entry */
		if (map == mark || ret->count >= P3_MAX_MODULES)
			return p3_error_new(P3_BAD_DATA, "the link map does not end");
		if (steps++ == limit) {
			mark = map;
			limit = limit * 2 + 1;
		}
		P3_TRY(p3_read(target, map, &head, sizeof(head)));
		map = head.next;
		if (first) /* the executable, which is there already */
			continue;
		P3_TRY(p3_read_string(target, head.name, MAX_NAME, arena, &name));
		module = p3_list_add(arena, ret);
		module->name = *name ? name : "[unnamed]";
		module->bias = head.bias;
		/* A shared object's first segment holds its ELF header and starts at 0. */
		error = read_elf_header(target, head.bias, &headers);
		if (!error)
			use_headers(target, &headers, module);
		p3_error_free(error);
		find_file(target, module);
	}
	return NULL;
}

struct p3_error *p3_target_modules(struct p3_target *target, struct p3_modules *ret)
{
	struct p3_arena *arena = p3_target_arena(target);
	const struct p3_process *process;
	struct p3_modules modules = { 0 };
	struct headers headers = { 0 };
	struct p3_error *error;
	struct p3_module *module;
	uint64_t address, map = 0, vdso;
	size_t i;

	P3_TRY(p3_target_process(target, &process));
	module = p3_list_add(arena, &modules);
	module->name = process->executable;
	if (!module->name) { /* a core alone: the name it was started by is in its memory */
		error = p3_read_string(target, auxv_value(process, AT_EXECFN), MAX_NAME, arena,
				       &module->name);
		if (error || !*module->name)
			module->name = "[executable]";
		p3_error_free(error);
	}
	address = auxv_value(process, AT_PHDR);
	error = read_headers(target, address, auxv_value(process, AT_PHNUM), &headers);
	for (i = 0; !error && i < headers.count; i++) {
		const Elf64_Phdr *header = &headers.items[i];

		if (header->p_type == PT_PHDR) {
			module->bias = address - header->p_vaddr;
			break;
		}
		if (header->p_type == PT_LOAD && header->p_offset == 0)
			module->bias = address - sizeof(Elf64_Ehdr) - header->p_vaddr;
	}
	if (!error) {
		use_headers(target, &headers, module);
		find_file(target, module);
		error = find_debug_map(target, &headers, module->bias, &map);
	} else {
		find_file(target, module);
		error = p3_error_context(error, "program headers of the executable");
	}
	if (!error)
		error = walk_link_map(target, map, &modules);
	vdso = auxv_value(process, AT_SYSINFO_EHDR);
	if (vdso) {
		struct headers vdso_headers;
		struct p3_error *vdso_error = read_elf_header(target, vdso, &vdso_headers);

		if (!vdso_error && !p3_modules_at(&modules, vdso)) {
			module = p3_list_add(arena, &modules);
			module->name = "[vdso]";
			module->bias = vdso;
			use_headers(target, &vdso_headers, module);
		}
		p3_error_free(vdso_error);
	}
	if (error)
		modules.incomplete = p3_arena_string(arena, error->message);
	p3_error_free(error);
	*ret = modules;
	return NULL;
}

struct p3_module *p3_modules_at(const struct p3_modules *modules, uint64_t address)
{
	size_t i;

	for (i = 0; i < modules->count; i++)
		if (address >= modules->items[i].start && address < modules->items[i].end)
			return &modules->items[i];
	return NULL;
}
