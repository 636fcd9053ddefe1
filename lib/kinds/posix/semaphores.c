// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file behind a mapped page may be truncated at any time, and touching the page then raises
 * SIGBUS. The handler puts an empty page in its place and marks the semaphore as gone, so that the
 * call can tell afterwards: result_of().
 */
#include "lib/kinds/posix/semaphores.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The low half is the value, the high half the number of waiters. */
#define WAITER     ((uint64_t)1 << 32)
#define VALUE_WORD (__BYTE_ORDER == __BIG_ENDIAN)
static_assert(sizeof(long) == 8, "where there are no 64-bit atomics glibc has another layout");

#define MAPPED_MAX 16384

struct semaphore {
	_Atomic uint64_t *data;
	size_t place; /* in the arena */
	int fd;       /* of the file, borrowed */
};

/*
 * Address space for all semaphores, so that the handler of SIGBUS knows a page of ours by its
 * address. Only the loop maps and unmaps; the handler may run on any thread.
 */
static struct {
	char *start; /* MAPPED_MAX pages, or NULL */
	size_t page;
	_Atomic bool is_gone[MAPPED_MAX];
	bool is_used[MAPPED_MAX];
} arena;

/*
 * Replaces a page that has vanished, so that the interrupted code continues with an empty page.
 * Makes only system calls.
 */
static void handle_bus(int signal, siginfo_t *info, void *context)
{
	size_t offset = (size_t)((char *)info->si_addr - arena.start);
	size_t place = offset / arena.page;
	void *page = arena.start + place * arena.page;
	int error = errno;

	if (place < MAPPED_MAX && mmap(page, arena.page, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page)
		arena.is_gone[place] = true;
	else /* not our memory: the signal comes again, and ends the process */
		sigaction(SIGBUS, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	errno = error;
}

static int arena_init(void)
{
	const struct sigaction action = {.sa_sigaction = handle_bus, .sa_flags = SA_SIGINFO};
	void *start;

	if (arena.start)
		return 0;
	arena.page = (size_t)sysconf(_SC_PAGESIZE);
	start = mmap(NULL, MAPPED_MAX * arena.page, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return -errno;
	if (sigaction(SIGBUS, &action, NULL) < 0) {
		int r = -errno;

		munmap(start, MAPPED_MAX * arena.page);
		return r;
	}
	arena.start = start;
	return 0;
}

static int arena_find(size_t *ret_place)
{
	for (size_t i = 0; i < MAPPED_MAX; i++) {
		if (!arena.is_used[i]) {
			*ret_place = i;
			return 0;
		}
	}
	return -ENFILE;
}

int semaphore_check(int fd)
{
	struct stat attr;

	if (fstat(fd, &attr) < 0)
		return -errno;
	/*
	 * While the pages of a file are being removed, a process that touches one waits until all
	 * are removed. With a single page that takes no time.
	 */
	if (attr.st_size < (off_t)sizeof(sem_t) || attr.st_blocks * 512 > sysconf(_SC_PAGESIZE))
		return -EINVAL;
	return 0;
}

int semaphore_map(int fd, struct semaphore **ret_semaphore)
{
	struct semaphore *semaphore;
	size_t place = 0;
	void *page;
	int r = semaphore_check(fd);

	if (r == 0)
		r = arena_init();
	if (r == 0)
		r = arena_find(&place);
	if (r < 0)
		return r;
	semaphore = malloc(sizeof(*semaphore));
	if (!semaphore)
		return -ENOMEM;
	page = arena.start + place * arena.page;
	if (mmap(page, arena.page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != page) {
		r = -errno;
		free(semaphore);
		return r;
	}
	arena.is_used[place] = true;
	arena.is_gone[place] = false;
	*semaphore = (struct semaphore){.data = page, .place = place, .fd = fd};
	*ret_semaphore = semaphore;
	return 0;
}

void semaphore_unmap(struct semaphore *semaphore)
{
	if (!semaphore)
		return;
	(void)mmap((void *)semaphore->data, arena.page, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	arena.is_used[semaphore->place] = false;
	free(semaphore);
}

static bool is_gone(const struct semaphore *semaphore)
{
	return arena.is_gone[semaphore->place];
}

/* Whether the loop may touch the memory: users may have done anything to the file. */
static bool may_touch(const struct semaphore *semaphore)
{
	return is_gone(semaphore) || semaphore_check(semaphore->fd) == 0;
}

static unsigned value_of(uint64_t data)
{
	return (unsigned)data;
}

/*
 * Returns `result`, or -EIO if an empty page has replaced the memory: changes to that page don't
 * count.
 */
static int result_of(const struct semaphore *semaphore, int result)
{
	return is_gone(semaphore) ? -EIO : result;
}

static long call_futex(struct semaphore *semaphore, int operation, unsigned value)
{
	uint32_t *word = (uint32_t *)semaphore->data + VALUE_WORD;

	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void wake(struct semaphore *semaphore, unsigned n)
{
	call_futex(semaphore, FUTEX_WAKE, n < INT_MAX ? n : INT_MAX);
}

int semaphore_take(struct semaphore *semaphore, uint64_t *taken)
{
	uint64_t data;

	if (!may_touch(semaphore))
		return -EIO;
	data = atomic_load(semaphore->data);
	while (value_of(data) > 0) {
		if (atomic_compare_exchange_weak(semaphore->data, &data, data - 1)) {
			__atomic_store_n(taken, 1, __ATOMIC_RELAXED);
			return result_of(semaphore, 0);
		}
	}
	return result_of(semaphore, -EAGAIN);
}

int semaphore_post(struct semaphore *semaphore, unsigned n, uint64_t *n_posts)
{
	uint64_t data;

	if (!may_touch(semaphore))
		return -EIO;
	data = atomic_load(semaphore->data);
	do {
		if (n > SEM_VALUE_MAX || value_of(data) > SEM_VALUE_MAX - n)
			return result_of(semaphore, -EOVERFLOW);
	} while (!atomic_compare_exchange_weak(semaphore->data, &data, data + n));
	if (n_posts)
		__atomic_store_n(n_posts, *n_posts + 1, __ATOMIC_RELAXED);
	if (n && data >= WAITER)
		wake(semaphore, n);
	return result_of(semaphore, 0);
}

int semaphore_set(struct semaphore *semaphore, unsigned value)
{
	uint64_t data;

	if (!may_touch(semaphore))
		return -EIO;
	data = atomic_load(semaphore->data);
	while (!atomic_compare_exchange_weak(semaphore->data, &data, data - value_of(data) + value))
		continue;
	if (value && data >= WAITER)
		wake(semaphore, value);
	return result_of(semaphore, 0);
}

/*
 * Unblocks SIGBUS in this thread. Workers block all signals except their own, and a SIGBUS that is
 * blocked ends the process.
 */
static void let_bus_through(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGBUS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Sleeps. Returns 0 if the value may have changed. */
static int sleep_on(struct semaphore *semaphore)
{
	if (is_gone(semaphore))
		return -EIO;
	if (call_futex(semaphore, FUTEX_WAIT, 0) == 0 || errno == EAGAIN)
		return 0;
	return errno == EINTR ? -EINTR : -EIO;
}

static void note(uint32_t *step, enum semaphore_step what)
{
	__atomic_store_n(step, what, __ATOMIC_RELEASE);
}

/* A sleeper too many does no harm: who posts makes a call in vain. One too few is not woken. */
static uint64_t count_in(struct semaphore *semaphore, uint32_t *step)
{
	uint64_t data = atomic_fetch_add(semaphore->data, WAITER) + WAITER;

	note(step, SEMAPHORE_COUNTED);
	return data;
}

static uint64_t count_out(struct semaphore *semaphore, uint32_t *step)
{
	note(step, SEMAPHORE_NOTHING);
	return atomic_fetch_sub(semaphore->data, WAITER) - WAITER;
}

/* Takes a unit, and counts the caller out, if the semaphore is still as it was in `data`. */
static bool take_counted(struct semaphore *semaphore, uint64_t data, uint32_t *step)
{
	note(step, SEMAPHORE_NOTHING);
	if (atomic_compare_exchange_weak(semaphore->data, &data, data - WAITER - 1)) {
		note(step, is_gone(semaphore) ? SEMAPHORE_NOTHING : SEMAPHORE_TAKEN);
		return true;
	}
	note(step, SEMAPHORE_COUNTED);
	return false;
}

int semaphore_wait(struct semaphore *semaphore, uint32_t *step)
{
	uint64_t data;
	int r = 0;

	let_bus_through();
	data = count_in(semaphore, step);
	while (r == 0) {
		if (value_of(data) == 0)
			r = sleep_on(semaphore);
		else if (take_counted(semaphore, data, step))
			return result_of(semaphore, 0);
		data = atomic_load(semaphore->data);
	}
	count_out(semaphore, step);
	return result_of(semaphore, r);
}

/*
 * The post woke one waiter, and that was this one, which takes nothing. So it wakes another waiter
 * to take the unit.
 */
int semaphore_watch(struct semaphore *semaphore, uint32_t *step)
{
	uint64_t data;
	int r = 0;

	let_bus_through();
	data = count_in(semaphore, step);
	while (r == 0 && value_of(data) == 0) {
		r = sleep_on(semaphore);
		data = atomic_load(semaphore->data);
	}
	data = count_out(semaphore, step);
	if (value_of(data) > 0 && data >= WAITER)
		wake(semaphore, 1);
	return result_of(semaphore, r);
}

void semaphore_mend(struct semaphore *semaphore, bool is_counted)
{
	uint64_t data;

	if (!may_touch(semaphore))
		return;
	data = atomic_load(semaphore->data);
	while (is_counted && data >= WAITER &&
	       !atomic_compare_exchange_weak(semaphore->data, &data, data - WAITER))
		continue;
	data = atomic_load(semaphore->data);
	if (value_of(data) > 0 && data >= WAITER)
		wake(semaphore, value_of(data));
}

void semaphore_read(const unsigned char bytes[static SEMAPHORE_BYTES], unsigned *ret_value,
		    unsigned *ret_n_waiting)
{
	uint64_t data;

	memcpy(&data, bytes, sizeof(data));
	*ret_value = value_of(data);
	*ret_n_waiting = (unsigned)(data >> 32);
}

unsigned semaphore_value(struct semaphore *semaphore)
{
	return may_touch(semaphore) ? value_of(atomic_load(semaphore->data)) : 0;
}
