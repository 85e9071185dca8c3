/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The native reader: open files for the session, and the choice of the unwinder. */
#include "native.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_IMAGE = 1 << 20 }; /* bytes of a vdso */

struct known_file {
	const char *path, *build_id;
	struct timespec changed; /* a file built anew is another one */
	struct p3_file *file;	 /* NULL: it could not be opened */
};

struct p3_native {
	struct p3_arena *arena;
	P3_LIST(struct known_file) files;
	struct p3_map *host_places; /* file -> map of link-time pc -> struct p3_places */
	struct p3_native_counts counts;
};

struct p3_native *p3_native_new(void)
{
	struct p3_native *native = calloc(1, sizeof(*native));

	if (!native)
		abort();
	native->arena = p3_arena_new();
	native->host_places = p3_map_new(native->arena);
	return native;
}

void p3_native_free(struct p3_native *native)
{
	size_t i;

	if (!native)
		return;
	for (i = 0; i < native->files.count; i++)
		p3_file_close(native->files.items[i].file);
	p3_arena_free(native->arena);
	free(native);
}

struct p3_native_counts p3_native_counts(const struct p3_native *native)
{
	return native->counts;
}

/* The vdso is in no file: its image is read from the process. */
static struct p3_error *open_image(struct p3_native *native, struct p3_target *target,
				   const struct p3_module *module, struct p3_file **ret)
{
	size_t size = module->end - module->start;
	void *image;

	if (module->end <= module->start || size > MAX_IMAGE)
		return p3_error_new(P3_BAD_DATA, "an image of %zu bytes", size);
	image = p3_arena_take(native->arena, size);
	P3_TRY(p3_read(target, module->start, image, size));
	return p3_file_open_image(image, size, ret);
}

struct p3_file *p3_native_file(struct p3_native *native, struct p3_target *target,
			       const struct p3_module *module)
{
	bool vdso = !strncmp(module->name, "linux-vdso", 10) || !strcmp(module->name, "[vdso]");
	const char *path = module->path ? module->path : vdso ? module->name : NULL;
	struct known_file *known;
	struct p3_error *error;
	struct stat status = { 0 };
	size_t i;

	if (!path || (!vdso && stat(path, &status) != 0))
		return NULL;
	for (i = 0; i < native->files.count; i++) {
		known = &native->files.items[i];
		if (!strcmp(known->path, path) && !strcmp(known->build_id, module->build_id) &&
		    !memcmp(&known->changed, &status.st_mtim, sizeof(known->changed)))
			return known->file;
	}
	known = p3_list_add(native->arena, &native->files);
	known->path = p3_arena_string(native->arena, path);
	known->build_id = p3_arena_string(native->arena, module->build_id);
	known->changed = status.st_mtim;
	error = vdso ? open_image(native, target, module, &known->file)
		     : p3_file_open(path, module->debug_path, &known->file);
	p3_error_free(error);
	return known->file;
}

/* By the file's ending; the host does not tell for an address. */
static const char *language_of(const char *file)
{
	const char *end = file ? strrchr(file, '.') : NULL;

	if (!end)
		return "c";
	return !strcmp(end, ".rs")						     ? "rust"
	       : !strcmp(end, ".cc") || !strcmp(end, ".cpp") || !strcmp(end, ".cxx") ? "c++"
	       : !strcmp(end, ".S") || !strcmp(end, ".s")			     ? "asm"
										     : "c";
}

/* What the host has already unpacked need not be unpacked again. */
static const struct p3_places *ask_host(struct p3_native *native, struct p3_target *target,
					struct p3_file *file, uint64_t bias, uint64_t pc)
{
	struct p3_host_places answer = { 0 };
	struct p3_places *places;
	struct p3_error *error;
	size_t i;

	error = p3_target_places(target, native->arena, pc + bias, &answer);
	if (error && error->code != P3_NOT_FOUND) {
		p3_error_free(error);
		return p3_file_places(file, pc);
	}
	p3_error_free(error);
	if (!answer.count)
		return p3_file_symbol_places(file, pc);
	places = p3_arena_take(native->arena, sizeof(*places));
	for (i = 0; i < answer.count; i++) {
		struct p3_place *place = p3_list_add(native->arena, places);

		place->name = answer.items[i].name;
		place->file = answer.items[i].file;
		place->line = answer.items[i].line;
		place->inlined = i + 1 < answer.count;
	}
	places->language = language_of(places->items[places->count - 1].file);
	places->entry = answer.entry - bias;
	places->at_inline_start = answer.at_inline_start;
	places->from_dwarf = true;
	return places;
}

const struct p3_places *p3_native_places(struct p3_native *native, struct p3_target *target,
					 struct p3_file *file, uint64_t bias, uint64_t pc)
{
	const struct p3_places *places;
	struct p3_map *map;
	void **slot;

	if (!p3_file_is_packed(file))
		return p3_file_places(file, pc);
	slot = p3_map_slot(native->host_places, (uint64_t)(uintptr_t)file);
	if (!*slot)
		*slot = p3_map_new(native->arena);
	map = *slot;
	slot = p3_map_slot(map, pc);
	if (!*slot) {
		places = ask_host(native, target, file, bias, pc);
		slot = p3_map_slot(map, pc);
		*slot = (void *)(uintptr_t)places;
	}
	return *slot;
}

const char *p3_native_symbol(struct p3_native *native, struct p3_target *target,
			     const struct p3_modules *modules, uint64_t address)
{
	const struct p3_module *module = p3_modules_at(modules, address);
	struct p3_file *file = module ? p3_native_file(native, target, module) : NULL;

	return file ? p3_file_symbol_at(file, address - module->bias) : NULL;
}

/* Where the functions of the host's frames start, which it does not tell. */
static void find_entries(struct p3_native *native, struct p3_target *target,
			 const struct p3_modules *modules, struct p3_native_frames *frames)
{
	size_t i;

	for (i = 0; i < frames->count; i++) {
		struct p3_native_frame *frame = &frames->items[i];
		uint64_t pc = frame->pc - (frame->level != 0);
		const struct p3_module *module = p3_modules_at(modules, pc);
		struct p3_file *file = NULL;
		const struct p3_places *places;

		if (frame->kind == P3_FRAME_NORMAL && module)
			file = p3_native_file(native, target, module);
		if (!file)
			continue;
		places = p3_native_places(native, target, file, module->bias, pc - module->bias);
		frame->entry = places->entry ? places->entry + module->bias : 0;
	}
}

struct p3_error *p3_native_unwind(struct p3_native *native, enum p3_unwinder unwinder,
				  struct p3_target *target, const struct p3_modules *modules,
				  struct p3_arena *arena, uint32_t thread,
				  struct p3_native_frames *ret)
{
	struct p3_error *error;

	if (unwinder != P3_UNWINDER_GDB) {
		error = p3_native_unwind_own(native, target, modules, arena, thread, ret);
		if (!error) {
			native->counts.own++;
			return NULL;
		}
		if (unwinder == P3_UNWINDER_OWN || error->code == P3_HOST)
			return error;
		native->counts.why_host = p3_arena_string(native->arena, error->message);
		p3_error_free(error);
	}
	native->counts.host++;
	P3_TRY(p3_native_unwind_host(target, arena, thread, ret));
	find_entries(native, target, modules, ret);
	return NULL;
}

const char *p3_native_object(struct p3_native *native, struct p3_target *target,
			     const struct p3_modules *modules, uint64_t address,
			     uint64_t *offset_ret)
{
	const struct p3_module *module = p3_modules_at(modules, address);
	struct p3_file *file = module ? p3_native_file(native, target, module) : NULL;

	return file ? p3_file_object(file, address - module->bias, offset_ret) : NULL;
}

const struct p3_type *p3_native_parameter(struct p3_native *native, struct p3_target *target,
					  const struct p3_modules *modules, uint64_t address,
					  const char *name)
{
	const struct p3_module *module = p3_modules_at(modules, address);
	struct p3_file *file = module ? p3_native_file(native, target, module) : NULL;

	return file ? p3_file_parameter(file, address - module->bias, name) : NULL;
}
