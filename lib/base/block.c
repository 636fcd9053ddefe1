// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * malloc() would keep large blocks for itself once they are freed, which then are charged to no
 * user. Small blocks are not mapped, because a process can have only so many mappings.
 */
#include "lib/base/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SIZE_MAPPED ((size_t)1 << 20)

void *block_new(size_t size)
{
	void *block;

	if (size < SIZE_MAPPED)
		return malloc(size);
	block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return block == MAP_FAILED ? NULL : block;
}

void block_free(void *block, size_t size)
{
	if (!block)
		return;
	if (size < SIZE_MAPPED)
		free(block);
	else
		munmap(block, size);
}
