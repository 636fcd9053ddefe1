// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of /dev/shm: what needs the directory's lock. A look by name does not, if it is there.
 */
#include "lib/kinds/posix/region.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

struct looking {
	int dir_fd;
	ino_t ino; /* what comes of it */
	char name[NAMED_PATH_SIZE];
};

static int looking_act(void *data)
{
	struct looking *looking = data;
	struct stat attr;

	if (fstatat(looking->dir_fd, looking->name, &attr, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	looking->ino = attr.st_ino;
	return S_ISREG(attr.st_mode) ? 0 : -ENOENT;
}

static bool is_ours(const struct named_space *space, const char *name)
{
	return !space->is_ours || space->is_ours(name);
}

int region_lookup(struct space *space_, const char *name, struct caller *caller,
		  struct entry *ret_entry)
{
	struct named_space *space = named_space_from(space_);
	struct looking looking;
	struct stat attr;
	int r;

	if (!is_ours(space, name))
		return -ENOENT;
	memset(&looking, 0, sizeof(looking)); /* job_run() compares all of it */
	looking.dir_fd = space_->dir_fd;
	named_path(space, name, looking.name);
	r = region_look(space_, looking.name, &attr);
	if (r == 0)
		return named_get(space, name, attr.st_ino, &ret_entry->channel);
	if (r == -EAGAIN)
		r = region_run(space_, caller,
			       &(struct job_call){.place = JOB_THREAD,
						  .act = looking_act,
						  .data = &looking,
						  .size = sizeof(looking)});
	return r < 0 ? r : named_get(space, name, looking.ino, &ret_entry->channel);
}

/* What a directory has: inode numbers, each with a name behind it. */
struct listing {
	int dir_fd;
	char *entries;
	size_t size;
};

static int listing_act(void *data)
{
	struct listing *listing = data;
	CLEANUP_FD int fd = openat(listing->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *found;
	FILE *out;

	if (!dir)
		return -errno;
	TAKE_FD(fd);
	out = open_memstream(&listing->entries, &listing->size);
	if (!out)
		return -ENOMEM;
	while ((found = readdir(dir))) {
		if (found->d_type != DT_REG)
			continue;
		fwrite(&found->d_ino, sizeof(found->d_ino), 1, out);
		fwrite(found->d_name, strlen(found->d_name) + 1, 1, out);
	}
	if (fclose(out) == 0)
		return 0;
	free(TAKE_PTR(listing->entries));
	return -ENOMEM;
}

static void listing_undo(struct host *host, struct caller *caller, void *data)
{
	free(((struct listing *)data)->entries);
}

int region_list(struct space *space_, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct named_space *space = named_space_from(space_);
	size_t n_prefix = space->prefix ? strlen(space->prefix) : 0;
	struct listing listing;
	int r;

	memset(&listing, 0, sizeof(listing)); /* job_run() compares all of it */
	listing.dir_fd = space_->dir_fd;
	r = region_run(space_, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = listing_act,
					  .undo = listing_undo,
					  .data = &listing,
					  .size = sizeof(listing)});
	for (size_t done = 0; r == 0 && done < listing.size;) {
		const char *name = listing.entries + done + sizeof(ino_t);
		ino_t ino;

		memcpy(&ino, listing.entries + done, sizeof(ino));
		done += sizeof(ino) + strlen(name) + 1;
		if (!is_ours(space, name) ||
		    strncmp(name, space->prefix ? space->prefix : "", n_prefix) != 0)
			continue;
		if (name[n_prefix] && !entry(data, name + n_prefix, ino, S_IFREG))
			break;
	}
	if (r == 0)
		free(listing.entries);
	return r;
}

/* A name that is removed, or moved. */
struct naming {
	int dir_fd;
	bool has_all; /* CAP_FOWNER */
	unsigned flags;
	int fd; /* what comes of it: of the file that goes, to be closed; or -1 */
	char from[NAMED_PATH_SIZE], to[NAMED_PATH_SIZE];
};

/*
 * The rule of a sticky directory, also where this one is not: only the owner removes and renames.
 * Elsewhere the kernel knows more of it. Opens what has the name; -ENOENT, -EPERM.
 */
static int open_owned(const struct naming *naming, const char *name)
{
	CLEANUP_FD int fd = openat(naming->dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat dir, attr;

	if (fd < 0 || fstat(fd, &attr) < 0 || fstat(naming->dir_fd, &dir) < 0)
		return -errno;
	if (!S_ISREG(attr.st_mode))
		return -ENOENT;
	if (!(dir.st_mode & S_ISVTX) && !naming->has_all && attr.st_uid != geteuid())
		return -EPERM;
	return TAKE_FD(fd);
}

static int removing_act(void *data)
{
	struct naming *naming = data;
	CLEANUP_FD int fd = open_owned(naming, naming->from);

	if (fd < 0)
		return fd;
	if (unlinkat(naming->dir_fd, naming->from, 0) < 0)
		return -errno;
	naming->fd = TAKE_FD(fd);
	return 0;
}

static int renaming_act(void *data)
{
	struct naming *naming = data;
	CLEANUP_FD int from = open_owned(naming, naming->from);
	CLEANUP_FD int to = -1;

	if (from < 0)
		return from;
	to = open_owned(naming, naming->to);
	if (to < 0 && to != -ENOENT)
		return to;
	if (renameat2(naming->dir_fd, naming->from, naming->dir_fd, naming->to, naming->flags) < 0)
		return -errno;
	naming->fd = to >= 0 ? TAKE_FD(to) : -1;
	return 0;
}

static void naming_undo(struct host *host, struct caller *caller, void *data)
{
	int fd = ((struct naming *)data)->fd;

	if (fd >= 0)
		host_close(host, caller->uid, fd);
}

/* Whoever lets go of a file last frees its pages: not before the answer, nor on the loop. */
static int naming_run(struct space *space, struct caller *caller, struct naming *naming,
		      int (*act)(void *data))
{
	const struct job_call call = {.place = JOB_THREAD,
				      .act = act,
				      .undo = naming_undo,
				      .data = naming,
				      .size = sizeof(*naming)};
	int r;

	naming->dir_fd = space->dir_fd;
	naming->has_all = caller_has(caller, CAP_FOWNER);
	naming->fd = -1;
	r = region_run(space, caller, &call);
	if (r == 0)
		naming_undo(space->host, caller, naming);
	return r;
}

int region_remove(struct space *space, const char *name, struct caller *caller)
{
	struct named_space *named = named_space_from(space);
	struct naming naming;

	if (!is_ours(named, name))
		return -ENOENT;
	memset(&naming, 0, sizeof(naming)); /* job_run() compares all of it */
	named_path(named, name, naming.from);
	return naming_run(space, caller, &naming, removing_act);
}

int region_rename(struct space *space, const char *from, const char *to, unsigned flags,
		  struct caller *caller)
{
	struct named_space *named = named_space_from(space);
	struct naming naming;

	if (!is_ours(named, to))
		return -EPERM;
	if (!is_ours(named, from))
		return -ENOENT;
	memset(&naming, 0, sizeof(naming)); /* job_run() compares all of it */
	named_path(named, from, naming.from);
	named_path(named, to, naming.to);
	naming.flags = flags;
	return naming_run(space, caller, &naming, renaming_act);
}
