/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child blocks SIGUSR1 before process_start() returns, so that the signal never kills it.
 */
#include "tests/unit/processes.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

pid_t process_start(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		sigset_t set;
		int number;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		close(ready[1]);
		sigwait(&set, &number);
		_exit(PROCESS_CODE);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

const char *process_name(pid_t pid)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return text;
}

struct file *process_open_file(pid_t pid, int flags)
{
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(pid));
	struct file *file = object_open(channel, flags);

	object_unref(channel);
	return file;
}

void process_reap(pid_t pid)
{
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

void process_start_with_pid(pid_t pid)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
		uint64_t set_tid, set_tid_size;
	} args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
	pid_t started = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (started == 0) {
		pause();
		_exit(0);
	}
	ck_assert_msg(started == pid, "clone3: %s", strerror(errno));
}
