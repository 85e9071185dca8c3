/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * gdb as a host: the read-only questions, through its Python API. The selected
 * thread and frame are as before when a question has been answered.
 */
#include "gdb.h"

#include <ctype.h>
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* gdb.Frame objects of the threads unwound at this stop: number -> list. */
static PyObject *known_frames;

static bool attribute_is_true(PyObject *object, const char *name)
{
	P3_OBJECT value = PyObject_GetAttrString(object, name);
	bool yes = value && PyObject_IsTrue(value) == 1;

	p3_gdb_clear();
	return yes;
}

static PyObject *selected_inferior(void)
{
	return p3_gdb_call(p3_gdb(), "selected_inferior", "()");
}

static struct p3_error *host_read(void *context, uint64_t address, void *buffer, size_t size)
{
	P3_OBJECT inferior = selected_inferior();
	P3_OBJECT memory = NULL;
	P3_OBJECT bytes = NULL;
	PyObject *error;
	char *data;
	Py_ssize_t got;

	(void)context;
	/* A Ctrl-C that arrived while no gdb code ran. */
	if (p3_gdb_interrupted())
		return p3_gdb_error(NULL);
	memory = p3_gdb_call(inferior, "read_memory", "(KK)", (unsigned long long)address,
			     (unsigned long long)size);
	bytes = memory ? PyBytes_FromObject(memory) : NULL;
	if (bytes && PyBytes_AsStringAndSize(bytes, &data, &got) == 0 && (size_t)got == size) {
		memcpy(buffer, data, size);
		return NULL;
	}
	error = PyErr_Occurred();
	if (error && PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt))
		return p3_gdb_error(NULL);
	p3_gdb_clear();
	return p3_error_new(P3_FAULT, "cannot read %zu bytes at 0x%" PRIx64, size, address);
}

/*
 * The number in a line of `info auxv`:
 *	31   AT_EXECFN            File name of executable        0x7ffe "/usr/bin/python"
 */
static bool parse_auxv_line(char *line, uint64_t *type, uint64_t *value)
{
	char *quote = strchr(line, '"'), *end, *last;

	if (quote)
		*quote = 0;
	*type = strtoull(line, &end, 10);
	if (end == line || !isspace((unsigned char)*end))
		return false;
	for (last = line + strlen(line); last > line && isspace((unsigned char)last[-1]);)
		*--last = 0;
	while (last > line && !isspace((unsigned char)last[-1]))
		last--;
	*value = strtoull(last, &end, 0);
	return end != last;
}

static void read_auxv(struct p3_arena *arena, struct p3_process *process)
{
	P3_OBJECT output = p3_gdb_output_of("info auxv");
	char *text = (char *)(uintptr_t)p3_gdb_text(arena, output), *line;
	P3_LIST(uint64_t) entries = { 0 };

	for (line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		uint64_t type, value;

		if (!parse_auxv_line(line, &type, &value))
			continue;
		*p3_list_add(arena, &entries) = type;
		*p3_list_add(arena, &entries) = value;
	}
	process->auxv = (const uint8_t *)entries.items;
	process->auxv_size = entries.count * sizeof(*entries.items);
}

static struct p3_error *host_process(void *context, struct p3_arena *arena, struct p3_process *ret)
{
	P3_OBJECT inferior = selected_inferior();
	P3_OBJECT space = p3_gdb_call(p3_gdb(), "current_progspace", "()");
	P3_OBJECT connection = inferior ? PyObject_GetAttrString(inferior, "connection") : NULL;
	P3_OBJECT threads = inferior ? p3_gdb_call(inferior, "threads", "()") : NULL;
	const char *kind = p3_gdb_attribute_text(arena, connection, "type");
	const char *version = p3_gdb_attribute_text(arena, p3_gdb(), "VERSION");

	(void)context;
	p3_gdb_clear();
	if (!threads || PyObject_Size(threads) <= 0)
		return p3_error_hint(p3_error_new(P3_USAGE, "there is no process"),
				     "start one with `run`, `attach PID`, or open a core with "
				     "`core-file FILE`");
	*ret = (struct p3_process){ 0 };
	ret->pid = p3_gdb_attribute_number(inferior, "pid", 0);
	ret->state = kind && !strcmp(kind, "core") ? "core" : "live";
	ret->executable = p3_gdb_local_path(p3_gdb_attribute_text(arena, space, "filename"));
	ret->host = p3_arena_printf(arena, "gdb %s", version ? version : "of unknown version");
	read_auxv(arena, ret);
	return NULL;
}

/* ---- threads ---- */

/*
 * The user's selected thread and frame: saved at the first switch of a command, put
 * back once at its end. gdb drops what it has unwound at each switch.
 */
static PyObject *saved_thread, *saved_frame;
static uint32_t current_thread; /* switched to; 0: the user's own */

static void save_selection(void)
{
	if (saved_thread)
		return;
	saved_thread = p3_gdb_call(p3_gdb(), "selected_thread", "()");
	p3_gdb_clear();
	saved_frame = p3_gdb_call(p3_gdb(), "selected_frame", "()");
	p3_gdb_clear();
}

static void restore_selection(void)
{
	PyObject *type, *value, *traceback;

	/* The way out of an error, too: whatever is pending stays pending. */
	PyErr_Fetch(&type, &value, &traceback);
	if (current_thread && saved_thread && saved_thread != Py_None)
		Py_XDECREF(p3_gdb_call(saved_thread, "switch", "()"));
	p3_gdb_clear();
	if (current_thread && saved_frame)
		Py_XDECREF(p3_gdb_call(saved_frame, "select", "()"));
	p3_gdb_clear();
	Py_CLEAR(saved_thread);
	Py_CLEAR(saved_frame);
	current_thread = 0;
	PyErr_Restore(type, value, traceback);
}

void p3_gdb_host_forget(void)
{
	Py_CLEAR(known_frames);
	restore_selection();
}

static struct p3_error *host_selected_level(void *context, uint32_t *ret)
{
	P3_OBJECT frame = NULL;
	P3_OBJECT level = NULL;

	(void)context;
	save_selection();
	Py_XINCREF(saved_frame);
	frame = saved_frame;
	/* gdb 11 and newer */
	level = frame ? p3_gdb_call(frame, "level", "()") : NULL;
	*ret = level ? (uint32_t)PyLong_AsUnsignedLong(level) : 0;
	p3_gdb_clear();
	return NULL;
}

uint64_t p3_gdb_register(PyObject *frame, const char *name)
{
	P3_OBJECT value = frame ? p3_gdb_call(frame, "read_register", "(s)", name) : NULL;

	p3_gdb_clear();
	return p3_gdb_address(value);
}

static int compare_numbers(const void *left, const void *right)
{
	const struct p3_thread *a = left, *b = right;

	return a->number < b->number ? -1 : a->number > b->number;
}

static struct p3_error *host_threads(void *context, struct p3_arena *arena, struct p3_thread **ret,
				     size_t *count_ret)
{
	P3_OBJECT inferior = selected_inferior();
	P3_OBJECT tuple = inferior ? p3_gdb_call(inferior, "threads", "()") : NULL;
	Py_ssize_t count = tuple ? PyObject_Size(tuple) : -1, i;
	struct p3_thread *threads;
	int64_t selected;

	(void)context;
	save_selection();
	selected = p3_gdb_attribute_number(saved_thread, "num", 0);
	if (count < 0)
		return p3_gdb_error("threads");
	if (count > P3_MAX_THREADS)
		count = P3_MAX_THREADS;
	threads = p3_arena_take(arena, ((size_t)count + 1) * sizeof(*threads));
	for (i = 0; i < count; i++) {
		P3_OBJECT thread = PySequence_GetItem(tuple, i);
		P3_OBJECT ptid = thread ? PyObject_GetAttrString(thread, "ptid") : NULL;
		P3_OBJECT lwp = ptid ? PySequence_GetItem(ptid, 1) : NULL;

		p3_gdb_clear();
		threads[i].number = (uint32_t)p3_gdb_attribute_number(thread, "num", 0);
		threads[i].lwp = lwp ? PyLong_AsLongLong(lwp) : 0;
		p3_gdb_clear();
		threads[i].name = p3_gdb_attribute_text(arena, thread, "name");
		threads[i].selected = threads[i].number == selected;
		if (p3_gdb_interrupted())
			return p3_gdb_error(NULL);
	}
	/* gdb has them in no order a person would expect. */
	qsort(threads, (size_t)count, sizeof(*threads), compare_numbers);
	*ret = threads;
	*count_ret = (size_t)count;
	return NULL;
}

/* Make this gdb's current thread, until the command ends; false with an exception set. */
static bool switch_to(uint32_t number)
{
	P3_OBJECT inferior = selected_inferior();
	P3_OBJECT tuple = inferior ? p3_gdb_call(inferior, "threads", "()") : NULL;
	Py_ssize_t count = tuple ? PyObject_Size(tuple) : 0, i;

	save_selection();
	if (number == current_thread)
		return true;
	for (i = 0; i < count; i++) {
		P3_OBJECT thread = PySequence_GetItem(tuple, i);
		P3_OBJECT done = NULL;

		if (!thread || p3_gdb_attribute_number(thread, "num", 0) != (int64_t)number)
			continue;
		done = p3_gdb_call(thread, "switch", "()");
		current_thread = number;
		return done != NULL;
	}
	if (!PyErr_Occurred())
		PyErr_Format(PyExc_RuntimeError, "there is no thread %u", number);
	return false;
}

/* On x86-64 it is what fs points at, live, in cores and remotely. */
static uint64_t host_pointer(void *context, uint32_t number)
{
	P3_OBJECT frame = switch_to(number) ? p3_gdb_call(p3_gdb(), "newest_frame", "()") : NULL;

	(void)context;
	p3_gdb_clear();
	return p3_gdb_register(frame, "fs_base");
}

/* ---- files ---- */

/*
 * The file gdb has loaded for this module: the one with its build-id, or with
 * its name. gdb knows sysroots, build-id folders and debug links; we ask.
 */
static struct p3_error *host_file(void *context, struct p3_arena *arena, const char *name,
				  const char *build_id, struct p3_host_file *ret)
{
	P3_OBJECT objfiles = p3_gdb_call(p3_gdb(), "objfiles", "()");
	Py_ssize_t count = objfiles ? PyObject_Size(objfiles) : 0, i;
	const char *by_name = NULL, *debug = NULL, *found = NULL;

	(void)context;
	for (i = 0; i < count; i++) {
		P3_OBJECT objfile = PySequence_GetItem(objfiles, i);
		P3_OBJECT owner = objfile ? PyObject_GetAttrString(objfile, "owner") : NULL;
		const char *file =
			p3_gdb_local_path(p3_gdb_attribute_text(arena, objfile, "filename"));
		const char *id = p3_gdb_attribute_text(arena, objfile, "build_id");
		const char *given =
			p3_gdb_local_path(p3_gdb_attribute_text(arena, objfile, "username"));

		p3_gdb_clear();
		if (!file)
			continue;
		if (owner && owner != Py_None) { /* a separate debug file */
			const char *of = p3_gdb_attribute_text(arena, owner, "filename");

			if ((id && *build_id && !strcmp(id, build_id)) || (of && !strcmp(of, name)))
				debug = file;
		} else if (id && *build_id && !strcmp(id, build_id)) {
			found = file;
		} else if (!strcmp(file, name) || (given && !strcmp(given, name))) {
			by_name = file;
		}
	}
	p3_gdb_clear();
	if (!found)
		found = by_name;
	if (found && access(found, R_OK) != 0) /* it is on the target only */
		found = NULL;
	*ret = (struct p3_host_file){ .path = found, .debug_path = debug };
	return NULL;
}

/* ---- frames ---- */

static enum p3_frame_kind frame_kind(PyObject *frame)
{
	P3_OBJECT type = p3_gdb_call(frame, "type", "()");
	long number = type ? PyLong_AsLong(type) : -1;
	/* The value is the same as long as gdb lives. */
	static long normal = -1, inlined, tail_call, signal;

	p3_gdb_clear();
	if (normal < 0) {
		inlined = p3_gdb_constant("INLINE_FRAME", 2);
		tail_call = p3_gdb_constant("TAILCALL_FRAME", 3);
		signal = p3_gdb_constant("SIGTRAMP_FRAME", 4);
		normal = p3_gdb_constant("NORMAL_FRAME", 0);
	}
	return number == normal	     ? P3_FRAME_NORMAL
	       : number == inlined   ? P3_FRAME_INLINE
	       : number == tail_call ? P3_FRAME_TAIL_CALL
	       : number == signal    ? P3_FRAME_SIGNAL
				     : P3_FRAME_OTHER;
}

/* What gdb knows of a frame; what it fails to tell is left out. */
static void describe_frame(struct p3_arena *arena, PyObject *frame, struct p3_host_frame *ret)
{
	P3_OBJECT pc = p3_gdb_call(frame, "pc", "()");
	P3_OBJECT name = NULL;
	P3_OBJECT sal = NULL;
	P3_OBJECT symtab = NULL;
	P3_OBJECT language = NULL;

	p3_gdb_clear();
	name = p3_gdb_call(frame, "name", "()");
	p3_gdb_clear();
	sal = p3_gdb_call(frame, "find_sal", "()");
	symtab = sal ? PyObject_GetAttrString(sal, "symtab") : NULL;
	p3_gdb_clear();
	ret->kind = frame_kind(frame);
	ret->pc = p3_gdb_address(pc);
	ret->name = p3_gdb_text(arena, name);
	if (symtab && symtab != Py_None) {
		ret->file = p3_gdb_attribute_text(arena, symtab, "filename");
		ret->line = (uint32_t)p3_gdb_attribute_number(sal, "line", 0);
	}
	/* gdb 13 and newer */
	language = PyObject_HasAttrString(frame, "language") ? p3_gdb_call(frame, "language", "()")
							     : NULL;
	p3_gdb_clear();
	ret->language = p3_gdb_text(arena, language);
	if (ret->kind == P3_FRAME_NORMAL || ret->kind == P3_FRAME_SIGNAL)
		ret->sp = p3_gdb_register(frame, "sp");
}

static const char *why_ended(struct p3_arena *arena, PyObject *frame)
{
	P3_OBJECT reason = p3_gdb_call(frame, "unwind_stop_reason", "()");
	P3_OBJECT text = NULL;

	if (reason && PyLong_AsLong(reason) >= p3_gdb_constant("FRAME_UNWIND_FIRST_ERROR", 3))
		text = p3_gdb_call(p3_gdb(), "frame_stop_reason_string", "(O)", reason);
	p3_gdb_clear();
	return p3_gdb_text(arena, text);
}

static struct p3_error *host_frames(void *context, struct p3_arena *arena, uint32_t number,
				    struct p3_host_frames *ret)
{
	bool switched = switch_to(number);
	P3_OBJECT list = PyList_New(0);
	P3_OBJECT key = PyLong_FromUnsignedLong(number);
	PyObject *frame;

	(void)context;
	if (!switched)
		return p3_gdb_error("thread");
	frame = p3_gdb_call(p3_gdb(), "newest_frame", "()");
	if (!frame)
		return p3_gdb_error("frames");
	*ret = (struct p3_host_frames){ 0 };
	while (frame != Py_None) {
		if (ret->count >= P3_MAX_FRAMES) {
			ret->ended = "there are too many frames";
			break;
		}
		struct p3_error *error = NULL;
		PyObject *older;

		if (p3_gdb_interrupted() || PyList_Append(list, frame) < 0)
			error = p3_gdb_error(NULL);
		if (!error)
			describe_frame(arena, frame, p3_list_add(arena, ret));
		if (error) {
			Py_DECREF(frame);
			return error;
		}
		older = p3_gdb_call(frame, "older", "()");
		if (!older) {
			error = p3_gdb_error(NULL);
			ret->ended = p3_arena_string(arena, error->message);
			p3_error_free(error);
			break;
		}
		if (older == Py_None)
			ret->ended = why_ended(arena, frame);
		Py_DECREF(frame);
		frame = older;
	}
	Py_DECREF(frame);
	if (!known_frames)
		known_frames = PyDict_New();
	if (known_frames && key && PyDict_SetItem(known_frames, key, list) < 0)
		p3_gdb_clear();
	return NULL;
}

/* ---- addresses ---- */

/* The name of a block's function; NULL: it has none. */
static const char *function_name(struct p3_arena *arena, PyObject *block, PyObject **symbol_ret)
{
	PyObject *symbol = PyObject_GetAttrString(block, "function");

	p3_gdb_clear();
	if (!symbol || symbol == Py_None) {
		Py_XDECREF(symbol);
		return NULL;
	}
	*symbol_ret = symbol;
	return p3_gdb_attribute_text(arena, symbol, "print_name");
}

static void use_line_of(struct p3_arena *arena, PyObject *object, struct p3_host_place *place)
{
	P3_OBJECT symtab = PyObject_GetAttrString(object, "symtab");

	p3_gdb_clear();
	if (!symtab || symtab == Py_None)
		return;
	place->line = (uint32_t)p3_gdb_attribute_number(object, "line", 0);
	if (place->line)
		place->file = p3_gdb_attribute_text(arena, symtab, "filename");
}

/* A block that is the function of this name, or is inlined in one: add it. */
static void add_place(struct p3_arena *arena, PyObject *block, uint64_t pc, PyObject **inner,
		      struct p3_host_places *places)
{
	PyObject *symbol = NULL;
	const char *name = function_name(arena, block, &symbol);
	struct p3_host_place *place;

	if (!name) {
		Py_XDECREF(symbol);
		return;
	}
	place = p3_list_add(arena, places);
	place->name = name;
	places->entry = (uint64_t)p3_gdb_attribute_number(block, "start", 0);
	if (places->count == 1) {
		P3_OBJECT sal =
			p3_gdb_call(p3_gdb(), "find_pc_line", "(K)", (unsigned long long)pc);

		p3_gdb_clear();
		if (sal)
			use_line_of(arena, sal, place);
	} else {
		/* gdb gives inlined functions the line and file of their call. */
		use_line_of(arena, *inner, place);
	}
	Py_XDECREF(*inner);
	*inner = symbol;
}

static bool is_file_block(PyObject *block)
{
	return attribute_is_true(block, "is_static") || attribute_is_true(block, "is_global");
}

/* Is this block, or one around it, where that one is? */
static bool is_within(PyObject *block, int64_t start, int64_t end)
{
	bool found = false;

	Py_INCREF(block);
	while (block && block != Py_None && !found && !is_file_block(block)) {
		PyObject *outer = PyObject_GetAttrString(block, "superblock");

		found = p3_gdb_attribute_number(block, "start", 0) == start &&
			p3_gdb_attribute_number(block, "end", 0) == end;
		Py_DECREF(block);
		block = outer;
	}
	Py_XDECREF(block);
	p3_gdb_clear();
	return found;
}

/*
 * Does the innermost inlined function at `pc` begin there? It may have several ranges, and
 * Python is not told where they begin: what matters is that it is not at the byte before.
 */
static bool begins_here(PyObject *block, uint64_t pc)
{
	P3_OBJECT before = p3_gdb_call(p3_gdb(), "block_for_pc", "(K)", (unsigned long long)pc - 1);

	p3_gdb_clear();
	return before && before != Py_None &&
	       !is_within(before, p3_gdb_attribute_number(block, "start", 0),
			  p3_gdb_attribute_number(block, "end", 0));
}

static struct p3_error *host_places(void *context, struct p3_arena *arena, uint64_t pc,
				    struct p3_host_places *ret)
{
	PyObject *block = p3_gdb_call(p3_gdb(), "block_for_pc", "(K)", (unsigned long long)pc);
	PyObject *inner = NULL;

	(void)context;
	p3_gdb_clear();
	*ret = (struct p3_host_places){ 0 };
	while (block && block != Py_None && !is_file_block(block)) {
		size_t count = ret->count;
		PyObject *outer;

		add_place(arena, block, pc, &inner, ret);
		if (!count && ret->count)
			ret->at_inline_start = begins_here(block, pc);
		outer = PyObject_GetAttrString(block, "superblock");
		Py_DECREF(block);
		block = outer;
	}
	p3_gdb_clear();
	if (ret->count == 1)
		ret->at_inline_start = false;
	Py_XDECREF(inner);
	Py_XDECREF(block);
	return ret->count ? NULL : p3_error_new(P3_NOT_FOUND, "no function at 0x%" PRIx64, pc);
}

static struct p3_error *host_registers(void *context, uint32_t number, const char *const *names,
				       size_t count, uint64_t *ret)
{
	P3_OBJECT frame = switch_to(number) ? p3_gdb_call(p3_gdb(), "newest_frame", "()") : NULL;
	P3_OBJECT read = frame ? PyObject_GetAttrString(frame, "read_register") : NULL;
	size_t i;

	(void)context;
	if (!read)
		return p3_gdb_error("registers");
	for (i = 0; i < count; i++) {
		P3_OBJECT value = PyObject_CallFunction(read, "s", names[i]);
		P3_OBJECT integer = value ? PyNumber_Long(value) : NULL;

		if (!integer) {
			struct p3_error *error = p3_gdb_error(names[i]);

			error->code = P3_UNSUPPORTED;
			return error;
		}
		ret[i] = PyLong_AsUnsignedLongLongMask(integer);
	}
	return NULL;
}

/* The gdb.Frame of this level, borrowed; walks as far as needed, once. */
static PyObject *frame_at(uint32_t number, uint32_t level)
{
	P3_OBJECT key = PyLong_FromUnsignedLong(number);
	PyObject *list;

	if (!known_frames)
		known_frames = PyDict_New();
	list = known_frames && key ? PyDict_GetItem(known_frames, key) : NULL;
	if (!list && known_frames && key) {
		P3_OBJECT made = PyList_New(0);
		P3_OBJECT newest = p3_gdb_call(p3_gdb(), "newest_frame", "()");

		if (!made || !newest || PyList_Append(made, newest) < 0 ||
		    PyDict_SetItem(known_frames, key, made) < 0)
			return NULL;
		list = made; /* the dict holds it */
	}
	while (list && PyList_Size(list) <= (Py_ssize_t)level) {
		PyObject *last = PyList_GetItem(list, PyList_Size(list) - 1);
		P3_OBJECT older = p3_gdb_call(last, "older", "()");

		if (!older || older == Py_None || p3_gdb_interrupted() ||
		    PyList_Append(list, older) < 0)
			return NULL;
	}
	return list ? PyList_GetItem(list, (Py_ssize_t)level) : NULL;
}

struct p3_error *p3_gdb_host_select(uint32_t thread, uint32_t level)
{
	P3_OBJECT frame = switch_to(thread) ? frame_at(thread, level) : NULL;
	P3_OBJECT done = NULL;

	Py_XINCREF(frame); /* borrowed */
	done = frame ? p3_gdb_call(frame, "select", "()") : NULL;
	if (!done)
		return p3_gdb_error("frame");
	/* What there is to be put back is this one now. */
	Py_CLEAR(saved_frame);
	Py_INCREF(frame);
	saved_frame = frame;
	return NULL;
}

/* ---- variables ---- */

/* PyO3's types that hold a PyObject * in their first eight bytes: facts/rust.md 5. */
static const char *const object_types[] = {
	"pyo3::instance::Bound<", "pyo3::instance::Py<",     "pyo3::instance::Borrowed<",
	"pyo3::pycell::PyRef<",	  "pyo3::pycell::PyRefMut<", "pyo3::pyclass::guard::PyClassGuard",
};

static PyObject *plain_type(PyObject *value)
{
	P3_OBJECT type = PyObject_GetAttrString(value, "type");

	return type ? p3_gdb_call(type, "strip_typedefs", "()") : NULL;
}

static long type_code(PyObject *type)
{
	return (long)p3_gdb_attribute_number(type, "code", -1);
}

static bool holds_object(struct p3_arena *arena, PyObject *type)
{
	const char *name = p3_gdb_attribute_text(arena, type, "name");
	size_t i;

	for (i = 0; name && i < sizeof(object_types) / sizeof(*object_types); i++)
		if (!strncmp(name, object_types[i], strlen(object_types[i])))
			return true;
	return false;
}

uint64_t p3_gdb_find_object(struct p3_arena *arena, PyObject *value, PyObject *type)
{
	uint64_t object = 0, address;
	struct p3_error *error;

	if (type_code(type) == p3_gdb_constant("TYPE_CODE_PTR", 1)) {
		P3_OBJECT target = p3_gdb_call(type, "target", "()");
		P3_OBJECT plain = target ? p3_gdb_call(target, "strip_typedefs", "()") : NULL;
		const char *name = p3_gdb_attribute_text(arena, plain, "name");

		address = p3_gdb_address(value);
		p3_gdb_clear();
		if (name &&
		    (!strcmp(name, "pyo3_ffi::object::PyObject") || !strcmp(name, "_object")))
			return address;
		if (!plain || !holds_object(arena, plain))
			return 0;
	} else {
		P3_OBJECT where = NULL;

		if (!holds_object(arena, type))
			return 0;
		where = PyObject_GetAttrString(value, "address");
		p3_gdb_clear();
		address = where && where != Py_None ? p3_gdb_address(where) : 0;
	}
	error = address ? host_read(NULL, address, &object, sizeof(object)) : NULL;
	p3_error_free(error);
	return object;
}

static bool is_aggregate(struct p3_arena *arena, PyObject *type)
{
	const char *name = p3_gdb_attribute_text(arena, type, "name");
	long code = type_code(type);

	/* Text is what a person wants to see at once. */
	if (name && (!strcmp(name, "&str") || !strcmp(name, "alloc::string::String")))
		return false;
	return code == p3_gdb_constant("TYPE_CODE_STRUCT", 3) ||
	       code == p3_gdb_constant("TYPE_CODE_UNION", 4) ||
	       code == p3_gdb_constant("TYPE_CODE_ARRAY", 2);
}

static PyObject *format_value(PyObject *value)
{
	P3_OBJECT function = PyObject_GetAttrString(value, "format_string");
	P3_OBJECT none = PyTuple_New(0);
	P3_OBJECT options = Py_BuildValue("{s:i,s:O}", "max_elements", 50, "symbols", Py_True);

	return function && none && options ? PyObject_Call(function, none, options) : NULL;
}

/* Struct fields of a value, and theirs; a struct without any is no enum's variant. */
static bool has_lost_enum(PyObject *value, int depth, int *budget)
{
	P3_OBJECT type = plain_type(value);
	P3_OBJECT fields = NULL;
	Py_ssize_t count, i;
	bool lost = false;

	p3_gdb_clear();
	if (!type || type_code(type) != p3_gdb_constant("TYPE_CODE_STRUCT", 3))
		return false;
	fields = p3_gdb_call(type, "fields", "()");
	count = fields ? PyObject_Size(fields) : 0;
	p3_gdb_clear();
	if (count == 0)
		return p3_gdb_attribute_number(type, "sizeof", 0) > 0;
	for (i = 0; i < count && depth > 0 && !lost && --*budget > 0; i++) {
		P3_OBJECT field = PySequence_GetItem(fields, i);
		P3_OBJECT item = field ? PyObject_GetItem(value, field) : NULL;

		p3_gdb_clear();
		lost = item && has_lost_enum(item, depth - 1, budget);
	}
	return lost || *budget <= 0;
}

/*
 * gdb 13 dies when it prints an enum whose discriminant, garbage in a release build's
 * frame, selects no variant: the value has no fields then, and gdb takes the first
 * (gdbtypes.h: field: Assertion `idx >= 0 && idx < num_fields ()'). 16 does not.
 */
static bool kills_gdb(PyObject *value)
{
	static long major;
	int budget = 200;

	if (!major) {
		struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
		const char *version = p3_gdb_attribute_text(arena, p3_gdb(), "VERSION");

		major = version ? strtol(version, NULL, 10) : 1;
	}
	return major < 16 && has_lost_enum(value, 6, &budget);
}

static void describe_variable(struct p3_arena *arena, PyObject *symbol, PyObject *frame,
			      PyObject *block, unsigned int wanted, struct p3_variable *ret)
{
	P3_OBJECT value = p3_gdb_call(frame, "read_var", "(OO)", symbol, block);
	P3_OBJECT gone = value ? PyObject_GetAttrString(value, "is_optimized_out") : NULL;
	P3_OBJECT type = gone ? plain_type(value) : NULL;
	P3_OBJECT text = NULL;

	if (gone && PyObject_IsTrue(gone) == 1) {
		ret->absent = "optimized out";
	} else if (type) {
		ret->aggregate = is_aggregate(arena, type);
		ret->object = p3_gdb_find_object(arena, value, type);
		/* An aggregate can cost much, and run other people's printers: if it is shown. */
		if (ret->object)
			ret->value = p3_arena_printf(arena, "0x%" PRIx64, ret->object);
		else if (ret->aggregate && !(wanted & P3_AGGREGATES))
			ret->value = "...";
		else if (kills_gdb(value))
			ret->absent = "no variant of its enum fits: not initialised, or gone";
		else
			text = format_value(value);
	}
	if (text) {
		const char *raw = p3_gdb_text(arena, text);
		struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_add_safe(&safe, raw ? raw : "?", raw ? strlen(raw) : 1, 0);
		ret->value = p3_arena_string(arena, p3_text_string(&safe));
	} else if (!ret->absent && !ret->value) {
		struct p3_error *error = p3_gdb_error(NULL);
		struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		p3_text_add_safe(&safe, error->message, strlen(error->message), 0);
		ret->absent = p3_arena_string(arena, p3_text_string(&safe));
		p3_error_free(error);
	}
	p3_gdb_clear();
}

static bool has_variable(const struct p3_variable_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!strcmp(list->items[i].name, name))
			return true;
	return false;
}

static struct p3_error *add_block(struct p3_arena *arena, PyObject *block, PyObject *frame,
				  unsigned int wanted, struct p3_variable_list *list)
{
	P3_OBJECT symbols = PySequence_List(block);
	Py_ssize_t count = symbols ? PyList_Size(symbols) : 0, i;

	p3_gdb_clear();
	for (i = 0; i < count && list->count < P3_MAX_VARIABLES; i++) {
		PyObject *symbol = PyList_GetItem(symbols, i);
		bool argument = attribute_is_true(symbol, "is_argument");
		const char *name = p3_gdb_attribute_text(arena, symbol, "print_name");
		struct p3_variable *variable;

		if (p3_gdb_interrupted())
			return p3_gdb_error(NULL);
		if (!name || !(wanted & (argument ? P3_ARGUMENTS : P3_LOCALS)) ||
		    (!argument && !attribute_is_true(symbol, "is_variable")))
			continue;
		if (has_variable(list, name)) /* an inner block's hides it */
			continue;
		variable = p3_list_add(arena, list);
		variable->name = name;
		variable->argument = argument;
		describe_variable(arena, symbol, frame, block, wanted, variable);
	}
	return NULL;
}

static struct p3_error *host_variables(void *context, struct p3_arena *arena, uint32_t number,
				       uint32_t level, unsigned int wanted,
				       struct p3_variable_list *ret)
{
	/* Borrowed, from a list that a nested command could drop. */
	P3_OBJECT frame = switch_to(number) ? frame_at(number, level) : NULL;
	PyObject *block;

	Py_XINCREF(frame);
	(void)context;
	p3_gdb_clear();
	if (p3_gdb_interrupted())
		return p3_gdb_error(NULL);
	if (!frame)
		return p3_error_new(P3_NOT_FOUND, "there is no frame %u", level);
	*ret = (struct p3_variable_list){ 0 };
	block = p3_gdb_call(frame, "block", "()");
	if (!block) { /* no debug information */
		p3_gdb_clear();
		return NULL;
	}
	while (block != Py_None) {
		P3_OBJECT function = PyObject_GetAttrString(block, "function");
		struct p3_error *error = add_block(arena, block, frame, wanted, ret);
		PyObject *outer;

		if (error) {
			Py_DECREF(block);
			return error;
		}
		if (!function || function != Py_None)
			break;
		outer = PyObject_GetAttrString(block, "superblock");
		if (!outer)
			break;
		Py_DECREF(block);
		block = outer;
	}
	Py_DECREF(block);
	p3_gdb_clear();
	return NULL;
}

static bool host_interrupted(void *context)
{
	bool yes = p3_gdb_interrupted();

	(void)context;
	PyErr_Clear(); /* it is remembered */
	return yes;
}

static const struct p3_host_ops ops = {
	.interrupted = host_interrupted,
	.selected_level = host_selected_level,
	.read = host_read,
	.process = host_process,
	.threads = host_threads,
	.pointer = host_pointer,
	.file = host_file,
	.registers = host_registers,
	.frames = host_frames,
	.places = host_places,
	.variables = host_variables,
};

struct p3_host p3_gdb_host(void)
{
	return (struct p3_host){ &ops, NULL };
}
