/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One io_uring read at a time, as in a program that sleeps only in its ring. The ring belongs to
 * the process and is made on first use. Failures of the ring itself fail the test.
 */
#ifndef TESTS_MOUNT_RING_H
#define TESTS_MOUNT_RING_H

#include <stdbool.h>

/* Whether the kernel has io_uring and lets this process use it. */
bool ring_is_there(void);

void ring_begin_read(int fd, void *buf, unsigned int size);
/* Whether the read that was begun has ended. */
bool ring_has_ended(void);
/* Waits for the read. Returns what read(2) would return, or a negative errno. */
int ring_end(void);
/* Begins a read and waits for it. */
int ring_read(int fd, void *buf, unsigned int size);

#endif
