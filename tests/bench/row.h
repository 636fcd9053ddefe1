/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows to measure. A row is one piece of work, done by two sides that take turns batch by
 * batch.
 *
 * A side opens what it works on once per row, then does the work as often as asked. Groups of rows
 * are tables, one file each, listed in groups.c. A row whose kind is not in the mount is reported
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

/* A process is placed by its role. */
enum role { ROLE_CLIENT, ROLE_OTHER_END, ROLE_DAEMON };

struct process {
	pid_t pid;
	enum role role;
	bool is_borrowed; /* the side's close() ends it */
};

/* What a side has open. Descriptors are -1 and pointers NULL until open() sets them. */
struct ends {
	const struct bench *bench;
	const struct row *row;
	int out, in;           /* the client writes to `out` and reads from `in` */
	int peer_in, peer_out; /* the other end's */
	int control, report;   /* pipes to and from the helper, for orders and reports */
	char *map;
	char *buffer;                                           /* of ends_capacity() bytes */
	void *state;                                            /* the side's own */
	ssize_t (*send)(int fd, const void *data, size_t size); /* write(2) unless changed */
	ssize_t (*receive)(int fd, void *data, size_t size);    /* read(2) unless changed */
	struct process processes[12];
	size_t n_processes;
};

struct side {
	const char *name; /* what the side uses, such as "mkfifo"; NULL: no such side */
	void (*open)(struct ends *ends);
	/* Does the work n times. This is timed. */
	void (*work)(struct ends *ends, size_t n);
	/* Undoes what the work leaves behind. This is not timed. */
	void (*rewind)(struct ends *ends);
	/* Instead of `work`: returns the cost itself, in seconds, KiB or whatever is counted. */
	double (*sample)(struct ends *ends);
	/* Optional: descriptors, map, buffer and processes are released without it. */
	void (*close)(struct ends *ends);
};

enum unit {
	UNIT_RATE,
	UNIT_DELIVERIES, /* of a piece to each of row->n_readers */
	UNIT_MICROSECONDS,
	UNIT_MILLISECONDS,
	UNIT_KIB,
	UNIT_COUNT,
};

/* What the target limits. */
enum bound {
	BOUND_NONE,
	BOUND_SPEED, /* ipcfs is at least this many times as fast as native */
	BOUND_TIME,  /* ipcfs takes at most this many times as long, or as much, as native */
	BOUND_MOST,  /* the figure of ipcfs itself is at most this */
	BOUND_BELOW, /* the figure of ipcfs itself is less than this */
};

struct row {
	const char *work;
	const char *kind; /* the directory that the mount must have; NULL: none */
	size_t size;      /* bytes of one piece of work */
	enum unit unit;
	enum bound bound;
	size_t n_readers;    /* that get each piece */
	size_t n_max;        /* most pieces in a batch; 0: as many as fill its time */
	size_t n_batches;    /* 0: the run's default */
	unsigned placements; /* 1 << PLACED_*; 0: all */
	bool is_slow;        /* a batch takes so long that --quick runs few of them */
	bool is_kept;        /* only in a mount that keeps FIFOs */
	bool is_followed;    /* only in a mount where another daemon follows a killed one */
	double targets[N_PLACEMENTS]; /* 0 for a ratio: shown there, but not a target */
	struct side sides[N_SIDES];
};

struct group {
	const char *name, *title;
	const struct row *rows; /* ended by a row without `work` */
};

/* All groups, ended by NULL, and each from its own file. */
extern const struct group *const groups[];
extern const struct group shm_group, node_group, pipe_group, served_group, queue_group;
extern const struct group topic_group, shell_group, socket_group, reader_group, folder_group;
extern const struct group daemon_group, cluster_group;

#endif
