// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every failure of what is not the test's subject fails the test.
 */
#include "tests/mount/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/mount/fixture.h"

int pause_for_ever(void *unused)
{
	while (pause() < 0)
		continue;
	return 0;
}

const char *process_path(pid_t pid)
{
	char name[32];

	snprintf(name, sizeof(name), "signals/%d", pid);
	return ipc_path(name);
}

int process_open(pid_t pid, int flags)
{
	return open(process_path(pid), flags);
}

int process_send(pid_t pid, const char *text)
{
	int fd = process_open(pid, O_WRONLY);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = n < 0 ? errno : n < (ssize_t)strlen(text) ? EMSGSIZE : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

void process_recycle(pid_t pid)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
		uint64_t set_tid, set_tid_size;
	} args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
	pid_t started = (pid_t)must(syscall(SYS_clone3, &args, sizeof(args)));

	if (started == 0)
		_exit(pause_for_ever(NULL));
	ck_assert_int_eq(started, pid);
}
