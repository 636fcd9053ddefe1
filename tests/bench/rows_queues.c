// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * POSIX message queues with the system's limits.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

static ssize_t send_message(int fd, const void *data, size_t size)
{
	return mq_send(fd, data, size, 0) < 0 ? -1 : (ssize_t)size;
}

static ssize_t receive_message(int fd, void *data, size_t size)
{
	return mq_receive(fd, data, size, NULL);
}

static mqd_t make_queue(const char *name)
{
	return must(mq_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL));
}

static void native_open(struct ends *ends)
{
	ends->out = ends->peer_in = make_queue("/bench-native-there");
	ends->in = ends->peer_out = make_queue("/bench-native-back");
	ends->send = send_message;
	ends->receive = receive_message;
	ends_echo(ends);
}

static void native_close(struct ends *ends)
{
	(void)ends;
	mq_unlink("/bench-native-there");
	mq_unlink("/bench-native-back");
}

static void ipcfs_open(struct ends *ends)
{
	mq_close(make_queue("/bench-there"));
	mq_close(make_queue("/bench-back"));
	ends_open_there(ends, bench_mount(ends->bench, "queues/bench-there"));
	ends_open_back(ends, bench_mount(ends->bench, "queues/bench-back"));
	ends_echo(ends);
}

static void ipcfs_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "queues/bench-there")));
	must(unlink(bench_mount(ends->bench, "queues/bench-back")));
}

/*
 * System V queues have no descriptors: their identifiers are stored instead, as numbers below -1.
 * Both sides of a row are open at once, so each has its own keys. With shared keys, each side's
 * other end would take messages of the other side, and lose its queues when the other side is
 * closed.
 */

#define SYSV_NATIVE_THERE 0x49504351
#define SYSV_NATIVE_BACK  0x49504352
#define SYSV_THERE        0x49504353
#define SYSV_BACK         0x49504354

struct sysv_message {
	long type;
	char text[8192]; /* MSGMAX */
};

static int sysv_number(int id)
{
	return -2 - id; /* its own inverse */
}

static ssize_t sysv_send(int number, const void *data, size_t size)
{
	struct sysv_message message = {.type = 1};

	memcpy(message.text, data, size);
	return msgsnd(sysv_number(number), &message, size, 0) < 0 ? -1 : (ssize_t)size;
}

static ssize_t sysv_receive(int number, void *data, size_t size)
{
	struct sysv_message message;
	ssize_t n = msgrcv(sysv_number(number), &message, sizeof(message.text), 0, 0);

	if (n > 0)
		memcpy(data, message.text, (size_t)n < size ? (size_t)n : size);
	return n;
}

static int sysv_make(key_t key)
{
	return must(msgget(key, IPC_CREAT | 0600));
}

static void sysv_remove(key_t key)
{
	int id = must(msgget(key, 0));

	must(msgctl(id, IPC_RMID, NULL));
}

static void sysv_native_open(struct ends *ends)
{
	ends->out = ends->peer_in = sysv_number(sysv_make(SYSV_NATIVE_THERE));
	ends->in = ends->peer_out = sysv_number(sysv_make(SYSV_NATIVE_BACK));
	ends->send = sysv_send;
	ends->receive = sysv_receive;
	ends_echo(ends);
}

static void sysv_native_close(struct ends *ends)
{
	(void)ends;
	sysv_remove(SYSV_NATIVE_THERE);
	sysv_remove(SYSV_NATIVE_BACK);
}

static void sysv_open(struct ends *ends)
{
	char name[32];

	sysv_make(SYSV_THERE);
	sysv_make(SYSV_BACK);
	snprintf(name, sizeof(name), "sysv/queues/0x%08x", SYSV_THERE);
	ends_open_there(ends, bench_mount(ends->bench, name));
	snprintf(name, sizeof(name), "sysv/queues/0x%08x", SYSV_BACK);
	ends_open_back(ends, bench_mount(ends->bench, name));
	ends_echo(ends);
}

static void sysv_close(struct ends *ends)
{
	(void)ends;
	sysv_remove(SYSV_THERE);
	sysv_remove(SYSV_BACK);
}

#define POSIX_SIDES                                                                \
	{                                                                          \
		{"mq_send", native_open, work_round_trip, .close = native_close},  \
		{                                                                  \
			"ipcfs", ipcfs_open, work_round_trip, .close = ipcfs_close \
		}                                                                  \
	}
#define SYSV_SIDES                                                                         \
	{                                                                                  \
		{"msgsnd", sysv_native_open, work_round_trip, .close = sysv_native_close}, \
		{                                                                          \
			"ipcfs", sysv_open, work_round_trip, .close = sysv_close           \
		}                                                                          \
	}

static const struct row rows[] = {
	{"64 B round trip", "queues", 64, UNIT_MICROSECONDS, .bound = BOUND_TIME,
	 .targets = {6, 1.5, 1.5}, .sides = POSIX_SIDES},
	{"4 KiB round trip", "queues", 4096, UNIT_MICROSECONDS, .sides = POSIX_SIDES},
	{"System V, 64 B round trip", "sysv/queues", 64, UNIT_MICROSECONDS, .sides = SYSV_SIDES},
	{"System V, 4 KiB round trip", "sysv/queues", 4096, UNIT_MICROSECONDS, .sides = SYSV_SIDES},
	{.work = NULL},
};

const struct group queue_group = {"queues", "Message queues", rows};
