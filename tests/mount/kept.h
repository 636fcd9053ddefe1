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

/* The kernel feature that the daemon needs to keep FIFOs, for case_add_needing(). */
#define KEPT_NEEDS "open_tree"

enum {
	KEPT_CAPACITY = 1 << 20, /* bytes, unless `create` sets another capacity */
	/*
	 * The daemon lets an unused FIFO go within this many milliseconds, on a busy machine too.
	 */
	KEPT_LETS_GO = 25000,
	KEPT_HANGS = 10000, /* milliseconds; anything else that takes this long never ends */
};

/* Makes a name as touch(1) does. Fails the test unless the result is a FIFO. */
void kept_make(const char *name);
/* Makes pipes/0 to pipes/N-1 in the same way, but does not check what they are. */
void kept_make_many(int n);

/*
 * Makes a FIFO on a tmpfs or in pipes/, and returns its path. For tests that must give the same
 * result at both places.
 */
enum place { NATIVE, KEPT, N_PLACES };
const char *kept_place(int place);

/*
 * The read end and the write end of the FIFO at a path. Each is opened without waiting, and then
 * made blocking.
 */
int kept_reader(const char *path);
int kept_writer(const char *path);

/* The number of bytes that wait in the FIFO. */
int kept_unread(int fd);
/* Waits until n bytes wait in the FIFO. */
void kept_await_unread(int fd, int n);

/* Whether the daemon holds exactly these ends: "no", "read" or "both". */
bool kept_is_held(const char *name, const char *ends);
/* Waits until the daemon holds exactly these ends. */
void kept_await_held(const char *name, const char *ends);

/* Reads to end-of-file and returns the number of bytes. All of them must have that value. */
size_t kept_read_to_end(int fd, char value);
/* Opens a path and does the same. That the open does not wait is part of the test. */
size_t kept_take_to_end(const char *path, char value);

/*
 * Joins a thread, and fails the test if that takes too long. `who` names the thread in the message.
 */
void kept_join(pthread_t thread, const char *who);

/* Adds a test that is left out where the daemon can't keep FIFOs. */
#define kept_add(tcase, test) case_add_needing(tcase, test, 0, KEPT_NEEDS)
#define kept_add_loop(tcase, test, n)                                      \
	do {                                                               \
		for (int kept_i = 0; kept_i < (n); kept_i++)               \
			case_add_needing(tcase, test, kept_i, KEPT_NEEDS); \
	} while (0)

#endif
