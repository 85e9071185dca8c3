/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* target/ on the memory of this very process, and on captures written by hand. */
#include "check.h"

#include <pyo3-gdb/target.h>

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- a real host: this process, through /proc/self/mem ---- */

static struct p3_error *self_read(void *context, uint64_t address, void *buffer, size_t size)
{
	int fd = open("/proc/self/mem", O_RDONLY);
	ssize_t got = pread(fd, buffer, size, (off_t)address);

	(void)context;
	close(fd);
	return got == (ssize_t)size ? NULL : p3_error_new(P3_FAULT, "unreadable");
}

static struct p3_error *self_process(void *context, struct p3_arena *arena, struct p3_process *ret)
{
	uint8_t *auxv = p3_arena_take(arena, 4096);
	int fd = open("/proc/self/auxv", O_RDONLY);

	(void)context;
	*ret = (struct p3_process){ .pid = getpid(),
				    .state = "live",
				    .host = "self",
				    .auxv = auxv,
				    .auxv_size = (size_t)read(fd, auxv, 4096) };
	close(fd);
	return NULL;
}

static struct p3_error *self_file(void *context, struct p3_arena *arena, const char *name,
				  const char *build_id, struct p3_host_file *ret)
{
	(void)context;
	(void)arena;
	(void)build_id;
	*ret = (struct p3_host_file){ .path = name };
	return NULL;
}

static const struct p3_host_ops self_ops = { .read = self_read,
					     .process = self_process,
					     .file = self_file };

static struct p3_target *new_self(void)
{
	return p3_target_new((struct p3_host){ &self_ops, NULL });
}

static void reads_are_cached(void)
{
	struct p3_target *target P3_CLEANUP(p3_target_done) = new_self();
	static uint64_t words[1024] = { [5] = 55, [700] = 7 };
	uint64_t word;
	uint32_t half;
	uint8_t byte;
	uint64_t reads;

	CHECK(check_ok(p3_read_u64(target, (uintptr_t)&words[5], &word)) && word == 55);
	reads = p3_target_counts(target).reads;
	CHECK(check_ok(p3_read_u32(target, (uintptr_t)&words[5], &half)) && half == 55);
	CHECK(check_ok(p3_read_u8(target, (uintptr_t)&words[5], &byte)) && byte == 55);
	CHECK(p3_target_counts(target).reads == reads);
	words[5] = 56; /* not seen before the target is told to forget */
	CHECK(check_ok(p3_read_u64(target, (uintptr_t)&words[5], &word)) && word == 55);
	p3_target_forget(target);
	CHECK(check_ok(p3_read_u64(target, (uintptr_t)&words[5], &word)) && word == 56);
	p3_target_forget(target);
	reads = p3_target_counts(target).reads;
	CHECK(p3_target_prefetch(target, (uintptr_t)words, (uintptr_t)(words + 1024)));
	CHECK(check_ok(p3_read_u64(target, (uintptr_t)&words[700], &word)) && word == 7);
	CHECK(p3_target_counts(target).reads == reads + 1);
}

static void bad_reads_are_refused(void)
{
	struct p3_target *target P3_CLEANUP(p3_target_done) = new_self();
	struct p3_arena *arena P3_CLEANUP(p3_arena_done) = p3_arena_new();
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *string;
	char buffer[16];

	CHECK(check_fails(p3_read(target, 16, buffer, 8), P3_FAULT));
	CHECK(check_fails(p3_read(target, 0x1000, buffer, (size_t)P3_MAX_READ + 1), P3_BAD_DATA));
	CHECK(check_fails(p3_read(target, UINT64_MAX - 2, buffer, 8), P3_BAD_DATA));
	/* a string that ends just before an unreadable page */
	munmap(pages + 4096, 4096);
	memcpy(pages + 4090, "hello", 6);
	CHECK(check_ok(p3_read_string(target, (uintptr_t)pages + 4090, 100, arena, &string)));
	CHECK_STRING(string, "hello");
	CHECK(check_fails(p3_read(target, (uintptr_t)pages + 4090, buffer, 8), P3_FAULT));
	CHECK(check_ok(p3_read_string(target, (uintptr_t)pages + 4090, 3, arena, &string)));
	CHECK_STRING(string, "hel");
}

static int compare_module(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct p3_modules *modules = data;
	const struct p3_module *module =
		p3_modules_at(modules, info->dlpi_addr + info->dlpi_phdr[0].p_vaddr);

	(void)size;
	CHECK(module && module->bias == info->dlpi_addr);
	if (module && *info->dlpi_name)
		CHECK_STRING(module->name, info->dlpi_name);
	return 0;
}

static void link_map_equals_the_linkers(void)
{
	struct p3_target *target P3_CLEANUP(p3_target_done) = new_self();
	struct p3_modules modules;

	CHECK(check_ok(p3_target_modules(target, &modules)));
	CHECK(!modules.incomplete);
	CHECK(modules.count >= 3 && strlen(modules.items[0].build_id) == 40);
	dl_iterate_phdr(compare_module, &modules);
	CHECK(p3_modules_at(&modules, (uintptr_t)compare_module) == &modules.items[0]);
	CHECK(p3_modules_at(&modules, 1) == NULL);
}

/* ---- captures ---- */

static void capture_replays(void)
{
	static const char text[] =
		"{\"schema\": \"pyo3-gdb/capture/1\","
		" \"process\": {\"pid\": 9, \"state\": \"core\", \"host\": \"hand\", \"auxv\": "
		"\"\"},"
		" \"threads\": [{\"number\": 1, \"lwp\": 9, \"frames\": ["
		"  {\"kind\": 0, \"pc\": \"0x10\", \"sp\": \"0x20\", \"name\": \"f\"}]}],"
		" \"memory\": [{\"address\": \"0x1000\", \"data\": \"0102030405060708\"},"
		"              {\"address\": \"0x1008\", \"data\": \"aabb\"}]}";
	struct p3_capture *capture P3_CLEANUP(p3_capture_done) = NULL;
	struct p3_target *target P3_CLEANUP(p3_target_done) = NULL;
	const struct p3_host_frames *frames;
	const struct p3_process *process;
	uint8_t bytes[10];

	CHECK(check_ok(p3_capture_parse(text, sizeof(text) - 1, &capture)));
	target = p3_target_new(p3_capture_host(capture));
	CHECK(check_ok(p3_target_process(target, &process)) && process->pid == 9);
	CHECK(check_ok(p3_read(target, 0x1000, bytes, 10)) && bytes[0] == 1 && bytes[9] == 0xbb);
	CHECK(check_fails(p3_read(target, 0x1003, bytes, 9), P3_FAULT));
	CHECK(check_ok(p3_target_frames(target, 1, &frames)) && frames->count == 1);
	CHECK_STRING(frames->items[0].name, "f");
	CHECK(check_fails(p3_target_frames(target, 2, &frames), P3_NOT_FOUND));
}

static void bad_captures_are_refused(void)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"schema\": \"pyo3-gdb/capture/2\"}",
		"\x1f\x8b\x08garbage",
		"{\"schema\": \"pyo3-gdb/capture/1\", \"memory\": [{\"address\": \"0x0\", "
		"\"data\": \"xyz\"}]}",
		"{\"schema\": \"pyo3-gdb/capture/1\", \"memory\": [{\"address\": "
		"\"0xffffffffffffffff\", \"data\": \"0102\"}]}",
	};
	struct p3_capture *capture = NULL;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CHECK(check_fails(p3_capture_parse(texts[i], strlen(texts[i]), &capture),
				  P3_BAD_DATA));
	CHECK(check_fails(p3_capture_open("/nowhere/at/all", &capture), P3_USAGE));
}

static void recording_round_trip(void)
{
	struct p3_recorder *recorder P3_CLEANUP(p3_recorder_done) =
		p3_recorder_new((struct p3_host){ &self_ops, NULL });
	struct p3_target *target P3_CLEANUP(p3_target_done) =
		p3_target_new(p3_recorder_host(recorder));
	struct p3_capture *capture P3_CLEANUP(p3_capture_done) = NULL;
	struct p3_target *replay P3_CLEANUP(p3_target_done) = NULL;
	struct p3_modules modules, again;
	char path[] = "/tmp/pyo3-gdb-test-XXXXXX";
	int fd = mkstemp(path);
	size_t i;

	close(fd);
	CHECK(check_ok(p3_target_modules(target, &modules)));
	CHECK(check_ok(p3_recorder_write(recorder, &modules, path)));
	CHECK(check_ok(p3_capture_open(path, &capture)));
	replay = p3_target_new(p3_capture_host(capture));
	CHECK(check_ok(p3_target_modules(replay, &again)));
	CHECK(again.count == modules.count);
	for (i = 0; i < again.count && i < modules.count; i++) {
		CHECK_STRING(again.items[i].name, modules.items[i].name);
		CHECK(again.items[i].bias == modules.items[i].bias);
	}
	CHECK(check_fails(p3_recorder_write(recorder, &modules, "/nowhere/file"), P3_USAGE));
	unlink(path);
}

int main(void)
{
	RUN(reads_are_cached);
	RUN(bad_reads_are_refused);
	RUN(link_map_equals_the_linkers);
	RUN(capture_replays);
	RUN(bad_captures_are_refused);
	RUN(recording_round_trip);
	return RESULT();
}
