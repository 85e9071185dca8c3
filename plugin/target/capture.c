/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Captures: record a host's answers, write them as JSON, and replay them as a
 * host. Refuses (when replaying): anything that is not of the schema, sizes
 * above the limits below. A fault is recorded by leaving the memory out.
 */
#include <pyo3-gdb/target.h>
#include <pyo3-gdb/text.h>

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char SCHEMA[] = "pyo3-gdb/capture/1";

enum {
	MAX_CAPTURE = 1 << 27,	   /* bytes of JSON */
	MAX_VALUES = 4000000,	   /* objects and arrays in it: each costs much more memory */
	MAX_MEMORY = 1 << 26,	   /* bytes of memory in it */
	COMPRESS_ABOVE = 64 << 10, /* bytes of JSON */
};

/* Readable memory, sorted by address; neighbours never touch. */
struct segment {
	uint64_t address;
	size_t size;
	uint8_t *data;
};

struct segments {
	P3_LIST(struct segment);
};

struct recorded_variables {
	uint32_t level;
	struct p3_variable_list list;
};

struct recorded_thread {
	struct p3_thread thread;
	bool has_frames;
	struct p3_host_frames frames;
	P3_LIST(struct recorded_variables) variables;
};

/* All answers of one stop, recorded or to be replayed. */
struct answers {
	struct p3_arena *arena;
	struct segments memory;
	bool has_process;
	struct p3_process process;
	P3_LIST(struct recorded_thread) threads;
	struct p3_modules modules;
};

struct p3_recorder {
	struct p3_host host;
	struct answers answers;
};

struct p3_capture {
	struct answers answers;
};

static struct recorded_thread *find_thread(struct answers *answers, uint32_t number)
{
	size_t i;

	for (i = 0; i < answers->threads.count; i++)
		if (answers->threads.items[i].thread.number == number)
			return &answers->threads.items[i];
	return NULL;
}

/* ---- recording ---- */

static void copy_variables(struct p3_arena *arena, const struct p3_variable_list *from,
			   struct p3_variable_list *to)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		struct p3_variable *variable = p3_list_add(arena, to);

		*variable = from->items[i];
		variable->name = p3_arena_string(arena, variable->name);
		variable->value = p3_arena_string(arena, variable->value);
		variable->absent = p3_arena_string(arena, variable->absent);
	}
}

static struct p3_error *record_read(void *context, uint64_t address, void *buffer, size_t size)
{
	struct p3_recorder *recorder = context;
	struct segment *segment;

	P3_TRY(recorder->host.ops->read(recorder->host.context, address, buffer, size));
	segment = p3_list_add(recorder->answers.arena, &recorder->answers.memory);
	segment->address = address;
	segment->size = size;
	segment->data = (uint8_t *)p3_arena_bytes(recorder->answers.arena, buffer, size);
	return NULL;
}

static struct p3_error *record_process(void *context, struct p3_arena *arena,
				       struct p3_process *ret)
{
	struct p3_recorder *recorder = context;
	struct p3_process *process = &recorder->answers.process;

	P3_TRY(recorder->host.ops->process(recorder->host.context, arena, ret));
	arena = recorder->answers.arena;
	*process = *ret;
	process->state = p3_arena_string(arena, ret->state);
	process->executable = p3_arena_string(arena, ret->executable);
	process->host = p3_arena_string(arena, ret->host);
	process->auxv = (uint8_t *)p3_arena_bytes(arena, ret->auxv, ret->auxv_size);
	recorder->answers.has_process = true;
	return NULL;
}

static struct p3_error *record_threads(void *context, struct p3_arena *arena,
				       struct p3_thread **ret, size_t *count_ret)
{
	struct p3_recorder *recorder = context;
	struct answers *answers = &recorder->answers;
	size_t i;

	P3_TRY(recorder->host.ops->threads(recorder->host.context, arena, ret, count_ret));
	for (i = 0; i < *count_ret; i++) {
		struct recorded_thread *thread = find_thread(answers, (*ret)[i].number);

		if (!thread)
			thread = p3_list_add(answers->arena, &answers->threads);
		if (!(*ret)[i].pointer && recorder->host.ops->pointer)
			(*ret)[i].pointer = recorder->host.ops->pointer(recorder->host.context,
									(*ret)[i].number);
		thread->thread = (*ret)[i];
		thread->thread.name = p3_arena_string(answers->arena, (*ret)[i].name);
	}
	return NULL;
}

static struct p3_error *record_file(void *context, struct p3_arena *arena, const char *name,
				    const char *build_id, struct p3_host_file *ret)
{
	struct p3_recorder *recorder = context;

	/* Written from the list of modules, which has the facts. */
	return recorder->host.ops->file(recorder->host.context, arena, name, build_id, ret);
}

static struct p3_error *record_frames(void *context, struct p3_arena *arena, uint32_t number,
				      struct p3_host_frames *ret)
{
	struct p3_recorder *recorder = context;
	struct recorded_thread *thread = find_thread(&recorder->answers, number);
	size_t i;

	P3_TRY(recorder->host.ops->frames(recorder->host.context, arena, number, ret));
	if (!thread)
		return NULL;
	arena = recorder->answers.arena;
	thread->has_frames = true;
	thread->frames = (struct p3_host_frames){ 0 };
	thread->frames.ended = p3_arena_string(arena, ret->ended);
	for (i = 0; i < ret->count; i++) {
		struct p3_host_frame *frame = p3_list_add(arena, &thread->frames);

		*frame = ret->items[i];
		frame->name = p3_arena_string(arena, frame->name);
		frame->file = p3_arena_string(arena, frame->file);
		frame->language = p3_arena_string(arena, frame->language);
	}
	return NULL;
}

static struct p3_error *record_variables(void *context, struct p3_arena *arena, uint32_t number,
					 uint32_t level, unsigned int wanted,
					 struct p3_variable_list *ret)
{
	struct p3_recorder *recorder = context;
	struct recorded_thread *thread = find_thread(&recorder->answers, number);
	struct recorded_variables *variables;

	P3_TRY(recorder->host.ops->variables(recorder->host.context, arena, number, level, wanted,
					     ret));
	if (!thread)
		return NULL;
	variables = p3_list_add(recorder->answers.arena, &thread->variables);
	variables->level = level;
	copy_variables(recorder->answers.arena, ret, &variables->list);
	return NULL;
}

static bool record_interrupted(void *context)
{
	struct p3_recorder *recorder = context;

	return recorder->host.ops->interrupted &&
	       recorder->host.ops->interrupted(recorder->host.context);
}

static const struct p3_host_ops recorder_ops = {
	.interrupted = record_interrupted,
	.read = record_read,
	.process = record_process,
	.threads = record_threads,
	.file = record_file,
	.frames = record_frames,
	.variables = record_variables,
};

struct p3_recorder *p3_recorder_new(struct p3_host host)
{
	struct p3_recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		abort();
	recorder->host = host;
	recorder->answers.arena = p3_arena_new();
	return recorder;
}

void p3_recorder_free(struct p3_recorder *recorder)
{
	if (!recorder)
		return;
	p3_arena_free(recorder->answers.arena);
	free(recorder);
}

void p3_recorder_done(struct p3_recorder **recorder)
{
	p3_recorder_free(*recorder);
}

struct p3_host p3_recorder_host(struct p3_recorder *recorder)
{
	return (struct p3_host){ &recorder_ops, recorder };
}

/* ---- segments ---- */

static int compare_segments(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	return a->address < b->address ? -1 : a->address > b->address;
}

/* Sort, and join what overlaps or touches. */
static void join_segments(struct p3_arena *arena, struct segments *segments)
{
	struct segments joined = { 0 };
	size_t i, j;

	if (segments->count)
		qsort(segments->items, segments->count, sizeof(*segments->items), compare_segments);
	for (i = 0; i < segments->count; i = j) {
		uint64_t start = segments->items[i].address;
		uint64_t end = start + segments->items[i].size;
		struct segment *segment = p3_list_add(arena, &joined);

		for (j = i + 1; j < segments->count && segments->items[j].address <= end; j++)
			if (segments->items[j].address + segments->items[j].size > end)
				end = segments->items[j].address + segments->items[j].size;
		segment->address = start;
		segment->size = end - start;
		if (j == i + 1) {
			segment->data = segments->items[i].data;
			continue;
		}
		segment->data = p3_arena_take(arena, segment->size);
		for (; i < j; i++)
			memcpy(segment->data + (segments->items[i].address - start),
			       segments->items[i].data, segments->items[i].size);
	}
	*segments = joined;
}

/* ---- writing ---- */

static void done_json(json_t **json)
{
	json_decref(*json);
}

static void set_string(json_t *object, const char *key, const char *string)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

	if (!string)
		return;
	p3_text_add_safe(&text, string, strlen(string), 0);
	json_object_set_new(object, key, json_string(p3_text_string(&text)));
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

static void set_address(json_t *object, const char *key, uint64_t address)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	json_object_set_new(object, key, json_string(text));
}

static void set_bool(json_t *object, const char *key, bool value)
{
	if (value)
		json_object_set_new(object, key, json_true());
}

static void set_hex(json_t *object, const char *key, const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * size + 1);
	size_t i;

	if (!text)
		abort();
	for (i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * size] = 0;
	json_object_set_new(object, key, json_stringn_nocheck(text, 2 * size));
	free(text);
}

static json_t *write_variables(const struct p3_variable_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct p3_variable *variable = &list->items[i];
		json_t *object = json_object();

		set_string(object, "name", variable->name);
		set_string(object, "value", variable->value);
		set_string(object, "absent", variable->absent);
		set_bool(object, "argument", variable->argument);
		set_bool(object, "aggregate", variable->aggregate);
		if (variable->object)
			set_address(object, "object", variable->object);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *write_thread(const struct recorded_thread *thread)
{
	json_t *object = json_object(), *array = json_array();
	size_t i;

	set_integer(object, "number", thread->thread.number);
	set_integer(object, "lwp", thread->thread.lwp);
	set_address(object, "pointer", thread->thread.pointer);
	set_string(object, "name", thread->thread.name);
	set_bool(object, "selected", thread->thread.selected);
	if (!thread->has_frames) {
		json_decref(array);
		return object;
	}
	for (i = 0; i < thread->frames.count; i++) {
		const struct p3_host_frame *frame = &thread->frames.items[i];
		json_t *item = json_object();

		set_integer(item, "kind", frame->kind);
		set_address(item, "pc", frame->pc);
		set_address(item, "sp", frame->sp);
		set_string(item, "name", frame->name);
		set_string(item, "file", frame->file);
		set_integer(item, "line", frame->line);
		set_string(item, "language", frame->language);
		json_array_append_new(array, item);
	}
	json_object_set_new(object, "frames", array);
	set_string(object, "ended", thread->frames.ended);
	array = json_array();
	for (i = 0; i < thread->variables.count; i++) {
		json_t *item = json_object();

		set_integer(item, "level", thread->variables.items[i].level);
		json_object_set_new(item, "list",
				    write_variables(&thread->variables.items[i].list));
		json_array_append_new(array, item);
	}
	json_object_set_new(object, "variables", array);
	return object;
}

static json_t *write_module(const struct p3_module *module)
{
	const struct p3_file_facts *facts = module->facts;
	json_t *object = json_object();

	set_string(object, "name", module->name);
	set_string(object, "path", module->path);
	if (facts) {
		json_t *item = json_object();

		set_integer(item, "tier", facts->tier);
		set_bool(item, "rust", facts->rust);
		set_string(item, "rustc", facts->rustc);
		set_string(item, "pyo3", facts->pyo3);
		set_address(item, "low", facts->low);
		set_address(item, "high", facts->high);
		set_address(item, "py_runtime", facts->py_runtime);
		set_address(item, "py_version", facts->py_version);
		set_integer(item, "py_minor", facts->py_minor);
		set_bool(item, "py_debug", facts->py_debug);
		set_string(item, "build_id", facts->build_id);
		json_object_set_new(object, "facts", item);
	}
	return object;
}

static json_t *write_answers(const struct answers *answers, const struct p3_modules *modules)
{
	json_t *root = json_object(), *object = json_object(), *array = json_array();
	size_t i;

	set_string(root, "schema", SCHEMA);
	set_integer(object, "pid", answers->process.pid);
	set_string(object, "state", answers->process.state);
	set_string(object, "executable", answers->process.executable);
	set_string(object, "host", answers->process.host);
	set_hex(object, "auxv", answers->process.auxv, answers->process.auxv_size);
	json_object_set_new(root, "process", object);
	for (i = 0; i < modules->count; i++)
		json_array_append_new(array, write_module(&modules->items[i]));
	json_object_set_new(root, "modules", array);
	array = json_array();
	for (i = 0; i < answers->threads.count; i++)
		json_array_append_new(array, write_thread(&answers->threads.items[i]));
	json_object_set_new(root, "threads", array);
	array = json_array();
	for (i = 0; i < answers->memory.count; i++) {
		object = json_object();
		set_address(object, "address", answers->memory.items[i].address);
		set_hex(object, "data", answers->memory.items[i].data,
			answers->memory.items[i].size);
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "memory", array);
	return root;
}

struct p3_error *p3_recorder_write(struct p3_recorder *recorder, const struct p3_modules *modules,
				   const char *path)
{
	struct p3_text temporary P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	json_t *root P3_CLEANUP(done_json) = NULL;
	struct p3_error *error = NULL;
	char *dump;
	gzFile file;
	int fd;

	join_segments(recorder->answers.arena, &recorder->answers.memory);
	root = write_answers(&recorder->answers, modules);
	dump = json_dumps(root, JSON_INDENT(1) | JSON_COMPACT);
	if (!dump)
		abort();
	p3_text_printf(&temporary, "%s.XXXXXX", path);
	fd = mkstemp(temporary.data);
	if (fd < 0) {
		error = p3_error_new(P3_USAGE, "cannot write \"%s\": %s", path, strerror(errno));
		free(dump);
		return error;
	}
	/* Memory of a process can hold secrets: the owner alone may read it. */
	file = gzdopen(fd, strlen(dump) > COMPRESS_ABOVE ? "wb9" : "wbT");
	if (!file) {
		close(fd);
		error = p3_error_new(P3_USAGE, "cannot write \"%s\"", path);
	} else {
		bool written = gzputs(file, dump) >= 0;

		if (gzclose(file) != Z_OK || !written || rename(temporary.data, path) < 0)
			error = p3_error_new(P3_USAGE, "cannot write \"%s\": %s", path,
					     strerror(errno));
	}
	if (error)
		unlink(temporary.data);
	free(dump);
	return error;
}

/* ---- parsing ---- */

static uint64_t get_address(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

static int64_t get_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* A capture may have been written by anybody: its strings are as untrusted as memory. */
static const char *get_string(struct p3_arena *arena, const json_t *object, const char *key)
{
	struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return NULL;
	p3_text_add_safe(&safe, text, strlen(text), 0);
	return p3_arena_string(arena, p3_text_string(&safe));
}

static bool get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static void get_chars(const json_t *object, const char *key, char *buffer, size_t size)
{
	struct p3_text safe P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		p3_text_add_safe(&safe, text, strnlen(text, size), 0);
	snprintf(buffer, size, "%s", p3_text_string(&safe));
}

static int hex_digit(char digit)
{
	return digit >= '0' && digit <= '9'   ? digit - '0'
	       : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
					      : -1;
}

static struct p3_error *get_hex(struct p3_arena *arena, const json_t *object, const char *key,
				uint8_t **ret, size_t *size_ret)
{
	const json_t *item = json_object_get(object, key);
	const char *text = json_string_value(item);
	size_t size = json_string_length(item) / 2, i;
	uint8_t *data;

	if (!text || json_string_length(item) % 2)
		return p3_error_new(P3_BAD_DATA, "\"%s\" is no hex string", key);
	data = p3_arena_take(arena, size + 1);
	for (i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return p3_error_new(P3_BAD_DATA, "\"%s\" is no hex string", key);
		data[i] = (uint8_t)(high << 4 | low);
	}
	*ret = data;
	*size_ret = size;
	return NULL;
}

static void parse_variables(struct p3_arena *arena, const json_t *array,
			    struct p3_variable_list *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		struct p3_variable *variable;

		if (i >= P3_MAX_VARIABLES)
			return;
		variable = p3_list_add(arena, list);
		variable->name = get_string(arena, item, "name");
		if (!variable->name)
			variable->name = "?";
		variable->value = get_string(arena, item, "value");
		variable->absent = get_string(arena, item, "absent");
		if (!variable->value && !variable->absent)
			variable->absent = "not in this capture";
		variable->argument = get_bool(item, "argument");
		variable->aggregate = get_bool(item, "aggregate");
		variable->object = get_address(item, "object");
	}
}

static struct p3_error *parse_thread(struct p3_arena *arena, const json_t *object,
				     struct recorded_thread *thread)
{
	const json_t *array = json_object_get(object, "frames"), *item;
	size_t i;

	thread->thread.number = (uint32_t)get_integer(object, "number");
	thread->thread.lwp = get_integer(object, "lwp");
	thread->thread.pointer = get_address(object, "pointer");
	thread->thread.name = get_string(arena, object, "name");
	thread->thread.selected = get_bool(object, "selected");
	thread->has_frames = json_is_array(array);
	thread->frames.ended = get_string(arena, object, "ended");
	if (json_array_size(array) > P3_MAX_FRAMES)
		return p3_error_new(P3_BAD_DATA, "too many frames");
	json_array_foreach (array, i, item) {
		struct p3_host_frame *frame = p3_list_add(arena, &thread->frames);
		int64_t kind = get_integer(item, "kind");

		frame->kind = kind >= 0 && kind < P3_FRAME_OTHER ? (enum p3_frame_kind)kind
								 : P3_FRAME_OTHER;
		frame->pc = get_address(item, "pc");
		frame->sp = get_address(item, "sp");
		frame->name = get_string(arena, item, "name");
		frame->file = get_string(arena, item, "file");
		frame->line = (uint32_t)get_integer(item, "line");
		frame->language = get_string(arena, item, "language");
	}
	json_array_foreach (json_object_get(object, "variables"), i, item) {
		struct recorded_variables *variables = p3_list_add(arena, &thread->variables);

		variables->level = (uint32_t)get_integer(item, "level");
		parse_variables(arena, json_object_get(item, "list"), &variables->list);
	}
	return NULL;
}

static void parse_module(struct p3_arena *arena, const json_t *object, struct p3_module *module)
{
	const json_t *item = json_object_get(object, "facts");
	struct p3_file_facts *facts;
	int64_t tier = get_integer(item, "tier");

	module->name = get_string(arena, object, "name");
	if (!module->name)
		module->name = "?";
	module->path = get_string(arena, object, "path");
	if (!item)
		return;
	facts = p3_arena_take(arena, sizeof(*facts));
	facts->tier = tier >= 0 && tier <= P3_TIER_STRIPPED ? (enum p3_tier)tier : P3_TIER_UNKNOWN;
	facts->rust = get_bool(item, "rust");
	get_chars(item, "rustc", facts->rustc, sizeof(facts->rustc));
	get_chars(item, "pyo3", facts->pyo3, sizeof(facts->pyo3));
	facts->low = get_address(item, "low");
	facts->high = get_address(item, "high");
	facts->py_runtime = get_address(item, "py_runtime");
	facts->py_version = get_address(item, "py_version");
	facts->py_minor = (uint8_t)get_integer(item, "py_minor");
	facts->py_debug = get_bool(item, "py_debug");
	get_chars(item, "build_id", facts->build_id, sizeof(facts->build_id));
	module->facts = facts;
}

static struct p3_error *parse_answers(const json_t *root, struct answers *answers)
{
	struct p3_arena *arena = answers->arena;
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *process = json_object_get(root, "process"), *item;
	size_t i, total = 0;
	uint8_t *auxv;

	if (!schema || strcmp(schema, SCHEMA))
		return p3_error_hint(p3_error_new(P3_BAD_DATA, "its schema is not \"%s\"", SCHEMA),
				     "make one with pyo3-capture FILE");
	answers->has_process = json_is_object(process);
	answers->process.pid = get_integer(process, "pid");
	answers->process.state = get_string(arena, process, "state");
	if (!answers->process.state)
		answers->process.state = "core";
	answers->process.executable = get_string(arena, process, "executable");
	answers->process.host = get_string(arena, process, "host");
	if (!answers->process.host)
		answers->process.host = "capture";
	if (answers->has_process) {
		P3_TRY(get_hex(arena, process, "auxv", &auxv, &answers->process.auxv_size));
		answers->process.auxv = auxv;
	}
	if (json_array_size(json_object_get(root, "threads")) > P3_MAX_THREADS ||
	    json_array_size(json_object_get(root, "modules")) > P3_MAX_MODULES)
		return p3_error_new(P3_BAD_DATA, "too many threads or modules");
	json_array_foreach (json_object_get(root, "modules"), i, item)
		parse_module(arena, item, p3_list_add(arena, &answers->modules));
	json_array_foreach (json_object_get(root, "threads"), i, item)
		P3_TRY(parse_thread(arena, item, p3_list_add(arena, &answers->threads)));
	json_array_foreach (json_object_get(root, "memory"), i, item) {
		struct segment *segment = p3_list_add(arena, &answers->memory);

		segment->address = get_address(item, "address");
		P3_TRY(get_hex(arena, item, "data", &segment->data, &segment->size));
		total += segment->size;
		if (total > MAX_MEMORY || segment->address + segment->size < segment->address)
			return p3_error_new(P3_BAD_DATA, "too much memory in it");
	}
	join_segments(arena, &answers->memory);
	return NULL;
}

/* ---- replaying ---- */

static struct p3_error *replay_read(void *context, uint64_t address, void *buffer, size_t size)
{
	struct p3_capture *capture = context;
	const struct segments *memory = &capture->answers.memory;
	size_t low = 0, high = memory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct segment *segment = &memory->items[middle];

		if (address < segment->address) {
			high = middle;
		} else if (address - segment->address >= segment->size) {
			low = middle + 1;
		} else {
			uint64_t offset = address - segment->address;

			if (size > segment->size - offset)
				break;
			memcpy(buffer, segment->data + offset, size);
			return NULL;
		}
	}
	return p3_error_new(P3_FAULT, "0x%" PRIx64 " is not in the capture", address);
}

static struct p3_error *replay_process(void *context, struct p3_arena *arena,
				       struct p3_process *ret)
{
	struct p3_capture *capture = context;

	(void)arena;
	if (!capture->answers.has_process)
		return p3_error_new(P3_USAGE, "there is no process in this capture");
	*ret = capture->answers.process;
	return NULL;
}

static struct p3_error *replay_threads(void *context, struct p3_arena *arena,
				       struct p3_thread **ret, size_t *count_ret)
{
	struct p3_capture *capture = context;
	size_t i, count = capture->answers.threads.count;
	struct p3_thread *threads = p3_arena_take(arena, (count + 1) * sizeof(*threads));

	for (i = 0; i < count; i++)
		threads[i] = capture->answers.threads.items[i].thread;
	*ret = threads;
	*count_ret = count;
	return NULL;
}

static struct p3_error *replay_file(void *context, struct p3_arena *arena, const char *name,
				    const char *build_id, struct p3_host_file *ret)
{
	struct p3_capture *capture = context;
	size_t i;

	(void)arena;
	(void)build_id;
	*ret = (struct p3_host_file){ 0 };
	for (i = 0; i < capture->answers.modules.count; i++) {
		const struct p3_module *module = &capture->answers.modules.items[i];

		if (!strcmp(module->name, name)) {
			ret->path = module->path;
			ret->facts = module->facts;
		}
	}
	/* Never look at files of the machine that replays: the capture is whole. */
	if (!ret->facts)
		ret->path = NULL;
	return NULL;
}

static struct p3_error *replay_frames(void *context, struct p3_arena *arena, uint32_t number,
				      struct p3_host_frames *ret)
{
	struct p3_capture *capture = context;
	struct recorded_thread *thread = find_thread(&capture->answers, number);

	(void)arena;
	if (!thread || !thread->has_frames)
		return p3_error_new(P3_NOT_FOUND, "thread %u has no frames in this capture",
				    number);
	*ret = thread->frames;
	return NULL;
}

static struct p3_error *replay_variables(void *context, struct p3_arena *arena, uint32_t number,
					 uint32_t level, unsigned int wanted,
					 struct p3_variable_list *ret)
{
	struct p3_capture *capture = context;
	struct recorded_thread *thread = find_thread(&capture->answers, number);
	size_t i;

	(void)arena;
	(void)wanted; /* the view leaves out what it does not show */
	for (i = 0; thread && i < thread->variables.count; i++) {
		if (thread->variables.items[i].level == level) {
			*ret = thread->variables.items[i].list;
			return NULL;
		}
	}
	return p3_error_new(P3_NOT_FOUND, "not in this capture");
}

static const struct p3_host_ops capture_ops = {
	.read = replay_read,
	.process = replay_process,
	.threads = replay_threads,
	.file = replay_file,
	.frames = replay_frames,
	.variables = replay_variables,
};

/* Inflate if it is gzip, else copy. */
static struct p3_error *inflate_all(const void *data, size_t size, struct p3_text *ret)
{
	z_stream stream = { .next_in = (void *)(uintptr_t)data, .avail_in = (uInt)size };
	int status = Z_OK;

	if (size > MAX_CAPTURE)
		return p3_error_new(P3_BAD_DATA, "it is too large");
	if (size < 2 || memcmp(data, "\x1f\x8b", 2)) {
		p3_text_add_bytes(ret, data, size);
		return NULL;
	}
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		abort();
	while (status == Z_OK && ret->size <= MAX_CAPTURE) {
		char buffer[65536];

		stream.next_out = (void *)buffer;
		stream.avail_out = sizeof(buffer);
		status = inflate(&stream, Z_NO_FLUSH);
		p3_text_add_bytes(ret, buffer, sizeof(buffer) - stream.avail_out);
	}
	inflateEnd(&stream);
	if (status != Z_STREAM_END)
		return p3_error_new(P3_BAD_DATA, "its compressed data is damaged or too large");
	return NULL;
}

static bool has_too_many_values(const struct p3_text *text)
{
	size_t count = 0, i;

	for (i = 0; i < text->size; i++)
		count += text->data[i] == '{' || text->data[i] == '[';
	return count > MAX_VALUES;
}

struct p3_error *p3_capture_parse(const void *data, size_t size, struct p3_capture **ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	json_t *root P3_CLEANUP(done_json) = NULL;
	struct p3_capture *capture;
	struct p3_error *error;
	json_error_t problem;

	P3_TRY(inflate_all(data, size, &text));
	if (has_too_many_values(&text))
		return p3_error_new(P3_BAD_DATA, "it is too large");
	root = json_loadb(p3_text_string(&text), text.size, 0, &problem);
	if (!root)
		return p3_error_new(P3_BAD_DATA, "line %d: %s", problem.line, problem.text);
	capture = calloc(1, sizeof(*capture));
	if (!capture)
		abort();
	capture->answers.arena = p3_arena_new();
	error = parse_answers(root, &capture->answers);
	if (error) {
		p3_capture_close(capture);
		return error;
	}
	*ret = capture;
	return NULL;
}

struct p3_error *p3_capture_open(const char *path, struct p3_capture **ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	FILE *file = fopen(path, "rb");
	struct p3_error *error;
	char buffer[65536];
	size_t size;

	if (!file)
		return p3_error_new(P3_USAGE, "cannot read \"%s\": %s", path, strerror(errno));
	while (text.size <= MAX_CAPTURE && (size = fread(buffer, 1, sizeof(buffer), file)) > 0)
		p3_text_add_bytes(&text, buffer, size);
	fclose(file);
	error = p3_capture_parse(p3_text_string(&text), text.size, ret);
	if (error)
		return p3_error_context(error, "\"%s\" is no capture", path);
	return NULL;
}

void p3_capture_close(struct p3_capture *capture)
{
	if (!capture)
		return;
	p3_arena_free(capture->answers.arena);
	free(capture);
}

void p3_capture_done(struct p3_capture **capture)
{
	p3_capture_close(*capture);
}

struct p3_host p3_capture_host(struct p3_capture *capture)
{
	return (struct p3_host){ &capture_ops, capture };
}
