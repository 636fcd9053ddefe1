/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program does with a channel, in one call each, and every failure fails the test.
 * Names are relative to the mount `ipc`. Nothing here blocks, except channel_put on a full one.
 */
#ifndef TESTS_MOUNT_CHANNELS_H
#define TESTS_MOUNT_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A pipe and the two sorts of queues, for tests that hold for all: loop from 0 to N_CHANNELS. */
enum { PIPE, QUEUE, SYSV_QUEUE, N_CHANNELS };
extern const char *const channel_names[N_CHANNELS];

/* Room for any message of a default queue. */
enum { MESSAGE_MAX = 8192 };

/* touch */
void channel_make(const char *name);
int channel_open(const char *name, int flags);
/* One write, of all of it. */
void channel_put(const char *name, const void *data, size_t size);
/* One read without waiting; -1 with EAGAIN when there is nothing. */
ssize_t channel_take(const char *name, void *buf, size_t size);
/* Writes blocks of 4096 bytes until EAGAIN; returns how many bytes went in. */
size_t channel_fill(const char *name);
/* Reads until nothing is left; returns how many bytes there were. */
size_t channel_drain(const char *name);

/* Whether readdir of that directory has the name. */
bool channel_is_listed(const char *dir_name, const char *name);

#endif
