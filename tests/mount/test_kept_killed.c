/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that are killed while they read from and write to kept FIFOs: what a reader had not
 * taken is still there, and nobody else's writes are torn.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIPE_NAME "pipes/p"

enum { N_RECORDS = 100000, RECORD = 16, READ_MOST = 256, N_WRITERS = 8, N_BLOCKS = 100 };

/*
 * The log of all readers: their read(2) puts what it takes directly here, one record after the
 * other. The kernel has written a record here before a signal can end the reader, so the log is
 * everything that was ever taken.
 */
static struct record {
	uint64_t number, inverse;
} * log_of_all;

static size_t n_logged(void)
{
	size_t n = 0;

	while (n < N_RECORDS && log_of_all[n].number)
		n++;
	return n;
}

static int log_run(void *arg)
{
	struct record *next = log_of_all + n_logged(), *end = log_of_all + N_RECORDS;
	int fd = open(ipc_path(PIPE_NAME), O_RDONLY);
	ssize_t n;

	(void)arg;
	while (next < end) {
		size_t room = (size_t)(end - next) * sizeof(*next);

		n = read(fd, next, room < READ_MOST ? room : READ_MOST);
		if (n <= 0)
			return n < 0 ? errno : ENODATA;
		next += n / (ssize_t)sizeof(*next);
	}
	return 0;
}

static int number_run(void *arg)
{
	int fd = open(ipc_path(PIPE_NAME), O_WRONLY);

	(void)arg;
	signal(SIGPIPE, SIG_DFL);
	for (uint64_t i = 1; i <= N_RECORDS; i++) {
		struct record record = {i, ~i};

		if (write(fd, &record, sizeof(record)) != sizeof(record))
			return errno;
	}
	return 0;
}

static void pause_at_random(unsigned int *seed)
{
	struct timespec pause = {.tv_nsec = rand_r(seed) % 3000000};

	nanosleep(&pause, NULL);
}

static void log_make(void)
{
	_Static_assert(sizeof(struct record) == RECORD, "a read ends between two");
	log_of_all = mmap(NULL, (size_t)N_RECORDS * RECORD, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(log_of_all, MAP_FAILED);
}

START_TEST(test_killed_readers_lose_nothing)
{
	unsigned int seed = 1;
	int n_killed = 0;
	pid_t writer, reader;

	kept_make(PIPE_NAME);
	log_make();
	writer = child_start(number_run, NULL);
	while (n_logged() < N_RECORDS) {
		int status;

		reader = child_start(log_run, NULL);
		pause_at_random(&seed);
		must(kill(reader, SIGKILL));
		status = child_end(reader);
		if (WIFSIGNALED(status))
			n_killed++;
		else
			ck_assert_int_eq(WEXITSTATUS(status), 0);
	}
	ck_assert_int_eq(child_end(writer), 0);
	ck_assert_int_gt(n_killed, 0);
	for (uint64_t i = 0; i < N_RECORDS; i++)
		if (log_of_all[i].number != i + 1 || log_of_all[i].inverse != ~(i + 1))
			ck_abort_msg("record %lu is %lu", i + 1, log_of_all[i].number);
}
END_TEST

/* Writes and waits to be killed: in write(2) if there is more than fits, else in pause(2). */
static int write_until_killed_run(void *arg)
{
	static char data[2 * KEPT_CAPACITY];
	int fd = open(ipc_path(PIPE_NAME), O_WRONLY);

	if (fd < 0 || write(fd, data, *(const size_t *)arg) < 0)
		return errno;
	pause();
	return 0;
}

START_TEST(test_killed_writer_leaves_what_it_wrote_and_an_end)
{
	static const size_t sizes[] = {5000, 2 * KEPT_CAPACITY};
	static const size_t left[] = {5000, KEPT_CAPACITY};
	pid_t pid;

	kept_make(PIPE_NAME);
	pid = child_start(write_until_killed_run, (void *)&sizes[_i]);
	task_must_block(pid, _i ? SYS_write : SYS_pause);
	must(kill(pid, SIGKILL));
	child_end(pid);
	ck_assert_uint_eq(kept_take_to_end(ipc_path(PIPE_NAME), 0), left[_i]);
}
END_TEST

/* Writes blocks of one letter, each of the largest size that is never torn. */
static int write_blocks_run(void *arg)
{
	char block[PIPE_BUF];
	int fd = open(ipc_path(PIPE_NAME), O_WRONLY);

	memset(block, *(const char *)arg, sizeof(block));
	for (int i = 0; i < N_BLOCKS; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			return errno;
	return 0;
}

static bool is_block(const char *bytes)
{
	for (size_t i = 1; i < PIPE_BUF; i++)
		if (bytes[i] != bytes[0])
			return false;
	return true;
}

START_TEST(test_killed_or_not_writes_of_pipe_buf_are_whole)
{
	static const char letters[] = "abcdefgh";
	static char all[N_WRITERS * N_BLOCKS * PIPE_BUF];
	pid_t pids[N_WRITERS];
	size_t size = 0;
	int reader;

	kept_make(PIPE_NAME);
	reader = channel_open(PIPE_NAME, O_RDWR);
	for (int i = 0; i < N_WRITERS; i++)
		pids[i] = child_start(write_blocks_run, (void *)&letters[i]);
	/* The reads are not of whole blocks, so that torn blocks show. */
	while (size < sizeof(all))
		size += (size_t)must(read(reader, all + size,
					  sizeof(all) - size < 7001 ? sizeof(all) - size : 7001));
	for (int i = 0; i < N_WRITERS; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
	for (size_t i = 0; i < sizeof(all); i += PIPE_BUF)
		ck_assert(is_block(all + i));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept_killed");
	TCase *tcase = suite_case(suite, "killed", 60);

	kept_add(tcase, test_killed_readers_lose_nothing);
	kept_add_loop(tcase, test_killed_writer_leaves_what_it_wrote_and_an_end, 2);
	kept_add(tcase, test_killed_or_not_writes_of_pipe_buf_are_whole);
	return suite_run(suite);
}
