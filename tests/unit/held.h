/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A read or write that is held, and a file that is watched: what became of them. And turns of the
 * loop, each with a deadline: what never comes fails the test.
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

/*
 * Tries, which has to give -EAGAIN (a write may do a part), and holds. `held` has to be all zeroes.
 */
void held_read(struct held *held, struct file *file, size_t size);
void held_write(struct held *held, struct file *file, const void *data, size_t size);
/* For a file that is not yet connected to the other end. */
void held_open(struct held *held, struct file *file);

/* Runs the loop until it is over. */
void held_wait(struct held *held);

/* Expects it to be over, once, with these bytes. */
void held_expect(const struct held *held, const char *text);
/* Expects it to be over, once, with this number of bytes or -errno. */
void held_expect_result(const struct held *held, ssize_t result);

/* Counts calls of file::polled. */
struct watch {
	unsigned n;
};

void watch_start(struct watch *watch, struct file *file);
void watch_wait(struct watch *watch, unsigned n);

/* Handles all that is pending now, and what follows from it. */
void loop_settle(void);
/* Runs the loop until *is_done is set and loop_end() called. */
void loop_wait(const bool *is_done);
void loop_end(void);

/*
 * Calls attempt(data), which does something for the caller, as a held request does: with a waiter,
 * and again each time it is resumed, until there is a result. Returns that.
 */
int loop_wait_for(struct caller *caller, int (*attempt)(void *data), void *data);

#endif
