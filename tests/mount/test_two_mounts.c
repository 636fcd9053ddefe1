/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two mounts on the same machine, each with its own daemon. Objects that the kernel keeps are the
 * same in both: queues and shared memory agree, and a writer in one mount wakes a reader in the
 * other.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct mount second;

static void two_setup(void)
{
	fixture_setup();
	mount_start(&second, "second", "allow_other");
}

static void two_teardown(void)
{
	must(kill(second.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&second), 0);
	fixture_teardown();
}

START_TEST(test_two_mounts_share_queues)
{
	char buf[64];
	int fd;

	channel_make("queues/q");
	channel_put("queues/q", "through both", 12);
	fd = (int)must(open(mount_path(&second, "queues/q"), O_RDONLY));
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 12);
	must(unlink(mount_path(&second, "queues/q")));
	must_fail(access(ipc_path("queues/q"), F_OK), ENOENT);
}
END_TEST

static int read_run(void *arg)
{
	char byte;
	int fd = open(ipc_path("queues/q"), O_RDONLY);

	(void)arg;
	return fd < 0 || read(fd, &byte, 1) != 1 ? errno : 0;
}

START_TEST(test_two_mounts_wake_each_other)
{
	pid_t pid;
	int fd;

	channel_make("queues/q");
	pid = child_start(read_run, NULL);
	task_must_block(pid, SYS_read);
	fd = (int)must(open(mount_path(&second, "queues/q"), O_WRONLY));
	ck_assert_int_eq(must(write(fd, "wake", 4)), 4);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_two_mounts_shm_is_coherent)
{
	char *maps[2];
	int fds[2];

	fds[0] = (int)must(open(ipc_path("shm/frame"), O_RDWR | O_CREAT, 0600));
	fds[1] = (int)must(open(mount_path(&second, "shm/frame"), O_RDWR));
	must(ftruncate(fds[0], 4096));
	for (int i = 0; i < 2; i++) {
		maps[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		ck_assert_ptr_ne(maps[i], MAP_FAILED);
	}
	maps[0][7] = 'a';
	ck_assert_int_eq(maps[1][7], 'a');
	maps[1][7] = 'b';
	ck_assert_int_eq(maps[0][7], 'b');
}
END_TEST

START_TEST(test_two_mounts_show_one_mode_and_owner)
{
	const char *name = _i ? "shm/frame" : "queues/q";
	struct stat st;

	channel_make(name);
	must(chmod(ipc_path(name), 0604));
	must(chown(mount_path(&second, name), 12, 34));
	for (int i = 0; i < 2; i++) {
		must(stat(mount_path(i ? &second : &ipc, name), &st));
		ck_assert_uint_eq(st.st_mode & 07777, 0604);
		ck_assert_uint_eq(st.st_uid, 12);
		ck_assert_uint_eq(st.st_gid, 34);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("two_mounts");
	TCase *tcase = tcase_create("two");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, two_setup, two_teardown);
	tcase_add_test(tcase, test_two_mounts_share_queues);
	tcase_add_test(tcase, test_two_mounts_wake_each_other);
	case_add_needing(tcase, test_two_mounts_shm_is_coherent, 0, "passthrough");
	tcase_add_loop_test(tcase, test_two_mounts_show_one_mode_and_owner, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
