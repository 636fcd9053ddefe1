/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a message is that the kernel has put into host::scratch, when the daemon was killed
 * before it knew.
 *
 * mq_receive(2) and msgrcv(2) take a message, write its bytes to memory, and then return its
 * length. No call tells that length again. So the memory is made blank before, and the next daemon
 * finds where the message ends. Only what the last read has used has to be made blank again, which
 * costs less than copying the message did.
 *
 * A message that itself ends in blank bytes is cut by them. No text in UTF-8 does, nor in practice
 * a number: see BLANK. It takes a daemon that is killed within the last microsecond of the call.
 */
#ifndef IPCFS_BLANK_H
#define IPCFS_BLANK_H

#include <stddef.h>

struct host;

/*
 * No byte of UTF-8 has this value, no letter of UTF-16 ends in it where the low byte comes first,
 * and a whole or floating-point number that ends in it is about as far from zero as can be.
 */
#define BLANK 0xf7

/* Makes the first `size` bytes of host::scratch, which has as many, blank. */
void blank_make(struct host *host, size_t size);

/* Whoever writes to host::scratch says that its first `size` bytes may no longer be blank. */
void blank_used(struct host *host, size_t size);

/* Returns how many of `size` bytes that were blank have been written. */
size_t blank_length(const void *data, size_t size);

#endif
