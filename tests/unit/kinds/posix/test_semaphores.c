/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores, compared with glibc's own functions on the same file; and files that are truncated
 * while a semaphore is mapped.
 */
#include "lib/kinds/posix/semaphores.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/fixture.h"

static sem_t *native;
static int fd;
static struct semaphore *semaphore;
static uint32_t step; /* of the thread */
static uint64_t word; /* of the others */

static void make(unsigned value)
{
	native = sem_open("/s", O_CREAT | O_EXCL, 0600, value);
	ck_assert_ptr_ne(native, SEM_FAILED);
	fd = (int)must_call(open("/dev/shm/sem.s", O_RDWR | O_CLOEXEC));
	must(semaphore_map(fd, &semaphore));
}

static void unmake(void)
{
	semaphore_unmap(semaphore);
	sem_close(native);
	close(fd);
}

static int native_value(void)
{
	int value;

	must_call(sem_getvalue(native, &value));
	return value;
}

START_TEST(test_semaphore_take_is_sem_trywait)
{
	make(2);
	must(semaphore_take(semaphore, &word));
	ck_assert_uint_eq(word, 1);
	ck_assert_int_eq(native_value(), 1);
	must_call(sem_trywait(native));
	word = 0;
	must_fail(semaphore_take(semaphore, &word), EAGAIN);
	ck_assert_uint_eq(word, 0);
	unmake();
}
END_TEST

START_TEST(test_semaphore_post_is_sem_post)
{
	make(0);
	must(semaphore_post(semaphore, 3, &word));
	ck_assert_int_eq(native_value(), 3);
	ck_assert_uint_eq(semaphore_value(semaphore), 3);
	must(semaphore_set(semaphore, 1));
	ck_assert_int_eq(native_value(), 1);
	unmake();
}
END_TEST

START_TEST(test_semaphore_post_beyond_the_most_eoverflow)
{
	make(SEM_VALUE_MAX - 1);
	must_fail(semaphore_post(semaphore, 2, &word), EOVERFLOW);
	must(semaphore_post(semaphore, 1, &word));
	must_fail(semaphore_post(semaphore, 1, &word), EOVERFLOW);
	ck_assert_uint_eq(word, 1);
	ck_assert_int_eq(native_value(), SEM_VALUE_MAX);
	unmake();
}
END_TEST

static void *run_wait(void *data)
{
	return (void *)(intptr_t)(data ? semaphore_watch(semaphore, &step)
				       : semaphore_wait(semaphore, &step));
}

static void await_sleeper(void)
{
	unsigned char bytes[SEMAPHORE_BYTES];
	unsigned value, n_waiting = 0;

	while (n_waiting == 0) {
		ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		semaphore_read(bytes, &value, &n_waiting);
	}
}

/* By _i, the thread takes the unit (0) or only watches (1). */
START_TEST(test_semaphore_wait_is_woken_by_sem_post)
{
	pthread_t thread;
	void *result;

	make(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_wait, _i ? &thread : NULL), 0);
	await_sleeper();
	must_call(sem_post(native));
	pthread_join(thread, &result);
	ck_assert_ptr_null(result);
	ck_assert_int_eq(native_value(), _i);
	ck_assert_uint_eq(step, _i ? SEMAPHORE_NOTHING : SEMAPHORE_TAKEN);
	unmake();
}
END_TEST

static void ignore(int signal)
{
}

START_TEST(test_semaphore_wait_signalled_eintr_leaves_no_trace)
{
	const struct sigaction action = {.sa_handler = ignore};
	unsigned char bytes[SEMAPHORE_BYTES];
	unsigned value, n_waiting;
	pthread_t thread;
	void *result;

	make(0);
	must_call(sigaction(SIGURG, &action, NULL));
	ck_assert_int_eq(pthread_create(&thread, NULL, run_wait, _i ? &thread : NULL), 0);
	await_sleeper();
	while (pthread_tryjoin_np(thread, &result) == EBUSY) /* it is perhaps not asleep yet */
		pthread_kill(thread, SIGURG);
	ck_assert_int_eq((intptr_t)result, -EINTR);
	ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	semaphore_read(bytes, &value, &n_waiting);
	ck_assert_uint_eq(value, 0);
	ck_assert_uint_eq(n_waiting, 0);
	ck_assert_uint_eq(step, SEMAPHORE_NOTHING);
	unmake();
}
END_TEST

START_TEST(test_semaphore_file_too_short_einval)
{
	fd = memfd_create("s", MFD_CLOEXEC);
	must_call(ftruncate(fd, sizeof(sem_t) - 1));
	must_fail(semaphore_map(fd, &semaphore), EINVAL);
	close(fd);
}
END_TEST

START_TEST(test_semaphore_file_truncated_eio)
{
	make(5);
	must(semaphore_take(semaphore, &word));
	must_call(ftruncate(fd, 0));
	must_fail(semaphore_take(semaphore, &word), EIO);
	must_fail(semaphore_post(semaphore, 1, &word), EIO);
	must_fail(semaphore_set(semaphore, 1), EIO);
	must_fail(semaphore_wait(semaphore, &step), EIO);
	must_fail(semaphore_watch(semaphore, &step), EIO);
	unmake();
	/* The semaphore's place in the arena can be used again. */
	fd = memfd_create("s", MFD_CLOEXEC);
	must_call(ftruncate(fd, sizeof(sem_t)));
	must(semaphore_map(fd, &semaphore));
	must(semaphore_post(semaphore, 1, &word));
	must(semaphore_take(semaphore, &word));
	semaphore_unmap(semaphore);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("semaphore");

	suite_add(suite, "value",
		  (const TTest *const[]){
			  test_semaphore_take_is_sem_trywait,
			  test_semaphore_post_is_sem_post,
			  test_semaphore_post_beyond_the_most_eoverflow,
			  NULL,
		  });
	suite_add_loop(suite, "wait",
		       (const TTest *const[]){
			       test_semaphore_wait_is_woken_by_sem_post,
			       test_semaphore_wait_signalled_eintr_leaves_no_trace,
			       NULL,
		       },
		       2);
	suite_add(suite, "file",
		  (const TTest *const[]){
			  test_semaphore_file_too_short_einval,
			  test_semaphore_file_truncated_eio,
			  NULL,
		  });
	return suite_run(suite);
}
