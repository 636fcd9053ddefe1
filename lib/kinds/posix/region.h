/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /dev/shm, which regions and semaphores are: found, opened and changed as the caller.
 *
 * The lock of that directory, and of each file in it, are its users': whoever allocates gigabytes
 * holds the file's for seconds, and who removes that file meanwhile the directory's, too. What
 * takes one of them is a job on a thread of the caller's. What takes none is done on the loop: a
 * name that is there the kernel finds without (on tmpfs the cache of names is the directory), and
 * to open a file waits for nobody, unless somebody has a lease on it.
 *
 * No descriptor is kept that could read or write: O_PATH ones break no lease and keep no program
 * from starting. Each use opens the file itself, and the kernel decides, by mode, list and
 * attributes. A descriptor is named here by its number, and a job looks first whether it is still
 * that of the same file.
 */
#ifndef IPCFS_REGION_H
#define IPCFS_REGION_H

#include <limits.h>

#include "lib/channel/kernel_names.h"
#include "lib/host/job.h"

/* A file that a job is about: by a descriptor, if that is still its, else by its name. */
struct region_target {
	int fd; /* or -1 */
	int dir_fd;
	ino_t ino;
	char name[NAMED_PATH_SIZE]; /* in the directory */
};

/* Of "/proc/self/fd/N". */
#define REGION_LINK_SIZE 32
const char *region_link(int fd, char path[static REGION_LINK_SIZE]);

/* Of an object; the struct has to be all zeroes before. */
void region_target_init(struct region_target *target, struct named *named, int fd);

/*
 * The same for calls that hold no file open. A job's data must be the same when its result is taken
 * (lib/host/job.h), and the descriptor's number may not be, when others open and close the object
 * meanwhile: so it is used only where the name leads elsewhere.
 */
void region_target_find(struct region_target *target, struct named *named, int fd);

/* For jobs: an O_PATH descriptor of it. -ESTALE: it is not there any more. */
int region_target_open(const struct region_target *target);

/* open(2) of the file behind a descriptor. */
int region_reopen(int fd, int flags);

/* Closes a descriptor that may be the last of a large file. */
void region_let_go(struct host *host, int fd);

/* A job as JOB_THREAD; before the mount serves it is done at once. */
int region_run(struct space *space, struct caller *caller, const struct job_call *call);

/* On the loop: the attributes of what has the name. -EAGAIN: it needs the directory's lock. */
int region_look(struct space *space, const char *path, struct stat *ret_attr);

/* On the loop: an O_PATH descriptor of the object. -ESTALE */
int region_find(struct named *named);

/* Attributes; by `fd` unless it is -1. Never waits. */
int region_stat(struct named *named, int fd, struct stat *ret_attr);

/*
 * Opens it as the caller, by `fd` unless it is -1. region_open_now() never waits: -EAGAIN if
 * somebody has a lease on it. The other is a job then, or with O_NONBLOCK says the same.
 */
int region_open_now(struct named *named, int fd, int flags, struct caller *caller);
int region_open(struct named *named, int fd, int flags, struct caller *caller);

/* channel_ops::change. */
int region_change(struct named *named, int fd, const struct stat *attr, unsigned changes,
		  struct caller *caller);

/* Something that was just made, and its descriptor. */
struct region_made {
	int dir_fd, fd;
	char name[NAMED_PATH_SIZE];
};

/*
 * Takes it away again, later, if its name still leads to the file behind the descriptor; and closes
 * that. For job_call::undo.
 */
void region_unmake(struct host *host, struct caller *caller, const struct region_made *made);

/* Is it a tmpfs? */
bool region_is_in_memory(int dir_fd);

/* For struct space_ops. */
void region_room(const struct space *space, const struct caller *caller, struct statvfs *room);
int region_lookup(struct space *space, const char *name, struct caller *caller,
		  struct entry *ret_entry);
int region_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int region_remove(struct space *space, const char *name, struct caller *caller);
int region_rename(struct space *space, const char *from, const char *to, unsigned flags,
		  struct caller *caller);

#endif
