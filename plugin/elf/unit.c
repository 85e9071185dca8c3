/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Functions, inline chains and lines of a pc, from DWARF 4 and 5. A unit is
 * walked once, at the first pc in it: its functions by address, and for every
 * subprogram the scope that qualifies its name. libdw's own dwarf_getscopes()
 * does not enter Rust's namespaces (facts/rust.md 0.1), so the descent is ours.
 * Refuses: trees deeper than MAX_DEPTH, units with more DIEs than MAX_DIES.
 */
#include "elf_file.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_DEPTH = 64,
	MAX_DIES = 20000000,
	MAX_INLINES = 256,  /* levels of inlining at one pc */
	MAX_LINKS = 8,	    /* abstract_origin and specification in a row */
	MAX_CHAIN = 32,	    /* tail calls in a row */
	MAX_SEARCH = 20000, /* functions visited in the search for tail calls */
};

/* Namespace, struct ...: what qualifies the names in it. */
struct scope {
	const struct scope *parent;
	const char *name; /* NULL: anonymous */
};

struct function {
	uint64_t low, high;
	uint64_t entry; /* where it starts; a .cold part starts elsewhere */
	Dwarf_Off die;
};

struct call_site {
	uint64_t pc;	  /* behind the call */
	Dwarf_Die target; /* what it calls: in another unit, or in dwz's common file */
	bool has_target;
	bool tail;
	Dwarf_Off caller; /* the function's DIE */
};

struct p3_unit {
	Dwarf_Die die;
	const char *folder; /* DW_AT_comp_dir; NULL */
	const char *language;
	P3_LIST(struct function) functions; /* sorted by low; a function may have several */
	struct p3_map *scopes;		    /* offset of a subprogram's DIE -> its scope */
	bool has_calls;
	P3_LIST(struct call_site) calls; /* sorted by pc */
};

static struct p3_unit *find_unit(struct p3_file *file, Dwarf_Die *unit_die);

/* ---- walking a unit ---- */

struct walk {
	struct p3_file *file;
	struct p3_unit *unit;
	size_t dies;
};

/* DIEs that can have subprograms below them. */
static bool is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_variant_part:
	case DW_TAG_variant:
	case DW_TAG_module:
		return true;
	default:
		return false;
	}
}

static void add_function(struct walk *walk, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high, entry = 0;
	ptrdiff_t at = 0;
	bool first = true;

	if (!dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges))
		return;
	if (dwarf_entrypc(die, &entry) != 0)
		entry = 0;
	while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		struct function *function;

		if (low >= high)
			continue;
		if (first && !entry)
			entry = low;
		first = false;
		function = p3_list_add(walk->file->arena, &walk->unit->functions);
		*function = (struct function){ low, high, entry, dwarf_dieoffset(die) };
	}
}

static void walk_children(struct walk *walk, Dwarf_Die *parent, const struct scope *scope,
			  int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (++walk->dies > MAX_DIES)
			return;
		if (tag == DW_TAG_subprogram) {
			struct scope *own;

			*p3_map_slot(walk->unit->scopes, dwarf_dieoffset(&die)) =
				(void *)(uintptr_t)scope;
			add_function(walk, &die);
			/* Functions within functions: Rust's items, C++'s lambdas. */
			if (!dwarf_haschildren(&die) || strcmp(walk->unit->language, "c") == 0)
				continue;
			own = p3_arena_take(walk->file->arena, sizeof(*own));
			*own = (struct scope){ scope, dwarf_diename(&die) };
			walk_children(walk, &die, own, depth + 1);
		} else if (is_scope(tag) && dwarf_haschildren(&die)) {
			struct scope *own = p3_arena_take(walk->file->arena, sizeof(*own));

			*own = (struct scope){ scope, dwarf_diename(&die) };
			walk_children(walk, &die, own, depth + 1);
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int compare_functions(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

static const char *language_of(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_Rust:
		return "rust";
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case 0x2b: /* DW_LANG_C_plus_plus_17 */
	case 0x2c: /* DW_LANG_C_plus_plus_20 */
		return "c++";
	case DW_LANG_Mips_Assembler:
		return "asm";
	default:
		return "c";
	}
}

static struct p3_unit *find_unit(struct p3_file *file, Dwarf_Die *unit_die)
{
	/* Offsets are of one file: dwz's common one has its own. */
	uint64_t common = dwarf_cu_getdwarf(unit_die->cu) == file->dwarf ? 0 : (uint64_t)1 << 63;
	void **slot = p3_map_slot(file->units, dwarf_dieoffset(unit_die) | common);
	struct walk walk = { .file = file };
	Dwarf_Attribute attribute;
	struct p3_unit *unit = *slot;

	if (unit)
		return unit;
	unit = p3_arena_take(file->arena, sizeof(*unit));
	*slot = unit;
	unit->die = *unit_die;
	unit->folder = dwarf_formstring(dwarf_attr(unit_die, DW_AT_comp_dir, &attribute));
	unit->language = language_of(unit_die);
	unit->scopes = p3_map_new(file->arena);
	walk.unit = unit;
	walk_children(&walk, unit_die, NULL, 0);
	if (unit->functions.count)
		qsort(unit->functions.items, unit->functions.count, sizeof(*unit->functions.items),
		      compare_functions);
	return unit;
}

/* ---- which unit ---- */

static int compare_ranges(const void *left, const void *right)
{
	const struct p3_unit_range *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* Without .debug_aranges (clang): the ranges of all units. */
static void read_unit_ranges(struct p3_file *file)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	while (dwarf_get_units(file->dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0) {
		Dwarf_Addr base, low, high;
		ptrdiff_t at = 0;

		while ((at = dwarf_ranges(&die, at, &base, &low, &high)) > 0) {
			struct p3_unit_range *range;

			if (low >= high)
				continue;
			range = p3_list_add(file->arena, &file->unit_ranges);
			*range = (struct p3_unit_range){ low, high, dwarf_dieoffset(&die) };
		}
	}
	if (file->unit_ranges.count)
		qsort(file->unit_ranges.items, file->unit_ranges.count,
		      sizeof(*file->unit_ranges.items), compare_ranges);
}

static struct p3_unit *unit_at(struct p3_file *file, uint64_t pc)
{
	Dwarf_Arange *arange;
	Dwarf_Off offset;
	Dwarf_Die die;
	size_t low = 0, high;

	if (!file->dwarf)
		return NULL;
	if (!file->looked_for_aranges) {
		file->looked_for_aranges = true;
		if (dwarf_getaranges(file->dwarf, &file->aranges, &file->arange_count) != 0)
			file->aranges = NULL;
	}
	arange = file->aranges ? dwarf_getarange_addr(file->aranges, pc) : NULL;
	if (arange && dwarf_getarangeinfo(arange, NULL, NULL, &offset) == 0 &&
	    dwarf_offdie(file->dwarf, offset, &die))
		return find_unit(file, &die);
	/* Units of another compiler may have none. */
	if (!file->unit_ranges.count)
		read_unit_ranges(file);
	high = file->unit_ranges.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->unit_ranges.items[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || pc >= file->unit_ranges.items[low - 1].high ||
	    !dwarf_offdie(file->dwarf, file->unit_ranges.items[low - 1].unit, &die))
		return NULL;
	return find_unit(file, &die);
}

static const struct function *function_at(const struct p3_unit *unit, uint64_t pc)
{
	size_t low = 0, high = unit->functions.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit->functions.items[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	/* A function within another one comes later: the innermost that holds it. */
	for (high = low; high > 0 && low - high < 16; high--)
		if (pc < unit->functions.items[high - 1].high)
			return &unit->functions.items[high - 1];
	return NULL;
}

/* ---- names ---- */

static void add_scope(struct p3_text *text, const struct scope *scope)
{
	if (!scope)
		return;
	add_scope(text, scope->parent);
	if (scope->name)
		p3_text_printf(text, "%s::", scope->name);
}

/* Follow abstract_origin and specification to the DIE that has the name and scope. */
static bool follow(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;
	int i;

	*ret = *die;
	for (i = 0; i < MAX_LINKS; i++) {
		Dwarf_Attribute *link = dwarf_attr(ret, DW_AT_abstract_origin, &attribute);
		Dwarf_Die next;

		if (!link)
			link = dwarf_attr(ret, DW_AT_specification, &attribute);
		if (!link)
			return true;
		if (!dwarf_formref_die(link, &next))
			return false;
		*ret = next;
	}
	return false;
}

/* C's symbols are known by their linkage name, where glibc gives one; as gdb does. */
static const char *linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name =
		dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

	return name ? name
		    : dwarf_formstring(
			      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
}

static const char *function_name(struct p3_file *file, Dwarf_Die *die)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	Dwarf_Die origin, unit_die;
	struct p3_unit *unit;
	const char *name;
	void **scope;

	if (!follow(die, &origin) || !dwarf_diecu(&origin, &unit_die, NULL, NULL))
		return dwarf_diename(die);
	unit = find_unit(file, &unit_die);
	if (!strcmp(unit->language, "c") || !strcmp(unit->language, "asm")) {
		name = linkage_name(die);
		return name ? name : dwarf_diename(&origin);
	}
	name = dwarf_diename(&origin);
	scope = p3_map_find(unit->scopes, dwarf_dieoffset(&origin));
	if (!name || !scope || !*scope)
		return name;
	add_scope(&text, *scope);
	p3_text_add(&text, name);
	return p3_arena_string(file->arena, p3_text_string(&text));
}

/* ---- lines ---- */

/*
 * A file as the compiler was given it, as gdb shows it: libdw puts the unit's
 * folder before relative names. The unit's own file is called as the unit is.
 */
static const char *plain_file(const struct p3_unit *unit, const char *file)
{
	const char *name = dwarf_diename((Dwarf_Die *)&unit->die);
	size_t size = unit->folder ? strlen(unit->folder) : 0;

	if (!file || (name && !strcmp(file, name)))
		return file;
	if (!size || strncmp(file, unit->folder, size) != 0 || file[size] != '/')
		return file;
	/* A file right in a relative folder, as Debian's glibc has them, is called with it. */
	if (unit->folder[0] == '/' || strchr(file + size + 1, '/'))
		return file + size + 1;
	return file;
}

/* A row of the line table, as far as a pc's line depends on it. */
struct row {
	Dwarf_Addr address;
	const char *file;
	int line;
	bool statement, end;
};

static bool read_row(Dwarf_Lines *lines, size_t index, struct row *ret)
{
	Dwarf_Line *line = dwarf_onesrcline(lines, index);

	if (!line || dwarf_lineaddr(line, &ret->address) != 0 ||
	    dwarf_lineno(line, &ret->line) != 0 ||
	    dwarf_linebeginstatement(line, &ret->statement) != 0 ||
	    dwarf_lineendsequence(line, &ret->end) != 0)
		return false;
	ret->file = dwarf_linesrc(line, NULL, NULL);
	return ret->file != NULL;
}

/*
 * Of several rows with one address the last one counts, but for rows without a
 * line, and those that begin no statement, in another file, behind one that does:
 * as gdb does it (gdb/dwarf2/read.c, lnp_state_machine::record_line; symtab.c,
 * find_pc_sect_line).
 */
static bool best_row(Dwarf_Lines *lines, size_t first, size_t end, struct row *ret)
{
	bool found = false, statement_seen = false;
	struct row best = { 0 }, row;
	size_t i;

	for (i = first; i < end; i++) {
		if (!read_row(lines, i, &row) || row.end || !row.line)
			continue;
		if (found && statement_seen && !row.statement && row.file != best.file)
			continue;
		/* Within a file, one that begins a statement stays. */
		if (found && best.statement && !row.statement && row.file == best.file)
			continue;
		statement_seen |= row.statement;
		best = row;
		found = true;
	}
	if (found)
		*ret = best;
	return found;
}

static void use_line(struct p3_unit *unit, uint64_t pc, struct p3_place *place)
{
	Dwarf_Lines *lines;
	size_t count, low = 0, high, first;
	struct row row;

	if (dwarf_getsrclines(&unit->die, &lines, &count) != 0)
		return;
	high = count;
	while (low < high) { /* the first row behind pc */
		size_t middle = low + (high - low) / 2;
		Dwarf_Line *line = dwarf_onesrcline(lines, middle);
		Dwarf_Addr address;

		if (!line || dwarf_lineaddr(line, &address) != 0)
			return;
		if (address <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	/* Back to the nearest address whose rows have a line. */
	for (; low > 0; low = first) {
		if (!read_row(lines, low - 1, &row))
			return;
		for (first = low - 1; first > 0; first--) {
			struct row before;

			if (!read_row(lines, first - 1, &before) || before.address != row.address)
				break;
		}
		if (best_row(lines, first, low, &row)) {
			place->file = plain_file(unit, row.file);
			place->line = (uint32_t)row.line;
			return;
		}
		if (row.end) /* pc is in a gap */
			return;
	}
}

static void use_call_line(struct p3_unit *unit, Dwarf_Die *inlined, struct p3_place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word number, index;
	size_t count;

	/* Without a line, gdb does not pretend to know the file. */
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) != 0 ||
	    !number)
		return;
	place->line = (uint32_t)number;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &index) == 0 &&
	    dwarf_getsrcfiles(&unit->die, &files, &count) == 0 && index < count)
		place->file = plain_file(unit, dwarf_filesrc(files, index, NULL, NULL));
}

/* ---- a pc's places ---- */

/* The inlined subroutines that hold pc, outermost first. */
struct chain {
	Dwarf_Die dies[MAX_INLINES];
	size_t count;
};

static void find_inlines(Dwarf_Die *parent, uint64_t pc, int depth, struct chain *chain)
{
	Dwarf_Die die;

	if (depth > MAX_INLINES || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block &&
		    tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
			continue;
		if (dwarf_haspc(&die, pc) != 1)
			continue;
		if (tag == DW_TAG_inlined_subroutine && chain->count < MAX_INLINES)
			chain->dies[chain->count++] = die;
		find_inlines(&die, pc, depth + 1, chain);
		return;
	} while (dwarf_siblingof(&die, &die) == 0);
}

static bool use_dwarf(struct p3_file *file, uint64_t pc, struct p3_places *places)
{
	struct p3_unit *unit = unit_at(file, pc);
	const struct function *function = unit ? function_at(unit, pc) : NULL;
	struct chain chain;
	struct p3_place *place;
	Dwarf_Die die;
	size_t i;

	if (!function || !dwarf_offdie(file->dwarf, function->die, &die))
		return false;
	chain.count = 0;
	find_inlines(&die, pc, 0, &chain);
	places->language = unit->language;
	places->entry = function->entry;
	places->from_dwarf = true;
	/* As gdb's block_starting_point_at(): it may have been entered elsewhere than at its
	 * first address. */
	places->at_inline_start =
		chain.count && dwarf_haspc(&chain.dies[chain.count - 1], pc - 1) != 1;
	for (i = chain.count + 1; i-- > 0;) {
		Dwarf_Die *at = i ? &chain.dies[i - 1] : &die;

		place = p3_list_add(file->arena, places);
		place->name = function_name(file, at);
		place->inlined = i > 0;
		if (i == chain.count)
			use_line(unit, pc, place);
		else
			use_call_line(unit, &chain.dies[i], place);
	}
	return true;
}

const struct p3_places *p3_file_places(struct p3_file *file, uint64_t pc)
{
	void **known = p3_map_find(file->places, pc);
	struct p3_places *places;

	if (known)
		return *known;
	places = p3_arena_take(file->arena, sizeof(*places));
	if (!use_dwarf(file, pc, places)) {
		const struct p3_symbol *symbol = p3_file_symbol(file, pc);

		struct p3_unit *unit = unit_at(file, pc);

		if (symbol) {
			struct p3_place *place = p3_list_add(file->arena, places);

			place->name = symbol->name;
			places->entry = symbol->start;
			/* gcc may describe a function without saying where it is; lines are there. */
			if (unit) {
				use_line(unit, pc, place);
				places->language = unit->language;
			}
		}
	}
	*p3_map_slot(file->places, pc) = places;
	return places;
}

/* ---- tail calls ---- */

static int compare_calls(const void *left, const void *right)
{
	const struct call_site *a = left, *b = right;

	return a->pc < b->pc ? -1 : a->pc > b->pc;
}

static void add_call(struct p3_file *file, struct p3_unit *unit, Dwarf_Die *die, Dwarf_Off caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Die target;
	Dwarf_Addr pc;
	struct call_site *call;
	bool tail = false;

	/* DWARF 5, and GNU's form of it for DWARF 4. */
	if (dwarf_formaddr(dwarf_attr(die, DW_AT_call_return_pc, &attribute), &pc) != 0 &&
	    dwarf_formaddr(dwarf_attr(die, DW_AT_low_pc, &attribute), &pc) != 0)
		return;
	if (dwarf_formflag(dwarf_attr(die, DW_AT_call_tail_call, &attribute), &tail) != 0)
		(void)dwarf_formflag(dwarf_attr(die, DW_AT_GNU_tail_call, &attribute), &tail);
	call = p3_list_add(file->arena, &unit->calls);
	*call = (struct call_site){ .pc = pc, .tail = tail, .caller = caller };
	if (dwarf_formref_die(dwarf_attr(die, DW_AT_call_origin, &attribute), &target) ||
	    dwarf_formref_die(dwarf_attr(die, DW_AT_abstract_origin, &attribute), &target)) {
		call->target = target;
		call->has_target = true;
	}
}

static void find_calls(struct p3_file *file, struct p3_unit *unit, Dwarf_Die *parent,
		       Dwarf_Off caller, int depth)
{
	Dwarf_Die die;

	if (depth > MAX_INLINES || dwarf_child(parent, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site)
			add_call(file, unit, &die, caller);
		else if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block)
			find_calls(file, unit, &die, caller, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static void read_calls(struct p3_file *file, struct p3_unit *unit)
{
	size_t i, j;

	if (unit->has_calls)
		return;
	unit->has_calls = true;
	for (i = 0; i < unit->functions.count; i++) {
		Dwarf_Off offset = unit->functions.items[i].die;
		bool seen = false;
		Dwarf_Die die;

		for (j = i; j > 0 && i - j < 4 && !seen; j--) /* another range of the same one */
			seen = unit->functions.items[j - 1].die == offset;
		if (!seen && dwarf_offdie(file->dwarf, offset, &die))
			find_calls(file, unit, &die, offset, 0);
	}
	if (unit->calls.count)
		qsort(unit->calls.items, unit->calls.count, sizeof(*unit->calls.items),
		      compare_calls);
}

static const struct call_site *call_at(struct p3_file *file, uint64_t pc)
{
	struct p3_unit *unit = unit_at(file, pc - 1);
	size_t low = 0, high;

	if (!unit)
		return NULL;
	read_calls(file, unit);
	high = unit->calls.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit->calls.items[middle].pc < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low < unit->calls.count && unit->calls.items[low].pc == pc ? &unit->calls.items[low]
									  : NULL;
}

/*
 * Where the called function starts, and in which file: a function that is only
 * declared may be in `other`. False: not known, which ends gdb's search too.
 */
static bool call_target(struct p3_file *file, struct p3_file *other, const struct call_site *call,
			struct p3_file **file_ret, uint64_t *ret)
{
	Dwarf_Addr base, low, high;
	Dwarf_Die die;
	bool declaration = false;
	Dwarf_Attribute attribute;
	const char *name;

	*file_ret = file;
	if (!call->has_target)
		return false;
	die = call->target;
	(void)dwarf_formflag(dwarf_attr_integrate(&die, DW_AT_declaration, &attribute),
			     &declaration);
	if (!declaration) {
		if (dwarf_ranges(&die, 0, &base, &low, &high) <= 0)
			return false;
		if (dwarf_entrypc(&die, ret) != 0)
			*ret = low;
		return true;
	}
	name = linkage_name(&die);
	if (!name)
		name = dwarf_diename(&die);
	*ret = p3_file_symbol_address(file, name);
	if (!*ret && other != file) {
		*file_ret = other;
		*ret = p3_file_symbol_address(other, name);
	}
	return *ret != 0;
}

/* The search: a path of tail calls, and what all paths found have in common. */
struct search {
	struct p3_file *callee_file;
	uint64_t callee;
	const struct call_site *path[MAX_CHAIN];
	size_t depth;
	bool found, failed;
	size_t visited;
	const struct call_site *common[MAX_CHAIN];
	size_t length, callers, callees; /* of `common`: certain at either end */
};

static void keep_common(struct search *search)
{
	size_t i, shorter;

	if (!search->found) {
		search->found = true;
		memcpy(search->common, search->path, sizeof(search->path));
		search->length = search->callers = search->callees = search->depth;
		return;
	}
	shorter = search->depth < search->length ? search->depth : search->length;
	for (i = 0; i < search->callers && i < shorter && search->common[i] == search->path[i]; i++)
		;
	search->callers = i;
	for (i = 0; i < search->callees && i < shorter &&
		    search->common[search->length - 1 - i] == search->path[search->depth - 1 - i];
	     i++)
		;
	search->callees = i;
}

/* Follow one call: does it reach the callee, itself or by further tail calls? */
static void follow_call(struct search *search, struct p3_file *file, const struct call_site *call)
{
	const struct function *function;
	struct p3_unit *unit;
	uint64_t target;
	size_t i, j;

	if (search->failed || ++search->visited > MAX_SEARCH ||
	    !call_target(file, search->callee_file, call, &file, &target)) {
		search->failed = true;
		return;
	}
	if (target == search->callee && file == search->callee_file) {
		keep_common(search);
		return;
	}
	unit = unit_at(file, target);
	function = unit ? function_at(unit, target) : NULL;
	if (!function || function->entry != target) {
		search->failed = true;
		return;
	}
	read_calls(file, unit);
	for (i = 0; i < unit->calls.count && !search->failed; i++) {
		const struct call_site *next = &unit->calls.items[i];
		bool on_path = false;

		if (!next->tail || next->caller != function->die)
			continue;
		for (j = 0; j < search->depth; j++)
			on_path |= search->path[j] == next;
		if (on_path)
			continue;
		/* Through a third file: not followed. */
		if (file != search->callee_file || search->depth == MAX_CHAIN) {
			search->failed = true;
			return;
		}
		search->path[search->depth++] = next;
		follow_call(search, file, next);
		search->depth--;
	}
}

const struct p3_pcs *p3_file_tail_calls(struct p3_file *file, uint64_t pc,
					struct p3_file *callee_file, uint64_t callee)
{
	uint64_t key = (pc * 0x9e3779b97f4a7c15u ^ callee) + (uintptr_t)callee_file;
	void **known = p3_map_find(file->tail_calls, key);
	struct search search = { .callee_file = callee_file, .callee = callee };
	const struct call_site *call;
	struct p3_pcs *pcs;
	size_t i;

	if (known)
		return *known;
	pcs = p3_arena_take(file->arena, sizeof(*pcs));
	call = file->dwarf ? call_at(file, pc) : NULL;
	if (call)
		follow_call(&search, file, call);
	if (search.found && !search.failed) {
		for (i = 0; i < search.callees; i++)
			*p3_list_add(file->arena, pcs) = search.common[search.length - 1 - i]->pc;
		if (search.callees != search.length)
			for (i = 0; i < search.callers; i++)
				*p3_list_add(file->arena, pcs) =
					search.common[search.callers - 1 - i]->pc;
	}
	*p3_map_slot(file->tail_calls, key) = pcs;
	return pcs;
}
