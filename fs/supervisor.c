// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting a daemon, and waiting for its end.
 *
 * The supervisor opens nothing: what it had open could not be told from what a former daemon has
 * left, which the next one closes. It allocates nothing while a daemon serves: there might be no
 * memory when it is needed. And it waits for nobody but the daemon: anybody else may be waiting for
 * the mount. Only to become another executable it opens that one, which was opened a moment before.
 */
#include "fs/supervisor.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fs/background.h"
#include "fs/bounds.h"
#include "fs/log.h"
#include "fs/supervisor_daemon.h"
#include "fs/supervisor_deaths.h"
#include "fs/supervisor_replace.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/state.h"
#include "lib/channel/journal.h"
#include "lib/host/host.h"

/* How often to try to start the next daemon while there is no memory for it, and how long apart. */
#define START_TRIES 100
#define START_AGAIN (10 * CLOCK_MS)

/* So many more daemons are told to read the configuration: it may be what they die of. */
#define RELOADS_AGAIN 2

struct supervisor {
	const struct options *options;
	int (*serve)(const struct options *options, struct state *state, bool is_next);
	struct state *state, *next; /* for the first daemon, and for all others */
	struct supervisor_area *area;
	char name[16];           /* that a daemon has in ps(1) */
	void *thread_id;         /* where the C library keeps the number of this thread */
	sigset_t signals, usual; /* what is waited for; what was blocked before that */
	pid_t daemon;
	int asked;   /* the signal by which the mount was asked to end; 0: none */
	int n_again; /* daemons that were told to read the configuration after the first */
	struct deaths deaths;
	struct replacing replacing;
};

static _Noreturn void be_daemon(struct supervisor *self, pid_t supervisor, bool is_next)
{
	sigset_t blocked = self->usual;

	supervisor_daemon_begin(self->area, supervisor);
	if (self->state)
		state_hide(self->state);
	state_hide(self->next);
	prctl(PR_SET_NAME, self->name);
	if (is_next) {
		/* Until it listens to signals: what it adopts must not be lost. */
		sigaddset(&blocked, SIGINT);
		sigaddset(&blocked, SIGTERM);
		sigaddset(&blocked, SIGHUP);
		sigaddset(&blocked, SIGUSR2);
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
	self->daemon = self->replacing.daemon = self->area->daemon = pid;
	if (self->asked)
		kill(pid, self->asked);
	else if (is_next && self->area->n_reloads != self->area->n_reloaded &&
		 self->n_again++ < RELOADS_AGAIN)
		kill(pid, SIGHUP);
	return 0;
}

static void pause_for(int64_t time)
{
	nanosleep(&(struct timespec){.tv_sec = time / CLOCK_S, .tv_nsec = time % CLOCK_S}, NULL);
}

static int start_next(struct supervisor *self)
{
	int r = start_daemon(self, true);

	for (int i = 1; r < 0 && i < START_TRIES; i++) {
		pause_for(START_AGAIN);
		r = start_daemon(self, true);
	}
	return r;
}

static void pass_on(struct supervisor *self, int signal)
{
	if (signal == SIGHUP) {
		self->area->n_reloads++;
		self->n_again = 0;
	} else {
		self->asked = signal;
	}
	kill(self->daemon, signal);
}

static void go_on(struct supervisor *self, enum replace_next next)
{
	if (next == REPLACE_RELOAD)
		pass_on(self, SIGHUP);
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
		} else if (pid == self->replacing.asked) {
			go_on(self, replacing_answered(&self->replacing, self->area, status,
						       self->asked != 0));
		}
	}
	return has_ended;
}

/* -1: never */
static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int wait_for_signal(struct supervisor *self)
{
	int64_t patience = sooner(replacing_patience(&self->replacing),
				  deaths_patience(&self->deaths, self->area));
	struct timespec time = {.tv_sec = patience / CLOCK_S, .tv_nsec = patience % CLOCK_S};
	int signal = patience < 0 ? sigwaitinfo(&self->signals, NULL)
				  : sigtimedwait(&self->signals, NULL, &time);

	if (signal < 0)
		replacing_late(&self->replacing);
	if (signal < 0 && deaths_late(&self->deaths, self->area))
		kill(self->daemon, SIGKILL);
	return signal;
}

static void wait_for_end(struct supervisor *self, int *ret_status)
{
	int signal;

	do {
		signal = wait_for_signal(self);
		if (signal == SIGHUP || signal == SIGUSR2)
			go_on(self, replacing_begin(&self->replacing, self->area, signal));
		else if (signal > 0 && signal != SIGCHLD)
			pass_on(self, signal);
	} while (signal != SIGCHLD || !reap(self, ret_status));
	self->area->died = clock_now();
}

/* Returns the exit status, if the daemon has ended by itself; or ends as it has ended. */
static int keep(struct supervisor *self)
{
	struct journal *journal = state_area(self->next, STATE_JOURNAL);
	bool is_replaced;
	struct death death;
	int status, r;

	for (;;) {
		wait_for_end(self, &status);
		if (!deaths_is_one(self->area, status))
			return WEXITSTATUS(status);
		is_replaced = self->replacing.is_due && WIFSIGNALED(status) &&
			      WTERMSIG(status) == SIGKILL;
		if (is_replaced)
			journal->request = 0; /* no request's fault */
		deaths_add(&self->deaths, self->area, journal, status, &death);
		if (death.end)
			death_end(&death);
		if (self->replacing.is_due && !self->asked) {
			if (!is_replaced)
				death_tell(&death);
			replacing_execute(&self->replacing, self->area, state_fd(self->next));
			is_replaced = true; /* told already */
		}
		/* The next daemon closes the descriptor of the first one's handle. */
		state_free(TAKE_PTR(self->state));
		if (death.pause)
			pause_for(death.pause);
		r = start_next(self);
		if (r < 0) {
			death.end = strerror(-r);
			death_end(&death);
		}
		if (!is_replaced)
			death_tell(&death);
	}
}

/* Makes the state, or opens that of the mount to go on with. */
static int find_state(struct supervisor *self)
{
	int r;

	if (self->options->adopt_fd > 0)
		return state_open(self->options->adopt_fd, &self->next);
	r = state_new(true, &self->state);
	return r < 0 ? r : state_restart(self->state, &self->next);
}

static void block_signals(struct supervisor *self)
{
	const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2, SIGCHLD};

	signal(SIGCHLD, SIG_DFL); /* ignored, it would not be reported */
	sigemptyset(&self->signals);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&self->signals, signals[i]);
	sigprocmask(SIG_BLOCK, &self->signals, &self->usual);
	if (self->options->adopt_fd <= 0)
		return;
	/* The former supervisor has left them blocked, so that none is lost. */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigdelset(&self->usual, signals[i]);
}

static int prepare(struct supervisor *self)
{
	bool is_new = self->options->adopt_fd <= 0;
	int r = find_state(self);

	/* Not the name that the kernel gives: that of a file executed by descriptor is a number. */
	snprintf(self->name, sizeof(self->name), "%s", program_invocation_short_name);
	if (r == 0 && (prctl(PR_GET_TID_ADDRESS, &self->thread_id) < 0 ||
		       prctl(PR_SET_CHILD_SUBREAPER, 1) < 0))
		r = -errno;
	if (r < 0)
		return r;
	self->area = supervisor_area(self->next);
	self->area->supervisor = getpid();
	if (is_new)
		background_share(&self->area->ready_fd);
	else if (!self->options->is_foreground && !self->options->is_debug)
		background_adopt(&self->area->ready_fd);
	block_signals(self);
	bounds_raise_files(); /* it shares the daemons' descriptors, but not their limit */
	r = replacing_init(&self->replacing, self->options);
	if (r < 0)
		log_line(LOG_WARNING, "cannot be replaced: %s", strerror(-r));
	return 0;
}

static int supervise(struct supervisor *self)
{
	bool is_next = self->options->adopt_fd > 0;
	int r;

	prctl(PR_SET_NAME, SUPERVISOR_NAME);
	if (is_next) {
		host_probe_anew(self->next);
		replacing_done(self->area);
	}
	r = is_next ? start_next(self) : start_daemon(self, false);
	if (r < 0) {
		log_line(LOG_ERR, "cannot start the daemon: %s", strerror(-r));
		return 1;
	}
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
	state_hide(state);
	r = self->serve(self->options, state, false);
	state_free(state);
	return r;
}

static bool is_wanted(const struct options *options)
{
	if (options->supervise == SUPERVISE_USUAL)
		return !options->is_foreground && !options->is_debug;
	return options->supervise == SUPERVISE_YES;
}

int supervisor_run(const struct options *options,
		   int (*serve)(const struct options *options, struct state *state, bool is_next))
{
	struct supervisor self = {.options = options, .serve = serve};
	bool wanted = is_wanted(options);
	int r = wanted ? prepare(&self) : -ENOTSUP;

	if (r < 0 && options->adopt_fd > 0) {
		log_line(LOG_ERR, "cannot go on with the mount, which ends: %s", strerror(-r));
		return 1;
	}
	if (r < 0 && wanted)
		log_line(LOG_WARNING, "cannot be supervised, and ends if it is killed: %s",
			 strerror(-r));
	r = r < 0 ? serve_alone(&self) : supervise(&self);
	replacing_fini(&self.replacing);
	state_free(self.next);
	state_free(self.state);
	return r;
}
