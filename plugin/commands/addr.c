/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pyo3-addr: what is at an address of a module, with or without a process. Understands what is
 * pasted: the kernel's "segfault at ..." line (arch/x86/mm/fault.c, print_vma_addr() of
 * mm/memory.c), faulthandler's "Binary file ..." (Python/traceback.c, _Py_DumpStack), or a module
 * and an offset.
 */
#include "commands.h"

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for. */
struct request {
	char module[512]; /* a path, or the end of one */
	char symbol[256]; /* "": `offset` is an address of the file, else behind the symbol */
	uint64_t offset;
	bool in_mapping; /* `offset` is in the mapping of the code: the kernel's older line */
	bool in_file;	 /* it is of the file: the newer one */
};

static struct p3_error *usage(void)
{
	return p3_error_hint(
		p3_error_new(P3_USAGE, "pyo3-addr: what to look for is not clear"),
		"usage: pyo3-addr MODULE +0xOFFSET, or pyo3-addr followed by a line of "
		"the kernel (\"... segfault at ... in x.so[...]\") or of faulthandler "
		"(\"Binary file ...\")");
}

static bool copy(char *to, size_t room, const char *from, size_t size)
{
	if (!size || size >= room)
		return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

/* "python3[12]: segfault at 10 ip 00007f1 sp 00007ffe error 4 in x.so[29000,7f0+21000]" */
static bool parse_kernel(const char *line, struct request *ret)
{
	const char *ip = strstr(line, " ip "), *in = strstr(line, " in "), *open;
	uint64_t first, pc;
	char *end;

	if (!ip || !in || ip > in || !(open = strchr(in, '[')))
		return false;
	if (ip[4] == ':') /* "general protection fault ip:7f1 sp:..." */
		ip++;
	pc = strtoull(ip + 4, NULL, 16);
	if (!copy(ret->module, sizeof(ret->module), in + 4, (size_t)(open - in - 4)))
		return false;
	first = strtoull(open + 1, &end, 16);
	if (*end == ',') { /* newer ones: the offset in the file, and the mapping */
		ret->offset = first;
		ret->in_file = true;
		return true;
	}
	ret->offset = pc - first;
	ret->in_mapping = true;
	return *end == '+' && pc >= first;
}

/* 'Binary file "/x.so", at PyInit_x+0x12 [0x7f...]', or 'at +0x14fa45'; gdb may have taken the
 * quotes for its own. */
static bool parse_faulthandler(const char *line, struct request *ret)
{
	const char *file = strstr(line, "Binary file "), *end = file ? strstr(file, ", at ") : NULL;
	const char *at = end ? end + 5 : NULL, *plus = at ? strchr(at, '+') : NULL;

	if (!plus)
		return false;
	file += 12;
	if (*file == '"' && end[-1] == '"') {
		file++;
		end--;
	}
	if (end <= file || !copy(ret->module, sizeof(ret->module), file, (size_t)(end - file)) ||
	    (plus > at && !copy(ret->symbol, sizeof(ret->symbol), at, (size_t)(plus - at))))
		return false;
	ret->offset = strtoull(plus + 1, NULL, 16);
	return true;
}

static bool parse_plain(char **words, size_t count, struct request *ret)
{
	const char *text = count == 2 ? words[1] : NULL;
	char *end;

	if (!text || !copy(ret->module, sizeof(ret->module), words[0], strlen(words[0])))
		return false;
	text += *text == '+';
	ret->offset = strtoull(text, &end, 0);
	return end > text && !*end;
}

static bool parse(char **words, size_t count, struct request *ret)
{
	struct p3_text line P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *text;
	size_t i;

	for (i = 0; i < count; i++)
		p3_text_printf(&line, "%s%s", i ? " " : "", words[i]);
	text = p3_text_string(&line);
	*ret = (struct request){ 0 };
	return parse_plain(words, count, ret) || parse_kernel(text, ret) ||
	       parse_faulthandler(text, ret);
}

/* The process's module of that name, or NULL. */
static struct p3_module *find_module(struct p3_command_context *context, const char *name)
{
	const struct p3_snapshot *snapshot;
	struct p3_error *error = p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot);
	size_t i, size = strlen(name);

	if (error) {
		p3_error_free(error);
		return NULL;
	}
	for (i = 0; i < snapshot->modules.count; i++) {
		struct p3_module *module = &snapshot->modules.items[i];
		size_t all = strlen(module->name);

		if (all >= size && !strcmp(module->name + all - size, name) &&
		    (all == size || *name == '/' || module->name[all - size - 1] == '/'))
			return module;
	}
	return NULL;
}

static void add_place(const struct p3_places *places, size_t index, struct p3_text *text)
{
	const struct p3_place *place = &places->items[index];
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	p3_rust_name(place->name ? place->name : "??", &name);
	p3_text_printf(text, "  %s", p3_text_string(&name));
	if (place->file) {
		p3_text_add(text, " at ");
		p3_text_add_safe(text, place->file, strlen(place->file), 0);
		p3_text_printf(text, ":%" PRIu32, place->line);
	}
	p3_text_add(text, place->inlined ? " (inlined)\n" : "\n");
}

/* What Python calls the function, if it is one of a process's. */
static void add_python_name(struct p3_command_context *context, const struct p3_module *module,
			    uint64_t entry, struct p3_text *text)
{
	const struct p3_snapshot *snapshot;
	struct p3_error *error = p3_session_snapshot(context->session, P3_NO_THREADS, &snapshot);
	void **name;

	if (error || !snapshot->runtimes.count || !snapshot->runtimes.items[0]->layout) {
		p3_error_free(error);
		return;
	}
	name = p3_map_find(
		p3_session_natives(context->session, snapshot->runtimes.items[0], module),
		entry + module->bias);
	if (name && *name)
		p3_text_printf(text, "  called as %s\n", (const char *)*name);
}

static struct p3_error *answer(struct p3_command_context *context, struct p3_file *file,
			       const struct request *request, const char *path,
			       const struct p3_module *module, struct p3_text *text)
{
	struct p3_file_facts facts;
	const struct p3_places *places;
	uint64_t address = request->offset, start;
	size_t i;

	P3_TRY(p3_elf_facts(path, module ? module->debug_path : NULL, &facts));
	if (*request->symbol) {
		start = p3_file_symbol_address(file, request->symbol);
		if (!start)
			return p3_error_new(P3_NOT_FOUND, "there is no symbol \"%s\" in %s",
					    request->symbol, path);
		address += start;
	} else if (request->in_mapping) {
		address += p3_file_code_start(file);
	} else if (request->in_file) {
		address = p3_file_address(file, address);
	}
	p3_text_add_safe(text, path, strlen(path), 0);
	p3_text_printf(text, " +0x%" PRIx64 ", build-id %s\n", address,
		       *facts.build_id ? facts.build_id : "none");
	if (module && *module->build_id && *facts.build_id &&
	    strcmp(module->build_id, facts.build_id) != 0)
		p3_text_add(text,
			    "  warning: it is not the file that was running (build-id differs)\n");
	if (address < facts.low || address >= facts.high)
		return p3_error_new(P3_NOT_FOUND,
				    "0x%" PRIx64 " is not in %s (0x%" PRIx64 " to 0x%" PRIx64 ")",
				    address, path, facts.low, facts.high);
	places = p3_file_places(file, address);
	for (i = 0; i < places->count; i++)
		add_place(places, i, text);
	if (!places->count && places->entry)
		p3_text_printf(text,
			       "  in a function without a name that starts at +0x%" PRIx64 "\n",
			       places->entry);
	if (module && places->entry)
		add_python_name(context, module, places->entry, text);
	if (!places->count && !places->entry)
		p3_text_add(text, "  nothing is known of this address\n");
	return NULL;
}

struct p3_error *p3_command_addr(struct p3_command_context *context, char **words, size_t count)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_file *file = NULL;
	const struct p3_module *module;
	struct request request;
	struct p3_error *error;
	const char *path;

	if (!parse(words, count, &request))
		return usage();
	module = find_module(context, request.module);
	path = module && module->path ? module->path : request.module;
	error = p3_file_open(path, module ? module->debug_path : NULL, &file);
	if (error)
		return p3_error_hint(error, "give the path of the file, or open a process or core "
					    "that has it loaded");
	error = answer(context, file, &request, path, module, &text);
	p3_file_close(file);
	P3_TRY(error);
	return p3_command_write(context, p3_text_string(&text));
}
