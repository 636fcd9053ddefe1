/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units of a semaphore, on their way to those who read them, and what the next daemon gets of them.
 */
#ifndef IPCFS_SEM_UNITS_H
#define IPCFS_SEM_UNITS_H

#include "lib/kinds/posix/sem_wait.h"

#define SEM_UNIT_TEXT "1\n"

/* How many units have been taken for waiters, and not yet given to them. */
unsigned sem_n_units(const struct sem *sem);
/* Adds the unit that a thread which has ended had taken. Returns whether there was one. */
bool sem_settle(struct sem *sem);
/* Gives the units back to the semaphore. Returns false if there were none. */
bool sem_put_back(struct sem *sem);
/* Where the thread notes what it has done: enum semaphore_step. */
uint32_t *sem_step(const struct sem *sem);

/* For struct channel_ops. */
ssize_t sem_read(struct file *file, void *data, size_t size, off_t offset);
ssize_t sem_write(struct file *file, const void *data, size_t size, off_t offset);
void sem_save(struct channel *channel, struct object_record *record);
int sem_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
int sem_adopt_file(struct file *file);
uint64_t sem_accepted(struct channel *channel);
ssize_t sem_recall(struct file *file, void *data);

#endif
