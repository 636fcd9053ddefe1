/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One read at a time by io_uring, as a program that sleeps in nothing but its ring. The ring is the
 * process's, and made with the first use. Failures of the ring itself fail the test.
 */
#ifndef TESTS_MOUNT_RING_H
#define TESTS_MOUNT_RING_H

#include <stdbool.h>

/* Whether the kernel has it and lets us. */
bool ring_is_there(void);

void ring_begin_read(int fd, void *buf, unsigned int size);
/* Whether the read that was begun has ended. */
bool ring_has_ended(void);
/* Waits for it: what read(2) would return, or minus an errno. */
int ring_end(void);
/* Both. */
int ring_read(int fd, void *buf, unsigned int size);

#endif
