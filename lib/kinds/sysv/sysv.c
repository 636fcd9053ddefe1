// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/sysv/sysv.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/attributes.h"

#define PRIVATE_PREFIX "id-"
/* Where an object stands in the kernel's table: the low bits of its identifier (ipc/util.h). */
#define INDEX_MASK 0x7fff

struct sysv *sysv_from(struct channel *channel)
{
	assert(channel->space->ops->list == sysv_list);
	return CONTAINER_OF(channel, struct sysv, channel);
}

struct sysv_space *sysv_space_from(struct space *space)
{
	assert(space->kind && space->ops->list == sysv_list);
	return CONTAINER_OF(space, struct sysv_space, space);
}

int sysv_error(int error)
{
	return error == -EINVAL ? -EIDRM : error;
}

/* The highest index in use, or -errno. */
static int last_index(const struct sysv_calls *calls)
{
	union sysv_data data;

	return calls->control(0, calls->info, &data);
}

/* What only *_STAT_ANY tells to everybody, which counts by index. */
static int stat_any(const struct sysv_calls *calls, int id, union sysv_data *ret_data)
{
	int last = last_index(calls);

	if (calls->control(id & INDEX_MASK, calls->stat_any, ret_data) == id)
		return 0;
	for (int i = 0; i <= last; i++)
		if (calls->control(i, calls->stat_any, ret_data) == id)
			return 0;
	return -EIDRM;
}

static int stat_id(const struct sysv_calls *calls, int id, union sysv_data *ret_data)
{
	int r = calls->control(id, IPC_STAT, ret_data);

	return r == -EACCES ? stat_any(calls, id, ret_data) : sysv_error(r);
}

int sysv_data(struct sysv *sysv, union sysv_data *ret_data)
{
	return stat_id(sysv_space_from(sysv->channel.space)->calls, sysv->id, ret_data);
}

int sysv_status(struct sysv *sysv, struct row *row, union sysv_data *ret_data)
{
	int r = sysv_data(sysv, ret_data);

	if (r == 0)
		row_add_signed(row, "id", sysv->id);
	return r;
}

void sysv_attributes(const struct sysv_calls *calls, int id, const union sysv_data *data,
		     struct stat *ret_attr)
{
	*ret_attr = (struct stat){
		.st_ino = (ino_t)id,
		.st_mode = S_IFREG | (data->perm.mode & 0777),
		.st_nlink = 1,
		.st_uid = data->perm.uid,
		.st_gid = data->perm.gid,
	};
	calls->times(data, ret_attr);
	/* What has not happened yet is as old as the object. */
	if (ret_attr->st_atim.tv_sec == 0)
		ret_attr->st_atim = ret_attr->st_ctim;
	if (ret_attr->st_mtim.tv_sec == 0)
		ret_attr->st_mtim = ret_attr->st_ctim;
}

int sysv_stat(struct channel *channel, struct stat *ret_attr)
{
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;
	int r = sysv_data(sysv, &data);

	if (r < 0)
		return r == -EIDRM ? -ESTALE : r;
	sysv_attributes(sysv_space_from(channel->space)->calls, sysv->id, &data, ret_attr);
	return 0;
}

/*
 * IPC_SET lets an owner give an object away; chown(2) does not, and through the mount it is
 * chown(2).
 */
int sysv_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller)
{
	const struct sysv_calls *calls = sysv_space_from(channel->space)->calls;
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;
	struct stat now;
	int r = sysv_data(sysv, &data);

	if (r < 0)
		return r;
	sysv_attributes(calls, sysv->id, &data, &now);
	r = attributes_check(&now, attr, changes, caller);
	if (r < 0)
		return r;
	/* The kernel alone sets these times. To say that they are now asks for nothing more. */
	if ((changes & (CHANGE_ATIME | CHANGE_MTIME)) && !(changes & CHANGE_NOW))
		return -EPERM;
	if (!(changes & (CHANGE_UID | CHANGE_GID | CHANGE_MODE)))
		return 0;
	if (changes & CHANGE_UID)
		data.perm.uid = attr->st_uid;
	if (changes & CHANGE_GID)
		data.perm.gid = attr->st_gid;
	if (changes & CHANGE_MODE)
		data.perm.mode = (data.perm.mode & ~0777U) | (attr->st_mode & 0777);
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = calls->control(sysv->id, IPC_SET, &data);
	caller_leave();
	return sysv_error(r);
}

void sysv_fini(struct sysv *sysv)
{
	HASH_DEL(sysv_space_from(sysv->channel.space)->objects, sysv);
}

/* The names. */

void sysv_name(int id, const struct ipc_perm *perm, char *ret_name)
{
	if (perm->__key == IPC_PRIVATE)
		snprintf(ret_name, NAME_MAX + 1, PRIVATE_PREFIX "%d", id);
	else
		snprintf(ret_name, NAME_MAX + 1, "0x%08x", (unsigned)perm->__key);
}

bool sysv_parse_key(const char *name, key_t *ret_key)
{
	size_t n = strlen(name);

	if (n < 3 || n > 10 || strncmp(name, "0x", 2) != 0 ||
	    strspn(name + 2, "0123456789abcdefABCDEF") != n - 2)
		return false;
	*ret_key = (key_t)(unsigned)strtoul(name, NULL, 16);
	return *ret_key != IPC_PRIVATE;
}

/* The identifier in "id-5". */
static bool sysv_parse_id(const char *name, int *ret_id)
{
	const char *digits = name + strlen(PRIVATE_PREFIX);
	unsigned long id;

	if (strncmp(name, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) != 0 ||
	    strspn(digits, "0123456789") != strlen(digits) || !*digits || strlen(digits) > 10 ||
	    (digits[0] == '0' && digits[1]))
		return false;
	id = strtoul(digits, NULL, 10);
	*ret_id = (int)id;
	return id <= INT_MAX;
}

static int find_id(const struct sysv_calls *calls, const char *name)
{
	union sysv_data data;
	key_t key;
	int id, r;

	if (sysv_parse_key(name, &key))
		return calls->find(key);
	if (!sysv_parse_id(name, &id))
		return -ENOENT;
	r = stat_id(calls, id, &data);
	if (r < 0)
		return r == -EIDRM ? -ENOENT : r;
	return data.perm.__key == IPC_PRIVATE ? id : -ENOENT;
}

int sysv_channel(struct sysv_space *space, int id, struct channel **ret_channel)
{
	struct sysv *sysv;

	HASH_FIND_INT(space->objects, &id, sysv);
	if (sysv) {
		*ret_channel = channel_ref(&sysv->channel);
		return 0;
	}
	sysv = calloc(1, space->object_size);
	if (!sysv)
		return -ENOMEM;
	sysv->id = id;
	HASH_ADD_INT(space->objects, id, sysv);
	if (!sysv->hh.tbl) {
		free(sysv);
		return -ENOMEM;
	}
	channel_init(&sysv->channel, space->space.kind->channel, &space->space, space->service);
	if (space->init)
		space->init(sysv);
	*ret_channel = &sysv->channel;
	return 0;
}

int sysv_lookup(struct space *space_, const char *name, struct caller *caller,
		struct entry *ret_entry)
{
	struct sysv_space *space = sysv_space_from(space_);
	int id = find_id(space->calls, name);

	return id < 0 ? id : sysv_channel(space, id, &ret_entry->channel);
}

int sysv_list(struct space *space_, struct caller *caller, space_entry_fn *entry, void *data)
{
	const struct sysv_calls *calls = sysv_space_from(space_)->calls;
	int last = last_index(calls);
	char name[NAME_MAX + 1];

	for (int i = 0; i <= last; i++) {
		union sysv_data found;
		int id = calls->control(i, calls->stat_any, &found);

		if (id < 0)
			continue;
		sysv_name(id, &found.perm, name);
		if (!entry(data, name, (ino_t)id, S_IFREG))
			break;
	}
	return last < 0 ? last : 0;
}

int sysv_make(struct space *space, const char *name, mode_t mode, struct caller *caller,
	      int (*get)(key_t key, int flags, size_t size), size_t size, struct entry *ret_entry)
{
	key_t key;
	int id;

	if (!S_ISREG(mode))
		return -EPERM;
	if (!sysv_parse_key(name, &key))
		return -EINVAL;
	id = caller_enter(caller);
	if (id < 0)
		return id;
	id = get(key, IPC_CREAT | IPC_EXCL | (int)(mode & 0777), size);
	caller_leave();
	return id < 0 ? id : sysv_channel(sysv_space_from(space), id, &ret_entry->channel);
}

/* The kernel lets owner, creator and root, as the rule of a sticky directory is. */
int sysv_remove(struct space *space, const char *name, struct caller *caller)
{
	const struct sysv_calls *calls = sysv_space_from(space)->calls;
	int id = find_id(calls, name);
	union sysv_data unused;
	int r;

	if (id < 0)
		return id;
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = calls->control(id, IPC_RMID, &unused);
	caller_leave();
	return sysv_error(r);
}

/* A kernel without System V is a machine that has no such objects: -ENOSYS. */
int sysv_space_init(struct sysv_space *space, const struct space_ops *ops, struct host *host,
		    const struct kind *kind)
{
	int last = last_index(space->calls);

	if (last < 0)
		return last;
	space_init(&space->space, ops, host, kind->path);
	space->space.kind = kind;
	return 0;
}

void sysv_space_destroy(struct space *space)
{
	assert(!sysv_space_from(space)->objects);
	free(sysv_space_from(space));
}
