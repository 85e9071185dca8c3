/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The session: what outlives a stop (files' facts), and the making of
 * snapshots from what the readers say.
 */
#include "stack_private.h"

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is known of one file, for the whole session: until it is built anew. */
struct known_file {
	const char *path, *build_id;
	struct timespec changed;
	const struct p3_file_facts *facts; /* NULL: it could not be read */
};

enum { STACK_LOOKED_AT = 128 << 10 }; /* bytes */

struct p3_session {
	struct p3_target *target;
	struct p3_arena *arena; /* lives as long as the session */
	P3_LIST(struct known_file) files;
	struct p3_native *native;
	enum p3_unwinder unwinder;
	struct p3_position position;
	struct p3_map *natives; /* of this stop: start of a module -> p3_py_natives() */
};

struct p3_session *p3_session_new(struct p3_host host)
{
	struct p3_session *session = calloc(1, sizeof(*session));

	if (!session)
		abort();
	session->target = p3_target_new(host);
	session->arena = p3_arena_new();
	session->native = p3_native_new();
	return session;
}

void p3_session_free(struct p3_session *session)
{
	if (!session)
		return;
	p3_native_free(session->native);
	p3_target_free(session->target);
	p3_arena_free(session->arena);
	free(session);
}

void p3_session_done(struct p3_session **session)
{
	p3_session_free(*session);
}

void p3_session_set_unwinder(struct p3_session *session, enum p3_unwinder unwinder)
{
	session->unwinder = unwinder;
}

struct p3_native_counts p3_session_native_counts(const struct p3_session *session)
{
	return p3_native_counts(session->native);
}

struct p3_position p3_session_position(const struct p3_session *session)
{
	return session->position;
}

void p3_session_set_position(struct p3_session *session, struct p3_position position)
{
	session->position = position;
}

void p3_session_forget_stop(struct p3_session *session)
{
	session->natives = NULL;
	p3_target_forget(session->target);
}

struct p3_native *p3_session_native(struct p3_session *session)
{
	return session->native;
}

struct p3_target *p3_session_target(struct p3_session *session)
{
	return session->target;
}

static const struct p3_file_facts *look_at_file(struct p3_session *session, const char *path,
						const char *build_id, const char *debug_path)
{
	struct p3_file_facts facts, *copy = NULL;
	struct known_file *file;
	struct p3_error *error;
	struct stat status = { 0 };
	size_t i;

	if (stat(path, &status) != 0)
		return NULL;
	for (i = 0; i < session->files.count; i++) {
		file = &session->files.items[i];
		if (!strcmp(file->path, path) && !strcmp(file->build_id, build_id) &&
		    !memcmp(&file->changed, &status.st_mtim, sizeof(file->changed)))
			return file->facts;
	}
	error = p3_elf_facts(path, debug_path, &facts);
	if (!error) {
		copy = p3_arena_take(session->arena, sizeof(*copy));
		*copy = facts;
	}
	p3_error_free(error);
	file = p3_list_add(session->arena, &session->files);
	file->path = p3_arena_string(session->arena, path);
	file->build_id = p3_arena_string(session->arena, build_id);
	file->changed = status.st_mtim;
	file->facts = copy;
	return copy;
}

const struct p3_file_facts *p3_session_facts(struct p3_session *session, struct p3_module *module)
{
	if (!module->facts && module->path)
		module->facts =
			look_at_file(session, module->path, module->build_id, module->debug_path);
	/* The headers were not in memory (a core): the file has them. */
	if (module->facts && !module->end && module->facts->high) {
		module->start = module->bias + module->facts->low;
		module->end = module->bias + module->facts->high;
	}
	return module->facts;
}

static struct p3_error *add_runtime(struct p3_session *session, struct p3_module *module,
				    struct p3_snapshot *snapshot)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	struct p3_py *py = p3_arena_take(arena, sizeof(*py));

	P3_TRY(p3_py_open(session->target, arena, module, py));
	p3_session_use_pyclasses(session, snapshot, py);
	*p3_list_add(arena, &snapshot->runtimes) = py;
	return NULL;
}

/*
 * Where Python is: in the executable or a libpython, as a rule, so that files
 * need not be opened that have nothing to do with it.
 */
static struct p3_error *find_runtimes(struct p3_session *session, struct p3_snapshot *snapshot)
{
	struct p3_modules *modules = &snapshot->modules;
	bool likely;
	size_t i, missing = 0;
	int pass;

	for (pass = 0; pass < 2 && !snapshot->runtimes.count; pass++) {
		for (i = 0; i < modules->count; i++) {
			struct p3_module *module = &modules->items[i];
			const struct p3_file_facts *facts;

			likely = i == 0 || strstr(module->name, "python");
			facts = likely == (pass == 0) ? p3_session_facts(session, module) : NULL;
			if (facts && facts->py_runtime)
				P3_TRY(add_runtime(session, module, snapshot));
		}
	}
	if (snapshot->runtimes.count == 1 && !snapshot->runtimes.items[0]->layout)
		snapshot->python_absent = snapshot->runtimes.items[0]->absent;
	if (snapshot->runtimes.count)
		return NULL;
	for (i = 0; i < modules->count; i++)
		missing += !modules->items[i].path && modules->items[i].name[0] != '[' &&
			   strncmp(modules->items[i].name, "linux-vdso", 10) != 0;
	if (modules->count && !modules->items[0].path)
		snapshot->python_absent = "the executable is missing, so Python cannot be found in "
					  "this process: give it with `file PATH`";
	else if (missing)
		snapshot->python_absent = p3_arena_printf(
			p3_target_arena(session->target),
			"no Python was found, but the files of %zu modules are not here: try `set "
			"sysroot /` or `set solib-search-path`",
			missing);
	else if (modules->incomplete)
		snapshot->python_absent = p3_arena_printf(
			p3_target_arena(session->target),
			"no Python was found in this process (%s)", modules->incomplete);
	else
		snapshot->python_absent = "there is no Python in this process";
	return NULL;
}

/* The thread that a thread state is of; NULL: none of these. */
static struct p3_snapshot_thread *find_owner(struct p3_target *target,
					     const struct p3_py_thread *state,
					     struct p3_snapshot *snapshot, size_t count)
{
	size_t i;

	for (i = 0; state->lwp && i < count; i++)
		if (snapshot->threads.items[i].thread.lwp == state->lwp)
			return &snapshot->threads.items[i];
	/* In another PID namespace, after a fork that Python did not see, or before 3.11. */
	for (i = 0; state->pointer && i < count; i++)
		if (p3_target_thread_pointer(target, &snapshot->threads.items[i].thread) ==
		    state->pointer)
			return &snapshot->threads.items[i];
	return NULL;
}

/* How often the address of a thread state stands on the thread's stack, near its top. */
static size_t count_on_stack(struct p3_target *target, const struct p3_thread *thread,
			     uint64_t address)
{
	static const char *const name[] = { "sp" };
	uint64_t sp = 0, words[512], at;
	struct p3_error *error = p3_target_registers(target, thread->number, name, 1, &sp);
	size_t found = 0, i;

	for (at = sp & ~(uint64_t)7; !error && at < sp + STACK_LOOKED_AT; at += sizeof(words)) {
		error = p3_read(target, at, words, sizeof(words));
		for (i = 0; !error && i < sizeof(words) / sizeof(*words); i++)
			found += words[i] == address;
	}
	p3_error_free(error);
	return found;
}

/*
 * The last resort, where neither ids nor pthread_self() are to be had (valgrind's gdbserver,
 * before 3.11): the thread whose calls pass this state on. Of those without a state.
 */
static struct p3_snapshot_thread *find_owner_by_stack(struct p3_target *target,
						      const struct p3_py_thread *state,
						      struct p3_snapshot *snapshot, size_t count)
{
	struct p3_snapshot_thread *best = NULL;
	size_t most = 3, i; /* a parent's stack may hold the state of a thread it has started */

	for (i = 0; i < count; i++) {
		struct p3_snapshot_thread *thread = &snapshot->threads.items[i];
		size_t found = thread->python.count || !thread->thread.number
				       ? 0
				       : count_on_stack(target, &thread->thread, state->address);

		if (found > most) {
			most = found;
			best = thread;
		}
	}
	return best;
}

/*
 * "waits" is nowhere in memory before 3.15: the native stack tells. On Linux CPython waits on a
 * condition for the GIL alone (Python/thread_pthread.h: its locks are semaphores). Without that, and
 * without names, a thread that does not hold the GIL may wait for it.
 */
static enum p3_gil look_for_wait(const struct p3_snapshot_thread *thread)
{
	bool named = false, nameless = false;
	size_t i;

	for (i = 0; i < thread->frames.count && i < 30; i++) {
		const struct p3_snapshot_frame *frame = &thread->frames.items[i];

		if (frame->role != P3_ROLE_CPYTHON)
			continue;
		if (frame->native.name && !strcmp(frame->native.name, "take_gil"))
			return P3_GIL_WAITS;
		if (i && !named && !nameless && frame[-1].native.name &&
		    strstr(frame[-1].native.name, "pthread_cond_"))
			return P3_GIL_WAITS;
		named |= frame->native.name != NULL;
		nameless |= frame->native.name == NULL;
	}
	return nameless && !named ? P3_GIL_UNKNOWN : P3_GIL_NONE;
}

static void fill_thread(struct p3_session *session, const struct p3_snapshot *snapshot,
			struct p3_snapshot_thread *thread)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	struct p3_native_frames *native = p3_arena_take(arena, sizeof(*native));
	struct p3_error *error = NULL;
	size_t i;

	thread->native = native;
	thread->modules = &snapshot->modules;
	if (thread->thread.number)
		error = p3_native_unwind(session->native, session->unwinder, session->target,
					 &snapshot->modules, arena, thread->thread.number, native);
	else
		thread->native_ended = "the process has no such thread";
	if (error)
		thread->native_ended = p3_arena_string(arena, error->message);
	else if (native->ended)
		thread->native_ended = native->ended;
	p3_error_free(error);
	for (i = 0; i < native->count; i++) {
		struct p3_module *module = p3_modules_at(&snapshot->modules, native->items[i].pc);

		if (module)
			(void)p3_session_facts(session, module);
	}
	p3_snapshot_name_frames(arena, &snapshot->modules, native, thread);
	for (i = 0; i < thread->python.count; i++) {
		struct p3_snapshot_python *python = &thread->python.items[i];

		p3_py_frames(python->py, &python->thread);
		if (python->thread.incomplete)
			thread->python_absent = python->thread.incomplete;
		if (python->thread.gil == P3_GIL_HOLDS || thread->gil == P3_GIL_UNKNOWN)
			thread->gil = python->thread.gil;
		if (python->py->free_threaded)
			thread->attached = python->thread.attached;
		thread->collecting |= python->thread.collecting;
		thread->finalizing |= python->thread.finalizing;
		if (python->thread.name)
			thread->name = python->thread.name;
	}
	if (thread->gil == P3_GIL_NONE)
		thread->gil = look_for_wait(thread);
}

/* Give each thread state to its thread; one without gets an entry of its own. */
static void match_threads(struct p3_target *target, struct p3_py *py,
			  const struct p3_py_threads *states, bool all,
			  struct p3_snapshot *snapshot)
{
	struct p3_arena *arena = p3_target_arena(target);
	size_t count = snapshot->threads.count, i;

	for (i = 0; i < states->count; i++) {
		const struct p3_py_thread *state = &states->items[i];
		struct p3_snapshot_thread *owner = find_owner(target, state, snapshot, count);
		struct p3_snapshot_python *python;

		if (!owner)
			owner = find_owner_by_stack(target, state, snapshot, count);
		if (!owner && !all)
			continue;
		if (!owner) {
			owner = p3_list_add(arena, &snapshot->threads);
			owner->thread.lwp = state->lwp;
		}
		python = p3_list_add(arena, &owner->python);
		python->py = py;
		python->thread = *state;
	}
}

struct p3_error *p3_session_snapshot(struct p3_session *session, enum p3_threads_wanted wanted,
				     const struct p3_snapshot **ret)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	struct p3_snapshot *snapshot = p3_arena_take(arena, sizeof(*snapshot));
	const struct p3_process *process;
	const struct p3_thread *threads;
	size_t count = 0, i;

	P3_TRY(p3_target_process(session->target, &process));
	snapshot->process = *process;
	P3_TRY(p3_target_modules(session->target, &snapshot->modules));
	P3_TRY(find_runtimes(session, snapshot));
	if (wanted != P3_NO_THREADS)
		P3_TRY(p3_target_threads(session->target, &threads, &count));
	for (i = 0; i < count; i++) {
		struct p3_snapshot_thread *thread;

		if (wanted == P3_SELECTED_THREAD && !threads[i].selected)
			continue;
		thread = p3_list_add(arena, &snapshot->threads);
		thread->thread = threads[i];
		thread->name = threads[i].name;
		thread->python_absent = snapshot->python_absent;
	}
	for (i = 0; i < snapshot->runtimes.count && snapshot->threads.count; i++) {
		struct p3_py *py = snapshot->runtimes.items[i];
		struct p3_py_threads states = { 0 };
		struct p3_error *error = NULL;
		size_t j;

		if (!py->layout)
			continue;
		error = p3_py_threads(py, &states);
		if (error)
			states.incomplete = p3_arena_string(arena, error->message);
		p3_error_free(error);
		match_threads(session->target, py, &states, wanted == P3_ALL_THREADS, snapshot);
		for (j = 0; states.incomplete && j < snapshot->threads.count; j++)
			if (!snapshot->threads.items[j].python.count)
				snapshot->threads.items[j].python_absent = states.incomplete;
	}
	for (i = 0; i < snapshot->threads.count; i++)
		fill_thread(session, snapshot, &snapshot->threads.items[i]);
	*ret = snapshot;
	return NULL;
}

static bool is_rust_frame(const struct p3_frame *frame)
{
	return frame->language && !strcmp(frame->language, "rust");
}

/* Classes without #[pyclass(module)] are of "builtins": the wrapper's name says more. */
static bool ends_with(const char *guess, const char *name)
{
	size_t size = strlen(name), all = guess ? strlen(guess) : 0;

	return all > size && guess[all - size - 1] == '.' && !strcmp(guess + all - size, name);
}

/* Add what the function at `entry` was called as, by the Python frame behind `at`, with nothing
 * but the interpreter's frames between. */
static bool name_callee(const struct p3_stack *stack, size_t at, uint64_t entry,
			struct p3_text *ret)
{
	while (at < stack->count && !stack->items[at].py &&
	       (stack->items[at].role == P3_ROLE_CPYTHON || stack->items[at].role == P3_ROLE_EVAL))
		at++;
	return entry && at < stack->count && stack->items[at].py &&
	       p3_py_callee(stack->items[at].py, stack->items[at].python, entry, ret);
}

/*
 * Give each P3_ROLE_WRAPPER frame the name by which Python called it, from the callable
 * on the calling Python frame's stack; where that cannot be told, the name that its own
 * name suggests stays. Between p3_merge() and p3_fold().
 */
static void name_callees(struct p3_session *session, struct p3_stack *stack)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	size_t i, at;

	for (i = 0; i < stack->count; i++) {
		struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		uint64_t entry = 0;

		if (stack->items[i].role != P3_ROLE_WRAPPER)
			continue;
		/* Out to where Python entered Rust, and on to the Python frame that called. */
		for (at = i; at < stack->count && is_rust_frame(&stack->items[at]); at++)
			if (stack->items[at].entry)
				entry = stack->items[at].entry;
		if (name_callee(stack, at, entry, &name) &&
		    !ends_with(stack->items[i].python_name, p3_text_string(&name)))
			stack->items[i].python_name = p3_arena_string(arena, p3_text_string(&name));
	}
}

const struct p3_map *p3_session_natives(struct p3_session *session, struct p3_py *py,
					const struct p3_module *module)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	void **slot;

	if (!session->natives)
		session->natives = p3_map_new(arena);
	slot = p3_map_slot(session->natives, module->start);
	if (!*slot) {
		*slot = p3_map_new(arena);
		p3_py_natives(py, module->start, module->end, *slot);
	}
	return *slot;
}

/*
 * In a stripped module the functions that Python calls have the names that Python has for
 * them: what this call was made through, else what the module's tables say.
 */
static void name_stripped(struct p3_session *session, const struct p3_snapshot_thread *thread,
			  struct p3_stack *stack)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	size_t i;

	for (i = 0; i < stack->count; i++) {
		struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		struct p3_frame *frame = &stack->items[i];
		const struct p3_module *module;
		const struct p3_map *natives;
		void **known;

		if (frame->function || frame->py || !frame->entry || !is_rust_frame(frame))
			continue;
		if (name_callee(stack, i + 1, frame->entry, &name)) {
			frame->function = p3_arena_string(arena, p3_text_string(&name));
		} else {
			module = p3_modules_at(thread->modules, frame->entry);
			natives = module && thread->python.count
					  ? p3_session_natives(session, thread->python.items[0].py,
							       module)
					  : NULL;
			known = natives ? p3_map_find(natives, frame->entry) : NULL;
			frame->function = known ? *known : NULL;
		}
		frame->python_name = frame->function;
		frame->by_python = frame->function != NULL;
	}
}

void p3_session_stack(struct p3_session *session, const struct p3_snapshot_thread *thread,
		      struct p3_stack *ret)
{
	struct p3_arena *arena = p3_target_arena(session->target);

	p3_merge(arena, thread, ret);
	name_callees(session, ret);
	name_stripped(session, thread, ret);
	p3_fold(arena, ret);
}

/* ---- variables ---- */

/* For writing values: Python's objects, and the names of functions. */
struct naming {
	struct p3_session *session;
	const struct p3_snapshot_thread *thread;
	bool attributes;
};

static void write_object(void *context, uint64_t address, struct p3_text *text)
{
	const struct naming *naming = context;
	bool aggregate;

	if (!address)
		p3_text_add(text, "NULL");
	else if (naming->thread->python.count)
		p3_py_format(naming->thread->python.items[0].py, address, naming->attributes, text,
			     &aggregate);
	else
		p3_text_printf(text, "0x%" PRIx64, address);
}

static const char *name_symbol(void *context, uint64_t address)
{
	const struct naming *naming = context;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *name = p3_native_symbol(naming->session->native, naming->session->target,
					    naming->thread->modules, address);

	if (!name || !p3_rust_looks_like(name))
		return name;
	p3_rust_name(name, &text);
	return p3_arena_string(p3_target_arena(naming->session->target), p3_text_string(&text));
}

/* 95 of "1.95.0 (59807616e 2026-04-14)", which made the module of a frame; 0: unknown. */
static unsigned int rustc_minor(const struct p3_snapshot_thread *thread, uint64_t pc)
{
	const struct p3_module *module = p3_modules_at(thread->modules, pc);
	unsigned int minor;

	return module && module->facts && sscanf(module->facts->rustc, "1.%u.", &minor) == 1 ? minor
											     : 0;
}

static void write_variable(const struct p3_writer *writer, const struct p3_frame_variable *from,
			   bool rust, unsigned int wanted, struct p3_variable *variable)
{
	const struct p3_type *type = from->value.type;

	variable->object = p3_rust_object(writer->target, &from->value);
	variable->aggregate = !variable->object &&
			      (rust ? p3_rust_is_aggregate(type)
				    : type->kind == P3_TYPE_STRUCT || type->kind == P3_TYPE_UNION ||
					       type->kind == P3_TYPE_ARRAY);
	if (variable->aggregate && !(wanted & P3_AGGREGATES))
		p3_text_add(writer->text, "...");
	else if (variable->object)
		writer->object(writer->context, variable->object, writer->text);
	else if (rust)
		p3_rust_write(writer, &from->value, wanted & P3_AGGREGATES);
	else
		p3_native_write(writer, &from->value);
}

static struct p3_error *read_native(struct p3_session *session,
				    const struct p3_snapshot_thread *thread, struct p3_frame *frame,
				    unsigned int wanted)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	struct naming naming = { .session = session, .thread = thread };
	struct p3_frame_variables variables;
	size_t i;

	P3_TRY(p3_native_variables(session->native, session->target, thread->modules, arena,
				   thread->native, frame->level, wanted & P3_ARGUMENTS,
				   wanted & P3_LOCALS, &variables));
	for (i = 0; i < variables.count; i++) {
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		struct p3_writer writer = {
			.target = session->target,
			.text = &text,
			.object = write_object,
			.symbol = name_symbol,
			.context = &naming,
			.rustc_minor = rustc_minor(thread, frame->pc),
		};
		const struct p3_frame_variable *from = &variables.items[i];
		struct p3_variable *variable = p3_list_add(arena, &frame->variables);

		variable->name = from->name;
		variable->argument = from->argument;
		variable->absent = from->absent;
		if (from->absent)
			continue;
		naming.attributes = !from->argument;
		write_variable(&writer, from, is_rust_frame(frame), wanted, variable);
		variable->value = p3_arena_string(arena, p3_text_string(&text));
	}
	return NULL;
}

/* What the host says is a Python object is read as one. */
static void use_objects(const struct p3_snapshot_thread *thread, struct p3_arena *arena,
			struct p3_frame *frame)
{
	size_t i;

	if (!thread->python.count)
		return;
	for (i = 0; i < frame->variables.count; i++) {
		struct p3_variable *variable = &frame->variables.items[i];
		struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

		if (!variable->object)
			continue;
		p3_py_format(thread->python.items[0].py, variable->object, !variable->argument,
			     &text, &variable->aggregate);
		variable->value = p3_arena_string(arena, p3_text_string(&text));
		variable->absent = NULL;
	}
}

static struct p3_error *read_from_host(struct p3_session *session,
				       const struct p3_snapshot_thread *thread,
				       struct p3_frame *frame, unsigned int wanted)
{
	struct p3_arena *arena = p3_target_arena(session->target);
	struct p3_variable_list answer = { 0 };
	size_t i;

	P3_TRY(p3_target_variables(session->target, thread->thread.number, frame->level, wanted,
				   &answer));
	/* The answer is the host's, and may be asked for again: change a copy. */
	for (i = 0; i < answer.count; i++)
		*p3_list_add(arena, &frame->variables) = answer.items[i];
	use_objects(thread, arena, frame);
	return NULL;
}

void p3_session_read_variables(struct p3_session *session, const struct p3_stack *stack,
			       struct p3_frame *frame, unsigned int wanted)
{
	struct p3_error *error = NULL;

	if (frame->py)
		error = p3_py_locals(frame->py, frame->python, wanted, &frame->variables);
	else if (frame->has_level && frame->file)
		error = read_native(session, stack->thread, frame, wanted);
	if (error && error->code == P3_UNSUPPORTED && !frame->py) {
		p3_error_free(error);
		error = read_from_host(session, stack->thread, frame, wanted);
	}
	if (error)
		frame->variables_absent =
			p3_arena_string(p3_target_arena(session->target), error->message);
	p3_error_free(error);
}

void p3_session_rust_variables(struct p3_session *session, const struct p3_stack *stack,
			       const struct p3_frame *frame, struct p3_frame_variables *ret)
{
	struct p3_error *error;

	*ret = (struct p3_frame_variables){ 0 };
	if (frame->py || !frame->file || !frame->has_level || !frame->language ||
	    strcmp(frame->language, "rust") != 0)
		return;
	error = p3_native_variables(session->native, session->target, stack->thread->modules,
				    p3_target_arena(session->target), stack->thread->native,
				    frame->level, true, true, ret);
	if (error)
		*ret = (struct p3_frame_variables){ 0 };
	p3_error_free(error);
}

const char *p3_session_symbol(struct p3_session *session, const struct p3_modules *modules,
			      uint64_t address)
{
	return p3_native_symbol(session->native, session->target, modules, address);
}

const char *p3_session_object(struct p3_session *session, const struct p3_modules *modules,
			      uint64_t address)
{
	uint64_t offset = 0;
	const char *name =
		p3_native_object(session->native, session->target, modules, address, &offset);

	return offset ? NULL : name;
}
