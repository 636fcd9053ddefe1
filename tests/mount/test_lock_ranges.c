/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of bytes that a process has locked on an object of each kind, as another process sees
 * them. Also how many such ranges there may be.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/locking.h"
#include "tests/mount/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Another process asks which lock is in the way of `range`. The answer must be `expected`. */
struct asking {
	struct locking locking;
	struct flock range, expected;
};

static int ask_body(void *arg)
{
	struct asking *asking = arg;
	struct flock *got = &asking->range, *expected = &asking->expected;
	int fd = locking_open(asking->locking.target);

	if (fcntl(fd, F_GETLK, got) < 0)
		return errno;
	if (got->l_type != expected->l_type)
		return 201;
	if (got->l_type == F_UNLCK)
		return 0;
	if (got->l_start != expected->l_start || got->l_len != expected->l_len)
		return 202;
	return got->l_pid == expected->l_pid ? 0 : 203;
}

static void expect_in_the_way(const struct locking *locking, off_t first, off_t n,
			      struct flock expected)
{
	struct asking asking = {
		.locking = *locking,
		.range = {.l_type = F_WRLCK, .l_start = first, .l_len = n},
		.expected = expected,
	};

	asking.expected.l_pid = getpid();
	child_must(ask_body, &asking);
}

static void set(const struct locking *locking, short type, off_t first, off_t n)
{
	struct flock range = {.l_type = type, .l_start = first, .l_len = n};

	ck_assert_int_eq(lock_record(F_SETLK, locking->fd, range), 0);
}

START_TEST(test_lock_ranges_split_and_join)
{
	struct locking locking = locking_begin(_i * N_CALLS + RECORD);
	struct flock none = {.l_type = F_UNLCK};

	set(&locking, F_WRLCK, 0, 100);
	set(&locking, F_UNLCK, 40, 10);
	expect_in_the_way(&locking, 0, 0, (struct flock){.l_type = F_WRLCK, .l_len = 40});
	expect_in_the_way(&locking, 45, 2, none);
	expect_in_the_way(&locking, 49, 2,
			  (struct flock){.l_type = F_WRLCK, .l_start = 50, .l_len = 50});
	set(&locking, F_RDLCK, 60, 10);
	expect_in_the_way(&locking, 60, 40,
			  (struct flock){.l_type = F_RDLCK, .l_start = 60, .l_len = 10});
	set(&locking, F_WRLCK, 30, 100);
	expect_in_the_way(&locking, 0, 0, (struct flock){.l_type = F_WRLCK, .l_len = 130});
	set(&locking, F_WRLCK, 130, 0);
	expect_in_the_way(&locking, 1000, 1, (struct flock){.l_type = F_WRLCK});
	set(&locking, F_UNLCK, 0, 0);
	expect_in_the_way(&locking, 0, 0, none);
}
END_TEST

/* Locks single bytes until a lock is refused. After SIGUSR1, unlocks them all. */
static int fill_body(void *arg)
{
	const struct locking *locking = arg;
	int fd = locking_open(locking->target), r = 0;

	signal_interrupts(SIGUSR1);
	for (int n = 0; n < 5000 && r == 0; n++) {
		struct flock byte = {.l_type = F_WRLCK, .l_start = 2 * n, .l_len = 1};

		r = lock_record(F_SETLK, fd, byte);
	}
	if (r != ENOLCK)
		return 201;
	pause();
	return lock_record(F_SETLK, fd, (struct flock){.l_type = F_UNLCK});
}

static int lock_far_body(void *arg)
{
	const struct locking *locking = arg;
	struct flock byte = {.l_type = F_WRLCK, .l_start = 1000000, .l_len = 1};

	return lock_record(F_SETLK, locking_open(locking->target), byte);
}

/* No user can make the daemon remember locks without limit, and other users can still lock. */
START_TEST(test_lock_ranges_too_many_are_refused)
{
	struct locking locking = locking_begin(_i * N_CALLS + RECORD);
	pid_t filler = child_start_as(65534, fill_body, &locking);

	locking.type = F_WRLCK;
	task_must_block(filler, SYS_pause);
	ck_assert_int_eq(child_code_as(4321, locking_try_body, &locking), EAGAIN);
	child_must_as(4321, lock_far_body, &locking);
	kill(filler, SIGUSR1);
	ck_assert_int_eq(locking_end_waiter(filler), 0);
	ck_assert_int_eq(child_code_as(4321, locking_try_body, &locking), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock ranges");
	TCase *tcase = suite_case(suite, "ranges", 60);

	tcase_add_checked_fixture(tcase, NULL, locking_remove);
	tcase_add_loop_test(tcase, test_lock_ranges_split_and_join, 0, N_TARGETS);
	tcase_add_loop_test(tcase, test_lock_ranges_too_many_are_refused, FIRST_SERVED,
			    FIRST_SERVED + 2);
	return suite_run(suite);
}
