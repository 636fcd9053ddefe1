/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of kept FIFOs share. Every failure fails the test, and nothing here waits for a
 * reader or a writer.
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
	KEPT_CAPACITY = 1 << 20, /* unless `create` says another */
	/* Milliseconds: by then one that nobody uses is let go, however busy the machine is. */
	KEPT_LETS_GO = 25000,
	KEPT_HANGS = 10000, /* anything else that takes as long never ends */
};

/* touch; the test fails unless a FIFO comes of it. */
void kept_make(const char *name);
/* The same for n of them: pipes/0 and so on. */
void kept_make_many(int n);

/* A FIFO on a tmpfs, or one in pipes/, for what must be the same with both: its path. */
enum place { NATIVE, KEPT, N_PLACES };
const char *kept_place(int place);

/* The two ends of a FIFO at a path, opened without waiting and then set to wait. */
int kept_reader(const char *path);
int kept_writer(const char *path);

/* Bytes that wait. */
int kept_unread(int fd);
/* Waits until as many wait. */
void kept_await_unread(int fd, int n);

/* Which ends the daemon holds: no, read or both. */
bool kept_is_held(const char *name, const char *ends);
/* Waits until it is so. */
void kept_await_held(const char *name, const char *ends);

/* Reads until the end of file; how many bytes there were, each with that value. */
size_t kept_read_to_end(int fd, char value);
/* As kept_read_to_end() on a path, in this process: that it does not wait in open is tested. */
size_t kept_take_to_end(const char *path, char value);

/* Joins a thread that has to end in time. */
void kept_join(pthread_t thread, const char *who);

/* Adds a test that is left out where the daemon can't keep FIFOs. */
#define kept_add(tcase, test) case_add_needing(tcase, test, 0, KEPT_NEEDS)
#define kept_add_loop(tcase, test, n)                                      \
	do {                                                               \
		for (int kept_i = 0; kept_i < (n); kept_i++)               \
			case_add_needing(tcase, test, kept_i, KEPT_NEEDS); \
	} while (0)

#endif
