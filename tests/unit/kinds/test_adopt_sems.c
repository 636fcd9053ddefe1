/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores outlive the daemon, and so does each unit that it had taken of one: a reader gets it,
 * or the semaphore gets it back, and none is granted twice.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/semaphores.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum {
	REQUEST = 77,
	/* In object_record::words: two halves, the units and what the thread has done. */
	WORD_UNITS = 2,
	WORD_OF_JOURNAL_UNITS = 2,
};

struct numbers_of {
	unsigned value, n_waiting;
};

static struct file *make_open(void)
{
	return object_make_open(adopt_open(&sem_kind), "s", O_RDWR);
}

static int open_file(void)
{
	return (int)must_call(open("/dev/shm/sem.s", O_RDWR | O_CLOEXEC));
}

static struct numbers_of look(void)
{
	unsigned char bytes[SEMAPHORE_BYTES];
	struct numbers_of numbers;
	int fd = open_file();

	ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	close(fd);
	semaphore_read(bytes, &numbers.value, &numbers.n_waiting);
	return numbers;
}

/* Sets the value and the number of sleepers, and wakes nobody. */
static void set(uint32_t value, uint32_t n_waiting)
{
	const uint32_t numbers[] = {value, n_waiting};
	int fd = open_file();

	ck_assert_int_eq(pwrite(fd, numbers, sizeof(numbers), 0), sizeof(numbers));
	close(fd);
}

static void expect_value(unsigned value)
{
	ck_assert_uint_eq(look().value, value);
	ck_assert_uint_eq(look().n_waiting, 0);
}

static uint32_t *halves(const struct file *file)
{
	return (uint32_t *)&file->channel->record->words[WORD_UNITS];
}

START_TEST(test_sem_open_goes_on)
{
	struct file *file = make_open();

	file_put(file, "2\n");
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	loop_settle();
	file_expect(file, 100, "1\n");
	file_put(file, "1\n");
	expect_value(2);
	object_close(file);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
}
END_TEST

START_TEST(test_sem_removed_while_open_goes_on)
{
	struct file *file = make_open();

	file_put(file, "1\n");
	must_call(sem_unlink("/s"));
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "1\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_sem_waiter_gets_a_unit_that_comes_later)
{
	struct file *file = make_open();
	struct held before = {0}, after = {0};

	held_read(&before, file, 100);
	loop_settle();
	adopt_restart();
	file = adopted_file(file);
	held_read(&after, file, 100);
	loop_settle();
	file_put(file, "1\n");
	held_wait(&after);
	held_expect(&after, "1\n");
	object_close(file);
	expect_value(0);
}
END_TEST

/* Killed while the unit was on its way from the thread to the reader. */
START_TEST(test_sem_unit_of_the_thread_is_given_once)
{
	struct file *file = make_open();
	struct held after = {0};

	halves(file)[1] = SEMAPHORE_TAKEN;
	adopt_restart();
	file = adopted_file(file);
	held_read(&after, file, 100);
	held_wait(&after);
	held_expect(&after, "1\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
	expect_value(0);
}
END_TEST

START_TEST(test_sem_unit_taken_for_a_waiter_is_given_once)
{
	struct file *file = make_open();

	halves(file)[0] = 1;
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "1\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
	expect_value(0);
}
END_TEST

/* By _i: the daemon has the unit, or its thread. */
START_TEST(test_sem_unit_that_nobody_waits_for_goes_back)
{
	struct file *file = make_open();

	halves(file)[_i] = _i ? SEMAPHORE_TAKEN : 1;
	adopt_restart();
	loop_settle();
	expect_value(1);
	object_close(adopted_file(file));
	expect_value(1);
}
END_TEST

/* Killed after sem_read(), but before the daemon knew its result. */
START_TEST(test_sem_unit_read_is_given_once)
{
	struct file *file = make_open();

	file_put(file, "2\n");
	host.journal->request = REQUEST;
	file_expect(file, 100, "1\n");
	host.journal->step = JOURNAL_RECEIVE;
	host.journal->size = 0;
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	expect_value(1);
	file_expect(file, 100, "1\n");
	expect_value(1);
	object_close(file);
}
END_TEST

/* Killed before (_i 0) or after (_i 1) a reader took the unit that a waiter was to get. */
START_TEST(test_sem_unit_moves_in_one_step)
{
	struct file *file = make_open();

	halves(file)[0] = 1;
	host.journal->request = REQUEST;
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
	host.journal->word = WORD_OF_JOURNAL_UNITS + 1;
	halves(file)[0] -= (uint32_t)_i;
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "1\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
	expect_value(0);
}
END_TEST

START_TEST(test_sem_sleeper_of_the_former_daemon_counts_no_more)
{
	struct file *file = make_open();

	halves(file)[1] = SEMAPHORE_COUNTED;
	set(0, 1);
	adopt_restart();
	expect_value(0);
	object_close(adopted_file(file));
}
END_TEST

static void *wait_natively(void *data)
{
	return (void *)(intptr_t)sem_wait(data);
}

/* A post had woken the daemon's thread, or was made by the daemon, and nobody else was woken. */
START_TEST(test_sem_sleeper_is_woken_in_place_of_the_daemon)
{
	struct file *file = make_open();
	sem_t *native = sem_open("/s", 0);
	pthread_t thread;
	void *result;

	ck_assert_ptr_ne(native, SEM_FAILED);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_natively, native), 0);
	while (look().n_waiting == 0)
		sched_yield();
	set(1, 1);
	adopt_restart();
	pthread_join(thread, &result);
	ck_assert_ptr_null(result);
	sem_close(native);
	object_close(adopted_file(file));
	expect_value(0);
}
END_TEST

START_TEST(test_sem_units_added_are_not_added_again)
{
	struct file *file = make_open();

	host.journal->request = REQUEST;
	journal_write(file, 0);
	file_put(file, "3\n");
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	object_close(adopted_file(file));
	expect_value(3);
}
END_TEST

START_TEST(test_sem_being_closed_is_over)
{
	struct file *file = make_open();

	file->channel->record->fds[0] = -1;
	adopt_restart();
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_ptr_null(adopted_channel(file->channel));
	loop_settle();
}
END_TEST

START_TEST(test_sem_wrong_record_is_refused)
{
	struct file *file = make_open();

	if (_i)
		must_call(dup2(STDIN_FILENO, file->channel->record->fds[0]));
	else
		must_call(truncate("/dev/shm/sem.s", 3));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_sems");

	suite_add(suite, "adopt_sems",
		  (const TTest *const[]){
			  test_sem_open_goes_on,
			  test_sem_removed_while_open_goes_on,
			  test_sem_waiter_gets_a_unit_that_comes_later,
			  test_sem_unit_of_the_thread_is_given_once,
			  test_sem_unit_taken_for_a_waiter_is_given_once,
			  test_sem_unit_read_is_given_once,
			  test_sem_sleeper_of_the_former_daemon_counts_no_more,
			  test_sem_sleeper_is_woken_in_place_of_the_daemon,
			  test_sem_units_added_are_not_added_again,
			  test_sem_being_closed_is_over,
			  NULL,
		  });
	suite_add_loop(suite, "moments",
		       (const TTest *const[]){
			       test_sem_unit_that_nobody_waits_for_goes_back,
			       test_sem_unit_moves_in_one_step,
			       test_sem_wrong_record_is_refused,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
