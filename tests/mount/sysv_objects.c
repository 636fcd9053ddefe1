/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each function chooses the system call by the sort, so that a test can loop over the sorts.
 */
#include "tests/mount/sysv_objects.h"

#include "tests/mount/fixture.h"

#include <grp.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#define PAGE 4096

const char *const sysv_names[N_SORTS] = {"sysv/queues/0x000004d2", "sysv/sems/0x000004d2",
					 "sysv/shm/0x000004d2"};
const char *const sysv_roots_names[N_SORTS] = {"sysv/queues/0x000004d3", "sysv/sems/0x000004d3",
					       "sysv/shm/0x000004d3"};
void become(uid_t uid)
{
	must(seteuid(0));
	must(setgroups(0, NULL));
	must(setegid(uid));
	must(seteuid(uid));
}

int sysv_get(enum sort sort, key_t key, int flags)
{
	if (sort == MSG)
		return (int)must(msgget(key, flags));
	if (sort == SEM)
		return (int)must(semget(key, 1, flags));
	return (int)must(shmget(key, PAGE, flags));
}

int sysv_control(enum sort sort, int id, int command, void *data)
{
	if (sort == MSG)
		return msgctl(id, command, data);
	if (sort == SEM)
		return semctl(id, 0, command, data);
	return shmctl(id, command, data);
}

void sysv_put_secret(enum sort sort, int id)
{
	const struct message secret = {1, "secret"};
	struct sembuf up = {0, 7, 0};
	char *memory;

	if (sort == MSG) {
		must(msgsnd(id, &secret, 6, 0));
	} else if (sort == SEM) {
		must(semop(id, &up, 1));
	} else {
		memory = shmat(id, NULL, 0);
		memcpy(memory, "secret", 6);
		must(shmdt(memory));
	}
}

void sysv_must_have_secret(enum sort sort, int id)
{
	struct message message;
	char *memory;

	if (sort == MSG) {
		ck_assert_int_eq(must(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT)),
				 6);
		ck_assert_mem_eq(message.text, "secret", 6);
		must_fail(msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT), ENOMSG);
	} else if (sort == SEM) {
		ck_assert_int_eq(must(semctl(id, 0, GETVAL)), 7);
	} else {
		memory = shmat(id, NULL, 0);
		ck_assert_mem_eq(memory, "secret\0", 7);
		must(shmdt(memory));
	}
}

const char *sysv_text(enum sort sort)
{
	return sort == SEM ? "0 1\n" : "forged";
}
