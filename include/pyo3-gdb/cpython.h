/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * CPython: interpreters, threads, frames and objects of a stopped process, by
 * memory reads alone. Works without debug information and on stripped
 * interpreters: `_PyRuntime` is in .dynsym of every build.
 *
 * Results live in the arena given; strings of the target in them are escaped.
 */
#ifndef PYO3_GDB_CPYTHON_H
#define PYO3_GDB_CPYTHON_H

#include <pyo3-gdb/target.h>
#include <pyo3-gdb/text.h>

/* Limits on what a damaged or hostile interpreter can make us do. */
enum {
	P3_PY_MAX_INTERPRETERS = 1000,
	P3_PY_MAX_FRAMES = 500000, /* of all threads */
	P3_PY_MAX_DEPTH = 3,	   /* containers shown within containers */
	P3_PY_MAX_ITEMS = 50,	   /* shown of one container */
	P3_PY_MAX_TEXT = 200,	   /* characters shown of one string, as gdb's print elements */
	P3_PY_MAX_OUTPUT = 2000,   /* bytes shown of one object */
};

struct p3_layout; /* where things are in one CPython version: cpython/layout.def */
struct p3_py_code;

/* One interpreter runtime of the process. */
struct p3_py {
	struct p3_target *target;
	struct p3_arena *arena;
	const struct p3_layout *layout; /* NULL: the version is not supported */
	uint64_t runtime;		/* address of _PyRuntime */
	uint64_t bias;			/* of the module that has it */
	uint8_t major, minor, micro;
	char version[32]; /* "3.13.0" */
	bool free_threaded, debug;
	bool finalizing;       /* Py_Finalize() has begun */
	bool by_dwarf;	       /* its structs are laid out as its own DWARF says */
	const char *absent;    /* why there are no Python frames; NULL: there are */
	struct p3_map *codes;  /* address of a code object -> struct p3_py_code */
	struct p3_map *types;  /* address of a type -> what is known of it */
	struct p3_map *tables; /* address of a line table -> its bytes */
	size_t frames;	       /* read at this stop, of all threads */
	/* Add what else is known of an instance: of one that Rust made. NULL: nothing is. */
	void (*instance)(void *context, struct p3_py *py, uint64_t object, struct p3_text *text);
	void *instance_context;
};

/*
 * Look at the runtime in `module`, which has facts with py_runtime set. A
 * version that is not supported is no error: it is in `absent`.
 */
struct p3_error *p3_py_open(struct p3_target *target, struct p3_arena *arena,
			    const struct p3_module *module, struct p3_py *ret) P3_MUST_CHECK;

/* One Python frame; innermost first in its segment. */
struct p3_py_frame {
	uint64_t address; /* of the _PyInterpreterFrame; to 3.10, PyFrameObject */
	const struct p3_py_code *code;
	const char *function; /* qualified name: "Counter.bump" */
	const char *name;     /* its last part, as tracebacks of 3.10 have it */
	const char *file;
	uint32_t line; /* 0: unknown */
};

/* The Python frames that one call of the interpreter's loop runs; to 3.10, always one. */
struct p3_py_segment {
	/* An address within that call's native frame: the entry frame (3.12+) or
	 * _PyCFrame (3.11) that the loop keeps on the C stack. 0: there is none (to 3.10). */
	uint64_t key;
	P3_LIST(struct p3_py_frame);
};

enum p3_gil {
	P3_GIL_UNKNOWN,
	P3_GIL_HOLDS,
	P3_GIL_WAITS,
	P3_GIL_NONE,
};

/* "holds", "waits", "none"; NULL for unknown. */
const char *p3_gil_name(enum p3_gil gil);

/* Of a thread state, 3.13+: what a thread of a free-threaded build is, in place of the GIL. */
enum p3_attached {
	P3_ATTACHED_UNKNOWN,
	P3_DETACHED,
	P3_ATTACHED,
	P3_SUSPENDED, /* another thread has stopped the world */
	P3_SHUTTING_DOWN,
};

/* "attached", ...; NULL for unknown. */
const char *p3_attached_name(enum p3_attached attached);

/* One PyThreadState. */
/* Of the thread that has asked all others to stop (free-threaded). */
enum p3_world {
	P3_WORLD_NONE, /* it has not */
	P3_WORLD_STOPPING,
	P3_WORLD_STOPPED,
};

struct p3_py_thread {
	uint64_t address;
	int64_t interpreter;  /* its id */
	int64_t lwp;	      /* kernel id; 0: unknown */
	uint64_t pointer;     /* pthread_self() */
	const char *name;     /* threading.Thread.name; NULL: none */
	uint64_t gil_address; /* of the GIL of its interpreter; 0: unknown */
	enum p3_gil gil;      /* HOLDS or NONE: who waits, only native frames tell, to 3.14 */
	enum p3_attached attached;
	enum p3_world world;
	bool collecting; /* garbage is being collected in its interpreter */
	bool finalizing; /* it is in Py_Finalize() */
	P3_LIST(struct p3_py_segment);
	const char *incomplete; /* why the frames end early; NULL: they do not */
};

struct p3_py_threads {
	P3_LIST(struct p3_py_thread);
	const char *incomplete;
};

/* All thread states of all interpreters, newest first, without their frames. */
struct p3_error *p3_py_threads(struct p3_py *py, struct p3_py_threads *ret) P3_MUST_CHECK;
/* Is the thread in a critical section of the PyMutex at this address (free-threaded)? */
bool p3_py_in_critical_section(struct p3_py *py, const struct p3_py_thread *thread, uint64_t mutex);
/* "list at 0x7f...": the object whose PyMutex this is; NULL: none. */
const char *p3_py_mutex_object(struct p3_py *py, uint64_t mutex);
/* Read the frames of one thread state into its segments. Damage ends up in `incomplete`. */
void p3_py_frames(struct p3_py *py, struct p3_py_thread *thread);

/* An exception, and its traceback: outermost frame first. */
struct p3_py_exception {
	uint64_t object;
	const char *how;	/* "on its way", "being handled", "its cause" ... */
	const char *text;	/* "ValueError('no')" */
	const char *incomplete; /* why the traceback ends early; NULL: it does not */
	P3_LIST(struct p3_py_frame);
};

/* The pending exception, then those being handled, each followed by what led to it. */
struct p3_py_exceptions {
	P3_LIST(struct p3_py_exception);
	const char *incomplete;
};

void p3_py_exceptions(struct p3_py *py, const struct p3_py_thread *thread,
		      struct p3_py_exceptions *ret);

/* Arguments and locals of a frame, as Python's f_locals has them. */
struct p3_error *p3_py_locals(struct p3_py *py, const struct p3_py_frame *frame,
			      unsigned int wanted, struct p3_variable_list *ret) P3_MUST_CHECK;

/* What a name is bound to among the frame's globals and builtins; *kind_ret says which. 0:
 * nothing. */
uint64_t p3_py_global_object(struct p3_py *py, const struct p3_py_frame *frame, const char *name,
			     const char **kind_ret);

/*
 * The callable made from the C function that starts at `entry`, which this frame is
 * calling; what Python calls it is added: "demo.Counter.add". Found among the callables on the
 * frame's own stack by its address, so that renamed functions have their right name. 0: not
 * there.
 */
uint64_t p3_py_callee(struct p3_py *py, const struct p3_py_frame *frame, uint64_t entry,
		      struct p3_text *ret);
/* Is the object, or a method bound to it, on the frame's stack: part of the call it makes? */
bool p3_py_has_operand(struct p3_py *py, const struct p3_py_frame *frame, uint64_t object);

/* The class of an object; 0: it cannot be read. */
uint64_t p3_py_type_of(struct p3_py *py, uint64_t object);
/* Is a class, or one of those it is derived from by its first base, called so, with or without
 * its module? */
bool p3_py_is_subclass(struct p3_py *py, uint64_t type, const char *name);
/* Is it an instance of BaseException? */
bool p3_py_is_exception(struct p3_py *py, uint64_t object);
/* Add the name of a class: "pydantic_core.Url". */
struct p3_error *p3_py_type_name(struct p3_py *py, uint64_t type,
				 struct p3_text *ret) P3_MUST_CHECK;
/* A str as UTF-8, escaped; the text is "?" when it cannot be read. */
const char *p3_py_string(struct p3_py *py, uint64_t object);

/* An instance of a class that Rust has made, #[pyclass], or of one derived from it. */
struct p3_py_pyclass {
	uint64_t type;
	uint64_t contents;    /* where the struct of the class is that has the flag */
	uint64_t own;	      /* where that of the class itself is, or of the nearest of Rust's */
	uint64_t own_end;     /* it ends before this */
	uint64_t deallocator; /* tp_dealloc of that: generic over the struct */
	bool has_flag;	      /* else it is `frozen`, or not laid out as known */
	uint64_t flag_address;
	uint64_t flag; /* 0: free; n: borrowed n times; P3_BORROWED_MUT */
};
#define P3_BORROWED_MUT UINT64_MAX
/* tp_dealloc of the object's class and its bases: where the modules are that made them. */
size_t p3_py_deallocators(struct p3_py *py, uint64_t object, uint64_t *ret, size_t room);
/* false: the object is none. It may be any word: what does not fit is refused. The facts of the
 * modules of p3_py_deallocators() must be known. */
bool p3_py_pyclass(struct p3_py *py, uint64_t object, const struct p3_modules *modules,
		   struct p3_py_pyclass *ret);

/*
 * What Python calls the C functions within [start, end), an extension's: address of the function
 * -> its name, "pydantic_core.Url.host", as const char *. From the tables of methods,
 * attributes and slots of the modules and classes that it has made, in all interpreters: the
 * names of a stripped file. NULL: the function has several.
 */
void p3_py_natives(struct p3_py *py, uint64_t start, uint64_t end, struct p3_map *ret);

/* C functions of an extension. */
struct p3_py_entry {
	uint64_t address;
	uint64_t definition; /* its PyMethodDef; 0: it has none */
};
struct p3_py_entries {
	P3_LIST(struct p3_py_entry);
};
/*
 * Add those that Python calls `name` in the extension within [start, end), as above. Functions that
 * several names share, PyO3's own, are among them only if there are no others.
 */
void p3_py_native_entries(struct p3_py *py, uint64_t start, uint64_t end, const char *name,
			  struct p3_py_entries *ret);
/* Every name that Python has for functions there; one may be there twice. */
struct p3_py_names {
	P3_LIST(const char *);
};
void p3_py_native_names(struct p3_py *py, uint64_t start, uint64_t end, struct p3_py_names *ret);
/* The same as p3_py_native_entries() of a PyMethodDef that a function is being made of. */
void p3_py_definition_entries(struct p3_py *py, uint64_t definition, const char *name,
			      struct p3_py_entries *ret);
/* The same of a PyType_Spec that a class is being made of. */
void p3_py_spec_entries(struct p3_py *py, uint64_t spec, const struct p3_modules *modules,
			const char *name, struct p3_py_entries *ret);
/* May `wanted`, as a user writes it, be what is called `known`? The last parts are equal, and of
 * those before, modules may be left out of either: "Url.host" is "pydantic_core._pydantic.Url.host". */
bool p3_py_same_name(const char *known, const char *wanted);
/*
 * The lock of Python's threading that the frame is calling: by what is on its stack. 0: there is none. *recursive_ret: it is an RLock.
 */
uint64_t p3_py_lock(struct p3_py *py, const struct p3_py_frame *frame, bool *recursive_ret);
/* The module whose import lock (_ModuleLock of importlib) the frame waits for, and pthread_self() of
 * the thread that imports it; NULL: it waits for none. */
const char *p3_py_import_lock(struct p3_py *py, const struct p3_py_frame *frame,
			      uint64_t *owner_ret);
/* pthread_self() of the thread that owns an RLock; 0: none does. `pointers`: those of all
 * threads, to know one by. */
uint64_t p3_py_lock_owner(struct p3_py *py, uint64_t lock, const uint64_t *pointers, size_t count);
/* Is the frame in a `with` block of this object? Its __exit__ waits on the frame's stack. */
bool p3_py_is_within(struct p3_py *py, const struct p3_py_frame *frame, uint64_t object);
/* An object of this static type on the frame's own stack; 0: none. */
uint64_t p3_py_operand(struct p3_py *py, const struct p3_py_frame *frame, const char *type);

/*
 * Add the object's repr, as far as reading memory can tell; bounded by the
 * limits above. `attributes`: those of an instance, too (not of what it holds).
 * *aggregate_ret: it is a container with something in it.
 */
void p3_py_format(struct p3_py *py, uint64_t object, bool attributes, struct p3_text *ret,
		  bool *aggregate_ret);

/*
 * The same as CPython's own python-gdb.py has it: "<Foo(x=1) at remote 0x...>", cut
 * after `limit` characters. For `py-bt` and the like, which people's scripts read.
 */
void p3_py_format_remote(struct p3_py *py, uint64_t object, size_t limit, struct p3_text *ret);

#endif
