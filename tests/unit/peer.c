/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child says through a pipe that it is ready, and never returns into Check.
 */
#include "tests/unit/peer.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture.h"

/* Makes the child what `peer` describes. The child can't report a failure to Check, so it exits. */
static void become(const struct peer *peer)
{
	struct rlimit limit;

	umask(peer->umask);
	if (getrlimit(RLIMIT_MSGQUEUE, &limit) < 0)
		_exit(255);
	if (peer->queue_limit)
		limit.rlim_cur = (rlim_t)peer->queue_limit;
	if (setrlimit(RLIMIT_MSGQUEUE, &limit) < 0 ||
	    setgroups((size_t)peer->n_groups, peer->groups) < 0 ||
	    setresgid(peer->uid, peer->uid, peer->uid) < 0 ||
	    setresuid(peer->uid, peer->uid, peer->uid) < 0 || unshare(peer->unshares) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(255);
}

pid_t peer_start(const struct peer *peer)
{
	int ready[2];
	char byte;
	pid_t pid;

	must_call(pipe(ready));
	pid = (pid_t)must_call(fork());
	if (pid == 0) {
		become(peer);
		if (write(ready[1], "", 1) < 0)
			_exit(255);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

void peer_stop(pid_t pid)
{
	must_call(kill(pid, SIGKILL));
	must_call(waitpid(pid, NULL, 0));
}

int peer_run(uid_t uid, int (*run)(void *data), void *data)
{
	const struct peer peer = {.uid = uid};
	pid_t pid = (pid_t)must_call(fork());
	int status;

	if (pid == 0) {
		become(&peer);
		_exit(run(data));
	}
	must_call(waitpid(pid, &status, 0));
	ck_assert_msg(WIFEXITED(status), "wait status %#x", status);
	return WEXITSTATUS(status);
}
