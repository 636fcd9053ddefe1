/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues are opened non-blocking: a test that receives from an empty queue fails instead of
 * waiting.
 */
#include "tests/unit/native.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fixture.h"

mqd_t native_queue_make(const char *path, long maxmsg, long msgsize)
{
	struct mq_attr attr = {.mq_maxmsg = maxmsg, .mq_msgsize = msgsize};

	return (mqd_t)must_call(mq_open(path, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr));
}

mqd_t native_queue_open(const char *path)
{
	return (mqd_t)must_call(mq_open(path, O_RDWR | O_NONBLOCK));
}

void native_queue_close(mqd_t queue)
{
	must_call(mq_close(queue));
}

void native_send(mqd_t queue, const char *text, unsigned priority)
{
	must_call(mq_send(queue, text, strlen(text), priority));
}

void native_expect(mqd_t queue, const char *text, unsigned priority)
{
	size_t size = (size_t)native_attributes(queue).mq_msgsize;
	char *data = malloc(size);
	unsigned received;
	ssize_t n = must_call(mq_receive(queue, data, size, &received));

	ck_assert_int_eq(n, strlen(text));
	ck_assert_mem_eq(data, text, (size_t)n);
	ck_assert_uint_eq(received, priority);
	free(data);
}

struct mq_attr native_attributes(mqd_t queue)
{
	struct mq_attr attr;

	must_call(mq_getattr(queue, &attr));
	return attr;
}

void native_file_make(const char *name, const char *text)
{
	int fd = (int)must_call(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600));

	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void native_file_expect(const char *path, const char *text)
{
	int fd = (int)must_call(open(path, O_RDONLY | O_CLOEXEC));
	char data[256];
	ssize_t n = must_call(read(fd, data, sizeof(data)));

	close(fd);
	ck_assert_int_eq(n, strlen(text));
	ck_assert_mem_eq(data, text, (size_t)n);
}
