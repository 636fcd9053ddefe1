/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where it takes place: a mount in namespaces of its own (mount, IPC, network, processes), with a
 * /dev/shm, /run and network of its own. When the first process of these ends, all of it ends.
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

/* The exit status of a process that could not begin; why, place_is_well() finds. */
enum { NO_MOUNT = 100 };

/* What all processes write to. */
struct board {
	atomic_uint minor; /* of the mount, below /sys/fs/fuse/connections; 0: none yet */
	atomic_ulong n_calls[CALLS_MAX], n_good[CALLS_MAX];
};

struct place {
	struct board *board;
	const char *program;
	const char *options;
	char dir[48];   /* below it sockets/, which anybody may write to */
	char mount[64]; /* below it too */
	int log;        /* what the daemon says */
	pid_t daemon;
};

/*
 * In the first process of the namespaces. False, with the reason printed, when there is no mount.
 */
bool place_open(struct place *place);
/* Whether the daemon lives and answers another user, within some time. Prints what is wrong. */
bool place_is_well(struct place *place);
/* Ends the daemon, by a signal or by an unmount. False if that took too long or went wrong. */
bool place_close(struct place *place, bool by_signal);

/* Frees all that wait for the mount. */
void place_abort(const struct board *board);
/* Whether a sanitizer complained; prints the end of what the daemon said if so, or if `is_bad`. */
bool place_print_log(const struct place *place, bool is_bad);
/* What all processes here are doing, for one that reads why something hangs. */
void place_print_processes(void);

/* False if the process has not ended by then. */
bool await_end(pid_t pid, int milliseconds, int *ret_status);

#endif
