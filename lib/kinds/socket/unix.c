// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unix sockets by path: sockets/unix/PATH is the socket at /PATH, and opening it connects.
 *
 * The directories are the real ones, without /proc and /sys, and show only directories, sockets and
 * links to those. Each look at them is made as the caller, on a thread (lib/host/job.h), from the
 * caller's own root. Nothing is kept except the attributes that the last look found, and no path is
 * walked that the caller could not walk.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/escape.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connections.h"
#include "lib/kinds/socket/strays.h"
#include "lib/kinds/socket/unix_look.h"

struct directory {
	struct space space;
	struct directory *root; /* a reference; NULL in the root itself */
	char *path;             /* the real one; "" for the root */
	struct stat attr;
	UT_hash_handle hh; /* directory::seen of the root, by path */

	/* In the root only. */
	struct directory *seen; /* directories that somebody refers to */
};

static const struct space_ops directory_ops;

static struct directory *directory_from(struct space *space)
{
	assert(space->ops == &directory_ops);
	return CONTAINER_OF(space, struct directory, space);
}

static struct directory *directory_root(struct directory *directory)
{
	return directory->root ? directory->root : directory;
}

static struct connections *directory_connections(struct directory *directory)
{
	return connections_from(directory_root(directory)->space.shown);
}

static void directory_destroy(struct space *space)
{
	struct directory *directory = directory_from(space);

	if (directory->root) {
		HASH_DEL(directory->root->seen, directory);
		space_unref(&directory->root->space);
	}
	free(directory->path);
	free(directory);
}

static void directory_stat(const struct space *space, struct stat *attr)
{
	const struct directory *directory = CONTAINER_OF(space, const struct directory, space);

	attr->st_mode = S_IFDIR | 0755;
	if (!directory->root)
		return;
	/* The sticky bit would let fs.protected_regular refuse callers who may connect. */
	attr->st_mode = directory->attr.st_mode & ~(mode_t)S_ISVTX;
	attr->st_uid = directory->attr.st_uid;
	attr->st_gid = directory->attr.st_gid;
	attr->st_atim = directory->attr.st_atim;
	attr->st_mtim = directory->attr.st_mtim;
	attr->st_ctim = directory->attr.st_ctim;
}

/* Makes the real path of `name` in the directory. */
static int make_path(const struct directory *directory, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", directory->path, name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int directory_new(struct directory *root, const struct unix_look *look,
			 struct space **ret_space)
{
	CLEANUP_FREE struct directory *directory = calloc(1, sizeof(*directory));
	char shown[PATH_MAX + sizeof(UNIX_ROOT_PATH)];

	if (!directory)
		return -ENOMEM;
	directory->path = strdup(look->path);
	if (!directory->path)
		return -ENOMEM;
	HASH_ADD_KEYPTR(hh, root->seen, directory->path, strlen(directory->path), directory);
	if (!directory->hh.tbl) {
		free(directory->path);
		return -ENOMEM;
	}
	snprintf(shown, sizeof(shown), UNIX_ROOT_PATH "%s", look->path);
	space_init(&directory->space, root->space.ops, root->space.host, "");
	directory->space.ino = space_name_ino(shown);
	directory->root = root;
	space_ref(&root->space);
	*ret_space = &TAKE_PTR(directory)->space;
	return 0;
}

static int find_directory(struct directory *root, const struct unix_look *look,
			  struct space **ret_space)
{
	struct directory *directory;
	int r = 0;

	HASH_FIND_STR(root->seen, look->path, directory);
	if (directory)
		*ret_space = space_ref(&directory->space);
	else
		r = directory_new(root, look, ret_space);
	if (r == 0)
		directory_from(*ret_space)->attr = look->attr;
	return r;
}

/*
 * Makes a link's target lead to the same place below the mount: an absolute one goes up to our root
 * first.
 */
static char *make_target(const struct directory *directory, const char *target)
{
	char *made, *end;
	size_t depth = 0;

	if (*target != '/')
		return strdup(target);
	for (const char *c = directory->path; *c; c++)
		depth += *c == '/';
	made = malloc(3 * depth + strlen(target) + 2);
	if (!made)
		return NULL;
	end = stpcpy(made, depth ? "" : "./");
	while (depth-- > 0)
		end = stpcpy(end, "../");
	strcpy(end, target + strspn(target, "/"));
	return made;
}

static int make_connection(struct directory *directory, const struct unix_look *look,
			   struct channel **ret_channel)
{
	const struct dial_target target = {.connect = dial_unix,
					   .walks = true,
					   .address = look->path,
					   .size = strlen(look->path)};
	CLEANUP_FREE char *label = escape_name(look->path + 1, strlen(look->path) - 1);
	struct connection *connection;
	int r = label ? 0 : -ENOMEM;

	if (r == 0)
		r = connection_new(&connection_ops, directory_connections(directory), label,
				   &target, &connection);
	if (r < 0)
		return r;
	connection->own = (struct attributes){
		.ino = connection->own.ino, /* each lookup is another connection */
		.mode = S_IFREG | (look->attr.st_mode & 07777),
		.uid = look->attr.st_uid,
		.gid = look->attr.st_gid,
		.atime = look->attr.st_atim,
		.mtime = look->attr.st_mtim,
		.ctime = look->attr.st_ctim,
	};
	if (S_ISLNK(look->attr.st_mode)) {
		connection->channel.service = CHANNEL_LINK;
		connection->channel.link = make_target(directory, look->target);
		r = connection->channel.link ? 0 : -ENOMEM;
	}
	if (r < 0)
		channel_unref(&connection->channel);
	else
		*ret_channel = &connection->channel;
	return r;
}

static int directory_lookup(struct space *space, const char *name, struct caller *caller,
			    struct entry *ret_entry)
{
	struct directory *directory = directory_from(space);
	struct directory *root = directory_root(directory);
	CLEANUP_FREE struct unix_look *look = calloc(1, sizeof(*look));
	int r = look ? make_path(directory, name, look->path) : -ENOMEM;

	if (r == 0)
		r = job_run(space->host, caller,
			    &(struct job_call){.place = JOB_THREAD,
					       .walks = true,
					       .act = unix_look_act,
					       .data = look,
					       .size = sizeof(*look)});
	if (r < 0)
		return r;
	if (S_ISDIR(look->attr.st_mode))
		return find_directory(root, look, &ret_entry->space);
	return make_connection(directory, look, &ret_entry->channel);
}

static int directory_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			  void *data)
{
	CLEANUP_FREE struct unix_listing *listing = calloc(1, sizeof(*listing));

	if (!listing)
		return -ENOMEM;
	strcpy(listing->path, directory_from(space)->path);
	return listed_run(space->host, caller,
			  &(struct job_call){.place = JOB_THREAD,
					     .walks = true,
					     .is_long = true,
					     .act = unix_list_act,
					     .undo = listed_drop,
					     .data = listing,
					     .size = sizeof(*listing)},
			  &(struct listed_reader){entry, data});
}

/* bash's <> tries to create a name that is missing: it gets the error of connect(2). */
static int directory_create(struct space *space, const char *name, mode_t mode,
			    const struct settings *settings, struct caller *caller,
			    struct entry *ret_entry)
{
	return S_ISREG(mode) ? -ENOENT : -EPERM;
}

static const struct space_ops directory_ops = {
	.holds_directories = true,
	.lists_by_job = true,
	.destroy = directory_destroy,
	.list = directory_list,
	.lookup = directory_lookup,
	.create = directory_create,
	.stat = directory_stat,
};

static int unix_space_open(struct space **ret_space, struct host *host)
{
	CLEANUP_FREE struct directory *root = calloc(1, sizeof(*root));
	struct connections *list;
	int r;

	if (!root)
		return -ENOMEM;
	root->path = strdup("");
	r = root->path ? connections_new(host, &unix_kind, NULL, &list) : -ENOMEM;
	if (r < 0) {
		free(root->path);
		return r;
	}
	space_init(&root->space, &directory_ops, host, UNIX_ROOT_PATH);
	root->space.kind = &unix_kind;
	root->space.shown = &list->space;
	*ret_space = &TAKE_PTR(root)->space;
	return 0;
}

const struct kind unix_kind = {
	.path = UNIX_ROOT_PATH,
	.channel = &connection_ops,
	.find_strays = strays_find,
	.remove_stray = strays_remove,
	.open = unix_space_open,
};
