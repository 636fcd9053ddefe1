/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peer of a Unix socket sends descriptors of TCP sockets that have unread bytes and a SO_LINGER
 * of ten hours, and keeps none of them. Whoever drops such a descriptor waits for that long. Other
 * users must not notice, and the mount must still end.
 *
 * Each attack runs on a mount that refuses descriptors, if the kernel supports that, and on a mount
 * that cannot refuse them.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ATTACKER = 65534, OTHER = 4321, N_MESSAGES = 5 };

static struct mount attacked;
static int ready[2];

/* Makes a TCP socket that lingers. The other end of its connection stays open in this process. */
static int lingering_socket(void)
{
	static const char much[1 << 16];
	const struct linger ten_hours = {.l_onoff = 1, .l_linger = 36000};
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int port, listener = socket_inet(AF_INET, SOCK_STREAM, 5, &port);
	int fd = (int)must(socket(AF_INET, SOCK_STREAM, 0));

	must(getsockname(listener, (struct sockaddr *)&address, &size));
	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &ten_hours, sizeof(ten_hours)));
	must(connect(fd, (struct sockaddr *)&address, size));
	must(accept(listener, NULL, NULL));
	while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
		continue;
	return fd;
}

/* Sends a message with a lingering descriptor, or without one where descriptors are refused. */
static void send_lingering(int fd)
{
	int lingering = lingering_socket();
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec bytes = {(void *)"x", 1};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct linger no = {0};

	memcpy(CMSG_DATA(&control.header), &lingering, sizeof(lingering));
	if (sendmsg(fd, &message, 0) < 0) {
		ck_assert_int_eq(errno, EPERM);
		must(write(fd, "x", 1));
		must(setsockopt(lingering, SOL_SOCKET, SO_LINGER, &no, sizeof(no)));
	}
	must(close(lingering));
}

/* Connects to the attacker's own server, which then sends all its messages. */
static int attacked_client(int type)
{
	char path[256];
	int listener, theirs, fd;

	must(mkdir(scratch_path("attacker"), 0755));
	listener = socket_unix(scratch_path("attacker/s"), type, 5);
	snprintf(path, sizeof(path), "%s", mount_path(&attacked, unix_name("attacker/s")));
	fd = (int)must(open(path, O_RDWR));
	theirs = socket_accept(listener);
	for (int i = 0; i < N_MESSAGES; i++)
		send_lingering(theirs);
	return fd;
}

static void read_all(int type)
{
	char byte;
	int fd = attacked_client(type);

	for (int i = 0; i < N_MESSAGES; i++)
		ck_assert_int_eq(must(read(fd, &byte, 1)), 1);
}

static void read_all_stream(void)
{
	read_all(SOCK_STREAM);
}

static void read_all_packets(void)
{
	read_all(SOCK_SEQPACKET);
}

static void close_unread(void)
{
	must(close(attacked_client(SOCK_STREAM)));
}

/* Leaves the messages unread until the mount ends. */
static void leave_unread(void)
{
	attacked_client(SOCK_STREAM);
}

static void make_server(void)
{
	must(mkdir(mount_path(&attacked, "sockets/servers/s"), 0777));
	for (int i = 0; i < N_MESSAGES; i++)
		send_lingering(socket_connect("/run/ipcfs/s", SOCK_STREAM));
}

static void remove_server(void)
{
	make_server();
	must(rmdir(mount_path(&attacked, "sockets/servers/s")));
}

static void close_accepted(void)
{
	make_server();
	for (int i = 0; i < N_MESSAGES; i++) {
		int fd = (int)must(open(mount_path(&attacked, "sockets/servers/s/accept"), O_RDWR));

		must(close(fd));
	}
}

static void (*const attacks[])(void) = {read_all_stream, read_all_packets, close_unread,
					leave_unread,    make_server,      remove_server,
					close_accepted};
enum { N_ATTACKS = sizeof(attacks) / sizeof(attacks[0]) };

static int attack_run(void *attack)
{
	(*(void (*const *)(void))attack)();
	must(write(ready[1], "x", 1));
	for (;;)
		pause();
	return 0;
}

static int list_run(void *path)
{
	DIR *dir = opendir(path);

	return dir && readdir(dir) ? 0 : errno;
}

static void attack(const char *options, int i)
{
	pid_t attacker;

	must(chmod(scratch_path("."), 0777));
	mount_start(&attacked, "attacked", options);
	must(pipe(ready));
	attacker = child_start_as(ATTACKER, attack_run, (void *)&attacks[i]);
	must_read(ready[0], "x");
	child_must_as(OTHER, list_run, (void *)mount_path(&attacked, "."));
	must(kill(attacked.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&attacked), 0);
	must(kill(attacker, SIGKILL));
	waitpid(attacker, NULL, 0);
}

START_TEST(test_linger_refused)
{
	attack("allow_other", _i);
}
END_TEST

START_TEST(test_linger_taken_by_old_kernel)
{
	attack("allow_other,without=passrights", _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_linger");
	TCase *tcase = tcase_create("linger");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_namespaces, NULL);
	suite_add_tcase(suite, tcase);
	for (int i = 0; i < N_ATTACKS; i++)
		case_add_needing(tcase, test_linger_refused, i, "passrights");
	tcase_add_loop_test(tcase, test_linger_taken_by_old_kernel, 0, N_ATTACKS);
	return suite_run(suite);
}
