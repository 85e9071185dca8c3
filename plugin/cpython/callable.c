/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Callables made from C functions, and what Python calls them. Reads PyCFunctionObject,
 * PyDescrObject, PyMethodDef, PyGetSetDef, the slots of PyTypeObject; sys.modules for all of
 * an extension. Source: python/cpython Include/cpython/{methodobject,descrobject,object}.h.
 */
#include "layout.h"

#include <string.h>

enum {
	MAX_NAME = 200,	    /* bytes of an ml_name */
	MAX_CLASSES = 5000, /* of one extension */
	MAX_NESTING = 4,    /* modules within modules, classes within classes */
	MAX_INTERPRETERS = 64,
	MODULE_WORDS = 12,  /* of a PyModuleObject, behind md_dict */
	MAX_SLOTS = 200,    /* of a PyType_Spec */
	MAX_MEMBERS = 5000, /* methods, or properties, of one class */
	/* Include/typeslots.h */
	SLOT_DEALLOC = 52,
	SLOT_METHODS = 64,
	SLOT_GETSET = 73,
};

struct definition { /* PyMethodDef, PyGetSetDef: both begin with a name */
	uint64_t name, function, function2, doc, closure;
	uint64_t address; /* of a PyMethodDef; not part of it */
};

/* Add "module." or "Class." of what a builtin belongs to. */
static struct p3_error *add_owner(struct p3_py *py, uint64_t object, bool descriptor,
				  struct p3_text *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t owner, module;

	P3_TRY(p3_read_u64(py->target,
			   object + (descriptor ? layout->descriptor.type : layout->builtin.self),
			   &owner));
	/* a class method's is the class */
	if (owner && (descriptor || p3_py_is_type(py, owner))) {
		P3_TRY(p3_py_type_name(py, owner, ret));
		p3_text_add(ret, ".");
		return NULL;
	}
	P3_TRY(p3_read_u64(py->target, object + layout->builtin.module, &module));
	if (module && !strcmp(p3_py_static_type(py, module), "str"))
		p3_text_printf(ret, "%s.", p3_py_string(py, module));
	return NULL;
}

/* Of a builtin function, a method descriptor and the like; false: it is none. */
static bool read_definition(struct p3_py *py, uint64_t object, bool *descriptor,
			    struct definition *ret)
{
	const struct p3_layout *layout = py->layout;
	const char *type = p3_py_static_type(py, object);
	struct p3_error *error;
	uint64_t method = 0;

	*descriptor = !strcmp(type, "method_descriptor") || !strcmp(type, "classmethod_descriptor");
	if (!*descriptor && strcmp(type, "builtin_function_or_method") != 0)
		return false;
	error = p3_read_u64(
		py->target,
		object + (*descriptor ? layout->descriptor.method : layout->builtin.method),
		&method);
	if (!error)
		error = p3_read(py->target, method, ret, 16);
	ret->address = method;
	p3_error_free(error);
	return !error;
}

/* Add the name of the callable: "demo.Counter.add". */
static struct p3_error *add_name(struct p3_py *py, uint64_t object, bool descriptor, uint64_t name,
				 struct p3_text *ret)
{
	const char *raw;

	P3_TRY(p3_read_string(py->target, name, MAX_NAME, py->arena, &raw));
	P3_TRY(add_owner(py, object, descriptor, ret));
	p3_text_add_safe(ret, raw, strlen(raw), 0);
	return NULL;
}

bool p3_py_is_callable(struct p3_py *py, uint64_t object, uint64_t entry, struct p3_text *ret)
{
	size_t before = ret->size;
	struct definition definition;
	struct p3_error *error;
	bool descriptor;

	if (!read_definition(py, object, &descriptor, &definition) || definition.function != entry)
		return false;
	error = add_name(py, object, descriptor, definition.name, ret);
	if (error)
		p3_text_cut(ret, before);
	p3_error_free(error);
	return !error;
}

uint64_t p3_py_bound_self(struct p3_py *py, uint64_t object, const char **name_ret)
{
	struct definition definition;
	struct p3_error *error;
	bool descriptor;

	if (!read_definition(py, object, &descriptor, &definition))
		return 0;
	error = p3_read_string(py->target, definition.name, MAX_NAME, py->arena, name_ret);
	if (!error && !descriptor)
		return p3_py_peek(py, object + py->layout->builtin.self, 8);
	p3_error_free(error);
	return 0;
}

/* ---- all of an extension ---- */

static const struct {
	uint32_t id, table, offset;
	const char *name;
} slots[] = {
#define SLOT(id_, table_, offset_, name_) { id_, table_, offset_, name_ },
#include "layout.def"
#undef SLOT
};

struct search {
	struct p3_py *py;
	uint64_t start, end;
	struct p3_map *names, *seen;
	const char *wanted; /* collect the functions of this name; NULL: none */
	struct p3_py_entries *entries;
	uint64_t definition;	 /* the PyMethodDef that is looked at; 0: something else is */
	struct p3_py_names *all; /* collect every name; NULL: do not */
	size_t classes;
};

static void add_entry(struct search *search, uint64_t function, const char *name)
{
	void **slot;
	bool known;

	if (function < search->start || function >= search->end)
		return;
	if (search->wanted && p3_py_same_name(name, search->wanted))
		*p3_list_add(search->py->arena, search->entries) =
			(struct p3_py_entry){ function, search->definition };
	if (search->all)
		*p3_list_add(search->py->arena, search->all) = name;
	known = p3_map_find(search->names, function) != NULL;
	slot = p3_map_slot(search->names, function);
	/* One function for several: the compiler has merged them, or it is PyO3's own. */
	if (!known)
		*slot = (void *)name;
	else if (*slot && strcmp(*slot, name) != 0)
		*slot = NULL;
}

static void add_callable(struct search *search, uint64_t object)
{
	struct p3_py *py = search->py;
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct definition definition;
	bool descriptor;

	if (!read_definition(py, object, &descriptor, &definition) ||
	    definition.function < search->start || definition.function >= search->end)
		return;
	p3_error_free(add_name(py, object, descriptor, definition.name, &name));
	search->definition = definition.address;
	add_entry(search, definition.function, p3_arena_string(py->arena, p3_text_string(&name)));
	search->definition = 0;
}

/* A property, of a PyGetSetDef: the functions that read and write it, which are PyO3's for all but
 * fields; what those call is behind the closure, one word each. */
static void add_getset(struct search *search, uint64_t address, const char *owner)
{
	struct p3_py *py = search->py;
	struct definition definition;
	struct p3_error *error = p3_read(py->target, address, &definition, 40);
	const char *raw = NULL, *name;

	if (!error)
		error = p3_read_string(py->target, definition.name, MAX_NAME, py->arena, &raw);
	if (error) {
		p3_error_free(error);
		return;
	}
	name = p3_arena_printf(py->arena, "%s.%s", owner, raw);
	add_entry(search, definition.function, name);
	add_entry(search, definition.function2, name);
	add_entry(search, definition.closure, name);
	if (definition.closure >= search->start && definition.closure < search->end)
		return;
	add_entry(search, p3_py_peek(py, definition.closure, 8), name);
	add_entry(search, p3_py_peek(py, definition.closure + 8, 8), name);
}

static void add_slots(struct search *search, uint64_t type, const char *owner)
{
	uint64_t base = type + search->py->layout->type.name;
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		uint64_t table =
			slots[i].table ? p3_py_peek(search->py, base + slots[i].table, 8) : base;

		if (table)
			add_entry(
				search, p3_py_peek(search->py, table + slots[i].offset, 8),
				p3_arena_printf(search->py->arena, "%s.%s", owner, slots[i].name));
	}
}

static void add_member(struct search *search, uint64_t object, int nesting);

static void add_class(struct search *search, uint64_t type, int nesting)
{
	struct p3_py *py = search->py;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_py_items items = { 0 };
	const char *name;
	size_t i;

	if (search->classes++ >= MAX_CLASSES)
		return;
	p3_error_free(p3_py_type_name(py, type, &text));
	name = p3_arena_string(py->arena, p3_text_string(&text));
	add_slots(search, type, name);
	p3_py_dict_items(py, p3_py_peek(py, type + py->layout->type.base + 8, 8), &items);
	for (i = 0; i < items.count; i++) {
		const char *kind = p3_py_static_type(py, items.items[i].value);

		if (!strcmp(kind, "getset_descriptor"))
			add_getset(search,
				   p3_py_peek(py,
					      items.items[i].value + py->layout->descriptor.method,
					      8),
				   name);
		else if (!strcmp(kind, "staticmethod")) /* its callable is the first member */
			add_callable(search,
				     p3_py_peek(py,
						items.items[i].value + py->layout->object.var_size,
						8));
		else
			add_member(search, items.items[i].value, nesting);
	}
}

static void add_module(struct search *search, uint64_t module, int nesting)
{
	struct p3_py *py = search->py;
	struct p3_py_items items = { 0 };
	size_t i;

	p3_py_dict_items(py, p3_py_peek(py, module + py->layout->module.dict, 8), &items);
	for (i = 0; i < items.count; i++)
		add_member(search, items.items[i].value, nesting);
}

/* Is this module the extension's? Its PyModuleDef is: md_def, behind md_dict; in 3.15 md_token,
 * some words further on. */
static bool is_own(struct search *search, uint64_t module)
{
	uint64_t words[MODULE_WORDS];
	struct p3_error *error =
		p3_read(search->py->target, module + search->py->layout->module.dict + 8, words,
			sizeof(words));
	bool own = false;
	size_t i;

	for (i = 0; !error && i < MODULE_WORDS; i++)
		own |= words[i] >= search->start && words[i] < search->end;
	p3_error_free(error);
	return own;
}

static void add_member(struct search *search, uint64_t object, int nesting)
{
	struct p3_py *py = search->py;

	if (nesting > MAX_NESTING || p3_map_find(search->seen, object))
		return;
	if (p3_py_is_type(py, object)) {
		(void)p3_map_slot(search->seen, object);
		add_class(search, object, nesting + 1);
	} else if (!strcmp(p3_py_static_type(py, object), "module")) {
		(void)p3_map_slot(search->seen, object);
		/* A submodule that it has made has no definition; what it imports has another. */
		if (!p3_py_peek(py, object + py->layout->module.dict + 8, 8) ||
		    is_own(search, object))
			add_module(search, object, nesting + 1);
	} else {
		add_callable(search, object);
	}
}

static void search_all(struct search *search)
{
	struct p3_py *py = search->py;
	uint64_t interpreter = p3_py_peek(py, py->runtime + py->layout->runtime.interpreters, 8);
	int count;
	size_t i;

	search->seen = p3_map_new(py->arena);
	for (count = 0; interpreter && count < MAX_INTERPRETERS; count++) {
		struct p3_py_items modules = { 0 };

		p3_py_dict_items(py,
				 p3_py_peek(py, interpreter + py->layout->interpreter.modules, 8),
				 &modules);
		for (i = 0; i < modules.count; i++) {
			uint64_t module = modules.items[i].value;

			if (!strcmp(p3_py_static_type(py, module), "module") &&
			    is_own(search, module))
				add_member(search, module, 0);
		}
		interpreter = p3_py_peek(py, interpreter + py->layout->interpreter.next, 8);
	}
}

void p3_py_natives(struct p3_py *py, uint64_t start, uint64_t end, struct p3_map *ret)
{
	struct search search = { .py = py, .start = start, .end = end, .names = ret };

	search_all(&search);
}

/* ---- by name ---- */

/* Are the parts of one among those of the other, in their order? */
static bool is_part(const char *some, size_t some_size, const char *all, size_t all_size)
{
	const char *some_end = some + some_size, *all_end = all + all_size;

	while (some < some_end && all < all_end) {
		size_t size = strcspn(some, "."), other = strcspn(all, ".");

		if (size == other && !memcmp(some, all, size))
			some += size + 1;
		all += other + 1;
	}
	return some >= some_end;
}

bool p3_py_same_name(const char *known, const char *wanted)
{
	const char *last, *wanted_last = strrchr(wanted, '.');
	size_t size, wanted_size = wanted_last ? (size_t)(wanted_last - wanted) : 0;

	/* What a class has as its module, if nothing is said. */
	if (!strncmp(known, "builtins.", 9))
		known += 9;
	last = strrchr(known, '.');
	size = last ? (size_t)(last - known) : 0;
	if (strcmp(last ? last + 1 : known, wanted_last ? wanted_last + 1 : wanted) != 0)
		return false;
	return size < wanted_size ? is_part(known, size, wanted, wanted_size)
				  : is_part(wanted, wanted_size, known, size);
}

/* Without those that several names share, if others remain. */
static void drop_shared(const struct p3_map *names, struct p3_py_entries *entries)
{
	size_t i, j, kept = 0;

	for (i = 0; i < entries->count; i++) {
		void **name = p3_map_find(names, entries->items[i].address);

		for (j = 0; j < kept; j++)
			if (entries->items[j].address == entries->items[i].address)
				break;
		if (j == kept && name && *name)
			entries->items[kept++] = entries->items[i];
	}
	if (kept)
		entries->count = kept;
}

void p3_py_native_entries(struct p3_py *py, uint64_t start, uint64_t end, const char *name,
			  struct p3_py_entries *ret)
{
	struct search search = { .py = py,
				 .start = start,
				 .end = end,
				 .names = p3_map_new(py->arena),
				 .wanted = name,
				 .entries = ret };

	search_all(&search);
	drop_shared(search.names, ret);
}

void p3_py_native_names(struct p3_py *py, uint64_t start, uint64_t end, struct p3_py_names *ret)
{
	struct search search = {
		.py = py, .start = start, .end = end, .names = p3_map_new(py->arena), .all = ret
	};

	search_all(&search);
}

/* ---- those that are being made ---- */

static void add_definition(struct search *search, uint64_t address, const char *owner)
{
	struct definition definition;
	struct p3_error *error = p3_read(search->py->target, address, &definition, 16);
	const char *raw = NULL;

	if (!error)
		error = p3_read_string(search->py->target, definition.name, MAX_NAME,
				       search->py->arena, &raw);
	search->definition = address;
	if (!error)
		add_entry(search, definition.function,
			  *owner ? p3_arena_printf(search->py->arena, "%s.%s", owner, raw) : raw);
	search->definition = 0;
	p3_error_free(error);
}

void p3_py_definition_entries(struct p3_py *py, uint64_t definition, const char *name,
			      struct p3_py_entries *ret)
{
	struct search search = { .py = py,
				 .end = UINT64_MAX,
				 .names = p3_map_new(py->arena),
				 .wanted = name,
				 .entries = ret };

	add_definition(&search, definition, "");
}

static void add_slot(struct search *search, uint64_t id, uint64_t value, const char *owner)
{
	struct p3_py *py = search->py;
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(*slots); i++)
		if (slots[i].id == id)
			add_entry(search, value,
				  p3_arena_printf(py->arena, "%s.%s", owner, slots[i].name));
	for (i = 0; id == SLOT_METHODS && i < MAX_MEMBERS; i++) {
		if (!p3_py_peek(py, value + 32 * i, 8))
			break;
		add_definition(search, value + 32 * i, owner);
	}
	for (i = 0; id == SLOT_GETSET && i < MAX_MEMBERS; i++) {
		if (!p3_py_peek(py, value + 40 * i, 8))
			break;
		add_getset(search, value + 40 * i, owner);
	}
}

void p3_py_spec_entries(struct p3_py *py, uint64_t spec, const struct p3_modules *modules,
			const char *name, struct p3_py_entries *ret)
{
	struct search search = {
		.py = py, .names = p3_map_new(py->arena), .wanted = name, .entries = ret
	};
	uint64_t table = p3_py_peek(py, spec + 24, 8); /* PyType_Spec: name, three ints, slots */
	const char *owner;
	struct p3_error *error =
		p3_read_string(py->target, p3_py_peek(py, spec, 8), MAX_NAME, py->arena, &owner);
	int pass, i;

	/* The extension is the one that its destructor, which all have, is in. */
	for (pass = 0; !error && pass < 2; pass++) {
		for (i = 0; i < MAX_SLOTS; i++) {
			uint64_t id = p3_py_peek(py, table + 16 * (uint64_t)i, 4);
			uint64_t value = p3_py_peek(py, table + 16 * (uint64_t)i + 8, 8);
			const struct p3_module *module = p3_modules_at(modules, value);

			if (!id)
				break;
			if (pass)
				add_slot(&search, id, value, owner);
			else if (id == SLOT_DEALLOC && module) {
				search.start = module->start;
				search.end = module->end;
			}
		}
	}
	p3_error_free(error);
	drop_shared(search.names, ret);
}
