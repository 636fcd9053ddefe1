/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured: a row is one piece of work, done in two ways that take turns batch by batch.
 *
 * A side opens what it works on once a row, then does the work as often as it is asked. Groups of
 * rows are tables, one file each, named in groups.c. A row whose kind is not in the mount is told
 * as such.
 */
#ifndef TESTS_BENCH_ROW_H
#define TESTS_BENCH_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/bench/bench.h"

enum { NATIVE, IPCFS, N_SIDES };

/* Where client, other end and daemon run. */
enum placement { PLACED_SAME, PLACED_OTHER, PLACED_FREE, N_PLACEMENTS };

#define ONLY_FREE (1U << PLACED_FREE)

/* How the other processes of a side are placed. */
enum role { ROLE_CLIENT, ROLE_OTHER_END, ROLE_DAEMON };

struct process {
	pid_t pid;
	enum role role;
};

/* What a side has open. Descriptors are -1 and pointers NULL until open() sets them. */
struct ends {
	const struct bench *bench;
	const struct row *row;
	int out, in;           /* the client's: where it writes, and where it reads */
	int peer_in, peer_out; /* the other end's */
	int control, report;   /* pipes to the process that helps: orders, and word of their end */
	char *map;
	char *buffer;                                           /* of ends_capacity() bytes */
	void *state;                                            /* the side's own */
	ssize_t (*send)(int fd, const void *data, size_t size); /* write(2) unless changed */
	ssize_t (*receive)(int fd, void *data, size_t size);    /* read(2) */
	struct process processes[4];
	size_t n_processes;
};

struct side {
	const char *name; /* what with, "mkfifo"; NULL: there is no such side */
	void (*open)(struct ends *ends);
	/* Does the work n times, and is timed. */
	void (*work)(struct ends *ends, size_t n);
	/* Undoes, untimed, what the work leaves behind. */
	void (*rewind)(struct ends *ends);
	/* Instead of work: returns the cost itself, in seconds, KiB or whatever is counted. */
	double (*sample)(struct ends *ends);
	/* Descriptors, map, buffer and processes end by themselves. */
	void (*close)(struct ends *ends);
};

enum unit { UNIT_RATE, UNIT_MICROSECONDS, UNIT_MILLISECONDS, UNIT_KIB, UNIT_COUNT };

/* What the target is a bound of. */
enum bound {
	BOUND_NONE,
	BOUND_SPEED, /* ipcfs is at least so many times as fast as native */
	BOUND_TIME,  /* ipcfs takes at most so many times as long, or as much, as native */
	BOUND_MOST,  /* the figure of ipcfs itself is at most this */
	BOUND_BELOW, /* and less than this */
};

struct row {
	const char *work;
	const char *kind; /* the directory of the mount that has to be there; NULL: none */
	size_t size;      /* bytes of one piece of work */
	enum unit unit;
	enum bound bound;
	size_t n_max;        /* pieces in a batch at most; 0: as many as take long enough */
	size_t n_batches;    /* 0: as the run has it */
	unsigned placements; /* 1 << PLACED_*; 0: all */
	bool is_slow;        /* a batch takes so long that --quick makes few of them */
	bool is_kept;        /* only in a mount that keeps FIFOs */
	double targets[N_PLACEMENTS]; /* of a speed 0: it is shown there, and not aimed at */
	struct side sides[N_SIDES];
};

struct group {
	const char *name, *title;
	const struct row *rows; /* ended by one without `work` */
};

/* All of them, ended by NULL; and each from its file. */
extern const struct group *const groups[];
extern const struct group shm_group, node_group, pipe_group, served_group, queue_group;
extern const struct group shell_group, socket_group, reader_group, folder_group, daemon_group;

#endif
