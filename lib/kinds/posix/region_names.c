// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names in /dev/shm, and the calls that need the directory's lock. Looking up an existing name does
 * not need that lock.
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
#include "lib/channel/journal.h"
#include "lib/channel/listed.h"

struct looking {
	int dir_fd;
	ino_t ino; /* the result */
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

/* The data of a job that lists a piece of the directory's names. */
struct region_listing {
	struct listed listed;
	long dir_fd;
};

/* Lists names from where the last piece ended, by the directory's own offset. */
static int list(DIR *dir, struct listed *listed)
{
	struct dirent *found;
	off_t place = listed->next;
	int r;

	if (place)
		seekdir(dir, place);
	for (;;) {
		errno = 0;
		found = readdir(dir);
		listed->next = 0;
		if (!found)
			return -errno;
		r = found->d_type == DT_REG
			    ? listed_add(listed, found->d_name, found->d_ino, S_IFREG)
			    : 0;
		if (r == -E2BIG && listed->size) {
			listed->next = place;
			return 0;
		}
		if (r < 0)
			return r;
		place = found->d_off;
	}
}

static int listing_act(void *data)
{
	struct region_listing *listing = data;
	CLEANUP_FD int fd = openat((int)listing->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_DIR DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		return -errno;
	TAKE_FD(fd);
	return listed_end(&listing->listed, list(dir, &listing->listed));
}

/* Where show() sends the names that belong to the kind, as the kind shows them. */
struct shown_reader {
	const struct named_space *space;
	struct listed_reader reader;
};

static bool show(void *data, const char *name, ino_t ino, mode_t mode)
{
	const struct shown_reader *shown = data;
	const char *prefix = shown->space->prefix ? shown->space->prefix : "";
	size_t n_prefix = strlen(prefix);

	if (!is_ours(shown->space, name) || strncmp(name, prefix, n_prefix) != 0 || !name[n_prefix])
		return true;
	return shown->reader.entry(shown->reader.data, name + n_prefix, ino, mode);
}

int region_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct shown_reader shown = {named_space_from(space), {entry, data}};
	struct region_listing listing = {.dir_fd = space->dir_fd};
	const struct job_call call = {.place = JOB_THREAD,
				      .act = listing_act,
				      .undo = listed_drop,
				      .data = &listing,
				      .size = sizeof(listing)};

	return listed_run(space->host, caller, &call, &(struct listed_reader){show, &shown});
}

/* A name to remove or to rename. */
struct naming {
	int dir_fd;
	bool has_all; /* CAP_FOWNER */
	unsigned flags;
	int fd; /* result: the removed or replaced file, to be closed; or -1 */
	struct journal_note note;
	char from[NAMED_PATH_SIZE], to[NAMED_PATH_SIZE];
};

/*
 * Opens the named file. Applies the rule of a sticky directory even if this one is not sticky: only
 * the owner may remove or rename. In a sticky directory the kernel itself applies the rule. Fails
 * with -ENOENT, or with -EPERM, when *ret_ino is set, too.
 */
static int open_owned(const struct naming *naming, const char *name, ino_t *ret_ino)
{
	CLEANUP_FD int fd = openat(naming->dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat dir, attr;

	if (fd < 0 || fstat(fd, &attr) < 0 || fstat(naming->dir_fd, &dir) < 0)
		return -errno;
	if (!S_ISREG(attr.st_mode))
		return -ENOENT;
	*ret_ino = attr.st_ino;
	if (!(dir.st_mode & S_ISVTX) && !naming->has_all && attr.st_uid != geteuid())
		return -EPERM;
	return TAKE_FD(fd);
}

/*
 * Whether the former daemon has done it: it has noted an object that no longer has the name. `fd`
 * and `ino` are what open_owned() has given; ino is 0 if it gave none.
 */
static bool was_done(const struct naming *naming, int fd, ino_t ino)
{
	return journal_has_noted(&naming->note, 0) &&
	       (fd == -ENOENT || (ino && !journal_has_noted(&naming->note, ino)));
}

static int removing_act(void *data)
{
	struct naming *naming = data;
	ino_t ino = 0;
	CLEANUP_FD int fd = open_owned(naming, naming->from, &ino);

	if (was_done(naming, fd, ino))
		return 0;
	if (fd < 0)
		return fd;
	journal_note(&naming->note, ino);
	if (unlinkat(naming->dir_fd, naming->from, 0) < 0)
		return -errno;
	naming->fd = TAKE_FD(fd);
	return 0;
}

static int renaming_act(void *data)
{
	struct naming *naming = data;
	ino_t ino = 0, replaced;
	CLEANUP_FD int from = open_owned(naming, naming->from, &ino);
	CLEANUP_FD int to = -1;

	if (was_done(naming, from, ino))
		return 0;
	if (from < 0)
		return from;
	to = open_owned(naming, naming->to, &replaced);
	if (to < 0 && to != -ENOENT)
		return to;
	journal_note(&naming->note, ino);
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

/*
 * Runs the job, and has a worker close the file that was removed or replaced. The last close frees
 * the file's pages, which must delay neither the answer nor the loop.
 */
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
	naming->note = journal_note_of(space->host);
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
