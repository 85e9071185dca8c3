/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What each thread waits for, and who holds it. The first argument of a futex call is the lock,
 * exact at any optimization (facts/users.md 2.5); the frames between it and the user's code
 * tell its kind. Neither std's Mutex nor Once stores its owner: guards in the frames of other
 * threads do, by their pointer. Sources: rust-lang/rust library/std/src/sys/sync/, 1.75 to 1.97;
 * Amanieu/parking_lot core/src/parking_lot.rs; glibc sysdeps/nptl/bits/struct_mutex.h.
 */
#include "stack_private.h"

#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <linux/futex.h>
#include <string.h>

enum {
	GIL_SIZE = 256,	 /* bytes of struct _gil_runtime_state, more or less */
	PARKER = 32,	 /* of parking_lot's ThreadData: how far its futex is behind its key */
	MUTEX_OWNER = 8, /* of pthread_mutex_t */
	LOCK_API = 256,	 /* of a lock_api::Mutex: how far its raw lock may be from its start */
	MAX_HOLDER_FRAMES = 400, /* of a thread, looked at for guards */
};

/* Where a system call's number and arguments are, and what tells that the thread is in one. */
enum machine { X86_64, AARCH64, MACHINES };

static const char *const registers[MACHINES][5] = {
	[X86_64] = { "orig_rax", "rdi", "rsi", "rdx", "rip" }, /* -1: it is in none */
	[AARCH64] = { "x8", "x0", "x1", "x2", "pc" },	       /* pc: behind an svc */
};

#define HANGS "pause" /* what PyThread_hang_thread() calls */

enum { SVC = 0xd4000001 };

/* System calls that wait: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
 * of Linux. 0 is a number of x86-64's only. */
static const struct {
	int16_t numbers[MACHINES];
	enum p3_wait_kind kind;
	const char *what;
} calls[] = {
	{ { 35, 101 }, P3_WAIT_SLEEP, "sleep" }, { { 230, 115 }, P3_WAIT_SLEEP, "sleep" },
	{ { 0, 63 }, P3_WAIT_IO, "read" },	 { { 1, 64 }, P3_WAIT_IO, "write" },
	{ { 7, -1 }, P3_WAIT_IO, "poll" },	 { { 23, -1 }, P3_WAIT_IO, "select" },
	{ { 42, 203 }, P3_WAIT_IO, "connect" },	 { { 43, 202 }, P3_WAIT_IO, "accept" },
	{ { 44, 206 }, P3_WAIT_IO, "send" },	 { { 45, 207 }, P3_WAIT_IO, "recv" },
	{ { 46, 211 }, P3_WAIT_IO, "send" },	 { { 47, 212 }, P3_WAIT_IO, "recv" },
	{ { 61, 260 }, P3_WAIT_IO, "wait" },	 { { 232, -1 }, P3_WAIT_IO, "epoll" },
	{ { 247, 95 }, P3_WAIT_IO, "wait" },	 { { 270, 72 }, P3_WAIT_IO, "select" },
	{ { 271, 73 }, P3_WAIT_IO, "poll" },	 { { 281, 22 }, P3_WAIT_IO, "epoll" },
	{ { 288, 242 }, P3_WAIT_IO, "accept" },	 { { 128, 137 }, P3_WAIT_IO, "sigwait" },
	{ { 34, -1 }, P3_WAIT_IO, HANGS },	 { { 202, 98 }, P3_WAIT_LOCK, NULL }, /* futex */
};

enum family {
	FAMILY_NONE,
	FAMILY_RUST,
	FAMILY_ONCE,
	FAMILY_PARKING_LOT,
	FAMILY_PTHREAD,
	FAMILY_PYTHON,
	FAMILY_RAYON,
	FAMILY_CRITICAL,
};

#define RAYON_WORK "work of rayon's"

/* Functions on the way to a wait: a part of the name. Of several the outermost counts. */
static const struct {
	const char *part;
	enum p3_wait_kind kind;
	enum family family;
	const char *what;
} functions[] = {
	{ "take_gil", P3_WAIT_GIL, FAMILY_NONE, "GIL" },
	{ "RawMutex", P3_WAIT_LOCK, FAMILY_PARKING_LOT, "parking_lot Mutex" },
	{ "RawRwLock", P3_WAIT_LOCK, FAMILY_PARKING_LOT, "parking_lot RwLock" },
	{ "LazyLock", P3_WAIT_LOCK, FAMILY_ONCE, "LazyLock" },
	{ "OnceLock", P3_WAIT_LOCK, FAMILY_ONCE, "OnceLock" },
	{ "OnceCell", P3_WAIT_LOCK, FAMILY_ONCE, "OnceCell" },
	{ "PyOnceLock", P3_WAIT_LOCK, FAMILY_ONCE, "PyOnceLock" },
	{ "GILOnceCell", P3_WAIT_LOCK, FAMILY_ONCE, "GILOnceCell" },
	{ "Once::call", P3_WAIT_LOCK, FAMILY_ONCE, "Once" },
	{ "Once::wait", P3_WAIT_LOCK, FAMILY_ONCE, "Once" },
	{ "Condvar", P3_WAIT_CONDITION, FAMILY_NONE, "Condvar" },
	{ "RwLock", P3_WAIT_LOCK, FAMILY_RUST, "RwLock" },
	{ "Mutex", P3_WAIT_LOCK, FAMILY_RUST, "Mutex" },
	{ "Sleep::sleep", P3_WAIT_CONDITION, FAMILY_NONE, RAYON_WORK },
	{ "wait_until_cold", P3_WAIT_CONDITION, FAMILY_NONE, RAYON_WORK },
	{ "worker::Context::park", P3_WAIT_CONDITION, FAMILY_NONE, "work of tokio's" },
	{ "LockLatch", P3_WAIT_CONDITION, FAMILY_RAYON, "a job of rayon's" },
	{ "thread::park", P3_WAIT_CONDITION, FAMILY_NONE, "an unpark" },
	{ "runtime::park", P3_WAIT_CONDITION, FAMILY_NONE, "an unpark" },
	{ "Parker::park", P3_WAIT_CONDITION, FAMILY_NONE, "an unpark" },
	{ "mpmc", P3_WAIT_CONDITION, FAMILY_NONE, "a channel" },
	{ "mpsc", P3_WAIT_CONDITION, FAMILY_NONE, "a channel" },
	{ "__pthread_clockjoin_ex", P3_WAIT_JOIN, FAMILY_NONE, "a thread's end" },
	{ "__pthread_timedjoin_ex", P3_WAIT_JOIN, FAMILY_NONE, "a thread's end" },
	{ "pthread_join", P3_WAIT_JOIN, FAMILY_NONE, "a thread's end" },
	{ "__lll_lock_wait", P3_WAIT_LOCK, FAMILY_PTHREAD, "pthread mutex" },
	{ "pthread_mutex_lock", P3_WAIT_LOCK, FAMILY_PTHREAD, "pthread mutex" },
	{ "pthread_cond", P3_WAIT_CONDITION, FAMILY_NONE, "a condition" },
	{ "PyCriticalSection", P3_WAIT_LOCK, FAMILY_CRITICAL, "critical section" },
	{ "acquire_timed", P3_WAIT_LOCK, FAMILY_PYTHON, "threading.Lock" },
	{ "PyThread_acquire_lock_timed", P3_WAIT_LOCK, FAMILY_PYTHON, "threading.Lock" },
	{ "_PyMutex_Lock", P3_WAIT_LOCK, FAMILY_PYTHON, "threading.Lock" },
	{ "_PyRecursiveMutex_Lock", P3_WAIT_LOCK, FAMILY_PYTHON, "threading.RLock" },
};

/* What is looked for, of one thread that waits. */
struct look {
	struct p3_session *session;
	struct p3_target *target;
	struct p3_arena *arena;
	const struct p3_snapshot *snapshot;
	struct p3_stack *stacks;
	size_t index;
	enum family family;
	uint64_t owner; /* pthread_self() of who has an import lock; 0: unknown */
	bool guarded;	/* a guard of the lock was found */
	struct p3_wait *wait;
	const struct p3_wait *waits; /* of all threads */
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Is `part` in the name, at the start of a word? */
static bool has_part(const char *name, const char *part)
{
	const char *at;

	for (at = name; (at = strstr(at, part)); at++)
		if (at == name || at[-1] == ':' || at[-1] == '_' || *part == '_')
			return true;
	return false;
}

static const char *describe(struct p3_arena *arena, const struct p3_frame *frame)
{
	if (!frame)
		return NULL;
	if (!frame->file)
		return frame->function;
	return p3_arena_printf(arena, "%s, %s:%" PRIu32, frame->function, frame->file, frame->line);
}

/* ---- what it waits for ---- */

/* A system call: which one of `calls`, and its first three arguments. Linux keeps them while it
 * waits. */
struct call {
	size_t index; /* that many: another one, or none */
	uint64_t arguments[3];
};

/* Is the thread in a system call? */
static bool is_calling(struct look *look, enum machine machine, uint64_t pc)
{
	uint32_t instruction = 0;

	if (machine != AARCH64)
		return true;
	p3_error_free(p3_read_u32(look->target, pc - 4, &instruction));
	return instruction == SVC;
}

static bool read_call(struct look *look, struct call *ret)
{
	const struct p3_snapshot_thread *thread = look->stacks[look->index].thread;
	uint64_t values[COUNT(*registers)];
	size_t i, machine;

	for (machine = 0; thread->thread.number && machine < MACHINES; machine++) {
		struct p3_error *error =
			p3_target_registers(look->target, thread->thread.number, registers[machine],
					    COUNT(values), values);

		if (error) {
			p3_error_free(error);
			continue;
		}
		*ret = (struct call){ COUNT(calls), { values[1], values[2], values[3] } };
		for (i = 0; is_calling(look, machine, values[4]) && i < COUNT(calls); i++)
			if (values[0] == (uint64_t)calls[i].numbers[machine] &&
			    calls[i].numbers[machine] >= 0)
				ret->index = i;
		return true;
	}
	return false;
}

/* futex(2): to wait, not to wake others. */
static bool is_futex_wait(const struct call *call)
{
	uint32_t operation = (uint32_t)call->arguments[1] & FUTEX_CMD_MASK;

	return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET ||
	       operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2;
}

/* A word that is not the expected one any more means that the thread has been woken, or that
 * another that was will see to it. The priority-inheriting ones expect nothing. */
static bool is_woken(struct look *look, const struct call *call)
{
	uint32_t word, operation = (uint32_t)call->arguments[1] & FUTEX_CMD_MASK;
	struct p3_error *error = p3_read_u32(look->target, call->arguments[0], &word);
	bool woken = !error && word != (uint32_t)call->arguments[2] &&
		     (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET);

	p3_error_free(error);
	return woken;
}

static bool is_in_gil(const struct p3_snapshot_thread *thread, uint64_t address)
{
	size_t i;

	for (i = 0; i < thread->python.count; i++) {
		uint64_t gil = thread->python.items[i].thread.gil_address;

		if (gil && address >= gil && address - gil < GIL_SIZE)
			return true;
	}
	return false;
}

/* lock_api::Mutex is around parking_lot's RawMutex: not std's. */
static bool is_wrapper_of(enum family inner, enum family outer)
{
	return inner == FAMILY_PARKING_LOT && outer == FAMILY_RUST;
}

/* By the functions between the wait and the user's code. */
static void use_frames(struct look *look)
{
	const struct p3_stack *stack = &look->stacks[look->index];
	struct p3_wait *wait = look->wait;
	size_t i, j;

	for (i = 0; i < stack->count && !p3_frame_is_user(&stack->items[i]); i++) {
		const char *name = stack->items[i].function;

		for (j = 0; name && j < COUNT(functions); j++) {
			if (!has_part(name, functions[j].part))
				continue;
			/* A Mutex within a Condvar or a OnceLock is theirs; what waits for the
			 * GIL may be called by anything. */
			if (wait->kind != P3_WAIT_GIL && wait->kind != P3_WAIT_JOIN &&
			    !is_wrapper_of(look->family, functions[j].family)) {
				wait->kind = functions[j].kind;
				wait->what = functions[j].what;
				look->family = functions[j].family;
			}
			break;
		}
	}
}

/* The lock of Python's that the innermost Python frame is calling, if nothing else is between. */
static void use_python_lock(struct look *look)
{
	const struct p3_stack *stack = &look->stacks[look->index];
	struct p3_wait *wait = look->wait;
	size_t i;

	for (i = 0; i < stack->count; i++) {
		const struct p3_frame *frame = &stack->items[i];
		bool recursive = false;
		uint64_t lock;

		if (!frame->py && frame->language && !strcmp(frame->language, "rust"))
			return;
		if (!frame->py)
			continue;
		wait->name = p3_py_import_lock(frame->py, frame->python, &look->owner);
		if (wait->name) {
			wait->kind = P3_WAIT_LOCK;
			wait->what = "import lock of";
			look->family = FAMILY_PYTHON;
			return;
		}
		lock = p3_py_lock(frame->py, frame->python, &recursive);
		if (!lock)
			return;
		wait->kind = P3_WAIT_LOCK;
		look->family = FAMILY_PYTHON;
		wait->what = recursive ? "threading.RLock" : "threading.Lock";
		wait->address = lock;
		return;
	}
}

/* From 3.14 on a thread that attaches while Python ends is in pause() for good:
 * PyThread_hang_thread(), Python/thread_pthread.h. */
static void use_finalizing(struct look *look)
{
	struct p3_wait *wait = look->wait;
	size_t i;

	for (i = 0; i < look->snapshot->runtimes.count; i++) {
		if (!look->snapshot->runtimes.items[i]->finalizing ||
		    strcmp(wait->what, HANGS) != 0)
			continue;
		wait->kind = P3_WAIT_GIL;
		wait->what = "GIL";
		wait->why = "Python is being finalized: who attaches now hangs for good";
	}
}

static enum p3_attached attached_of(const struct p3_snapshot_thread *thread)
{
	return thread->python.count ? thread->python.items[0].thread.attached : P3_ATTACHED_UNKNOWN;
}

static enum p3_world world_of(const struct p3_snapshot_thread *thread)
{
	return thread->python.count ? thread->python.items[0].thread.world : P3_WORLD_NONE;
}

/* Python/pystate.c, stop_the_world(): a free-threaded thread stops all others, or was stopped. */
static bool use_world(struct look *look)
{
	const struct p3_snapshot_thread *thread = look->stacks[look->index].thread;
	struct p3_wait *wait = look->wait;

	if (world_of(thread) == P3_WORLD_STOPPING)
		wait->what = "all threads to stop";
	else if (attached_of(thread) == P3_SUSPENDED)
		wait->what = "the stopped world to go on";
	else
		return false;
	wait->kind = P3_WAIT_WORLD;
	return true;
}

/*
 * Python's own mutexes, and with them critical sections, wait in a parking lot: the futex is a
 * semaphore on the waiter's stack, the address of the mutex is before it (struct wait_entry of
 * Python/parking_lot.c). It is believed where a thread is in a critical section of it.
 */
static void use_critical_section(struct look *look)
{
	const struct p3_snapshot *snapshot = look->snapshot;
	struct p3_wait *wait = look->wait;
	struct p3_py *py = snapshot->runtimes.count ? snapshot->runtimes.items[0] : NULL;
	uint64_t mutex = 0;
	size_t i;

	if (!py || !py->free_threaded || !py->layout)
		return;
	p3_error_free(p3_read_u64(look->target, wait->address - 8, &mutex));
	for (i = 0; mutex && i < snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];

		if (!thread->python.count ||
		    !p3_py_in_critical_section(py, &thread->python.items[0].thread, mutex))
			continue;
		wait->kind = P3_WAIT_LOCK;
		wait->what = "critical section of";
		wait->name = p3_py_mutex_object(py, mutex);
		wait->address = mutex;
		look->family = FAMILY_CRITICAL;
	}
}

static void find_wait(struct look *look)
{
	struct p3_stack *stack = &look->stacks[look->index];
	struct p3_wait *wait = look->wait;
	struct call call = { 0 };
	bool known = read_call(look, &call);

	wait->holder = SIZE_MAX;
	wait->where = describe(look->arena, p3_stack_user_frame(stack, NULL));
	if (use_world(look))
		return;
	/* It is not always in the system call: every 5 ms it looks whether the GIL is free. */
	if (stack->thread->gil == P3_GIL_WAITS) {
		wait->kind = P3_WAIT_GIL;
		wait->what = "GIL";
		return;
	}
	/* Without the registers, a capture's, the frames alone tell. */
	if (known &&
	    (call.index == COUNT(calls) || (!calls[call.index].what && !is_futex_wait(&call))))
		return;
	if (known && calls[call.index].what) {
		wait->kind = calls[call.index].kind;
		wait->what = calls[call.index].what;
		use_finalizing(look);
		return;
	}
	use_frames(look);
	wait->address = known ? call.arguments[0] : 0;
	if (is_in_gil(stack->thread, wait->address)) {
		wait->kind = P3_WAIT_GIL;
		wait->what = "GIL";
	}
	if (wait->kind == P3_WAIT_NONE || look->family == FAMILY_PYTHON)
		use_python_lock(look);
	if (wait->kind == P3_WAIT_NONE && known) {
		wait->kind = P3_WAIT_LOCK;
		wait->what = "lock";
		look->family = FAMILY_RUST;
	}
	if (look->family == FAMILY_PARKING_LOT && wait->address) {
		uint64_t key = 0;

		p3_error_free(p3_read_u64(look->target, wait->address - PARKER, &key));
		wait->address = key;
	}
	if (known && wait->address)
		use_critical_section(look);
	if (wait->kind == P3_WAIT_LOCK && !wait->name)
		wait->name =
			p3_session_lock_name(look->session, look->snapshot, stack, wait->address);
	if (wait->kind == P3_WAIT_LOCK && known && is_woken(look, &call))
		wait->why = "it is free again";
}

/* ---- who holds it ---- */

static void set_holder(struct look *look, size_t index, enum p3_certainty certainty,
		       const char *why)
{
	look->wait->holder = index;
	look->wait->certainty = certainty;
	look->wait->why = why;
}

static void find_lwp(struct look *look, uint64_t address, const char *why)
{
	uint32_t lwp = 0;
	size_t i;

	p3_error_free(p3_read_u32(look->target, address, &lwp));
	for (i = 0; lwp && i < look->snapshot->threads.count; i++)
		if (look->snapshot->threads.items[i].thread.lwp == lwp)
			set_holder(look, i, P3_CERTAIN, why);
}

static void find_gil_holder(struct look *look)
{
	const struct p3_snapshot_thread *waiter = look->stacks[look->index].thread;
	size_t i;

	for (i = 0; i < look->snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &look->snapshot->threads.items[i];

		if (i == look->index || thread->gil != P3_GIL_HOLDS || !thread->python.count)
			continue;
		if (!waiter->python.count || waiter->python.items[0].thread.gil_address ==
						     thread->python.items[0].thread.gil_address)
			set_holder(look, i, P3_CERTAIN, "the GIL says so");
	}
}

/* pthread_self() of each thread, for the owners that locks store. */
static void find_python_holder(struct look *look)
{
	const struct p3_snapshot *snapshot = look->snapshot;
	uint64_t *pointers =
		p3_arena_take(look->arena, snapshot->threads.count * sizeof(*pointers));
	uint64_t lock = look->wait->address, owner;
	struct p3_py *py = snapshot->runtimes.items[0];
	size_t i, j;

	for (i = 0; i < snapshot->threads.count; i++)
		if (snapshot->threads.items[i].python.count)
			pointers[i] = snapshot->threads.items[i].python.items[0].thread.pointer;
	if (look->owner || !strcmp(look->wait->what, "threading.RLock")) {
		owner = look->owner ? look->owner
				    : p3_py_lock_owner(py, lock, pointers, snapshot->threads.count);
		for (i = 0; owner && i < snapshot->threads.count; i++)
			if (pointers[i] == owner)
				set_holder(look, i, P3_CERTAIN, "the lock stores its owner");
		return;
	}
	for (i = 0; i < snapshot->threads.count; i++) {
		/* One that waits for it, too, has not got it. */
		if (i == look->index || look->waits[i].address == lock)
			continue;
		for (j = 0; j < look->stacks[i].count; j++) {
			const struct p3_frame *frame = &look->stacks[i].items[j];

			if (!frame->py || !p3_py_is_within(frame->py, frame->python, lock))
				continue;
			set_holder(look, i, P3_CERTAIN,
				   p3_arena_printf(look->arena, "`with` in %s",
						   describe(look->arena, frame)));
			return;
		}
	}
}

/* Does this variable guard the lock? A guard begins with a pointer to it, but for those that
 * read a RwLock, which have it behind a pointer to the data. */
static enum p3_certainty guards(struct look *look, const struct p3_frame_variable *variable)
{
	const char *type = variable->value.type ? variable->value.type->name : NULL;
	uint64_t words[2] = { 0 }, lock = look->wait->address;
	struct p3_error *error;
	size_t size;

	if (!type || !strstr(type, "Guard<") || strchr(type, '&') ||
	    (strstr(look->wait->what, "Mutex") && !strstr(type, "Mutex")) ||
	    (strstr(look->wait->what, "RwLock") && !strstr(type, "RwLock")))
		return P3_UNKNOWN;
	if (strchr(type, '<') < strstr(type, "Guard<"))
		return P3_UNKNOWN; /* something of a guard */
	if (variable->absent)
		return P3_PROBABLE;
	size = variable->value.type->size < 16 ? 8 : 16;
	error = p3_value_read(look->target, &variable->value, 0, words, size);
	if (error) {
		bool missing = error->code == P3_MISSING;

		p3_error_free(error);
		return missing ? P3_PROBABLE : P3_UNKNOWN;
	}
	/* writer_notify is the second word of a RwLock */
	/* lock_api's has the byte that is waited for before or behind what it guards */
	if (look->family == FAMILY_PARKING_LOT)
		return words[0] <= lock && lock - words[0] < LOCK_API ? P3_CERTAIN : P3_UNKNOWN;
	return words[0] == lock || words[1] == lock || words[0] == lock - 4 || words[1] == lock - 4
		       ? P3_CERTAIN
		       : P3_UNKNOWN;
}

/* Can it not go on before another thread does? */
static bool is_stuck(const struct p3_wait *wait)
{
	return wait->kind == P3_WAIT_GIL || wait->kind == P3_WAIT_LOCK ||
	       wait->kind == P3_WAIT_JOIN || wait->kind == P3_WAIT_WORLD;
}

/*
 * Of two threads with a guard of this lock. All readers must go: the one that is stuck counts. Else
 * one of them has dropped its guard, and its memory is still as it was: most likely the stuck one.
 */
static void choose(struct look *look, size_t thread, bool reads, const char *why)
{
	bool stuck = is_stuck(&look->waits[thread]);
	enum p3_certainty certainty = reads ? P3_CERTAIN : P3_PROBABLE;

	if (thread == look->wait->holder)
		return;
	if (is_stuck(&look->waits[look->wait->holder]) != stuck && stuck == reads)
		set_holder(look, thread, certainty, why);
	else
		look->wait->certainty = certainty;
}

static void look_at_frame(struct look *look, size_t thread, const struct p3_frame *frame)
{
	const struct p3_stack *stack = &look->stacks[thread];
	struct p3_frame_variables variables = { 0 };
	const char *why;
	size_t i;

	if (frame->role == P3_ROLE_RUNTIME || frame->role == P3_ROLE_PANIC)
		return;
	p3_session_rust_variables(look->session, stack, frame, &variables);
	for (i = 0; i < variables.count; i++) {
		enum p3_certainty certainty = guards(look, &variables.items[i]);

		/* A guard of its own that cannot be read is of another lock, most likely; one that
		 * can may have been dropped. */
		if (certainty == P3_UNKNOWN || (certainty == P3_PROBABLE && thread == look->index))
			continue;
		why = p3_arena_printf(look->arena, "guard `%s`%s in %s", variables.items[i].name,
				      certainty == P3_PROBABLE ? ", optimized out," : "",
				      describe(look->arena, frame));
		if (certainty == P3_CERTAIN && look->guarded)
			choose(look, thread, strstr(variables.items[i].value.type->name, "Read"),
			       why);
		else if (certainty > look->wait->certainty)
			set_holder(look, thread, thread == look->index ? P3_PROBABLE : certainty,
				   why);
		look->guarded |= certainty == P3_CERTAIN;
	}
}

static void find_guard(struct look *look)
{
	size_t i, j;

	for (i = 0; i < look->snapshot->threads.count; i++)
		for (j = 0; j < look->stacks[i].count && j < MAX_HOLDER_FRAMES; j++)
			look_at_frame(look, i, &look->stacks[i].items[j]);
}

/* A thread that runs an initializer has its function further out than the user's code. */
static void find_initializer(struct look *look)
{
	size_t i, j, k, found = 0;

	for (i = 0; i < look->snapshot->threads.count; i++) {
		const struct p3_frame *user = NULL;

		for (j = 0; i != look->index && j < look->stacks[i].count; j++) {
			const struct p3_frame *frame = &look->stacks[i].items[j];

			if (!frame->py && p3_frame_is_user(frame) && !user)
				user = frame;
			for (k = 0; user && frame->function && k < COUNT(functions); k++)
				if (functions[k].family == FAMILY_ONCE &&
				    !p3_frame_is_user(frame) &&
				    has_part(frame->function, functions[k].part))
					break;
			if (!user || !frame->function || k == COUNT(functions))
				continue;
			found++;
			set_holder(look, i, P3_PROBABLE,
				   p3_arena_printf(look->arena, "it initializes one, in %s",
						   describe(look->arena, user)));
			break;
		}
	}
	if (found > 1)
		set_holder(look, SIZE_MAX, P3_UNKNOWN, NULL);
}

/* Where nothing tells: the only other thread in the module, if there is one only. */
static void find_only_candidate(struct look *look)
{
	const struct p3_frame *user = p3_stack_user_frame(&look->stacks[look->index], NULL);
	size_t i, j, found = 0;

	for (j = 0; (!user || user->py) && j < look->stacks[look->index].count; j++)
		if (look->stacks[look->index].items[j].language &&
		    !strcmp(look->stacks[look->index].items[j].language, "rust"))
			user = &look->stacks[look->index].items[j];
	if (!user || !user->module)
		return;
	for (i = 0; i < look->snapshot->threads.count; i++) {
		for (j = 0; i != look->index && j < look->stacks[i].count; j++)
			if (look->stacks[i].items[j].module &&
			    !strcmp(look->stacks[i].items[j].module, user->module))
				break;
		if (i == look->index || j == look->stacks[i].count)
			continue;
		found++;
		set_holder(look, i, P3_PROBABLE,
			   p3_arena_printf(look->arena, "the only other thread in %s",
					   p3_base_name(user->module)));
	}
	if (found > 1)
		set_holder(look, SIZE_MAX, P3_UNKNOWN, NULL);
}

/* What rayon's threads do is waited for: by one that runs, if there is one, for it will end; else
 * by one that is stuck. */
static void find_worker(struct look *look)
{
	size_t i, j;

	for (i = 0; i < look->snapshot->threads.count; i++) {
		const struct p3_wait *wait = &look->waits[i];
		bool runs = wait->kind == P3_WAIT_NONE || wait->kind == P3_WAIT_IO ||
			    wait->kind == P3_WAIT_SLEEP;

		if (wait->what && !strcmp(wait->what, RAYON_WORK))
			continue;
		for (j = 0; i != look->index && j < look->stacks[i].count; j++)
			if (look->stacks[i].items[j].function &&
			    has_part(look->stacks[i].items[j].function, "WorkerThread"))
				break;
		if (i == look->index || j == look->stacks[i].count)
			continue;
		if (runs || look->wait->holder == SIZE_MAX)
			set_holder(look, i, P3_PROBABLE, "one of its workers");
		if (runs)
			return;
	}
}

/* All threads must stop: of those that have not, the one that is stuck counts. */
static void find_attached(struct look *look)
{
	bool stopping = world_of(look->stacks[look->index].thread) == P3_WORLD_STOPPING;
	size_t i;

	for (i = 0; i < look->snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &look->snapshot->threads.items[i];

		if (i == look->index)
			continue;
		if (!stopping && world_of(thread) != P3_WORLD_NONE)
			set_holder(look, i, P3_CERTAIN, "has stopped all others");
		if (stopping && attached_of(thread) == P3_ATTACHED &&
		    (look->wait->holder == SIZE_MAX || is_stuck(&look->waits[i])))
			set_holder(look, i, P3_CERTAIN, "is attached");
	}
}

static void find_critical_section(struct look *look)
{
	const struct p3_snapshot *snapshot = look->snapshot;
	size_t i;

	for (i = 0; snapshot->runtimes.count && i < snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];

		if (i != look->index && thread->python.count &&
		    p3_py_in_critical_section(snapshot->runtimes.items[0],
					      &thread->python.items[0].thread, look->wait->address))
			set_holder(look, i, P3_CERTAIN, "its thread state says so");
	}
}

static void find_holder(struct look *look)
{
	struct p3_wait *wait = look->wait;

	if (wait->why) /* nobody has it, or will let it go */
		return;
	if (wait->kind == P3_WAIT_GIL)
		find_gil_holder(look);
	else if (wait->kind == P3_WAIT_WORLD)
		find_attached(look);
	else if (wait->kind == P3_WAIT_LOCK && look->family == FAMILY_CRITICAL)
		find_critical_section(look);
	else if (wait->kind == P3_WAIT_JOIN && wait->address)
		find_lwp(look, wait->address, "it is the thread that is joined");
	else if (wait->kind == P3_WAIT_LOCK && look->family == FAMILY_PTHREAD)
		find_lwp(look, wait->address + MUTEX_OWNER, "the mutex stores its owner");
	else if (wait->kind == P3_WAIT_LOCK && look->family == FAMILY_PYTHON) {
		if (look->snapshot->runtimes.count && (wait->address || look->owner))
			find_python_holder(look);
	} else if (wait->kind == P3_WAIT_CONDITION && look->family == FAMILY_RAYON) {
		find_worker(look);
	} else if (wait->kind == P3_WAIT_LOCK && look->family == FAMILY_ONCE) {
		find_initializer(look);
		if (wait->certainty == P3_UNKNOWN)
			find_only_candidate(look);
	} else if (wait->kind == P3_WAIT_LOCK) {
		find_guard(look);
		if (wait->certainty == P3_UNKNOWN)
			find_only_candidate(look);
	}
}

/* Several locks of one array or struct have one name. */
static void tell_apart(struct look *look)
{
	struct p3_wait *wait = look->wait;
	size_t i;

	for (i = 0; wait->kind == P3_WAIT_LOCK && wait->name && i < look->snapshot->threads.count;
	     i++) {
		const struct p3_wait *other = &look->waits[i];
		uint64_t offset = 0;

		if (other->kind != P3_WAIT_LOCK || !other->name ||
		    other->address == wait->address || !wait->address || !other->address ||
		    strncmp(other->name, wait->name, strlen(wait->name)) != 0)
			continue;
		(void)p3_native_object(p3_session_native(look->session), look->target,
				       &look->snapshot->modules, wait->address, &offset);
		wait->name = p3_arena_printf(look->arena, "%s+0x%" PRIx64, wait->name, offset);
		return;
	}
}

void p3_session_wait(struct p3_session *session, const struct p3_snapshot *snapshot,
		     struct p3_stack *stack, struct p3_wait *ret)
{
	struct p3_target *target = p3_session_target(session);
	struct look look = { .session = session,
			     .target = target,
			     .arena = p3_target_arena(target),
			     .snapshot = snapshot,
			     .stacks = stack,
			     .wait = ret,
			     .waits = ret };

	*ret = (struct p3_wait){ 0 };
	find_wait(&look);
}

struct p3_wait *p3_session_waits(struct p3_session *session, const struct p3_snapshot *snapshot,
				 struct p3_stack *stacks)
{
	struct p3_target *target = p3_session_target(session);
	struct p3_arena *arena = p3_target_arena(target);
	struct p3_wait *waits =
		p3_arena_take(arena, (snapshot->threads.count + 1) * sizeof(*waits));
	struct look *looks;
	size_t i;

	looks = p3_arena_take(arena, (snapshot->threads.count + 1) * sizeof(*looks));
	for (i = 0; i < snapshot->threads.count; i++) {
		looks[i] = (struct look){ .session = session,
					  .target = target,
					  .arena = arena,
					  .snapshot = snapshot,
					  .stacks = stacks,
					  .index = i,
					  .wait = &waits[i],
					  .waits = waits };
		find_wait(&looks[i]);
	}
	for (i = 0; i < snapshot->threads.count; i++)
		find_holder(&looks[i]);
	for (i = 0; i < snapshot->threads.count; i++)
		tell_apart(&looks[i]);
	return waits;
}

size_t p3_wait_cycle(const struct p3_wait *waits, size_t count, size_t index, size_t *ret)
{
	size_t at = index, found = 0;

	while (found < count) {
		ret[found++] = at;
		at = waits[at].holder;
		if (at == index)
			return found;
		if (at >= count)
			return 0;
	}
	return 0;
}
