/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon of the mount's own directories and files, in STATE_TREE, and of the
 * host, in STATE_HOST: all zeroes at first. Texts are in blocks of the state (lib/base/state.h),
 * lists in blocks that begin with the offset of the next one.
 */
#ifndef IPCFS_TREE_RECORD_H
#define IPCFS_TREE_RECORD_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* The most directories that are always there. */
#define TREE_DIRECTORIES 96
/* The most users of whose last lines in ctl there is something to tell. */
#define TREE_COMPLAINTS 64

struct state_text {
	uint64_t offset; /* written last; 0: there is none */
	uint64_t size;   /* bytes, with the NUL */
};

/* A directory that is always there: lib/channel/space_attributes.c. */
struct directory_record {
	uint64_t ino;            /* space::ino; 0: not in use */
	struct timespec changed; /* space::changed */
	/* What was set of its attributes. */
	uint64_t changes;      /* enum channel_change */
	struct stat attr;      /* the new values */
	struct timespec since; /* when they were last set */
	/*
	 * The underlying times at `since`. Once these have changed, the times that were set no
	 * longer count.
	 */
	struct stat before;
};

/* What ctl tells one user: lib/tree/complaints.c. */
struct complaint_record {
	uint64_t number; /* the larger, the later it was begun; 0: not in use */
	uid_t uid;
	uint32_t line;
	struct state_text error, report;
};

/* A text in the set of lib/host/configured.c. A block. */
struct configured_text {
	uint64_t next; /* the offset of the next one, 0: none */
	uint64_t size; /* of `path`, with the NUL */
	char path[];
};

/* A line that runs again and again: lib/tree/reaper.c. A block. */
struct reaper_record {
	uint64_t next; /* the offset of the next one, 0: none */
	int64_t every; /* seconds */
	uint64_t length;
	struct timespec due; /* when it runs next, CLOCK_MONOTONIC */
	/* What its last run has found: names, each with its NUL. None while it runs. */
	struct state_text seen;
	char line[];
};

struct tree_record {
	struct timespec started; /* host::started */
	uint64_t configured;     /* the first in the list of host::configured */
	uint64_t reapers;        /* the first in the list of host::reapers */
	uint64_t config_left;    /* enum config_lines: lines of the configuration still to run */
	uint64_t last_complaint; /* the last complaint_record::number */
	struct directory_record directories[TREE_DIRECTORIES];
	struct complaint_record complaints[TREE_COMPLAINTS];
};

/* In STATE_HOST: the scratch buffer may have what a reader was to get. */
struct host_area {
	struct {
		uint64_t offset, size;
	} scratch[2];
	uint64_t current;              /* which of the two counts */
	uint64_t buffer;               /* buffers::noted */
	uint64_t n_features, features; /* what features_probe() has found; 0: not yet */
};

#endif
