/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for peers of a file, with processes that are some.
 */
#ifndef TESTS_UNIT_LOOK_H
#define TESTS_UNIT_LOOK_H

#include "lib/info/scanner.h"

#define LOOK_PATH "/dev/shm/object" /* in the test's own namespace */

/* Made by look_find() if there is none, and the last look, for those who make their own. */
extern struct scanner *look_scanner;
extern struct scan *look_scan;
extern struct peers look_found;

/* Makes the file, of a page. */
void look_make(void);
/* A file as the kernel has it. */
struct peer_target look_target(const char *path);

/* A process that does open_object() and waits. */
pid_t look_start(void (*open_object)(void));
void look_end(pid_t pid);

/* Looks, as root, and waits until that is done: look_found. */
void look_find(const struct peer_target *targets, size_t n);
/* Forgets it, and the scanner. */
void look_forget(void);

#endif
