/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /dev/shm, which regions and semaphores are: found, opened and changed as the caller.
 *
 * Users can hold the locks of that directory and of the files in it. A process that allocates
 * gigabytes holds the lock of the file for seconds, and a process that removes that file meanwhile
 * holds the directory's lock as well. So whatever takes one of these locks is a job on a thread
 * with the caller's rights. The rest is done on the loop: the kernel finds an existing name without
 * the lock (on tmpfs the dentry cache is the directory), and opening a file waits for nobody,
 * unless someone has a lease on it.
 *
 * For a region that the kernel serves, the daemon keeps no descriptor that could read or write:
 * O_PATH descriptors break no lease and keep no program from starting (ETXTBSY). Each use opens the
 * file itself, and the kernel decides by mode, ACL and attributes. A job gets a descriptor by its
 * number, and first checks that the number still belongs to the same file.
 */
#ifndef IPCFS_REGION_H
#define IPCFS_REGION_H

#include <limits.h>

#include "lib/channel/kernel_names.h"
#include "lib/host/job.h"

/*
 * The file that a job works on. The job uses the descriptor if that is still the file's, else the
 * name.
 */
struct region_target {
	int fd; /* or -1 */
	int dir_fd;
	ino_t ino;
	char name[NAMED_PATH_SIZE]; /* in the directory */
};

/* For "/proc/self/fd/N". */
#define REGION_LINK_SIZE 32
const char *region_link(int fd, char path[static REGION_LINK_SIZE]);

/* Fills in the target for an object. The struct must be all zeroes at first. */
void region_target_init(struct region_target *target, struct named *named, int fd);

/*
 * Fills in the target for a call that holds no file open. A job's data must be the same when its
 * result is taken (lib/host/job.h), but the number of the descriptor may change when others open
 * and close the object meanwhile. So the descriptor is used only if the name leads elsewhere.
 */
void region_target_find(struct region_target *target, struct named *named, int fd);

/* For jobs: returns an O_PATH descriptor of the file. Fails with -ESTALE if the file has gone. */
int region_target_open(const struct region_target *target);

/* Opens the file behind a descriptor again, as open(2) does. */
int region_reopen(int fd, int flags);

/*
 * Closes a descriptor. A large file is closed on a worker, because the last close frees its memory.
 */
void region_let_go(struct host *host, int fd);

/* Runs a job as JOB_THREAD. Before the mount serves requests, the call is made at once instead. */
int region_run(struct space *space, struct caller *caller, const struct job_call *call);

/* On the loop: gets the attributes of the named file. -EAGAIN: that needs the directory's lock. */
int region_look(struct space *space, const char *path, struct stat *ret_attr);

/*
 * On the loop: returns an O_PATH descriptor of the object. -ESTALE: its name does not lead to it.
 */
int region_find(struct named *named);

/* Whether a descriptor is of the object. */
bool region_is(const struct named *named, int fd);

/* Gets the attributes, by `fd` unless it is -1. Never waits. */
int region_stat(struct named *named, int fd, struct stat *ret_attr);

/*
 * Opens the object as the caller, by `fd` unless it is -1. region_open_now() never waits: it fails
 * with -EAGAIN if someone has a lease on the file. In that case region_open() starts a job, but
 * with O_NONBLOCK fails with -EAGAIN too.
 */
int region_open_now(struct named *named, int fd, int flags, struct caller *caller);
int region_open(struct named *named, int fd, int flags, struct caller *caller);

/* For channel_ops::change. */
int region_change(struct named *named, int fd, const struct stat *attr, unsigned changes,
		  struct caller *caller);

/* For channel_ops::disuse. */
int region_disuse(struct named *named, struct disuse *disuse);

/* A file that was just made, and its descriptor. */
struct region_made {
	int dir_fd, fd;
	char name[NAMED_PATH_SIZE];
};

/*
 * For job_call::undo: starts a job that removes the file again, if the name still leads to the file
 * behind the descriptor. Closes the descriptor.
 */
void region_unmake(struct host *host, struct caller *caller, const struct region_made *made);

/* Whether the directory is a tmpfs. */
bool region_is_in_memory(int dir_fd);

/* For struct space_ops. */
void region_room(const struct space *space, const struct caller *caller, struct statvfs *room);
/* Counts all that is in the directory: regions and semaphores. */
uint64_t region_count(const struct space *space);
int region_lookup(struct space *space, const char *name, struct caller *caller,
		  struct entry *ret_entry);
int region_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int region_remove(struct space *space, const char *name, struct caller *caller);
int region_rename(struct space *space, const char *from, const char *to, unsigned flags,
		  struct caller *caller);

#endif
