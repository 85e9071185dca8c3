/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The Rust struct in an instance of a #[pyclass]. Which one it is tells the class's tp_dealloc: a
 * generic function of PyO3's whose argument it is (src/impl_/pyclass.rs, tp_dealloc<T>,
 * tp_dealloc_with_gc<T>; 0.20 to 0.30). Debug information has that, in any build that has types.
 */
#include "stack_private.h"

#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <stdio.h>

enum { MAX_CLASSES = 16 };

struct context {
	struct p3_session *session;
	struct p3_snapshot *snapshot;
};

static void write_object(void *context, uint64_t address, struct p3_text *text)
{
	bool aggregate;

	/* Without its attributes: an object may have itself in its struct. */
	if (address)
		p3_py_format(context, address, false, text, &aggregate);
	else
		p3_text_add(text, "NULL");
}

static void add_borrows(const struct p3_py_pyclass *pyclass, const struct p3_type *type,
			struct p3_text *text)
{
	/* What is within the struct is no flag: the class is `frozen`. */
	if (!pyclass->has_flag || !pyclass->flag ||
	    (type && pyclass->own == pyclass->contents &&
	     pyclass->flag_address < pyclass->own + type->size))
		return;
	if (pyclass->flag == P3_BORROWED_MUT)
		p3_text_add(text, ", borrowed mutably");
	else
		p3_text_printf(text, ", borrowed %" PRIu64 " time%s", pyclass->flag,
			       pyclass->flag == 1 ? "" : "s");
}

static void add_instance(void *opaque, struct p3_py *py, uint64_t object, struct p3_text *text)
{
	const struct context *context = opaque;
	const struct p3_modules *modules = &context->snapshot->modules;
	uint64_t deallocators[MAX_CLASSES];
	size_t count = p3_py_deallocators(py, object, deallocators, MAX_CLASSES), i;
	const struct p3_module *module = NULL;
	struct p3_py_pyclass pyclass;
	const struct p3_type *type;
	struct p3_value value;
	struct p3_writer writer = {
		.target = p3_session_target(context->session),
		.text = text,
		.object = write_object,
		.context = py,
	};

	for (i = 0; i < count; i++) {
		module = p3_modules_at(modules, deallocators[i]);
		if (module)
			(void)p3_session_facts(context->session, (struct p3_module *)module);
	}
	if (!p3_py_pyclass(py, object, modules, &pyclass))
		return;
	type = p3_native_parameter(p3_session_native(context->session), writer.target, modules,
				   pyclass.deallocator, "T");
	if (type && type->size <= pyclass.own_end - pyclass.own) {
		module = p3_modules_at(modules, pyclass.deallocator);
		(void)sscanf(module->facts->rustc, "1.%u.", &writer.rustc_minor);
		value = p3_value_at(type, pyclass.own);
		p3_text_add(text, ": ");
		p3_rust_write(&writer, &value, true);
	}
	add_borrows(&pyclass, type, text);
}

void p3_session_use_pyclasses(struct p3_session *session, struct p3_snapshot *snapshot,
			      struct p3_py *py)
{
	struct context *context =
		p3_arena_take(p3_target_arena(p3_session_target(session)), sizeof(*context));

	*context = (struct context){ session, snapshot };
	py->instance = add_instance;
	py->instance_context = context;
}
