/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A full pipe or queue with a writer blocked on it. A second writer, `echo >`, `>>`, rm and stat of
 * the same name work, or wait where a signal ends them, and no process is in D state. A write that
 * ends early returns how many of its bytes moved, and nothing is lost or sent twice.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a program opens before it writes: plainly, as the shell's > and >>, and as dd. */
static const int open_flags[] = {
	O_WRONLY,
	O_WRONLY | O_CREAT | O_TRUNC,
	O_WRONLY | O_CREAT | O_APPEND,
	O_RDWR,
};

enum { N_FLAGS = sizeof(open_flags) / sizeof(open_flags[0]) };

struct writer {
	const char *name;
	int flags;
	size_t size;
	char byte; /* fills the whole write */
	ssize_t n; /* what write(2) returned, or a negative errno */
};

/* Makes writers in memory that is shared with the children, which leave their results there. */
static struct writer *writers_new(const char *name, int n)
{
	struct writer *writers = mmap(NULL, (size_t)n * sizeof(*writers), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(writers, MAP_FAILED);
	for (int i = 0; i < n; i++) {
		writers[i].name = name;
		writers[i].flags = open_flags[i % N_FLAGS];
		writers[i].size = 4096;
		writers[i].byte = 'w';
	}
	return writers;
}

static int writer_run(void *arg)
{
	struct writer *writer = arg;
	int fd = open(ipc_path(writer->name), writer->flags, 0666);
	char *data = malloc(writer->size);

	if (fd < 0 || !data)
		return errno;
	memset(data, writer->byte, writer->size);
	writer->n = write(fd, data, writer->size);
	if (writer->n < 0)
		writer->n = -errno;
	return 0;
}

static void must_end_within(pid_t pid, int milliseconds)
{
	ck_assert_msg(child_has_ended(pid, milliseconds), "task %d hangs in state %c", pid,
		      task_state(pid));
}

START_TEST(test_full_further_writers_any_signal_ends)
{
	const char *name = channel_names[_i / 2];
	int signal = _i % 2 ? SIGKILL : SIGINT;
	struct writer *writers = writers_new(name, 2 * N_FLAGS);
	pid_t pids[2 * N_FLAGS];

	channel_make(name);
	channel_fill(name);
	for (int i = 0; i < 2 * N_FLAGS; i++) {
		pids[i] = child_start(writer_run, &writers[i]);
		task_must_block(pids[i], SYS_write);
	}
	for (int i = 2 * N_FLAGS - 1; i >= 0; i--) {
		must(kill(pids[i], signal));
		must_end_within(pids[i], 2000);
		ck_assert_int_eq(WTERMSIG(child_end(pids[i])), signal);
	}
}
END_TEST

START_TEST(test_full_writers_blocked_nobody_in_d_state)
{
	const char *name = channel_names[_i];
	struct writer *writers = writers_new(name, N_FLAGS);
	pid_t pids[N_FLAGS];

	channel_make(name);
	channel_fill(name);
	for (int i = 0; i < N_FLAGS; i++)
		pids[i] = child_start(writer_run, &writers[i]);
	for (int i = 0; i < N_FLAGS; i++)
		task_must_block(pids[i], SYS_write);
	for (int i = 0; i < N_FLAGS; i++)
		ck_assert(!task_is_stuck(pids[i]));
	for (int i = 0; i < N_FLAGS; i++) {
		must(kill(pids[i], SIGKILL));
		child_end(pids[i]);
	}
}
END_TEST

static int stat_run(void *arg)
{
	struct stat st;
	int fd = open(ipc_path(arg), O_RDONLY | O_NONBLOCK);

	if (fd < 0 || stat(ipc_path(arg), &st) < 0 || fstat(fd, &st) < 0)
		return errno;
	return 0;
}

static int chmod_run(void *arg)
{
	return chmod(ipc_path(arg), 0640) < 0 ? errno : 0;
}

static int unlink_run(void *arg)
{
	return unlink(ipc_path(arg)) < 0 ? errno : 0;
}

static int truncate_run(void *arg)
{
	return truncate(ipc_path(arg), 0) < 0 ? errno : 0;
}

static void with_blocked_writer(const char *name, int (*body)(void *))
{
	struct writer *writer = writers_new(name, 1);
	pid_t blocked, pid;

	channel_make(name);
	channel_fill(name);
	blocked = child_start(writer_run, writer);
	task_must_block(blocked, SYS_write);
	pid = child_start(body, (void *)name);
	must_end_within(pid, 2000);
	ck_assert_int_eq(child_end(pid), 0);
	kill(blocked, SIGINT);
	must_end_within(blocked, 2000);
	child_end(blocked);
}

START_TEST(test_full_writer_blocked_stat_works)
{
	with_blocked_writer(channel_names[_i], stat_run);
}
END_TEST

START_TEST(test_full_writer_blocked_chmod_works)
{
	with_blocked_writer(channel_names[_i], chmod_run);
}
END_TEST

START_TEST(test_full_writer_blocked_unlink_works)
{
	with_blocked_writer(channel_names[_i], unlink_run);
	must_fail(access(ipc_path(channel_names[_i]), F_OK), ENOENT);
}
END_TEST

START_TEST(test_full_truncated_blocked_writer_goes_on)
{
	const char *name = channel_names[_i];
	struct writer *writer = writers_new(name, 1);
	pid_t pid;

	channel_make(name);
	channel_fill(name);
	pid = child_start(writer_run, writer);
	task_must_block(pid, SYS_write);
	child_must(truncate_run, (void *)name);
	must_end_within(pid, 2000);
	child_end(pid);
	ck_assert_int_eq(writer->n, 4096);
	ck_assert_uint_eq(channel_drain(name), 4096);
}
END_TEST

START_TEST(test_full_drained_blocked_writer_goes_on)
{
	const char *name = channel_names[_i];
	struct writer *writer = writers_new(name, 1);
	size_t size;
	pid_t pid;

	channel_make(name);
	size = channel_fill(name);
	pid = child_start(writer_run, writer);
	task_must_block(pid, SYS_write);
	ck_assert_uint_ge(channel_drain(name), size);
	must_end_within(pid, 2000);
	child_end(pid);
	ck_assert_int_eq(writer->n, 4096);
}
END_TEST

static int interrupted_run(void *arg)
{
	signal_interrupts(SIGINT);
	return writer_run(arg);
}

/*
 * Starts a writer that blocks on a full channel, and interrupts it. Returns the result of its
 * write(2), or a negative errno.
 */
static ssize_t interrupted_write(const char *name, size_t size)
{
	struct writer *writer = writers_new(name, 1);
	pid_t pid;

	writer->size = size;
	pid = child_start(interrupted_run, writer);
	task_must_block(pid, SYS_write);
	mount_settle(&ipc);
	must(kill(pid, SIGINT));
	must_end_within(pid, 2000);
	ck_assert_int_eq(child_end(pid), 0);
	return writer->n;
}

START_TEST(test_full_interrupted_writer_sent_nothing)
{
	const char *name = channel_names[_i];
	size_t size;

	channel_make(name);
	size = channel_fill(name);
	ck_assert_int_eq(interrupted_write(name, 4096), -EINTR);
	ck_assert_uint_eq(channel_drain(name), size);
}
END_TEST

/* Room for a part of the write is made before the write, while it waits, or both. */
START_TEST(test_full_interrupted_after_some_bytes_count_is_true)
{
	enum { ROOM = 100 * 1024 };
	static char buf[ROOM];
	const char *name = channel_names[PIPE];
	struct writer *writer = writers_new(name, 1);
	bool before = _i != 1, meanwhile = _i != 0;
	size_t size;
	pid_t pid;

	writer->size = 300 * 1024;
	channel_make(name);
	size = channel_fill(name) - (size_t)(before + meanwhile) * ROOM;
	if (before)
		ck_assert_int_eq(must(channel_take(name, buf, ROOM)), ROOM);
	pid = child_start(interrupted_run, writer);
	task_must_block(pid, SYS_write);
	mount_settle(&ipc);
	if (meanwhile)
		ck_assert_int_eq(must(channel_take(name, buf, ROOM)), ROOM);
	must(kill(pid, SIGINT));
	must_end_within(pid, 2000);
	child_end(pid);
	ck_assert_int_eq(writer->n, (before + meanwhile) * ROOM);
	ck_assert_uint_eq(channel_drain(name), size + (size_t)writer->n);
}
END_TEST

START_TEST(test_full_half_moved_write_is_not_split_by_a_later_one)
{
	enum { ROOM = 100 * 1024, FIRST = 300 * 1024, SECOND = 4096, ALL = 2 << 20 };
	const char *name = channel_names[PIPE];
	struct writer *writers = writers_new(name, 2);
	char *buf = malloc(ALL);
	size_t start, size = 0;
	pid_t pids[2];
	int fd;

	ck_assert_ptr_nonnull(buf);
	writers[0].size = FIRST;
	writers[1].size = SECOND;
	writers[1].byte = 'x';
	channel_make(name);
	channel_fill(name);
	ck_assert_int_eq(must(channel_take(name, buf, ROOM)), ROOM);
	for (int i = 0; i < 2; i++) {
		pids[i] = child_start(writer_run, &writers[i]);
		task_must_block(pids[i], SYS_write);
		mount_settle(&ipc);
	}
	start = (1 << 20) - ROOM;
	fd = channel_open(name, O_RDONLY);
	while (size < start + FIRST + SECOND)
		size += (size_t)must(read(fd, buf + size, 50000));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
	ck_assert_ptr_eq(memchr(buf, 'x', size), buf + start + FIRST);
	ck_assert_ptr_eq(memrchr(buf, 'w', size), buf + start + FIRST - 1);
	free(buf);
}
END_TEST

START_TEST(test_full_pipe_holds_a_mebibyte)
{
	channel_make(channel_names[PIPE]);
	ck_assert_uint_eq(channel_fill(channel_names[PIPE]), 1 << 20);
}
END_TEST

START_TEST(test_full_queue_holds_ten_messages)
{
	channel_make(channel_names[QUEUE]);
	ck_assert_uint_eq(channel_fill(channel_names[QUEUE]), 10 * 4096);
}
END_TEST

/* Adds the tests that apply to the first `end` channels, whether the pipe is served or a FIFO. */
static void add_full_tests(TCase *tcase, int end)
{
	tcase_add_loop_test(tcase, test_full_further_writers_any_signal_ends, 0, 2 * end);
	tcase_add_loop_test(tcase, test_full_writers_blocked_nobody_in_d_state, 0, end);
	tcase_add_loop_test(tcase, test_full_writer_blocked_stat_works, 0, end);
	tcase_add_loop_test(tcase, test_full_writer_blocked_chmod_works, 0, end);
	tcase_add_loop_test(tcase, test_full_writer_blocked_unlink_works, 0, end);
	tcase_add_loop_test(tcase, test_full_drained_blocked_writer_goes_on, 0, end);
	tcase_add_loop_test(tcase, test_full_interrupted_writer_sent_nothing, 0, end);
	tcase_add_loop_test(tcase, test_full_interrupted_after_some_bytes_count_is_true, 0, 3);
	tcase_add_test(tcase, test_full_pipe_holds_a_mebibyte);
}

int main(void)
{
	Suite *suite = suite_create("full");
	TCase *tcase = suite_case(suite, "fifo", 30);

	add_full_tests(tcase, PIPE + 1);
	tcase = suite_case_served(suite, "full", 30);
	add_full_tests(tcase, N_CHANNELS);
	tcase_add_loop_test(tcase, test_full_truncated_blocked_writer_goes_on, 0, N_CHANNELS);
	tcase_add_test(tcase, test_full_half_moved_write_is_not_split_by_a_later_one);
	tcase_add_test(tcase, test_full_queue_holds_ten_messages);
	return suite_run(suite);
}
