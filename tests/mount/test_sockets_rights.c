/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets/unix as another user: there is no way to a socket that the user could not connect to.
 * Also whose credentials the other end sees, what strangers learn, and the mount seen through
 * itself.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65534, N_ENTRIES = 5000, N_PROCESSES = 40 };

static int open_run(void *path)
{
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

static int open_code(const char *name)
{
	return child_code_as(OTHER, open_run, (void *)ipc_path(name));
}

/* Makes a socket that everybody may use, in a directory that only root may enter. */
static int private_socket(void)
{
	int listener;

	must(mkdir(scratch_path("private"), 0700));
	must(mkdir(scratch_path("public"), 0777));
	must(chmod(scratch_path("public"), 0777));
	listener = socket_unix(scratch_path("private/s"), SOCK_STREAM, 50);
	must(chmod(scratch_path("private/s"), 0666));
	return listener;
}

START_TEST(test_rights_socket_0600_other_user_eacces)
{
	must(close(socket_unix(scratch_path("s"), SOCK_STREAM, 5)));
	must(chmod(scratch_path("s"), 0600));
	ck_assert_int_eq(open_code(unix_name("s")), EACCES);
}
END_TEST

START_TEST(test_rights_private_directory_other_user_eacces)
{
	char name[512];

	private_socket();
	must(close(channel_open(unix_name("private/s"), O_RDWR)));
	ck_assert_int_eq(open_code(unix_name("private/s")), EACCES);
	ck_assert_int_eq(open_code(unix_name("public/../private/s")), EACCES);
	must(symlink("../private/s", scratch_path("public/relative")));
	ck_assert_int_eq(open_code(unix_name("public/relative")), EACCES);
	must(symlink(scratch_path("private/s"), scratch_path("public/absolute")));
	ck_assert_int_eq(open_code(unix_name("public/absolute")), EACCES);
	must(symlink(scratch_path("private"), scratch_path("public/dir")));
	ck_assert_int_eq(open_code(unix_name("public/dir/s")), EACCES);
	snprintf(name, sizeof(name), "sockets/unix/proc/%d/root%s", getpid(),
		 scratch_path("private/s"));
	ck_assert_int_ne(open_code(name), 0);
	snprintf(name, sizeof(name), "sockets/unix/proc/%d/root%s", ipc.daemon,
		 scratch_path("private/s"));
	ck_assert_int_ne(open_code(name), 0);
}
END_TEST

START_TEST(test_rights_links_are_followed_where_one_may)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);

	must(chmod(scratch_path("s"), 0666));
	must(symlink(scratch_path("s"), scratch_path("absolute")));
	must(symlink("absolute", scratch_path("relative")));
	ck_assert_int_eq(open_code(unix_name("relative")), 0);
	must(close(socket_accept(listener)));
}
END_TEST

/*
 * Tries to get in through what the daemon has open: after a lookup, replaces the socket by links to
 * descriptors in /proc. Returns how many of them could be opened.
 */
static int follow_daemon(void *arg)
{
	char link[64], self[64];
	int looked, n_ways = 0;

	(void)arg;
	close(socket_unix(scratch_path("public/x"), SOCK_STREAM, 5));
	looked = open(ipc_path(unix_name("public/x")), O_PATH);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", looked);
	for (int i = 0; i < 64; i++) {
		int fd;

		unlink(scratch_path("public/x"));
		snprintf(link, sizeof(link), "/proc/self/fd/%d", i);
		if (symlink(link, scratch_path("public/x")) < 0)
			return 98;
		fd = open(self, O_RDWR);
		n_ways += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	return n_ways;
}

START_TEST(test_rights_descriptors_of_daemon_lead_nowhere)
{
	char command[512];

	must(close(private_socket()));
	snprintf(command, sizeof(command), "create sockets/servers/w listen=unix:%s mode=0777\n",
		 scratch_path("private/server"));
	channel_put("ctl", command, strlen(command));
	ck_assert_int_eq(open_code(unix_name("private/server")), EACCES);
	ck_assert_int_eq(child_code_as(OTHER, follow_daemon, NULL), 0);
	must(rmdir(ipc_path("sockets/servers/w")));
}
END_TEST

START_TEST(test_rights_peer_sees_caller)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int listener = _i ? socket_unix("@ipcfs-test-rights", SOCK_STREAM, 5)
			  : socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int fd;

	if (!_i)
		must(chmod(scratch_path("s"), 0666));
	ck_assert_int_eq(open_code(_i ? "sockets/abstract/ipcfs-test-rights" : unix_name("s")), 0);
	fd = socket_accept(listener);
	must(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
	ck_assert_uint_eq(peer.uid, OTHER);
	ck_assert_uint_eq(peer.gid, OTHER);
}
END_TEST

/* Finds the connection's own directory in info/, whose number is not known in advance. */
static const char *find_info(const char *kind, const char *mark)
{
	static char found[700];
	struct dirent *entry;
	char name[64];
	DIR *dir;

	snprintf(name, sizeof(name), "info/sockets/%s", kind);
	dir = opendir(ipc_path(name));
	ck_assert_ptr_nonnull(dir);
	found[0] = 0;
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, mark))
			snprintf(found, sizeof(found), "%s/%s", name, entry->d_name);
	closedir(dir);
	ck_assert_msg(found[0], "nothing like %s in %s", mark, name);
	return found;
}

static const char *read_text(const char *dir, const char *file)
{
	static char text[4096];
	char name[800];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	fd = channel_open(name, O_RDONLY);
	n = must(read(fd, text, sizeof(text) - 1));
	text[n] = 0;
	must(close(fd));
	return text;
}

static void must_contain(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "no \"%s\" in \"%s\"", part, text);
}

START_TEST(test_rights_info_names_other_end)
{
	int listener = socket_unix("@ipcfs-test-rights", SOCK_STREAM, 5);
	char expected[64];
	int fd = channel_open("sockets/abstract/ipcfs-test-rights", O_RDWR);
	int peer = socket_accept(listener);

	must(write(peer, "waits", 5));
	must_contain(read_text(find_info("abstract", "ipcfs-test-rights#"), "status"),
		     "state connected\ntype stream\nbytes 5\n");
	snprintf(expected, sizeof(expected), "peer-pid %d\npeer-uid 0\npeer-gid 0\n", getpid());
	must_contain(read_text(find_info("abstract", "ipcfs-test-rights#"), "status"), expected);
	snprintf(expected, sizeof(expected), "%d 0 rw", getpid());
	must_contain(read_text(find_info("abstract", "ipcfs-test-rights#"), "peers"), expected);
	must_contain(read_text(find_info("abstract", "ipcfs-test-rights#"), "peek"), "waits");
	must_read(fd, "waits");
}
END_TEST

START_TEST(test_rights_info_of_long_path_has_a_name)
{
	char path[700], *end = path + sprintf(path, "%s", scratch_path("long"));
	int dir_fd;

	for (int i = 0; i < 3; i++) {
		must(mkdir(path, 0755));
		end += sprintf(end, "/%0200d", i);
	}
	must(mkdir(path, 0755));
	dir_fd = (int)must(open(path, O_PATH | O_CLOEXEC));
	sprintf(end, "/s");
	snprintf(end + 3, 40, "/proc/self/fd/%d/s", dir_fd);
	socket_unix(end + 3, SOCK_STREAM, 5);
	memmove(path + strlen("sockets/unix"), path, strlen(path) + 1);
	memcpy(path, "sockets/unix", strlen("sockets/unix"));
	channel_open(path, O_RDWR);
	must_contain(read_text(find_info("unix", "2%2Fs#"), "status"), "state connected");
}
END_TEST

static int look_at_strangers(void *info)
{
	char path[1024], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/peek", ipc_path(info));
	if (open(path, O_RDONLY) >= 0 || errno != ENOENT)
		return 90;
	snprintf(path, sizeof(path), "%s/status", ipc_path(info));
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	if (strstr(text, "peer-pid"))
		return 91;
	snprintf(path, sizeof(path), "%s/peers", ipc_path(info));
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	snprintf(path, sizeof(path), "%d 0 rw", getppid());
	return n <= 0 || strstr(text, path) ? 92 : 0;
}

START_TEST(test_rights_info_stranger_sees_no_pids_and_no_data)
{
	int listener = socket_unix("@ipcfs-test-rights", SOCK_STREAM, 5);

	channel_open("sockets/abstract/ipcfs-test-rights", O_RDWR);
	must(write(socket_accept(listener), "secret", 6));
	child_must_as(OTHER, look_at_strangers,
		      (void *)find_info("abstract", "ipcfs-test-rights#"));
}
END_TEST

START_TEST(test_rights_directory_of_thousands_is_listed_once_each)
{
	static bool seen[N_ENTRIES];
	struct dirent *entry;
	char name[64];
	DIR *dir;
	int n = 0;

	must(mkdir(scratch_path("many"), 0755));
	for (int i = 0; i < N_ENTRIES; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		if (i % 2)
			must(mkdir(scratch_path(name), 0755));
		else
			must(mknod(scratch_path(name), S_IFSOCK | 0666, 0));
	}
	dir = opendir(ipc_path(unix_name("many")));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		int i = atoi(entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_lt(i, N_ENTRIES);
		ck_assert(!seen[i]);
		seen[i] = true;
		ck_assert_int_eq(entry->d_type, i % 2 ? DT_DIR : DT_REG);
		n++;
	}
	closedir(dir);
	ck_assert_int_eq(n, N_ENTRIES);
}
END_TEST

static int ignore(const char *path, const struct stat *attr, int flag, struct FTW *ftw)
{
	(void)path, (void)attr, (void)flag, (void)ftw;
	return 0;
}

static int walk_run(void *arg)
{
	(void)arg;
	return nftw(ipc_path(unix_name("ipc")), ignore, 10, FTW_PHYS) < 0 ? errno : 0;
}

static int follow_run(void *path)
{
	struct stat attr;

	for (int i = 0; i < 20; i++)
		if (stat(path, &attr) == 0)
			return 97;
	return errno == ELOOP || errno == ENOBUFS ? 0 : errno;
}

START_TEST(test_rights_mount_through_itself_walk_ends)
{
	pid_t pids[N_PROCESSES];

	for (int i = 0; i < N_PROCESSES; i++)
		pids[i] = child_start(walk_run, NULL);
	for (int i = 0; i < N_PROCESSES; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}
END_TEST

START_TEST(test_rights_links_through_mount_end_with_an_error)
{
	pid_t pids[N_PROCESSES];
	char path[512];

	must(symlink(ipc_path(unix_name("b")), scratch_path("a")));
	must(symlink(ipc_path(unix_name("c")), scratch_path("b")));
	must(symlink(ipc_path(unix_name("a")), scratch_path("c")));
	snprintf(path, sizeof(path), "%s", ipc_path(unix_name("a")));
	for (int i = 0; i < N_PROCESSES; i++)
		pids[i] = child_start(follow_run, path);
	for (int i = 0; i < N_PROCESSES; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
	must(stat(ipc_path("README"), &(struct stat){0}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockets_rights");
	TCase *tcase = suite_case(suite, "rights", 30);

	tcase_add_test(tcase, test_rights_socket_0600_other_user_eacces);
	tcase_add_test(tcase, test_rights_private_directory_other_user_eacces);
	tcase_add_test(tcase, test_rights_links_are_followed_where_one_may);
	tcase_add_test(tcase, test_rights_descriptors_of_daemon_lead_nowhere);
	tcase_add_loop_test(tcase, test_rights_peer_sees_caller, 0, 2);
	tcase_add_test(tcase, test_rights_info_names_other_end);
	tcase_add_test(tcase, test_rights_info_of_long_path_has_a_name);
	tcase_add_test(tcase, test_rights_info_stranger_sees_no_pids_and_no_data);
	tcase_add_test(tcase, test_rights_directory_of_thousands_is_listed_once_each);
	tcase_add_test(tcase, test_rights_mount_through_itself_walk_ends);
	tcase_add_test(tcase, test_rights_links_through_mount_end_with_an_error);
	return suite_run(suite);
}
