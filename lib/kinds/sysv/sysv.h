/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V objects: names, attributes and rights, which queues, segments and sets have in common.
 *
 * The kernel's table is the list: nothing of it is cached. What is kept is one channel for each
 * identifier that somebody refers to. An identifier carries a sequence number, so that one whose
 * object is gone is not soon another's (ipc/util.c).
 */
#ifndef IPCFS_SYSV_H
#define IPCFS_SYSV_H

#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <uthash.h>

#include "lib/channel/channel.h"

/* What *ctl(2) fills in. They all begin with their struct ipc_perm. */
union sysv_data {
	struct ipc_perm perm;
	struct msqid_ds queue;
	struct shmid_ds segment;
	struct semid_ds set;
	struct msginfo queue_info;
	struct shm_info segment_info;
	struct seminfo set_info;
};

/* The system calls of one sort of objects. */
struct sysv_calls {
	/* msgctl(2) and its like, with -errno. */
	int (*control)(int id, int command, union sysv_data *data);
	int (*find)(key_t key); /* msgget(2) and its like, of what exists: -ENOENT */
	int info, stat_any;     /* MSG_INFO, MSG_STAT_ANY, … */
	/* Kept times as st_atim and st_mtim; where the kernel has none, 0. */
	void (*times)(const union sysv_data *data, struct stat *attr);
};

/* One object; a kind's own struct begins with it. */
struct sysv {
	struct channel channel;
	int id;
	UT_hash_handle hh; /* sysv_space::objects, by id */
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

/* What the kernel has of it now. -EIDRM: it is gone. */
int sysv_data(struct sysv *sysv, union sysv_data *ret_data);
/* The same, for channel_ops::status: adds what all three kinds tell. */
int sysv_status(struct sysv *sysv, struct row *row, union sysv_data *ret_data);

/* -EINVAL of a call that knew the object before, which says that it is gone: -EIDRM. */
int sysv_error(int error);

/* `data` as attributes, of a regular file. */
void sysv_attributes(const struct sysv_calls *calls, int id, const union sysv_data *data,
		     struct stat *ret_attr);

/* Its name: NAME_MAX + 1 bytes. */
void sysv_name(int id, const struct ipc_perm *perm, char *ret_name);

/* The key of a name "0x4d2"; false: it has not that form, or is that of IPC_PRIVATE. */
bool sysv_parse_key(const char *name, key_t *ret_key);

/* The channel for an identifier; the caller owns the reference. -ENOMEM */
int sysv_channel(struct sysv_space *space, int id, struct channel **ret_channel);

/*
 * Makes an object as the caller: get(key, flags, data) is msgget(2) or its like, with -errno. Names
 * that are no key's: -EINVAL.
 */
int sysv_make(struct space *space, const char *name, mode_t mode, struct caller *caller,
	      int (*get)(key_t key, int flags, size_t size), size_t size, struct entry *ret_entry);

void sysv_fini(struct sysv *sysv);

/* For struct channel_ops. */
int sysv_stat(struct channel *channel, struct stat *ret_attr);
int sysv_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller);

/* For struct space_ops. `space` is all zeroes but for what its kind has set. */
int sysv_space_init(struct sysv_space *space, const struct space_ops *ops, struct host *host,
		    const struct kind *kind);
void sysv_space_destroy(struct space *space);
int sysv_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int sysv_lookup(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);
int sysv_remove(struct space *space, const char *name, struct caller *caller);

#endif
