// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether anybody has a file open, and removals that are certain of it.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/channel/lease.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"

#define PATH "/dev/shm/r"

static int open_file(void)
{
	return (int)must_call(open(PATH, O_RDONLY | O_CLOEXEC));
}

static void expect_take(int result)
{
	int fd = open_file();

	ck_assert_int_eq(lease_take(fd), result);
	close(fd);
}

START_TEST(test_lease_take_fails_while_another_has_it_open_or_mapped)
{
	void *memory;
	int fd;

	native_file_make("r", "hello");
	expect_take(0);
	fd = open_file();
	expect_take(-EBUSY);
	memory = mmap(NULL, 5, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	expect_take(-EBUSY);
	munmap(memory, 5);
	expect_take(0);
	fd = (int)must_call(open(PATH, O_PATH | O_CLOEXEC)); /* opens only the name */
	expect_take(0);
	close(fd);
}
END_TEST

struct attempt_to_remove {
	struct space *space;
	ino_t ino;
	struct timespec before;
};

static struct caller waiting;

static int try_remove(void *data)
{
	struct attempt_to_remove *attempt = data;

	return lease_remove(attempt->space, "r", attempt->ino, &attempt->before, &waiting);
}

static int attempt_removal(ino_t ino, int age)
{
	struct attempt_to_remove attempt = {.space = fixture_open(&shm_kind), .ino = ino};

	waiting = root;
	clock_gettime(CLOCK_REALTIME, &attempt.before);
	attempt.before.tv_sec -= age;
	return loop_wait_for(&waiting, try_remove, &attempt);
}

static ino_t make_file(void)
{
	struct stat attr;

	native_file_make("r", "hello");
	must_call(stat(PATH, &attr));
	return attr.st_ino;
}

START_TEST(test_lease_remove_removes)
{
	must(attempt_removal(make_file(), -10));
	ck_assert_int_ne(access(PATH, F_OK), 0);
}
END_TEST

START_TEST(test_lease_remove_leaves_what_is_open)
{
	ino_t ino = make_file();
	int fd = open_file();

	must_fail(attempt_removal(ino, -10), EBUSY);
	close(fd);
	ck_assert_int_eq(access(PATH, F_OK), 0);
}
END_TEST

START_TEST(test_lease_remove_leaves_what_was_used_since)
{
	must_fail(attempt_removal(make_file(), 10), EBUSY);
	ck_assert_int_eq(access(PATH, F_OK), 0);
}
END_TEST

START_TEST(test_lease_remove_leaves_another_file_of_that_name)
{
	must_fail(attempt_removal(make_file() + 1, -10), ESTALE);
	ck_assert_int_eq(access(PATH, F_OK), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease");

	suite_add(suite, "lease",
		  (const TTest *const[]){
			  test_lease_take_fails_while_another_has_it_open_or_mapped,
			  test_lease_remove_removes,
			  test_lease_remove_leaves_what_is_open,
			  test_lease_remove_leaves_what_was_used_since,
			  test_lease_remove_leaves_another_file_of_that_name,
			  NULL,
		  });
	return suite_run(suite);
}
