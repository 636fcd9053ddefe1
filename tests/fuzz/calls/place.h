/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scene of the fuzzing: a mount in namespaces of its own (mount, IPC, network, pid), with its
 * own /dev/shm, /run and network. When the namespaces' first process ends, everything in them ends.
 */
#ifndef TESTS_FUZZ_CALLS_PLACE_H
#define TESTS_FUZZ_CALLS_PLACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
	CALLS_MAX = 160,
	FIRST_USER = 65534,
	SECOND_USER = 65533,
	WITNESS = 4321,
	PORT = 5000,
	N_PORTS = 4
};

/* The exit status of a process that could not begin its work. place_is_well() finds out why. */
enum { NO_MOUNT = 100 };

/* Memory that all processes share. */
struct board {
	atomic_uint minor; /* of the mount, below /sys/fs/fuse/connections; 0: none yet */
	atomic_ulong n_calls[CALLS_MAX], n_good[CALLS_MAX];
};

struct place {
	struct board *board;
	const char *program;
	const char *options;
	char dir[48];   /* contains sockets/, which anyone may write to */
	char mount[64]; /* below `dir` */
	int log;        /* the file with the daemon's output */
	pid_t daemon;
};

/*
 * Mounts. Runs in the first process of the namespaces. Returns false, with the reason printed, if
 * that fails.
 */
bool place_open(struct place *place);
/* Whether the daemon is alive and answers another user in time. Prints what is wrong. */
bool place_is_well(struct place *place);
/*
 * Ends the daemon, by a signal or by an unmount. Returns false if that took too long or went wrong.
 */
bool place_close(struct place *place, bool by_signal);

/* Aborts the mount, which releases all processes that wait for it. */
void place_abort(const struct board *board);
/* Whether a sanitizer complained. If so, or if `is_bad`, prints the end of the daemon's output. */
bool place_print_log(const struct place *place, bool is_bad);
/* Prints what all processes here are doing, to show why something hangs. */
void place_print_processes(void);

/* Waits for the process to end. Returns false if it has not ended within this time. */
bool await_end(pid_t pid, int milliseconds, int *ret_status);

#endif
