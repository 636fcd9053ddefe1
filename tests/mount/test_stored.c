/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait in served pipes stay what they were while other requests arrive in the same
 * memory, and they take little more memory than their length.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * KIB, N_PIPES = 8, N_MANY = 200, N_STEPS = 4000, SMALL = 16 * KIB };

/* Fails the test unless the daemon's memory has grown by less than `most` KiB. */
static void expect_less(long before, long most)
{
	if (!program_is_sanitized())
		ck_assert_int_lt(mount_memory(&ipc) - before, most);
}

/*
 * A pipe, and how far it has been written and read. Each byte depends on its position and its pipe.
 */
struct pipe {
	int fd;
	uint64_t n_written, n_read;
};

static struct pipe pipes[N_MANY];
static unsigned char buf[MIB];

static void open_pipes(int n)
{
	int ctl = (int)must(open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC));

	for (int i = 0; i < n; i++) {
		char line[64], name[32];
		int length = snprintf(line, sizeof(line), "create pipes/%d served=daemon\n", i);

		ck_assert_int_eq(must(write(ctl, line, (size_t)length)), length);
		snprintf(name, sizeof(name), "pipes/%d", i);
		pipes[i].fd = (int)must(open(ipc_path(name), O_RDWR | O_NONBLOCK | O_CLOEXEC));
	}
	close(ctl);
}

static unsigned char byte_at(const struct pipe *pipe, uint64_t place)
{
	return (unsigned char)(place / 251 + place % 251 + (uint64_t)(pipe - pipes) * 17);
}

static void put(struct pipe *pipe, size_t size)
{
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		buf[i] = byte_at(pipe, pipe->n_written + i);
	n = write(pipe->fd, buf, size);
	if (n < 0)
		ck_assert_int_eq(errno, EAGAIN);
	else
		pipe->n_written += (uint64_t)n;
}

static void take(struct pipe *pipe, size_t size)
{
	ssize_t n = read(pipe->fd, buf, size);

	if (n < 0) {
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_uint_eq(pipe->n_read, pipe->n_written);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != byte_at(pipe, pipe->n_read + (uint64_t)i))
			ck_abort_msg("byte %llu is another",
				     (unsigned long long)pipe->n_read + (unsigned long long)i);
	pipe->n_read += (uint64_t)n;
}

/*
 * Small and large sizes, so that buffers that are kept and bytes that are copied lie side by side.
 */
static size_t choose_size(void)
{
	switch (random() % 4) {
	case 0:
		return 1 + (size_t)random() % 100;
	case 1:
		return 1 + (size_t)random() % MIB;
	default:
		return 1 + (size_t)random() % (128 * KIB);
	}
}

START_TEST(test_stored_bytes_stay_what_they_were)
{
	open_pipes(N_PIPES);
	srandom((unsigned)_i + 1);
	for (int i = 0; i < N_STEPS; i++) {
		struct pipe *pipe = &pipes[random() % N_PIPES];

		if (random() % 2)
			put(pipe, choose_size());
		else
			take(pipe, choose_size());
	}
	for (int i = 0; i < N_PIPES; i++)
		while (pipes[i].n_read < pipes[i].n_written)
			take(&pipes[i], MIB);
}
END_TEST

START_TEST(test_stored_small_writes_take_little)
{
	long memory;

	open_pipes(N_MANY);
	memory = mount_memory(&ipc);
	for (int i = 0; i < N_MANY; i++)
		put(&pipes[i], SMALL);
	expect_less(memory, 2L * N_MANY * SMALL / KIB + MIB / KIB);
}
END_TEST

START_TEST(test_stored_large_writes_take_no_more_than_twice_their_size)
{
	long memory;

	open_pipes(N_PIPES);
	memory = mount_memory(&ipc);
	for (int i = 0; i < N_PIPES; i++)
		for (int k = 0; k < MIB / (64 * KIB); k++)
			put(&pipes[i], 64 * KIB);
	for (int i = 0; i < N_PIPES; i++)
		ck_assert_uint_eq(pipes[i].n_written, MIB);
	expect_less(memory, 2L * (N_PIPES + 2) * MIB / KIB);
}
END_TEST

/* The memory goes back, except for some buffers that are left for the next writes. */
START_TEST(test_stored_memory_goes_back)
{
	long memory;

	open_pipes(4 * N_PIPES);
	memory = mount_memory(&ipc);
	for (int i = 0; i < 4 * N_PIPES; i++)
		put(&pipes[i], MIB);
	for (int i = 0; i < 4 * N_PIPES; i++)
		while (pipes[i].n_read < pipes[i].n_written)
			take(&pipes[i], MIB);
	expect_less(memory, 12L * MIB / KIB);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored");
	TCase *tcase = suite_case(suite, "stored", 60);

	tcase_add_loop_test(tcase, test_stored_bytes_stay_what_they_were, 0, 3);
	tcase_add_test(tcase, test_stored_small_writes_take_little);
	tcase_add_test(tcase, test_stored_large_writes_take_no_more_than_twice_their_size);
	tcase_add_test(tcase, test_stored_memory_goes_back);
	return suite_run(suite);
}
