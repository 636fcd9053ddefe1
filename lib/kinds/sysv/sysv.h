/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V objects: names, attributes and rights, which queues, segments and sets have in common.
 *
 * The kernel's table is the list: nothing of it is cached. What is kept is one channel for each
 * object that somebody refers to, pinned by what the object keeps for life (sysv_calls.h). Rights
 * are the kernel's to decide, at each use: through an open file each call is made as who opened it,
 * else as the caller.
 *
 * An identifier is the index in that table, of at most 15 bits (24 with ipcmni_extend, but then the
 * lowest are taken, too), below how often it has been used: ipc/util.h. So those that are there
 * differ in the bits that make an inode's number (INO_UNIT_BITS), and the next one there as well.
 */
#ifndef IPCFS_SYSV_H
#define IPCFS_SYSV_H

#include <uthash.h>

#include "lib/channel/channel.h"
#include "lib/kinds/sysv/sysv_calls.h"

/* One object; a kind's own struct begins with it. */
struct sysv {
	struct channel channel;
	int id;
	struct sysv_identity identity;
	bool was_used[2];  /* it has had a time of reading, of writing */
	bool is_gone;      /* and will not come back */
	struct stat last;  /* what it was when it was last looked at */
	UT_hash_handle hh; /* sysv_space::objects, by id, unless it is gone */
};

struct sysv_space {
	struct space space;
	const struct sysv_calls *calls;
	enum channel_service service;
	struct sysv *objects;
	size_t object_size;              /* of the kind's own struct */
	void (*init)(struct sysv *sysv); /* fills in what that has of its own; NULL: nothing */
};

struct sysv *sysv_from(struct channel *channel);
struct sysv_space *sysv_space_from(struct space *space);

/* What the kernel has of it now. -EIDRM: it is gone, and so it is if another has its identifier. */
int sysv_data(struct sysv *sysv, union sysv_data *ret_data);
/* The same, for channel_ops::status: adds what all three kinds tell. */
int sysv_status(struct sysv *sysv, struct row *row, union sysv_data *ret_data);

/* `data` as attributes, of a regular file. */
void sysv_attributes(const struct sysv *sysv, const union sysv_data *data, struct stat *ret_attr);

/*
 * Of one that sysv_data() has failed for: what it was, and that it has no name any more, for those
 * who have it open. -ESTALE: nobody has.
 */
int sysv_stat_gone(const struct sysv *sysv, int error, struct stat *ret_attr);

/* Its name: NAME_MAX + 1 bytes. */
void sysv_name(int id, const struct ipc_perm *perm, char *ret_name);

/* The key of a name "0x4d2"; false: it has not that form, or is that of IPC_PRIVATE. */
bool sysv_parse_key(const char *name, key_t *ret_key);

/* The channel for an object that is there; the caller owns the reference. -EIDRM, -ENOMEM */
int sysv_channel(struct sysv_space *space, int id, struct channel **ret_channel);

/* Pins what is all zeroes but for its channel and id to the object, and has it found. -ENOMEM */
int sysv_pin(struct sysv *sysv, const union sysv_data *data);

/*
 * Makes an object as the caller: get(key, flags, data) is msgget(2) or its like, with -errno. Names
 * that are no key's: -EINVAL.
 */
int sysv_make(struct space *space, const char *name, mode_t mode, struct caller *caller,
	      int (*get)(key_t key, int flags, size_t size), size_t size, struct entry *ret_entry);
/* Takes back what was made a moment ago, with the reference. */
void sysv_unmake(struct channel *channel, struct caller *caller);

void sysv_fini(struct sysv *sysv);

/*
 * For struct channel_ops. Whoever opens a file is remembered with it, so that each use can be made
 * as that user even if the process has gone.
 */
int sysv_open(struct file *file, struct caller *caller);
void sysv_release(struct file *file);
int sysv_check_read(struct channel *channel, struct caller *caller);
int sysv_stat(struct channel *channel, struct stat *ret_attr);
ssize_t sysv_get_acl(struct channel *channel, void *ret_data, size_t size);
int sysv_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller);

/* Who opened the file, borrowed; `waiter` is the file's own. */
struct caller sysv_opener(const struct file *file);
/*
 * The object is as in `data`: becomes who opened the file, for one call. caller_leave() must
 * follow.
 */
int sysv_enter(const struct file *file, const union sysv_data *data);

/* For struct space_ops. `space` is all zeroes but for what its kind has set. */
int sysv_space_init(struct sysv_space *space, const struct space_ops *ops, struct host *host,
		    const struct kind *kind);
void sysv_space_destroy(struct space *space);
/* A job. */
int sysv_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int sysv_lookup(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);
/* A job: what is large takes long to free. */
int sysv_remove(struct space *space, const char *name, struct caller *caller);
void sysv_room_for_queues(const struct space *space, const struct caller *caller,
			  struct statvfs *room);
void sysv_room_for_sets(const struct space *space, const struct caller *caller,
			struct statvfs *room);
void sysv_room_for_segments(const struct space *space, const struct caller *caller,
			    struct statvfs *room);

#endif
