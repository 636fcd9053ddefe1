/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of a kept FIFO, as the threads that open and close them see them.
 *
 * The kernel locks a pipe while it copies to or from the memory of whoever reads or writes it, and
 * that memory may be such that the copy never ends. Open, close and most else wait for the lock and
 * can't be interrupted: all here but ends_look() is for a thread that may be lost that way.
 *
 * Those opened for reading and for writing never block.
 */
#ifndef IPCFS_ENDS_H
#define IPCFS_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/host/host.h"

/*
 * Who pays in the kernel for the pipes and watches: a user that nobody is. By whoever opens a pipe
 * first it counts what its user may have (pipe(7), pipe-user-pages-soft), and by whoever has the
 * inotify descriptor; so root, whose limits all services share, would pay for everybody. The owner
 * can't: a thread that has his real user may be killed by him, and the daemon with it. He pays in
 * our own accounts.
 */
#define ENDS_PAYER ((uid_t)4294967293U)

struct keeper;

/* A FIFO that gets its read end: a job's data, of which the node tells one from another. */
struct ends_opening {
	uint64_t node;
	struct host_nodes nodes;
	struct keeper *keeper;
	int inotify_fd;
	int size;                     /* that a pipe which is new gets, bytes */
	bool has_end;                 /* else it gets a write end as well */
	int read_fd, write_fd, watch; /* -1 when it goes in */
};

/* For job_call::act. -ESTALE: the mount has forgotten it. -ENFILE: or no watch is left. */
int ends_open(void *opening);

/* For job_call::act, of a name whose turn has not come: 10 ms pass. */
int ends_pause(void *node);

/* What a thread has to do with the ends that are held. */
struct ends {
	int read_fd, write_fd; /* -1: it is not held */
	int inotify_fd, watch;
	enum ends_task {
		ENDS_SETTLE, /* hold a write end exactly while it is needed */
		ENDS_TRY,    /* the same, after a look whether somebody else writes */
		ENDS_ASK,    /* whether anybody writes */
		ENDS_CLOSE,  /* let go */
	} task;
	bool is_new;  /* whether somebody writes can't be told by EPOLLHUP yet */
	bool has_end; /* else the write end stays */
	int size;     /* ENDS_SETTLE: that it is to have again, bytes; 0: it has it */
	bool is_used; /* ENDS_CLOSE: somebody may have it open, and go on with it */
	bool is_left; /* ENDS_ASK: it is empty, and nobody does */
	int error;    /* why the write end, or the watch, that is wanted is not there; 0 */
};

void ends_act(struct ends *ends);

/*
 * As things are, of a read end: EPOLLIN, there is something in it; EPOLLHUP, somebody has written
 * and nobody does any more. Of a write end: EPOLLOUT, there is room.
 */
uint32_t ends_look(int fd);

/* An end that is held, to be used beside whoever may be about to close it. */
struct ends_pin {
	int fd;
	dev_t dev;
	ino_t ino;
};

/*
 * On a thread: a second descriptor of that end, which stays whatever becomes of the first; by now
 * its number may be something else's. -ESTALE: it is.
 */
int ends_dup(const struct ends_pin *end);

/* What a job asks of, or does to, a FIFO; without padding that is not zero. */
struct ends_job {
	struct ends_pin read_end;
	int size;              /* to be set, bytes */
	int capacity, n_bytes; /* measured */
	char *bytes;           /* peeked; the caller frees it */
};

/* For job_call::act. -ESTALE: it is not held any more. */
int ends_measure(void *job);
int ends_resize(void *job);
int ends_empty(void *job);
int ends_peek(void *job);

/* A write end for somebody, found by a read end that is held; likewise for job_call::act. */
struct ends_writing {
	struct keeper *keeper;
	struct ends_pin read_end;
	int write_fd; /* -1 when it goes in */
};
int ends_open_writing(void *writing);

#endif
