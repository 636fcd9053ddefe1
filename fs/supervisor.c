// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting a daemon and waiting for its end, without a descriptor and without memory of its own: the
 * one would have to be told from those of the daemons, and the other might be missing when it counts.
 *
 * Nothing that the supervisor does can wait for the mount, because the mount waits for it.
 */
#include "fs/supervisor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fs/background.h"
#include "fs/log.h"
#include "fs/supervisor_daemon.h"
#include "fs/supervisor_deaths.h"
#include "lib/base/clock.h"
#include "lib/base/state.h"
#include "lib/channel/journal.h"

/* How long to try to start the next daemon, and how often, when there is no memory for a process. */
#define START_TRIES 100
#define START_AGAIN (10 * CLOCK_MS)

struct keeper {
	const struct options *options;
	int (*serve)(const struct options *options, struct state *state, bool is_next);
	struct state *state, *next; /* for the first daemon, and for all others */
	struct supervisor_area *area;
	char name[16];           /* that a daemon has in ps(1) */
	void *thread_id;         /* where the C library keeps the number of this thread */
	sigset_t signals, usual; /* what is waited for; what was blocked before that */
	pid_t daemon;
	int asked; /* the signal by which the mount was asked to end; 0: none */
	struct deaths deaths;
};

static _Noreturn void be_daemon(struct keeper *keeper, pid_t supervisor, bool is_next)
{
	sigset_t blocked = keeper->usual;

	supervisor_daemon_begin(keeper->area, supervisor);
	prctl(PR_SET_NAME, keeper->name);
	if (is_next) {
		/* Until it listens to signals: what it adopts must not be lost. */
		sigaddset(&blocked, SIGINT);
		sigaddset(&blocked, SIGTERM);
		sigaddset(&blocked, SIGHUP);
	}
	if (background_has_left())
		log_to_syslog(true);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	exit(keeper->serve(keeper->options, is_next ? keeper->next : keeper->state, is_next));
}

/*
 * Like fork(2), but both have the same table of descriptors. The kernel corrects the C library's
 * record of the thread's number, as it does for fork(3). Of the two last arguments one is for this
 * record, the other is not looked at; which is which depends on the machine.
 */
static pid_t clone_with_files(const struct keeper *keeper)
{
	const unsigned long flags =
		CLONE_FILES | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, keeper->thread_id, keeper->thread_id);
}

static int start_daemon(struct keeper *keeper, bool is_next)
{
	pid_t supervisor = getpid();
	pid_t pid;

	keeper->area->ready = 0;
	keeper->area->started = clock_now();
	keeper->area->n_daemons++;
	pid = clone_with_files(keeper);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_daemon(keeper, supervisor, is_next);
	keeper->daemon = keeper->area->daemon = pid;
	if (keeper->asked)
		kill(pid, keeper->asked);
	return 0;
}

static int start_next(struct keeper *keeper)
{
	const struct timespec again = {.tv_nsec = START_AGAIN};
	int r = start_daemon(keeper, true);

	for (int i = 1; r < 0 && i < START_TRIES; i++) {
		nanosleep(&again, NULL);
		r = start_daemon(keeper, true);
	}
	return r;
}

static void pass_on(struct keeper *keeper, int signal)
{
	if (signal != SIGHUP)
		keeper->asked = signal;
	kill(keeper->daemon, signal);
}

/*
 * Reaps the daemon, and children of former daemons. Returns whether it was the daemon that ended.
 */
static bool reap(struct keeper *keeper, int *ret_status)
{
	bool has_ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == keeper->daemon) {
			*ret_status = status;
			has_ended = true;
		} else if (pid == keeper->area->unmounter) {
			keeper->area->unmounter = 0;
		}
	}
	return has_ended;
}

static void wait_for_end(struct keeper *keeper, int *ret_status)
{
	int signal;

	do {
		signal = sigwaitinfo(&keeper->signals, NULL);
		if (signal > 0 && signal != SIGCHLD)
			pass_on(keeper, signal);
	} while (signal != SIGCHLD || !reap(keeper, ret_status));
	keeper->area->died = clock_now();
}

/* Returns the exit status, if the daemon has ended by itself; or ends as it has ended. */
static int keep(struct keeper *keeper)
{
	const struct journal *journal = state_area(keeper->state, STATE_JOURNAL);
	struct death death;
	int status, r;

	for (;;) {
		wait_for_end(keeper, &status);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		deaths_add(&keeper->deaths, keeper->area, journal, WTERMSIG(status), &death);
		if (death.end)
			death_end(&death);
		r = start_next(keeper);
		if (r < 0) {
			death.end = strerror(-r);
			death_end(&death);
		}
		death_tell(&death);
	}
}

static int prepare(struct keeper *keeper)
{
	int r = state_new(true, &keeper->state);

	if (r == 0)
		r = state_restart(keeper->state, &keeper->next);
	if (r == 0 && (prctl(PR_GET_NAME, keeper->name) < 0 ||
		       prctl(PR_GET_TID_ADDRESS, &keeper->thread_id) < 0 ||
		       prctl(PR_SET_CHILD_SUBREAPER, 1) < 0))
		r = -errno;
	if (r < 0)
		return r;
	keeper->area = supervisor_area(keeper->state);
	keeper->area->supervisor = getpid();
	background_share(&keeper->area->ready_fd);
	sigemptyset(&keeper->signals);
	sigaddset(&keeper->signals, SIGINT);
	sigaddset(&keeper->signals, SIGTERM);
	sigaddset(&keeper->signals, SIGHUP);
	sigaddset(&keeper->signals, SIGCHLD);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would not be reported */
	sigprocmask(SIG_BLOCK, &keeper->signals, &keeper->usual);
	return 0;
}

static int supervise(struct keeper *keeper)
{
	int r = start_daemon(keeper, false);

	if (r < 0) {
		log_line(LOG_ERR, "cannot start the daemon: %s", strerror(-r));
		return 1;
	}
	prctl(PR_SET_NAME, "ipcfs-supervise");
	if (chdir("/") < 0)
		log_line(LOG_WARNING, "/: %s", strerror(errno));
	return keep(keeper);
}

static int serve_alone(const struct keeper *keeper)
{
	struct state *state;
	int r = state_new(false, &state);

	if (r < 0) {
		log_line(LOG_ERR, "%s: cannot be mounted: %s", keeper->options->mount_point,
			 strerror(-r));
		return 1;
	}
	background_share(&supervisor_area(state)->ready_fd);
	supervisor_daemon_begin(supervisor_area(state), 0);
	r = keeper->serve(keeper->options, state, false);
	background_share(NULL);
	state_free(state);
	return r;
}

int supervisor_run(const struct options *options,
		   int (*serve)(const struct options *options, struct state *state, bool is_next))
{
	struct keeper keeper = {.options = options, .serve = serve};
	int r = options->is_supervised ? prepare(&keeper) : -ENOTSUP;

	if (r < 0 && options->is_supervised)
		log_line(LOG_WARNING,
			 "cannot be supervised, so the mount ends if its daemon is "
			 "killed: %s",
			 strerror(-r));
	r = r < 0 ? serve_alone(&keeper) : supervise(&keeper);
	state_free(keeper.next);
	state_free(keeper.state);
	return r;
}
