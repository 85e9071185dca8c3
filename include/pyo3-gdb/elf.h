/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ELF files. The files are as untrusted as the process: they may be damaged,
 * or made to look like something else.
 */
#ifndef PYO3_GDB_ELF_H
#define PYO3_GDB_ELF_H

#include <pyo3-gdb/target.h>

/*
 * One look at a module's file: sections, dynamic symbols, .comment; no DWARF is
 * read. `debug_path`, or NULL, is a separate debug file that belongs to it.
 * P3_MISSING: no such file; P3_BAD_DATA: no ELF file.
 */
struct p3_error *p3_elf_facts(const char *path, const char *debug_path,
			      struct p3_file_facts *ret) P3_MUST_CHECK;

/* What a file has at a link-time address, before the process changes it. */
struct p3_error *p3_elf_bytes(const char *path, uint64_t address, void *ret,
			      size_t size) P3_MUST_CHECK;

/* ---- an open file, for the session; mapped, and read where it is asked about ---- */

struct p3_file;

/* P3_MISSING, P3_BAD_DATA as above. A debug file that cannot be read is left out. */
struct p3_error *p3_file_open(const char *path, const char *debug_path,
			      struct p3_file **ret) P3_MUST_CHECK;
/* An image in memory, the vdso's; it must outlive the file. */
struct p3_error *p3_file_open_image(void *image, size_t size, struct p3_file **ret) P3_MUST_CHECK;
void p3_file_close(struct p3_file *file);
/* EM_X86_64, EM_AARCH64 ... of elf.h */
int p3_file_machine(const struct p3_file *file);

/* ---- members of C's structs ---- */

struct p3_wanted_member {
	const char *type;   /* of a struct or typedef: "PyCodeObject" */
	const char *member; /* "ceval.gil"; "": the size of the type */
	bool found;
	uint32_t offset; /* bytes from the start of the struct */
};

/* Look all of them up in the file's DWARF. Not remembered: some 50 ms for an interpreter. */
void p3_file_members(struct p3_file *file, struct p3_wanted_member *wanted, size_t count);

/* ---- call frame information ---- */

enum {
	P3_REGISTERS = 34, /* DWARF register numbers that are followed */
	P3_CFA_OPERATIONS = 24,
};

enum p3_rule_kind {
	P3_RULE_SAME,	    /* the caller's value is still in it */
	P3_RULE_UNDEFINED,  /* lost */
	P3_RULE_MEMORY,	    /* saved at CFA + offset */
	P3_RULE_VALUE,	    /* is CFA + offset */
	P3_RULE_REGISTER,   /* is in register `offset` */
	P3_RULE_EXPRESSION, /* saved where an expression says; only signal frames */
};

struct p3_rule {
	enum p3_rule_kind kind;
	int32_t offset;
};

struct p3_operation {
	uint8_t code; /* DW_OP_* */
	int64_t number, number2;
};

/* A DWARF expression over registers and memory. */
struct p3_expression {
	uint8_t count;
	struct p3_operation operations[P3_CFA_OPERATIONS];
};

/* How to get from a frame at one pc to its caller. */
struct p3_cfi_row {
	bool usable;	      /* false: no CFI, or of a form not known here */
	bool signal;	      /* a signal frame: the caller's pc is exact, no return address */
	int32_t cfa_register; /* -1: by the expression */
	int64_t cfa_offset;
	struct p3_expression *cfa;
	uint8_t return_register;
	struct p3_rule rules[P3_REGISTERS];
	struct p3_expression *expressions[P3_REGISTERS]; /* of P3_RULE_EXPRESSION */
};

/* The row for a link-time pc, decoded once; lives as long as the file. */
const struct p3_cfi_row *p3_file_cfi(struct p3_file *file, uint64_t pc);

/*
 * The value of an expression: a stack machine over `registers` and the CFA, if it
 * is known already. Reads memory of the target. P3_UNSUPPORTED: an operation not
 * known; P3_BAD_DATA: the stack runs over or under.
 */
struct p3_error *p3_expression_value(const struct p3_expression *expression,
				     struct p3_target *target, const uint64_t *registers,
				     uint64_t cfa, uint64_t *ret) P3_MUST_CHECK;

/* ---- functions and lines ---- */

/* What the source says of one pc: the function, or one inlined into another there. */
struct p3_place {
	const char *name;   /* qualified, with generic arguments; NULL: none */
	const char *file;   /* as the compiler was given it; NULL: no line */
	const char *folder; /* where the compiler ran, which a relative file is in; NULL */
	uint32_t line;
	bool inlined;
};

struct p3_places {
	P3_LIST(struct p3_place); /* innermost first; the last is the function itself */
	const char *language;	  /* "rust", "c", "c++"; NULL: unknown */
	bool at_inline_start;	  /* pc is the first of the innermost inlined function */
	uint64_t entry;		  /* of the function; 0: not known */
	bool from_dwarf;
	bool split; /* its unit's DWARF is in a .dwo or .dwp file, which is not read */
};

/* Where the mapping of the file's code starts, link-time; 0: it has none. */
uint64_t p3_file_code_start(struct p3_file *file);
/* The link-time address of what is at an offset of the file; the offset if it is not loaded. */
uint64_t p3_file_address(struct p3_file *file, uint64_t offset);

/* A function symbol; link-time addresses. */
struct p3_symbol {
	uint64_t start, size;
	const char *name; /* as it stands there, mangled or not */
	uint64_t rank;	  /* of several at one address, gdb takes the one with the highest */
};
/* All of them, of the file and its debug file, by address. */
const struct p3_symbol *p3_file_functions(struct p3_file *file, size_t *count_ret);

/* Where the function symbol of this name starts; 0: there is none. */
uint64_t p3_file_symbol_address(struct p3_file *file, const char *name);

/* The variable that a link-time address is in, and how far; NULL: none has a symbol. */
const char *p3_file_object(struct p3_file *file, uint64_t address, uint64_t *offset_ret);

/* The name of the function symbol that starts at a link-time address; NULL: none does. */
const char *p3_file_symbol_at(struct p3_file *file, uint64_t address);

/* Is this link-time pc in a linkage stub? gdb names these after what they lead to. */
bool p3_file_in_plt(struct p3_file *file, uint64_t pc);

/*
 * Its DWARF is compressed, large, and not unpacked yet: what needs it will take some
 * 100 ms for 20 MB, and as much memory. Debian's and Fedora's debug files are.
 */
bool p3_file_is_packed(const struct p3_file *file);
/*
 * Can the call that returns to `pc` have led to `callee` in the same file without a
 * tail call, or to nothing that could be known? By its instruction alone; false: call
 * sites may tell more.
 */
bool p3_file_is_plain_call(struct p3_file *file, uint64_t pc, uint64_t callee);

/* By DWARF, else by ELF symbols, else empty. Looked up once for a pc. */
const struct p3_places *p3_file_places(struct p3_file *file, uint64_t pc);
/* The same by ELF symbols only. */
const struct p3_places *p3_file_symbol_places(struct p3_file *file, uint64_t pc);

/*
 * The tail calls that led from a call in `file` returning to `pc` to the function
 * that starts at `callee` in `callee_file`: innermost first, link-time pcs of
 * callee_file, where they are certain. As gdb's call_site_find_chain()
 * (gdb/dwarf2/loc.c), from call sites.
 */
struct p3_pcs {
	P3_LIST(uint64_t);
};
const struct p3_pcs *p3_file_tail_calls(struct p3_file *file, uint64_t pc,
					struct p3_file *callee_file, uint64_t callee);

#endif
