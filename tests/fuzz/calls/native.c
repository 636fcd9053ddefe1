// SPDX-License-Identifier: GPL-2.0-or-later
/* Each churn function takes one random step, with names that the users in the mount use, too. */
#include "tests/fuzz/calls/native.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls/dice.h"

enum { N_SOCKETS = 12 };

struct native {
	const struct place *place;
	struct dice dice;
	int sockets[N_SOCKETS]; /* or -1 */
};

static mode_t pick_mode(struct dice *dice)
{
	static const mode_t modes[] = {0666, 0666, 0600, 0640, 0, 0444};

	return dice_pick(dice, modes);
}

static char pick_letter(struct dice *dice)
{
	return (char)('a' + (int)dice_roll(dice, 6));
}

static void churn_queue(struct native *native)
{
	struct dice *dice = &native->dice;
	char name[16], path[32], bytes[8192] = "native";
	mqd_t queue;

	snprintf(name, sizeof(name), "/%c", pick_letter(dice));
	snprintf(path, sizeof(path), "/dev/mqueue%s", name);
	queue = mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, pick_mode(dice), NULL);
	if (queue < 0)
		return;
	mq_send(queue, bytes, dice_roll(dice, 100), dice_roll(dice, 10));
	if (dice_once_in(dice, 3))
		mq_receive(queue, bytes, sizeof(bytes), NULL);
	if (dice_once_in(dice, 4))
		fchmod(queue, pick_mode(dice));
	mq_close(queue);
	if (dice_once_in(dice, 3) && chmod(path, pick_mode(dice)) < 0)
		unlink(path);
	if (dice_once_in(dice, 4))
		mq_unlink(name);
}

static key_t pick_key(struct dice *dice)
{
	return dice_once_in(dice, 8) ? IPC_PRIVATE : (key_t)(1 + dice_roll(dice, 6));
}

static void churn_messages(struct native *native)
{
	struct dice *dice = &native->dice;
	struct {
		long type;
		char bytes[100];
	} message = {1 + (long)dice_roll(dice, 8), "native"};
	int id = msgget(pick_key(dice), IPC_CREAT | (int)pick_mode(dice));
	struct msqid_ds state;

	msgsnd(id, &message, dice_roll(dice, 100), IPC_NOWAIT);
	if (dice_once_in(dice, 3))
		msgrcv(id, &message, 100, 0, IPC_NOWAIT | MSG_NOERROR);
	if (dice_once_in(dice, 4) && msgctl(id, IPC_STAT, &state) == 0) {
		state.msg_perm.mode = pick_mode(dice);
		msgctl(id, IPC_SET, &state);
	}
	if (dice_once_in(dice, 3))
		msgctl(id, IPC_RMID, NULL);
}

static void churn_segment(struct native *native)
{
	struct dice *dice = &native->dice;
	int id = shmget(pick_key(dice), dice_once_in(dice, 2) ? 4096 : 100000,
			IPC_CREAT | (int)pick_mode(dice));
	struct shmid_ds state;
	char *start = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

	if (start != (char *)-1)
		start[dice_roll(dice, 4096)] = 'n';
	if (dice_once_in(dice, 4) && shmctl(id, IPC_STAT, &state) == 0) {
		state.shm_perm.mode = pick_mode(dice);
		shmctl(id, IPC_SET, &state);
	}
	if (dice_once_in(dice, 2))
		shmctl(id, IPC_RMID, NULL);
	if (start != (char *)-1)
		shmdt(start);
}

static void churn_set(struct native *native)
{
	struct dice *dice = &native->dice;
	struct sembuf operations[2] = {
		{0, (short)(dice_roll(dice, 5) - 2), IPC_NOWAIT},
		{(unsigned short)dice_roll(dice, 4), 1, IPC_NOWAIT | SEM_UNDO},
	};
	int id = semget(pick_key(dice), 1 + (int)dice_roll(dice, 4),
			IPC_CREAT | (int)pick_mode(dice));
	struct semid_ds state;

	semop(id, operations, 1 + dice_roll(dice, 2));
	if (dice_once_in(dice, 4) && semctl(id, 0, IPC_STAT, &state) == 0) {
		state.sem_perm.mode = pick_mode(dice);
		semctl(id, 0, IPC_SET, &state);
	}
	if (dice_once_in(dice, 3))
		semctl(id, 0, IPC_RMID);
}

static void churn_region(struct native *native)
{
	static const off_t sizes[] = {0, 1, 4096, 100000, 1 << 20};
	struct dice *dice = &native->dice;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/%s%c", dice_once_in(dice, 4) ? "sem." : "",
		 pick_letter(dice));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, pick_mode(dice));
	if (fd < 0)
		return;
	if (dice_once_in(dice, 2) && ftruncate(fd, dice_pick(dice, sizes)) < 0)
		fchmod(fd, pick_mode(dice));
	if (dice_once_in(dice, 2) && pwrite(fd, path, sizeof(path), dice_pick(dice, sizes)) < 0)
		fsync(fd);
	if (dice_once_in(dice, 4))
		posix_fallocate(fd, 0, dice_pick(dice, sizes));
	close(fd);
	if (dice_once_in(dice, 3))
		unlink(path);
	else if (dice_once_in(dice, 3))
		chmod(path, pick_mode(dice));
}

static void churn_semaphore(struct native *native)
{
	struct dice *dice = &native->dice;
	char name[16];
	sem_t *semaphore;

	snprintf(name, sizeof(name), "/%c", pick_letter(dice));
	semaphore = sem_open(name, O_CREAT, pick_mode(dice), dice_roll(dice, 3));
	if (semaphore == SEM_FAILED)
		return;
	/*
	 * The memory is not touched: a user may just have truncated the file, and a touch would
	 * raise SIGBUS.
	 */
	sem_close(semaphore);
	if (dice_once_in(dice, 3))
		sem_unlink(name);
}

static void keep_socket(struct native *native, int fd)
{
	int *place = &native->sockets[dice_roll(&native->dice, N_SOCKETS)];

	if (*place >= 0)
		close(*place);
	*place = fd;
}

static void churn_unix_socket(struct native *native)
{
	static const int types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct dice *dice = &native->dice;
	int fd = socket(AF_UNIX, dice_pick(dice, types) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1, length;

	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
	if (dice_once_in(dice, 2)) {
		length = snprintf(address.sun_path + 1, 16, "%c", pick_letter(dice)) + 1;
	} else {
		length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/sockets/%c",
				  native->place->dir, pick_letter(dice));
		unlink(address.sun_path);
	}
	(void)!bind(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length));
	listen(fd, 3);
	keep_socket(native, fd);
}

static void churn_inet_socket(struct native *native)
{
	struct dice *dice = &native->dice;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(PORT + dice_roll(dice, N_PORTS))),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int type = dice_once_in(dice, 2) ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	(void)!bind(fd, (struct sockaddr *)&address, sizeof(address));
	listen(fd, 3);
	keep_socket(native, fd);
}

/* Sends back the bytes that it received, with a descriptor. */
static void reply(int fd)
{
	char bytes[256], control[CMSG_SPACE(sizeof(int))] = {0};
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct iovec part = {bytes, n > 0 ? (size_t)n : 1};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void serve_socket(struct native *native)
{
	int fd = native->sockets[dice_roll(&native->dice, N_SOCKETS)], client;

	if (fd < 0)
		return;
	client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client >= 0)
		keep_socket(native, client);
	reply(client >= 0 ? client : fd);
}

_Noreturn void native_run(const struct place *place, uint64_t seed, uid_t uid)
{
	static void (*const churns[])(struct native *) = {
		churn_queue,  churn_messages,  churn_segment,     churn_set,
		churn_region, churn_semaphore, churn_unix_socket, churn_inet_socket,
		serve_socket, serve_socket,    serve_socket,
	};
	const struct timespec pause = {.tv_nsec = 200000};
	struct native native = {.place = place, .dice = {seed}};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(3, ~0U, 0);
	umask(0);
	for (int i = 0; i < N_SOCKETS; i++)
		native.sockets[i] = -1;
	if (uid != 0 && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
			 setresuid(uid, uid, uid) < 0))
		_exit(NO_MOUNT);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		dice_pick(&native.dice, churns)(&native);
		if (dice_once_in(&native.dice, 4))
			nanosleep(&pause, NULL);
	}
}
