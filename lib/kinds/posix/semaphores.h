/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX semaphores in a file, as glibc has them (sysdeps/nptl/internaltypes.h, struct new_sem), for
 * a daemon that shares them with processes it can't trust.
 *
 * glibc's own functions abort when the memory is gone, and whoever may write a semaphore's file
 * may also truncate it. So these do the same to the same memory, but a page that vanishes is
 * replaced by one of our own, and what is done then fails: -EIO.
 */
#ifndef IPCFS_SEMAPHORES_H
#define IPCFS_SEMAPHORES_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/* A semaphore's memory, mapped. */
struct semaphore;

/* -EINVAL: the file is too short to be a semaphore's, or has more than a page of memory. */
int semaphore_check(int fd);

/* Likewise; -ENFILE: too many are mapped. The descriptor has to stay open. */
int semaphore_map(int fd, struct semaphore **ret_semaphore);
void semaphore_unmap(struct semaphore *semaphore); /* NULL is nothing */

/* Takes a unit. -EAGAIN: there is none. */
int semaphore_take(struct semaphore *semaphore);

/* Adds units. -EOVERFLOW: more than SEM_VALUE_MAX. */
int semaphore_post(struct semaphore *semaphore, unsigned n);

/* Makes the value what is said. */
int semaphore_set(struct semaphore *semaphore, unsigned value);

/* On a thread: sleeps until there is a unit, and takes it. -EINTR: a signal came. */
int semaphore_wait(struct semaphore *semaphore);

/* Likewise, but leaves it there. */
int semaphore_watch(struct semaphore *semaphore);

/* The value, and how many sleep for it: `bytes` are the first of the file. */
#define SEMAPHORE_BYTES 8
void semaphore_read(const unsigned char bytes[static SEMAPHORE_BYTES], unsigned *ret_value,
		    unsigned *ret_n_waiting);

unsigned semaphore_value(struct semaphore *semaphore);

#endif
