// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * POSIX message queues with the system's limits.
 */
#include <fcntl.h>
#include <mqueue.h>

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

static const struct row rows[] = {
	{"64 B round trip", "queues", 64, UNIT_MICROSECONDS, .bound = BOUND_TIME,
	 .targets = {6, 1.5, 1.5},
	 .sides = {{"mq_send, mq_receive", native_open, work_round_trip, .close = native_close},
		   {"ipcfs", ipcfs_open, work_round_trip, .close = ipcfs_close}}},
	{.work = NULL},
};

const struct group queue_group = {"queues", "Message queues", rows};
