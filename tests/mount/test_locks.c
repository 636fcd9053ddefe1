/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fcntl(2) and flock(2) locks on every kind of object behave as on a tmpfs file, which goes through
 * the same tests. To the kernel, each open of an object may be another inode.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/locking.h"
#include "tests/mount/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(test_locks_second_one_fails)
{
	struct locking locking = locking_begin(_i);

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), EAGAIN);
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), EAGAIN);
	ck_assert_int_eq(locking_set(&locking, F_UNLCK, false), 0);
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), 0);
}
END_TEST

START_TEST(test_locks_readers_share)
{
	struct locking locking = locking_begin(_i);

	ck_assert_int_eq(locking_set(&locking, F_RDLCK, false), 0);
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), 0);
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), EAGAIN);
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), EAGAIN);
}
END_TEST

START_TEST(test_locks_waiter_gets_it)
{
	struct locking locking = locking_begin(_i);
	pid_t waiters[2];

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	for (int i = 0; i < 2; i++)
		waiters[i] = locking_start_waiter(&locking, F_WRLCK);
	ck_assert_int_eq(locking_set(&locking, F_UNLCK, false), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(locking_end_waiter(waiters[i]), 0);
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, true), 0);
}
END_TEST

START_TEST(test_locks_signal_ends_wait)
{
	struct locking locking = locking_begin(_i);
	pid_t waiter;

	ck_assert_int_eq(locking_set(&locking, F_RDLCK, false), 0);
	waiter = locking_start_waiter(&locking, F_WRLCK);
	kill(waiter, SIGUSR1);
	ck_assert_int_eq(locking_end_waiter(waiter), EINTR);
	waiter = locking_start_waiter(&locking, F_WRLCK);
	kill(waiter, SIGKILL);
	ck_assert(WIFSIGNALED(child_end(waiter)));
	ck_assert_int_eq(locking_set(&locking, F_UNLCK, false), 0);
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, true), 0);
}
END_TEST

static int hold_body(void *arg)
{
	struct locking other = *(struct locking *)arg;
	int r;

	other.fd = locking_open(other.target);
	r = locking_set(&other, F_WRLCK, true);
	if (r == 0)
		pause();
	return r;
}

START_TEST(test_locks_end_with_who_has_them)
{
	struct locking locking = locking_begin(_i);
	pid_t holder = child_start(hold_body, &locking);

	task_must_block(holder, SYS_pause);
	ck_assert_int_eq(locking_set(&locking, F_RDLCK, false), EAGAIN);
	kill(holder, SIGKILL);
	ck_assert_int_eq(locking_set(&locking, F_RDLCK, true), 0);
	child_end(holder);
}
END_TEST

/*
 * A process that closes another descriptor of the object loses all its fcntl(2) locks on the
 * object.
 */
START_TEST(test_locks_other_descriptor_is_closed)
{
	struct locking locking = locking_begin(_i);

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	close(locking_open(locking.target));
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), locking.call == RECORD ? 0 : EAGAIN);
}
END_TEST

static int pause_body(void *arg)
{
	pause();
	return 0;
}

/*
 * A child does not inherit fcntl(2) locks. The other two kinds belong to the open file, which the
 * child shares.
 */
START_TEST(test_locks_child_has_the_open_file)
{
	struct locking locking = locking_begin(_i);
	pid_t child;

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	child = child_start(pause_body, NULL);
	close(locking.fd);
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), locking.call == RECORD ? 0 : EAGAIN);
	kill(child, SIGKILL);
	child_end(child);
	locking.fd = locking_open(locking.target);
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, true), 0);
}
END_TEST

START_TEST(test_locks_change_that_fails)
{
	struct locking locking = locking_begin(_i), other = locking;
	bool is_lost = locking.call == FLOCK;

	if (locking.call == RECORD)
		return; /* a process never conflicts with itself */
	other.fd = locking_open(other.target);
	ck_assert_int_eq(locking_set(&locking, F_RDLCK, false), 0);
	ck_assert_int_eq(locking_set(&other, F_RDLCK, false), 0);
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), EAGAIN);
	ck_assert_int_eq(locking_set(&other, F_WRLCK, false), is_lost ? 0 : EAGAIN);
}
END_TEST

START_TEST(test_locks_calls_do_not_meet)
{
	struct locking locking = locking_begin(_i), other = locking;

	if (locking.call == OPEN_FILE)
		return; /* OPEN_FILE conflicts with RECORD */
	other.call = locking.call == FLOCK ? RECORD : FLOCK;
	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	ck_assert_int_eq(locking_try(&other, F_WRLCK), 0);
}
END_TEST

static int refused_body(void *arg)
{
	struct locking other = *(struct locking *)arg;
	int before;

	other.fd = locking_open(other.target);
	before = mount_descriptors(&ipc);
	if (locking_set(&other, F_WRLCK, false) != EAGAIN)
		return 201;
	/* What the daemon closes, it closes in a moment. */
	for (int i = 0; mount_descriptors(&ipc) > before && i < 1000; i++)
		usleep(1000);
	return mount_descriptors(&ipc) > before ? 202 : 0;
}

/* A lock of a region takes one of the daemon's descriptors, but a lock that is refused must not. */
START_TEST(test_locks_refused_one_costs_no_descriptor)
{
	struct locking locking = locking_begin(REGION * N_CALLS + _i);

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	child_must(refused_body, &locking);
}
END_TEST

static const char *const texts[] = {"README", "info/summary"};

/* Texts can't be locked, because each lookup of a text gives another object. */
START_TEST(test_locks_texts_have_none)
{
	int fd = (int)must(open(ipc_path(texts[_i]), O_RDONLY));
	struct flock all = {.l_type = F_RDLCK};

	must_fail(flock(fd, LOCK_SH), ENOLCK);
	must_fail(flock(fd, LOCK_SH | LOCK_NB), ENOLCK);
	must_fail(fcntl(fd, F_SETLK, &all), ENOLCK);
	must_fail(fcntl(fd, F_GETLK, &all), ENOLCK);
}
END_TEST

/* Also through the open file that has just made the region, which may be served in another way. */
START_TEST(test_locks_of_a_new_region_are_native_ones)
{
	int made =
		(int)must(open(ipc_path("shm/made"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	int native = (int)must(open("/dev/shm/made", O_RDWR | O_CLOEXEC));

	must(flock(made, LOCK_EX));
	must_fail(flock(native, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	must(close(made));
	must(flock(native, LOCK_EX));
	must(close(native));
	must(unlink("/dev/shm/made"));
}
END_TEST

/* The lock is on the file in /dev/shm, where native programs lock it. */
START_TEST(test_locks_region_is_locked_natively)
{
	struct locking locking = locking_begin(REGION * N_CALLS + _i), native = locking;
	pid_t waiter;

	native.fd = (int)must(open("/dev/shm/m", O_RDWR));
	locking.call = native.call = _i == RECORD ? OPEN_FILE : _i;
	ck_assert_int_eq(locking_set(&native, F_WRLCK, false), 0);
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), EAGAIN);
	waiter = locking_start_waiter(&locking, F_WRLCK);
	ck_assert_int_eq(locking_set(&native, F_UNLCK, false), 0);
	ck_assert_int_eq(locking_end_waiter(waiter), 0);
	ck_assert_int_eq(locking_set(&locking, F_RDLCK, true), 0);
	ck_assert_int_eq(locking_set(&native, F_WRLCK, false), EAGAIN);
	ck_assert_int_eq(locking_set(&native, F_RDLCK, false), 0);
	close(locking.fd);
	ck_assert_int_eq(locking_set(&native, F_WRLCK, true), 0);
}
END_TEST

struct waiting {
	int fd, result;
	_Atomic pid_t tid;
};

static const struct flock waited = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};

static void *wait_in_thread(void *arg)
{
	struct waiting *waiting = arg;

	waiting->tid = gettid();
	waiting->result = lock_record(F_SETLKW, waiting->fd, waited);
	return NULL;
}

static bool has_begun(void *arg)
{
	return ((struct waiting *)arg)->tid != 0;
}

/* A process closes a descriptor and locks again while one of its threads still waits. */
START_TEST(test_locks_of_a_region_outlast_a_close_while_waiting)
{
	struct locking locking = locking_begin(REGION * N_CALLS + RECORD);
	int native = (int)must(open("/dev/shm/m", O_RDWR));
	struct waiting waiting = {.fd = locking.fd};
	pthread_t thread;

	ck_assert_int_eq(lock_record(F_OFD_SETLK, native, waited), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_in_thread, &waiting), 0);
	ck_assert(wait_until(has_begun, &waiting, 5000));
	task_must_block(waiting.tid, SYS_fcntl);
	close(locking_open(locking.target));
	ck_assert_int_eq(lock_record(F_SETLK, locking.fd,
				     (struct flock){.l_type = F_WRLCK, .l_start = 30, .l_len = 5}),
			 0);
	ck_assert_int_eq(lock_record(F_OFD_SETLK, native, (struct flock){.l_type = F_UNLCK}), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(waiting.result, 0);
	ck_assert_int_eq(lock_record(F_OFD_SETLK, native, waited), EAGAIN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("locks");
	TCase *tcase = suite_case(suite, "locks", 60);
	const int n = N_TARGETS * N_CALLS;

	tcase_add_checked_fixture(tcase, NULL, locking_remove);
	tcase_add_loop_test(tcase, test_locks_second_one_fails, 0, n);
	tcase_add_loop_test(tcase, test_locks_readers_share, 0, n);
	tcase_add_loop_test(tcase, test_locks_waiter_gets_it, 0, n);
	tcase_add_loop_test(tcase, test_locks_signal_ends_wait, 0, n);
	tcase_add_loop_test(tcase, test_locks_end_with_who_has_them, 0, n);
	tcase_add_loop_test(tcase, test_locks_other_descriptor_is_closed, 0, n);
	tcase_add_loop_test(tcase, test_locks_child_has_the_open_file, 0, n);
	tcase_add_loop_test(tcase, test_locks_change_that_fails, 0, n);
	tcase_add_loop_test(tcase, test_locks_calls_do_not_meet, 0, n);
	tcase_add_loop_test(tcase, test_locks_refused_one_costs_no_descriptor, 0, N_CALLS);
	tcase_add_loop_test(tcase, test_locks_texts_have_none, 0, 2);
	tcase_add_test(tcase, test_locks_of_a_new_region_are_native_ones);
	tcase_add_loop_test(tcase, test_locks_region_is_locked_natively, 0, N_CALLS);
	tcase_add_test(tcase, test_locks_of_a_region_outlast_a_close_while_waiting);
	return suite_run(suite);
}
