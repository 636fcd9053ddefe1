/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories: of all objects of a kind, or of other directories.
 *
 * A space that shows what the kernel keeps holds no copy of it: lookup and list ask the kernel.
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

/* What a name leads to: a reference to a channel or to a space. */
struct entry {
	struct channel *channel;
	struct space *space;
};

/* The number N of a name NAME:N. */
struct selector {
	bool is_set;
	unsigned long value;
};

/* Called for each name in a space, with its inode number and type. False ends the listing. */
typedef bool space_entry_fn(void *data, const char *name, ino_t ino, mode_t mode);

/*
 * The operations on a space, done with the caller's rights. Only space.c and space_attributes.c
 * call them. destroy, list and lookup are always set. Without create, remove or rename, such a call
 * fails with -EPERM. Without stat, the directory is like any other. Without change, the rules of
 * space_change() apply. list, lookup, create, remove and rename may each be one job: they return
 * -EAGAIN and -EINPROGRESS as job_run() does.
 */
struct space_ops {
	/* list() may wait for a stranger, so it runs when the directory is opened. */
	bool lists_by_job;
	bool holds_directories; /* some of its entries are directories */
	void (*destroy)(struct space *space);
	int (*list)(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
	int (*lookup)(struct space *space, const char *name, struct caller *caller,
		      struct entry *ret_entry);
	/*
	 * Makes an object with exactly this `mode` (type and permissions) and the kind's settings,
	 * NULL where none could be given. Fails with -EEXIST if the object exists, or with -EPERM
	 * if the objects are of another type.
	 */
	int (*create)(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry);
	int (*remove)(struct space *space, const char *name, struct caller *caller);
	/* `flags` as for renameat2(2). */
	int (*rename)(struct space *space, const char *from, const char *to, unsigned flags,
		      struct caller *caller);
	/* Corrects what space_stat() has filled in as for any other directory. */
	void (*stat)(const struct space *space, struct stat *attr);
	/* As channel_ops::change, for the directory itself. */
	int (*change)(struct space *space, const struct stat *attr, unsigned changes,
		      struct caller *caller);
	/*
	 * Fills in how many page-sized blocks and files there may be for the caller, and how many
	 * are left, as far as known. All other fields stay 0. Never waits. NULL: nothing is known.
	 */
	void (*room)(const struct space *space, const struct caller *caller, struct statvfs *room);
	/* Returns how many objects there are. Never waits. NULL: that is not known. */
	uint64_t (*count)(const struct space *space);
	/*
	 * Whether new objects inherit an ACL from the directory, which then counts instead of the
	 * umask. Never waits. NULL: they don't.
	 */
	bool (*inherits)(const struct space *space);
	/*
	 * Called when the mount has left the tree: closes what keeps it alive. NULL: nothing does.
	 */
	void (*let_go)(struct space *space);
};

struct directory_record;

struct space {
	const struct space_ops *ops;
	const struct kind *kind;  /* the kind of its objects; NULL: none */
	enum namespace_type home; /* without a kind: the namespace of what is in it */
	struct host *host;
	unsigned n_refs;
	unsigned ino_unit;       /* where the numbers of its objects begin: lib/channel/ino.h */
	unsigned ino_bits;       /* how many bits these numbers have: kind::ino_bits */
	bool ino_is_cut;         /* kind::ino_is_cut */
	ino_t ino;               /* the number of the directory itself */
	int dir_fd;              /* the kernel's own directory for this kind, or -1 */
	struct space *shown;     /* what info/ shows in its place, a reference; NULL: itself */
	const char *link_dir;    /* where native programs open the objects by path, or NULL */
	bool is_lasting;         /* its name leads to it for as long as the mount lives */
	bool is_own;             /* the daemon keeps its names: no one else makes or removes any */
	struct timespec changed; /* when something in it was last made, removed or renamed */
	/* If it is_lasting: what outlives the daemon (lib/host/tree_record.h); or NULL. */
	struct directory_record *record;
	void *inode; /* its inode in the mount */
};

/* For makers of spaces: sets up a space with one reference, which is shown at `path`. */
void space_init(struct space *space, const struct space_ops *ops, struct host *host,
		const char *path);

/*
 * For makers of spaces: the name will lead to the space for as long as the mount lives. What was
 * set of its attributes in a former daemon counts again.
 */
void space_last(struct space *space);

void entry_unref(const struct entry *entry);

struct space *space_ref(struct space *space);
void space_unref(struct space *space); /* NULL: does nothing */

/*
 * Returns 0 if the caller's namespaces allow it to use what is in the space, else -EPERM. The
 * functions below that look at an object check this first, and so do the functions of channels.
 */
int space_check_home(const struct space *space, struct caller *caller);

/*
 * Returns 0 if the directory's owner and mode, where they were set, let the caller do `want` (R_OK,
 * W_OK, X_OK); else -EACCES. The functions below check this too.
 */
int space_check_access(const struct space *space, struct caller *caller, int want);

int space_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);

/* Finds the entry called exactly `name`. The caller owns the reference. Fails with -ENOENT. */
int space_find(struct space *space, const char *name, struct caller *caller,
	       struct entry *ret_entry);

/*
 * Finds `name`. If there is no such object and the kind selects by number, finds the object whose
 * name stands before ":N". The caller owns the reference in *ret_entry. Fails with -ENOENT, or with
 * -EINVAL if the number is too large. Here and below, a name longer than NAME_MAX fails with
 * -ENAMETOOLONG.
 */
int space_lookup(struct space *space, const char *name, struct caller *caller,
		 struct entry *ret_entry, struct selector *ret_selector);

/* Makes an object; a trailing ":N" is a selector, as above. `settings` NULL: the kind decides. */
int space_create(struct space *space, const char *name, mode_t mode,
		 const struct settings *settings, struct caller *caller, struct entry *ret_entry,
		 struct selector *ret_selector);

/* Notes that something in the space has been made, removed or renamed. */
void space_touch(struct space *space);

/* For channel_reap(): notes that a name was removed, if `r` is 0, and returns `r`. */
int space_note_removal(struct space *space, int r);

/* Each call is one step (lib/host/job.h), as space_create() is. */
int space_remove(struct space *space, const char *name, struct caller *caller);
int space_rename(struct space *space, const char *from, const char *to, unsigned flags,
		 struct caller *caller);

/*
 * As channel_ops::change. The owner of a kind's directory can set everything; on the mount's other
 * directories only the times can be set, though a change that changes nothing is no error there.
 * Fails with -EPERM if what is shown belongs to another filesystem.
 */
int space_change(struct space *space, const struct stat *attr, unsigned changes,
		 struct caller *caller);

/* The directory of the objects that info/ mirrors: the space itself, or space::shown. */
struct space *space_shown(struct space *space);

void space_let_go(struct space *space);

bool space_inherits(const struct space *space);

/* Fills in what statfs(2) says of the space's contents. */
void space_room(const struct space *space, struct caller *caller, struct statvfs *ret_room);
/*
 * Returns how many objects there are, 0 where the caller could not list them, or where the space
 * does not know.
 */
uint64_t space_count_objects(const struct space *space, struct caller *caller);
/* For space_ops::room: there may be `most` files, of which `used` exist. */
void room_set_files(struct statvfs *room, uint64_t most, uint64_t used);

/* Fills in the attributes of the directory itself. */
void space_stat(const struct space *space, struct stat *ret_attr);
/* Whether these attributes come from something else and change along with it. */
bool space_is_changing(const struct space *space);

/* Whether the space makes, removes or renames objects at all. */
bool space_can_create(const struct space *space);
bool space_can_remove(const struct space *space);
bool space_can_rename(const struct space *space);

#endif
