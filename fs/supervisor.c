// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting a daemon, and waiting for its end.
 *
 * The supervisor opens nothing: what it had open could not be told from what a former daemon has
 * left, which the next one closes. It allocates nothing while a daemon serves: there might be no
 * memory when it is needed. And it waits for nobody but the daemon: anybody else may be waiting for
 * the mount.
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

/* How often to try to start the next daemon while there is no memory for it, and how long apart. */
#define START_TRIES 100
#define START_AGAIN (10 * CLOCK_MS)

struct supervisor {
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

static _Noreturn void be_daemon(struct supervisor *self, pid_t supervisor, bool is_next)
{
	sigset_t blocked = self->usual;

	supervisor_daemon_begin(self->area, supervisor);
	prctl(PR_SET_NAME, self->name);
	if (is_next) {
		/* Until it listens to signals: what it adopts must not be lost. */
		sigaddset(&blocked, SIGINT);
		sigaddset(&blocked, SIGTERM);
		sigaddset(&blocked, SIGHUP);
	}
	if (background_has_left())
		log_to_syslog(true);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	exit(self->serve(self->options, is_next ? self->next : self->state, is_next));
}

/*
 * Like fork(2), but both have the same table of descriptors. The kernel corrects the C library's
 * record of the thread's number, as it does for fork(3). Of the two last arguments one is for this
 * record, the other is not looked at; which is which depends on the machine.
 */
static pid_t clone_with_files(const struct supervisor *self)
{
	const unsigned long flags =
		CLONE_FILES | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, self->thread_id, self->thread_id);
}

static int start_daemon(struct supervisor *self, bool is_next)
{
	pid_t supervisor = getpid();
	pid_t pid;

	self->area->ready = 0;
	self->area->started = clock_now();
	self->area->n_daemons++;
	pid = clone_with_files(self);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		be_daemon(self, supervisor, is_next);
	self->daemon = self->area->daemon = pid;
	if (self->asked)
		kill(pid, self->asked);
	return 0;
}

static int start_next(struct supervisor *self)
{
	const struct timespec again = {.tv_nsec = START_AGAIN};
	int r = start_daemon(self, true);

	for (int i = 1; r < 0 && i < START_TRIES; i++) {
		nanosleep(&again, NULL);
		r = start_daemon(self, true);
	}
	return r;
}

static void pass_on(struct supervisor *self, int signal)
{
	if (signal != SIGHUP)
		self->asked = signal;
	kill(self->daemon, signal);
}

/*
 * Reaps the daemon, and children of former daemons. Returns whether it was the daemon that ended.
 */
static bool reap(struct supervisor *self, int *ret_status)
{
	bool has_ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == self->daemon) {
			*ret_status = status;
			has_ended = true;
		} else if (pid == self->area->unmounter) {
			self->area->unmounter = 0;
		}
	}
	return has_ended;
}

static void wait_for_end(struct supervisor *self, int *ret_status)
{
	int signal;

	do {
		signal = sigwaitinfo(&self->signals, NULL);
		if (signal > 0 && signal != SIGCHLD)
			pass_on(self, signal);
	} while (signal != SIGCHLD || !reap(self, ret_status));
	self->area->died = clock_now();
}

/* Returns the exit status, if the daemon has ended by itself; or ends as it has ended. */
static int keep(struct supervisor *self)
{
	struct journal *journal = state_area(self->state, STATE_JOURNAL);
	struct death death;
	int status, r;

	for (;;) {
		wait_for_end(self, &status);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		deaths_add(&self->deaths, self->area, journal, WTERMSIG(status), &death);
		if (death.end)
			death_end(&death);
		r = start_next(self);
		if (r < 0) {
			death.end = strerror(-r);
			death_end(&death);
		}
		death_tell(&death);
	}
}

static int prepare(struct supervisor *self)
{
	int r = state_new(true, &self->state);

	if (r == 0)
		r = state_restart(self->state, &self->next);
	if (r == 0 && (prctl(PR_GET_NAME, self->name) < 0 ||
		       prctl(PR_GET_TID_ADDRESS, &self->thread_id) < 0 ||
		       prctl(PR_SET_CHILD_SUBREAPER, 1) < 0))
		r = -errno;
	if (r < 0)
		return r;
	self->area = supervisor_area(self->state);
	self->area->supervisor = getpid();
	background_share(&self->area->ready_fd);
	sigemptyset(&self->signals);
	sigaddset(&self->signals, SIGINT);
	sigaddset(&self->signals, SIGTERM);
	sigaddset(&self->signals, SIGHUP);
	sigaddset(&self->signals, SIGCHLD);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would not be reported */
	sigprocmask(SIG_BLOCK, &self->signals, &self->usual);
	return 0;
}

static int supervise(struct supervisor *self)
{
	int r = start_daemon(self, false);

	if (r < 0) {
		log_line(LOG_ERR, "cannot start the daemon: %s", strerror(-r));
		return 1;
	}
	prctl(PR_SET_NAME, "ipcfs-supervise");
	if (chdir("/") < 0)
		log_line(LOG_WARNING, "/: %s", strerror(errno));
	return keep(self);
}

static int serve_alone(const struct supervisor *self)
{
	struct state *state;
	int r = state_new(false, &state);

	if (r < 0) {
		log_line(LOG_ERR, "%s: cannot be mounted: %s", self->options->mount_point,
			 strerror(-r));
		return 1;
	}
	supervisor_daemon_begin(supervisor_area(state), 0);
	r = self->serve(self->options, state, false);
	state_free(state);
	return r;
}

int supervisor_run(const struct options *options,
		   int (*serve)(const struct options *options, struct state *state, bool is_next))
{
	struct supervisor self = {.options = options, .serve = serve};
	int r = options->is_supervised ? prepare(&self) : -ENOTSUP;

	if (r < 0 && options->is_supervised)
		log_line(LOG_WARNING, "cannot be supervised, and ends if it is killed: %s",
			 strerror(-r));
	r = r < 0 ? serve_alone(&self) : supervise(&self);
	state_free(self.next);
	state_free(self.state);
	return r;
}
