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

/*
 * Takes a unit. -EAGAIN: there is none. If it has taken one, the very next instruction sets *taken
 * to 1.
 */
int semaphore_take(struct semaphore *semaphore, uint64_t *taken);

/*
 * Adds units. -EOVERFLOW: that would be more than SEM_VALUE_MAX. If it has added them, the very
 * next instruction adds 1 to *n_posts, unless that is NULL.
 */
int semaphore_post(struct semaphore *semaphore, unsigned n, uint64_t *n_posts);

/* Sets the value. */
int semaphore_set(struct semaphore *semaphore, unsigned value);

/* What a thread that sleeps has done to the semaphore, noted where it outlives the thread. */
enum semaphore_step {
	SEMAPHORE_NOTHING,
	SEMAPHORE_COUNTED, /* it counts as a sleeper, or did until an instruction ago */
	SEMAPHORE_TAKEN,   /* it has taken a unit */
};

/*
 * On a thread: sleeps until there is a unit, and takes it. -EINTR: a signal came. Each step is
 * noted right after it, so if the process is killed in between, the unit is lost.
 */
int semaphore_wait(struct semaphore *semaphore, uint32_t *step);

/* As semaphore_wait(), but leaves the unit there. */
int semaphore_watch(struct semaphore *semaphore, uint32_t *step);

/*
 * After a process was killed: ends what it may have left undone. Wakes sleepers if there are units
 * for them, because it may have been woken in their place. `is_counted`: it counted as a sleeper.
 */
void semaphore_mend(struct semaphore *semaphore, bool is_counted);

/* Gets the value, and the number of sleepers, from the first bytes of the file. */
#define SEMAPHORE_BYTES 8
void semaphore_read(const unsigned char bytes[static SEMAPHORE_BYTES], unsigned *ret_value,
		    unsigned *ret_n_waiting);

unsigned semaphore_value(struct semaphore *semaphore);

#endif
