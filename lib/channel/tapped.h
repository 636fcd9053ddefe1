/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the files of taps alone: the tap of a channel, those who read it, and all taps of a host.
 */
#ifndef IPCFS_TAPPED_H
#define IPCFS_TAPPED_H

#include "lib/channel/ring.h"
#include "lib/channel/tap.h"

/* Stands in the ring before the bytes. */
struct tap_record {
	struct timespec time;
	size_t size; /* of the bytes */
	pid_t pid;   /* 0: unknown */
	uid_t uid;
	uint8_t is_write; /* a truth */
};

/* A read out of the bytes of a write that is not over. */
struct tap_later {
	struct tap_who who;
	const void *data;
	size_t size;
};

/* Processes found for threads that are not their process's first. */
#define TAP_THREADS 16
/* For how many readers of one write they are looked for in /proc. */
#define TAP_LOOKS 64

struct tap {
	struct channel *channel; /* a reference; NULL: the object has ended */
	struct taps *taps;
	/* For the ring, whose memory is charged to each reader, and need not be charged again. */
	struct user_table unlimited;
	struct ring ring;
	uint64_t lost;  /* what was too long for the ring, or found no memory */
	uint64_t noted; /* all that passed, also in former daemons: object_record::tapped */
	uint64_t shown; /* the number of the first record that readers do not see yet */
	struct tap_reader *readers;
	pid_t processes[TAP_THREADS]; /* by thread, modulo */

	bool is_writing;
	unsigned n_looks;        /* during this write */
	struct tap_later *later; /* owned */
	size_t n_later;

	bool is_pending;           /* in taps::pending */
	struct tap *prev, *next;   /* taps::all */
	struct tap *after_pending; /* taps::pending */
};

struct tap_reader {
	struct tap *tap;
	struct file *file; /* borrowed: it owns the reader */
	bool sees_all;
	struct ring_reader place;
	uint64_t lost_before;   /* tap::lost when the reader came */
	uint64_t missed_before; /* what it had not read when a former daemon died */
	uint64_t told;          /* how many missed records it has been told of */
	bool has_turn;          /* it has not yet read all that is shown */
	bool has_read;          /* since readers were woken last */
	/* Blocks of the state. */
	struct remainder rest;          /* of a record read in part; charged as USER_BYTES */
	struct remainder spent;         /* read to its end, but tap_save() has still to be called */
	struct tap_reader *prev, *next; /* tap::readers */
};

/* All taps of a host. There is one while there are any. */
struct taps {
	struct host *host;
	struct tap *all;
	struct tap *pending;      /* whose readers have not been woken for what is new */
	int64_t quiet_until;      /* no reader is woken before this time; clock_now() */
	int64_t look_at;          /* when to look again which objects have ended */
	struct loop_source clock; /* a timerfd */
	struct loop_task wake;
};

/* How many records the reader has missed. */
uint64_t tap_count_missed(const struct tap_reader *reader);
/* Writes into the file's record how far its reader has come. */
void tap_save(const struct tap_reader *reader);
/* The object that the file of a former daemon has watched. NULL: it has ended. */
struct channel *tap_target(const struct file *file);
/* Fills in the reader from its file's record. Fails with -EPROTO. */
int tap_restore(struct tap_reader *reader, const struct channel *target);
void tap_drop_rest(struct tap_reader *reader);

/* Adds a tap to those of the host. Fails with -ENOMEM, -EMFILE or -ENFILE. */
int taps_add(struct host *host, struct tap *tap);
/* The last tap of a host takes the struct taps with it. */
void taps_remove(struct tap *tap);
/* Shows readers what is new, and wakes them, soon. */
void taps_tell(struct tap *tap);

#endif
