/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listener on a Unix socket must not mistake an unprivileged user for someone else.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65534 };

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

/* Receives up to `size` bytes. Returns who wrote them, as unix(7) reports it. */
static struct ucred next_writer(int fd, size_t size, ssize_t *ret_n)
{
	static char data[65536];
	char control[CMSG_SPACE(sizeof(struct ucred))] = "";
	struct iovec bytes = {data, size};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct ucred who = {0};

	*ret_n = (ssize_t)must(recvmsg(fd, &message, 0));
	ck_assert_int_gt(*ret_n, 0);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
	ck_assert_int_eq(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_CREDENTIALS);
	memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(who));
	return who;
}

/* Accepts the next client, or takes the datagram socket itself. Asks for writers' credentials. */
static int receiver(int listener, int type)
{
	int fd = type == SOCK_DGRAM ? listener : socket_accept(listener);

	must(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
	return fd;
}

static ssize_t expect_much(int fd, size_t size, pid_t pid, unsigned int id)
{
	ssize_t n;
	struct ucred who = next_writer(fd, size, &n);

	ck_assert_int_eq(who.pid, pid);
	ck_assert_uint_eq(who.uid, id);
	ck_assert_uint_eq(who.gid, id);
	return n;
}

static void expect_writer(int fd, pid_t pid, unsigned int id)
{
	expect_much(fd, 1, pid, id);
}

/* How a child writes: to a path that it opens, or to a descriptor inherited from its parent. */
struct writing {
	const char *path;
	int fd;
};

static void *write_byte(void *fd)
{
	return (void *)(long)(write(*(int *)fd, "x", 1) == 1);
}

static int write_run(void *arg)
{
	const struct writing *writing = arg;
	int fd = writing->path ? open(writing->path, O_RDWR) : writing->fd;

	return fd >= 0 && write_byte(&fd) ? 0 : errno;
}

static int write_in_thread_run(void *arg)
{
	const struct writing *writing = arg;
	int fd = open(writing->path, O_RDWR);
	pthread_t thread;
	void *is_written = NULL;

	if (fd < 0 || !write_byte(&fd))
		return errno;
	if (pthread_create(&thread, NULL, write_byte, &fd) != 0)
		return 98;
	pthread_join(thread, &is_written);
	return is_written ? 0 : 97;
}

static int listen_for_all(int type)
{
	int listener = socket_unix(scratch_path("s"), type, 5);

	must(setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
	must(chmod(scratch_path("s"), 0666));
	return listener;
}

START_TEST(test_writer_is_who_opened_and_writes)
{
	int listener = listen_for_all(types[_i]);
	struct writing writing = {ipc_path(unix_name("s")), -1};
	const unsigned int ids[] = {OTHER, 0, 4321};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		pid_t pid = child_start_as(ids[i], write_run, &writing);

		expect_writer(receiver(listener, types[_i]), pid, ids[i]);
		ck_assert_int_eq(child_end(pid), 0);
	}
}
END_TEST

START_TEST(test_writer_by_abstract_name_is_who_opened)
{
	int listener = socket_unix("@attack", types[_i], 5);
	struct writing writing = {ipc_path("sockets/abstract/attack"), -1};
	pid_t pid;

	must(setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
	pid = child_start_as(OTHER, write_run, &writing);
	expect_writer(receiver(listener, types[_i]), pid, OTHER);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_writer_with_inherited_descriptor_is_who_opened)
{
	int listener = listen_for_all(types[_i]);
	struct writing writing = {NULL, channel_open(unix_name("s"), O_RDWR)};
	int fd = receiver(listener, types[_i]);
	pid_t pid = child_start_as(OTHER, write_run, &writing);

	expect_writer(fd, pid, 0);
	ck_assert_int_eq(child_end(pid), 0);
	must(write(writing.fd, "x", 1));
	expect_writer(fd, getpid(), 0);
}
END_TEST

START_TEST(test_writer_in_thread_is_its_process)
{
	int listener = listen_for_all(types[_i]);
	struct writing writing = {ipc_path(unix_name("s")), -1};
	pid_t pid = child_start_as(OTHER, write_in_thread_run, &writing);
	int fd = receiver(listener, types[_i]);

	expect_writer(fd, pid, OTHER);
	expect_writer(fd, pid, OTHER);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/* Writes more than goes in at once, so that the rest is written when there is room. */
static int write_much_run(void *path)
{
	static const char much[1 << 20];
	int fd = open(path, O_RDWR);

	return fd >= 0 && write(fd, much, sizeof(much)) == sizeof(much) ? 0 : 1;
}

START_TEST(test_writer_that_was_held_is_who_writes)
{
	int listener = listen_for_all(SOCK_STREAM);
	pid_t pid = child_start_as(OTHER, write_much_run, (void *)ipc_path(unix_name("s")));
	int fd = receiver(listener, SOCK_STREAM);

	for (ssize_t n = 0; n < 1 << 20;)
		n += expect_much(fd, 65536, pid, OTHER);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/*
 * The mount accepts for its user: the native client sees that user, not the daemon, as the writer.
 */
START_TEST(test_writer_to_server_client_is_who_accepts)
{
	struct writing writing = {ipc_path("sockets/servers/s/accept"), -1};
	int fd;
	pid_t pid;

	must(mkdir(ipc_path("sockets/servers/s"), 0777));
	must(chown(ipc_path("sockets/servers/s"), OTHER, OTHER));
	pid = child_start_as(OTHER, write_run, &writing);
	fd = socket_connect("/run/ipcfs/s", SOCK_STREAM);
	must(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
	expect_writer(fd, pid, OTHER);
	ck_assert_int_eq(child_end(pid), 0);
	must(rmdir(ipc_path("sockets/servers/s")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_sockets");
	TCase *tcase = suite_case(suite, "writer", 30);

	tcase_add_loop_test(tcase, test_writer_is_who_opened_and_writes, 0, N_TYPES);
	tcase_add_loop_test(tcase, test_writer_by_abstract_name_is_who_opened, 0, N_TYPES);
	tcase_add_loop_test(tcase, test_writer_with_inherited_descriptor_is_who_opened, 0, N_TYPES);
	tcase_add_loop_test(tcase, test_writer_in_thread_is_its_process, 0, N_TYPES);
	tcase_add_test(tcase, test_writer_that_was_held_is_who_writes);
	tcase_add_test(tcase, test_writer_to_server_client_is_who_accepts);
	return suite_run(suite);
}
