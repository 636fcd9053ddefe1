/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody who may do nothing gets out of sockets: to be taken for another by whoever listens,
 * to reach what his mount namespace hides, memory that he does not pay for.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65534 };

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

/* Who sent what comes next, as unix(7) tells it. */
static struct ucred next_writer(int fd)
{
	char byte, control[CMSG_SPACE(sizeof(struct ucred))] = "";
	struct iovec bytes = {&byte, 1};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct ucred who = {0};

	ck_assert_int_eq(must(recvmsg(fd, &message, 0)), 1);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
	ck_assert_int_eq(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_CREDENTIALS);
	memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(who));
	return who;
}

/* The next client, or the socket itself where there are none; it asks who writes. */
static int receiver(int listener, int type)
{
	int fd = type == SOCK_DGRAM ? listener : socket_accept(listener);

	must(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)));
	return fd;
}

static void expect_writer(int fd, pid_t pid, unsigned int id)
{
	struct ucred who = next_writer(fd);

	ck_assert_int_eq(who.pid, pid);
	ck_assert_uint_eq(who.uid, id);
	ck_assert_uint_eq(who.gid, id);
}

/* How a child writes: what it opens, or -1 and a descriptor that it has from its parent. */
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

/* More than goes in at once, so that the rest is written when there is room. */
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

	for (int i = 0; i < 1 << 20; i++)
		expect_writer(fd, pid, OTHER);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/* Both ends of a server are the mount's. */
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

/* As somebody with another view of the scratch directory, where he has a socket of his own. */
static int elsewhere(int (*body)(void))
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", scratch_path("hidden"), "tmpfs", 0, "mode=0777") < 0)
		return 96;
	if (setgroups(0, NULL) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 ||
	    setresuid(OTHER, OTHER, OTHER) < 0)
		return 95;
	return body();
}

static int open_hidden(void)
{
	return open(ipc_path(unix_name("hidden/s")), O_RDWR) < 0 ? errno : 0;
}

static int open_hidden_by_link(void)
{
	must(symlink(scratch_path("hidden/s"), scratch_path("hidden/l")));
	return open(ipc_path(unix_name("hidden/l")), O_RDWR) < 0 ? errno : 0;
}

/* A link that leads up as far as it can. */
static int open_hidden_from_above(void)
{
	char link[512] = "";

	for (int i = 0; i < 50; i++)
		strcat(link, "../");
	strcat(link, scratch_path("hidden/s") + 1);
	must(symlink(link, scratch_path("hidden/l")));
	return open(ipc_path(unix_name("hidden/l")), O_RDWR) < 0 ? errno : 0;
}

static int list_hidden(void)
{
	return channel_is_listed(unix_name("hidden"), "s") ? 0 : ENOENT;
}

static int (*const ways[])(void) = {open_hidden, open_hidden_by_link, open_hidden_from_above,
				    list_hidden};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };

static int hidden_run(void *way)
{
	return elsewhere(*(int (**)(void))way);
}

START_TEST(test_namespace_of_mounts_hides_sockets)
{
	must(mkdir(scratch_path("hidden"), 0777));
	socket_unix(scratch_path("hidden/s"), SOCK_STREAM, 5);
	must(chmod(scratch_path("hidden/s"), 0666));
	child_must_as(OTHER, write_run, &(struct writing){ipc_path(unix_name("hidden/s")), -1});
	ck_assert_int_eq(child_end(child_start(hidden_run, (void *)&ways[_i])), ENOENT << 8);
}
END_TEST

static int reach_own(void)
{
	int listener = socket_unix(scratch_path("hidden/own"), SOCK_STREAM, 5);
	int fd = open(ipc_path(unix_name("hidden/own")), O_RDWR);

	if (fd < 0)
		return errno;
	must(write(fd, "x", 1));
	must_read(socket_accept(listener), "x");
	return channel_is_listed(unix_name("hidden"), "own") ? 0 : 94;
}

static int reach_own_run(void *unused)
{
	return elsewhere(reach_own);
}

START_TEST(test_namespace_of_mounts_leads_to_its_own_sockets)
{
	must(mkdir(scratch_path("hidden"), 0777));
	child_must(reach_own_run, NULL);
}
END_TEST

static int listen_path(void)
{
	char line[512];
	int fd = open(ipc_path("ctl"), O_WRONLY);
	int n = snprintf(line, sizeof(line), "create sockets/servers/s listen=unix:%s\n",
			 scratch_path("hidden/s"));

	return write(fd, line, (size_t)n) < 0 ? errno : 0;
}

static int listen_run(void *unused)
{
	return elsewhere(listen_path);
}

START_TEST(test_namespace_of_mounts_listens_at_no_path)
{
	must(mkdir(scratch_path("hidden"), 0777));
	must(chmod(scratch_path("hidden"), 0777));
	ck_assert_int_eq(child_end(child_start(listen_run, NULL)), EPERM << 8);
	must_fail(access(scratch_path("hidden/s"), F_OK), ENOENT);
}
END_TEST

/* Where the sticky bit is set, links of others are followed by nobody. */
START_TEST(test_link_of_other_in_sticky_directory_is_not_followed)
{
	FILE *setting = fopen("/proc/sys/fs/protected_symlinks", "r");
	int natively;

	ck_assert_ptr_nonnull(setting);
	fclose(setting);
	socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	must(mkdir(scratch_path("sticky"), 0777));
	must(chmod(scratch_path("sticky"), 01777));
	must(symlink(scratch_path("s"), scratch_path("sticky/l")));
	must(lchown(scratch_path("sticky/l"), OTHER, OTHER));
	natively = access(scratch_path("sticky/l"), F_OK) < 0 ? errno : 0;
	errno = 0;
	open(ipc_path(unix_name("sticky/l")), O_RDWR);
	ck_assert_int_eq(errno, natively);
}
END_TEST

/* A listing is there, or there was no room for it. */
static int list_run(void *name)
{
	DIR *dir = opendir(ipc_path(name));

	if (!dir)
		return errno;
	errno = 0;
	return readdir(dir) || errno == ENOBUFS ? 0 : errno;
}

/* KiB */
static long most_memory(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmHWM: %ld", &kib);
	ck_assert_int_ge(kib, 0);
	fclose(file);
	return kib;
}

START_TEST(test_listings_of_long_names_are_paid_for)
{
	enum { N_NAMES = 20000, N_LISTINGS = 60 };
	char name[NAME_MAX + 1], in_mount[512];
	pid_t pids[N_LISTINGS];
	int dir_fd;

	must(mkdir(scratch_path("many"), 0755));
	dir_fd = (int)must(open(scratch_path("many"), O_PATH));
	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	for (int i = 0; i < N_NAMES; i++) {
		name[snprintf(name, sizeof(name), "%d", i)] = 'x';
		must(mknodat(dir_fd, name, S_IFSOCK | 0600, 0));
	}
	snprintf(in_mount, sizeof(in_mount), "%s", unix_name("many"));
	for (int i = 0; i < N_LISTINGS; i++)
		pids[i] = child_start_as(OTHER, list_run, in_mount);
	for (int i = 0; i < N_LISTINGS; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
	if (!program_is_sanitized())
		ck_assert_int_lt(most_memory(ipc.daemon), 150 * 1024);
	ck_assert(channel_is_listed(in_mount, name));
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
	tcase = suite_case(suite, "paths", 60);
	tcase_add_loop_test(tcase, test_namespace_of_mounts_hides_sockets, 0, N_WAYS);
	tcase_add_test(tcase, test_namespace_of_mounts_leads_to_its_own_sockets);
	tcase_add_test(tcase, test_namespace_of_mounts_listens_at_no_path);
	tcase_add_test(tcase, test_link_of_other_in_sticky_directory_is_not_followed);
	tcase_add_test(tcase, test_listings_of_long_names_are_paid_for);
	return suite_run(suite);
}
