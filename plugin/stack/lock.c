/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a lock is called: a static by its symbol; one on the heap or a stack by the field that it
 * is in, seen from the variables of the user's function that waits for it; else by its address.
 */
#include "stack_private.h"

#include <pyo3-gdb/rust.h>

#include <inttypes.h>
#include <string.h>

enum {
	MAX_FRAMES = 4, /* of the user's, looked at for a variable that leads to the lock */
	MAX_VISITS = 2000,
	MAX_DEPTH = 12, /* Arc<Mutex<T>> in a struct: pointer, NonNull, ArcInner, Mutex, ... */
};

struct search {
	struct p3_target *target;
	struct p3_arena *arena;
	uint64_t lock;
	size_t visits;
};

static bool contains(const struct p3_type *type, uint64_t address, uint64_t lock)
{
	return lock >= address && lock - address < type->size;
}

static bool is_users(const struct p3_type *type)
{
	return type->name && strstr(type->name, "::") &&
	       p3_rust_role(type->name, NULL, NULL) == P3_ROLE_USER;
}

/* A field of the user's own type; those of Arc, Mutex and such tell nothing. */
static const char *add_field(struct search *search, const struct p3_type *type,
			     const struct p3_member *member, const char *path)
{
	struct p3_text name P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	if (!member->name || !is_users(type))
		return path;
	p3_rust_name(type->name, &name);
	return p3_arena_printf(search->arena, "%s.%s", p3_text_string(&name), member->name);
}

/* The innermost field of the user's on the way from this value to the lock; "": the way has none;
 * NULL: it does not lead there. */
static const char *find(struct search *search, const struct p3_value *value, const char *path,
			size_t depth)
{
	const struct p3_type *type = value->type;
	const struct p3_members *members;
	const char *found = NULL;
	struct p3_value inner;
	uint64_t pointer;
	size_t i;

	if (!type || depth > MAX_DEPTH || search->visits++ > MAX_VISITS)
		return NULL;
	if (type->kind == P3_TYPE_POINTER) {
		struct p3_error *error = p3_value_number(search->target, value, &pointer);
		const struct p3_type *target = p3_type_target(type);

		if (!error && target && pointer &&
		    (contains(target, pointer, search->lock) || target->kind == P3_TYPE_POINTER ||
		     is_users(target))) {
			inner = p3_value_at(target, pointer);
			found = find(search, &inner, path, depth + 1);
		}
		p3_error_free(error);
		return found;
	}
	members = p3_type_members(type);
	for (i = 0; i < members->count && !found; i++) {
		inner = p3_value_member(value, &members->items[i]);
		found = find(search, &inner, add_field(search, type, &members->items[i], path),
			     depth + 1);
	}
	/* It is in here, in a part that is no struct or behind no pointer. */
	if (!found && !value->bytes && contains(type, value->address, search->lock))
		found = path;
	return found;
}

static const char *find_in_frames(struct p3_session *session, const struct p3_stack *stack,
				  struct search *search)
{
	size_t i, j, frames = 0;

	for (i = 0; i < stack->count && frames < MAX_FRAMES; i++) {
		const struct p3_frame *frame = &stack->items[i];
		struct p3_frame_variables variables = { 0 };

		if (frame->py || !p3_frame_is_user(frame))
			continue;
		frames++;
		p3_session_rust_variables(session, stack, frame, &variables);
		for (j = 0; j < variables.count; j++) {
			const struct p3_frame_variable *variable = &variables.items[j];
			const char *found =
				variable->absent ? NULL : find(search, &variable->value, "", 0);

			if (found)
				return *found ? found
					      : p3_arena_printf(search->arena, "`%s`",
								variable->name);
		}
	}
	return NULL;
}

const char *p3_session_lock_name(struct p3_session *session, const struct p3_snapshot *snapshot,
				 const struct p3_stack *stack, uint64_t address)
{
	struct p3_target *target = p3_session_target(session);
	struct search search = { target, p3_target_arena(target), address, 0 };
	const struct p3_module *module = p3_modules_at(&snapshot->modules, address);
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	uint64_t offset = 0;
	const char *name;

	if (!address)
		return NULL;
	name = p3_native_object(p3_session_native(session), target, &snapshot->modules, address,
				&offset);
	if (name) {
		p3_rust_name(name, &text);
		return p3_arena_string(search.arena, p3_text_string(&text));
	}
	if (module)
		return p3_arena_printf(search.arena, "%s +0x%" PRIx64, p3_base_name(module->name),
				       address - module->bias);
	name = find_in_frames(session, stack, &search);
	return p3_arena_printf(search.arena, "%s%sat 0x%" PRIx64, name ? name : "", name ? " " : "",
			       address);
}
