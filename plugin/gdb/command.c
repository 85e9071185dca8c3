/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The commands of commands/ as gdb.Command objects, with gdb's settings as
 * render options. Errors become gdb.GdbError: a sentence, never a traceback.
 */
#include "gdb.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- settings ---- */

static PyObject *parameter(const char *name)
{
	PyObject *value = p3_gdb_call(p3_gdb(), "parameter", "(s)", name);

	p3_gdb_clear();
	return value;
}

/* The SGR sequence of `show style NAME ...`, in the arena; "" for none. */
static const char *style(struct p3_arena *arena, const char *name)
{
	static const char *const colors[] = { "black", "red",	  "green", "yellow",
					      "blue",  "magenta", "cyan",  "white" };
	P3_OBJECT color = parameter(p3_arena_printf(arena, "style %s foreground", name));
	P3_OBJECT intensity = parameter(p3_arena_printf(arena, "style %s intensity", name));
	P3_OBJECT color_text = color ? PyObject_Str(color) : NULL; /* gdb 17+: a gdb.Color */
	const char *text = p3_gdb_text(arena, color_text);
	const char *strength = p3_gdb_text(arena, intensity);
	size_t i;

	p3_gdb_clear();
	for (i = 0; text && i < sizeof(colors) / sizeof(*colors); i++)
		if (!strcmp(text, colors[i]))
			return p3_arena_printf(arena, "\033[%s3%zum",
					       strength && !strcmp(strength, "bold")  ? "1;"
					       : strength && !strcmp(strength, "dim") ? "2;"
										      : "",
					       i);
	return strength && !strcmp(strength, "bold") ? "\033[1m" : "";
}

static bool wants_color(void)
{
	P3_OBJECT enabled = parameter("style enabled");
	const char *term = getenv("TERM");

	return enabled == Py_True && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static struct p3_render_options read_settings(struct p3_arena *arena)
{
	static const struct {
		const char *text;
		enum p3_arguments_shown shown;
	} words[] = { { "all", P3_SHOW_ALL },
		      { "scalars", P3_SHOW_SCALARS },
		      { "presence", P3_SHOW_PRESENCE },
		      { "none", P3_SHOW_NONE } };
	struct p3_render_options options = { .arguments = P3_SHOW_SCALARS };
	P3_OBJECT width = parameter("width");
	P3_OBJECT arguments = parameter("print frame-arguments");
	const char *text = p3_gdb_text(arena, arguments);
	size_t i;

	options.width = width && PyLong_Check(width) ? (size_t)PyLong_AsLong(width) : 0;
	if (PyErr_Occurred() || options.width > 100000)
		options.width = 0;
	p3_gdb_clear();
	for (i = 0; text && i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(text, words[i].text))
			options.arguments = words[i].shown;
	options.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (wants_color()) {
		options.function_style = style(arena, "function");
		options.file_style = style(arena, "filename");
		options.variable_style = style(arena, "variable");
		options.address_style = style(arena, "address");
	}
	return options;
}

struct p3_command_context p3_gdb_context(void)
{
	static struct p3_session *session;
	struct p3_command_context context = { 0 };

	p3_gdb_take_interrupt(); /* of an earlier command */
	if (!session)
		session = p3_session_new(p3_gdb_host());
	/*
	 * gdb can change the process, the thread or the program between two commands in
	 * more ways than it reports: what is known of a stop lives as long as a command.
	 */
	p3_session_forget_stop(session);
	p3_gdb_host_forget();
	p3_session_set_unwinder(session, p3_gdb_unwinder());
	context.session = session;
	context.host = p3_gdb_host();
	context.actions = &p3_gdb_actions;
	context.options = read_settings(p3_target_arena(p3_session_target(session)));
	return context;
}

/* ---- commands ---- */

static bool busy;

bool p3_gdb_busy(void)
{
	return busy;
}

/* Raise an error as gdb shows it to a user. */
static PyObject *raise_error(struct p3_error *error)
{
	P3_OBJECT type = PyObject_GetAttrString(p3_gdb(), "GdbError");

	if (p3_gdb_take_interrupt())
		PyErr_SetNone(PyExc_KeyboardInterrupt); /* gdb says "Quit" */
	else if (type)
		PyErr_Format(type, "%s%s%s", error->message, error->hint ? "\n" : "",
			     error->hint ? error->hint : "");
	p3_error_free(error);
	return NULL;
}

static const struct p3_command *command_of(PyObject *index)
{
	size_t count;
	const struct p3_command *commands = p3_commands(&count);

	return &commands[PyLong_AsSize_t(index)];
}

static PyObject *invoke(PyObject *self, PyObject *args)
{
	const struct p3_command *command = command_of(self);
	struct p3_command_context context;
	struct p3_error *error;
	const char *arguments;
	int from_tty;

	if (!PyArg_ParseTuple(args, "sp", &arguments, &from_tty))
		return NULL;
	if (busy) {
		P3_OBJECT type = PyObject_GetAttrString(p3_gdb(), "GdbError");

		if (type)
			PyErr_SetString(type, "a pyo3-gdb command is running already");
		return NULL;
	}
	if (!strncmp(command->name, "py-", 3) && !p3_gdb_py_commands())
		return raise_error(p3_error_hint(p3_error_new(P3_USAGE, "%s is off", command->name),
						 "turn it on with `set pyo3 py-commands auto`"));
	context = p3_gdb_context();
	busy = true;
	error = p3_command_run(command, &context, arguments);
	busy = false;
	/* gdb.Frame objects must not outlive the command: gdb drops its frames at will. */
	p3_gdb_host_forget();
	if (error)
		return raise_error(error);
	Py_RETURN_NONE;
}

struct completion {
	PyObject *list;
	const char *last; /* what is typed of it */
	size_t skip;	  /* gdb breaks words at '-': it completes what follows that */
};

static void add_completion(void *context, const char *text)
{
	struct completion *completion = context;
	P3_OBJECT item = NULL;

	if (strncmp(text, completion->last, strlen(completion->last)) != 0)
		return;
	item = PyUnicode_FromString(text + completion->skip);
	if (item)
		(void)PyList_Append(completion->list, item);
	p3_gdb_clear();
}

static PyObject *complete(PyObject *self, PyObject *args)
{
	const struct p3_command *command = command_of(self);
	P3_OBJECT list = PyList_New(0);
	struct completion completion = { .list = list };
	const char *text, *word, *last;
	size_t i, typed, kept;

	if (!list || !PyArg_ParseTuple(args, "zz", &text, &word))
		return NULL;
	if (command->completes == P3_COMPLETES_FILES)
		return PyObject_GetAttrString(p3_gdb(), "COMPLETE_FILENAME");
	last = text ? strrchr(text, ' ') : NULL;
	completion.last = last ? last + 1 : text ? text : "";
	typed = strlen(completion.last);
	kept = word ? strlen(word) : 0;
	completion.skip = typed >= kept ? typed - kept : 0;
	for (i = 0; command->options[i] && (typed || text); i++)
		add_completion(&completion, command->options[i]);
	if (command->completes == P3_COMPLETES_FUNCTIONS && !p3_gdb_busy()) {
		struct p3_command_context context = p3_gdb_context();

		p3_break_complete(&context, completion.last, add_completion, &completion);
		p3_gdb_host_forget();
		p3_gdb_clear();
	}
	Py_INCREF(list);
	return list;
}

static PyMethodDef methods[] = {
	{ "invoke", invoke, METH_VARARGS, NULL },
	{ "complete", complete, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

/* Under which heading `help` lists a command. */
static const char *help_class(const char *name)
{
	return !strncmp(name, "info ", 5)	  ? "COMMAND_STATUS"
	       : !strncmp(name, "pyo3-break", 10) ? "COMMAND_BREAKPOINTS"
	       : !strcmp(name, "pyo3-capture")	  ? "COMMAND_DATA"
						  : "COMMAND_STACK";
}

/* A command of CPython's python-gdb.py that is loaded already, which the user may keep. */
static bool is_taken(const struct p3_command *command)
{
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	P3_OBJECT help = NULL;

	if (strncmp(command->name, "py-", 3) != 0 || p3_gdb_py_commands_forced())
		return false;
	help = p3_gdb_output_of(p3_arena_printf(arena, "help %s", command->name));
	return help != NULL;
}

bool p3_gdb_define_commands(void)
{
	P3_OBJECT base = PyObject_GetAttrString(p3_gdb(), "Command");
	size_t count, i;
	const struct p3_command *commands = p3_commands(&count);

	for (i = 0; base && i < count; i++) {
		const struct p3_command *command = &commands[i];
		P3_OBJECT doc = PyUnicode_FromFormat("%s\nUsage: %s%s%s\n\n%s", command->summary,
						     command->name, *command->arguments ? " " : "",
						     command->arguments, command->help);
		struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
		P3_OBJECT index = PyLong_FromSize_t(i);
		P3_OBJECT type = doc && index
					 ? p3_gdb_subclass("Command", base, p3_gdb_text(arena, doc),
							   methods, index)
					 : NULL;
		P3_OBJECT made = is_taken(command) ? PyUnicode_FromString("")
				 : type		   ? PyObject_CallFunction(
							     type, "sl", command->name,
							     p3_gdb_constant(help_class(command->name), 0))
					: NULL;

		if (!made)
			return false;
	}
	return base != NULL;
}
