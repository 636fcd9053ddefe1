/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads other than a plain read(2). Nothing that has data looks empty, an end-of-file lasts, and
 * texts are files that lseek(2) and mmap(2) work on.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is written to a channel, and what a read then returns. */
static const struct sample {
	const char *name, *line, *put, *got;
} samples[] = {
	{"pipes/p", "create pipes/p served=daemon", "data\n", "data\n"},
	{"queues/q", "create queues/q", "data\n", "data\n"},
	{"sysv/queues/0x000004d2", "create sysv/queues/0x4d2", "data\n", "data\n"},
	{"events/e", "create events/e", "3\n", "3\n"},
	{"sems/s", "create sems/s", "1\n", "1\n"},
	{"sysv/sems/0x000004d2", "create sysv/sems/0x4d2 count=2", "1 +7\n", "0\n7\n"},
};
enum { N_SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static const char *const texts[] = {
	"README",
	"ctl",
	"info/summary",
	"info/metrics",
	"info/graph.dot",
	"info/inventory.json",
	"info/queues/q/status",
	"info/sems/s/status",
};
enum { N_TEXTS = sizeof(texts) / sizeof(texts[0]), TEXT_MAX = 65536 };

static char buf[TEXT_MAX], other[TEXT_MAX];
static int ends[2];

static void make_samples(void)
{
	for (int i = 0; i < N_SAMPLES; i++)
		look_command(samples[i].line);
	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	must(fcntl(ends[1], F_SETPIPE_SZ, TEXT_MAX));
}

/* Removes the event, because the daemon keeps a descriptor for it. */
static void unmake_samples(void)
{
	must(unlink(ipc_path("events/e")));
}

/* Reads to end-of-file, and checks that another read finds it again. Returns the size. */
static ssize_t read_all(int fd, char *text)
{
	ssize_t n, size = 0;

	while ((n = must(read(fd, text + size, (size_t)(TEXT_MAX - size)))) > 0)
		size += n;
	ck_assert_int_eq(must(read(fd, text, 1)), 0);
	return size;
}

/* Sends everything to a pipe by splice(2) or sendfile(2), and reads it there. */
static ssize_t send_all(int fd, bool by_splice, char *text)
{
	ssize_t n, size = 0;

	do {
		n = must(by_splice ? splice(fd, NULL, ends[1], NULL, TEXT_MAX, 0)
				   : sendfile(ends[1], fd, NULL, TEXT_MAX));
		if (n > 0)
			ck_assert_int_eq(must(read(ends[0], text + size, (size_t)n)), n);
		size += n;
	} while (n > 0);
	return size;
}

START_TEST(test_reads_a_stream_refuses_splice_and_keeps_what_waits)
{
	const struct sample *sample = &samples[_i];
	ssize_t size = (ssize_t)strlen(sample->got);
	int fd;

	make_samples();
	channel_put(sample->name, sample->put, strlen(sample->put));
	fd = channel_open(sample->name, O_RDONLY | O_NONBLOCK);
	must_fail(splice(fd, NULL, ends[1], NULL, 4096, 0), EINVAL);
	must_fail(sendfile(ends[1], fd, NULL, 4096), EINVAL);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), size);
	ck_assert_mem_eq(buf, sample->got, (size_t)size);
	close(fd);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_a_stream_shows_a_page)
{
	struct stat attr;

	make_samples();
	must(stat(ipc_path(samples[_i].name), &attr));
	ck_assert_int_eq(attr.st_size, 4096);
	ck_assert_int_eq(attr.st_blocks, 8);
	unmake_samples();
}
END_TEST

/* The text has not been read before, and nobody has asked for its size since it was opened. */
START_TEST(test_reads_a_text_can_be_spliced)
{
	ssize_t size;
	int fd;

	make_samples();
	fd = channel_open(texts[_i / 2], O_RDONLY);
	size = send_all(fd, _i % 2, other);
	ck_assert_int_gt(size, 0);
	must(lseek(fd, 0, SEEK_SET));
	ck_assert_int_eq(read_all(fd, buf), size);
	ck_assert_mem_eq(buf, other, (size_t)size);
	close(fd);
	unmake_samples();
}
END_TEST

/* All of a text is sent, however small it was when it was looked up. */
START_TEST(test_reads_a_text_that_has_grown_can_be_spliced)
{
	char name[64];
	ssize_t size;
	int fd, place;

	make_samples();
	look_at("info/summary");
	place = (int)must(open(ipc_path("info/summary"), O_PATH | O_CLOEXEC));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "create events/e%d", i);
		look_command(name);
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	fd = (int)must(open(name, O_RDONLY | O_CLOEXEC));
	size = send_all(fd, _i, other);
	must(lseek(fd, 0, SEEK_SET));
	ck_assert_int_eq(read_all(fd, buf), size);
	ck_assert_mem_eq(buf, other, (size_t)size);
	close(fd);
	close(place);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "events/e%d", i);
		must(unlink(ipc_path(name)));
	}
	unmake_samples();
}
END_TEST

static void expect_size(int fd, ssize_t size)
{
	struct stat attr;

	must(fstat(fd, &attr));
	ck_assert_int_eq(attr.st_size, size);
	ck_assert_int_ge(attr.st_blocks * 512, size);
}

START_TEST(test_reads_an_open_text_is_frozen_with_its_size)
{
	ssize_t size;
	int fd;

	make_samples();
	fd = channel_open(texts[_i], O_RDONLY);
	size = read_all(fd, buf);
	ck_assert_int_gt(size, 0);
	expect_size(fd, size);
	look_command("create queues/another");
	channel_put("queues/q", "data", 4);
	channel_put("sems/s", "5", 1);
	look_at(texts[_i]);
	expect_size(fd, size);
	must(lseek(fd, 0, SEEK_SET));
	ck_assert_int_eq(read_all(fd, other), size);
	ck_assert_mem_eq(buf, other, (size_t)size);
	close(fd);
	unmake_samples();
}
END_TEST

/* In the kernel, both opens share the same pages. */
START_TEST(test_reads_a_text_that_is_opened_again_is_not_mixed_up)
{
	int fd = channel_open("info/inventory.json", O_RDONLY), again;
	char path[32];
	ssize_t size;

	make_samples();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = (int)must(open(path, O_RDONLY));
	must_fail(splice(fd, NULL, ends[1], NULL, TEXT_MAX, 0), EINVAL);
	size = pread(again, buf, sizeof(buf), 0);
	ck_assert_int_gt(size, pread(fd, other, sizeof(other), 0));
	close(fd);
	must(fstat(again, &(struct stat){0})); /* now the kernel knows its size */
	ck_assert_int_eq(send_all(again, true, other), size);
	ck_assert_mem_eq(other, buf, (size_t)size);
	close(again);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_what_is_soon_made_shows_its_size_before_it_is_open)
{
	static const char *const soon[] = {"README", "ctl", "info/queues/q/status",
					   "info/sems/s/status",
					   "info/sysv/sems/0x000004d2/status"};
	struct stat attr;

	make_samples();
	must(stat(ipc_path(soon[_i]), &attr));
	ck_assert_int_eq(attr.st_size, (off_t)strlen(look_at(soon[_i])));
	unmake_samples();
}
END_TEST

START_TEST(test_reads_the_rest_shows_the_size_of_the_last_one)
{
	static const char *const rest[] = {"info/summary", "info/metrics", "info/graph.dot",
					   "info/queues/q/peers",
					   "info/sysv/sems/0x000004d3/status"};
	struct stat attr;
	off_t size;

	make_samples();
	look_command("create sysv/sems/0x4d3 count=200");
	must(stat(ipc_path(rest[_i]), &attr));
	ck_assert_int_eq(attr.st_size, 4096);
	size = (off_t)strlen(look_at(rest[_i]));
	must(stat(ipc_path(rest[_i]), &attr));
	ck_assert_int_eq(attr.st_size, size);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_a_text_can_be_sought)
{
	char part[8];
	ssize_t size;
	int fd;

	make_samples();
	fd = channel_open(texts[_i], O_RDONLY);
	size = read_all(fd, buf);
	ck_assert_int_eq(must(lseek(fd, 0, SEEK_CUR)), size);
	ck_assert_int_eq(must(lseek(fd, -8, SEEK_END)), size - 8);
	ck_assert_int_eq(must(read(fd, part, 8)), 8);
	ck_assert_mem_eq(part, buf + size - 8, 8);
	ck_assert_int_eq(must(pread(fd, part, 8, 5)), 8);
	ck_assert_mem_eq(part, buf + 5, 8);
	ck_assert_int_eq(must(pread(fd, part, 8, size)), 0);
	ck_assert_int_eq(must(lseek(fd, 3, SEEK_DATA)), 3);
	ck_assert_int_eq(must(lseek(fd, 3, SEEK_HOLE)), size);
	must_fail(lseek(fd, size, SEEK_DATA), ENXIO);
	must_fail(lseek(fd, size, SEEK_HOLE), ENXIO);
	close(fd);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_a_text_can_be_mapped)
{
	struct stat attr;
	char *map;
	int fd;

	make_samples();
	fd = channel_open(texts[_i], O_RDONLY);
	must(fstat(fd, &attr));
	map = mmap(NULL, (size_t)attr.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(read_all(fd, buf), attr.st_size);
	ck_assert_mem_eq(map, buf, (size_t)attr.st_size);
	must(munmap(map, (size_t)attr.st_size));
	close(fd);
	unmake_samples();
}
END_TEST

static void expect_end(int fd)
{
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(must(read(fd, other, sizeof(other))), 0);
}

START_TEST(test_reads_an_end_lasts)
{
	int fd;

	make_samples();
	fd = channel_open(texts[_i], O_RDONLY);
	ck_assert_int_gt(read_all(fd, buf), 0);
	expect_end(fd);
	close(fd);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_values_have_an_end_until_they_are_written)
{
	int fd;

	make_samples();
	fd = channel_open("sysv/sems/0x000004d2", O_RDWR);
	ck_assert_int_eq(read_all(fd, buf), 4);
	expect_end(fd);
	channel_put("sysv/sems/0x000004d2", "0 +3", 4);
	expect_end(fd);
	ck_assert_int_eq(must(write(fd, "1 +20", 5)), 5);
	ck_assert_int_eq(read_all(fd, buf), 5);
	ck_assert_mem_eq(buf, "3\n20\n", 5);
	expect_end(fd);
	close(fd);
	unmake_samples();
}
END_TEST

START_TEST(test_reads_ctl_has_an_end_until_it_is_written)
{
	ssize_t size;
	int fd;

	make_samples();
	fd = channel_open("ctl", O_RDWR);
	size = read_all(fd, buf);
	expect_end(fd);
	must_fail(write(fd, "nonsense\n", 9), EINVAL);
	ck_assert_int_gt(read_all(fd, buf), size);
	ck_assert_ptr_nonnull(strstr(buf, "\nline 1: "));
	expect_end(fd);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = i % 2 ? '\n' : '#';
	ck_assert_int_eq(must(write(fd, buf, sizeof(buf))), (ssize_t)sizeof(buf));
	must_fail(sendfile(ends[1], fd, NULL, 4096), EINVAL);
	must_fail(lseek(fd, 0, SEEK_CUR), ESPIPE);
	close(fd);
	unmake_samples();
}
END_TEST

/* Appending writes may begin anywhere, and stdio may cut lines anywhere, but ctl takes them. */
START_TEST(test_reads_ctl_takes_what_is_appended)
{
	FILE *file;

	file = fopen(ipc_path("ctl"), "ae");
	ck_assert_ptr_nonnull(file);
	setvbuf(file, NULL, _IOFBF, 4096);
	for (int i = 0; i < 200; i++)
		fprintf(file, "create sems/s%d mode=0600\n", i);
	ck_assert_int_eq(fclose(file), 0);
	for (int i = 0; i < 200; i++) {
		char name[32];

		snprintf(name, sizeof(name), "sems/s%d", i);
		must(access(ipc_path(name), F_OK));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reads");
	TCase *tcase = suite_case(suite, "streams", 30);

	tcase_add_loop_test(tcase, test_reads_a_stream_refuses_splice_and_keeps_what_waits, 0,
			    N_SAMPLES);
	tcase_add_loop_test(tcase, test_reads_a_stream_shows_a_page, 0, N_SAMPLES);
	tcase_add_test(tcase, test_reads_values_have_an_end_until_they_are_written);
	tcase_add_test(tcase, test_reads_ctl_has_an_end_until_it_is_written);
	tcase_add_test(tcase, test_reads_ctl_takes_what_is_appended);
	tcase = suite_case(suite, "texts", 30);
	tcase_add_loop_test(tcase, test_reads_a_text_can_be_spliced, 0, 2 * N_TEXTS);
	tcase_add_loop_test(tcase, test_reads_a_text_that_has_grown_can_be_spliced, 0, 2);
	tcase_add_test(tcase, test_reads_a_text_that_is_opened_again_is_not_mixed_up);
	tcase_add_loop_test(tcase, test_reads_an_open_text_is_frozen_with_its_size, 0, N_TEXTS);
	tcase_add_loop_test(tcase, test_reads_what_is_soon_made_shows_its_size_before_it_is_open, 0,
			    5);
	tcase_add_loop_test(tcase, test_reads_the_rest_shows_the_size_of_the_last_one, 0, 5);
	tcase_add_loop_test(tcase, test_reads_a_text_can_be_sought, 0, N_TEXTS);
	tcase_add_loop_test(tcase, test_reads_a_text_can_be_mapped, 0, N_TEXTS);
	tcase_add_loop_test(tcase, test_reads_an_end_lasts, 0, N_TEXTS);
	return suite_run(suite);
}
