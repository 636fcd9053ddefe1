/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX semaphores in a file, as glibc lays them out (sysdeps/nptl/internaltypes.h, struct
 * new_sem), for a daemon that shares them with processes that it can't trust.
 *
 * With glibc's own functions the process dies when the memory is gone, and whoever may write a
 * semaphore's file may also truncate it. So these functions do the same to the same memory, but a
 * page that vanishes is replaced by one of our own, and the call then fails with -EIO.
 */
#ifndef IPCFS_SEMAPHORES_H
#define IPCFS_SEMAPHORES_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/* A semaphore's memory, mapped. */
struct semaphore;

/*
 * Fails with -EINVAL if the file is too short for a semaphore, or has more than a page of memory.
 */
int semaphore_check(int fd);

/*
 * Maps the semaphore in a file. Fails as semaphore_check() does, or with -ENFILE if too many are
 * mapped. The descriptor must stay open.
 */
int semaphore_map(int fd, struct semaphore **ret_semaphore);
void semaphore_unmap(struct semaphore *semaphore); /* NULL is allowed */

/* Takes a unit. -EAGAIN: there is none. */
int semaphore_take(struct semaphore *semaphore);

/* Adds units. -EOVERFLOW: that would be more than SEM_VALUE_MAX. */
int semaphore_post(struct semaphore *semaphore, unsigned n);

/* Sets the value. */
int semaphore_set(struct semaphore *semaphore, unsigned value);

/* On a thread: sleeps until there is a unit, and takes it. -EINTR: a signal came. */
int semaphore_wait(struct semaphore *semaphore);

/* As semaphore_wait(), but leaves the unit there. */
int semaphore_watch(struct semaphore *semaphore);

/* Gets the value, and the number of sleepers, from the first bytes of the file. */
#define SEMAPHORE_BYTES 8
void semaphore_read(const unsigned char bytes[static SEMAPHORE_BYTES], unsigned *ret_value,
		    unsigned *ret_n_waiting);

unsigned semaphore_value(struct semaphore *semaphore);

#endif
