/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A stopped process: live, attached, a core file, behind gdbserver, or a
 * recording; nothing to the right of this header can tell which.
 *
 * A host (gdb; a capture in the tests) answers read-only questions. The target
 * asks it, keeps the answers for this stop, and counts what it asked.
 * Little-endian LP64 only.
 */
#ifndef PYO3_GDB_TARGET_H
#define PYO3_GDB_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pyo3-gdb/arena.h>
#include <pyo3-gdb/error.h>

/* ---- what a host answers ---- */

/* Limits on what a target can make us do; each bounds one loop or allocation. */
enum {
	P3_MAX_READS = 20000000, /* typed reads at one stop: an end to work on hostile data */
	P3_MAX_READ = 64 << 20,	 /* bytes in one read; gdb aborts on absurd lengths */
	P3_MAX_THREADS = 65536,
	P3_MAX_MODULES = 65536,
	P3_MAX_FRAMES = 200000,	 /* native frames of one thread */
	P3_MAX_VARIABLES = 1000, /* of one frame */
};

/* How much of a module's source can be told from its file. */
enum p3_tier {
	P3_TIER_UNKNOWN,  /* the file could not be read */
	P3_TIER_DWARF,	  /* .debug_info, in the file or in a separate one the host found */
	P3_TIER_SYMBOLS,  /* .symtab, but no DWARF */
	P3_TIER_STRIPPED, /* neither: .dynsym and .eh_frame only */
};

/* "dwarf", "symbols", "stripped" or "unknown", as in JSON. */
const char *p3_tier_name(enum p3_tier tier);

/* What one look at a module's file tells. Addresses are link-time: add the bias. */
struct p3_file_facts {
	enum p3_tier tier;
	bool rust;	       /* made by rustc, in part at least */
	bool panic_abort;      /* built with panic = "abort"; false: with "unwind", or unknown */
	char rustc[64];	       /* "1.95.0 (59807616e 2026-04-14)", or "" */
	char pyo3[24];	       /* "0.30.1", or "" */
	uint64_t low, high;    /* the addresses its segments span */
	uint64_t py_runtime;   /* address of _PyRuntime; 0: it defines none */
	uint64_t py_version;   /* address of Py_Version (3.11+); 0: none */
	uint8_t py_minor;      /* 9 of CPython 3.9, which has no Py_Version; 0: unknown */
	bool py_debug;	       /* a --with-pydebug interpreter */
	char build_id[64 + 1]; /* hex, or "" */
};

struct p3_process {
	int64_t pid;		/* 0: unknown */
	const char *state;	/* "live" or "core" */
	const char *executable; /* its file on this machine; NULL: none known */
	const char *host;	/* "gdb 13.1" */
	const uint8_t *auxv;	/* the auxiliary vector, as in /proc/PID/auxv */
	size_t auxv_size;
};

struct p3_thread {
	uint32_t number;  /* the host's own: gdb's thread number */
	int64_t lwp;	  /* kernel id; 0: unknown */
	uint64_t pointer; /* pthread_self(), if it is known already; else 0 */
	const char *name; /* the system's name; NULL: unknown */
	bool selected;
};

enum p3_frame_kind {
	P3_FRAME_NORMAL,
	P3_FRAME_INLINE,    /* inlined into the next normal frame */
	P3_FRAME_TAIL_CALL, /* left no trace on the stack; the host knows from call sites */
	P3_FRAME_SIGNAL,
	P3_FRAME_OTHER,
};

/* A native frame as the host unwinds and names it; its index is the host's level. */
struct p3_host_frame {
	enum p3_frame_kind kind;
	uint64_t pc;
	uint64_t sp;	      /* of physical frames; 0: unknown */
	const char *name;     /* demangled, as the host shows it; NULL: none */
	const char *file;     /* NULL: no line information */
	uint32_t line;	      /* 0: unknown */
	const char *language; /* the host's word for it; NULL: unknown */
};

struct p3_host_frames {
	P3_LIST(struct p3_host_frame);
	const char *ended; /* why the unwind ended before the thread's start; NULL: it did not */
};

/* What the host knows of one pc: the function, and what is inlined there, innermost first. */
struct p3_host_place {
	const char *name;
	const char *file; /* NULL: no line */
	uint32_t line;
};

struct p3_host_places {
	P3_LIST(struct p3_host_place);
	uint64_t entry;	      /* where the function starts */
	bool at_inline_start; /* pc is the first of the innermost inlined function */
};

/* An argument or local of either language. Either value or absent is set. */
struct p3_variable {
	const char *name;
	const char *value;  /* text, escaped; NULL: absent */
	const char *absent; /* why there is no value: "optimized out" */
	bool argument;
	bool aggregate;	 /* no scalar: `print frame-arguments scalars` leaves it out */
	uint64_t object; /* it is a Python object (PyO3's Bound, Py ...), at this address; 0 */
};

struct p3_variable_list {
	P3_LIST(struct p3_variable);
};

/* A module's file on this machine. */
struct p3_host_file {
	const char *path;		   /* NULL: there is none */
	const char *debug_path;		   /* a separate debug file the host has loaded; NULL */
	const struct p3_file_facts *facts; /* already known (a capture); NULL: look */
};

/* Which variables of a frame, and whether those that need many words are worth it. */
enum { P3_ARGUMENTS = 1, P3_LOCALS = 2, P3_AGGREGATES = 4, P3_VARIABLES = 7 };

/* The questions. None may change the process, or call a function in it. */
struct p3_host_ops {
	/* All of it, or P3_FAULT. `size` is at most P3_MAX_READ. */
	struct p3_error *(*read)(void *context, uint64_t address, void *buffer, size_t size);
	struct p3_error *(*process)(void *context, struct p3_arena *arena, struct p3_process *ret);
	struct p3_error *(*threads)(void *context, struct p3_arena *arena, struct p3_thread **ret,
				    size_t *count_ret);
	/* pthread_self(): fs_base on x86-64; 0: unknown. May be NULL. */
	uint64_t (*pointer)(void *context, uint32_t thread);
	/* `name` as the link map has it; build_id in hex, "" if unknown. */
	struct p3_error *(*file)(void *context, struct p3_arena *arena, const char *name,
				 const char *build_id, struct p3_host_file *ret);
	/* Of the innermost frame, by name; P3_UNSUPPORTED: it has no such registers. */
	struct p3_error *(*registers)(void *context, uint32_t thread, const char *const *names,
				      size_t count, uint64_t *ret);
	struct p3_error *(*frames)(void *context, struct p3_arena *arena, uint32_t thread,
				   struct p3_host_frames *ret);
	/* P3_NOT_FOUND: it knows no function there. May be NULL. */
	struct p3_error *(*places)(void *context, struct p3_arena *arena, uint64_t pc,
				   struct p3_host_places *ret);
	struct p3_error *(*variables)(void *context, struct p3_arena *arena, uint32_t thread,
				      uint32_t level, unsigned int wanted,
				      struct p3_variable_list *ret);
	/* The level of the frame that the user has selected. May be NULL: the innermost. */
	struct p3_error *(*selected_level)(void *context, uint32_t *ret);
	/* Has the user asked to stop (Ctrl-C)? May be NULL. */
	bool (*interrupted)(void *context);
};

struct p3_host {
	const struct p3_host_ops *ops;
	void *context;
};

/* ---- the target ---- */

struct p3_target;

struct p3_target *p3_target_new(struct p3_host host);
void p3_target_free(struct p3_target *target);
void p3_target_done(struct p3_target **target);
/* Forget all answers: the process ran, or its memory was written. Pointers into
 * them, p3_target_arena() too, are dead. */
void p3_target_forget(struct p3_target *target);
/* Lives until the next p3_target_forget(). */
struct p3_arena *p3_target_arena(struct p3_target *target);

struct p3_target_counts {
	uint64_t reads; /* asked of the host: each is a round trip on gdbserver */
	uint64_t bytes;
};
struct p3_target_counts p3_target_counts(const struct p3_target *target);

/* Answers live until the next p3_target_forget(). */
struct p3_error *p3_target_process(struct p3_target *target,
				   const struct p3_process **ret) P3_MUST_CHECK;
struct p3_error *p3_target_threads(struct p3_target *target, const struct p3_thread **ret,
				   size_t *count_ret) P3_MUST_CHECK;
/* pthread_self() of one of these; 0: unknown. Costs the host a switch of threads, so
 * that it is asked only where the kernel's id does not do. */
uint64_t p3_target_thread_pointer(struct p3_target *target, const struct p3_thread *thread);
struct p3_error *p3_target_file(struct p3_target *target, const char *name, const char *build_id,
				struct p3_host_file *ret) P3_MUST_CHECK;
struct p3_error *p3_target_registers(struct p3_target *target, uint32_t thread,
				     const char *const *names, size_t count,
				     uint64_t *ret) P3_MUST_CHECK;
struct p3_error *p3_target_frames(struct p3_target *target, uint32_t thread,
				  const struct p3_host_frames **ret) P3_MUST_CHECK;
/* In this arena. P3_UNSUPPORTED: the host does not say. */
struct p3_error *p3_target_places(struct p3_target *target, struct p3_arena *arena, uint64_t pc,
				  struct p3_host_places *ret) P3_MUST_CHECK;
struct p3_error *p3_target_variables(struct p3_target *target, uint32_t thread, uint32_t level,
				     unsigned int wanted,
				     struct p3_variable_list *ret) P3_MUST_CHECK;
struct p3_error *p3_target_selected_level(struct p3_target *target, uint32_t *ret) P3_MUST_CHECK;
/* True once the user asked to stop; reads fail from then on, so that work ends soon. */
bool p3_target_interrupted(struct p3_target *target);

/*
 * Reads go through a page cache. All give the whole, or P3_FAULT with the
 * address; a size above P3_MAX_READ is P3_BAD_DATA.
 */
struct p3_error *p3_read(struct p3_target *target, uint64_t address, void *buffer,
			 size_t size) P3_MUST_CHECK;
struct p3_error *p3_read_u8(struct p3_target *target, uint64_t address, uint8_t *ret) P3_MUST_CHECK;
struct p3_error *p3_read_u32(struct p3_target *target, uint64_t address,
			     uint32_t *ret) P3_MUST_CHECK;
struct p3_error *p3_read_u64(struct p3_target *target, uint64_t address,
			     uint64_t *ret) P3_MUST_CHECK;
/* NUL-terminated; one longer than `limit` bytes is cut there. */
struct p3_error *p3_read_string(struct p3_target *target, uint64_t address, size_t limit,
				struct p3_arena *arena, const char **ret) P3_MUST_CHECK;
/* Bring [start, end) into the cache in one read if it is readable whole; else false. */
bool p3_target_prefetch(struct p3_target *target, uint64_t start, uint64_t end);

/* ---- modules: the executable and the shared objects of the link map ---- */

struct p3_module {
	const char *name;      /* path in the process's own view; "[vdso]" */
	const char *path;      /* its file on this machine; NULL: missing */
	uint64_t bias;	       /* run-time address - link-time address */
	uint64_t start, end;   /* what it spans in memory; 0, 0: unknown */
	char build_id[64 + 1]; /* hex, read from memory; "" unknown */
	const char *debug_path;
	const struct p3_file_facts *facts; /* NULL: not looked at, or no file */
};

struct p3_modules {
	P3_LIST(struct p3_module);
	const char *incomplete; /* why the list is not whole; NULL: it is */
};

/*
 * Walk the dynamic linker's link map, from the auxiliary vector on. The first
 * module is the executable. Never fails as long as there is a process: what
 * could not be read is in `incomplete`.
 * Source: glibc elf/link.h (struct r_debug, link_map), the SysV ABI's auxv.
 */
struct p3_error *p3_target_modules(struct p3_target *target, struct p3_modules *ret) P3_MUST_CHECK;
/* The module that spans this address; NULL: none. */
struct p3_module *p3_modules_at(const struct p3_modules *modules, uint64_t address);

/* ---- captures: a recording of a host's answers ---- */

/*
 * A capture is one JSON object, gzip-compressed when large; schema
 * "pyo3-gdb/capture/1". It holds memory of the process.
 */

struct p3_recorder;

/* Wrap a host; every answer that goes through is kept. */
struct p3_recorder *p3_recorder_new(struct p3_host host);
void p3_recorder_free(struct p3_recorder *recorder);
void p3_recorder_done(struct p3_recorder **recorder);
struct p3_host p3_recorder_host(struct p3_recorder *recorder);
/* Write all answers; `modules` with the facts found. The file is replaced whole or not at all. */
struct p3_error *p3_recorder_write(struct p3_recorder *recorder, const struct p3_modules *modules,
				   const char *path) P3_MUST_CHECK;

struct p3_capture;

/* Open a capture as a host. Untrusted: bad ones give P3_BAD_DATA. */
struct p3_error *p3_capture_open(const char *path, struct p3_capture **ret) P3_MUST_CHECK;
/* The same from memory (plain or gzip). */
struct p3_error *p3_capture_parse(const void *data, size_t size,
				  struct p3_capture **ret) P3_MUST_CHECK;
void p3_capture_close(struct p3_capture *capture);
void p3_capture_done(struct p3_capture **capture);
struct p3_host p3_capture_host(struct p3_capture *capture);

#endif
