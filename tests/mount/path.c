/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each thread has a ring of its own: snprintf(3) empties its buffer first, and whoever opened the
 * path at that moment would find no such file. The ring is on the heap, since some tests give their
 * threads stacks that are too small for it, and thread-local variables are part of the stack.
 */
#include "tests/mount/path.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_PATHS = 16, PATH_SIZE = 8192 };

struct ring {
	char paths[N_PATHS][PATH_SIZE];
	unsigned int turn;
};

static pthread_key_t rings;

static void make_key(void)
{
	if (pthread_key_create(&rings, free) != 0)
		abort();
}

static struct ring *own_ring(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ring *ring;

	pthread_once(&once, make_key);
	ring = pthread_getspecific(rings);
	if (ring)
		return ring;
	ring = calloc(1, sizeof(*ring));
	if (!ring || pthread_setspecific(rings, ring) != 0)
		abort();
	return ring;
}

const char *path_join(const char *dir, const char *name)
{
	struct ring *ring = own_ring();
	char *path = ring->paths[ring->turn++ % N_PATHS];

	snprintf(path, PATH_SIZE, "%s/%s", dir, name);
	return path;
}
