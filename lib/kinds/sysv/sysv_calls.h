/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's System V calls, and which object an identifier means.
 *
 * An identifier is no object: the kernel gives the number of one that is gone to a new one, and
 * whoever makes and removes objects in a loop brings that about within ten seconds. So an object is
 * known by what it keeps for life (who made it, with which key and size), and is looked at again
 * right before each use. There is no call that would do both at once: between the two remain some
 * microseconds, in which all four million numbers would have to go by.
 *
 * Nothing here belongs to the loop: threads call it, too, and may have entered a caller.
 */
#ifndef IPCFS_SYSV_CALLS_H
#define IPCFS_SYSV_CALLS_H

#include <stdbool.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

/* What *ctl(2) fills in. They all begin with their struct ipc_perm. */
union sysv_data {
	struct ipc_perm perm;
	struct msqid_ds queue;
	struct shmid_ds segment;
	struct semid_ds set;
	struct msginfo queue_info;
	struct shminfo segment_info;
	struct seminfo set_info;
};

/* What an object keeps for life. Without padding: job_run() compares all of it. */
struct sysv_identity {
	long id, key, cuid, cgid;
	long size;  /* semaphores of a set, bytes of a segment */
	long maker; /* of a segment: the process */
};

/* The system calls of one sort of objects. */
struct sysv_calls {
	/* msgctl(2) and its like, with -errno. */
	int (*control)(int id, int command, union sysv_data *data);
	int (*find)(key_t key); /* msgget(2) and its like, of what exists: -ENOENT */
	int stat_any;           /* MSG_STAT_ANY, … */
	/* Kept times as st_atim, st_mtim and st_ctim; where the kernel has none, 0. */
	void (*times)(const union sysv_data *data, struct stat *attr);
	/* Fills in size and maker. NULL: such objects have neither. */
	void (*constants)(const union sysv_data *data, struct sysv_identity *identity);
};

/* -EINVAL of a call that knew the object before, which says that it is gone: -EIDRM. */
int sysv_error(int error);

/* The highest index in use, or -errno. */
int sysv_last_index(const struct sysv_calls *calls);

/* What the kernel has under an identifier, whatever rights this thread has. -EIDRM: nothing. */
int sysv_stat_id(const struct sysv_calls *calls, int id, union sysv_data *ret_data);

void sysv_identify(const struct sysv_calls *calls, int id, const union sysv_data *data,
		   struct sysv_identity *ret_identity);

/* Is what `data` describes the object that was known? */
bool sysv_is_identical(const struct sysv_calls *calls, const struct sysv_identity *known,
		       const union sysv_data *data);

/* Looks whether the object is still there. -EIDRM: it is not, or another has its identifier. */
int sysv_verify(const struct sysv_calls *calls, const struct sysv_identity *known,
		union sysv_data *ret_data);

#endif
