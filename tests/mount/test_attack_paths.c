/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an unprivileged user tries with the directories of sockets: to reach what their mount
 * namespace hides, to have their own links followed, and to use memory that they don't pay for.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65534 };

/*
 * Runs the body as a user in a mount namespace with another hidden/, where that user can make
 * sockets.
 */
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

static int open_run(void *unused)
{
	return open_hidden();
}

static int open_hidden_by_link(void)
{
	must(symlink(scratch_path("hidden/s"), scratch_path("hidden/l")));
	return open(ipc_path(unix_name("hidden/l")), O_RDWR) < 0 ? errno : 0;
}

/* Opens the socket through a relative link that leads up as far as it can. */
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
	child_must_as(OTHER, open_run, NULL);
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

/*
 * In a sticky directory, the mount follows other users' links only if the kernel does so natively.
 */
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

/* There are so many names that the first try to list them has no room for them all. */
START_TEST(test_abstract_names_by_hundreds_are_listed_once_each)
{
	enum { N_NAMES = 800 };
	char name[108];
	int n_listed = 0;
	DIR *dir;

	memset(name, 'x', sizeof(name));
	name[0] = '@';
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < N_NAMES; i++) {
		name[1 + snprintf(name + 1, sizeof(name) - 1, "%d", i)] = 'x';
		socket_unix(name, SOCK_DGRAM, 0);
	}
	dir = opendir(ipc_path("sockets/abstract"));
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *found; (found = readdir(dir));)
		n_listed += strstr(found->d_name, "xxxx") != NULL;
	closedir(dir);
	ck_assert_int_eq(n_listed, N_NAMES);
	must_fail(open(ipc_path("sockets/abstract/none"), O_RDWR), ENOENT);
}
END_TEST

/* Returns 0 if the directory can be listed, or if there was no room for the list. */
static int list_run(void *name)
{
	DIR *dir = opendir(ipc_path(name));

	if (!dir)
		return errno;
	errno = 0;
	return readdir(dir) || errno == ENOBUFS ? 0 : errno;
}

/* The most memory that a process has ever had, in KiB. */
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
	Suite *suite = suite_create("attack_paths");
	TCase *tcase = suite_case(suite, "paths", 60);

	tcase_add_loop_test(tcase, test_namespace_of_mounts_hides_sockets, 0, N_WAYS);
	tcase_add_test(tcase, test_namespace_of_mounts_leads_to_its_own_sockets);
	tcase_add_test(tcase, test_namespace_of_mounts_listens_at_no_path);
	tcase_add_test(tcase, test_link_of_other_in_sticky_directory_is_not_followed);
	tcase_add_test(tcase, test_abstract_names_by_hundreds_are_listed_once_each);
	tcase_add_test(tcase, test_listings_of_long_names_are_paid_for);
	return suite_run(suite);
}
