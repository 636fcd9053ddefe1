// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The entries are a list, in the order they were added: a folder has few.
 */
#include "lib/channel/folder.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"

struct item {
	char *name;
	struct entry entry;
	struct item *prev, *next; /* folder::items */
};

struct folder {
	struct space space;
	struct item *items;
};

static const struct space_ops folder_ops;

static struct folder *folder_from(struct space *space)
{
	assert(space->ops == &folder_ops);
	return CONTAINER_OF(space, struct folder, space);
}

void folder_clear(struct space *space)
{
	struct folder *folder = folder_from(space);

	while (folder->items) {
		struct item *item = folder->items;

		DL_DELETE(folder->items, item);
		if (item->entry.space && item->entry.space->ops == &folder_ops)
			folder_clear(item->entry.space);
		entry_unref(&item->entry);
		free(item->name);
		free(item);
	}
}

struct space *folder_search(struct space *space, ino_t ino)
{
	struct space *found = ino && space->ino == ino ? space : NULL;
	struct item *item;

	if (found || space->ops != &folder_ops)
		return found;
	DL_FOREACH(folder_from(space)->items, item) {
		if (item->entry.space)
			found = folder_search(item->entry.space, ino);
		if (found)
			break;
	}
	return found;
}

static void folder_destroy(struct space *space)
{
	folder_clear(space);
	free(folder_from(space));
}

static int folder_list(struct space *space, struct caller *caller, space_entry_fn *entry,
		       void *data)
{
	struct item *item;

	DL_FOREACH(folder_from(space)->items, item) {
		struct stat attr = {.st_mode = S_IFDIR};

		if (item->entry.space)
			attr.st_ino = item->entry.space->ino;
		else
			channel_stat(item->entry.channel, &attr);
		if (!entry(data, item->name, attr.st_ino, attr.st_mode & S_IFMT))
			break;
	}
	return 0;
}

static struct item *folder_find(struct folder *folder, const char *name, size_t length)
{
	struct item *item;

	DL_FOREACH(folder->items, item) {
		if (strncmp(item->name, name, length) == 0 && !item->name[length])
			return item;
	}
	return NULL;
}

static int folder_lookup(struct space *space, const char *name, struct caller *caller,
			 struct entry *ret_entry)
{
	struct item *item = folder_find(folder_from(space), name, strlen(name));

	if (!item)
		return -ENOENT;
	if (item->entry.space)
		ret_entry->space = space_ref(item->entry.space);
	else
		ret_entry->channel = channel_ref(item->entry.channel);
	return 0;
}

static const struct space_ops folder_ops = {
	.holds_directories = true,
	.destroy = folder_destroy,
	.list = folder_list,
	.lookup = folder_lookup,
};

int folder_new(struct host *host, const char *path, struct folder **ret_folder)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -ENOMEM;
	space_init(&folder->space, &folder_ops, host, path);
	space_last(&folder->space);
	*ret_folder = folder;
	return 0;
}

struct space *folder_space(struct folder *folder)
{
	return &folder->space;
}

static int folder_add_item(struct folder *folder, const char *name, size_t length,
			   struct entry entry)
{
	CLEANUP_FREE struct item *item = calloc(1, sizeof(*item));

	if (item)
		item->name = strndup(name, length);
	if (!item || !item->name) {
		entry_unref(&entry);
		return -ENOMEM;
	}
	item->entry = entry;
	DL_APPEND(folder->items, item);
	TAKE_PTR(item);
	return 0;
}

int folder_add(struct folder *folder, const char *name, struct entry entry)
{
	return folder_add_item(folder, name, strlen(name), entry);
}

static int enter(struct folder *folder, const char *name, size_t length, const char *path,
		 struct folder **ret_folder)
{
	struct item *item = folder_find(folder, name, length);
	int r;

	if (item) {
		*ret_folder = folder_from(item->entry.space);
		return 0;
	}
	r = folder_new(folder->space.host, path, ret_folder);
	if (r < 0)
		return r;
	return folder_add_item(folder, name, length,
			       (struct entry){.space = &(*ret_folder)->space});
}

int folder_enter(struct folder *folder, const char *name, const char *path,
		 struct folder **ret_folder)
{
	return enter(folder, name, strlen(name), path, ret_folder);
}

int folder_add_at(struct folder *folder, const char *prefix, const char *path, struct space *space)
{
	const char *whole = path;
	const char *slash;

	while ((slash = strchr(path, '/'))) {
		char shown[PATH_MAX];
		int r;

		snprintf(shown, sizeof(shown), "%s%.*s", prefix, (int)(slash - whole), whole);
		r = enter(folder, path, (size_t)(slash - path), shown, &folder);
		if (r < 0) {
			space_unref(space);
			return r;
		}
		path = slash + 1;
	}
	return folder_add(folder, path, (struct entry){.space = space});
}
