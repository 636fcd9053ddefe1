/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand readers blocked on one channel disturb nobody. Each ends at once when a signal comes,
 * gets its own message when one comes, and leaves nothing behind in the daemon.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_READERS = 1000 };

struct reader {
	pthread_t thread;
	int fd;
	ssize_t n;
	int error;
	int message;
};

static struct reader readers[N_READERS];

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	reader->n = read(reader->fd, &reader->message, sizeof(reader->message));
	reader->error = errno;
	return NULL;
}

static bool all_wait(void *arg)
{
	(void)arg;
	mount_settle(&ipc);
	return mount_waiting(&ipc) >= N_READERS;
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
}

static void threads_start(const char *name)
{
	pthread_attr_t attr;

	allow_descriptors();
	signal_interrupts(SIGINT);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < N_READERS; i++) {
		readers[i].fd = channel_open(name, O_RDONLY);
		ck_assert_int_eq(pthread_create(&readers[i].thread, &attr, reader_run, &readers[i]),
				 0);
	}
	pthread_attr_destroy(&attr);
	ck_assert_msg(wait_until(all_wait, NULL, 10000), "only %d readers wait",
		      mount_waiting(&ipc));
}

static void threads_join(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 5;
	for (int i = 0; i < N_READERS; i++) {
		ck_assert_int_eq(pthread_timedjoin_np(readers[i].thread, NULL, &end), 0);
		must(close(readers[i].fd));
	}
}

static void threads_interrupt(void)
{
	for (int i = 0; i < N_READERS; i++)
		pthread_kill(readers[i].thread, SIGINT);
	threads_join();
}

static int process_reads(void *arg)
{
	char byte;
	int fd = open(ipc_path(arg), O_RDONLY);

	return fd < 0 || read(fd, &byte, 1) < 0 ? errno : 0;
}

/* Starts a thousand reading processes, and ends them with that signal. */
static void processes_round(const char *name, int signal)
{
	static pid_t pids[N_READERS];

	for (int i = 0; i < N_READERS; i++)
		pids[i] = child_start(process_reads, (void *)name);
	ck_assert_msg(wait_until(all_wait, NULL, 20000), "only %d readers wait",
		      mount_waiting(&ipc));
	for (int i = 0; i < N_READERS; i++)
		must(kill(pids[i], signal));
	for (int i = 0; i < N_READERS; i++) {
		int status = child_end(pids[i]);

		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signal,
			      "reader %d: wait status %#x", i, status);
	}
}

static int compare_times(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/* The median time of a stat(2), in microseconds. */
static long long stat_time(const char *name)
{
	static long long times[501];
	struct stat st;

	for (int i = 0; i < 501; i++) {
		long long start = now_us();

		must(stat(ipc_path(name), &st));
		times[i] = now_us() - start;
	}
	qsort(times, 501, sizeof(times[0]), compare_times);
	return times[250];
}

START_TEST(test_blocking_thousand_readers_others_work)
{
	struct dirent *entry;
	char buf[16];
	int n = 0;
	DIR *dir;

	channel_make(channel_names[_i]);
	channel_make("pipes/other");
	channel_make("queues/other");
	threads_start(channel_names[_i]);
	dir = opendir(ipc_path("pipes"));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	ck_assert_int_eq(n, _i == PIPE ? 2 : 1);
	channel_put("pipes/other", "beside", 6);
	ck_assert_int_eq(channel_take("pipes/other", buf, sizeof(buf)), 6);
	channel_put("queues/other", "beside", 6);
	ck_assert_int_eq(channel_take("queues/other", buf, sizeof(buf)), 6);
	ck_assert_int_ge(mount_waiting(&ipc), N_READERS);
	threads_interrupt();
}
END_TEST

START_TEST(test_blocking_thousand_readers_stat_stays_fast)
{
	const char *name = channel_names[_i];
	long long idle, busy;

	channel_make(name);
	stat_time(name);
	idle = stat_time(name);
	threads_start(name);
	busy = stat_time(name);
	threads_interrupt();
	ck_assert_msg(busy <= 2 * idle + 50, "stat: %lld us, idle %lld us", busy, idle);
}
END_TEST

START_TEST(test_blocking_thousand_readers_sigint_gives_eintr)
{
	long long start;

	channel_make(channel_names[_i]);
	threads_start(channel_names[_i]);
	start = now_us();
	threads_interrupt();
	ck_assert_int_lt(now_us() - start, 2000000);
	for (int i = 0; i < N_READERS; i++) {
		ck_assert_int_eq(readers[i].n, -1);
		ck_assert_int_eq(readers[i].error, EINTR);
	}
}
END_TEST

START_TEST(test_blocking_thousand_processes_sigint_ends)
{
	channel_make(channel_names[_i]);
	processes_round(channel_names[_i], SIGINT);
}
END_TEST

START_TEST(test_blocking_thousand_processes_sigkill_ends)
{
	channel_make(channel_names[_i]);
	processes_round(channel_names[_i], SIGKILL);
}
END_TEST

START_TEST(test_blocking_thousand_readers_each_gets_one_message)
{
	static bool seen[N_READERS];
	int fd;

	channel_make(channel_names[_i]);
	threads_start(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_WRONLY);
	for (int i = 0; i < N_READERS; i++)
		ck_assert_int_eq(must(write(fd, &i, sizeof(i))), sizeof(i));
	threads_join();
	must(close(fd));
	for (int i = 0; i < N_READERS; i++) {
		ck_assert_int_eq(readers[i].n, sizeof(int));
		ck_assert_uint_lt((unsigned int)readers[i].message, N_READERS);
		ck_assert(!seen[readers[i].message]);
		seen[readers[i].message] = true;
	}
}
END_TEST

START_TEST(test_blocking_interrupted_readers_take_no_message)
{
	char buf[16];

	channel_make(channel_names[_i]);
	threads_start(channel_names[_i]);
	threads_interrupt();
	channel_put(channel_names[_i], "kept", 4);
	ck_assert_int_eq(must(channel_take(channel_names[_i], buf, sizeof(buf))), 4);
	ck_assert_mem_eq(buf, "kept", 4);
}
END_TEST

static bool descriptors_are(void *arg)
{
	return mount_descriptors(&ipc) <= *(int *)arg;
}

static int threads_round(void *name)
{
	threads_start(name);
	threads_interrupt();
	return 0;
}

/*
 * The threads run in a process of their own, because their stacks would make every fork here slow.
 */
static void all_rounds(const char *name)
{
	child_must(threads_round, (void *)name);
	processes_round(name, SIGKILL);
}

START_TEST(test_blocking_readers_gone_daemon_holds_no_more)
{
	int descriptors;
	long memory;

	for (int i = 0; i < N_CHANNELS; i++)
		channel_make(channel_names[i]);
	descriptors = mount_descriptors(&ipc);
	for (int i = 0; i < N_CHANNELS; i++)
		all_rounds(channel_names[i]);
	memory = mount_memory(&ipc);
	for (int i = 0; i < N_CHANNELS; i++)
		all_rounds(channel_names[i]);
	ck_assert_msg(wait_until(descriptors_are, &descriptors, 5000), "%d descriptors, before %d",
		      mount_descriptors(&ipc), descriptors);
	if (!program_is_sanitized())
		ck_assert_int_le(mount_memory(&ipc), memory + 128);
}
END_TEST

START_TEST(test_blocking_thousand_readers_cost_less_than_a_mebibyte)
{
	long memory;

	channel_make(channel_names[_i]);
	memory = mount_memory(&ipc);
	threads_start(channel_names[_i]);
	ck_assert_int_lt(mount_memory(&ipc) - memory, 1024);
	threads_interrupt();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blocking");
	TCase *tcase = suite_case_served(suite, "blocking", 60);

	tcase_add_loop_test(tcase, test_blocking_thousand_readers_others_work, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_thousand_readers_stat_stays_fast, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_thousand_readers_sigint_gives_eintr, 0,
			    N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_thousand_processes_sigint_ends, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_thousand_processes_sigkill_ends, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_thousand_readers_each_gets_one_message, 0,
			    N_CHANNELS);
	tcase_add_loop_test(tcase, test_blocking_interrupted_readers_take_no_message, 0,
			    N_CHANNELS);
	tcase_add_test(tcase, test_blocking_readers_gone_daemon_holds_no_more);
	if (program_is_sanitized())
		puts("# left out: test_blocking_thousand_readers_cost_less_than_a_mebibyte: "
		     "AddressSanitizer keeps what was freed");
	else
		tcase_add_loop_test(tcase, test_blocking_thousand_readers_cost_less_than_a_mebibyte,
				    0, N_CHANNELS);
	return suite_run(suite);
}
