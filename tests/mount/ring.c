/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uses the bare system calls, and maps the two rings. Entries pass to and from the kernel by the
 * rings' heads and tails, with release and acquire ordering.
 */
#include "tests/mount/ring.h"

#include "tests/mount/fixture.h"

#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N_ENTRIES = 4 };

static struct {
	int fd;
	struct io_uring_params params;
	struct io_uring_sqe *entries;
	char *submissions, *completions;
} ring = {.fd = -1};

bool ring_is_there(void)
{
	struct io_uring_params params = {0};
	int fd = (int)syscall(SYS_io_uring_setup, N_ENTRIES, &params);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void *map(size_t size, off_t what)
{
	void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, what);

	ck_assert_ptr_ne(address, MAP_FAILED);
	return address;
}

static void ring_make(void)
{
	const struct io_uring_params *params = &ring.params;

	ring.fd = (int)must(syscall(SYS_io_uring_setup, N_ENTRIES, &ring.params));
	ring.submissions = map(params->sq_off.array + params->sq_entries * sizeof(uint32_t),
			       IORING_OFF_SQ_RING);
	ring.completions =
		map(params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe),
		    IORING_OFF_CQ_RING);
	ring.entries = map(params->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static uint32_t *submission_word(uint32_t offset)
{
	return (uint32_t *)(ring.submissions + offset);
}

static uint32_t *completion_word(uint32_t offset)
{
	return (uint32_t *)(ring.completions + offset);
}

void ring_begin_read(int fd, void *buf, unsigned int size)
{
	uint32_t *tail, slot;

	if (ring.fd < 0)
		ring_make();
	tail = submission_word(ring.params.sq_off.tail);
	slot = *tail & *submission_word(ring.params.sq_off.ring_mask);
	ring.entries[slot] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.off = UINT64_MAX,
		.addr = (uintptr_t)buf,
		.len = size,
	};
	submission_word(ring.params.sq_off.array)[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	ck_assert_int_eq(must(syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0)), 1);
}

bool ring_has_ended(void)
{
	/* This call also runs completions that wait for the task to enter the kernel. */
	must(syscall(SYS_io_uring_enter, ring.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0));
	return __atomic_load_n(completion_word(ring.params.cq_off.tail), __ATOMIC_ACQUIRE) !=
	       *completion_word(ring.params.cq_off.head);
}

int ring_end(void)
{
	const struct io_uring_cqe *completions =
		(const struct io_uring_cqe *)(ring.completions + ring.params.cq_off.cqes);
	uint32_t *head = completion_word(ring.params.cq_off.head);
	int result;

	must(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	ck_assert(ring_has_ended());
	result = completions[*head & *completion_word(ring.params.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int ring_read(int fd, void *buf, unsigned int size)
{
	ring_begin_read(fd, buf, size);
	return ring_end();
}
