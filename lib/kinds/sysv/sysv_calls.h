/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's System V calls, and which object an identifier means.
 *
 * An identifier is not an object: the kernel gives the number of a removed object to a new one, and
 * a program that makes and removes objects in a loop brings that about within ten seconds. So an
 * object is known by what it keeps for life (who made it, with which key and size), and is looked
 * at again right before each use. No call does both at once. That leaves some microseconds between
 * the two, in which all four million numbers would have to go by.
 *
 * Nothing here belongs to the loop. Threads call it too, and may have entered a caller.
 */
#ifndef IPCFS_SYSV_CALLS_H
#define IPCFS_SYSV_CALLS_H

#include <stdbool.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

/* What *ctl(2) fills in. Each struct that describes an object begins with its struct ipc_perm. */
union sysv_data {
	struct ipc_perm perm;
	struct msqid_ds queue;
	struct shmid_ds segment;
	struct semid_ds set;
	struct msginfo queue_info;
	struct shminfo segment_info;
	struct seminfo set_info;
};

/* What an object keeps for life. It has no padding: job_run() compares all of it. */
struct sysv_identity {
	long id, key, cuid, cgid;
	long size;  /* semaphores of a set, bytes of a segment */
	long maker; /* the process that made a segment */
};

/* The system calls for one sort of object. */
struct sysv_calls {
	/* msgctl(2) or its counterpart, with -errno. */
	int (*control)(int id, int command, union sysv_data *data);
	int (*find)(key_t key); /* msgget(2) or its counterpart; -ENOENT: none exists */
	int stat_any;           /* MSG_STAT_ANY, … */
	/*
	 * Fills in st_atim, st_mtim and st_ctim, with 0 if the kernel has no such time; of a queue,
	 * also st_blocks.
	 */
	void (*fill)(const union sysv_data *data, struct stat *attr);
	/* Fills in size and maker. NULL: such objects have neither. */
	void (*constants)(const union sysv_data *data, struct sysv_identity *identity);
};

/* Turns -EINVAL, which says that an object known before is gone, into -EIDRM. */
int sysv_error(int error);

/* Returns the highest index in use, or -errno. */
int sysv_last_index(const struct sysv_calls *calls);

/* Gets what the kernel has under an identifier, whatever the thread's rights. -EIDRM: nothing. */
int sysv_stat_id(const struct sysv_calls *calls, int id, union sysv_data *ret_data);

void sysv_identify(const struct sysv_calls *calls, int id, const union sysv_data *data,
		   struct sysv_identity *ret_identity);

/* Whether `data` describes the known object. */
bool sysv_is_identical(const struct sysv_calls *calls, const struct sysv_identity *known,
		       const union sysv_data *data);

/* Returns how many sleep in semop(2) for one semaphore of a set, native ones too, or -errno. */
int sysv_sem_sleepers(int id, int number);

/* Checks that the object is still there. -EIDRM: it is not, or another has its identifier. */
int sysv_verify(const struct sysv_calls *calls, const struct sysv_identity *known,
		union sysv_data *ret_data);

#endif
