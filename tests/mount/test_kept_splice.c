/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other ways into and out of a kept FIFO: splice, tee, vmsplice, sendfile and io_uring. They do
 * what they do with a FIFO on a tmpfs, and whoever takes the last byte by one of them finds the
 * end-of-file.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/process.h"
#include "tests/mount/ring.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* SIZE: some pages and a part of one. */
enum { SIZE = 5 * 4096 + 123, N_ROUNDS = 50 };

static char data[SIZE];

static void data_make(void)
{
	for (int i = 0; i < SIZE; i++)
		data[i] = (char)(i * 7 + i / 4096);
}

/* Opens a file outside the mount: with the data in it, or an empty one to write to. */
static int file_open(bool is_full)
{
	const char *path = scratch_path(is_full ? "source" : "target");
	int fd = (int)must(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	if (is_full) {
		ck_assert_int_eq(must(write(fd, data, SIZE)), SIZE);
		must(lseek(fd, 0, SEEK_SET));
	}
	return fd;
}

static void put_write(int writer)
{
	ck_assert_int_eq(must(write(writer, data, SIZE)), SIZE);
}

static void put_splice_file(int writer)
{
	int file = file_open(true);
	ssize_t n;

	for (size_t size = 0; size < SIZE; size += (size_t)n) {
		n = must(splice(file, NULL, writer, NULL, SIZE - size, 0));
		ck_assert_int_gt(n, 0);
	}
	must(close(file));
}

static void put_sendfile(int writer)
{
	int file = file_open(true);
	ssize_t n;

	for (size_t size = 0; size < SIZE; size += (size_t)n) {
		n = must(sendfile(writer, file, NULL, SIZE - size));
		ck_assert_int_gt(n, 0);
	}
	must(close(file));
}

static void put_vmsplice(int writer)
{
	struct iovec part = {data, SIZE};

	while (part.iov_len > 0) {
		ssize_t n = must(vmsplice(writer, &part, 1, 0));

		part.iov_base = (char *)part.iov_base + n;
		part.iov_len -= (size_t)n;
	}
}

/* tee(2) takes the data from a pipe that keeps it. The data is read from that pipe afterwards. */
static void put_tee(int writer)
{
	static char back[SIZE];
	int ends[2];

	must(pipe2(ends, O_CLOEXEC));
	put_write(ends[1]);
	ck_assert_int_eq(must(tee(ends[0], writer, SIZE, 0)), SIZE);
	ck_assert_int_eq(must(read(ends[0], back, SIZE)), SIZE);
	ck_assert_mem_eq(back, data, SIZE);
	must(close(ends[0]));
	must(close(ends[1]));
}

static void (*const puts_[])(int writer) = {put_write, put_splice_file, put_sendfile, put_vmsplice,
					    put_tee};
enum { N_PUTS = sizeof(puts_) / sizeof(puts_[0]) };

/*
 * Each of the take functions moves some bytes to `buf` and returns their number: 0 at end-of-file.
 */
static ssize_t take_read(int reader, char *buf, size_t size)
{
	return must(read(reader, buf, size));
}

static ssize_t take_splice_file(int reader, char *buf, size_t size)
{
	int file = file_open(false);
	ssize_t n = must(splice(reader, NULL, file, NULL, size, 0));

	ck_assert_int_eq(must(pread(file, buf, size, 0)), n);
	must(close(file));
	return n;
}

static ssize_t take_splice_pipe(int reader, char *buf, size_t size)
{
	int ends[2];
	ssize_t n;

	must(pipe2(ends, O_CLOEXEC));
	n = must(splice(reader, NULL, ends[1], NULL, size, 0));
	if (n > 0)
		ck_assert_int_eq(must(read(ends[0], buf, size)), n);
	must(close(ends[0]));
	must(close(ends[1]));
	return n;
}

static ssize_t take_vmsplice(int reader, char *buf, size_t size)
{
	struct iovec part = {buf, size};

	return must(vmsplice(reader, &part, 1, 0));
}

/* tee(2) leaves the data in place, so it is read afterwards. At the end, tee(2) returns 0 too. */
static ssize_t take_tee(int reader, char *buf, size_t size)
{
	static char copy[SIZE];
	int ends[2];
	ssize_t n;

	must(pipe2(ends, O_CLOEXEC));
	n = must(tee(reader, ends[1], size, 0));
	if (n > 0) {
		ck_assert_int_eq(must(read(ends[0], copy, size)), n);
		ck_assert_int_eq(must(read(reader, buf, (size_t)n)), n);
		ck_assert_mem_eq(copy, buf, n);
	}
	must(close(ends[0]));
	must(close(ends[1]));
	return n;
}

static ssize_t take_ring(int reader, char *buf, size_t size)
{
	int n = ring_read(reader, buf, (unsigned int)size);

	ck_assert_msg(n >= 0, "io_uring: %s", strerror(-n));
	return n;
}

static ssize_t (*const takes[])(int reader, char *buf, size_t size) = {
	take_read, take_splice_file, take_splice_pipe, take_vmsplice, take_tee, take_ring,
};
enum { N_TAKES = sizeof(takes) / sizeof(takes[0]) };

static void take_to_end(int how, int reader)
{
	static char buf[SIZE];
	size_t size = 0;
	ssize_t n = 1;

	while (n > 0) {
		/* Take less than all, and not whole pages. */
		size_t room = SIZE - size < 9000 ? SIZE - size : 9000;

		n = takes[how](reader, buf + size, room ? room : 1);
		size += (size_t)n;
	}
	ck_assert_uint_eq(size, SIZE);
	ck_assert_mem_eq(buf, data, SIZE);
}

/* The writer has gone: the daemon must notice when the last byte is taken, whichever way. */
START_TEST(test_splice_writer_gone_reader_finds_data_and_end)
{
	int put = _i / N_TAKES, take = _i % N_TAKES, fd;

	data_make();
	kept_make("pipes/p");
	for (int i = 0; i < N_ROUNDS; i++) {
		fd = channel_open("pipes/p", O_WRONLY);
		puts_[put](fd);
		must(close(fd));
		fd = channel_open("pipes/p", O_RDONLY);
		take_to_end(take, fd);
		must(close(fd));
	}
}
END_TEST

static int put_run(void *arg)
{
	const int *how = arg;

	puts_[*how](channel_open("pipes/p", O_WRONLY));
	return 0;
}

START_TEST(test_splice_both_at_once)
{
	int put = _i / N_TAKES, take = _i % N_TAKES, fd;
	pid_t pid;

	data_make();
	kept_make("pipes/p");
	for (int i = 0; i < N_ROUNDS / 5; i++) {
		pid = child_start(put_run, &put);
		fd = channel_open("pipes/p", O_RDONLY);
		take_to_end(take, fd);
		must(close(fd));
		ck_assert_int_eq(child_end(pid), 0);
	}
}
END_TEST

/* Calls that are refused fail just as they do on a tmpfs. */
START_TEST(test_splice_refusals_are_native)
{
	int errors[N_PLACES][3] = {{0}};

	data_make();
	for (int place = 0; place < N_PLACES; place++) {
		const char *path = kept_place(place);
		int reader = kept_reader(path), writer = kept_writer(path), file = file_open(false);
		loff_t offset = 0;

		put_write(writer);
		errno = 0;
		ck_assert_int_lt(sendfile(file, reader, NULL, SIZE), 1);
		errors[place][0] = errno;
		ck_assert_int_lt(splice(reader, &offset, file, NULL, SIZE, 0), 0);
		errors[place][1] = errno;
		ck_assert_int_lt(tee(reader, writer, SIZE, 0), 0);
		errors[place][2] = errno;
		ck_assert_int_eq(kept_unread(reader), SIZE);
	}
	ck_assert_mem_eq(errors[KEPT], errors[NATIVE], sizeof(errors[0]));
}
END_TEST

/* No thread of the test sleeps while the read waits for a writer, and then for the end-of-file. */
START_TEST(test_splice_ring_waits_for_a_writer)
{
	char buf[16];
	int reader, writer;

	kept_make("pipes/p");
	reader = kept_reader(ipc_path("pipes/p"));
	writer = kept_writer(ipc_path("pipes/p"));
	ring_begin_read(reader, buf, sizeof(buf));
	ck_assert(!ring_has_ended());
	ck_assert_int_eq(must(write(writer, "hello", 5)), 5);
	ck_assert_int_eq(ring_end(), 5);
	ring_begin_read(reader, buf, sizeof(buf));
	ck_assert(!ring_has_ended());
	must(close(writer));
	ck_assert_int_eq(ring_end(), 0);
}
END_TEST

static void add_all(TCase *tcase, const TTest *test)
{
	for (int i = 0; i < N_PUTS * N_TAKES; i++)
		if (takes[i % N_TAKES] != take_ring || ring_is_there())
			case_add_needing(tcase, test, i, KEPT_NEEDS);
}

int main(void)
{
	Suite *suite = suite_create("kept_splice");
	TCase *tcase = suite_case(suite, "splice", 30);

	if (!ring_is_there())
		puts("# left out: what reads by io_uring: the kernel has it not, or turned off");
	fflush(stdout);
	add_all(tcase, test_splice_writer_gone_reader_finds_data_and_end);
	add_all(tcase, test_splice_both_at_once);
	kept_add(tcase, test_splice_refusals_are_native);
	if (ring_is_there())
		kept_add(tcase, test_splice_ring_waits_for_a_writer);
	return suite_run(suite);
}
