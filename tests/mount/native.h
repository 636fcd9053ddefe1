/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side: what a program that knows nothing of ipcfs does with the same objects. Every
 * failure fails the test. The _run functions are bodies for children and take the name.
 */
#ifndef TESTS_MOUNT_NATIVE_H
#define TESTS_MOUNT_NATIVE_H

#include <mqueue.h>
#include <stddef.h>

/* Opens an existing queue by its native name: "/q". */
mqd_t native_open(const char *name, int flags);
/* Makes a queue with the system's default limits. */
mqd_t native_make(const char *name);
void native_send(const char *name, const char *text, unsigned int priority);
/* Takes the first message without waiting. Returns its size, or -1 with EAGAIN. */
long native_receive(const char *name, char *buf, size_t size, unsigned int *ret_priority);
long native_messages(const char *name);
/* Opens or makes a shared memory object, gives it that size, and maps it. */
char *native_map(const char *name, size_t size);

/*
 * Fails the test unless stat(2) of the name in the mount agrees with fstat(2) of the object itself:
 * mode, owner, group and times.
 */
void native_must_match(const char *name, int native);

int native_send_run(void *name);
int native_receive_run(void *name);

#endif
