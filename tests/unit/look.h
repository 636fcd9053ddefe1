/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans for the peers of a file, and child processes that are its peers.
 */
#ifndef TESTS_UNIT_LOOK_H
#define TESTS_UNIT_LOOK_H

#include "lib/info/scanner.h"

#define LOOK_PATH "/dev/shm/object" /* in the test's own namespace */

/* The scanner. If the test has made none, look_find() makes it. */
extern struct scanner *look_scanner;
/* The last scan. */
extern struct scan *look_scan;
/* The result of the last scan. */
extern struct peers look_found;

/* Makes the file LOOK_PATH, which has one page. */
void look_make(void);
/* Returns a file's identity in the kernel. */
struct peer_target look_target(const char *path);

/* Starts a process that calls open_object() and waits. */
pid_t look_start(void (*open_object)(void));
/* Kills the process. */
void look_end(pid_t pid);

/* Scans as root and waits for the result, which is in look_found. */
void look_find(const struct peer_target *targets, size_t n);
/* Frees the scan and the scanner. */
void look_forget(void);

#endif
