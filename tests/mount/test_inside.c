/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that lead, by a path, back into the same mount. Whatever comes of such a request, the
 * daemon must not wait for itself.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 65534, N_TRIES = 20 };

/* Writes a line to ctl. Returns 0 or an errno. */
static int run_line(void *line)
{
	int fd = open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, line, strlen(line)) > 0 ? 0 : errno;
}

/* Sets `line` to "create sockets/servers/s", listening at pipes/NAME in the mount. */
static void make_line(char line[256], const char *name, const char *keys)
{
	snprintf(line, 256, "create sockets/servers/s listen=unix:%s/pipes/%s%s", ipc.dir, name,
		 keys);
}

static int look(void *name)
{
	struct stat st;

	return stat(ipc_path(name), &st) < 0 ? errno : 0;
}

static bool has_no_pipe(void *unused)
{
	DIR *dir = opendir(ipc_path("pipes"));
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	closedir(dir);
	return !entry;
}

/*
 * Removes the server, and waits for its socket to go. The daemon removes the socket a moment later,
 * by an ordinary request to the mount.
 */
static void remove_server(void)
{
	must(rmdir(ipc_path("sockets/servers/s")));
	ck_assert(wait_until(has_no_pipe, NULL, 5000));
}

START_TEST(test_inside_server_listens)
{
	char line[256];

	make_line(line, "socket", " mode=0640");
	child_must_as(STRANGER, run_line, line);
	child_must(look, "pipes/socket");
	child_must(look, "sockets/servers/s/address");
	remove_server();
}
END_TEST

/*
 * The socket is in the mount: the daemon must not wait for itself to change the socket's
 * attributes.
 */
START_TEST(test_inside_server_changes_its_socket)
{
	struct stat attr;
	char line[256];

	make_line(line, "socket", "");
	child_must_as(STRANGER, run_line, line);
	must(chmod(ipc_path("sockets/servers/s"), 0700));
	must(stat(ipc_path("pipes/socket"), &attr));
	ck_assert_uint_eq(attr.st_mode, S_IFSOCK | 0700);
	must(chown(ipc_path("sockets/servers/s"), (uid_t)-1, 1));
	must(stat(ipc_path("pipes/socket"), &attr));
	ck_assert_uint_eq(attr.st_gid, 1);
	remove_server();
}
END_TEST

START_TEST(test_inside_server_that_comes_second_is_refused)
{
	char lines[2][256];
	pid_t pids[2];

	for (int i = 0; i < N_TRIES; i++) {
		int n = 0;

		for (int k = 0; k < 2; k++) {
			make_line(lines[k], k ? "a" : "b", "");
			pids[k] = child_start_as(STRANGER, run_line, lines[k]);
		}
		for (int k = 0; k < 2; k++)
			n += child_end(pids[k]) == 0;
		ck_assert_int_eq(n, 1);
		remove_server();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inside");
	TCase *tcase = suite_case(suite, "server", 60);

	tcase_add_test(tcase, test_inside_server_listens);
	tcase_add_test(tcase, test_inside_server_changes_its_socket);
	tcase_add_test(tcase, test_inside_server_that_comes_second_is_refused);
	return suite_run(suite);
}
