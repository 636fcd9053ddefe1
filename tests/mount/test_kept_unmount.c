/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a mount with kept FIFOs in it. The ends that the daemon holds never make the mount
 * busy; the files that a client has open do. However the daemon ends, its clients find an
 * end-of-file or EPIPE where they would natively.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_NAME "pipes/p"

/* MUCH: more than one read takes. */
enum { MUCH = 300000, N_PIPES = 200 };

static void put_much(void)
{
	static char data[MUCH];

	channel_put(PIPE_NAME, data, MUCH);
}

static void make_many_with_data(void)
{
	char name[32];

	kept_make_many(N_PIPES);
	for (int i = 0; i < N_PIPES; i++) {
		snprintf(name, sizeof(name), "pipes/%d", i);
		channel_put(name, "data", 4);
	}
}

static void end_by_unmount(void)
{
	must(umount2(ipc.dir, 0));
}

static void end_lazily(void)
{
	must(umount2(ipc.dir, MNT_DETACH));
}

static void end_by_term(void)
{
	must(kill(ipc.daemon, SIGTERM));
}

static void end_by_int(void)
{
	must(kill(ipc.daemon, SIGINT));
}

static void end_by_kill(void)
{
	must(kill(ipc.daemon, SIGKILL));
}

static const struct {
	void (*run)(void);
	int status;   /* the daemon's wait status */
	bool is_busy; /* the unmount is refused while a client has something open */
} ends[] = {
	{end_by_unmount, 0, true}, {end_lazily, 0, false},        {end_by_term, 0, false},
	{end_by_int, 0, false},    {end_by_kill, SIGKILL, false},
};
enum { N_ENDS = sizeof(ends) / sizeof(ends[0]), FIRST_NOT_BUSY = 1 };

static void end_mount(int how)
{
	ends[how].run();
	ck_assert_int_eq(mount_wait(&ipc), ends[how].status);
}

static void mount_again(void)
{
	/* A daemon that was killed leaves its mount behind. */
	(void)umount2(ipc.dir, MNT_DETACH);
	mount_start(&ipc, "ipc", "allow_other");
	kept_make(PIPE_NAME);
	ck_assert_int_eq(look_for(PIPE_NAME, "bytes"), 0);
	channel_put(PIPE_NAME, "aa", 2);
	ck_assert_uint_eq(kept_take_to_end(ipc_path(PIPE_NAME), 'a'), 2);
}

START_TEST(test_unmount_with_data_held_and_mounted_again)
{
	make_many_with_data();
	end_mount(_i);
	mount_again();
	end_mount(0);
}
END_TEST

/* The mount ends right after FIFOs were made and used, while the daemon still works on them. */
START_TEST(test_unmount_in_the_middle_of_work)
{
	for (int round = 0; round < 20; round++) {
		kept_make_many(5);
		kept_make(PIPE_NAME);
		put_much();
		kept_take_to_end(ipc_path(PIPE_NAME), 0);
		put_much();
		end_mount(_i);
		mount_again();
	}
	end_mount(0);
}
END_TEST

START_TEST(test_unmount_client_has_one_open_is_busy)
{
	static const int flags[] = {O_RDONLY | O_NONBLOCK, O_WRONLY, O_RDWR};
	int fd;

	kept_make(PIPE_NAME);
	put_much();
	fd = channel_open(PIPE_NAME, flags[_i]);
	must_fail(umount2(ipc.dir, 0), EBUSY);
	ck_assert_int_eq(kept_unread(fd), MUCH);
	must(close(fd));
	ck_assert_uint_eq(kept_take_to_end(ipc_path(PIPE_NAME), 0), MUCH);
	must(umount2(ipc.dir, 0));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

static int open_to_read_run(void *arg)
{
	(void)arg;
	return open(ipc_path(PIPE_NAME), O_RDONLY) < 0 ? errno : 0;
}

START_TEST(test_unmount_client_waits_in_open)
{
	pid_t pid;

	kept_make(PIPE_NAME);
	pid = child_start(open_to_read_run, NULL);
	task_must_wait_for_partner(pid);
	if (ends[_i].is_busy) {
		must_fail(umount2(ipc.dir, 0), EBUSY);
		must(kill(pid, SIGINT));
		child_end(pid);
		end_mount(_i);
		return;
	}
	ends[_i].run();
	/* No other end can come any more: the client waits as on a FIFO whose name was removed. */
	must(kill(pid, SIGINT));
	ck_assert_int_eq(WTERMSIG(child_end(pid)), SIGINT);
	ck_assert_int_eq(mount_wait(&ipc), ends[_i].status);
}
END_TEST

START_TEST(test_unmount_client_reads_what_waits_and_an_end)
{
	int how = FIRST_NOT_BUSY + _i, reader;

	kept_make(PIPE_NAME);
	put_much();
	reader = kept_reader(ipc_path(PIPE_NAME));
	ends[how].run();
	ck_assert_uint_eq(kept_read_to_end(reader, 0), MUCH);
	must(close(reader));
	ck_assert_int_eq(mount_wait(&ipc), ends[how].status);
}
END_TEST

static int read_to_end_run(void *arg)
{
	char buf[4096];
	ssize_t n = 1;

	while (n > 0)
		n = read(*(int *)arg, buf, sizeof(buf));
	return n < 0 ? errno : 0;
}

/* The reader waits only because the daemon has a write end of its own. */
START_TEST(test_unmount_client_that_waits_for_data_finds_an_end)
{
	int how = FIRST_NOT_BUSY + _i, reader;
	pid_t pid;

	look_command("create " PIPE_NAME " eof=never");
	reader = channel_open(PIPE_NAME, O_RDONLY);
	pid = child_start(read_to_end_run, &reader);
	task_must_block(pid, SYS_read);
	ends[how].run();
	ck_assert_int_eq(child_end(pid), 0);
	must(close(reader));
	ck_assert_int_eq(mount_wait(&ipc), ends[how].status);
}
END_TEST

static int write_run(void *arg)
{
	static char data[2 * KEPT_CAPACITY];
	ssize_t n = write(*(int *)arg, data, sizeof(data));

	return n == KEPT_CAPACITY ? 0 : n < 0 ? errno : EMSGSIZE;
}

START_TEST(test_unmount_client_that_waits_for_room_gets_epipe)
{
	int how = FIRST_NOT_BUSY + _i, writer;
	pid_t pid;

	kept_make(PIPE_NAME);
	writer = channel_open(PIPE_NAME, O_WRONLY);
	pid = child_start(write_run, &writer);
	task_must_block(pid, SYS_write);
	ends[how].run();
	ck_assert_int_eq(child_end(pid), 0);
	must_fail(write(writer, "x", 1), EPIPE);
	must(close(writer));
	ck_assert_int_eq(mount_wait(&ipc), ends[how].status);
}
END_TEST

START_TEST(test_unmount_clients_of_each_other_go_on)
{
	int how = FIRST_NOT_BUSY + _i, reader, writer;
	char buf[16];

	kept_make(PIPE_NAME);
	reader = kept_reader(ipc_path(PIPE_NAME));
	writer = kept_writer(ipc_path(PIPE_NAME));
	ends[how].run();
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(must(write(writer, "hello", 5)), 5);
		ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), 5);
	}
	must(close(writer));
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), 0);
	must(close(reader));
	ck_assert_int_eq(mount_wait(&ipc), ends[how].status);
}
END_TEST

/* Each mount has its own pipes, and does not let go what the other mount holds. */
START_TEST(test_unmount_one_of_two_mounts)
{
	struct mount second;
	int fd;

	mount_start(&second, "second", "allow_other");
	kept_make(PIPE_NAME);
	put_much();
	fd = (int)must(open(mount_path(&second, PIPE_NAME), O_WRONLY | O_CREAT, 0666));
	ck_assert_int_eq(must(write(fd, "aaa", 3)), 3);
	must(close(fd));
	end_mount(_i);
	ck_assert_uint_eq(kept_take_to_end(mount_path(&second, PIPE_NAME), 'a'), 3);
	must(umount2(second.dir, 0));
	ck_assert_int_eq(mount_wait(&second), 0);
}
END_TEST

/* When another mount comes or goes, the daemon lets nothing go. */
START_TEST(test_unmount_of_others_lets_nothing_go)
{
	kept_make(PIPE_NAME);
	put_much();
	for (int i = 0; i < 20; i++) {
		must(mount("tmpfs", scratch_path("ipc/info"), "tmpfs", 0, NULL));
		must(umount2(scratch_path("ipc/info"), 0));
	}
	mount_settle(&ipc);
	kept_await_held(PIPE_NAME, "both");
	ck_assert_uint_eq(kept_take_to_end(ipc_path(PIPE_NAME), 0), MUCH);
	end_mount(0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept_unmount");
	TCase *tcase = tcase_create("unmount");

	/* These tests end the mount themselves, each in its own way. */
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_setup, NULL);
	suite_add_tcase(suite, tcase);
	kept_add_loop(tcase, test_unmount_with_data_held_and_mounted_again, N_ENDS);
	kept_add_loop(tcase, test_unmount_in_the_middle_of_work, N_ENDS);
	kept_add_loop(tcase, test_unmount_client_has_one_open_is_busy, 3);
	kept_add_loop(tcase, test_unmount_client_waits_in_open, N_ENDS);
	kept_add_loop(tcase, test_unmount_client_reads_what_waits_and_an_end,
		      N_ENDS - FIRST_NOT_BUSY);
	kept_add_loop(tcase, test_unmount_client_that_waits_for_data_finds_an_end,
		      N_ENDS - FIRST_NOT_BUSY);
	kept_add_loop(tcase, test_unmount_client_that_waits_for_room_gets_epipe,
		      N_ENDS - FIRST_NOT_BUSY);
	kept_add_loop(tcase, test_unmount_clients_of_each_other_go_on, N_ENDS - FIRST_NOT_BUSY);
	kept_add_loop(tcase, test_unmount_one_of_two_mounts, N_ENDS);
	kept_add(tcase, test_unmount_of_others_lets_nothing_go);
	return suite_run(suite);
}
