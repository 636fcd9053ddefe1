// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A step is one listing or one object, so that the loop serves others in between.
 */
#include "lib/info/info_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/host/job.h"

void info_walk_init(struct info_walk *walk, struct host *host, const struct caller *reader)
{
	walk->host = host;
	walk->space = host->spaces;
	walk->uid = reader->uid;
}

void info_walk_fini(struct info_walk *walk)
{
	entry_unref(&walk->found);
	walk->found = (struct entry){0};
	free(walk->names);
	walk->names = NULL;
	user_uncharge(&walk->host->users, walk->uid, USER_BYTES, walk->n_charged);
	walk->n_charged = 0;
}

int info_walk_charge(struct info_walk *walk, size_t n)
{
	int r = user_charge(&walk->host->users, walk->uid, USER_BYTES, n);

	if (r == 0)
		walk->n_charged += n;
	return r;
}

void *info_walk_grow(struct info_walk *walk, void *array, size_t n, size_t *n_allocated,
		     size_t size)
{
	size_t more = *n_allocated + 16;
	void *grown;
	int r;

	if (n < *n_allocated)
		return array;
	r = info_walk_charge(walk, more * size);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	grown = reallocarray(array, *n_allocated + more, size);
	if (grown)
		*n_allocated += more;
	return grown;
}

static int grow_names(struct info_walk *walk, size_t size)
{
	size_t n = walk->n_allocated + size + 4096;
	char *grown;
	int r;

	if (walk->size + size <= walk->n_allocated)
		return 0;
	r = info_walk_charge(walk, n);
	if (r < 0)
		return r;
	grown = realloc(walk->names, walk->n_allocated + n);
	if (!grown)
		return -ENOMEM;
	walk->names = grown;
	walk->n_allocated += n;
	return 0;
}

static bool add_name(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct info_walk *walk = data;
	size_t size = strlen(name) + 1;

	walk->error = grow_names(walk, size);
	if (walk->error < 0)
		return false;
	memcpy(walk->names + walk->size, name, size);
	walk->size += size;
	return true;
}

/*
 * Whether the object has gone, or the reader may not see it, or no server has told yet what there
 * is. None of these ends the walk.
 */
static bool is_no_object(int r)
{
	return r == -ENOENT || r == -ESTALE || r == -EIDRM || r == -EPERM || r == -EACCES ||
	       r == -EHOSTDOWN;
}

static int list_names(struct info_walk *walk, struct caller *reader)
{
	int r;

	walk->size = walk->next = 0;
	walk->error = 0;
	r = space_list(space_shown(*walk->space), reader, add_name, walk);
	if (job_is_awaited(r))
		return r;
	walk->is_listed = true;
	if (walk->error < 0)
		return walk->error;
	return r < 0 && !is_no_object(r) ? r : -EAGAIN;
}

static int look_up(struct info_walk *walk, struct caller *reader)
{
	const char *name = walk->names + walk->next;
	struct entry entry = walk->found;
	int r = 0;

	if (!entry.channel)
		r = space_find(space_shown(*walk->space), name, reader, &entry);
	if (job_is_awaited(r))
		return r;
	if (r == 0) {
		walk->found = entry;
		r = walk->visit(walk, entry.channel, name, reader);
		if (job_is_awaited(r))
			return r;
		walk->found = (struct entry){0};
		entry_unref(&entry);
	}
	walk->next += strlen(name) + 1;
	return r < 0 && !is_no_object(r) ? r : -EAGAIN;
}

static bool takes(const struct info_walk *walk, const struct space *space)
{
	return walk->only ? space == walk->only : !space->kind->is_uncounted;
}

int info_walk_step(struct info_walk *walk, struct caller *reader)
{
	if (!*walk->space)
		return 0;
	if (!walk->is_listed && takes(walk, *walk->space))
		return list_names(walk, reader);
	if (walk->is_listed && walk->next < walk->size)
		return look_up(walk, reader);
	walk->space++;
	walk->is_listed = false;
	return -EAGAIN;
}
