/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held requests (reads, writes and opens), watched files, and what becomes of them. And runs of the
 * loop, each with a deadline: if what a test waits for never happens, the test fails.
 */
#ifndef TESTS_UNIT_HELD_H
#define TESTS_UNIT_HELD_H

#include "lib/channel/transfer.h"

struct held {
	struct transfer transfer;
	bool is_deaf; /* complete() returns false, as if the reader had gone */
	unsigned n;   /* calls of complete() */
	ssize_t result;
	char data[256]; /* the first bytes of a read */
};

/* Tries to read, expects -EAGAIN, and holds the read. `held` must be all zeroes. */
void held_read(struct held *held, struct file *file, size_t size);
/* The same for a write. The first try may write a part. */
void held_write(struct held *held, struct file *file, const void *data, size_t size);
/* The same for the open of a file that is not yet connected to its other end. */
void held_open(struct held *held, struct file *file);

/* Runs the loop until the held request is over. */
void held_wait(struct held *held);

/* Expects complete() to have been called once, with these bytes. */
void held_expect(const struct held *held, const char *text);
/* Expects complete() to have been called once, with this number of bytes or -errno. */
void held_expect_result(const struct held *held, ssize_t result);

/* Counts calls of file::polled. */
struct watch {
	unsigned n;
};

void watch_start(struct watch *watch, struct file *file);
/* Runs the loop until `n` calls have been counted. */
void watch_wait(struct watch *watch, unsigned n);

/* Handles all that is pending now, and what follows from it. */
void loop_settle(void);
/* Runs the loop until *is_done is set. Whatever sets it must call loop_end() as well. */
void loop_wait(const bool *is_done);
/* Ends the present run of the loop some turns later. */
void loop_end(void);

/*
 * Calls attempt(data), which does something for the caller. As for a held request, the caller has a
 * waiter, and the call is repeated each time the waiter is resumed. Returns the first result that
 * is not -EINPROGRESS.
 */
int loop_wait_for(struct caller *caller, int (*attempt)(void *data), void *data);

#endif
