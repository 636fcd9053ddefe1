/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of a kept FIFO, as seen by the threads that open and close them.
 *
 * The kernel locks a pipe while it copies to or from the memory of a reader or writer, and that
 * memory may be such that the copy never ends. Open, close and most other calls wait for the lock
 * and can't be interrupted. So all functions here except ends_look() are for a thread that may get
 * stuck in them.
 *
 * All ends are opened with O_NONBLOCK.
 */
#ifndef IPCFS_ENDS_H
#define IPCFS_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/host/host.h"

/*
 * The uid that the kernel charges for pipes and watches; no user has it. The kernel charges a pipe
 * to the user who opens it first (pipe(7), pipe-user-pages-soft), and a watch to the user of the
 * inotify descriptor. Charged to root, they would use up limits that all services share. They can't
 * be charged to the owner either: a thread with the owner's real uid can be killed by the owner,
 * and the daemon with it. The owner is charged in our own accounts.
 */
#define ENDS_PAYER ((uid_t)4294967293U)

struct keeper;

/* The data of a job that opens the read end of a FIFO. The node identifies the job. */
struct ends_opening {
	uint64_t node;
	struct host_nodes nodes;
	struct keeper *keeper;
	int inotify_fd;
	int size;                     /* capacity for a new pipe, bytes */
	bool has_end;                 /* eof=auto; with eof=never opens a write end as well */
	int read_fd, write_fd, watch; /* results; -1 at the start */
};

/*
 * For job_call::act. Fails with -ESTALE if the mount has forgotten the FIFO, or -ENFILE if no
 * descriptor or no watch is left.
 */
int ends_open(void *opening);

/* For job_call::act: sleeps 10 ms, for a lookup that waits for its turn. */
int ends_pause(void *node);

/* The ends that the daemon holds, and the task of a thread that works on them. */
struct ends {
	int read_fd, write_fd; /* -1: not held */
	int inotify_fd, watch;
	enum ends_task {
		ENDS_SETTLE, /* hold a write end exactly while one is needed */
		ENDS_TRY,    /* as ENDS_SETTLE, after checking whether someone else writes */
		ENDS_ASK,    /* check whether anyone writes */
		ENDS_CLOSE,  /* close all ends */
	} task;
	bool is_new;  /* EPOLLHUP can't tell yet whether someone writes */
	bool has_end; /* eof=auto; with eof=never the write end stays open */
	int size;     /* ENDS_SETTLE: capacity to restore, bytes; 0: nothing to restore */
	bool is_used; /* ENDS_CLOSE: someone may have the pipe open, and keep using it */
	bool is_left; /* result of ENDS_ASK: the pipe is empty, and nobody writes */
	int error;    /* why a needed write end or watch is missing; 0: none is missing */
};

void ends_act(struct ends *ends);

/*
 * Returns the present state. For a read end: EPOLLIN if there is something in the pipe, EPOLLHUP if
 * someone has written and nobody does any more. For a write end: EPOLLOUT if there is room.
 */
uint32_t ends_look(int fd);

/*
 * Identifies an end that the daemon holds, for a job: the end may be closed before the job uses it.
 */
struct ends_pin {
	int fd;
	dev_t dev;
	ino_t ino;
};

/*
 * On a thread: returns a second descriptor of the end, which stays open when the first is closed.
 * Fails with -ESTALE if the first is closed already, or its number belongs to something else by
 * now.
 */
int ends_dup(const struct ends_pin *end);

/*
 * The data of a job that measures, resizes, empties or peeks into a FIFO. Any padding must be zero.
 */
struct ends_job {
	struct ends_pin read_end;
	int size;              /* new capacity, bytes */
	int capacity, n_bytes; /* measured */
	char *bytes;           /* peeked; the caller frees it */
};

/* For job_call::act. All fail with -ESTALE if the FIFO is no longer held. */
int ends_measure(void *job);
int ends_resize(void *job);
int ends_empty(void *job);
int ends_peek(void *job);

/*
 * The data of a job that opens a write end for a caller, through the read end that the daemon
 * holds.
 */
struct ends_writing {
	struct keeper *keeper;
	struct ends_pin read_end;
	int write_fd; /* result; -1 at the start */
};
int ends_open_writing(void *writing);

#endif
