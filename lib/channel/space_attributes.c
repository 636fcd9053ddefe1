// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owner, mode and times of the mount's directories: the defaults, and what was set instead.
 *
 * What was set belongs to the mount and lasts as long as the mount, whatever daemon serves it; the
 * kernel's own directories (/dev/shm) do not change. The kernel honours owner and mode for access
 * by path, but ctl and info/ reach objects in other ways, so they are checked here too. That is
 * done only where they were set, because finding out a caller's groups costs more than most calls.
 */
#include <errno.h>
#include <linux/capability.h>
#include <unistd.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/channel/space.h"
#include "lib/host/tree_record.h"

/*
 * The mode bits that can be set. New objects don't get the directory's group, as set-group-ID would
 * promise, so the set-ID bits can't.
 */
#define GIVEN_MODE 01777

#define CHANGE_RIGHTS (CHANGE_MODE | CHANGE_UID | CHANGE_GID)
#define CHANGE_TIMES  (CHANGE_ATIME | CHANGE_MTIME)

/* Finds the record of the directory with this number, or a free one. NULL: there is none. */
static struct directory_record *find_record(struct tree_record *tree, ino_t ino)
{
	struct directory_record *free_one = NULL;

	for (size_t i = 0; i < TREE_DIRECTORIES; i++) {
		struct directory_record *record = &tree->directories[i];

		if (record->ino == ino)
			return record;
		if (!record->ino && !free_one)
			free_one = record;
	}
	return free_one;
}

void space_last(struct space *space)
{
	space->is_lasting = true;
	space->record = find_record(space->host->tree, space->ino);
	if (!space->record)
		return;
	space->record->ino = space->ino;
	space->changed = space->record->changed;
}

void space_touch(struct space *space)
{
	attributes_touch(&space->changed);
	if (space->record)
		space->record->changed = space->changed;
}

/* Whether anything was set. */
static bool has_given(const struct space *space)
{
	return space->record && space->record->changes;
}

static bool is_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * Fills in the underlying times: when something in the space was last made, removed or renamed,
 * through the mount, or natively if the kernel has a directory. The clock of that directory may
 * have stood still since the change before.
 */
static void stat_times(const struct space *space, struct stat *attr)
{
	attr->st_atim = attr->st_mtim = attr->st_ctim = space->host->started;
	if (space->dir_fd >= 0)
		fstat(space->dir_fd, attr);
	if (timespec_is_later(&space->changed, &attr->st_mtim))
		attr->st_mtim = space->changed;
	if (timespec_is_later(&space->changed, &attr->st_ctim))
		attr->st_ctim = space->changed;
}

static void show_given(const struct directory_record *given, struct stat *attr)
{
	if (given->changes & CHANGE_MODE)
		attr->st_mode = S_IFDIR | (given->attr.st_mode & GIVEN_MODE);
	if (given->changes & CHANGE_UID)
		attr->st_uid = given->attr.st_uid;
	if (given->changes & CHANGE_GID)
		attr->st_gid = given->attr.st_gid;
	if ((given->changes & CHANGE_ATIME) && is_same(&attr->st_atim, &given->before.st_atim))
		attr->st_atim = given->attr.st_atim;
	if ((given->changes & CHANGE_MTIME) && is_same(&attr->st_mtim, &given->before.st_mtim))
		attr->st_mtim = given->attr.st_mtim;
	if (is_same(&attr->st_ctim, &given->before.st_ctim))
		attr->st_ctim = given->since;
}

void space_stat(const struct space *space, struct stat *ret_attr)
{
	*ret_attr = (struct stat){0};
	stat_times(space, ret_attr);
	/* No sticky bit: it would bring in fs.protected_regular. Kinds check owners themselves. */
	ret_attr->st_mode = S_IFDIR | (space->ops->create ? 0777 : 0755);
	ret_attr->st_ino = space->ino;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	ret_attr->st_size = 0;
	ret_attr->st_blocks = 0;
	/* With 2, programs that walk a tree (File::Find) may take it for a directory of files. */
	ret_attr->st_nlink = space->ops->holds_directories ? 1 : 2;
	if (has_given(space))
		show_given(space->record, ret_attr);
	if (space->ops->stat)
		space->ops->stat(space, ret_attr);
}

bool space_is_changing(const struct space *space)
{
	return space->ops->stat;
}

int space_check_access(const struct space *space, struct caller *caller, int want)
{
	struct stat attr;

	if (!has_given(space))
		return 0;
	space_stat(space, &attr);
	if (caller_may(caller, &attr, want))
		return 0;
	return !(want & W_OK) && caller_has(caller, CAP_DAC_READ_SEARCH) ? 0 : -EACCES;
}

/* Returns `changes` without those changes of owner, group and mode that change nothing. */
static unsigned real_changes(const struct stat *now, const struct stat *attr, unsigned changes)
{
	if (attr->st_uid == now->st_uid)
		changes &= ~(unsigned)CHANGE_UID;
	if (attr->st_gid == now->st_gid)
		changes &= ~(unsigned)CHANGE_GID;
	if ((attr->st_mode & GIVEN_MODE) == (now->st_mode & GIVEN_MODE))
		changes &= ~(unsigned)CHANGE_MODE;
	return changes;
}

static void give_time(struct timespec *time, const struct timespec *wanted,
		      const struct timespec *now)
{
	*time = wanted->tv_nsec == UTIME_NOW ? *now : *wanted;
}

/* Drops the times that were set, if the underlying times have changed since. */
static void forget_old_times(struct space *space, struct directory_record *given)
{
	struct stat now = {0};

	stat_times(space, &now);
	if (!is_same(&now.st_atim, &given->before.st_atim))
		given->changes &= ~(uint64_t)CHANGE_ATIME;
	if (!is_same(&now.st_mtim, &given->before.st_mtim))
		given->changes &= ~(uint64_t)CHANGE_MTIME;
	given->before = now;
}

static int give(struct space *space, const struct stat *attr, unsigned changes)
{
	struct directory_record *given = space->record;

	if (!given)
		return -ENOMEM;
	forget_old_times(space, given);
	attributes_touch(&given->since);
	if (changes & CHANGE_MODE)
		given->attr.st_mode = attr->st_mode;
	if (changes & CHANGE_UID)
		given->attr.st_uid = attr->st_uid;
	if (changes & CHANGE_GID)
		given->attr.st_gid = attr->st_gid;
	if (changes & CHANGE_ATIME)
		give_time(&given->attr.st_atim, &attr->st_atim, &given->since);
	if (changes & CHANGE_MTIME)
		give_time(&given->attr.st_mtim, &attr->st_mtim, &given->since);
	STATE_ORDER();
	given->changes |= changes;
	return 0;
}

/*
 * Changes what the mount itself keeps. The mode of a kind's directory says who may make objects,
 * and who may see them. Other directories hold what is always there, for everyone: nothing in their
 * mode is worth changing.
 */
static int give_own(struct space *space, const struct stat *attr, unsigned changes,
		    struct caller *caller)
{
	struct stat now;
	int r;

	space_stat(space, &now);
	r = attributes_check(&now, attr, changes, caller);
	changes = real_changes(&now, attr, changes);
	if (r == 0 && (changes & CHANGE_RIGHTS) && !space->kind)
		r = -EPERM;
	if (r < 0 || !(changes & (CHANGE_RIGHTS | CHANGE_TIMES)))
		return r;
	return give(space, attr, changes);
}

int space_change(struct space *space, const struct stat *attr, unsigned changes,
		 struct caller *caller)
{
	int r = space_check_home(space, caller);

	if (r < 0)
		return r;
	if (space->ops->change)
		return space->ops->change(space, attr, changes, caller);
	/*
	 * The space shows an object or a directory of another filesystem, which has to be changed
	 * itself.
	 */
	if (!space->is_lasting || space->ops->stat)
		return -EPERM;
	return give_own(space, attr, changes, caller);
}
