/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side: what a program that never heard of ipcfs does with the same objects. Every
 * failure fails the test; the _run functions are bodies for children and take the name.
 */
#ifndef TESTS_MOUNT_NATIVE_H
#define TESTS_MOUNT_NATIVE_H

#include <mqueue.h>
#include <stddef.h>

/* An existing queue, by its native name: "/q". */
mqd_t native_open(const char *name, int flags);
/* A new one with the system's limits. */
mqd_t native_make(const char *name);
void native_send(const char *name, const char *text, unsigned int priority);
/* Takes the first message without waiting; its size, or -1 with EAGAIN. */
long native_receive(const char *name, char *buf, size_t size, unsigned int *ret_priority);
long native_messages(const char *name);
/* Makes a region of that size in shared memory and maps it, or maps one that is there. */
char *native_map(const char *name, size_t size);

/* Fails the test unless stat of that name in the mount gives what the object itself has. */
void native_must_match(const char *name, int native);

int native_send_run(void *name);
int native_receive_run(void *name);

#endif
