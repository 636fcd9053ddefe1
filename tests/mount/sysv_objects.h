/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A System V object of each sort, by the calls that a program uses: 0x4d2 is one user's, 0x4d3 is
 * root's. The user is the test's own process, for a while.
 */
#ifndef TESTS_MOUNT_SYSV_OBJECTS_H
#define TESTS_MOUNT_SYSV_OBJECTS_H

#include <sys/types.h>

enum { OTHER = 65534, THIRD = 4321 };

enum { KEY = 0x4d2, ROOTS_KEY = 0x4d3 };

enum sort { MSG, SEM, SHM, N_SORTS };

/* In the mount. */
extern const char *const sysv_names[N_SORTS];
extern const char *const sysv_roots_names[N_SORTS];

struct message {
	long type;
	char text[64];
};

/* This process is that user from now on, without groups, and but for root without capabilities. */
void become(uid_t uid);

/* msgget(2), msgctl(2) and their like; a set has one semaphore, a segment a page. */
int sysv_get(enum sort sort, key_t key, int flags);
int sysv_control(enum sort sort, int id, int command, void *data);

/* Leaves something in it, and looks whether just that is there. */
void sysv_put_secret(enum sort sort, int id);
void sysv_must_have_secret(enum sort sort, int id);

/* What can be written to a file of a queue or set. */
const char *sysv_text(enum sort sort);

#endif
