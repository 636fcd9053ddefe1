/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that a filesystem of the kernel keeps: POSIX queues (mqueue), shared memory (/dev/shm).
 *
 * The kernel's directory is the list; none of it is cached. The daemon keeps one channel for each
 * object that someone refers to, found by inode number, so that everyone who has the object open
 * shares the channel. A name is trusted only while it leads to that inode.
 */
#ifndef IPCFS_KERNEL_NAMES_H
#define IPCFS_KERNEL_NAMES_H

#include <limits.h>
#include <uthash.h>

#include "lib/channel/channel.h"
#include "lib/channel/record.h"

struct named_space;

/* The size of a name with a prefix. The kernel refuses names that are too long. */
#define NAMED_PATH_SIZE (NAME_MAX + 16)

/* One object. A kind's own struct begins with it. */
struct named {
	struct channel channel;
	ino_t ino;
	char *name;        /* the name under which the object was last seen */
	UT_hash_handle hh; /* named_space::named, by ino */
};

struct named_space {
	struct space space;
	struct named *named;
	size_t named_size; /* size of the kind's own struct */
	/* As openat(2), below space::dir_fd if there is one. Returns a descriptor or -errno. */
	int (*open_name)(struct named_space *space, const char *name, int flags, mode_t mode);
	/* As unlinkat(2), in the same place. */
	int (*unlink_name)(struct named_space *space, const char *name);
	const char *prefix; /* of names in the kernel's directory, not shown; NULL: none */
	bool is_in_memory;  /* the directory is on a tmpfs, which makes no one wait */
	/* Whether the name is one of the kind's. NULL: all are. */
	bool (*is_ours)(const char *name);
	/* Fills in the kind's own part. NULL: nothing to fill in. */
	void (*init)(struct named *named);
};

struct named *named_from(struct channel *channel);
struct named_space *named_space_from(struct space *space);

/* Returns the name in the kernel's directory. */
const char *named_path(const struct named_space *space, const char *name,
		       char path[static NAMED_PATH_SIZE]);

/* The open_name and unlink_name of a space that has a directory. */
int named_open_at(struct named_space *space, const char *name, int flags, mode_t mode);
int named_unlink_at(struct named_space *space, const char *name);

/* Links the file at the path `from` into the directory, as `name`, with linkat(2). */
int named_link(struct named_space *space, const char *from, const char *name);

/* Returns how many entries a directory of tmpfs or mqueue has, without listing them. */
uint64_t named_count_entries(int dir_fd);

/* Opens a directory of the host. Returns a descriptor, which the caller owns, or -errno. */
int named_open_directory(const struct host *host, const char *path);

/* Opens the object itself. Fails with -ESTALE if its name no longer leads to it. */
int named_open(struct named *named, int flags);

/*
 * Gives the object's attributes, by name. Fails with -ESTALE if the name no longer leads to the
 * object.
 */
int named_stat(struct named *named, struct stat *ret_attr);

/*
 * Changes the attributes that `changes` names, except the size, as the caller. Uses `open_fd`
 * unless it is -1.
 */
int named_change(struct named *named, int open_fd, const struct stat *attr, unsigned changes,
		 struct caller *caller);

/*
 * For channel_ops::disuse: whether anybody has the object open. `fd` is open for reading, and the
 * daemon has no other. Errors of the open are passed as -errno; -EAGAIN: somebody has a lease.
 */
void named_disuse(int fd, struct disuse *disuse);
/* For channel_ops::reap. */
int named_reap(struct channel *channel, const char *name, const struct timespec *before,
	       struct caller *caller);

void named_fini(struct named *named);

/*
 * Sets up a space that is all zeroes except for what its kind has set, over the directory `dir_fd`.
 * Takes ownership of that descriptor.
 */
void named_space_init(struct named_space *space, const struct space_ops *ops, struct host *host,
		      const struct kind *kind, int dir_fd);

/*
 * Gives a reference to the channel of the object that was found under the name, with number `ino`.
 * Fails with -ENOMEM.
 */
int named_get(struct named_space *space, const char *name, ino_t ino, struct channel **ret_channel);

/* The words of object_record::words that are used here. A kind's own begin with the last. */
enum { NAMED_INO, NAMED_OPENER, NAMED_WORDS };

/* Writes the name into the record, if there is one and it has another name. */
void named_note_name(const struct named *named);
/* For channel_ops::save: notes which object it is, and whom its descriptors are charged to. */
void named_save(struct named *named, struct object_record *record);
/*
 * For channel_ops::adopt: gives the channel of a record, without any descriptor. The caller owns
 * the reference. Fails with -EPROTO if the record can't be right, or with -ENOMEM.
 */
int named_adopt(struct space *space, const struct object_record *record,
		struct channel **ret_channel);
/* Charges `n` descriptors that the record had, to whom they were charged. */
int named_charge(struct named *named, const struct object_record *record, unsigned n);

/* Finds an object by its name. The caller owns the reference. */
int named_find(struct space *space, const char *name, struct channel **ret_channel);

/*
 * Finds an object that has just been made, with this inode number. Fails with -ESTALE if the name
 * already leads to another object, to which the maker has no more right than anyone else.
 */
int named_find_made(struct space *space, const char *name, ino_t ino, struct channel **ret_channel);

/* For struct space_ops. */
void named_space_destroy(struct space *space);
int named_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int named_lookup(struct space *space, const char *name, struct caller *caller,
		 struct entry *ret_entry);
int named_remove(struct space *space, const char *name, struct caller *caller);

#endif
