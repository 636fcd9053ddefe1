/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user does who wants the daemon's memory, or a directory's lock, for himself. Others go on
 * meanwhile, and so does he with what he has open.
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

/* Names that are looked up, and how many of them the mount remembers for one user. */
enum { N_NAMES = 20000, NAMES_MOST = 500, MEMORY_MOST = 4096 /* KiB */ };

static struct mount few;

static void few_start(void)
{
	char options[64];

	fixture_namespaces();
	snprintf(options, sizeof(options), "allow_other,max_names=%d", NAMES_MOST);
	mount_start(&few, "few", options);
}

static void few_end(void)
{
	must(kill(few.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&few), 0);
}

static int look_up(int i)
{
	struct stat attr;
	char name[64];

	snprintf(name, sizeof(name), "sockets/tcp/h%d/%d", i / 100, i % 100 + 1);
	return stat(mount_path(&few, name), &attr) < 0 ? errno : 0;
}

static int write_one(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : errno;
}

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : errno;
}

/* Has a file open, and looks up names that need not exist. */
static int invent_names_run(void *arg)
{
	int fd = open(mount_path(&few, "pipes/attacker"), O_RDWR | O_CREAT, 0600);
	int r = fd < 0 ? errno : write_one(fd);

	for (int i = 0; i < N_NAMES && r == 0; i++)
		r = look_up(i);
	return r ? r : read_one(fd);
}

/* Between two processes: the one says that it is ready, and goes on when the other says so. */
struct turns {
	int ready[2], go[2];
};

static void turns_make(struct turns *turns)
{
	must(pipe(turns->ready));
	must(pipe(turns->go));
}

static int turns_wait(const struct turns *turns)
{
	int r = write_one(turns->ready[1]);

	return r ? r : read_one(turns->go[0]);
}

/* Has a file open and a working directory, and goes on with both. */
static int go_on_run(void *arg)
{
	int fd = open(mount_path(&few, "events/other"), O_RDWR | O_CREAT, 0600);
	struct stat before, after;

	if (fd < 0 || chdir(mount_path(&few, "sockets/tcp/h1")) < 0 || stat(".", &before) < 0)
		return errno;
	if (turns_wait(arg) != 0)
		return EIO;
	if (stat(".", &after) < 0 || before.st_ino != after.st_ino)
		return ESTALE;
	if (stat("80", &after) < 0 || write(fd, "3", 1) != 1)
		return errno;
	return read_one(fd);
}

START_TEST(test_attack_invents_names_and_memory_stays_bounded)
{
	struct turns turns;
	long before;
	pid_t pid;

	turns_make(&turns);
	pid = child_start_as(OTHER, go_on_run, &turns);
	ck_assert_int_eq(read_one(turns.ready[0]), 0);
	before = mount_memory(&few);
	child_must_as(ATTACKER, invent_names_run, NULL);
	if (!program_is_sanitized())
		ck_assert_int_lt(mount_memory(&few) - before, MEMORY_MOST);
	ck_assert_int_eq(write_one(turns.go[1]), 0);
	ck_assert_int_eq(child_end(pid), 0);
	must(unlink(mount_path(&few, "pipes/attacker")));
	must(unlink(mount_path(&few, "events/other")));
}
END_TEST

/* Keeps what he has looked up in use, so that none of it can be dropped. */
static int keep_names_run(void *arg)
{
	int fds[NAMES_MOST + 1], n, r;
	char name[64];

	for (n = 0; n <= NAMES_MOST; n++) {
		snprintf(name, sizeof(name), "sockets/tcp/k/%d", n + 1);
		fds[n] = open(mount_path(&few, name), O_PATH);
		if (fds[n] < 0)
			break;
	}
	if (n > NAMES_MOST || errno != ENOBUFS)
		return n > NAMES_MOST ? E2BIG : errno;
	if (turns_wait(arg) != 0)
		return EIO;
	while (n > 0)
		close(fds[--n]);
	/* The first may be refused still: they make room for those that follow. */
	for (r = ENOBUFS, n = 0; r == ENOBUFS && n < NAMES_MOST; n++)
		r = look_up(0);
	return r;
}

static int look_up_run(void *arg)
{
	return look_up(*(int *)arg);
}

START_TEST(test_attack_keeps_names_and_is_refused_alone)
{
	struct turns turns;
	int number = 0;
	pid_t pid;

	turns_make(&turns);
	pid = child_start_as(ATTACKER, keep_names_run, &turns);
	ck_assert_int_eq(read_one(turns.ready[0]), 0);
	child_must_as(OTHER, look_up_run, &number);
	ck_assert_int_eq(write_one(turns.go[1]), 0);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/* Many processes of the attacker's at once; and how long others may have to wait, all in all. */
enum { N_ATTACKERS = 16, OTHERS_MOST = 5000 /* milliseconds; one of them alone would take this */ };

static pid_t attackers[N_ATTACKERS + 1];

static void attackers_start(int (*run)(void *), void *arg)
{
	for (int i = 0; i < N_ATTACKERS; i++)
		attackers[i] = child_start_as(ATTACKER, run, arg);
}

/* Those that make something in the attacker's name, of which he may have stopped one. */
static void makers_go_on(void)
{
	char path[64];
	FILE *file;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", ipc.daemon, ipc.daemon);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fscanf(file, "%d", &pid) == 1)
		kill(pid, SIGCONT);
	fclose(file);
}

static void attackers_end(void)
{
	for (int i = 0; i <= N_ATTACKERS && attackers[i]; i++) {
		must(kill(attackers[i], SIGKILL));
		child_end(attackers[i]);
	}
	makers_go_on();
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

/* Has each process that acts in his name stand still for most of the time that one may take. */
static int stop_makers_run(void *arg)
{
	const struct timespec pause = {.tv_nsec = 450000000};
	char path[64];
	int pid;

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", ipc.daemon, ipc.daemon);
	while (getppid() != 1) {
		FILE *file = fopen(path, "re");
		bool is_stopped = file && fscanf(file, "%d", &pid) == 1 && !kill(pid, SIGSTOP);

		if (file)
			fclose(file);
		if (!is_stopped)
			continue;
		nanosleep(&pause, NULL);
		kill(pid, SIGCONT);
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

/* Asks, with the directory locked, for what a filesystem that hangs has to say. */
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

	mount_start(&few, "few", "allow_other");
	must(close(open(mount_path(&few, "pipes"), O_PATH)));
	must(symlink(mount_path(&few, "pipes/hangs"), scratch_path("link")));
	socket_unix(scratch_path("s"), SOCK_STREAM, 50);
	must(chmod(scratch_path("s"), 0666));
	snprintf(link, sizeof(link), "%s", ipc_path(unix_name("link")));
	snprintf(name, sizeof(name), "%s", ipc_path(unix_name("s")));
	must(kill(few.daemon, SIGSTOP));
	attackers_start(ask_for_hung_run, link);
	for (int i = 0; i < 10; i++) {
		other = child_start_as(OTHER, connect_run, name);
		ck_assert_msg(child_has_ended(other, OTHERS_MOST), "others wait");
		ck_assert_int_eq(child_end(other), 0);
	}
	attackers_end();
	must(kill(few.daemon, SIGCONT));
	few_end();
}
END_TEST

/* Sends a descriptor, as the test's other end has it then, or takes one. */
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

/* Opens again whatever he is given. */
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

/* What may be opened by all is its opener's from then on. */
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

static void add_names(Suite *suite)
{
	TCase *tcase = tcase_create("names");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, few_start, few_end);
	case_add_needing(tcase, test_attack_invents_names_and_memory_stays_bounded, 0, "prune");
	case_add_needing(tcase, test_attack_keeps_names_and_is_refused_alone, 0, "prune");
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("attack_loop");
	TCase *tcase = suite_case(suite, "locks", 60);

	add_names(suite);
	tcase_add_test(tcase, test_attack_stops_makers_and_others_use_queues);
	tcase_add_test(tcase, test_attack_asks_for_hung_link_and_others_connect);
	tcase_add_test(tcase, test_attack_opens_again_a_connection_of_root);
	return suite_run(suite);
}
