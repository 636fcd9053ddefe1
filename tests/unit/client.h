/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that waits for a job, as a held request does.
 */
#ifndef TESTS_UNIT_CLIENT_H
#define TESTS_UNIT_CLIENT_H

#include "lib/host/job.h"

/* What a job works on. */
struct client_work {
	int result; /* what act() returns */
	int number; /* tells one call from another */
	uid_t uid;  /* the user that act() ran as */
	pid_t tid;  /* the thread that act() ran on */
};

struct client {
	struct waiter waiter;
	struct caller *caller;
	enum job_place place;
	bool walks;
	int64_t most;           /* job_call::most; if not 0, is_single is set as well */
	int (*act)(void *data); /* NULL: client_act() */
	struct client_work work;
	int result;
	unsigned n;     /* calls of job_run() */
	unsigned order; /* its place in the order of results, from 1 */
	bool is_done;
};

/* The number of results undone. */
extern unsigned client_n_undone;
/* The number of calls of client_act(), without those in other processes. */
extern _Atomic unsigned client_n_acts;

/* Fills in uid and tid, and returns client_work::result. */
int client_act(void *data);
/* Waits for a signal, and returns -EINTR. */
int client_act_wait(void *data);

/* Calls job_run() once, with the client's waiter. */
int client_try(struct client *client);

/* Starts the client's job. The client is all zeroes except caller, place, act and work. */
void client_start(struct client *client);

/* Waits for the client's result, and returns it. */
int client_wait(struct client *client);
/* Starts the client's job, waits for the result, and returns it. */
int client_run(struct client *client);

#endif
