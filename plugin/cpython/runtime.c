/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The runtime: which CPython it is, its interpreters and their threads. Reads
 * _PyRuntime, Py_Version, PyInterpreterState, PyThreadState. Refuses: versions
 * without a row in layout.def, lists that do not end.
 */
#include "layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A member of 4 or 8 bytes; 0 where it cannot be read, or is not there in this version. */
static uint64_t peek(struct p3_py *py, uint64_t base, uint32_t offset, size_t size)
{
	return offset ? p3_py_peek(py, base + offset, size) : 0;
}

/* "libpython3.9.so.1.0", "python3.10": the version of those without Py_Version. */
static bool version_from_name(const char *path, uint8_t *major, uint8_t *minor)
{
	const char *at = strstr(p3_base_name(path), "python");
	int first, second;

	if (!at || sscanf(at, "python%d.%d", &first, &second) != 2 || first < 2 || first > 9 ||
	    second < 0 || second > 99)
		return false;
	*major = (uint8_t)first;
	*minor = (uint8_t)second;
	return true;
}

/* PY_VERSION_HEX, from Py_Version (3.11+); else what the file says, or how it is called. */
static void find_version(struct p3_py *py, const struct p3_module *module)
{
	uint32_t version = 0;
	struct p3_error *error = NULL;

	if (module->facts->py_version)
		error = p3_read_u32(py->target, module->bias + module->facts->py_version, &version);
	p3_error_free(error);
	py->major = (uint8_t)(version >> 24);
	py->minor = (uint8_t)(version >> 16);
	py->micro = (uint8_t)(version >> 8);
	if (version) {
		snprintf(py->version, sizeof(py->version), "%d.%d.%d", py->major, py->minor,
			 py->micro);
		return;
	}
	if (module->facts->py_minor) {
		py->major = 3;
		py->minor = module->facts->py_minor;
	} else if (!version_from_name(module->path ? module->path : module->name, &py->major,
				      &py->minor)) {
		return;
	}
	snprintf(py->version, sizeof(py->version), "%d.%d", py->major, py->minor);
}

static bool is_free_threaded(struct p3_py *py)
{
	uint64_t words[3];
	struct p3_error *error = p3_read(py->target, py->runtime, words, sizeof(words));
	bool yes = !error && !memcmp(words, "xdebugpy", 8) && words[2] == 1;

	p3_error_free(error);
	return yes;
}

/* A module's dict, of an interpreter's sys.modules; 0: it is not imported. */
static uint64_t find_module_dict(struct p3_py *py, uint64_t interpreter, const char *name)
{
	uint64_t modules, module, dict = 0;
	struct p3_error *error =
		p3_read_u64(py->target, interpreter + py->layout->interpreter.modules, &modules);

	if (!error) {
		module = p3_py_dict_get(py, modules, name);
		if (module)
			error = p3_read_u64(py->target, module + py->layout->module.dict, &dict);
	}
	if (error)
		dict = 0;
	p3_error_free(error);
	return dict;
}

/* sys.version, of those without Py_Version: "3.9.18 (default, ...". */
static void find_micro(struct p3_py *py)
{
	uint64_t interpreter = 0, dict, text;
	struct p3_error *error = p3_read_u64(
		py->target, py->runtime + py->layout->runtime.interpreters, &interpreter);
	int minor, micro;

	p3_error_free(error);
	dict = interpreter ? find_module_dict(py, interpreter, "sys") : 0;
	text = dict ? p3_py_dict_get(py, dict, "version") : 0;
	if (!text || sscanf(p3_py_string(py, text), "3.%d.%d", &minor, &micro) != 2 ||
	    minor != py->minor || micro < 0 || micro > 255)
		return;
	py->micro = (uint8_t)micro;
	snprintf(py->version, sizeof(py->version), "3.%d.%d", minor, micro);
}

struct p3_error *p3_py_open(struct p3_target *target, struct p3_arena *arena,
			    const struct p3_module *module, struct p3_py *ret)
{
	struct p3_py py = { .target = target, .arena = arena };
	const struct p3_layout *row;
	struct p3_error *error;

	py.bias = module->bias;
	py.runtime = module->bias + module->facts->py_runtime;
	py.debug = module->facts->py_debug;
	py.codes = p3_map_new(arena);
	py.types = p3_map_new(arena);
	py.tables = p3_map_new(arena);
	find_version(&py, module);
	py.free_threaded = is_free_threaded(&py);
	row = p3_layout_find(py.major, py.minor, py.free_threaded);
	if (!py.major) {
		py.absent = "the version of this Python is unknown: Python frames cannot be read";
	} else if (!row) {
		py.absent = p3_arena_printf(
			arena, "CPython %s%s is not supported (%s are): Python frames are missing",
			py.version, py.free_threaded ? " (free-threaded)" : "",
			p3_layout_supported());
	} else {
		error = p3_layout_read(&py, module, row, &py.layout);
		if (error)
			py.absent = p3_arena_string(arena, error->message);
		else
			p3_layout_adapt(&py, module);
		if (!error && !module->facts->py_version)
			find_micro(&py);
		p3_error_free(error);
	}
	*ret = py;
	return NULL;
}

const char *p3_gil_name(enum p3_gil gil)
{
	static const char *const names[] = {
		[P3_GIL_UNKNOWN] = NULL,
		[P3_GIL_HOLDS] = "holds",
		[P3_GIL_WAITS] = "waits",
		[P3_GIL_NONE] = "none",
	};

	return names[gil];
}

const char *p3_attached_name(enum p3_attached attached)
{
	static const char *const names[] = {
		[P3_ATTACHED_UNKNOWN] = NULL,	      [P3_DETACHED] = "detached",
		[P3_ATTACHED] = "attached",	      [P3_SUSPENDED] = "suspended",
		[P3_SHUTTING_DOWN] = "shutting down",
	};

	return names[attached];
}

/* What an interpreter's threads have in common. */
struct common {
	uint64_t address, id;
	uint64_t gil;	 /* its address */
	uint64_t holder; /* of the GIL; 0: nobody */
	bool known_gil;
	bool collecting;
	uint64_t finalizing; /* the thread state in Py_Finalize(); 0: none */
	uint64_t stopper;    /* the one that stops all others; 0: none */
	enum p3_world world;
	struct p3_map *names;
};

/* struct _stoptheworld_state, the same from 3.13 to 3.15: Include/internal/pycore_interp.h,
 * pycore_interp_structs.h. */
enum {
	WORLD_REQUESTED = 1,
	WORLD_STOPPED = 2,
	WORLD_REQUESTER = 16,
	WORLD_SIZE = 24,
	/* PyCriticalSection, Include/cpython/critical_section.h; tags: pycore_critical_section.h */
	SECTION_INACTIVE = 1,
	SECTION_TWO = 2,
	SECTION_TAGS = 3,
	MAX_SECTIONS = 100,
	OBJECT_MUTEX = 10, /* PyObject.ob_mutex, Include/object.h */
};

/* Include/internal/pycore_pystate.h: _Py_THREAD_DETACHED ... */
static enum p3_attached read_attached(struct p3_py *py, uint64_t state)
{
	static const enum p3_attached known[] = { P3_DETACHED,	    P3_ATTACHED,  P3_SUSPENDED,
						  P3_SHUTTING_DOWN, P3_SUSPENDED, P3_DETACHED };
	uint64_t value = peek(py, state, py->layout->thread.state, 4);

	if (!py->layout->thread.state || value >= sizeof(known) / sizeof(*known))
		return P3_ATTACHED_UNKNOWN;
	return known[value];
}

static void read_world(struct p3_py *py, uint64_t owner, uint32_t offset, struct common *common)
{
	uint8_t world[WORLD_SIZE];
	struct p3_error *error;

	if (!offset || common->stopper)
		return;
	error = p3_read(py->target, owner + offset, world, sizeof(world));
	if (!error && world[WORLD_REQUESTED] == 1) {
		memcpy(&common->stopper, world + WORLD_REQUESTER, sizeof(common->stopper));
		common->world = world[WORLD_STOPPED] == 1 ? P3_WORLD_STOPPED : P3_WORLD_STOPPING;
	}
	p3_error_free(error);
}

bool p3_py_in_critical_section(struct p3_py *py, const struct p3_py_thread *thread, uint64_t mutex)
{
	uint64_t section = peek(py, thread->address, py->layout->thread.critical_section, 8);
	size_t i;

	for (i = 0; section && i < MAX_SECTIONS; i++) {
		uint64_t address = section & ~(uint64_t)SECTION_TAGS, words[3];
		size_t size = section & SECTION_TWO ? 24 : 16;
		struct p3_error *error = p3_read(py->target, address, words, size);

		if (error) {
			p3_error_free(error);
			return false;
		}
		/* One that was left while the thread was detached. */
		if (!(section & SECTION_INACTIVE) &&
		    (words[1] == mutex || (section & SECTION_TWO && words[2] == mutex)))
			return true;
		section = words[0];
	}
	return false;
}

const char *p3_py_mutex_object(struct p3_py *py, uint64_t mutex)
{
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t object = mutex - OBJECT_MUTEX;
	struct p3_error *error = p3_py_type_name(py, p3_py_type_of(py, object), &name);

	if (error) {
		p3_error_free(error);
		return NULL;
	}
	return p3_arena_printf(py->arena, "%s at 0x%" PRIx64, p3_text_string(&name), object);
}

/* The thread state that holds this interpreter's GIL; 0: none does. */
static struct p3_error *read_gil(struct p3_py *py, uint64_t interpreter, uint64_t *gil_ret,
				 uint64_t *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t gil = py->runtime + layout->runtime.gil;
	uint32_t locked;

	if (!layout->runtime.gil)
		P3_TRY(p3_read_u64(py->target, interpreter + layout->interpreter.gil, &gil));
	*gil_ret = gil;
	P3_TRY(p3_read_u32(py->target, gil + layout->gil.locked, &locked));
	*ret = 0;
	/* last_holder stays after a release: it counts only while locked. */
	if (locked == 1)
		P3_TRY(p3_read_u64(py->target, gil + layout->gil.last_holder, ret));
	return NULL;
}

/* threading._active, which maps pthread_self() to Thread; 0: not imported. */
static uint64_t find_active_threads(struct p3_py *py, uint64_t interpreter)
{
	uint64_t dict = find_module_dict(py, interpreter, "threading");

	return dict ? p3_py_dict_get(py, dict, "_active") : 0;
}

static struct p3_error *read_thread(struct p3_py *py, const struct common *common, uint64_t state,
				    struct p3_py_thread *ret)
{
	const struct p3_layout *layout = py->layout;
	struct p3_py_thread thread = { .address = state,
				       .interpreter = (int64_t)common->id,
				       .gil_address = common->gil };
	uint64_t back, name;
	void **object;

	P3_TRY(p3_read_u64(py->target, state + layout->thread.interpreter, &back));
	if (back != common->address)
		return p3_error_new(P3_BAD_DATA,
				    "thread state 0x%" PRIx64 " is not of its interpreter", state);
	P3_TRY(p3_read_u64(py->target, state + layout->thread.thread_id, &thread.pointer));
	thread.lwp = (int64_t)peek(py, state, layout->thread.native_id, 8);
	thread.attached = read_attached(py, state);
	thread.gil = py->free_threaded || !common->known_gil		? P3_GIL_UNKNOWN
		     : common->holder == state				? P3_GIL_HOLDS
		     : peek(py, state, layout->thread.gil_requested, 4) ? P3_GIL_WAITS
									: P3_GIL_NONE;
	thread.collecting = common->collecting && thread.attached != P3_DETACHED &&
			    thread.gil != P3_GIL_NONE && thread.gil != P3_GIL_WAITS;
	thread.finalizing = common->finalizing == state;
	thread.world = common->stopper == state ? common->world : P3_WORLD_NONE;
	object = p3_map_find(common->names, thread.pointer);
	name = object ? p3_py_attribute(py, (uint64_t)(uintptr_t)*object, "_name") : 0;
	thread.name = name ? p3_py_string(py, name) : NULL;
	*ret = thread;
	return NULL;
}

static struct p3_error *read_interpreter(struct p3_py *py, uint64_t interpreter,
					 struct p3_py_threads *ret)
{
	const struct p3_layout *layout = py->layout;
	struct common common = { .address = interpreter, .names = p3_map_new(py->arena) };
	struct p3_map *seen = p3_map_new(py->arena);
	struct p3_py_items active = { 0 };
	struct p3_error *error;
	uint64_t state, number;
	size_t i;

	P3_TRY(p3_read_u64(py->target, interpreter + layout->interpreter.id, &common.id));
	P3_TRY(p3_read_u64(py->target, interpreter + layout->interpreter.threads, &state));
	error = read_gil(py, interpreter, &common.gil, &common.holder);
	common.known_gil = !error;
	p3_error_free(error);
	common.collecting = peek(py, interpreter, layout->interpreter.collecting, 4) ||
			    peek(py, py->runtime, layout->runtime.collecting, 4);
	common.finalizing = peek(py, py->runtime, layout->runtime.finalizing, 8);
	py->finalizing = common.finalizing != 0;
	read_world(py, interpreter, layout->interpreter.world, &common);
	read_world(py, py->runtime, layout->runtime.world, &common);
	p3_py_dict_items(py, find_active_threads(py, interpreter), &active);
	for (i = 0; i < active.count; i++)
		if (p3_py_small_int(py, active.items[i].key, &number))
			*p3_map_slot(common.names, number) =
				(void *)(uintptr_t)active.items[i].value;
	while (state) {
		struct p3_py_thread thread;

		if (ret->count >= P3_MAX_THREADS || p3_map_find(seen, state))
			return p3_error_new(P3_BAD_DATA, "the list of thread states does not end");
		(void)p3_map_slot(seen, state);
		P3_TRY(read_thread(py, &common, state, &thread));
		*p3_list_add(py->arena, ret) = thread;
		P3_TRY(p3_read_u64(py->target, state + layout->thread.next, &state));
	}
	return NULL;
}

struct p3_error *p3_py_threads(struct p3_py *py, struct p3_py_threads *ret)
{
	struct p3_py_threads threads = { 0 };
	struct p3_map *seen = p3_map_new(py->arena);
	uint64_t interpreter;
	size_t count = 0;

	P3_TRY(p3_read_u64(py->target, py->runtime + py->layout->runtime.interpreters,
			   &interpreter));
	while (interpreter) {
		struct p3_error *error = NULL;

		if (count++ >= P3_PY_MAX_INTERPRETERS || p3_map_find(seen, interpreter))
			error = p3_error_new(P3_BAD_DATA, "the list of interpreters does not end");
		(void)p3_map_slot(seen, interpreter);
		if (!error)
			error = read_interpreter(py, interpreter, &threads);
		if (!error)
			error = p3_read_u64(py->target, interpreter + py->layout->interpreter.next,
					    &interpreter);
		if (error) {
			threads.incomplete = p3_arena_string(py->arena, error->message);
			p3_error_free(error);
			break;
		}
	}
	*ret = threads;
	return NULL;
}
