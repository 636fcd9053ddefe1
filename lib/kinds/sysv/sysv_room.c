// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many System V objects there may be in the namespace, and how many there are.
 */
#include <limits.h>

#include "lib/kinds/sysv/sysv.h"

void sysv_room_for_queues(const struct space *space, const struct caller *caller,
			  struct statvfs *room)
{
	struct msginfo info;

	if (msgctl(0, MSG_INFO, (struct msqid_ds *)&info) >= 0)
		room_set_files(room, (uint64_t)info.msgmni, (uint64_t)info.msgpool);
}

void sysv_room_for_sets(const struct space *space, const struct caller *caller,
			struct statvfs *room)
{
	struct seminfo info;

	if (semctl(0, 0, SEM_INFO, &info) >= 0)
		room_set_files(room, (uint64_t)info.semmni, (uint64_t)info.semusz);
}

/* The usual limit on pages is so high that it means no limit, and is no use to a program. */
void sysv_room_for_segments(const struct space *space, const struct caller *caller,
			    struct statvfs *room)
{
	struct shminfo most;
	struct shm_info info;

	if (shmctl(0, IPC_INFO, (struct shmid_ds *)&most) < 0 ||
	    shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0)
		return;
	room_set_files(room, most.shmmni, (uint64_t)info.used_ids);
	if (most.shmall > (unsigned long)LONG_MAX / HOST_PAGE)
		return;
	room->f_blocks = most.shmall;
	room->f_bfree = room->f_bavail =
		info.shm_tot < most.shmall ? most.shmall - info.shm_tot : 0;
}

uint64_t sysv_count_queues(const struct space *space)
{
	struct msginfo info;

	return msgctl(0, MSG_INFO, (struct msqid_ds *)&info) < 0 ? 0 : (uint64_t)info.msgpool;
}

uint64_t sysv_count_sets(const struct space *space)
{
	struct seminfo info;

	return semctl(0, 0, SEM_INFO, &info) < 0 ? 0 : (uint64_t)info.semusz;
}

uint64_t sysv_count_segments(const struct space *space)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0 ? 0 : (uint64_t)info.used_ids;
}
