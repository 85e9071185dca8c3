/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Variables, types and values, from DWARF: what a frame has in scope, where it
 * is, and what its bytes mean. How a value is written is for the reader of its language.
 *
 * Types belong to their file and live as long. Values are small and copied; their
 * bytes are in the target's memory, or in the arena that was given.
 */
#ifndef PYO3_GDB_VALUE_H
#define PYO3_GDB_VALUE_H

#include <pyo3-gdb/elf.h>
#include <pyo3-gdb/text.h>

enum {
	P3_VALUE_MAX_MEMBERS = 1000,  /* of one type */
	P3_VALUE_MAX_BYTES = 1 << 16, /* of a value that is not in memory */
};

enum p3_type_kind {
	P3_TYPE_UNKNOWN, /* not described, or of a form not known here */
	P3_TYPE_VOID,
	P3_TYPE_BOOL,
	P3_TYPE_CHARACTER, /* Rust's char (4 bytes), C's (1) */
	P3_TYPE_SIGNED,
	P3_TYPE_UNSIGNED,
	P3_TYPE_FLOAT,
	P3_TYPE_POINTER, /* and references: the name tells in Rust */
	P3_TYPE_STRUCT,	 /* with members; or with variants, a Rust enum */
	P3_TYPE_UNION,
	P3_TYPE_ENUM, /* names for numbers */
	P3_TYPE_ARRAY,
	P3_TYPE_FUNCTION,
};

struct p3_type;

struct p3_member {
	const char *name; /* NULL: anonymous */
	const struct p3_type *type;
	uint64_t offset;
};

struct p3_variant {
	bool is_default;    /* for all numbers that no other variant has */
	uint64_t low, high; /* of the discriminant, both included */
	struct p3_member member;
};

struct p3_enumerator {
	const char *name;
	int64_t value;
};

struct p3_type {
	enum p3_type_kind kind;
	const char *name; /* qualified: "alloc::vec::Vec<u8, alloc::alloc::Global>"; NULL: none */
	uint64_t size;	  /* bytes; 0: none, or not known */
	uint64_t count;	  /* of an array */
};

/* Of a struct or union; empty for other types. */
struct p3_members {
	P3_LIST(struct p3_member);
};
const struct p3_members *p3_type_members(const struct p3_type *type);
/* A member by name; NULL: there is none. */
const struct p3_member *p3_type_member(const struct p3_type *type, const char *name);

/* Of a Rust enum with data; count 0: it is none. */
struct p3_variants {
	P3_LIST(struct p3_variant);
	struct p3_member discriminant; /* type NULL: there is one variant only */
};
const struct p3_variants *p3_type_variants(const struct p3_type *type);

/* Of P3_TYPE_ENUM. */
struct p3_enumerators {
	P3_LIST(struct p3_enumerator);
};
const struct p3_enumerators *p3_type_enumerators(const struct p3_type *type);

/* What a pointer points at, an array consists of; NULL: none, or not described. */
const struct p3_type *p3_type_target(const struct p3_type *type);
/* A generic argument by its parameter's name: "T" of Vec<T>; NULL: none. */
const struct p3_type *p3_type_parameter(const struct p3_type *type, const char *name);

/* A generic argument of the function at this link-time pc: "T" of tp_dealloc<T>; NULL: none. */
const struct p3_type *p3_file_parameter(struct p3_file *file, uint64_t pc, const char *name);

/* ---- values ---- */

struct p3_value {
	const struct p3_type *type;
	uint64_t address;     /* in the target; if bytes is NULL */
	const uint8_t *bytes; /* in registers, pieces, or a constant */
	const uint8_t *known; /* of each byte: 0 if it was optimized out; NULL: all are there */
};

/* Its bytes from `offset` on. P3_MISSING: (some are) optimized out; P3_FAULT. */
struct p3_error *p3_value_read(struct p3_target *target, const struct p3_value *value,
			       uint64_t offset, void *buffer, size_t size) P3_MUST_CHECK;
/* A scalar of at most 8 bytes, extended by its sign. */
struct p3_error *p3_value_number(struct p3_target *target, const struct p3_value *value,
				 uint64_t *ret) P3_MUST_CHECK;
/* The part that is this member. */
struct p3_value p3_value_member(const struct p3_value *value, const struct p3_member *member);
/* What a value in memory of this type at this address is. */
struct p3_value p3_value_at(const struct p3_type *type, uint64_t address);

/* ---- writing ---- */

enum {
	P3_VALUE_MAX_DEPTH = 4,	    /* values shown within values */
	P3_VALUE_MAX_ITEMS = 50,    /* of a container */
	P3_VALUE_MAX_TEXT = 200,    /* bytes of a string, as gdb's print elements */
	P3_VALUE_MAX_OUTPUT = 2000, /* bytes of text of one value */
};

/* What the readers of both languages need to write a value. */
struct p3_writer {
	struct p3_target *target;
	struct p3_text *text;
	/* Add the text of the Python object at this address; NULL: there is no Python. */
	void (*object)(void *context, uint64_t address, struct p3_text *text);
	/* Name what is at this address of a module; NULL: nothing known. May be NULL. */
	const char *(*symbol)(void *context, uint64_t address);
	void *context;
	unsigned int rustc_minor; /* 95 of rustc 1.95.0, which made the module; 0: unknown */
};

/*
 * Add a number, bool, character, name of an enum, or a pointer as an address. False: it
 * is none of these. What is absent is added as "<optimized out>" or "<unreadable>".
 */
bool p3_write_scalar(const struct p3_writer *writer, const struct p3_value *value);
/* Add why something cannot be shown, and free the error. */
void p3_write_absent(const struct p3_writer *writer, struct p3_error *error);
/* Add up to P3_VALUE_MAX_TEXT bytes of memory as a quoted string of `size` bytes. */
void p3_write_string(const struct p3_writer *writer, uint64_t address, uint64_t size);

/* ---- variables ---- */

/* The state of a physical frame, by DWARF register numbers. */
struct p3_frame_state {
	const struct p3_module *module; /* that pc is in */
	struct p3_file *file;		/* of the module */
	uint64_t pc;			/* run-time; where it goes on */
	bool exact;			/* pc is where it stopped, no return address */
	uint64_t cfa;
	uint64_t registers[P3_REGISTERS];
	uint64_t known; /* bit n: register n has its value in this frame */
};

struct p3_frame_variable {
	const char *name;
	bool argument;
	struct p3_value value; /* type NULL: it has none that is described */
	const char *absent;    /* why there is no value: "optimized out"; NULL: there is */
};

struct p3_frame_variables {
	P3_LIST(struct p3_frame_variable);
};

/*
 * What is in scope at the frame's pc: of the function itself, or of the function inlined
 * into it that p3_file_places() has as number `place`. `caller`, or NULL, is the state
 * of the physical frame that called, for values that a call site knows. Innermost block
 * first; one that hides another comes first.
 */
struct p3_error *p3_file_variables(struct p3_target *target, struct p3_arena *arena,
				   const struct p3_frame_state *state,
				   const struct p3_frame_state *caller, size_t place,
				   bool arguments, bool locals,
				   struct p3_frame_variables *ret) P3_MUST_CHECK;

#endif
