/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Line tables, DWARF 2 to 5. A table is run through once, to know where its
 * sequences are; for a pc, only the sequence that holds it is run again. So nothing
 * but the sequences is kept: libdw's rows of one large unit are 20 MB.
 * Source: DWARF 5, 6.2; DWARF 4, 6.2. Refuses: more than one operation an instruction
 * (VLIW), forms of names that are not strings.
 */
#include "line.h"

#include "bytes.h"
#include "die.h"

#include <dwarf.h>
#include <stdlib.h>

enum {
	MAX_FILES = 1 << 20,
	MAX_FORMATS = 16, /* of DWARF 5's description of file names */
};

/* A run of rows with growing addresses. */
struct sequence {
	uint64_t low, high;
	const uint8_t *start; /* its first instruction */
};

struct file_name {
	const char *name;
	uint64_t folder; /* number */
};

struct p3_lines {
	const char *folder;
	uint16_t version;
	uint8_t offset_size, address_size;
	uint8_t minimum; /* bytes of an instruction */
	bool statement;	 /* a row begins a statement unless it says otherwise */
	int8_t line_base;
	uint8_t line_range, opcode_base;
	uint8_t lengths[256];
	struct p3_bytes program;
	P3_LIST(const char *) folders;
	P3_LIST(struct file_name) files;
	const char **full;		    /* names put together, by number */
	P3_LIST(struct sequence) sequences; /* sorted by low */
};

/* ---- the header ---- */

struct format {
	uint64_t content, form;
};

static const char *read_string(struct p3_file *file, const struct p3_lines *lines,
			       struct p3_bytes *bytes, uint64_t form)
{
	enum p3_debug_section section =
		form == DW_FORM_line_strp ? P3_DEBUG_LINE_STR : P3_DEBUG_STR;
	struct p3_section strings;
	struct p3_bytes string;

	if (form == DW_FORM_string)
		return p3_bytes_string(bytes);
	if (form != DW_FORM_line_strp && form != DW_FORM_strp) {
		(void)p3_form_skip(bytes, (unsigned int)form, lines->offset_size, 8,
				   lines->version);
		return NULL;
	}
	strings = p3_file_debug_section(file, section);
	string = (struct p3_bytes){ strings.data, strings.data + strings.size, false };
	if (!p3_bytes_skip(&string, p3_bytes_number(bytes, lines->offset_size)))
		return NULL;
	return p3_bytes_string(&string);
}

static uint64_t read_number(const struct p3_lines *lines, struct p3_bytes *bytes, uint64_t form)
{
	switch (form) {
	case DW_FORM_data1:
		return p3_bytes_number(bytes, 1);
	case DW_FORM_data2:
		return p3_bytes_number(bytes, 2);
	case DW_FORM_data4:
		return p3_bytes_number(bytes, 4);
	case DW_FORM_udata:
		return p3_bytes_uleb(bytes);
	default:
		if (!p3_form_skip(bytes, (unsigned int)form, lines->offset_size, 8, lines->version))
			bytes->bad = true;
		return 0;
	}
}

static size_t read_formats(struct p3_bytes *bytes, struct format *formats)
{
	size_t count = p3_bytes_number(bytes, 1), i;

	if (count > MAX_FORMATS)
		bytes->bad = true;
	for (i = 0; i < count && !bytes->bad; i++)
		formats[i] = (struct format){ p3_bytes_uleb(bytes), p3_bytes_uleb(bytes) };
	return bytes->bad ? 0 : count;
}

/* DWARF 5: a description of the columns, then the rows; for folders and for files. */
static void read_names_5(struct p3_file *file, struct p3_lines *lines, struct p3_bytes *bytes,
			 bool folders)
{
	struct format formats[MAX_FORMATS];
	size_t format_count = read_formats(bytes, formats), i;
	uint64_t count = p3_bytes_uleb(bytes), n;

	for (n = 0; n < count && n < MAX_FILES && format_count && !bytes->bad; n++) {
		struct file_name name = { 0 };

		for (i = 0; i < format_count; i++) {
			if (formats[i].content == DW_LNCT_path)
				name.name = read_string(file, lines, bytes, formats[i].form);
			else if (formats[i].content == DW_LNCT_directory_index)
				name.folder = read_number(lines, bytes, formats[i].form);
			else if (!p3_form_skip(bytes, (unsigned int)formats[i].form,
					       lines->offset_size, 8, lines->version))
				bytes->bad = true;
		}
		if (folders)
			*p3_list_add(file->arena, &lines->folders) = name.name;
		else
			*p3_list_add(file->arena, &lines->files) = name;
	}
}

/* DWARF 2 to 4: lists that end with an empty name; number 0 is the unit's own. */
static void read_names_4(struct p3_file *file, struct p3_lines *lines, struct p3_bytes *bytes)
{
	const char *name;

	*p3_list_add(file->arena, &lines->folders) = lines->folder;
	while ((name = p3_bytes_string(bytes)) && *name && lines->folders.count < MAX_FILES)
		*p3_list_add(file->arena, &lines->folders) = name;
	(void)p3_list_add(file->arena, &lines->files);
	while ((name = p3_bytes_string(bytes)) && *name && lines->files.count < MAX_FILES) {
		struct file_name entry = { name, p3_bytes_uleb(bytes) };

		(void)p3_bytes_uleb(bytes); /* time */
		(void)p3_bytes_uleb(bytes); /* size */
		*p3_list_add(file->arena, &lines->files) = entry;
	}
}

static bool read_header(struct p3_file *file, struct p3_lines *lines, struct p3_bytes *bytes)
{
	uint64_t length = p3_bytes_number(bytes, 4), header;
	uint8_t operations = 1;
	struct p3_bytes names;
	size_t i;

	lines->offset_size = 4;
	if (length == 0xffffffff) {
		lines->offset_size = 8;
		length = p3_bytes_number(bytes, 8);
	}
	if (bytes->bad || length > (uint64_t)(bytes->end - bytes->at))
		return false;
	bytes->end = bytes->at + length;
	lines->version = (uint16_t)p3_bytes_number(bytes, 2);
	lines->address_size = 8;
	if (lines->version < 2 || lines->version > 5)
		return false;
	if (lines->version == 5) {
		lines->address_size = (uint8_t)p3_bytes_number(bytes, 1);
		p3_bytes_skip(bytes, 1); /* size of a segment's selector */
	}
	header = p3_bytes_number(bytes, lines->offset_size);
	names = *bytes;
	if (!p3_bytes_skip(bytes, header))
		return false;
	lines->program = *bytes;
	names.end = bytes->at;
	lines->minimum = (uint8_t)p3_bytes_number(&names, 1);
	if (lines->version >= 4)
		operations = (uint8_t)p3_bytes_number(&names, 1);
	lines->statement = p3_bytes_number(&names, 1);
	lines->line_base = (int8_t)p3_bytes_number(&names, 1);
	lines->line_range = (uint8_t)p3_bytes_number(&names, 1);
	lines->opcode_base = (uint8_t)p3_bytes_number(&names, 1);
	if (operations != 1 || !lines->line_range || !lines->opcode_base ||
	    lines->address_size != 8)
		return false;
	for (i = 1; i < lines->opcode_base; i++)
		lines->lengths[i] = (uint8_t)p3_bytes_number(&names, 1);
	if (lines->version == 5) {
		read_names_5(file, lines, &names, true);
		read_names_5(file, lines, &names, false);
	} else {
		read_names_4(file, lines, &names);
	}
	if (lines->files.count)
		lines->full = p3_arena_take(file->arena, lines->files.count * sizeof(*lines->full));
	return true;
}

/* As a path: what is relative is so to its folder, and that to the unit's. */
const char *p3_lines_file(struct p3_file *file, const struct p3_lines *lines, uint64_t number)
{
	const struct file_name *entry;
	const char *folder;

	if (!lines || number >= lines->files.count)
		return NULL;
	entry = &lines->files.items[number];
	if (!entry->name || lines->full[number])
		return lines->full[number];
	folder = entry->folder < lines->folders.count ? lines->folders.items[entry->folder] : NULL;
	if (entry->name[0] == '/' || !folder)
		lines->full[number] = entry->name;
	else if (folder[0] == '/' || !entry->folder || !lines->folder)
		lines->full[number] = p3_arena_printf(file->arena, "%s/%s", folder, entry->name);
	else
		lines->full[number] = p3_arena_printf(file->arena, "%s/%s/%s", lines->folder,
						      folder, entry->name);
	return lines->full[number];
}

/* ---- the program ---- */

struct row {
	uint64_t address, file;
	int64_t line;
	bool statement, end;
	bool discriminated; /* several blocks share this line: some row of it has said so */
};

struct state {
	const struct p3_lines *lines;
	struct p3_bytes bytes;
	struct row row;
	uint64_t discriminator;
	uint64_t last_file, last_address; /* for is_kept() */
	int64_t last_line;
	bool statement_seen; /* at last_address */
};

static void reset(struct state *state)
{
	state->row = (struct row){ .file = 1, .line = 1, .statement = state->lines->statement };
	state->discriminator = 0;
	state->last_file = UINT64_MAX;
}

static void advance_line(struct state *state, int64_t lines)
{
	state->row.line += lines;
	if (lines)
		state->row.discriminated = state->discriminator != 0;
}

static void advance(struct state *state, uint64_t operations)
{
	state->row.address += operations * state->lines->minimum;
}

/* An extended instruction; true: it is a row, the end of the sequence. */
static bool run_extended(struct state *state)
{
	struct p3_bytes *bytes = &state->bytes;
	uint64_t length = p3_bytes_uleb(bytes);
	const uint8_t *start = bytes->at;
	bool is_row = false;
	uint64_t code;

	if (!length || length > (uint64_t)(bytes->end - bytes->at)) {
		bytes->bad = true;
		return false;
	}
	code = p3_bytes_number(bytes, 1);
	if (code == DW_LNE_end_sequence) {
		state->row.end = true;
		is_row = true;
	} else if (code == DW_LNE_set_address && length == 9) {
		state->row.address = p3_bytes_number(bytes, 8);
	} else if (code == DW_LNE_set_discriminator) {
		state->discriminator = p3_bytes_uleb(bytes);
		state->row.discriminated |= state->discriminator != 0;
	}
	bytes->at = start + length;
	return is_row;
}

/* A standard instruction; true: it made a row. */
static bool run_standard(struct state *state, uint8_t code)
{
	struct p3_bytes *bytes = &state->bytes;
	struct row *row = &state->row;
	unsigned int i;

	switch (code) {
	case DW_LNS_copy:
		return true;
	case DW_LNS_advance_pc:
		advance(state, p3_bytes_uleb(bytes));
		break;
	case DW_LNS_advance_line:
		advance_line(state, p3_bytes_sleb(bytes));
		break;
	case DW_LNS_set_file:
		state->last_file = row->file;
		row->file = p3_bytes_uleb(bytes);
		row->discriminated = state->discriminator != 0;
		break;
	case DW_LNS_negate_stmt:
		row->statement = !row->statement;
		break;
	case DW_LNS_const_add_pc:
		advance(state, (255u - state->lines->opcode_base) / state->lines->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		row->address += p3_bytes_number(bytes, 2);
		break;
	default: /* columns, blocks and the like; and what later versions have */
		for (i = 0; i < state->lines->lengths[code]; i++)
			(void)p3_bytes_uleb(bytes);
	}
	return false;
}

/* Run to the next row; false: there is none. */
static bool next_row(struct state *state)
{
	const struct p3_lines *lines = state->lines;
	struct p3_bytes *bytes = &state->bytes;

	state->discriminator = 0;
	while (bytes->at < bytes->end && !bytes->bad) {
		uint8_t code = *bytes->at++;

		if (code >= lines->opcode_base) {
			uint8_t special = (uint8_t)(code - lines->opcode_base);

			advance(state, special / lines->line_range);
			advance_line(state, lines->line_base + special % lines->line_range);
			return true;
		}
		if (code ? run_standard(state, code) : run_extended(state))
			return true;
	}
	return false;
}

static int compare_sequences(const void *left, const void *right)
{
	const struct sequence *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

static void find_sequences(struct p3_file *file, struct p3_lines *lines)
{
	struct state state = { .lines = lines, .bytes = lines->program };
	struct sequence sequence = { .start = lines->program.at };
	bool inside = false;

	reset(&state);
	while (next_row(&state)) {
		if (!inside)
			sequence.low = state.row.address;
		inside = !state.row.end;
		if (inside)
			continue;
		sequence.high = state.row.address;
		/* What the linker left out is at address 0. */
		if (sequence.low && sequence.low < sequence.high)
			*p3_list_add(file->arena, &lines->sequences) = sequence;
		sequence.start = state.bytes.at;
		reset(&state);
	}
	if (lines->sequences.count)
		qsort(lines->sequences.items, lines->sequences.count,
		      sizeof(*lines->sequences.items), compare_sequences);
}

const struct p3_lines *p3_lines_open(struct p3_file *file, uint64_t offset, const char *folder)
{
	void **slot = p3_map_slot(file->lines, offset);
	struct p3_section section = p3_file_debug_section(file, P3_DEBUG_LINE);
	struct p3_bytes bytes = { section.data, section.data + section.size, false };
	struct p3_lines *lines;

	if (*slot)
		return *slot;
	lines = p3_arena_take(file->arena, sizeof(*lines));
	*slot = lines;
	lines->folder = folder;
	if (p3_bytes_skip(&bytes, offset) && read_header(file, lines, &bytes)) {
		find_sequences(file, lines);
		p3_file_release(file, lines->program.at,
				(size_t)(lines->program.end - lines->program.at));
	}
	return lines;
}

/* ---- a pc's row ---- */

/*
 * Which rows count, as gdb has it (gdb/dwarf2/read.c, lnp_state_machine::record_line): not
 * those without a line; those that begin no statement, in another file, behind one with
 * the same address that does; and those that only say that one more block is of the line
 * before. Of several with one address the last one counts, but within a file one that
 * begins a statement stays (symtab.c, find_pc_sect_line).
 */
struct best {
	bool found;
	struct row row;
};

static void consider(struct best *best, const struct row *row)
{
	if (best->found && best->row.statement && !row->statement && row->file == best->row.file)
		return;
	best->row = *row;
	best->found = true;
}

/* Does the row count? What gdb goes by is kept in the state. */
static bool is_kept(struct state *state)
{
	const struct row *row = &state->row;
	bool changed = row->file != state->last_file, keep;

	if (row->address != state->last_address)
		state->statement_seen = false;
	keep = row->line && (!changed || row->statement || !state->statement_seen);
	state->last_address = row->address;
	state->statement_seen |= row->statement;
	if (!keep)
		return false;
	keep = changed || row->line != state->last_line || !row->discriminated;
	state->last_file = row->file;
	state->last_line = row->line;
	return keep;
}

static const struct sequence *sequence_at(const struct p3_lines *lines, uint64_t pc)
{
	size_t low = 0, high = lines->sequences.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lines->sequences.items[middle].low <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pc < lines->sequences.items[low - 1].high ? &lines->sequences.items[low - 1]
								: NULL;
}

bool p3_lines_find(struct p3_file *file, const struct p3_lines *lines, uint64_t pc,
		   const char **file_ret, uint32_t *line_ret)
{
	const struct sequence *sequence = lines ? sequence_at(lines, pc) : NULL;
	struct state state = { .lines = lines };
	struct best last = { 0 }, best = { 0 }; /* of the last address with a line, of this one */

	if (!sequence)
		return false;
	state.bytes = lines->program;
	state.bytes.at = sequence->start;
	reset(&state);
	while (next_row(&state) && state.row.address <= pc && !state.row.end) {
		if (!is_kept(&state))
			continue;
		if (best.found && state.row.address != best.row.address) {
			last = best;
			best = (struct best){ 0 };
		}
		consider(&best, &state.row);
	}
	if (!best.found)
		best = last;
	*file_ret = best.found ? p3_lines_file(file, lines, best.row.file) : NULL;
	*line_ret = (uint32_t)best.row.line;
	return *file_ret != NULL;
}
