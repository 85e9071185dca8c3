/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Functions, inline chains and lines of a pc, from DWARF 4 and 5. A unit is
 * walked once, at the first pc in it: its functions by address, and the scopes
 * that qualify their names. libdw's own dwarf_getscopes()
 * does not enter Rust's namespaces (facts/rust.md 0.1), so the descent is ours.
 * Refuses: trees deeper than MAX_DEPTH, units with more DIEs than MAX_DIES.
 */
#include "die.h"
#include "line.h"
#include "type.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_DEPTH = 256, /* of nested DIEs that are looked at */
	MAX_DIES = 20000000,
	MAX_INLINES = 256,  /* levels of inlining at one pc */
	MAX_LINKS = 8,	    /* abstract_origin and specification in a row */
	MAX_CHAIN = 32,	    /* tail calls in a row */
	MAX_SEARCH = 20000, /* functions visited in the search for tail calls */
	VISITED = 16,	    /* units whose headers are looked at in one go */
};

/* A namespace, struct or function with subprograms in it: it qualifies their names. */
struct scope {
	uint64_t die, end; /* offsets: it holds what is between them */
	uint32_t parent;   /* index + 1 in the unit's list; 0: the unit itself */
};

struct function {
	uint64_t low, high;
	uint64_t entry; /* where it starts; a .cold part starts elsewhere */
	Dwarf_Off die;
};

struct call_site {
	uint64_t pc; /* behind the call */
	Dwarf_Die die;
	Dwarf_Die target; /* what it calls: in another unit, or in dwz's common file */
	bool has_target;
	bool tail;
};

/* Of one function, in no order. */
struct calls {
	P3_LIST(struct call_site);
};

struct p3_unit {
	Dwarf_Die die;
	const char *folder; /* DW_AT_comp_dir; NULL */
	const char *language;
	bool split; /* a skeleton: the DIEs are in a .dwo or .dwp file */
	const struct p3_lines *lines;
	P3_LIST(struct function) functions; /* sorted by low; a function may have several */
	P3_LIST(struct scope) scopes;	    /* sorted by die */
	struct p3_walk walk;		    /* for p3_walk_seek(); only with functions */
	struct p3_map *calls;		    /* offset of a function's DIE -> struct calls */
};

static struct p3_unit *find_unit(struct p3_file *file, Dwarf_Die *unit_die);

/* ---- walking a unit ---- */

/* What is open at the place where the walk is. */
struct open {
	uint64_t die;
	uint32_t scope; /* its index + 1 in the unit's list; 0: it is not there yet */
};

struct indexer {
	struct p3_file *file;
	struct p3_unit *unit;
	struct p3_walk walk;
	struct open open[MAX_DEPTH];
};

static void add_range(struct indexer *indexer, uint64_t low, uint64_t high, uint64_t entry)
{
	struct function *function;

	if (low >= high)
		return;
	function = p3_list_add(indexer->file->arena, &indexer->unit->functions);
	*function = (struct function){ low, high, entry, indexer->walk.offset };
}

/* One with several ranges, or of a form that libdw knows better. */
static void add_ranges(struct indexer *indexer)
{
	Dwarf_Addr base, low, high, entry = 0;
	ptrdiff_t at = 0;
	Dwarf_Die die;

	if (!dwarf_offdie(indexer->file->dwarf, indexer->walk.offset, &die))
		return;
	if (dwarf_entrypc(&die, &entry) != 0)
		entry = 0;
	while ((at = dwarf_ranges(&die, at, &base, &low, &high)) > 0) {
		if (!entry && low < high)
			entry = low;
		add_range(indexer, low, high, entry);
	}
}

static void add_function(struct indexer *indexer)
{
	const struct p3_walk *walk = &indexer->walk;
	unsigned int low_form, high_form;
	uint64_t low, high;

	if (p3_walk_number(walk, DW_AT_low_pc, &low, &low_form) && low_form == DW_FORM_addr &&
	    p3_walk_number(walk, DW_AT_high_pc, &high, &high_form) &&
	    !p3_walk_has(walk, DW_AT_entry_pc))
		add_range(indexer, low, high_form == DW_FORM_addr ? high : low + high, low);
	else if (p3_walk_has(walk, DW_AT_ranges) || p3_walk_has(walk, DW_AT_low_pc))
		add_ranges(indexer);
}

/* Put all that is open down to this depth into the list: what is around a subprogram, and
 * namespaces. Most types have no functions of their own. */
static void keep_scopes(struct indexer *indexer, int end)
{
	uint32_t parent = 0;
	int depth;

	for (depth = 1; depth < end; depth++) {
		struct open *open = &indexer->open[depth];
		struct scope *scope;

		if (open->die && !open->scope) {
			scope = p3_list_add(indexer->file->arena, &indexer->unit->scopes);
			*scope = (struct scope){ open->die, UINT64_MAX, parent };
			open->scope = (uint32_t)indexer->unit->scopes.count;
		}
		if (open->scope)
			parent = open->scope;
	}
}

/* DIEs that qualify the names in them. */
static bool is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_namespace:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_module:
		return true;
	default:
		return false;
	}
}

static void index_unit(struct indexer *indexer)
{
	struct p3_walk *walk = &indexer->walk;
	struct p3_unit *unit = indexer->unit;
	bool plain = !strcmp(unit->language, "c") || !strcmp(unit->language, "asm");
	int depth = 0;
	size_t dies;

	for (dies = 0; dies < MAX_DIES && p3_walk_next(walk); dies++) {
		/* Whatever was open at this depth or deeper has ended here. */
		for (; depth >= walk->depth; depth--) {
			if (indexer->open[depth].scope)
				unit->scopes.items[indexer->open[depth].scope - 1].end =
					walk->offset;
			indexer->open[depth] = (struct open){ 0 };
		}
		if (walk->depth >= MAX_DEPTH)
			continue;
		depth = walk->depth;
		if (walk->tag == DW_TAG_subprogram) {
			if (!plain)
				keep_scopes(indexer, depth);
			add_function(indexer);
			/* Functions within functions: Rust's items, C++'s lambdas. */
			if (plain)
				p3_walk_skip_children(walk);
		}
		indexer->open[depth].die = is_scope(walk->tag) ? walk->offset : 0;
		if (walk->tag == DW_TAG_namespace)
			keep_scopes(indexer, depth + 1);
	}
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
	bool common = dwarf_cu_getdwarf(unit_die->cu) != file->dwarf;
	void **slot = p3_map_slot(file->units, dwarf_dieoffset(unit_die) | (uint64_t)common << 63);
	struct indexer indexer = { .file = file };
	Dwarf_Attribute attribute;
	struct p3_unit *unit = *slot;
	Dwarf_Word offset;

	if (unit)
		return unit;
	unit = p3_arena_take(file->arena, sizeof(*unit));
	*slot = unit;
	unit->die = *unit_die;
	unit->folder = dwarf_formstring(dwarf_attr(unit_die, DW_AT_comp_dir, &attribute));
	unit->language = language_of(unit_die);
	unit->split = dwarf_hasattr(unit_die, DW_AT_dwo_name) ||
		      dwarf_hasattr(unit_die, DW_AT_GNU_dwo_name);
	if (common)
		return unit;
	if (dwarf_formudata(dwarf_attr(unit_die, DW_AT_stmt_list, &attribute), &offset) == 0)
		unit->lines = p3_lines_open(file, offset, unit->folder);
	unit->calls = p3_map_new(file->arena);
	if (p3_walk_start(file, dwarf_dieoffset(unit_die), &unit->walk)) {
		indexer.unit = unit;
		indexer.walk = unit->walk;
		index_unit(&indexer);
		p3_file_release(file, unit->walk.section + unit->walk.unit,
				(size_t)(indexer.walk.bytes.at - unit->walk.section) -
					unit->walk.unit);
	}
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

/* The DIE of the unit whose header is at an offset of .debug_info; 0: there is none. */
static uint64_t unit_die_at(struct p3_section section, uint64_t header, uint64_t *next)
{
	struct p3_bytes bytes = { section.data, section.data + section.size, false };
	unsigned int offset_size = 4;
	uint64_t length, version, type = 0;

	p3_bytes_skip(&bytes, header);
	length = p3_bytes_number(&bytes, 4);
	if (length == 0xffffffff) {
		offset_size = 8;
		length = p3_bytes_number(&bytes, 8);
	}
	if (bytes.bad || length > (uint64_t)(bytes.end - bytes.at))
		return 0;
	*next = (uint64_t)(bytes.at - section.data) + length;
	version = p3_bytes_number(&bytes, 2);
	if (version >= 5)
		type = p3_bytes_number(&bytes, 1);
	p3_bytes_skip(&bytes, 1 + offset_size);
	if (type == DW_UT_skeleton || type == DW_UT_split_compile)
		p3_bytes_skip(&bytes, 8);
	else if (type == DW_UT_type || type == DW_UT_split_type)
		p3_bytes_skip(&bytes, 8 + offset_size);
	return bytes.bad ? 0 : (uint64_t)(bytes.at - section.data);
}

/*
 * libdw looks at the header of every unit before the one it is asked for, and the
 * kernel maps 64 kB around each. Let it, a few units at a time, and give the pages back.
 */
static void visit_units(struct p3_file *file)
{
	struct p3_section section = p3_file_debug_section(file, P3_DEBUG_INFO);
	uint64_t header = 0, next = 0, die, count;
	Dwarf_Die unused;

	for (count = 1; section.data && header < section.size; count++, header = next) {
		die = unit_die_at(section, header, &next);
		if (!die || next <= header)
			return;
		if (count % VISITED == 0) {
			(void)dwarf_offdie(file->dwarf, die, &unused);
			p3_file_release(file, section.data, next);
		}
	}
}

/* .debug_aranges: one set a unit. Source: DWARF 5, 6.1.2. */
static void read_aranges(struct p3_file *file)
{
	struct p3_section section = p3_file_debug_section(file, P3_DEBUG_ARANGES);
	struct p3_bytes all = { section.data, section.data + section.size, false };

	while (all.at < all.end && !all.bad) {
		const uint8_t *start = all.at;
		unsigned int offset_size = 4;
		uint64_t length = p3_bytes_number(&all, 4), unit;
		struct p3_bytes set;

		if (length == 0xffffffff) {
			offset_size = 8;
			length = p3_bytes_number(&all, 8);
		}
		set = all;
		if (!p3_bytes_skip(&all, length))
			break;
		set.end = all.at;
		p3_bytes_skip(&set, 2); /* version */
		unit = p3_bytes_number(&set, offset_size);
		if (p3_bytes_number(&set, 1) != 8 || p3_bytes_number(&set, 1) != 0)
			continue;
		/* The pairs are aligned to their size. */
		p3_bytes_skip(&set, (16 - (uint64_t)(set.at - start) % 16) % 16);
		while (set.at < set.end && !set.bad) {
			uint64_t low = p3_bytes_number(&set, 8), size = p3_bytes_number(&set, 8);

			if (low && size && low + size > low)
				*p3_list_add(file->arena, &file->aranges) =
					(struct p3_unit_range){ low, low + size, unit };
		}
	}
	if (file->aranges.count)
		qsort(file->aranges.items, file->aranges.count, sizeof(*file->aranges.items),
		      compare_ranges);
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

static const struct p3_unit_range *range_at(const struct p3_unit_range *ranges, size_t count,
					    uint64_t pc)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pc < ranges[low - 1].high ? &ranges[low - 1] : NULL;
}

static struct p3_unit *unit_at(struct p3_file *file, uint64_t pc)
{
	const struct p3_unit_range *range;
	uint64_t offset, next;
	Dwarf_Die die;

	if (!p3_file_dwarf(file))
		return NULL;
	if (!file->has_aranges) {
		visit_units(file);
		read_aranges(file);
	}
	file->has_aranges = true;
	range = range_at(file->aranges.items, file->aranges.count, pc);
	offset = range ? unit_die_at(p3_file_debug_section(file, P3_DEBUG_INFO), range->unit, &next)
		       : 0;
	if (!offset) { /* units of another compiler may have none */
		if (!file->has_unit_ranges)
			read_unit_ranges(file);
		file->has_unit_ranges = true;
		range = range_at(file->unit_ranges.items, file->unit_ranges.count, pc);
		offset = range ? range->unit : 0;
	}
	return offset && dwarf_offdie(file->dwarf, offset, &die) ? find_unit(file, &die) : NULL;
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

/* The innermost scope around a DIE: index + 1, or 0. */
static uint32_t scope_of(const struct p3_unit *unit, uint64_t die)
{
	size_t low = 0, high = unit->scopes.count;
	uint32_t scope;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit->scopes.items[middle].die < die)
			low = middle + 1;
		else
			high = middle;
	}
	for (scope = (uint32_t)low; scope; scope = unit->scopes.items[scope - 1].parent)
		if (die < unit->scopes.items[scope - 1].end)
			break;
	return scope;
}

static void add_scope(struct p3_file *file, const struct p3_unit *unit, struct p3_text *text,
		      uint32_t scope)
{
	Dwarf_Die die;

	if (!scope)
		return;
	add_scope(file, unit, text, unit->scopes.items[scope - 1].parent);
	if (dwarf_offdie(file->dwarf, unit->scopes.items[scope - 1].die, &die) &&
	    dwarf_diename(&die))
		p3_text_printf(text, "%s::", dwarf_diename(&die));
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

const char *p3_file_qualified_name(struct p3_file *file, Dwarf_Die *die)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *name = dwarf_diename(die);
	struct p3_unit *unit;
	Dwarf_Die unit_die;
	uint32_t scope;

	if (!name || !dwarf_diecu(die, &unit_die, NULL, NULL))
		return name;
	unit = find_unit(file, &unit_die);
	scope = scope_of(unit, dwarf_dieoffset(die));
	if (!scope)
		return name;
	add_scope(file, unit, &text, scope);
	p3_text_add(&text, name);
	return p3_arena_string(file->arena, p3_text_string(&text));
}

static const char *function_name(struct p3_file *file, Dwarf_Die *die)
{
	Dwarf_Die origin, unit_die;
	struct p3_unit *unit;
	const char *name;

	if (!follow(die, &origin) || !dwarf_diecu(&origin, &unit_die, NULL, NULL))
		return dwarf_diename(die);
	unit = find_unit(file, &unit_die);
	if (strcmp(unit->language, "c") != 0 && strcmp(unit->language, "asm") != 0)
		return p3_file_qualified_name(file, &origin);
	name = linkage_name(die);
	return name ? name : dwarf_diename(&origin);
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

static void use_line(struct p3_file *file, struct p3_unit *unit, uint64_t pc,
		     struct p3_place *place)
{
	const char *name;

	if (!p3_lines_find(file, unit->lines, pc, &name, &place->line))
		return;
	place->file = plain_file(unit, name);
	place->folder = unit->folder;
}

static void use_call_line(struct p3_file *file, struct p3_unit *unit, Dwarf_Die *inlined,
			  struct p3_place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number, index;

	/* Without a line, gdb does not pretend to know the file. */
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) != 0 ||
	    !number)
		return;
	place->line = (uint32_t)number;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &index) == 0)
		place->file = plain_file(unit, p3_lines_file(file, unit->lines, index));
	place->folder = unit->folder;
}

/* ---- a pc's places ---- */

/* DIEs of code within a function. */
static bool is_block(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

bool p3_walk_has_pc(struct p3_file *file, const struct p3_walk *walk, uint64_t pc)
{
	unsigned int low_form, high_form;
	uint64_t low, high;
	Dwarf_Die die;

	if (p3_walk_number(walk, DW_AT_low_pc, &low, &low_form) && low_form == DW_FORM_addr &&
	    p3_walk_number(walk, DW_AT_high_pc, &high, &high_form))
		return pc >= low && pc < (high_form == DW_FORM_addr ? high : low + high);
	return dwarf_offdie(file->dwarf, walk->offset, &die) && dwarf_haspc(&die, pc) == 1;
}

size_t p3_file_chain(struct p3_file *file, uint64_t pc, Dwarf_Die *ret, size_t room)
{
	struct p3_unit *unit = unit_at(file, pc);
	const struct function *function = unit ? function_at(unit, pc) : NULL;
	struct p3_walk walk;
	size_t count = 0;
	int inside = 0; /* depth of the innermost DIE that holds pc */

	if (!function || !room || !dwarf_offdie(file->dwarf, function->die, &ret[count++]))
		return 0;
	walk = unit->walk;
	p3_walk_seek(&walk, function->die);
	while (p3_walk_next(&walk) && count < room) {
		if (walk.depth <= inside && walk.depth) /* behind that one: it has no other */
			break;
		if (walk.depth != inside + 1 || !is_block(walk.tag))
			continue;
		if (!p3_walk_has_pc(file, &walk, pc)) {
			p3_walk_skip_children(&walk);
			continue;
		}
		inside = walk.depth;
		if (walk.tag == DW_TAG_inlined_subroutine &&
		    dwarf_offdie(file->dwarf, walk.offset, &ret[count]))
			count++;
	}
	return count;
}

bool p3_file_walk(struct p3_file *file, Dwarf_Die *die, struct p3_walk *ret)
{
	struct p3_unit *unit;
	Dwarf_Die unit_die;

	if (!dwarf_diecu(die, &unit_die, NULL, NULL))
		return false;
	unit = find_unit(file, &unit_die);
	if (!unit->functions.count)
		return false;
	*ret = unit->walk;
	p3_walk_seek(ret, dwarf_dieoffset(die));
	return true;
}

static bool use_dwarf(struct p3_file *file, uint64_t pc, struct p3_places *places)
{
	struct p3_unit *unit = unit_at(file, pc);
	const struct function *function = unit ? function_at(unit, pc) : NULL;
	Dwarf_Die chain[MAX_INLINES];
	size_t count = p3_file_chain(file, pc, chain, MAX_INLINES), i;
	struct p3_place *place;

	if (!function || !count)
		return false;
	places->language = unit->language;
	places->entry = function->entry;
	places->from_dwarf = true;
	/* As gdb's block_starting_point_at(): it may have been entered elsewhere than at its
	 * first address. */
	places->at_inline_start = count > 1 && dwarf_haspc(&chain[count - 1], pc - 1) != 1;
	for (i = count; i-- > 0;) {
		place = p3_list_add(file->arena, places);
		place->name = function_name(file, &chain[i]);
		place->inlined = i > 0;
		if (i == count - 1)
			use_line(file, unit, pc, place);
		else
			use_call_line(file, unit, &chain[i + 1], place);
	}
	return true;
}

static void use_symbol(struct p3_file *file, uint64_t pc, struct p3_places *places)
{
	const struct p3_symbol *symbol = p3_file_symbol(file, pc);

	if (!symbol)
		return;
	p3_list_add(file->arena, places)->name = symbol->name;
	places->entry = symbol->start;
}

const struct p3_places *p3_file_symbol_places(struct p3_file *file, uint64_t pc)
{
	struct p3_places *places = p3_arena_take(file->arena, sizeof(*places));

	use_symbol(file, pc, places);
	return places;
}

const struct p3_places *p3_file_places(struct p3_file *file, uint64_t pc)
{
	void **known = p3_map_find(file->places, pc);
	struct p3_places *places;
	struct p3_unit *unit;

	if (known)
		return *known;
	places = p3_arena_take(file->arena, sizeof(*places));
	if (!use_dwarf(file, pc, places)) {
		use_symbol(file, pc, places);
		if (!places->count)
			places->entry = p3_file_fde_start(file, pc);
		/* gcc may describe a function without saying where it is; lines are there. */
		unit = unit_at(file, pc);
		places->split = unit && unit->split;
		if (unit && places->count) {
			use_line(file, unit, pc, &places->items[0]);
			places->language = unit->language;
		}
	}
	*p3_map_slot(file->places, pc) = places;
	p3_file_trim(file);
	return places;
}

/* ---- tail calls ---- */

static void add_call(struct p3_file *file, struct calls *calls, Dwarf_Die *die)
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
	call = p3_list_add(file->arena, calls);
	*call = (struct call_site){ .pc = pc, .die = *die, .tail = tail };
	if (dwarf_formref_die(dwarf_attr(die, DW_AT_call_origin, &attribute), &target) ||
	    dwarf_formref_die(dwarf_attr(die, DW_AT_abstract_origin, &attribute), &target)) {
		call->target = target;
		call->has_target = true;
	}
}

/* The calls in a function and in what was inlined into it, but not in functions within it. */
static const struct calls *calls_of(struct p3_file *file, struct p3_unit *unit, uint64_t function)
{
	void **slot = p3_map_slot(unit->calls, function);
	struct p3_walk walk = unit->walk;
	struct calls *calls = *slot;
	int skip = 0; /* nothing below this depth; 0: all */

	if (calls)
		return calls;
	calls = p3_arena_take(file->arena, sizeof(*calls));
	*slot = calls;
	p3_walk_seek(&walk, function);
	while (p3_walk_next(&walk)) {
		bool call = walk.tag == DW_TAG_call_site || walk.tag == DW_TAG_GNU_call_site;
		Dwarf_Die die;

		if (skip && walk.depth > skip)
			continue;
		skip = walk.depth && !is_block(walk.tag) ? walk.depth : 0;
		if (call && dwarf_offdie(file->dwarf, walk.offset, &die))
			add_call(file, calls, &die);
	}
	return calls;
}

static const struct call_site *call_at(struct p3_file *file, uint64_t pc)
{
	struct p3_unit *unit = unit_at(file, pc - 1);
	const struct function *function = unit ? function_at(unit, pc - 1) : NULL;
	const struct calls *calls = function ? calls_of(file, unit, function->die) : NULL;
	size_t i;

	for (i = 0; calls && i < calls->count; i++)
		if (calls->items[i].pc == pc)
			return &calls->items[i];
	return NULL;
}

bool p3_file_call(struct p3_file *file, uint64_t pc, Dwarf_Die *ret)
{
	const struct call_site *call = call_at(file, pc);

	if (call)
		*ret = call->die;
	return call != NULL;
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
	const struct calls *calls;
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
	calls = calls_of(file, unit, function->die);
	for (i = 0; i < calls->count && !search->failed; i++) {
		const struct call_site *next = &calls->items[i];
		bool on_path = false;

		if (!next->tail)
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
	call = p3_file_dwarf(file) ? call_at(file, pc) : NULL;
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
