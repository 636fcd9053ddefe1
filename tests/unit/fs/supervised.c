/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Check and AddressSanitizer have handlers for signals, which the supervisor must not have. */
#include "tests/unit/fs/supervised.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/supervisor.h"
#include "tests/unit/fixture.h"

struct seen *seen;

void see(struct state *state, bool is_next)
{
	seen->n++;
	seen->n_next += is_next;
	supervisor_area(state)->can_follow = true;
}

pid_t start(serve_fn *serve, bool is_supervised)
{
	const struct options options = {.mount_point = "/m",
					.supervise = is_supervised ? SUPERVISE_YES : SUPERVISE_NO};
	pid_t pid;

	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
	pid = (pid_t)must_call(fork());
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		exit(supervisor_run(&options, serve));
	}
	return pid;
}

void must_exit(pid_t pid, int expected)
{
	int status;

	must_call(waitpid(pid, &status, 0));
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected, "status %#x", status);
}

void must_die(pid_t pid, int expected)
{
	int status;

	must_call(waitpid(pid, &status, 0));
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == expected, "status %#x", status);
	ck_assert(!WCOREDUMP(status));
}

void wait_for(const _Atomic int *number)
{
	for (int i = 0; !*number && i < 5000; i++)
		poll(NULL, 0, 1);
	ck_assert_int_ne(*number, 0);
}
