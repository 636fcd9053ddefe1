/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The executables lie in the test's tmpfs: a copy is a file of its own. What asks for the
 * replacement is never the installed one, which may be of the other version.
 */
#include "tests/mount/takeover_program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"

static char original[4096]; /* $IPCFS, as it was set */
static pid_t asking;

static void install(const char *from)
{
	const char *new = scratch_path("ipcfs.new");
	int in = (int)must(open(from, O_RDONLY | O_CLOEXEC));
	int out = (int)must(open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));

	while (must(sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	must(close(in));
	must(close(out));
	must(rename(new, scratch_path("ipcfs")));
}

void program_setup(void)
{
	fixture_namespaces();
	ck_assert_int_lt(snprintf(original, sizeof(original), "%s", getenv("IPCFS")),
			 sizeof(original));
	program_install();
	setenv("IPCFS", scratch_path("ipcfs"), 1);
	fixture_mount("allow_other,supervise=yes");
}

void program_install(void)
{
	install(original);
}

void program_install_other(void)
{
	char path[4096];
	ssize_t n = must(readlink("/proc/self/exe", path, sizeof(path) - 1));

	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	ck_assert_int_lt(strlen(path) + sizeof("/ipcfs_other_version"), sizeof(path));
	install(strcat(path, "/ipcfs_other_version"));
}

static bool runs_what_is_installed(pid_t pid)
{
	struct stat installed, running;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	must(stat(scratch_path("ipcfs"), &installed));
	return stat(path, &running) == 0 && running.st_ino == installed.st_ino &&
	       running.st_dev == installed.st_dev;
}

bool program_is_installed(void)
{
	return runs_what_is_installed(ipc.daemon) && runs_what_is_installed(takeover_daemon(&ipc));
}

void program_replace_begin(void)
{
	asking = (pid_t)must(fork());
	if (asking == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl(original, original, "--replace", ipc.dir, NULL);
		_exit(127);
	}
}

bool program_replace_end(void)
{
	int status = child_end(asking);

	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}
