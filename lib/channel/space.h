/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories: of all objects of a kind, or of other directories.
 *
 * A space that shows what the kernel keeps holds no copy of it; lookup and list ask the kernel.
 */
#ifndef IPCFS_SPACE_H
#define IPCFS_SPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include "lib/channel/ino.h"
#include "lib/channel/settings.h"
#include "lib/host/caller.h"
#include "lib/host/namespaces.h"

struct channel;
struct host;
struct kind;
struct space;

/* What a name leads to: the one or the other, as a reference. */
struct entry {
	struct channel *channel;
	struct space *space;
};

/* N of NAME:N. */
struct selector {
	bool is_set;
	unsigned long value;
};

/* Called for each name of a space, with its inode number and type: false ends the listing. */
typedef bool space_entry_fn(void *data, const char *name, ino_t ino, mode_t mode);

/*
 * Objects are found, made, removed and renamed with the caller's rights. Only space.c calls these.
 * destroy, list and lookup are there always; NULL of create, remove and rename: -EPERM, of stat: a
 * directory like any other, of change: as space_change() says. list, lookup, create, remove and
 * rename may each be one job: -EAGAIN and -EINPROGRESS as job_run() has them.
 */
struct space_ops {
	/* list() may wait for a stranger: that is done when the directory is opened. */
	bool lists_by_job;
	void (*destroy)(struct space *space);
	int (*list)(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
	int (*lookup)(struct space *space, const char *name, struct caller *caller,
		      struct entry *ret_entry);
	/*
	 * Makes an object with the mode as it stands (type and permissions) and the kind's
	 * settings, NULL where none could be given; it must not exist: -EEXIST. -EPERM: objects
	 * are of another type.
	 */
	int (*create)(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry);
	int (*remove)(struct space *space, const char *name, struct caller *caller);
	/* `flags` of renameat2(2). */
	int (*rename)(struct space *space, const char *from, const char *to, unsigned flags,
		      struct caller *caller);
	/* Changes what space_stat() has put there for a directory like any other. */
	void (*stat)(const struct space *space, struct stat *attr);
	/* As channel_ops::change; of the directory itself. */
	int (*change)(struct space *space, const struct stat *attr, unsigned changes,
		      struct caller *caller);
	/*
	 * Fills in what is known of how much there may be, and still may, for the caller: blocks of
	 * a page, files. All else is 0. Never waits. NULL: nothing is known.
	 */
	void (*room)(const struct space *space, const struct caller *caller, struct statvfs *room);
	/*
	 * Have new objects a list from the directory, which says what else the umask would? Never
	 * waits. NULL: they have not.
	 */
	bool (*inherits)(const struct space *space);
	/* The mount has gone from the tree: closes what keeps it there. NULL: nothing does. */
	void (*let_go)(struct space *space);
};

struct space_given;

struct space {
	const struct space_ops *ops;
	const struct kind *kind;  /* whose objects are in it; NULL: none */
	enum namespace_type home; /* where there is no kind: whose what is in it is */
	struct host *host;
	unsigned n_refs;
	unsigned ino_unit;         /* where the numbers of its objects begin: lib/channel/ino.h */
	unsigned ino_bits;         /* and how long they are, kind::ino_bits */
	bool ino_is_cut;           /* kind::ino_is_cut */
	ino_t ino;                 /* its own */
	int dir_fd;                /* the directory that the kernel keeps for this kind, or -1 */
	struct space *shown;       /* what info/ shows in its place, a reference; NULL: itself */
	const char *link_dir;      /* where native programs open the objects by path, or NULL */
	bool is_lasting;           /* its name leads to it for as long as the mount lives */
	bool is_own;               /* its names are kept here: nobody else makes or removes any */
	struct timespec changed;   /* when something was last made, removed or renamed in it */
	struct space_given *given; /* attributes that somebody has set, owned; NULL: none */
	void *inode;               /* the inode that stands for it in the mount */
};

/* For those who make spaces: fills in the rest, with one reference. `path` is where it is shown. */
void space_init(struct space *space, const struct space_ops *ops, struct host *host,
		const char *path);

void entry_unref(const struct entry *entry);

struct space *space_ref(struct space *space);
void space_unref(struct space *space); /* NULL is nothing */

/*
 * May the caller use what is in the space, by the namespaces that it is in? -EPERM. All functions
 * below ask this first, and so do those of channels.
 */
int space_check_home(const struct space *space, struct caller *caller);

/*
 * Do owner and mode of the directory, if somebody has set them, let the caller do `want` (R_OK,
 * W_OK, X_OK)? -EACCES. Those below ask this as well.
 */
int space_check_access(const struct space *space, struct caller *caller, int want);

int space_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);

/* Finds what is called exactly `name`; the caller owns the reference. -ENOENT */
int space_find(struct space *space, const char *name, struct caller *caller,
	       struct entry *ret_entry);

/*
 * Finds `name`, or where the kind selects by number and there is no object of that name, what
 * stands before ":N". The caller owns the reference in *ret_entry. -ENOENT; -EINVAL: the number is
 * too large. Here and below a name longer than NAME_MAX is -ENAMETOOLONG.
 */
int space_lookup(struct space *space, const char *name, struct caller *caller,
		 struct entry *ret_entry, struct selector *ret_selector);

/*
 * Makes an object; ":N" at the end of its name selects, as above. `settings` NULL: the kind's own.
 */
int space_create(struct space *space, const char *name, mode_t mode,
		 const struct settings *settings, struct caller *caller, struct entry *ret_entry,
		 struct selector *ret_selector);

/* Each is one step, as space_create() is. */
int space_remove(struct space *space, const char *name, struct caller *caller);
int space_rename(struct space *space, const char *from, const char *to, unsigned flags,
		 struct caller *caller);

/*
 * As channel_ops::change. Of a kind's directory all can be set by its owner, of others of the mount
 * the times; what changes nothing is no error there. -EPERM: what is shown is another filesystem's.
 */
int space_change(struct space *space, const struct stat *attr, unsigned changes,
		 struct caller *caller);

/* The directory of the objects that info/ has in its mirror: the space, or space::shown. */
struct space *space_shown(struct space *space);

void space_let_go(struct space *space);

bool space_inherits(const struct space *space);

/* statfs(2) of what is in the space. */
void space_room(const struct space *space, struct caller *caller, struct statvfs *ret_room);
/* For space_ops::room: there may be `most`, and are `used`. */
void room_set_files(struct statvfs *room, uint64_t most, uint64_t used);

/* The attributes of the directory itself. */
void space_stat(const struct space *space, struct stat *ret_attr);
/* Are they those of something else, and change with that? */
bool space_is_changing(const struct space *space);

/* Does the space make, remove, rename objects at all? */
bool space_can_create(const struct space *space);
bool space_can_remove(const struct space *space);
bool space_can_rename(const struct space *space);

#endif
