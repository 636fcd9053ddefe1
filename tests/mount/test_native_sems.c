/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named semaphores and eventfds. At one end is a program that uses sem_wait(3), sem_post(3) and
 * eventfd(2), at the other end one that reads and writes the mount's files.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_unit(void *name)
{
	char text[8];
	int fd = open(ipc_path(name), O_RDONLY);

	return read(fd, text, sizeof(text)) == 2 && memcmp(text, "1\n", 2) == 0 ? 0 : EIO;
}

START_TEST(test_native_sem_post_wakes_reader)
{
	sem_t *sem = sem_open("/s", O_CREAT, 0600, 0);
	pid_t reader = child_start(read_unit, "sems/s");
	int value;

	ck_assert_ptr_ne(sem, SEM_FAILED);
	task_must_block(reader, SYS_read);
	must(sem_post(sem));
	ck_assert_int_eq(child_end(reader), 0);
	must(sem_getvalue(sem, &value));
	ck_assert_int_eq(value, 0);
	sem_close(sem);
}
END_TEST

static int wait_natively(void *name)
{
	sem_t *sem = sem_open(name, 0);

	return sem == SEM_FAILED || sem_wait(sem) < 0 ? errno : 0;
}

START_TEST(test_native_sem_write_wakes_native_waiters)
{
	pid_t waiters[3];

	channel_make("sems/s");
	for (int i = 0; i < 3; i++)
		waiters[i] = child_start(wait_natively, "/s");
	for (int i = 0; i < 3; i++)
		task_must_block(waiters[i], SYS_futex);
	channel_put("sems/s", "3\n", 2);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(child_end(waiters[i]), 0);
	ck_assert_int_eq(look_for("sems/s", "value"), 0);
}
END_TEST

/* A poll takes no unit, and passes on the wake-up that ended its wait. */
START_TEST(test_native_sem_poll_is_told_and_takes_nothing)
{
	struct pollfd ready = {.events = POLLIN};
	sem_t *sem = sem_open("/s", O_CREAT, 0600, 0);
	int value;

	ready.fd = channel_open("sems/s", O_RDONLY);
	ck_assert_int_eq(must(poll(&ready, 1, 0)), 0);
	must(sem_post(sem));
	ck_assert_int_eq(must(poll(&ready, 1, 5000)), 1);
	must(sem_getvalue(sem, &value));
	ck_assert_int_eq(value, 1);
	must(close(ready.fd));
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
}
END_TEST

START_TEST(test_native_sem_file_truncated_daemon_lives)
{
	pid_t reader;
	int fd, status_of_reader;

	channel_make("sems/s");
	reader = child_start(read_unit, "sems/s");
	task_must_block(reader, SYS_read);
	fd = channel_open("sems/s", O_WRONLY);
	must(truncate("/dev/shm/sem.s", 0));
	for (int i = 0; i < 3; i++)
		must_fail(write(fd, "1\n", 2), EIO);
	must(close(fd));
	status_of_reader = child_end(reader);
	ck_assert_int_ne(status_of_reader, 0);
	must_fail(open(ipc_path("sems/s"), O_RDWR), EINVAL);
	must(unlink(ipc_path("sems/s")));
	channel_make("sems/s");
	channel_put("sems/s", "1\n", 2);
	ck_assert_int_eq(read_unit("sems/s"), 0);
}
END_TEST

START_TEST(test_native_event_descriptor_is_the_same_counter)
{
	int pidfd = (int)must(pidfd_open(ipc.daemon, 0));
	eventfd_t value;
	int fd;

	channel_make("events/e");
	fd = (int)must(pidfd_getfd(pidfd, (int)look_for("events/e", "descriptor"), 0));
	channel_put("events/e", "5\n", 2);
	must(eventfd_read(fd, &value));
	ck_assert_uint_eq(value, 5);
	must(eventfd_write(fd, 7));
	ck_assert_int_eq(look_for("events/e", "value"), 7);
	must(unlink(ipc_path("events/e"))); /* an event keeps its descriptor while it exists */
	must(close(fd));
	must(close(pidfd));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_native_sem_post_wakes_reader,
		test_native_sem_write_wakes_native_waiters,
		test_native_sem_poll_is_told_and_takes_nothing,
		test_native_sem_file_truncated_daemon_lives,
		test_native_event_descriptor_is_the_same_counter,
	};
	Suite *suite = suite_create("native_sems");
	TCase *tcase = suite_case(suite, "native_sems", 60);

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	return suite_run(suite);
}
