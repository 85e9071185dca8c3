/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Exceptions of a thread state: the one on its way, and those being handled; with cause,
 * context and traceback. Reads PyBaseExceptionObject, PyTracebackObject, _PyErr_StackItem.
 * Source: python/cpython Include/cpython/pyerrors.h, Include/cpython/pystate.h,
 * Lib/traceback.py for what is shown of a chain; facts/cpython.md 5.
 */
#include "layout.h"

#include <inttypes.h>
#include <string.h>

enum {
	MAX_CHAIN = 20,	   /* causes and contexts */
	MAX_HANDLED = 20,  /* exceptions being handled, one within another */
	MAX_ENTRIES = 1000 /* of a traceback */
};

static bool is_none(struct p3_py *py, uint64_t object)
{
	return !object || !strcmp(p3_py_static_type(py, object), "NoneType");
}

/* A frame object's code: in the _PyInterpreterFrame it has, from 3.11 on. */
static struct p3_error *read_code_of(struct p3_py *py, uint64_t frame, uint64_t *ret)
{
	const struct p3_layout *layout = py->layout;

	if (layout->frame_object.frame)
		P3_TRY(p3_read_u64(py->target, frame + layout->frame_object.frame, &frame));
	P3_TRY(p3_read_u64(py->target, frame + layout->frame.code, ret));
	*ret = p3_py_reference(py, *ret);
	return NULL;
}

static struct p3_error *read_traceback(struct p3_py *py, uint64_t traceback,
				       struct p3_py_exception *exception)
{
	const struct p3_layout *layout = py->layout;
	size_t count;

	for (count = 0; !is_none(py, traceback) && count < MAX_ENTRIES; count++) {
		struct p3_py_frame entry = { 0 };
		uint64_t frame, code;
		uint32_t line, lasti;

		P3_TRY(p3_read_u64(py->target, traceback + layout->traceback.frame, &frame));
		P3_TRY(p3_read_u32(py->target, traceback + layout->traceback.lasti, &lasti));
		P3_TRY(p3_read_u32(py->target, traceback + layout->traceback.lineno, &line));
		P3_TRY(read_code_of(py, frame, &code));
		P3_TRY(p3_py_code_frame(py, code, (int32_t)lasti, &entry));
		/* 3.11+ fills it in when it is asked for; until then it is -1. */
		if ((int32_t)line > 0)
			entry.line = line;
		*p3_list_add(py->arena, exception) = entry;
		P3_TRY(p3_read_u64(py->target, traceback + layout->traceback.next, &traceback));
	}
	return NULL;
}

static struct p3_error *read_exception(struct p3_py *py, uint64_t object, const char *how,
				       struct p3_py_exceptions *ret, uint64_t *next,
				       const char **next_how)
{
	const struct p3_layout *layout = py->layout;
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_py_exception *exception = p3_list_add(py->arena, ret);
	uint64_t traceback, cause, context;
	struct p3_error *error;
	uint8_t suppress;
	bool aggregate;

	*next = 0;
	exception->object = object;
	exception->how = how;
	p3_py_format(py, object, true, &text, &aggregate);
	exception->text = p3_arena_string(py->arena, p3_text_string(&text));
	if (!p3_py_is_exception(py, object))
		return p3_error_new(P3_BAD_DATA, "0x%" PRIx64 " is no exception", object);
	P3_TRY(p3_read_u64(py->target, object + layout->exception.traceback, &traceback));
	error = read_traceback(py, traceback, exception);
	if (error)
		exception->incomplete = p3_arena_string(py->arena, error->message);
	p3_error_free(error);
	P3_TRY(p3_read_u64(py->target, object + layout->exception.cause, &cause));
	P3_TRY(p3_read_u64(py->target, object + layout->exception.context, &context));
	P3_TRY(p3_read_u8(py->target, object + layout->exception.suppress_context, &suppress));
	if (!is_none(py, cause)) {
		*next = cause;
		*next_how = "its cause";
	} else if (!suppress && !is_none(py, context)) {
		*next = context;
		*next_how = "raised while this was being handled";
	}
	return NULL;
}

static bool is_known(const struct p3_py_exceptions *list, uint64_t object)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].object == object)
			return true;
	return false;
}

/* One exception, and the chain that leads to it. */
static void add_chain(struct p3_py *py, uint64_t object, const char *how,
		      struct p3_py_exceptions *ret)
{
	int i;

	for (i = 0; !is_none(py, object) && i < MAX_CHAIN && !is_known(ret, object); i++) {
		struct p3_error *error = read_exception(py, object, how, ret, &object, &how);

		if (error)
			ret->incomplete = p3_arena_string(py->arena, error->message);
		p3_error_free(error);
		if (error)
			return;
	}
}

/*
 * Before 3.12 what is on its way is a type, a value and a traceback; the value need not be
 * made yet: it is what the exception will be made from, or nothing.
 */
static struct p3_error *add_unmade(struct p3_py *py, uint64_t at, struct p3_py_exceptions *ret)
{
	struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
	struct p3_py_exception *exception;
	uint64_t words[3]; /* type, value, traceback */
	struct p3_error *error;
	bool aggregate;

	P3_TRY(p3_read(py->target, at, words, sizeof(words)));
	if (!words[0])
		return NULL;
	if (words[1] && p3_py_is_exception(py, words[1])) {
		add_chain(py, words[1], "on its way", ret);
		exception = &ret->items[0];
	} else {
		exception = p3_list_add(py->arena, ret);
		exception->object = words[0];
		exception->how = "on its way, not made yet";
		p3_py_format(py, words[0], false, &text, &aggregate);
		if (words[1]) {
			p3_text_add(&text, " with ");
			p3_py_format(py, words[1], false, &text, &aggregate);
		}
		exception->text = p3_arena_string(py->arena, p3_text_string(&text));
	}
	if (exception->count || !words[2])
		return NULL;
	error = read_traceback(py, words[2], exception);
	if (error)
		exception->incomplete = p3_arena_string(py->arena, error->message);
	p3_error_free(error);
	return NULL;
}

void p3_py_exceptions(struct p3_py *py, const struct p3_py_thread *thread,
		      struct p3_py_exceptions *ret)
{
	const struct p3_layout *layout = py->layout;
	uint64_t at = thread->address, object = 0, item = 0;
	struct p3_error *error;
	int i;

	*ret = (struct p3_py_exceptions){ 0 };
	if (layout->thread.current_exception) {
		error = p3_read_u64(py->target, at + layout->thread.current_exception, &object);
		if (!error && object)
			add_chain(py, object, "on its way", ret);
	} else {
		error = add_unmade(py, at + layout->thread.curexc_type, ret);
	}
	if (!error)
		error = p3_read_u64(py->target, at + layout->thread.exc_info, &item);
	for (i = 0; !error && item && i < MAX_HANDLED; i++) {
		error = p3_read_u64(py->target, item + layout->exc_item.value, &object);
		if (!error && !is_none(py, object))
			add_chain(py, object, "being handled", ret);
		if (!error)
			error = p3_read_u64(py->target, item + layout->exc_item.previous, &item);
	}
	if (error)
		ret->incomplete = p3_arena_string(py->arena, error->message);
	p3_error_free(error);
}
