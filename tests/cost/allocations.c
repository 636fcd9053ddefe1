// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the allocations of the program into which LD_PRELOAD loads it, in the file $ALLOCATIONS.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *data, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *data, size_t size);

static _Atomic uint64_t before_main;
static _Atomic uint64_t *counter = &before_main;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("ALLOCATIONS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd < 0 || ftruncate(fd, sizeof(*counter)) < 0)
		_exit(99);
	shared = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		_exit(99);
	counter = shared;
	close(fd);
}

void *malloc(size_t size)
{
	atomic_fetch_add(counter, 1);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	atomic_fetch_add(counter, 1);
	return __libc_calloc(n, size);
}

void *realloc(void *data, size_t size)
{
	atomic_fetch_add(counter, 1);
	return __libc_realloc(data, size);
}
