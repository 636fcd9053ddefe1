/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V semaphore sets of a daemon that is killed, and objects that it was making.
 */
#include <fcntl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define NAME "0x000004d2"
#define KEY  0x4d2

enum { REQUEST = 78 };

static int native_set(void)
{
	return (int)must_call(semget(KEY, 0, 0));
}

static struct file *new_set(void)
{
	return object_make_open(adopt_open(&sysv_sem_kind), NAME, O_RDWR);
}

static int value(void)
{
	return (int)must_call(semctl(native_set(), 0, GETVAL));
}

START_TEST(test_adopt_sysv_set_goes_on)
{
	struct file *file = new_set();

	file_put(file, "0 3");
	file_expect(file, 100, "3\n");
	adopt_restart();
	file = adopted_file(file);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	file_put(file, "0 -1");
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "2\n");
	object_close(file);
}
END_TEST

/* The reader's buffer has the values, but the journal does not say so yet. */
START_TEST(test_adopt_sysv_set_values_in_buffer_are_given_once)
{
	struct file *file = new_set();

	file_put(file, "0 3");
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
	ck_assert_int_eq(file->channel->ops->read(file, host.scratch, host.scratch_size, 0), 2);
	file->record->mark = _i;
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "3\n");
	ck_assert_int_eq(file_try_read(file, 100), 0);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_set_list_that_was_performed_is_done)
{
	struct file *file = new_set();

	host.journal->request = REQUEST;
	file_put(file, "0 3");
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_adopt_sysv_set_wait_that_was_granted_is_done)
{
	struct file *file = new_set();
	static struct held held = {.transfer = {.request = REQUEST}};
	struct sembuf up = {.sem_op = 1};

	held_write(&held, file, "0 -1", 4);
	while (semctl(native_set(), 0, GETNCNT) == 0)
		loop_settle();
	must_call(semop(native_set(), &up, 1));
	while (journal_done(&host, REQUEST) == 0)
		usleep(1000);
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	ck_assert_int_eq(value(), 0);
	object_close(adopted_file(file));
}
END_TEST

/* The wait of a thread that is killed is no longer the kernel's. */
START_TEST(test_adopt_sysv_set_wait_that_was_not_granted_is_not_done)
{
	struct file *file = new_set();
	static struct held held = {.transfer = {.request = REQUEST}};

	held_write(&held, file, "0 -1", 4);
	while (semctl(native_set(), 0, GETNCNT) == 0)
		loop_settle();
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	ck_assert_int_eq(must_call(semctl(native_set(), 0, GETNCNT)), 0);
	object_close(adopted_file(file));
}
END_TEST

/* The daemon was killed before it could answer the request, which comes again. */
START_TEST(test_adopt_sysv_object_that_was_made_is_found_again)
{
	struct space *spaces[] = {adopt_open(&sysv_queue_kind), adopt_open(&sysv_sem_kind)};
	struct channel *channel;

	must_call(msgget(KEY, IPC_CREAT | 0600));
	must_call(semget(KEY, 1, IPC_CREAT | 0600));
	must_fail(object_create(spaces[_i], NAME, S_IFREG | 0600, &root, &channel), EEXIST);
	adopt_again(REQUEST);
	adopt_restart();
	spaces[0] = adopted_space(&sysv_queue_kind);
	spaces[1] = adopted_space(&sysv_sem_kind);
	must_fail(object_create(spaces[_i], NAME, S_IFREG | 0600, &root, &channel), EEXIST);
	host.journal->request = REQUEST;
	must_fail(object_create(spaces[_i], NAME, S_IFREG | 0600, &stranger, &channel), EEXIST);
	must(object_create(spaces[_i], NAME, S_IFREG | 0600, &root, &channel));
	object_unref(channel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_sysv_sem");

	suite_add(suite, "sets",
		  (const TTest *const[]){
			  test_adopt_sysv_set_goes_on,
			  test_adopt_sysv_set_list_that_was_performed_is_done,
			  test_adopt_sysv_set_wait_that_was_granted_is_done,
			  test_adopt_sysv_set_wait_that_was_not_granted_is_not_done,
			  NULL,
		  });
	suite_add_loop(suite, "twice",
		       (const TTest *const[]){
			       test_adopt_sysv_set_values_in_buffer_are_given_once,
			       test_adopt_sysv_object_that_was_made_is_found_again,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
