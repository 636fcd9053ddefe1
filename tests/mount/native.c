/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX queues and shared memory through the C library alone. Sending, receiving and counting open
 * the queue for one call and close it again, so that the test does not keep the queue's accounting
 * alive.
 */
#include "tests/mount/native.h"

#include "tests/mount/fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

mqd_t native_open(const char *name, int flags)
{
	return (mqd_t)must(mq_open(name, flags));
}

mqd_t native_make(const char *name)
{
	return (mqd_t)must(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, NULL));
}

void native_send(const char *name, const char *text, unsigned int priority)
{
	mqd_t queue = native_open(name, O_WRONLY | O_NONBLOCK);

	must(mq_send(queue, text, strlen(text), priority));
	must(mq_close(queue));
}

long native_receive(const char *name, char *buf, size_t size, unsigned int *ret_priority)
{
	mqd_t queue = native_open(name, O_RDONLY | O_NONBLOCK);
	long n = mq_receive(queue, buf, size, ret_priority);
	int error = errno;

	must(mq_close(queue));
	errno = error;
	return n;
}

long native_messages(const char *name)
{
	mqd_t queue = native_open(name, O_RDONLY);
	struct mq_attr attr;

	must(mq_getattr(queue, &attr));
	must(mq_close(queue));
	return attr.mq_curmsgs;
}

char *native_map(const char *name, size_t size)
{
	int fd = (int)must(shm_open(name, O_RDWR | O_CREAT, 0666));
	char *map;

	must(ftruncate(fd, (off_t)size));
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	must(close(fd));
	return map;
}

int native_send_run(void *name)
{
	mqd_t queue = mq_open(name, O_WRONLY);

	return queue == (mqd_t)-1 || mq_send(queue, "native", 6, 0) < 0 ? errno : 0;
}

int native_receive_run(void *name)
{
	char buf[8192];
	mqd_t queue = mq_open(name, O_RDONLY);

	return queue == (mqd_t)-1 || mq_receive(queue, buf, sizeof(buf), NULL) < 0 ? errno : 0;
}

void native_must_match(const char *name, int native)
{
	struct stat mine, theirs;

	must(stat(ipc_path(name), &mine));
	must(fstat(native, &theirs));
	ck_assert_uint_eq(mine.st_mode, theirs.st_mode);
	ck_assert_uint_eq(mine.st_uid, theirs.st_uid);
	ck_assert_uint_eq(mine.st_gid, theirs.st_gid);
	ck_assert_mem_eq(&mine.st_atim, &theirs.st_atim, sizeof(mine.st_atim));
	ck_assert_mem_eq(&mine.st_mtim, &theirs.st_mtim, sizeof(mine.st_mtim));
	ck_assert_mem_eq(&mine.st_ctim, &theirs.st_ctim, sizeof(mine.st_ctim));
}
