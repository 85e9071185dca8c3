/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rust's values as text, much as {:?} has them. Which type is written how is in
 * types.def; other structs, tuples and enums go by their description. Reads the
 * target's memory; every length and walk is clamped, and a value that is not there, or not
 * initialised, ends in words, not in a walk through garbage.
 */
#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <string.h>

enum {
	MAX_NAME = 200,
	MAX_BUCKETS = 1 << 16, /* of a hash map, looked at */
	MAX_TREE = 16,	       /* height of a B-tree */
	MAX_LENGTH = 1 << 30,  /* of a container: more is garbage */
	TREE_CAPACITY = 11,    /* keys of a node: 2 * B - 1 */
	MAX_LEVEL = 60,	       /* values in values, wrappers included */
	MAX_SEARCH = 500,      /* parts visited in the search for one */
};

/* One value being written. */
struct writing {
	const struct p3_writer *writer;
	struct p3_target *target;
	struct p3_text *text;
	int depth; /* of containers in containers, for the reader's sake */
	int level; /* of calls: wrappers count, too */
	bool full; /* follow references to structs */
};

static void write_value(const struct writing *writing, const struct p3_value *value);

/* ---- names of types ---- */

/* Has this path this crate and this last part, whatever is between and in angle brackets? */
static bool is_type(const char *path, const char *crate, const char *name)
{
	size_t crate_size = strlen(crate), size = strcspn(path, "<"), name_size = strlen(name);

	return !strncmp(path, crate, crate_size) && !strncmp(path + crate_size, "::", 2) &&
	       size > crate_size + 2 + name_size - 1 && size >= name_size + 2 &&
	       !strncmp(path + size - name_size, name, name_size) &&
	       path[size - name_size - 1] == ':';
}

/* "Counter" of "demo::Counter<u8>". */
static void add_type_word(const struct writing *writing, const struct p3_type *type)
{
	size_t size, start;

	if (!type->name)
		return;
	size = strcspn(type->name, "<");
	for (start = size; start > 0 && type->name[start - 1] != ':'; start--)
		;
	if (size - start > MAX_NAME)
		size = start + MAX_NAME;
	p3_text_add_safe(writing->text, type->name + start, size - start, 0);
}

/* ---- parts of values ---- */

static bool is_done(const struct writing *writing)
{
	return writing->text->size > P3_VALUE_MAX_OUTPUT;
}

static bool find_member(const struct p3_value *value, const char *name, struct p3_value *ret)
{
	const struct p3_member *member = p3_type_member(value->type, name);

	if (!member)
		return false;
	*ret = p3_value_member(value, member);
	return true;
}

static bool search_first(const struct p3_value *value, enum p3_type_kind kind, int depth,
			 int *budget, struct p3_value *ret)
{
	const struct p3_members *members;
	size_t i;

	if (value->type->kind == kind ||
	    (kind == P3_TYPE_UNKNOWN && value->type->kind > P3_TYPE_VOID &&
	     value->type->kind < P3_TYPE_STRUCT)) {
		*ret = *value;
		return true;
	}
	if (depth <= 0 || --*budget <= 0)
		return false;
	members = p3_type_members(value->type);
	for (i = 0; i < members->count; i++) {
		struct p3_value part = p3_value_member(value, &members->items[i]);

		if (search_first(&part, kind, depth - 1, budget, ret))
			return true;
	}
	return false;
}

/* The first part, in depth, that is of this kind; any kind of scalar for P3_TYPE_UNKNOWN. */
static bool find_first(const struct p3_value *value, enum p3_type_kind kind, int depth,
		       struct p3_value *ret)
{
	int budget = MAX_SEARCH;

	return search_first(value, kind, depth, &budget, ret);
}

static bool search_deep(const struct p3_value *value, const char *name, int depth, int *budget,
			struct p3_value *ret)
{
	const struct p3_members *members;
	size_t i;

	if (find_member(value, name, ret))
		return true;
	if (depth <= 0 || --*budget <= 0)
		return false;
	members = p3_type_members(value->type);
	for (i = 0; i < members->count; i++) {
		struct p3_value part = p3_value_member(value, &members->items[i]);

		if (search_deep(&part, name, depth - 1, budget, ret))
			return true;
	}
	return false;
}

/* The first member of this name, in depth. */
static bool find_deep(const struct p3_value *value, const char *name, int depth,
		      struct p3_value *ret)
{
	int budget = MAX_SEARCH;

	return search_deep(value, name, depth, &budget, ret);
}

static bool read_number(const struct writing *writing, const struct p3_value *value, uint64_t *ret,
			bool *absent)
{
	struct p3_error *error = p3_value_number(writing->target, value, ret);

	*absent = error != NULL;
	if (error)
		p3_write_absent(writing->writer, error);
	return !*absent;
}

/* The first number called `name`; false: there is none, or `*absent`, and the text says so. */
static bool read_deep(const struct writing *writing, const struct p3_value *value, const char *name,
		      uint64_t *ret, bool *absent)
{
	struct p3_value part, number;

	*absent = false;
	return find_deep(value, name, 6, &part) && find_first(&part, P3_TYPE_UNKNOWN, 6, &number) &&
	       read_number(writing, &number, ret, absent);
}

/* The first pointer inside. */
static bool read_pointer(const struct writing *writing, const struct p3_value *value, uint64_t *ret,
			 const struct p3_type **target_ret, bool *absent)
{
	struct p3_value pointer;

	*absent = false;
	if (!find_first(value, P3_TYPE_POINTER, 10, &pointer))
		return false;
	if (target_ret)
		*target_ret = p3_type_target(pointer.type);
	return read_number(writing, &pointer, ret, absent);
}

static struct writing deeper(const struct writing *writing)
{
	struct writing next = *writing;

	next.depth++;
	return next;
}

/* ---- lists ---- */

/* A list under way: separators, and when to stop. */
struct items {
	const struct writing *writing;
	size_t count;
	char close;
};

static struct items start_items(const struct writing *writing, const char *open, char close)
{
	p3_text_add(writing->text, open);
	return (struct items){ writing, 0, close };
}

/* Before each item; false: enough were written. */
static bool next_item(struct items *items)
{
	if (items->count)
		p3_text_add(items->writing->text, ", ");
	if (items->count++ < P3_VALUE_MAX_ITEMS && !is_done(items->writing))
		return true;
	p3_text_add(items->writing->text, "...");
	return false;
}

static void end_items(struct items *items)
{
	const char close[] = { items->close, 0 };

	p3_text_add(items->writing->text, close);
}

static bool too_deep(const struct writing *writing, const char *open, const char *close)
{
	if (writing->depth < P3_VALUE_MAX_DEPTH && !is_done(writing))
		return false;
	p3_text_printf(writing->text, "%s...%s", open, close);
	return true;
}

/* `length` elements from an address on. */
static void write_elements(const struct writing *writing, const struct p3_type *element,
			   uint64_t address, uint64_t length)
{
	struct writing next = deeper(writing);
	struct items items;
	uint64_t i;

	if (!element || length > MAX_LENGTH) {
		p3_text_printf(writing->text, "<%" PRIu64 " elements at 0x%" PRIx64 ">", length,
			       address);
		return;
	}
	if (length && too_deep(writing, "[", "]"))
		return;
	items = start_items(writing, "[", ']');
	for (i = 0; i < length && next_item(&items); i++) {
		struct p3_value item = p3_value_at(element, address + i * element->size);

		write_value(&next, &item);
	}
	end_items(&items);
}

/* ---- the functions of types.def. False: not of the form known; go by the description ---- */

static bool write_string(const struct writing *writing, const struct p3_value *value)
{
	uint64_t address, length;
	bool absent;

	if (!read_deep(writing, value, "len", &length, &absent))
		return absent;
	if (!read_pointer(writing, value, &address, NULL, &absent))
		return absent;
	p3_write_string(writing->writer, address, length);
	return true;
}

/* CString: a boxed slice that ends with NUL. */
static bool write_boxed_string(const struct writing *writing, const struct p3_value *value)
{
	uint64_t address, length;
	bool absent;

	if (!read_deep(writing, value, "length", &length, &absent))
		return absent;
	if (!read_deep(writing, value, "data_ptr", &address, &absent))
		return absent;
	p3_write_string(writing->writer, address, length ? length - 1 : 0);
	return true;
}

static bool write_vec(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_type *element = p3_type_parameter(value->type, "T");
	uint64_t address, length;
	struct p3_value buffer;
	bool absent;

	if (!element || !find_member(value, "buf", &buffer))
		return false;
	if (!read_deep(writing, value, "len", &length, &absent))
		return absent;
	if (!read_pointer(writing, &buffer, &address, NULL, &absent))
		return absent;
	write_elements(writing, element, address, length);
	return true;
}

static bool write_smallvec(const struct writing *writing, const struct p3_value *value)
{
	uint64_t length;
	bool absent;

	if (!read_deep(writing, value, "capacity", &length, &absent))
		return absent;
	p3_text_printf(writing->text, "SmallVec(%" PRIu64 " elements)", length);
	return true;
}

static bool write_deque(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_type *element = p3_type_parameter(value->type, "T");
	uint64_t address, length, head, capacity, i;
	struct writing next = deeper(writing);
	struct p3_value buffer;
	struct items items;
	bool absent;

	if (!element || !find_member(value, "buf", &buffer))
		return false;
	if (!read_deep(writing, value, "head", &head, &absent) ||
	    !read_deep(writing, value, "len", &length, &absent) ||
	    !read_deep(writing, &buffer, "cap", &capacity, &absent) ||
	    !read_pointer(writing, &buffer, &address, NULL, &absent))
		return absent;
	if (!element->size)
		capacity = UINT64_MAX;
	if (length > capacity || (length && head >= capacity) || length > MAX_LENGTH) {
		p3_text_add(writing->text, "<not initialised, or gone>");
		return true;
	}
	if (length && too_deep(writing, "[", "]"))
		return true;
	items = start_items(writing, "[", ']');
	for (i = 0; i < length && next_item(&items); i++) {
		uint64_t index = head + i < capacity ? head + i : head + i - capacity;
		struct p3_value item = p3_value_at(element, address + index * element->size);

		write_value(&next, &item);
	}
	end_items(&items);
	return true;
}

/* A key, and the value behind it where it is a map's. */
static void write_entry(const struct writing *writing, const struct p3_value *key,
			const struct p3_value *value)
{
	write_value(writing, key);
	if (!value)
		return;
	p3_text_add(writing->text, ": ");
	write_value(writing, value);
}

/*
 * hashbrown's table: control bytes, one a bucket, top bit clear if it is in use; the
 * buckets lie before them, the first one last.
 */
static bool write_table(const struct writing *writing, const struct p3_value *value, bool map)
{
	struct p3_value table, key, content;
	const struct p3_type *entry;
	uint64_t control, mask, count, i;
	struct writing next = deeper(writing);
	struct items items;
	uint8_t group[64];
	bool absent;

	if (!find_deep(value, "table", 4, &table))
		return false;
	entry = p3_type_parameter(table.type, "T");
	if (!entry)
		return false;
	if (!read_deep(writing, &table, "ctrl", &control, &absent) ||
	    !read_deep(writing, &table, "bucket_mask", &mask, &absent) ||
	    !read_deep(writing, &table, "items", &count, &absent))
		return absent;
	if (count > mask + 1 || (mask & (mask + 1)) || mask > MAX_LENGTH) {
		p3_text_add(writing->text, "<not initialised, or gone>");
		return true;
	}
	if (count && too_deep(writing, "{", "}"))
		return true;
	items = start_items(writing, "{", '}');
	for (i = 0; count && i <= mask && i < MAX_BUCKETS; i++) {
		struct p3_value at;

		if (i % sizeof(group) == 0) {
			struct p3_error *error;
			uint64_t room = mask + 1 - i;

			error = p3_read(writing->target, control + i, group,
					room < sizeof(group) ? room : sizeof(group));
			if (error) {
				p3_write_absent(writing->writer, error);
				break;
			}
		}
		if (group[i % sizeof(group)] & 0x80)
			continue;
		if (!next_item(&items))
			break;
		at = p3_value_at(entry, control - (i + 1) * entry->size);
		if (!find_member(&at, "__0", &key)) /* a set whose entries are no tuples */
			key = at;
		if (map && find_member(&at, "__1", &content))
			write_entry(&next, &key, &content);
		else
			write_entry(&next, &key, NULL);
		if (--count == 0)
			break;
	}
	end_items(&items);
	return true;
}

static bool write_hash_map(const struct writing *writing, const struct p3_value *value)
{
	return write_table(writing, value, true);
}

static bool write_hash_set(const struct writing *writing, const struct p3_value *value)
{
	return write_table(writing, value, false);
}

/* A B-tree being walked in order. */
struct tree {
	const struct writing *writing;
	const struct p3_type *leaf, *key, *content; /* content NULL: a set */
	const struct p3_member *keys, *values, *length;
	struct items items;
	uint64_t left; /* entries to go */
};

static bool write_node(struct tree *tree, uint64_t node, uint64_t height)
{
	uint64_t edges = (tree->leaf->size + 7) / 8 * 8;
	uint16_t length = 0;
	uint32_t i;
	struct p3_error *error = p3_read(tree->writing->target, node + tree->length->offset,
					 &length, sizeof(length));

	if (error) {
		p3_write_absent(tree->writing->writer, error);
		return false;
	}
	if (length > TREE_CAPACITY) {
		p3_text_add(tree->writing->text, "<not initialised, or gone>");
		return false;
	}
	for (i = 0; i <= length; i++) {
		struct p3_value key, content;

		if (height) {
			uint64_t child;

			error = p3_read_u64(tree->writing->target, node + edges + i * 8, &child);
			if (error) {
				p3_write_absent(tree->writing->writer, error);
				return false;
			}
			if (!write_node(tree, child, height - 1))
				return false;
		}
		if (i == length || !tree->left)
			break;
		if (!next_item(&tree->items))
			return false;
		tree->left--;
		key = p3_value_at(tree->key, node + tree->keys->offset + i * tree->key->size);
		if (tree->content)
			content = p3_value_at(tree->content, node + tree->values->offset +
								     i * tree->content->size);
		write_entry(tree->writing, &key, tree->content ? &content : NULL);
	}
	return true;
}

static bool write_tree(const struct writing *writing, const struct p3_value *value, bool map)
{
	struct writing next = deeper(writing);
	struct p3_value root, option, pointer;
	const struct p3_type *keys, *values;
	struct tree tree = { .writing = &next };
	uint64_t node, height;
	bool absent;

	if (!find_deep(value, "root", 3, &option))
		return false;
	if (!read_deep(writing, value, "length", &tree.left, &absent))
		return absent;
	if (!tree.left) {
		p3_text_add(writing->text, "{}");
		return true;
	}
	/* Option<NodeRef>: of its variants, the one with a node in it. */
	{
		const struct p3_variants *variants = p3_type_variants(option.type);
		size_t i;

		root = option;
		for (i = 0; i < variants->count; i++) {
			struct p3_value some = p3_value_member(&option, &variants->items[i].member);

			if (find_deep(&some, "height", 4, &pointer))
				root = some;
		}
	}
	if (!read_deep(writing, &root, "height", &height, &absent) ||
	    !find_deep(&root, "node", 4, &pointer) ||
	    !read_pointer(writing, &pointer, &node, &tree.leaf, &absent))
		return absent;
	if (!tree.leaf || height > MAX_TREE || tree.left > MAX_LENGTH)
		return false;
	tree.keys = p3_type_member(tree.leaf, "keys");
	tree.values = p3_type_member(tree.leaf, "vals");
	tree.length = p3_type_member(tree.leaf, "len");
	keys = tree.keys ? p3_type_target(tree.keys->type) : NULL;
	values = tree.values ? p3_type_target(tree.values->type) : NULL;
	if (!keys || !values || !tree.length)
		return false;
	tree.key = keys;
	tree.content = map ? values : NULL;
	if (too_deep(writing, "{", "}"))
		return true;
	tree.items = start_items(writing, "{", '}');
	(void)write_node(&tree, node, height);
	end_items(&tree.items);
	return true;
}

static bool write_btree_map(const struct writing *writing, const struct p3_value *value)
{
	return write_tree(writing, value, true);
}

static bool write_btree_set(const struct writing *writing, const struct p3_value *value)
{
	return write_tree(writing, value, false);
}

/* The one member that is not empty. */
static bool only_field(const struct p3_value *value, struct p3_value *ret)
{
	const struct p3_members *members = p3_type_members(value->type);
	size_t i, found = 0;

	for (i = 0; i < members->count; i++) {
		if (!members->items[i].type->size)
			continue;
		*ret = p3_value_member(value, &members->items[i]);
		found++;
	}
	return found == 1;
}

static bool write_only_field(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value field;

	if (!only_field(value, &field))
		return false;
	write_value(writing, &field);
	return true;
}

/* MaybeUninit is a union: of nothing, or of a value. */
static bool write_value_field(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value field;

	if (!find_member(value, "value", &field))
		return false;
	write_value(writing, &field);
	return true;
}

static bool write_first_scalar(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value scalar;

	return find_first(value, P3_TYPE_UNKNOWN, 6, &scalar) &&
	       p3_write_scalar(writing->writer, &scalar);
}

static bool write_atomic_bool(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value scalar;
	uint64_t number;
	bool absent;

	if (!find_first(value, P3_TYPE_UNKNOWN, 6, &scalar))
		return false;
	if (read_number(writing, &scalar, &number, &absent))
		p3_text_add(writing->text, number & 0xff ? "true" : "false");
	return true;
}

/* Cell(5): the name of the type, and the value in it. */
static bool write_named(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value field;

	if (!only_field(value, &field))
		return false;
	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	write_value(writing, &field);
	p3_text_add(writing->text, ")");
	return true;
}

/* "Mutex(" and the value in it, of a type that says more behind it; false: it has none. */
static bool open_wrapper(const struct writing *writing, const struct p3_value *value,
			 const char *field)
{
	struct p3_value content;

	if (!find_member(value, field, &content))
		return false;
	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	write_value(writing, &content);
	return true;
}

/* RefCell: 0 free, n > 0 borrowed n times, below 0 mutably. */
static bool write_ref_cell(const struct writing *writing, const struct p3_value *value)
{
	uint64_t flag;
	bool absent;

	if (!open_wrapper(writing, value, "value"))
		return false;
	if (read_deep(writing, value, "borrow", &flag, &absent) && flag) {
		if ((int64_t)flag < 0)
			p3_text_add(writing->text, ", mutably borrowed");
		else
			p3_text_printf(writing->text, ", borrowed %" PRIu64 " time%s", flag,
				       flag == 1 ? "" : "s");
	}
	p3_text_add(writing->text, ")");
	return true;
}

/* Rc and Arc: a pointer to the counts and the value. */
static bool write_shared(const struct writing *writing, const struct p3_value *value)
{
	struct writing next = deeper(writing);
	struct p3_value inner, content, strong, number;
	const struct p3_type *target;
	uint64_t address, count;
	bool absent;

	if (!read_pointer(writing, value, &address, &target, &absent))
		return absent;
	if (!target || target->kind != P3_TYPE_STRUCT)
		return false; /* of an unsized type: by its description */
	inner = p3_value_at(target, address);
	if (!find_member(&inner, "value", &content) && !find_member(&inner, "data", &content))
		return false;
	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	write_value(&next, &content);
	if (find_member(&inner, "strong", &strong) &&
	    find_first(&strong, P3_TYPE_UNKNOWN, 6, &number) &&
	    read_number(writing, &number, &count, &absent))
		p3_text_printf(writing->text, ", strong=%" PRIu64, count);
	p3_text_add(writing->text, ")");
	return true;
}

/* Adds ", poisoned" if it is. */
static void add_poison(const struct writing *writing, const struct p3_value *value)
{
	uint64_t poisoned;
	bool absent;

	if (read_deep(writing, value, "failed", &poisoned, &absent) && (poisoned & 0xff))
		p3_text_add(writing->text, ", poisoned");
}

/* std's Mutex on futexes: 0 free, 1 locked, 2 locked with threads waiting. */
static bool write_mutex(const struct writing *writing, const struct p3_value *value)
{
	uint64_t state;
	bool absent;

	if (!open_wrapper(writing, value, "data"))
		return false;
	if (read_deep(writing, value, "futex", &state, &absent) && state)
		p3_text_add(writing->text, state == 2 ? ", locked, contended" : ", locked");
	add_poison(writing, value);
	p3_text_add(writing->text, ")");
	return true;
}

/* std's RwLock on futexes: readers in the low 30 bits, all of them set for a writer. */
static bool write_rwlock(const struct writing *writing, const struct p3_value *value)
{
	uint64_t state;
	bool absent;

	if (!open_wrapper(writing, value, "data"))
		return false;
	if (read_deep(writing, value, "state", &state, &absent)) {
		state &= 0x3fffffff;
		if (state == 0x3fffffff)
			p3_text_add(writing->text, ", write-locked");
		else if (state)
			p3_text_printf(writing->text, ", read-locked %" PRIu64 " time%s", state,
				       state == 1 ? "" : "s");
	}
	add_poison(writing, value);
	p3_text_add(writing->text, ")");
	return true;
}

/*
 * The state of std's Once when it is complete, by the minor version of rustc: numbers that
 * no debug information tells. library/std/src/sys/sync/once/futex.rs: 4 at first (1.66), 3
 * since waiters are a bit of their own (1.83), 0 since rust-lang/rust#143881 (1.90).
 */
static uint64_t complete_state(unsigned int minor)
{
	return !minor || minor >= 90 ? 0 : minor >= 83 ? 3 : 4;
}

static bool is_complete(const struct writing *writing, const struct p3_value *value, bool *absent)
{
	uint64_t state;

	return read_deep(writing, value, "state_and_queued", &state, absent) &&
	       state == complete_state(writing->writer->rustc_minor);
}

/* What is initialised once: the content, if it was. */
static void write_once(const struct writing *writing, const struct p3_value *value,
		       const struct p3_value *content)
{
	bool absent;

	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	if (is_complete(writing, value, &absent))
		write_value(writing, content);
	else if (!absent)
		p3_text_add(writing->text, "<not initialised>");
	p3_text_add(writing->text, ")");
}

static bool write_once_lock(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value content;

	if (!find_member(value, "value", &content))
		return false;
	write_once(writing, value, &content);
	return true;
}

static bool write_lazy_lock(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value data, content;

	if (!find_member(value, "data", &data) || !find_deep(&data, "value", 4, &content))
		return false;
	write_once(writing, value, &content);
	return true;
}

/* parking_lot's: the raw lock, and the data. */
static bool write_lock_api(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value raw, number;
	uint64_t state;
	bool absent;

	if (!find_member(value, "raw", &raw) || !open_wrapper(writing, value, "data"))
		return false;
	if (find_first(&raw, P3_TYPE_UNKNOWN, 6, &number) &&
	    read_number(writing, &number, &state, &absent) && state)
		p3_text_add(writing->text, ", locked");
	p3_text_add(writing->text, ")");
	return true;
}

/* Ref and RefMut: what they point at. */
static bool write_guard(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value content;
	uint64_t address;
	const struct p3_type *target;
	bool absent;

	if (!find_member(value, "value", &content) ||
	    !read_pointer(writing, &content, &address, &target, &absent) || !target)
		return false;
	content = p3_value_at(target, address);
	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	write_value(writing, &content);
	p3_text_add(writing->text, ")");
	return true;
}

static bool write_lock_guard(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value lock;

	if (!find_member(value, "lock", &lock) && !find_member(value, "inner_lock", &lock))
		return false;
	add_type_word(writing, value->type);
	p3_text_add(writing->text, "(");
	write_value(writing, &lock);
	p3_text_add(writing->text, ")");
	return true;
}

static bool write_duration(const struct writing *writing, const struct p3_value *value)
{
	uint64_t seconds, nanos;
	bool absent;

	if (!read_deep(writing, value, "secs", &seconds, &absent) ||
	    !read_deep(writing, value, "nanos", &nanos, &absent))
		return absent;
	nanos &= UINT32_MAX;
	if (seconds)
		p3_text_printf(writing->text, "%" PRIu64 ".%09" PRIu64 "s", seconds, nanos);
	else
		p3_text_printf(writing->text, "%" PRIu64 "ns", nanos);
	return true;
}

/* ---- Python's objects ---- */

static void write_object_at(const struct writing *writing, uint64_t address)
{
	if (writing->writer->object)
		writing->writer->object(writing->writer->context, address, writing->text);
	else
		p3_text_printf(writing->text, "0x%" PRIx64, address);
}

static bool write_object(const struct writing *writing, const struct p3_value *value)
{
	uint64_t address;
	bool absent;

	if (!read_pointer(writing, value, &address, NULL, &absent))
		return absent;
	write_object_at(writing, address);
	return true;
}

static bool write_python(const struct writing *writing, const struct p3_value *value)
{
	(void)value;
	p3_text_add(writing->text, "Python");
	return true;
}

/* The first part, in depth, of the type with this last name; variants are not looked into. */
static bool search_type(const struct p3_value *value, const char *crate, const char *name,
			int depth, int *budget, struct p3_value *ret)
{
	const struct p3_variants *variants;
	const struct p3_members *members;
	size_t i;

	if (value->type->name && is_type(value->type->name, crate, name)) {
		*ret = *value;
		return true;
	}
	if (depth <= 0 || --*budget <= 0)
		return false;
	members = p3_type_members(value->type);
	for (i = 0; i < members->count; i++) {
		struct p3_value part = p3_value_member(value, &members->items[i]);

		if (search_type(&part, crate, name, depth - 1, budget, ret))
			return true;
	}
	/* Option<T>: its T. */
	variants = p3_type_variants(value->type);
	for (i = 0; i < variants->count; i++) {
		struct p3_value part = p3_value_member(value, &variants->items[i].member);

		if (search_type(&part, crate, name, depth - 1, budget, ret))
			return true;
	}
	return false;
}

static const struct p3_variant *find_variant(const struct writing *writing,
					     const struct p3_value *value);

/* The exception, if it was made already; else what will make it. */
static bool write_pyerr(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_variant *variant;
	struct p3_value state, content, part;
	int budget = MAX_SEARCH;
	uint64_t address;
	bool absent;

	/* 0.24 on; before, the state itself. */
	if (!search_type(value, "pyo3", "PyErrStateInner", 12, &budget, &state)) {
		budget = MAX_SEARCH;
		if (!search_type(value, "pyo3", "PyErrState", 12, &budget, &state))
			return false;
	}
	if (!p3_type_variants(state.type)->count)
		return false;
	p3_text_add(writing->text, "PyErr(");
	variant = find_variant(writing, &state);
	if (variant) {
		content = p3_value_member(&state, &variant->member);
		if (find_deep(&content, "pvalue", 8, &part) &&
		    read_pointer(writing, &part, &address, NULL, &absent)) {
			write_object_at(writing, address);
		} else {
			p3_text_add(writing->text, "not made yet");
		}
	}
	p3_text_add(writing->text, ")");
	return true;
}

static const struct {
	const char *crate, *name;
	bool (*write)(const struct writing *writing, const struct p3_value *value);
	bool is_short;
} types[] = {
#define TYPE(crate, name, function)  { crate, name, function, false },
#define SHORT(crate, name, function) { crate, name, function, true },
#include "types.def"
#undef SHORT
#undef TYPE
};

/* ---- by the description ---- */

static bool is_text(const char *name)
{
	static const char *const texts[] = { "str", "std::path::Path", "std::ffi::os_str::OsStr" };
	const char *end = name + strlen(name);
	size_t i;

	if (strstr(name, "Box<str"))
		return true;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		size_t size = strlen(texts[i]);

		if (name[0] == '&' && (size_t)(end - name) > size &&
		    !strcmp(end - size, texts[i]) &&
		    (end[-(ptrdiff_t)size - 1] == '&' || end[-(ptrdiff_t)size - 1] == ' '))
			return true;
	}
	return false;
}

/*
 * A pointer to a trait's object. A vtable begins with drop_in_place::<T>, where there is
 * something to drop, size and alignment; the first method behind it is of T, too.
 */
static void write_dynamic(const struct writing *writing, const struct p3_type *type,
			  uint64_t address, const struct p3_value *vtable)
{
	static const int slots[] = { 0, 3 };
	const struct p3_writer *writer = writing->writer;
	uint64_t table, function;
	size_t i;
	bool absent;

	p3_text_add(writing->text, "(");
	if (type->name)
		p3_text_add_safe(writing->text, type->name, strnlen(type->name, MAX_NAME), 0);
	p3_text_printf(writing->text, ") 0x%" PRIx64, address);
	if (!writer->symbol || !read_number(writing, vtable, &table, &absent))
		return;
	for (i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		struct p3_error *error =
			p3_read_u64(writing->target, table + 8 * (uint64_t)slots[i], &function);
		const char *name =
			!error && function ? writer->symbol(writer->context, function) : NULL;

		p3_error_free(error);
		if (!name)
			continue;
		p3_text_add(writing->text, " <");
		p3_text_add_safe(writing->text, name, strlen(name), 0);
		p3_text_add(writing->text, ">");
		return;
	}
}

/* References to what has no size of its own: a pointer, and a length or a vtable. */
static bool write_fat_pointer(const struct writing *writing, const struct p3_value *value)
{
	struct p3_value data, length, vtable;
	uint64_t address, count;
	bool absent;

	if (find_member(value, "data_ptr", &data) && find_member(value, "length", &length)) {
		if (!read_number(writing, &data, &address, &absent) ||
		    !read_number(writing, &length, &count, &absent))
			return true;
		if (value->type->name && is_text(value->type->name))
			p3_write_string(writing->writer, address, count);
		else
			write_elements(writing, p3_type_target(data.type), address, count);
		return true;
	}
	if (find_member(value, "pointer", &data) && find_member(value, "vtable", &vtable)) {
		if (!read_number(writing, &data, &address, &absent))
			return true;
		write_dynamic(writing, value->type, address, &vtable);
		return true;
	}
	return false;
}

static bool is_tuple_field(const struct p3_member *member)
{
	return member->name && !strncmp(member->name, "__", 2) && member->name[2] >= '0' &&
	       member->name[2] <= '9';
}

/* Fields, as a tuple or by name; a type without any has none. */
static void write_fields(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_members *members = p3_type_members(value->type);
	struct writing next = deeper(writing);
	struct items items;
	bool tuple;
	size_t i;

	if (!members->count)
		return;
	tuple = is_tuple_field(&members->items[0]);
	if (too_deep(writing, tuple ? "(" : " {", tuple ? ")" : "}"))
		return;
	items = start_items(writing, tuple ? "(" : " {", tuple ? ')' : '}');
	for (i = 0; i < members->count && next_item(&items); i++) {
		struct p3_value part = p3_value_member(value, &members->items[i]);

		if (!tuple && members->items[i].name)
			p3_text_printf(writing->text, "%s: ", members->items[i].name);
		write_value(&next, &part);
	}
	end_items(&items);
}

/* Option and Result are known to everyone; others are told by their type, too. */
static void add_variant_name(const struct writing *writing, const struct p3_type *type,
			     const char *variant)
{
	if (type->name && !is_type(type->name, "core", "Option") &&
	    !is_type(type->name, "core", "Result")) {
		add_type_word(writing, type);
		p3_text_add(writing->text, "::");
	}
	p3_text_add_safe(writing->text, variant, strlen(variant), 0);
}

static const struct p3_variant *active_variant(const struct p3_variants *variants,
					       uint64_t discriminant)
{
	const struct p3_variant *fallback = NULL;
	uint64_t size = variants->discriminant.type ? variants->discriminant.type->size : 8;
	uint64_t mask = size < 8 ? ((uint64_t)1 << size * 8) - 1 : UINT64_MAX;
	size_t i;

	for (i = 0; i < variants->count; i++) {
		const struct p3_variant *variant = &variants->items[i];

		if (variant->is_default)
			fallback = variant;
		else if ((discriminant & mask) >= (variant->low & mask) &&
			 (discriminant & mask) <= (variant->high & mask))
			return variant;
	}
	return fallback;
}

/* The active variant; NULL: none fits, or it cannot be read, and the text says so. */
static const struct p3_variant *find_variant(const struct writing *writing,
					     const struct p3_value *value)
{
	const struct p3_variants *variants = p3_type_variants(value->type);
	const struct p3_variant *variant;
	uint64_t discriminant = 0;
	bool absent;

	if (variants->discriminant.type) {
		struct p3_value part = p3_value_member(value, &variants->discriminant);

		if (!read_number(writing, &part, &discriminant, &absent))
			return NULL;
	}
	variant = active_variant(variants, discriminant);
	if (!variant)
		p3_text_add(writing->text, "<no variant fits: not initialised, or gone>");
	return variant;
}

static void write_enum(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_variant *variant = find_variant(writing, value);
	struct p3_value content;

	if (!variant)
		return;
	add_variant_name(writing, value->type, variant->member.name ? variant->member.name : "?");
	content = p3_value_member(value, &variant->member);
	write_fields(writing, &content);
}

static void write_pointer(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_type *target = p3_type_target(value->type);
	const char *name = value->type->name;
	bool reference = name && (name[0] == '&' || is_type(name, "alloc", "Box"));
	struct writing next = deeper(writing);
	struct p3_value content;
	const char *symbol;
	uint64_t address;
	bool absent;

	if (!read_number(writing, value, &address, &absent))
		return;
	if (target && target->name &&
	    (is_type(target->name, "pyo3_ffi", "PyObject") || !strcmp(target->name, "_object"))) {
		write_object_at(writing, address);
		return;
	}
	if (!reference || !target || target->kind == P3_TYPE_FUNCTION) {
		p3_text_printf(writing->text, "0x%" PRIx64, address);
		symbol = writing->writer->symbol
				 ? writing->writer->symbol(writing->writer->context, address)
				 : NULL;
		if (symbol) {
			p3_text_add(writing->text, " <");
			p3_text_add_safe(writing->text, symbol, strlen(symbol), 0);
			p3_text_add(writing->text, ">");
		}
		return;
	}
	content = p3_value_at(target, address);
	if (!writing->full && p3_rust_is_aggregate(target)) {
		p3_text_printf(writing->text, "0x%" PRIx64, address);
		return;
	}
	if (p3_rust_object_type(target)) {
		write_value(&next, &content);
		return;
	}
	if (name[0] == '&')
		p3_text_add(writing->text, !strncmp(name, "&mut ", 5) ? "&mut " : "&");
	else
		p3_text_add(writing->text, "Box(");
	write_value(&next, &content);
	if (name[0] != '&')
		p3_text_add(writing->text, ")");
}

static void write_struct(const struct writing *writing, const struct p3_value *value)
{
	const char *name = value->type->name;
	size_t i;

	for (i = 0; name && i < sizeof(types) / sizeof(*types); i++)
		if (is_type(name, types[i].crate, types[i].name)) {
			if (types[i].write(writing, value))
				return;
			break;
		}
	if (write_fat_pointer(writing, value))
		return;
	if (p3_type_variants(value->type)->count) {
		write_enum(writing, value);
		return;
	}
	if (name && name[0] != '(' && name[0] != '{')
		add_type_word(writing, value->type);
	write_fields(writing, value);
}

/* An array that is not in memory. */
static void write_loose_array(const struct writing *writing, const struct p3_value *value)
{
	const struct p3_type *element = p3_type_target(value->type);
	struct items items = start_items(writing, "[", ']');
	struct writing next = deeper(writing);
	uint64_t i;

	for (i = 0; element && i < value->type->count && next_item(&items); i++) {
		struct p3_member member = { NULL, element, i * element->size };
		struct p3_value part = p3_value_member(value, &member);

		write_value(&next, &part);
	}
	end_items(&items);
}

static void write_value(const struct writing *outer, const struct p3_value *value)
{
	const struct p3_type *type = value->type;
	struct writing writing = *outer;

	if (is_done(&writing) || ++writing.level > MAX_LEVEL) {
		p3_text_add(writing.text, "...");
	} else if (type->name && !strcmp(type->name, "()")) {
		p3_text_add(writing.text, "()");
	} else if (type->kind == P3_TYPE_POINTER) {
		write_pointer(&writing, value);
	} else if (type->kind == P3_TYPE_ENUM) {
		add_type_word(&writing, type);
		p3_text_add(writing.text, "::");
		(void)p3_write_scalar(writing.writer, value);
	} else if (type->kind == P3_TYPE_STRUCT || type->kind == P3_TYPE_UNION) {
		write_struct(&writing, value);
	} else if (type->kind == P3_TYPE_ARRAY && value->bytes) {
		write_loose_array(&writing, value);
	} else if (type->kind == P3_TYPE_ARRAY) {
		write_elements(&writing, p3_type_target(type), value->address, type->count);
	} else if (!p3_write_scalar(writing.writer, value)) {
		p3_text_add(writing.text, "?");
	}
}

/* ---- what the others ask ---- */

bool p3_rust_object_type(const struct p3_type *type)
{
	size_t i;

	for (i = 0; type->name && i < sizeof(types) / sizeof(*types); i++)
		if (types[i].write == write_object &&
		    is_type(type->name, types[i].crate, types[i].name))
			return true;
	return false;
}

static bool is_aggregate(const struct p3_type *type, int depth)
{
	const struct p3_variants *variants;
	const struct p3_type *inside = NULL;
	size_t i, j;

	if (type->kind != P3_TYPE_STRUCT && type->kind != P3_TYPE_UNION)
		return type->kind == P3_TYPE_ARRAY;
	if (!type->size || depth == 0)
		return depth == 0;
	for (i = 0; type->name && i < sizeof(types) / sizeof(*types); i++)
		if (is_type(type->name, types[i].crate, types[i].name))
			return !types[i].is_short;
	if (type->name && is_text(type->name))
		return false;
	/* Some(5) is as short as 5. */
	variants = p3_type_variants(type);
	for (i = 0; i < variants->count; i++) {
		const struct p3_members *members = p3_type_members(variants->items[i].member.type);

		for (j = 0; j < members->count; j++) {
			if (inside && members->items[j].type->size)
				return true;
			if (members->items[j].type->size)
				inside = members->items[j].type;
		}
	}
	return !variants->count || (inside && is_aggregate(inside, depth - 1));
}

bool p3_rust_is_aggregate(const struct p3_type *type)
{
	return is_aggregate(type, 4);
}

/* Where the Python object that a value is, or points at, is; 0: none. */
uint64_t p3_rust_object(struct p3_target *target, const struct p3_value *value)
{
	const struct p3_type *pointed =
		value->type->kind == P3_TYPE_POINTER ? p3_type_target(value->type) : NULL;
	struct p3_value at = *value, pointer;
	struct p3_error *error = NULL;
	uint64_t address = 0;

	if (pointed && p3_rust_object_type(pointed)) {
		error = p3_value_number(target, value, &address);
		at = p3_value_at(pointed, address);
	} else if (pointed && pointed->name &&
		   (is_type(pointed->name, "pyo3_ffi", "PyObject") ||
		    !strcmp(pointed->name, "_object"))) {
		error = p3_value_number(target, value, &address);
		p3_error_free(error);
		return error ? 0 : address;
	} else if (!p3_rust_object_type(value->type)) {
		return 0;
	}
	if (!error && find_first(&at, P3_TYPE_POINTER, 10, &pointer))
		error = p3_value_number(target, &pointer, &address);
	if (error)
		address = 0;
	p3_error_free(error);
	return address;
}

void p3_rust_write(const struct p3_writer *writer, const struct p3_value *value, bool full)
{
	struct writing writing = {
		.writer = writer, .target = writer->target, .text = writer->text, .full = full
	};

	write_value(&writing, value);
}
