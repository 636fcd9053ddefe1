/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program does with a channel, in one call each. Every failure fails the test. Names are
 * relative to the mount `ipc`. Only channel_put(), and channel_open() without O_NONBLOCK, may
 * block.
 */
#ifndef TESTS_MOUNT_CHANNELS_H
#define TESTS_MOUNT_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A pipe and both sorts of queue. Tests that apply to all three loop from 0 to N_CHANNELS. */
enum { PIPE, QUEUE, SYSV_QUEUE, N_CHANNELS };
extern const char *const channel_names[N_CHANNELS];

/* The size of the largest message that a queue with default limits takes, in bytes. */
enum { MESSAGE_MAX = 8192 };

/* Makes the channel if it does not exist yet, as touch(1) does. */
void channel_make(const char *name);
int channel_open(const char *name, int flags);
/* Writes all the data in one write(2). */
void channel_put(const char *name, const void *data, size_t size);
/* Reads once without waiting. Returns -1 with EAGAIN if there is nothing to read. */
ssize_t channel_take(const char *name, void *buf, size_t size);
/* Writes blocks of 4096 bytes until EAGAIN. Returns the number of bytes that went in. */
size_t channel_fill(const char *name);
/* Reads until nothing is left. Returns the number of bytes read. */
size_t channel_drain(const char *name);

/* Whether readdir(3) returns the name in that directory. */
bool channel_is_listed(const char *dir_name, const char *name);

#endif
