// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each call checks the caller's namespaces and the directory's mode before it asks the kind.
 */
#include "lib/channel/space.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"

void space_init(struct space *space, const struct space_ops *ops, struct host *host,
		const char *path)
{
	space->ops = ops;
	space->host = host;
	space->n_refs = 1;
	space->ino = space_path_ino(path);
	space->dir_fd = -1;
}

struct space *space_ref(struct space *space)
{
	space->n_refs++;
	return space;
}

void space_unref(struct space *space)
{
	if (!space)
		return;
	assert(space->n_refs > 0);
	if (--space->n_refs > 0)
		return;
	space_unref(TAKE_PTR(space->shown));
	space->ops->destroy(space);
}

void entry_unref(const struct entry *entry)
{
	channel_unref(entry->channel);
	space_unref(entry->space);
}

static enum namespace_type space_home(const struct space *space)
{
	return space->kind ? space->kind->home : space->home;
}

int space_check_home(const struct space *space, struct caller *caller)
{
	return namespaces_check(&space->host->namespaces, caller, space_home(space));
}

/* Returns 0 if the caller may use the space and do `want` with it, else -EPERM or -EACCES. */
static int check(const struct space *space, struct caller *caller, int want)
{
	int r = space_check_home(space, caller);

	return r < 0 ? r : space_check_access(space, caller, want);
}

int space_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	int r = check(space, caller, R_OK);

	return r < 0 ? r : space->ops->list(space, caller, entry, data);
}

int space_find(struct space *space, const char *name, struct caller *caller,
	       struct entry *ret_entry)
{
	int r = namespaces_check_look(&space->host->namespaces, caller, space_home(space));

	*ret_entry = (struct entry){0};
	if (r == 0)
		r = space_check_access(space, caller, X_OK);
	return r < 0 ? r : space->ops->lookup(space, name, caller, ret_entry);
}

static bool is_too_long(const char *name)
{
	return strlen(name) > NAME_MAX;
}

/* Splits NAME:N. Returns 1 if `name` has that form, 0 if not, -EINVAL if N is too large. */
static int split_selector(const struct space *space, const char *name, char *ret_base,
			  struct selector *ret_selector)
{
	const struct kind *kind = space->kind;
	const char *colon = strrchr(name, ':');
	unsigned long value;
	char *end;

	if (!kind || kind->selector_max == 0 || !colon || colon == name)
		return 0;
	if (!colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return 0;
	errno = 0;
	value = strtoul(colon + 1, &end, 10);
	if (errno || value > kind->selector_max)
		return -EINVAL;
	memcpy(ret_base, name, (size_t)(colon - name));
	ret_base[colon - name] = '\0';
	*ret_selector = (struct selector){.is_set = true, .value = value};
	return 1;
}

int space_lookup(struct space *space, const char *name, struct caller *caller,
		 struct entry *ret_entry, struct selector *ret_selector)
{
	char base[NAME_MAX + 1];
	int r;

	*ret_selector = (struct selector){0};
	if (is_too_long(name))
		return -ENAMETOOLONG;
	r = space_find(space, name, caller, ret_entry);
	if (r != -ENOENT)
		return r;
	r = split_selector(space, name, base, ret_selector);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return space_find(space, base, caller, ret_entry);
}

/*
 * Notes the time of a change that came through the mount. Only the kernel notices native changes,
 * in its own directories.
 */
static int note_change(struct space *space, int result)
{
	if (result == 0)
		space_touch(space);
	return result;
}

int space_create(struct space *space, const char *name, mode_t mode,
		 const struct settings *settings, struct caller *caller, struct entry *ret_entry,
		 struct selector *ret_selector)
{
	char base[NAME_MAX + 1];
	struct entry named;
	int r;

	*ret_entry = (struct entry){0};
	*ret_selector = (struct selector){0};
	if (is_too_long(name))
		return -ENAMETOOLONG;
	if (!space->ops->create)
		return -EPERM;
	r = check(space, caller, W_OK | X_OK);
	if (r == 0)
		r = split_selector(space, name, base, ret_selector);
	if (r > 0 && space_find(space, name, caller, &named) == 0) {
		entry_unref(&named);
		r = -EEXIST; /* the suffix belongs to an object's own name */
	}
	if (r < 0)
		return r;
	r = space->ops->create(space, r ? base : name, mode, settings, caller, ret_entry);
	return note_change(space, r);
}

int space_note_removal(struct space *space, int r)
{
	if (r == 0 && space->host->nodes.unnamed)
		space->host->nodes.unnamed(space->host);
	return note_change(space, r);
}

int space_remove(struct space *space, const char *name, struct caller *caller)
{
	int r;

	if (is_too_long(name))
		return -ENAMETOOLONG;
	r = space->ops->remove ? check(space, caller, W_OK | X_OK) : -EPERM;
	return r < 0 ? r : space_note_removal(space, space->ops->remove(space, name, caller));
}

int space_rename(struct space *space, const char *from, const char *to, unsigned flags,
		 struct caller *caller)
{
	int r;

	if (is_too_long(from) || is_too_long(to))
		return -ENAMETOOLONG;
	r = space->ops->rename ? check(space, caller, W_OK | X_OK) : -EPERM;
	return r < 0 ? r
		     : space_note_removal(space,
					  space->ops->rename(space, from, to, flags, caller));
}

struct space *space_shown(struct space *space)
{
	return space->shown ? space->shown : space;
}

bool space_inherits(const struct space *space)
{
	return space->ops->inherits && space->ops->inherits(space);
}

void space_room(const struct space *space, struct caller *caller, struct statvfs *ret_room)
{
	*ret_room = (struct statvfs){0};
	if (space->ops->room && space_check_home(space, caller) == 0)
		space->ops->room(space, caller, ret_room);
	if (!ret_room->f_frsize)
		ret_room->f_bsize = ret_room->f_frsize = HOST_PAGE;
	ret_room->f_namemax = NAME_MAX;
}

uint64_t space_count_objects(const struct space *space, struct caller *caller)
{
	if (!space->ops->count || space_check_home(space, caller) < 0 ||
	    space_check_access(space, caller, R_OK) < 0)
		return 0;
	return space->ops->count(space);
}

void room_set_files(struct statvfs *room, uint64_t most, uint64_t used)
{
	room->f_files = most;
	room->f_ffree = room->f_favail = used < most ? most - used : 0;
}

void space_let_go(struct space *space)
{
	if (space->ops->let_go)
		space->ops->let_go(space);
}

bool space_can_create(const struct space *space)
{
	return space->ops->create;
}

bool space_can_remove(const struct space *space)
{
	return space->ops->remove;
}

bool space_can_rename(const struct space *space)
{
	return space->ops->rename;
}
