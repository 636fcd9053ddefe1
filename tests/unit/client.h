/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something that waits for a job, as a held request does.
 */
#ifndef TESTS_UNIT_CLIENT_H
#define TESTS_UNIT_CLIENT_H

#include "lib/host/job.h"

/* What a job works on. */
struct client_work {
	int result; /* of act */
	int number; /* that tells one from another */
	uid_t uid;  /* who did it */
	pid_t tid;  /* the thread that it was */
};

struct client {
	struct waiter waiter;
	struct caller *caller;
	enum job_place place;
	bool walks;
	int64_t most;           /* and is_single, unless it is 0 */
	int (*act)(void *data); /* NULL: client_act() */
	struct client_work work;
	int result;
	unsigned n;     /* tries */
	unsigned order; /* in which it was done, from 1 */
	bool is_done;
};

/* Results that were undone; calls of client_act(), but those in processes. */
extern unsigned client_n_undone;
extern _Atomic unsigned client_n_acts;

/* Fills in uid and tid, and returns client_work::result. */
int client_act(void *data);
/* Waits for a signal: -EINTR. */
int client_act_wait(void *data);

/* One call of job_run(), with the client's waiter. */
int client_try(struct client *client);

/* Starts the job of one that is all zeroes but for caller, place, act and work. */
void client_start(struct client *client);

/* Waits for its result; and both. */
int client_wait(struct client *client);
int client_run(struct client *client);

#endif
