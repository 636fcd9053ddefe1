/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of kept FIFOs share. Every failure fails the test, and nothing here waits for a
 * reader or a writer to come.
 */
#ifndef TESTS_MOUNT_KEPT_H
#define TESTS_MOUNT_KEPT_H

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* What the daemon must have to keep FIFOs, for case_add_needing(). */
#define KEPT_NEEDS "open_tree"

enum {
	KEPT_CAPACITY = 1 << 20, /* unless `create` sets another */
	/* Milliseconds: an unused FIFO is let go within this time, however busy the machine is. */
	KEPT_LETS_GO = 25000,
	KEPT_HANGS = 10000, /* milliseconds: anything else that takes this long never ends */
};

/* touch; fails the test unless that makes a FIFO. */
void kept_make(const char *name);
/* The same for n of them: pipes/0 and so on. */
void kept_make_many(int n);

/* Makes a FIFO on a tmpfs or in pipes/ and returns its path: for what must be the same on both. */
enum place { NATIVE, KEPT, N_PLACES };
const char *kept_place(int place);

/* The two ends of the FIFO at a path, opened without waiting and then made blocking. */
int kept_reader(const char *path);
int kept_writer(const char *path);

/* The number of bytes waiting. */
int kept_unread(int fd);
/* Waits until n bytes are waiting. */
void kept_await_unread(int fd, int n);

/* Whether the daemon holds exactly these ends: "no", "read" or "both". */
bool kept_is_held(const char *name, const char *ends);
/* Waits until it does. */
void kept_await_held(const char *name, const char *ends);

/* Reads to end-of-file and returns the number of bytes. All of them must have that value. */
size_t kept_read_to_end(int fd, char value);
/* The same on a path, opened by this process: that its open does not wait is part of the test. */
size_t kept_take_to_end(const char *path, char value);

/* Joins a thread, which must end in time. */
void kept_join(pthread_t thread, const char *who);

/* Adds a test that is left out where the daemon can't keep FIFOs. */
#define kept_add(tcase, test) case_add_needing(tcase, test, 0, KEPT_NEEDS)
#define kept_add_loop(tcase, test, n)                                      \
	do {                                                               \
		for (int kept_i = 0; kept_i < (n); kept_i++)               \
			case_add_needing(tcase, test, kept_i, KEPT_NEEDS); \
	} while (0)

#endif
