/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads from a pipe that are longer than one request. Each gets what there is, does not wait for
 * more, and loses nothing, whoever else reads.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, MIB = 1 << 20, N_THREADS = 4, N_WORDS = 32 * MIB / 8 };

static char *buf; /* 3 MiB and two pages, page-aligned */

static void setup(void)
{
	static const char line[] = "create pipes/long served=daemon mode=0600\n";
	int ctl = (int)must(open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC));

	must(write(ctl, line, sizeof(line) - 1));
	close(ctl);
	buf = aligned_alloc(PAGE, 3 * MIB + 2 * PAGE);
}

static void teardown(void)
{
	free(buf);
}

static int open_long(int flags)
{
	return (int)must(open(ipc_path("pipes/long"), flags | O_CLOEXEC));
}

/* Writes words that count up, a mebibyte at a time. */
static void put_words(int fd, size_t size)
{
	static _Alignas(PAGE) uint64_t words[MIB / 8]; /* aligned, so that a write is one request */
	static uint64_t next;

	for (size_t done = 0; done < size; done += MIB) {
		for (int i = 0; i < MIB / 8; i++)
			words[i] = next++;
		ck_assert_int_eq(must(write(fd, words, MIB)), MIB);
	}
}

/* Where in a page the buffer begins, for _i. */
static const size_t alignments[] = {0, 64, PAGE - 8};

START_TEST(test_long_reads_of_a_mebibyte_get_all_of_it)
{
	int fd = open_long(O_RDWR);

	put_words(fd, MIB);
	ck_assert_int_eq(must(read(fd, buf, MIB)), MIB);
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	must_fail(read(fd, buf, MIB), EAGAIN);
	put_words(fd, MIB);
	ck_assert_int_eq(must(read(fd, buf, 3 * MIB)), MIB);
}
END_TEST

static void *put_three(void *arg)
{
	put_words(*(int *)arg, 3 * MIB);
	return NULL;
}

/*
 * A read takes the bytes of a waiting writer as well as those that wait in the pipe, in their
 * order.
 */
START_TEST(test_long_reads_go_on_where_they_were)
{
	int fd = open_long(O_RDWR);
	char *data = buf + alignments[_i];
	pthread_t thread;
	ssize_t n = 0;

	pthread_create(&thread, NULL, put_three, &fd);
	while (n < 3 * MIB)
		n += must(read(fd, data + n, (size_t)(3 * MIB - n)));
	for (uint64_t i = 1; i < 3 * MIB / 8; i++)
		ck_assert_uint_eq(((uint64_t *)data)[i], ((uint64_t *)data)[0] + i);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(test_long_reads_do_not_wait_for_more)
{
	int fd = open_long(O_RDWR);
	char *data = buf + alignments[_i];
	ssize_t n, rest = 0;

	for (int i = 0; i < 3; i++) {
		put_words(fd, MIB);
		n = must(read(fd, data, 3 * MIB));
		ck_assert_int_ge(n, MIB - PAGE);
		if (n < MIB)
			rest = must(read(fd, data, 3 * MIB));
		ck_assert_int_eq(n + rest, MIB);
		rest = 0;
	}
}
END_TEST

START_TEST(test_long_reads_end_with_the_last_writer)
{
	int reader = open_long(O_RDONLY), writer = open_long(O_WRONLY);

	put_words(writer, MIB);
	close(writer);
	ck_assert_int_eq(must(read(reader, buf, 3 * MIB)), MIB);
	ck_assert_int_eq(must(read(reader, buf, 3 * MIB)), 0);
}
END_TEST

struct blocked {
	pthread_t thread;
	_Atomic pid_t tid;
	int fd;
	size_t size;
	ssize_t n;
};

static void *blocked_run(void *arg)
{
	struct blocked *blocked = arg;

	blocked->tid = gettid();
	blocked->n = read(blocked->fd, buf, blocked->size);
	return NULL;
}

static bool blocked_has_tid(void *arg)
{
	return ((struct blocked *)arg)->tid != 0;
}

/* A waiting read is answered from the write, and returns all the bytes of a full write. */
START_TEST(test_long_reads_that_wait_get_all_of_a_write)
{
	struct blocked blocked = {.fd = open_long(O_RDWR), .size = (size_t)(1 + 2 * _i) * MIB};

	ck_assert_int_eq(pthread_create(&blocked.thread, NULL, blocked_run, &blocked), 0);
	ck_assert(wait_until(blocked_has_tid, &blocked, 5000));
	task_must_block(blocked.tid, SYS_read);
	mount_settle(&ipc);
	put_words(blocked.fd, MIB);
	pthread_join(blocked.thread, NULL);
	ck_assert_int_eq(blocked.n, MIB);
}
END_TEST

/* How often each word that was written has been read, and the number of words read. */
static _Atomic uint8_t seen[N_WORDS];
static _Atomic long n_seen;

static void *drain_run(void *arg)
{
	int fd = *(int *)arg;
	uint64_t *words = aligned_alloc(PAGE, 2 * MIB);
	ssize_t n;

	while ((n = read(fd, words, 2 * MIB)) > 0) {
		for (ssize_t i = 0; i < n / 8; i++)
			seen[words[i]]++;
		n_seen += n / 8;
	}
	free(words);
	return NULL;
}

/*
 * Several threads read from one descriptor. Each keeps what it got; none waits while it has bytes.
 */
START_TEST(test_long_reads_of_several_threads_lose_nothing)
{
	int writer = open_long(O_WRONLY), reader = open_long(O_RDONLY);
	pthread_t threads[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&threads[i], NULL, drain_run, &reader);
	put_words(writer, sizeof(seen) * 8);
	close(writer);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(n_seen, N_WORDS);
	for (size_t i = 0; i < N_WORDS; i++)
		ck_assert_uint_eq(seen[i], 1);
}
END_TEST

static bool all_are_seen(void *arg)
{
	return n_seen == N_WORDS / 8;
}

/*
 * The same with writers that stay. A thread that had bytes and waited for more would wait for ever.
 */
START_TEST(test_long_reads_of_several_threads_end_without_end_of_file)
{
	int fd = open_long(O_RDWR);
	pthread_t threads[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&threads[i], NULL, drain_run, &fd);
	put_words(fd, sizeof(seen));
	ck_assert(wait_until(all_are_seen, NULL, 10000));
	signal_interrupts(SIGUSR1);
	for (int i = 0; i < N_THREADS; i++) {
		do
			pthread_kill(threads[i], SIGUSR1);
		while (pthread_tryjoin_np(threads[i], NULL) != 0 && usleep(1000) == 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("long_reads");
	TCase *tcase = suite_case(suite, "long_reads", 30);
	int n = sizeof(alignments) / sizeof(alignments[0]);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_long_reads_of_a_mebibyte_get_all_of_it);
	tcase_add_loop_test(tcase, test_long_reads_go_on_where_they_were, 0, n);
	tcase_add_loop_test(tcase, test_long_reads_do_not_wait_for_more, 0, n);
	tcase_add_test(tcase, test_long_reads_end_with_the_last_writer);
	tcase_add_loop_test(tcase, test_long_reads_that_wait_get_all_of_a_write, 0, 2);
	tcase_add_test(tcase, test_long_reads_of_several_threads_lose_nothing);
	tcase_add_test(tcase, test_long_reads_of_several_threads_end_without_end_of_file);
	return suite_run(suite);
}
