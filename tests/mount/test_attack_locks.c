// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Users can hold the locks of the files behind regions and semaphores. Nobody else waits for a user
 * who does.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/hold.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Makes a file in /dev/shm. */
static int make(const char *path)
{
	static const char zeroes[32];
	int fd = (int)must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));

	must(write(fd, zeroes, sizeof(zeroes)));
	must(fchown(fd, NOBODY, NOBODY));
	must(fchmod(fd, 0666));
	return fd;
}

static int open_run(void *name)
{
	return open(ipc_path(name), O_RDWR) < 0 ? errno : 0;
}

/*
 * The lock of a file, and the lock of its directory, which an unlink(2) holds while it waits for
 * the file's.
 */
struct holds {
	struct hold file;
	int fd;
	pid_t remover;
};

static int held_unlink_run(void *arg)
{
	return unlink("/dev/shm/held") < 0 ? errno : 0;
}

static bool is_waiting(void *pid)
{
	return task_state(*(pid_t *)pid) == 'D';
}

static void hold_locks(struct holds *holds)
{
	holds->fd = make("/dev/shm/held");
	hold_begin(&holds->file, holds->fd);
	holds->remover = child_start(held_unlink_run, NULL);
	ck_assert(wait_until(is_waiting, &holds->remover, 10000));
}

static void hold_no_more(struct holds *holds)
{
	hold_end(&holds->file);
	ck_assert_int_eq(child_end(holds->remover), 0);
	close(holds->fd);
}

/* These calls have to wait for one lock or the other. Only the process that makes them may wait. */
static int wait_chmod_run(void *arg)
{
	chmod(ipc_path("shm/held"), 0600);
	return 0;
}

static int wait_truncate_run(void *arg)
{
	truncate(ipc_path("shm/held"), 0);
	return 0;
}

static int wait_look_run(void *arg)
{
	struct stat attr;

	stat(ipc_path("shm/absent"), &attr);
	return 0;
}

static int wait_list_run(void *arg)
{
	DIR *dir = opendir(ipc_path("shm"));

	return dir && readdir(dir) ? 0 : errno;
}

static int wait_create_run(void *arg)
{
	open(ipc_path("sems/new"), O_CREAT | O_RDWR, 0600);
	return 0;
}

static int wait_unlink_run(void *arg)
{
	unlink(ipc_path("shm/other"));
	return 0;
}

static int (*const waiting[])(void *) = {wait_chmod_run, wait_truncate_run, wait_look_run,
					 wait_list_run,  wait_create_run,   wait_unlink_run};
#define N_WAITING (sizeof(waiting) / sizeof(waiting[0]))

static bool has_requests(void *arg)
{
	return mount_waiting(&ipc) > 0;
}

START_TEST(test_attack_locks_are_held_and_nobody_else_waits)
{
	struct holds holds;
	struct stat attr;
	pid_t child;

	close(make("/dev/shm/other"));
	close((int)must(open(ipc_path("events/e"), O_CREAT | O_RDWR, 0666)));
	must(chmod(ipc_path("events/e"), 0666));
	hold_locks(&holds);
	child = child_start_as(NOBODY, waiting[_i], NULL);
	ck_assert(wait_until(has_requests, NULL, 10000));
	child_must_as(NOBODY, open_run, "events/e");
	must(stat(ipc_path("queues"), &attr));
	must(stat(ipc_path("ctl"), &attr));
	hold_no_more(&holds);
	ck_assert_int_eq(child_end(child), 0);
	must(unlink(ipc_path("events/e")));
}
END_TEST

START_TEST(test_attack_locks_semaphore_of_many_pages_is_none)
{
	int fd = make("/dev/shm/sem.x");
	int open_fd = (int)must(open(ipc_path("sems/x"), O_RDWR | O_NONBLOCK));

	must(fallocate(fd, 0, 0, 1 << 20));
	must_fail(write(open_fd, "1", 1), EIO);
	must_fail(open(ipc_path("sems/x"), O_RDWR), EINVAL);
	close(open_fd);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_locks");
	TCase *locks = suite_case(suite, "locks", 60);

	for (size_t i = 0; i < N_WAITING; i++)
		case_add_needing(locks, test_attack_locks_are_held_and_nobody_else_waits, (int)i,
				 "passthrough");
	tcase_add_test(locks, test_attack_locks_semaphore_of_many_pages_is_none);
	return suite_run(suite);
}
