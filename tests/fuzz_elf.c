/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Damage an ELF file, and ask of it all that a stack asks: rows, names, lines,
 * tail calls, variables and their values, from memory that is noise. A file on disk is as
 * untrusted as memory.
 *
 *	fuzz_elf SEED ROUNDS FILE SCRATCH
 *
 * Each round runs in a child: a crash, a hang or a sanitizer's report fails the
 * test, whether it is ours or libdw's, and names the round.
 */
#include <pyo3-gdb/native.h>
#include <pyo3-gdb/rust.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, PLACES = 2000, FRAMES = 200 };

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1du;
}

/* Memory: small numbers and addresses near others, so that walks go on for a while. */
static struct p3_error *read_noise(void *context, uint64_t address, void *buffer, size_t size)
{
	uint8_t *bytes = buffer;
	size_t i;

	(void)context;
	if (address % 7 == 0)
		return p3_error_new(P3_FAULT, "not there");
	for (i = 0; i < size; i++)
		bytes[i] = i % 8 < 2 ? (uint8_t)next_random() : 0;
	return NULL;
}

static const struct p3_host_ops noise = { .read = read_noise };

static void ask_variables(struct p3_file *file, uint64_t pc)
{
	struct p3_target *target P3_CLEANUP(p3_target_done) =
		p3_target_new((struct p3_host){ &noise, NULL });
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	struct p3_module module = { 0 };
	struct p3_frame_state state = { .module = &module, .file = file, .pc = pc, .exact = true };
	struct p3_frame_variables variables;
	struct p3_error *error;
	size_t i, place;

	state.cfa = next_random() % 100000;
	state.known = next_random();
	for (i = 0; i < P3_REGISTERS; i++)
		state.registers[i] = next_random() % 100000;
	for (place = 0; place < 3; place++) {
		struct p3_frame_state caller = state;

		caller.exact = false;
		error = p3_file_variables(target, arena, &state, &caller, place, true, true,
					  &variables);
		for (i = 0; !error && i < variables.count; i++) {
			struct p3_text text P3_CLEANUP(p3_text_done) = P3_TEXT_INIT;
			struct p3_writer writer = { .target = target, .text = &text };

			if (variables.items[i].absent)
				continue;
			p3_rust_write(&writer, &variables.items[i].value, true);
			p3_native_write(&writer, &variables.items[i].value);
			(void)p3_rust_is_aggregate(variables.items[i].value.type);
			(void)p3_rust_object(target, &variables.items[i].value);
		}
		p3_error_free(error);
	}
}

static void ask_everything(const char *path, uint64_t low, uint64_t high)
{
	struct p3_file_facts facts;
	struct p3_file *file = NULL;
	struct p3_error *error = p3_elf_facts(path, NULL, &facts);
	size_t i;

	p3_error_free(error);
	error = p3_file_open(path, NULL, &file);
	for (i = 0; !error && i < PLACES; i++) {
		uint64_t pc = low + next_random() % (high - low);
		const struct p3_places *places = p3_file_places(file, pc);

		(void)p3_file_cfi(file, pc);
		(void)p3_file_in_plt(file, pc);
		(void)p3_file_tail_calls(file, pc, file, places->entry);
		if (i < FRAMES)
			ask_variables(file, pc);
	}
	p3_error_free(error);
	p3_file_close(file);
}

static char *load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *data;

	if (!file) {
		perror(path);
		exit(2);
	}
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	data = malloc(*size);
	if (!data || fread(data, 1, *size, file) != *size)
		exit(2);
	fclose(file);
	return data;
}

static void save_damaged(const char *path, const char *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	size_t times = 1 + next_random() % (next_random() % 2 ? 400 : 40000), i;

	if (!file)
		exit(2);
	fwrite(data, 1, size, file);
	for (i = 0; i < times; i++) {
		fseek(file, (long)(next_random() % size), SEEK_SET);
		fputc((int)(next_random() & 0xff), file);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	struct p3_file_facts facts;
	size_t rounds, round, size, crashes = 0;
	char *data;

	if (argc != 5) {
		fprintf(stderr, "usage: fuzz_elf SEED ROUNDS FILE SCRATCH\n");
		return 2;
	}
	rounds = strtoul(argv[2], NULL, 10);
	random_state = strtoull(argv[1], NULL, 10) * 2 + 0x9e3779b97f4a7c15u;
	data = load(argv[3], &size);
	if (p3_elf_facts(argv[3], NULL, &facts))
		return 2;
	ask_everything(argv[3], facts.low, facts.high);
	for (round = 0; round < rounds; round++) {
		int status;
		pid_t child;

		save_damaged(argv[4], data, size);
		child = fork();
		if (child == 0) {
			alarm(SECONDS);
			ask_everything(argv[4], facts.low, facts.high);
			_exit(0);
		}
		if (waitpid(child, &status, 0) != child || status != 0) {
			crashes++;
			printf("# round %zu: status 0x%x\n", round, (unsigned int)status);
		}
		next_random();
	}
	unlink(argv[4]);
	free(data);
	printf("%s fuzz ELF and DWARF of %s, %zu rounds, %zu ended badly\n",
	       crashes ? "FAIL" : "PASS", argv[3], rounds, crashes);
	return crashes != 0;
}
