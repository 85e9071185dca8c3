/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Instances of classes that Rust has made, #[pyclass]: `#[repr(C)] { base; value, borrow_checker,
 * thread_checker, dict, weakref }`. From the type alone, so that no debug information is needed.
 * Source: PyO3 src/pycell.rs (0.20), src/pycell/impl_.rs (0.22 to 0.30).
 */
#include "layout.h"

enum {
	MAX_SHARED = 4096, /* borrows at a time that are believed */
	/* of a PyTypeObject: Include/cpython/object.h, the same from 3.8 to 3.15 */
	DEALLOC = 24,  /* tp_dealloc, behind tp_name */
	WEAKLIST = 40, /* tp_weaklistoffset, behind tp_flags */
};

static uint64_t deallocator_of(struct p3_py *py, uint64_t type)
{
	return p3_py_peek(py, type + py->layout->type.name + DEALLOC, 8);
}

size_t p3_py_deallocators(struct p3_py *py, uint64_t object, uint64_t *ret, size_t room)
{
	uint64_t type = p3_py_type_of(py, object);
	size_t count;

	if (type < 4096 || type % 8 || !p3_py_is_type(py, type))
		return 0;
	for (count = 0; type && count < room; count++) {
		ret[count] = deallocator_of(py, type);
		type = p3_py_peek(py, type + py->layout->type.base, 8);
	}
	return count;
}

/* The class furthest out that is Rust's: it has the flag. 0: none is. *own_ret: the nearest. */
static uint64_t find_root(struct p3_py *py, uint64_t type, const struct p3_modules *modules,
			  uint64_t *own_ret)
{
	uint64_t root = 0;
	int i;

	for (i = 0; type && i < P3_MAX_BASES; i++) {
		const struct p3_module *module = p3_modules_at(modules, deallocator_of(py, type));

		if (module && module->facts && module->facts->rust) {
			if (!root)
				*own_ret = type;
			root = type;
		}
		type = p3_py_peek(py, type + py->layout->type.base, 8);
	}
	return root;
}

/* How large an instance of the class's base is: there what the class adds begins. */
static uint64_t base_size(struct p3_py *py, uint64_t type)
{
	uint64_t base = p3_py_peek(py, type + py->layout->type.base, 8);

	return p3_py_peek(py, base + py->layout->type.basicsize, 8);
}

static bool is_flag(uint64_t word)
{
	return word <= MAX_SHARED || word == P3_BORROWED_MUT;
}

bool p3_py_pyclass(struct p3_py *py, uint64_t object, const struct p3_modules *modules,
		   struct p3_py_pyclass *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t type = p3_py_type_of(py, object), root, own = 0, end, before;
	uint64_t places[2];
	size_t i;

	if (type < 4096 || type % 8 || !p3_py_is_type(py, type))
		return false;
	root = find_root(py, type, modules, &own);
	if (!root)
		return false;
	before = base_size(py, root);
	end = p3_py_peek(py, root + layout->type.basicsize, 8);
	places[0] = p3_py_peek(py, root + layout->type.dictoffset, 8);
	places[1] = p3_py_peek(py, root + layout->type.flags + WEAKLIST, 8);
	for (i = 0; i < 2; i++)
		if (places[i] >= before && places[i] < end)
			end = places[i];
	*ret = (struct p3_py_pyclass){
		.type = type,
		.contents = object + before,
		.own = object + base_size(py, own),
		.own_end = object + p3_py_peek(py, own + layout->type.basicsize, 8),
		.deallocator = deallocator_of(py, own),
	};
	/* `frozen` classes without fields have neither. */
	if (end % 8 || end < before + 8)
		return true;
	ret->flag_address = object + end - 8;
	ret->flag = p3_py_peek(py, ret->flag_address, 8);
	/* An `unsendable` class has the number of its thread behind the flag. */
	if (end >= before + 16 && p3_py_peek(py, object + end - 16, 8) == P3_BORROWED_MUT) {
		ret->flag_address -= 8;
		ret->flag = P3_BORROWED_MUT;
	}
	ret->has_flag = is_flag(ret->flag);
	return true;
}
