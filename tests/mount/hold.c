/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread makes the write. When userfaultfd(2) reports the page fault, the thread has the lock.
 */
#include "tests/mount/hold.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

static void *held_write(void *arg)
{
	const struct hold *hold = arg;

	return write(hold->fd, hold->page, 4096) == 4096 ? arg : NULL;
}

static bool is_held(void *arg)
{
	struct uffd_msg message;

	return read(*(int *)arg, &message, sizeof(message)) == sizeof(message);
}

void hold_begin(struct hold *hold, int fd)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	hold->fd = fd;
	hold->uffd = (int)must(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
	must(ioctl(hold->uffd, UFFDIO_API, &api));
	hold->page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(hold->page, MAP_FAILED);
	range.range.start = (uintptr_t)hold->page;
	range.range.len = 4096;
	must(ioctl(hold->uffd, UFFDIO_REGISTER, &range));
	ck_assert_int_eq(pthread_create(&hold->writer, NULL, held_write, hold), 0);
	ck_assert(wait_until(is_held, &hold->uffd, 10000));
}

void hold_end(struct hold *hold)
{
	struct uffdio_zeropage zero = {.range = {(uintptr_t)hold->page, 4096}};
	void *written;

	must(ioctl(hold->uffd, UFFDIO_ZEROPAGE, &zero));
	ck_assert_int_eq(pthread_join(hold->writer, &written), 0);
	ck_assert_ptr_nonnull(written);
	close(hold->uffd);
	munmap(hold->page, 4096);
}
