/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Damage captures and run every command on them: never a crash, a hang or
 * growth. Built with ASan and UBSan, which abort at the first error; alarm()
 * ends a hang, and the address space is limited, so that growth ends in abort().
 *
 *	fuzz_replay SEED ROUNDS CAPTURE...
 *
 * Prints "PASS fuzz FILE" for each capture. The last input is left in
 * fuzz_replay.last for a crash to be repeated: fuzz_replay 0 0 FILE.
 */
#include <pyo3-gdb/command.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	SECONDS = 60,	     /* one round may take; ASan is slow, and so is CI */
	MAX_TEXT = 64 << 20, /* bytes of output of one command */
};

static uint64_t random_state;

/* xorshift64*: the same rounds everywhere for the same seed. */
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1du;
}

static size_t pick(size_t count)
{
	return count ? (size_t)(next_random() % count) : 0;
}

/* Change a run of hex digits, so that the JSON stays JSON and the memory is damaged. */
static void damage_digits(struct p3_text *text, size_t run, char digit)
{
	size_t at = pick(text->size);

	/* Within "data" only: letters of names are hex digits too, keys must stay. */
	at = strstr(text->data + at, "\"data\":\"")
		     ? (size_t)(strstr(text->data + at, "\"data\":\"") - text->data) + 8 +
			       pick(8192)
		     : text->size;
	for (; run && at < text->size; at++) {
		if (!isxdigit((unsigned char)text->data[at]) ||
		    isupper((unsigned char)text->data[at]))
			continue;
		text->data[at] = digit ? digit : "0123456789abcdef"[pick(16)];
		run--;
	}
}

/* Find the n-th "data" and overwrite one aligned word of memory with an absurd one. */
static void damage_word(struct p3_text *text)
{
	static const char *const words[] = { "ffffffffffffff7f", "ffffffffffffffff",
					     "0000000000000000", "0000000000000080",
					     "ffffff0000000000", "0100000000000000" };
	char *at = text->data + pick(text->size);
	size_t size, offset;

	at = strstr(at, "\"data\":\"");
	if (!at)
		return;
	at += 8;
	size = strcspn(at, "\"") / 16;
	if (!size)
		return;
	offset = pick(size) * 16;
	memcpy(at + offset, words[pick(sizeof(words) / sizeof(*words))], 16);
}

/* One word now holds another one's value: pointers that go where they should not. */
static void damage_pointer(struct p3_text *text)
{
	char *from = strstr(text->data + pick(text->size), "\"data\":\"");
	char *to = strstr(text->data + pick(text->size), "\"data\":\"");

	if (!from || !to || strcspn(from + 8, "\"") < 4096 || strcspn(to + 8, "\"") < 4096)
		return;
	memmove(to + 8 + pick(256) * 16, from + 8 + pick(256) * 16, 16);
}

static void damage(struct p3_text *text)
{
	size_t times = 1 + pick(60), i;

	if (pick(8) == 0) { /* the text itself: what parses captures */
		text->data[pick(text->size)] = (char)next_random();
		if (pick(2))
			p3_text_cut(text, pick(text->size));
		return;
	}
	for (i = 0; i < times; i++) { /* the process in it: what reads memory */
		switch (pick(5)) {
		case 0:
			damage_digits(text, 16, 'f');
			break;
		case 1:
			damage_digits(text, 1 + pick(8), 0);
			break;
		case 2:
		case 3:
			damage_pointer(text);
			break;
		default:
			damage_word(text);
		}
	}
}

static size_t written;

static struct p3_error *count_text(void *context, const char *text)
{
	(void)context;
	written += strlen(text);
	if (written > MAX_TEXT)
		return p3_error_new(P3_HOST, "enough");
	/* What reaches a terminal has no escape sequences of the target's. */
	if (strchr(text, '\033')) {
		fprintf(stderr, "an escape character reached the output\n");
		abort();
	}
	return NULL;
}

static const struct p3_actions actions = { .write = count_text };

static void run_commands(struct p3_capture *capture)
{
	static const struct {
		const char *name, *arguments;
	} runs[] = {
		{ "pyo3-bt", "-all -full" },  { "pyo3-bt", "-all -json -full" },
		{ "pyo3-bt", "-raw -5" },     { "info pyo3", "" },
		{ "pyo3-threads", "" },	      { "pyo3-deadlock", "" },
		{ "pyo3-deadlock", "-json" }, { "pyo3-exception", "" },
		{ "pyo3-panic", "" },	      { "pyo3-capture", "/dev/null/none" },
	};
	size_t i;

	for (i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		struct p3_session *session P3_CLEANUP(p3_session_done) =
			p3_session_new(p3_capture_host(capture));
		struct p3_command_context context = { .session = session,
						      .host = p3_capture_host(capture),
						      .actions = &actions };

		written = 0;
		p3_error_free(
			p3_command_run(p3_command_find(runs[i].name), &context, runs[i].arguments));
	}
}

static size_t parsed; /* inputs that were captures still */

static void run_input(const char *data, size_t size)
{
	struct p3_capture *capture P3_CLEANUP(p3_capture_done) = NULL;
	struct p3_error *error;

	alarm(SECONDS); /* SIGALRM ends a hang */
	error = p3_capture_parse(data, size, &capture);
	if (!error) {
		parsed++;
		run_commands(capture);
	}
	p3_error_free(error);
	alarm(0);
}

static void load(const char *path, struct p3_text *ret)
{
	gzFile file = gzopen(path, "rb");
	char buffer[65536];
	int size;

	if (!file) {
		perror(path);
		exit(2);
	}
	while ((size = gzread(file, buffer, sizeof(buffer))) > 0)
		p3_text_add_bytes(ret, buffer, (size_t)size);
	gzclose(file);
}

static void save_input(const struct p3_text *text)
{
	FILE *file = fopen("fuzz_replay.last", "wb");

	if (!file)
		return;
	fwrite(text->data, 1, text->size, file);
	fclose(file);
}

int main(int argc, char **argv)
{
	size_t rounds;
	int i;

	if (argc < 4) {
		fprintf(stderr, "usage: fuzz_replay SEED ROUNDS CAPTURE...\n");
		return 2;
	}
	rounds = strtoul(argv[2], NULL, 10);
	for (i = 3; i < argc; i++) {
		struct p3_text whole P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
		size_t round;

		parsed = 0;
		load(argv[i], &whole);
		random_state = strtoull(argv[1], NULL, 10) * 2 + 0x9e3779b97f4a7c15u;
		run_input(whole.data, whole.size);
		for (round = 0; round < rounds; round++) {
			struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;

			p3_text_add_bytes(&text, whole.data, whole.size);
			damage(&text);
			save_input(&text);
			run_input(text.data, text.size);
		}
		printf("%s fuzz %s, %zu rounds, %zu of them past the parser\n",
		       parsed * 2 >= rounds ? "PASS" : "FAIL", argv[i], rounds, parsed);
		fflush(stdout);
	}
	unlink("fuzz_replay.last");
	return 0;
}
