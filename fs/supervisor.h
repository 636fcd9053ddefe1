/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -o supervise=yes: a process that starts the next daemon when the daemon is killed.
 *
 * The supervisor and the daemons share one table of descriptors, so what a daemon had open stays
 * open, under the same numbers; and the state (lib/base/state.h). The supervisor does nothing else
 * with either. It cannot be harmed by what users do, needs hardly any memory, and so outlives
 * what kills a daemon. It ends with the mount, and the mount ends with it.
 */
#ifndef IPCFS_SUPERVISOR_H
#define IPCFS_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sysexits.h>

#include "fs/options.h"
#include "lib/base/loop.h"

struct state;

/*
 * In the state's area STATE_SUPERVISOR. The supervisor writes what is above the line. What is below
 * it can make it follow a daemon or not, and nothing else.
 */
struct supervisor_area {
	int32_t supervisor; /* its pid; 0: there is none */
	int32_t daemon;     /* the pid of the daemon */
	uint32_t n_daemons; /* that were started so far */
	struct {
		uint64_t request; /* the one in hand when daemons died; 0: none so far */
		uint64_t deaths;  /* of how many, in a row */
	} poison;
	int64_t died, started; /* the former and this daemon: clock_now(), 0: never */
	uint32_t n_reloads;    /* so often it was asked to have the configuration read again */
	/* --- */
	int64_t ready;       /* when this daemon began to serve: clock_now(); 0: not yet */
	uint32_t can_follow; /* another daemon can go on where this one is killed */
	uint32_t is_ended;   /* the daemon ends the mount: none may follow */
	int32_t unmounter;   /* the pid of fs/unmounter.h; 0: none */
	int32_t ready_fd;    /* of fs/background.h; -1: none. To be kept open. */
	uint32_t n_reloaded; /* n_reloads before the configuration was last read */
	/* --- The supervisor's again: fs/supervisor_replace.c */
	uint32_t n_answers; /* so often it has answered the question to be replaced */
	uint32_t answer;    /* the latest one: enum answer */
};

/* The supervisor's name in ps(1). */
#define SUPERVISOR_NAME "ipcfs-supervise"

/* So many deaths make a request a poison: it has to be answered with EIO. */
#define SUPERVISOR_POISON 3

/*
 * The exit status of a next daemon that lacked something which may be there in a moment, such as
 * memory, before it served. It has left all as a killed daemon does.
 */
#define SUPERVISOR_AGAIN EX_TEMPFAIL

struct supervisor_area *supervisor_area(const struct state *state);

/*
 * Makes the state, and calls serve(), whose result is the exit status, in a daemon. If that is
 * killed and can be followed, calls serve() in the next daemon, with `is_next`, and so on; also if
 * that one ends with SUPERVISOR_AGAIN. Without supervise=yes, or where that can't be done, serve()
 * is called in this process. Returns the exit status, or ends by the signal that has ended the last
 * daemon.
 */
int supervisor_run(const struct options *options,
		   int (*serve)(const struct options *options, struct state *state, bool is_next));

/* For the daemon. All of these do nothing without a supervisor. */

/* Returns the supervisor's pid; 0: there is none. */
pid_t supervisor_pid(void);

/* Notes that this daemon serves: that it is killed after this is not its own fault. */
void supervisor_ready(void);

/*
 * How often the supervisor was asked to have the configuration read. Given to supervisor_reloaded()
 * when it has been read after that; else the next daemon is told to read it.
 */
uint32_t supervisor_reloads(void);
void supervisor_reloaded(uint32_t n_reloads);

/*
 * Watches the supervisor: source->dispatch is called when it is gone, and the mount has to end. The
 * caller closes source->fd. Fails with -errno.
 */
int supervisor_watch(struct loop *loop, struct loop_source *source);

#endif
