/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a System V semaphore set.
 */
#ifndef IPCFS_SYSV_SEM_VALUES_H
#define IPCFS_SYSV_SEM_VALUES_H

#include <stddef.h>
#include <sys/sem.h>

/* The longest line of a value, bytes: SEMVMX is 32767. */
#define SYSV_SEM_LINE 6

/* The last argument of semctl(2). */
union sysv_sem_argument {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

/*
 * Gets all `n` values with the rights that this thread has now. The caller frees them. Fails with
 * -EIDRM, -EACCES or -ENOMEM.
 */
int sysv_sem_get(int id, size_t n, unsigned short **ret_values);
/* Sets all `n` values to one. Fails as sysv_sem_get() does, or with -ERANGE. */
int sysv_sem_set(int id, size_t n, unsigned short value);

/* Prints a value and a newline, at most SYSV_SEM_LINE bytes. Returns how many. */
size_t sysv_sem_print(unsigned short value, char *data);
/* Prints `n` values, as far as `size` bytes have room for any. Returns the length. */
size_t sysv_sem_print_all(const unsigned short *values, size_t n, char *data, size_t size);

#endif
