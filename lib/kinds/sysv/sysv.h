/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V objects: the names, attributes and rights that queues, segments and sets share.
 *
 * The kernel's table is the list, and none of it is cached. There is one channel for each object
 * that somebody refers to, pinned by what the object keeps for life (sysv_calls.h). The kernel
 * decides on rights, at each use: a call through an open file is made as the file's opener, any
 * other as the caller.
 *
 * The low bits of an identifier are the index in that table: at most 15 bits, or 24 with
 * ipcmni_extend, but even then the lowest indexes are used. The bits above count how often the
 * index has been used (ipc/util.h). So the identifiers of existing objects differ in the bits that
 * make an inode number (INO_UNIT_BITS), and so does the next one at the same index.
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
	bool was_used[2];  /* whether its times of reading and of writing have been set */
	bool is_gone;      /* for good */
	struct stat last;  /* its attributes when they were last looked at */
	UT_hash_handle hh; /* sysv_space::objects, by id, unless it is gone */
};

struct sysv_space {
	struct space space;
	const struct sysv_calls *calls;
	enum channel_service service;
	struct sysv *objects;
	size_t object_size;              /* of the kind's own struct */
	void (*init)(struct sysv *sysv); /* fills in the kind's own fields; NULL: nothing */
};

struct sysv *sysv_from(struct channel *channel);
struct sysv_space *sysv_space_from(struct space *space);

/* Gets the object's present data. -EIDRM: it is gone, or another object has its identifier. */
int sysv_data(struct sysv *sysv, union sysv_data *ret_data);
/* The same, for channel_ops::status: adds what all three kinds show. */
int sysv_status(struct sysv *sysv, struct row *row, union sysv_data *ret_data);

/* Turns `data` into the attributes of a regular file. */
void sysv_attributes(const struct sysv *sysv, const union sysv_data *data, struct stat *ret_attr);

/*
 * For an object on which sysv_data() has failed with `error`: if it is gone, gives its last
 * attributes, without a name, to those who have it open. -ESTALE: nobody has it open, or its
 * attributes were never looked at.
 */
int sysv_stat_gone(const struct sysv *sysv, int error, struct stat *ret_attr);

/* Writes the object's name to `ret_name`, which has NAME_MAX + 1 bytes. */
void sysv_name(int id, const struct ipc_perm *perm, char *ret_name);

/* For kind::canonical. */
void sysv_canonical(const char *name, char *ret_name);

/* Returns why no object can be made with this name: a literal, or NULL. */
const char *sysv_explain_name(const char *name);

/* Gets the key from a name like "0x4d2". False: another form, or the key is IPC_PRIVATE. */
bool sysv_parse_key(const char *name, key_t *ret_key);

/* Gives a reference to the channel of an object that exists. Fails with -EIDRM or -ENOMEM. */
int sysv_channel(struct sysv_space *space, int id, struct channel **ret_channel);

/*
 * Pins `sysv`, all zeroes except its channel and id, to the object, and lists it in
 * sysv_space::objects. Fails with -ENOMEM.
 */
int sysv_pin(struct sysv *sysv, const union sysv_data *data);

/*
 * Makes an object as the caller. get(key, flags, size) is msgget(2) or its counterpart, with
 * -errno. -EINVAL: the name is not a key.
 */
int sysv_make(struct space *space, const char *name, mode_t mode, struct caller *caller,
	      int (*get)(key_t key, int flags, size_t size), size_t size, struct entry *ret_entry);
/* Removes an object that was made a moment ago, and drops the reference. */
void sysv_unmake(struct channel *channel, struct caller *caller);

void sysv_fini(struct sysv *sysv);

/*
 * For struct channel_ops. A file remembers its opener, so that each use can be made as that user
 * even after the process has gone.
 */
int sysv_open(struct file *file, struct caller *caller);
int sysv_adopt_file(struct file *file);
void sysv_release(struct file *file);
int sysv_check_read(struct channel *channel, struct caller *caller);
int sysv_stat(struct channel *channel, struct stat *ret_attr);
ssize_t sysv_get_acl(struct channel *channel, void *ret_data, size_t size);
int sysv_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller);

/* Returns the file's opener, borrowed, with the file's own waiter. */
struct caller sysv_opener(const struct file *file);
/*
 * Makes the thread act as the file's opener, for one call on the object, which is as `data` says.
 * caller_leave() must follow.
 */
int sysv_enter(const struct file *file, const union sysv_data *data);

/*
 * For struct channel_ops, of kinds whose own struct begins with that of an object. The identity is
 * in the first SYSV_WORDS of object_record::words; the rest are the kind's.
 *
 * An object that has gone, or whose identifier has become another's, is adopted, too: files that
 * are open go on to fail with -EIDRM.
 */
#define SYSV_WORDS 4
void sysv_save(struct channel *channel, struct object_record *record);
int sysv_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
/* For kinds of which some objects are not made yet: sysv_save() has written the identity. */
bool sysv_is_saved(const struct object_record *record);

/* For struct space_ops. `space` is all zeroes except what its kind has set. */
int sysv_space_init(struct sysv_space *space, const struct space_ops *ops, struct host *host,
		    const struct kind *kind);
void sysv_space_destroy(struct space *space);
/* Runs as a job. */
int sysv_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data);
int sysv_lookup(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);
/* Runs as a job: a large object takes a long time to free. */
int sysv_remove(struct space *space, const char *name, struct caller *caller);
void sysv_room_for_queues(const struct space *space, const struct caller *caller,
			  struct statvfs *room);
void sysv_room_for_sets(const struct space *space, const struct caller *caller,
			struct statvfs *room);
void sysv_room_for_segments(const struct space *space, const struct caller *caller,
			    struct statvfs *room);
uint64_t sysv_count_queues(const struct space *space);
uint64_t sysv_count_sets(const struct space *space);
uint64_t sysv_count_segments(const struct space *space);

#endif
