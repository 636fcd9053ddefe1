// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owner and mode of System V objects, shown as those of a file.
 *
 * Besides its owner and group an object has a creator and a creator's group, for life. The kernel
 * gives the creator the owner's bits, and the creator's group the group's (ipc/util.c, ipcperms). A
 * file knows no such users, but the mount must not refuse them, so they go into an access control
 * list. The kernel ignores the list where the group bits of the mode are all zero
 * (linux/fs/namei.c, acl_permission_check), so in that case they show the mask. Without lists, the
 * mode is shown wide enough for all of these users. Either way the object's own mode decides at
 * each use.
 */
#include "lib/channel/attributes.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "lib/kinds/sysv/sysv.h"

/* The classes of a mode. */
enum { OWNER = 6, GROUP = 3, OTHERS = 0 };

static mode_t bits(mode_t mode, int class)
{
	return mode >> class & 7;
}

/* A creator that is root needs no bits, unless it has lost its capabilities. */
static mode_t mode_with_list(const struct ipc_perm *perm)
{
	mode_t mode = perm->mode & 0777;

	if (perm->cuid != perm->uid && perm->cuid != 0 && bits(mode, GROUP) == 0)
		mode |= bits(mode, OWNER) << GROUP;
	return mode;
}

static mode_t mode_without_list(const struct ipc_perm *perm)
{
	mode_t mode = perm->mode & 0777;

	if (perm->cgid != perm->gid && perm->cgid != 0)
		mode |= bits(mode, GROUP);
	if (perm->cuid != perm->uid && perm->cuid != 0)
		mode |= bits(mode, OWNER) | bits(mode, OWNER) << GROUP;
	return mode;
}

static mode_t shown_mode(const struct sysv *sysv, const struct ipc_perm *perm)
{
	return features_has(&sysv->channel.space->host->features, FEATURE_POSIX_ACL)
		       ? mode_with_list(perm)
		       : mode_without_list(perm);
}

/* Returns the new mode. A class that is set to the bits that were shown keeps its own bits. */
static mode_t changed_mode(mode_t mode, mode_t shown, mode_t wanted)
{
	mode_t kept = 0;

	for (int class = OTHERS; class <= OWNER; class += 3)
		if (bits(wanted, class) == bits(shown, class))
			kept |= (mode_t)7 << class;
	return (mode & kept) | (wanted & 0777 & ~kept);
}

struct list {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[6];
};

static size_t add_entry(struct list *list, size_t n, int tag, mode_t permissions, uint32_t id)
{
	list->entries[n] = (struct posix_acl_xattr_entry){
		.e_tag = htole16((uint16_t)tag),
		.e_perm = htole16((uint16_t)permissions),
		.e_id = htole32(id),
	};
	return n + 1;
}

/* In the order that the kernel requires (linux/fs/posix_acl.c, posix_acl_valid). */
static size_t make_list(const struct ipc_perm *perm, struct list *ret_list)
{
	const uint32_t none = (uint32_t)ACL_UNDEFINED_ID;
	mode_t owner = bits(perm->mode, OWNER), group = bits(perm->mode, GROUP);
	size_t n = 0;

	ret_list->header.a_version = htole32(POSIX_ACL_XATTR_VERSION);
	n = add_entry(ret_list, n, ACL_USER_OBJ, owner, none);
	if (perm->cuid != perm->uid)
		n = add_entry(ret_list, n, ACL_USER, owner, perm->cuid);
	n = add_entry(ret_list, n, ACL_GROUP_OBJ, group, none);
	if (perm->cgid != perm->gid)
		n = add_entry(ret_list, n, ACL_GROUP, group, perm->cgid);
	n = add_entry(ret_list, n, ACL_MASK, owner | group, none);
	n = add_entry(ret_list, n, ACL_OTHER, bits(perm->mode, OTHERS), none);
	return sizeof(ret_list->header) + n * sizeof(ret_list->entries[0]);
}

ssize_t sysv_get_acl(struct channel *channel, void *ret_data, size_t size)
{
	union sysv_data data;
	struct list list;
	size_t list_size;
	int r = sysv_data(sysv_from(channel), &data);

	if (r < 0)
		return r == -EIDRM ? -ESTALE : r;
	if (data.perm.cuid == data.perm.uid && data.perm.cgid == data.perm.gid)
		return -ENODATA;
	list_size = make_list(&data.perm, &list);
	if (size > 0 && size < list_size)
		return -ERANGE;
	if (size > 0)
		memcpy(ret_data, &list, list_size);
	return (ssize_t)list_size;
}

void sysv_attributes(const struct sysv *sysv, const union sysv_data *data, struct stat *ret_attr)
{
	*ret_attr = (struct stat){
		.st_ino = (ino_t)sysv->id,
		.st_mode = S_IFREG | shown_mode(sysv, &data->perm),
		.st_nlink = 1,
		.st_uid = data->perm.uid,
		.st_gid = data->perm.gid,
	};
	sysv_space_from(sysv->channel.space)->calls->fill(data, ret_attr);
	/* For a use that has not happened yet, the time of the last change stands in. */
	if (ret_attr->st_atim.tv_sec == 0)
		ret_attr->st_atim = ret_attr->st_ctim;
	if (ret_attr->st_mtim.tv_sec == 0)
		ret_attr->st_mtim = ret_attr->st_ctim;
}

int sysv_stat_gone(const struct sysv *sysv, int error, struct stat *ret_attr)
{
	if (error != -EIDRM)
		return error;
	if (sysv->channel.n_files == 0 || !sysv->last.st_mode)
		return -ESTALE;
	*ret_attr = sysv->last;
	ret_attr->st_nlink = 0;
	return 0;
}

int sysv_stat(struct channel *channel, struct stat *ret_attr)
{
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;
	int r = sysv_data(sysv, &data);

	if (r < 0)
		return sysv_stat_gone(sysv, r, ret_attr);
	sysv_attributes(sysv, &data, ret_attr);
	sysv->last = *ret_attr;
	return 0;
}

/*
 * IPC_SET lets an owner give an object away. chown(2) does not, and through the mount the rules of
 * chown(2) hold.
 */
int sysv_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller)
{
	const struct sysv_calls *calls = sysv_space_from(channel->space)->calls;
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;
	struct stat now;
	mode_t shown;
	int r = sysv_data(sysv, &data);

	if (r < 0)
		return r;
	sysv_attributes(sysv, &data, &now);
	shown = now.st_mode;
	/* The creator may use IPC_SET, too. */
	if (caller->uid == data.perm.cuid && !(changes & (CHANGE_UID | CHANGE_GID)))
		now.st_uid = caller->uid;
	r = attributes_check(&now, attr, changes, caller);
	if (r < 0)
		return r;
	/* Only the kernel sets these times. Setting them to now is accepted and does nothing. */
	if ((changes & (CHANGE_ATIME | CHANGE_MTIME)) && !(changes & CHANGE_NOW))
		return -EPERM;
	if (!(changes & (CHANGE_UID | CHANGE_GID | CHANGE_MODE)))
		return 0;
	if (changes & CHANGE_UID)
		data.perm.uid = attr->st_uid;
	if (changes & CHANGE_GID)
		data.perm.gid = attr->st_gid;
	if (changes & CHANGE_MODE)
		data.perm.mode = (data.perm.mode & ~0777U) |
				 changed_mode(data.perm.mode, shown, attr->st_mode);
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = calls->control(sysv->id, IPC_SET, &data);
	caller_leave();
	return sysv_error(r);
}
