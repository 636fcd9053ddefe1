/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One System V object of each sort, through the calls that a program uses. Key 0x4d2 is a user's,
 * 0x4d3 is root's. The test's own process becomes that user for a while.
 */
#ifndef TESTS_MOUNT_SYSV_OBJECTS_H
#define TESTS_MOUNT_SYSV_OBJECTS_H

#include <sys/types.h>

enum { OTHER = 65534, THIRD = 4321 };

enum { KEY = 0x4d2, ROOTS_KEY = 0x4d3 };

enum sort { MSG, SEM, SHM, N_SORTS };

/* The names in the mount of the objects with KEY, and of those with ROOTS_KEY. */
extern const char *const sysv_names[N_SORTS];
extern const char *const sysv_roots_names[N_SORTS];

struct message {
	long type;
	char text[64];
};

/*
 * Makes this process one of user `uid`, without groups and, unless that is root, without effective
 * capabilities. It can become root again.
 */
void become(uid_t uid);

/*
 * msgget(2) and msgctl(2), or the same calls for the other sorts. A set has one semaphore, a
 * segment one page.
 */
int sysv_get(enum sort sort, key_t key, int flags);
int sysv_control(enum sort sort, int id, int command, void *data);

/* Puts a secret into the object, and checks that it holds the secret and nothing else. */
void sysv_put_secret(enum sort sort, int id);
void sysv_must_have_secret(enum sort sort, int id);

/* A text that can be written to the file of a queue or set. */
const char *sysv_text(enum sort sort);

#endif
