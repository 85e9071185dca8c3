/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stacks as JSON; the shape is documented in stack.schema.json. */
#include <pyo3-gdb/render.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void done_json(json_t **json)
{
	json_decref(*json);
}

static json_t *string_or_null(const char *string)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	if (!string)
		return json_null();
	p3_text_add_safe(&text, string, strlen(string), 0);
	return json_string(p3_text_string(&text));
}

/* Numbers above 2^53 are not safe in JSON: addresses are strings. */
static json_t *address_or_null(uint64_t address)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return address ? json_string(text) : json_null();
}

static json_t *integer_or_null(bool known, int64_t value)
{
	return known ? json_integer(value) : json_null();
}

static json_t *render_variables(const struct p3_frame *frame, bool arguments)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < frame->variables.count; i++) {
		const struct p3_variable *variable = &frame->variables.items[i];
		json_t *object;

		if (variable->argument != arguments)
			continue;
		object = json_object();
		/* "**kwargs" is for people */
		json_object_set_new(object, "name",
				    string_or_null(variable->name + strspn(variable->name, "*")));
		json_object_set_new(object, "value", string_or_null(variable->value));
		json_object_set_new(object, "absent", string_or_null(variable->absent));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *render_frame(const struct p3_frame *frame, bool full)
{
	json_t *object = json_object();

	json_object_set_new(object, "level", integer_or_null(frame->has_level, frame->level));
	json_object_set_new(object, "sub", json_integer(frame->sub));
	json_object_set_new(object, "language", string_or_null(frame->language));
	json_object_set_new(object, "role", json_string(p3_role_name(frame->role)));
	json_object_set_new(object, "function", string_or_null(frame->function));
	json_object_set_new(object, "python_name", string_or_null(frame->python_name));
	json_object_set_new(object, "file", string_or_null(frame->file));
	json_object_set_new(object, "line", integer_or_null(frame->line, frame->line));
	json_object_set_new(object, "pc", address_or_null(frame->pc));
	json_object_set_new(object, "module", string_or_null(frame->module));
	json_object_set_new(object, "inlined", json_boolean(frame->inlined));
	json_object_set_new(object, "folded", json_boolean(frame->folded));
	json_object_set_new(object, "note", string_or_null(frame->note));
	json_object_set_new(object, "args", render_variables(frame, true));
	if (full)
		json_object_set_new(object, "locals", render_variables(frame, false));
	return object;
}

static json_t *render_thread(const struct p3_stack *stack, const struct p3_range *range, bool full)
{
	const struct p3_snapshot_thread *thread = stack->thread;
	json_t *object = json_object(), *frames = json_array();
	size_t i;

	json_object_set_new(object, "number",
			    integer_or_null(thread->thread.number, thread->thread.number));
	json_object_set_new(object, "lwp", integer_or_null(thread->thread.lwp, thread->thread.lwp));
	json_object_set_new(object, "name", string_or_null(thread->name));
	json_object_set_new(object, "gil", string_or_null(p3_gil_name(thread->gil)));
	json_object_set_new(object, "selected", json_boolean(thread->thread.selected));
	json_object_set_new(object, "ended", string_or_null(stack->ended));
	json_object_set_new(object, "python_absent", string_or_null(thread->python_absent));
	for (i = range->first; i < range->end; i++)
		json_array_append_new(frames, render_frame(&stack->items[i], full));
	json_object_set_new(object, "frames", frames);
	return object;
}

static json_t *render_module(const struct p3_module *module)
{
	const struct p3_file_facts *facts = module->facts;
	json_t *object = json_object();

	json_object_set_new(object, "path",
			    string_or_null(module->path ? module->path : module->name));
	json_object_set_new(object, "tier", json_string(p3_tier_name(facts->tier)));
	json_object_set_new(object, "rustc", string_or_null(*facts->rustc ? facts->rustc : NULL));
	json_object_set_new(object, "pyo3", string_or_null(*facts->pyo3 ? facts->pyo3 : NULL));
	return object;
}

static void dump_json(json_t *root, struct p3_text *ret)
{
	char *dump = json_dumps(root, JSON_INDENT(1));

	if (!dump)
		abort();
	p3_text_add(ret, dump);
	p3_text_add(ret, "\n");
	free(dump);
}

void p3_render_json(const struct p3_snapshot *snapshot, const struct p3_stack *stacks,
		    const struct p3_range *ranges, size_t count, bool full, struct p3_text *ret)
{
	json_t *root P3_CLEANUP(done_json) = json_object();
	json_t *array = json_array();
	size_t i;

	json_object_set_new(root, "schema", json_string("pyo3-gdb/stack/1"));
	json_object_set_new(root, "pid",
			    integer_or_null(snapshot->process.pid, snapshot->process.pid));
	for (i = 0; i < snapshot->runtimes.count; i++) {
		const struct p3_py *py = snapshot->runtimes.items[i];
		json_t *object = json_object();

		json_object_set_new(object, "version",
				    string_or_null(*py->version ? py->version : NULL));
		json_object_set_new(object, "free_threaded", json_boolean(py->free_threaded));
		json_object_set_new(object, "debug", json_boolean(py->debug));
		json_object_set_new(object, "absent", string_or_null(py->absent));
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "interpreters", array);
	array = json_array();
	for (i = 0; i < snapshot->modules.count; i++)
		if (snapshot->modules.items[i].facts && snapshot->modules.items[i].facts->rust)
			json_array_append_new(array, render_module(&snapshot->modules.items[i]));
	json_object_set_new(root, "modules", array);
	array = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(array, render_thread(&stacks[i], &ranges[i], full));
	json_object_set_new(root, "threads", array);
	json_object_set_new(root, "python_absent", string_or_null(snapshot->python_absent));
	dump_json(root, ret);
}

static json_t *render_wait(const struct p3_snapshot *snapshot, const struct p3_wait *wait)
{
	static const char *const kinds[] = {
		[P3_WAIT_NONE] = "none",   [P3_WAIT_GIL] = "gil",
		[P3_WAIT_LOCK] = "lock",   [P3_WAIT_JOIN] = "join",
		[P3_WAIT_WORLD] = "world", [P3_WAIT_CONDITION] = "condition",
		[P3_WAIT_SLEEP] = "sleep", [P3_WAIT_IO] = "io",
	};
	static const char *const certainties[] = {
		[P3_UNKNOWN] = "unknown",
		[P3_PROBABLE] = "probable",
		[P3_CERTAIN] = "certain",
	};
	bool held = wait->holder < snapshot->threads.count;
	json_t *object = json_object();

	json_object_set_new(object, "kind", json_string(kinds[wait->kind]));
	json_object_set_new(object, "what", string_or_null(wait->what));
	json_object_set_new(object, "name", string_or_null(wait->name));
	json_object_set_new(object, "where", string_or_null(wait->where));
	json_object_set_new(object, "holder",
			    held ? json_integer(snapshot->threads.items[wait->holder].thread.number)
				 : json_null());
	json_object_set_new(object, "certainty", json_string(certainties[wait->certainty]));
	json_object_set_new(object, "why", string_or_null(wait->why));
	return object;
}

void p3_render_waits(const struct p3_snapshot *snapshot, const struct p3_wait *waits,
		     const bool *deadlocked, struct p3_text *ret)
{
	json_t *root P3_CLEANUP(done_json) = json_object();
	json_t *array = json_array();
	size_t i;

	json_object_set_new(root, "schema", json_string("pyo3-gdb/waits/1"));
	for (i = 0; i < snapshot->threads.count; i++) {
		const struct p3_snapshot_thread *thread = &snapshot->threads.items[i];
		json_t *object = json_object();

		json_object_set_new(object, "number",
				    integer_or_null(thread->thread.number, thread->thread.number));
		json_object_set_new(object, "lwp",
				    integer_or_null(thread->thread.lwp, thread->thread.lwp));
		json_object_set_new(object, "name", string_or_null(thread->name));
		json_object_set_new(object, "gil", string_or_null(p3_gil_name(thread->gil)));
		json_object_set_new(object, "deadlocked", json_boolean(deadlocked[i]));
		json_object_set_new(object, "waits", render_wait(snapshot, &waits[i]));
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "threads", array);
	dump_json(root, ret);
}
