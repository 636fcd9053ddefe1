/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user tries to keep a directory from everybody else, through requests that the kernel sends with
 * the directory locked, or to get at what someone else has opened. Other users are served
 * meanwhile.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ATTACKER = 65534, OTHER = 4321, N_OPENS = 500 };

static struct mount hung;

static int write_one(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : errno;
}

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : errno;
}

/*
 * N_ATTACKERS: how many processes the attacker runs. OTHERS_MOST: how long others may have to wait
 * in total. Without a limit on the attacker, one wait alone would take as long.
 */
enum { N_ATTACKERS = 16, OTHERS_MOST = 5000 /* milliseconds */ };

static pid_t attackers[N_ATTACKERS + 1];

static void attackers_start(int (*run)(void *), void *arg)
{
	for (int i = 0; i < N_ATTACKERS; i++)
		attackers[i] = child_start_as(ATTACKER, run, arg);
}

static void attackers_end(void)
{
	pid_t maker;

	for (int i = 0; i <= N_ATTACKERS && attackers[i]; i++) {
		must(kill(attackers[i], SIGKILL));
		child_end(attackers[i]);
	}
	/* The daemon's process that makes something in the attacker's name may still be stopped. */
	maker = task_find_child(ipc.daemon, ATTACKER);
	if (maker)
		kill(maker, SIGCONT);
}

static int make_queues_run(void *arg)
{
	char name[32];

	(void)arg;
	snprintf(name, sizeof(name), "queues/a%d", getpid());
	while (getppid() != 1) {
		int fd = open(ipc_path(name), O_RDWR | O_CREAT | O_EXCL, 0600);

		if (fd >= 0)
			close(fd);
		unlink(ipc_path(name));
	}
	return 0;
}

/*
 * Keeps the daemon's process that acts in the attacker's name stopped, for most of the time that
 * such a process may take.
 */
static int stop_makers_run(void *arg)
{
	const struct timespec pause = {.tv_nsec = 450000000};

	(void)arg;
	while (getppid() != 1) {
		pid_t maker = task_find_child(ipc.daemon, ATTACKER);

		if (!maker || kill(maker, SIGSTOP) < 0)
			continue;
		nanosleep(&pause, NULL);
		kill(maker, SIGCONT);
	}
	return 0;
}

static int use_queues_run(void *arg)
{
	DIR *dir = opendir(ipc_path("queues"));
	int fd;

	(void)arg;
	if (!dir || !readdir(dir))
		return errno;
	closedir(dir);
	fd = open(ipc_path("queues/other"), O_RDWR | O_CREAT, 0600);
	if (fd < 0 || close(fd) < 0)
		return errno;
	return unlink(ipc_path("queues/other")) < 0 ? errno : 0;
}

START_TEST(test_attack_stops_makers_and_others_use_queues)
{
	pid_t other;

	attackers_start(make_queues_run, NULL);
	attackers[N_ATTACKERS] = child_start_as(ATTACKER, stop_makers_run, NULL);
	for (int i = 0; i < 10; i++) {
		other = child_start_as(OTHER, use_queues_run, NULL);
		ck_assert_msg(child_has_ended(other, OTHERS_MOST), "others wait");
		ck_assert_int_eq(child_end(other), 0);
	}
	attackers_end();
}
END_TEST

/*
 * Opens a link into a hung filesystem again and again. The kernel asks for the link with the
 * directory locked.
 */
static int ask_for_hung_run(void *arg)
{
	while (getppid() != 1) {
		int fd = open(arg, O_RDWR | O_CREAT, 0600);

		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int connect_run(void *arg)
{
	return open(arg, O_RDWR) < 0 ? errno : 0;
}

START_TEST(test_attack_asks_for_hung_link_and_others_connect)
{
	char link[512], name[512];
	pid_t other;

	mount_start(&hung, "hung", "allow_other");
	must(close(open(mount_path(&hung, "pipes"), O_PATH)));
	must(symlink(mount_path(&hung, "pipes/hangs"), scratch_path("link")));
	socket_unix(scratch_path("s"), SOCK_STREAM, 50);
	must(chmod(scratch_path("s"), 0666));
	snprintf(link, sizeof(link), "%s", ipc_path(unix_name("link")));
	snprintf(name, sizeof(name), "%s", ipc_path(unix_name("s")));
	must(kill(hung.daemon, SIGSTOP));
	attackers_start(ask_for_hung_run, link);
	for (int i = 0; i < 10; i++) {
		other = child_start_as(OTHER, connect_run, name);
		ck_assert_msg(child_has_ended(other, OTHERS_MOST), "others wait");
		ck_assert_int_eq(child_end(other), 0);
	}
	attackers_end();
	must(kill(hung.daemon, SIGCONT));
	must(kill(hung.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&hung), 0);
}
END_TEST

/* Sends a descriptor to the other end of the socket, or receives one. */
static int pass(int socket, int *fd, bool is_sender)
{
	char byte = 0, control[CMSG_SPACE(sizeof(*fd))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	if (is_sender) {
		*rights = (struct cmsghdr){CMSG_LEN(sizeof(*fd)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(rights), fd, sizeof(*fd));
		return sendmsg(socket, &message, 0) == 1 ? 0 : errno;
	}
	if (recvmsg(socket, &message, 0) != 1 || !(rights = CMSG_FIRSTHDR(&message)))
		return EPIPE;
	memcpy(fd, CMSG_DATA(rights), sizeof(*fd));
	return 0;
}

/* Reopens each descriptor that it receives. Returns 0 if no reopen succeeded. */
static int open_again_run(void *arg)
{
	int socket = ((int *)arg)[1], given, again;
	char path[64];

	close(((int *)arg)[0]);
	while (pass(socket, &given, false) == 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", given);
		again = open(path, O_RDWR);
		if (again >= 0 || errno != EACCES)
			return again >= 0 ? EISCONN : errno;
		close(given);
		if (write_one(socket) != 0)
			return EPIPE;
	}
	return 0;
}

/* Everybody may open the socket, but each connection belongs to its opener alone. */
START_TEST(test_attack_opens_again_a_connection_of_root)
{
	int sockets[2], listener = socket_unix(scratch_path("s"), SOCK_STREAM, 50);
	pid_t pid;

	must(chmod(scratch_path("s"), 0666));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	pid = child_start_as(ATTACKER, open_again_run, sockets);
	close(sockets[1]);
	for (int i = 0; i < N_OPENS; i++) {
		int fd = channel_open(unix_name("s"), O_RDWR);

		ck_assert_int_eq(pass(sockets[0], &fd, true), 0);
		must(close(fd));
		must(close(socket_accept(listener)));
		if (read_one(sockets[0]) != 0)
			break;
	}
	close(sockets[0]);
	ck_assert_int_eq(WEXITSTATUS(child_end(pid)), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_loop");
	TCase *tcase = suite_case(suite, "locks", 60);

	tcase_add_test(tcase, test_attack_stops_makers_and_others_use_queues);
	tcase_add_test(tcase, test_attack_asks_for_hung_link_and_others_connect);
	tcase_add_test(tcase, test_attack_opens_again_a_connection_of_root);
	return suite_run(suite);
}
