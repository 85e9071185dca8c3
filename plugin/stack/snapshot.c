/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a native frame is: its role from its name if Rust made it, else from the
 * module that holds its pc. CPython's plumbing is told by the interpreter's
 * address range, never by name; a user's function may have any name.
 */
#include <pyo3-gdb/snapshot.h>

#include <pyo3-gdb/rust.h>

#include <string.h>

/* Shared objects that belong to the system, by the start of their file names. */
static const char *const system_modules[] = {
	"libc.so", "libc-2",  "libpthread", "ld-linux", "ld-2",	     "linux-vdso",
	"[vdso]",  "libm.so", "libm-2",	    "libgcc_s", "libstdc++", "libdl",
	"librt",   "libasan", "libtsan",    "ld-musl",	"libc.musl",
};

/* Functions that start a process or thread, below anything of interest. */
static const char *const start_functions[] = {
	"_start",
	"__libc_start_main",
	"__libc_start_main_impl",
	"__libc_start_call_main",
	"start_thread",
	"clone",
	"clone3",
	"__clone",
	"__clone3",
};

static bool begins_with(const char *name, const char *const *prefixes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool is_interpreter(const struct p3_module *module)
{
	const char *name = p3_base_name(module->path ? module->path : module->name);

	if (module->facts && module->facts->py_runtime)
		return true;
	/* With a shared libpython the executable, python3.13t or so, is only a main(). */
	return !strncmp(name, "python", 6) && !name[6 + strspn(name + 6, "0123456789.tdm")];
}

static bool is_rust(const struct p3_native_frame *frame, const struct p3_module *module)
{
	if (frame->language && !strcmp(frame->language, "rust"))
		return true;
	/* C and C++ libraries are linked into Rust modules; their debug info says so. */
	if (frame->language && (frame->language[0] == 'c' || !strcmp(frame->language, "asm")) &&
	    frame->file)
		return false;
	return module && module->facts && module->facts->rust &&
	       (!frame->name || p3_rust_looks_like(frame->name));
}

static enum p3_role native_role(const struct p3_native_frame *frame, const struct p3_module *module)
{
	if (frame->kind == P3_FRAME_SIGNAL)
		return P3_ROLE_SIGNAL;
	if (frame->name && (!module || !module->facts || !module->facts->rust) &&
	    is_one_of(frame->name, start_functions, COUNT(start_functions)))
		return P3_ROLE_START;
	if (!module)
		return P3_ROLE_UNKNOWN;
	if (is_interpreter(module))
		return P3_ROLE_CPYTHON;
	if (begins_with(p3_base_name(module->name), system_modules, COUNT(system_modules)))
		return P3_ROLE_SYSTEM;
	return P3_ROLE_USER;
}

/* The host's word for a language in ours. */
static const char *language_name(const struct p3_native_frame *frame)
{
	if (!frame->language)
		return frame->name ? "c" : NULL;
	if (!strcmp(frame->language, "c++"))
		return "c++";
	return !strcmp(frame->language, "c") || !strcmp(frame->language, "asm") ? "c" : NULL;
}

/* What a name says. Frames of one place share their strings: asked once for each. */
struct known_name {
	const char *file;
	bool rust;
	const char *function, *wraps;
	enum p3_role role; /* of a Rust function */
};

static const struct known_name *know_name(struct p3_arena *arena, struct p3_map *names,
					  const struct p3_native_frame *frame,
					  const struct p3_module *module)
{
	void **slot = p3_map_slot(names, (uintptr_t)frame->name);
	struct known_name *known = *slot;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_text wraps P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	if (known && known->file == frame->file)
		return known;
	known = p3_arena_take(arena, sizeof(*known));
	*slot = known;
	known->file = frame->file;
	known->rust = is_rust(frame, module);
	if (!frame->name)
		return known;
	if (known->rust) {
		p3_rust_name(frame->name, &text);
		known->role = p3_rust_role(frame->name, frame->file, frame->folder);
	} else {
		p3_text_add(&text, frame->name);
	}
	known->function = p3_arena_string(arena, p3_text_string(&text));
	if (known->role == P3_ROLE_WRAPPER && p3_rust_wrapped(frame->name, &wraps))
		known->wraps = p3_arena_string(arena, p3_text_string(&wraps));
	return known;
}

/* In a stripped libc, what runs main() or a thread's function has no name: the callers tell. */
static void mark_start(struct p3_snapshot_thread *thread)
{
	size_t i = thread->frames.count;

	while (i-- > 0) {
		struct p3_snapshot_frame *frame = &thread->frames.items[i];
		bool outermost = i + 1 == thread->frames.count;

		if (frame->role == P3_ROLE_START)
			continue;
		if (frame->native.name || frame->role != P3_ROLE_SYSTEM ||
		    (!outermost && thread->frames.items[i + 1].role != P3_ROLE_START))
			return;
		frame->role = P3_ROLE_START;
	}
}

void p3_snapshot_name_frames(struct p3_arena *arena, const struct p3_modules *modules,
			     const struct p3_native_frames *frames,
			     struct p3_snapshot_thread *thread)
{
	struct p3_map *names = p3_map_new(arena);
	const struct p3_module *module = NULL;
	size_t i;

	for (i = 0; i < frames->count; i++) {
		struct p3_snapshot_frame *frame = p3_list_add(arena, &thread->frames);
		const struct p3_native_frame *native = &frames->items[i];
		/* A return address may be one past a module's last call. */
		uint64_t pc = native->pc - (native->level ? 1 : 0);
		struct known_name nameless;
		const struct known_name *known = &nameless;

		if (!module || pc < module->start || pc >= module->end)
			module = p3_modules_at(modules, pc);
		frame->native = *native;
		frame->module = module;
		if (native->name)
			known = know_name(arena, names, native, module);
		else
			nameless = (struct known_name){ .rust = is_rust(native, module),
							.role = P3_ROLE_USER };
		frame->language = known->rust ? "rust" : language_name(native);
		frame->role = known->rust ? known->role : native_role(native, module);
		frame->function = known->function;
		frame->wraps = known->wraps;
		if (native->kind == P3_FRAME_SIGNAL)
			frame->function = "<signal handler called>"; /* as gdb calls it */
	}
	mark_start(thread);
}
