// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of handlers, the answer to INIT, and the handlers that have no file of their own. */
#include "fs/ops.h"

#include <errno.h>

#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"

#define MAX_BACKGROUND    65535 /* RELEASE shares this queue; a short queue would delay it */
#define MINOR_WITH_RESEND 40    /* of the protocol, <linux/fuse.h>: Linux 6.9 */

static void op_init(void *data, struct fuse_conn_info *conn)
{
	struct session *session = data;
	struct features *features = &session->host.features;

	features_found(features, FEATURE_RESEND, conn->proto_minor >= MINOR_WITH_RESEND);
	features_found(features, FEATURE_POSIX_ACL,
		       fuse_get_feature_flag(conn, FUSE_CAP_POSIX_ACL));
	conn->max_write = (unsigned)session->io_max;
	conn->max_background = MAX_BACKGROUND;
	conn->max_backing_stack_depth = 1;
	if (!features_is_off(features, FEATURE_PASSTHROUGH))
		fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH);
	if (!features_is_off(features, FEATURE_POSIX_ACL)) {
		fuse_set_feature_flag(conn, FUSE_CAP_POSIX_ACL);
		/* Where new files inherit an ACL, the umask does not apply: op_masked(). */
		fuse_set_feature_flag(conn, FUSE_CAP_DONT_MASK);
	}
	/*
	 * Without this the kernel asks for an extended attribute at each write to shm/, because the
	 * mount has them, and has the writer clear set-ID bits by chmod(2), which only the owner
	 * may do. With it the bits are cleared where the write is made on the user's behalf
	 * (caller_enter_writer()).
	 */
	fuse_set_feature_flag(conn, FUSE_CAP_HANDLE_KILLPRIV_V2);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_READ);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_WRITE);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_MOVE);
	fuse_unset_feature_flag(conn, FUSE_CAP_WRITEBACK_CACHE);
	fuse_unset_feature_flag(conn, FUSE_CAP_AUTO_INVAL_DATA);
	/* Asynchronous writes get no INTERRUPT: one on a full pipe could not even be killed. */
	fuse_unset_feature_flag(conn, FUSE_CAP_ASYNC_DIO);
	fuse_set_feature_flag(conn, FUSE_CAP_PARALLEL_DIROPS);
	/* Lets open_by_handle_at(2) open inodes by their number. */
	if (features_has(features, FEATURE_OPEN_TREE))
		fuse_set_feature_flag(conn, FUSE_CAP_EXPORT_SUPPORT);
}

struct caller op_caller(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct caller){.uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid};
}

struct inode *op_inode(fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode = inode_from(fuse_req_userdata(req), ino);

	if (!inode)
		reply_result(req, -ESTALE);
	return inode;
}

static void forget(struct session *session, fuse_ino_t ino, uint64_t n)
{
	struct inode *inode = inode_from(session, ino);

	if (inode)
		inode_forget(session, inode, n);
	else
		inode_forget_lost(session, ino, n);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	forget(fuse_req_userdata(req), ino, n);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
	struct session *session = fuse_req_userdata(req);

	for (size_t i = 0; i < n; i++)
		forget(session, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void reply_stat(fuse_req_t req, struct inode *inode)
{
	struct stat attr;
	int r = inode_stat(inode, &attr);

	if (r < 0)
		reply_result(req, r);
	else
		reply_attr(req, &attr, inode_attr_timeout(inode));
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *inode = op_inode(req, ino);

	if (inode)
		reply_stat(req, inode);
}

/* Turns FUSE_SET_ATTR_* into CHANGE_*, with UTIME_NOW for times that are set to the present. */
static unsigned decode_changes(int to_set, struct stat *attr)
{
	const int both_now = FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
	unsigned changes = 0;

	if (to_set & FUSE_SET_ATTR_MODE)
		changes |= CHANGE_MODE;
	if (to_set & FUSE_SET_ATTR_UID)
		changes |= CHANGE_UID;
	if (to_set & FUSE_SET_ATTR_GID)
		changes |= CHANGE_GID;
	if (to_set & FUSE_SET_ATTR_SIZE)
		changes |= CHANGE_SIZE;
	if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		changes |= CHANGE_ATIME;
	if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		changes |= CHANGE_MTIME;
	if ((to_set & both_now) == both_now)
		changes |= CHANGE_NOW;
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		attr->st_atim.tv_nsec = UTIME_NOW;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		attr->st_mtim.tv_nsec = UTIME_NOW;
	return changes;
}

static void take_setattr(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct inode *inode = op_inode(req, step->ino);
	struct file *file = NULL;
	int r;

	if (!inode)
		return;
	if (step->has_fi) {
		file = op_file(req, &step->fi);
		if (!file)
			return;
	}
	if (inode->entry.channel)
		r = channel_change(inode->entry.channel, file, &step->attr, step->changes, caller);
	else
		r = space_change(inode->entry.space, &step->attr, step->changes, caller);
	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0)
		reply_result(req, r);
	else
		reply_stat(req, inode);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	const struct inode *inode = inode_from(fuse_req_userdata(req), ino);
	struct step step = {.take = take_setattr, .ino = ino, .has_fi = fi};

	step.locks = inode && inode->entry.space;
	step.changes = decode_changes(to_set, attr);
	step.attr = *attr;
	if (fi)
		step.fi = *fi;
	step_begin(req, &step);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct inode *inode = op_inode(req, ino);

	if (!inode)
		return;
	if (inode->link)
		fuse_reply_readlink(req, inode->link);
	else
		reply_result(req, -EINVAL);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	op_mknod(req, parent, name, S_IFDIR | (mode & 07777), 0);
}

/* Links are refused, because no object can have a second name. */
static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	reply_result(req, -EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	reply_result(req, -EPERM);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct inode *inode = op_inode(req, ino);
	struct caller caller;
	struct statvfs room;

	if (!inode)
		return;
	caller = op_caller(req);
	space_room(inode->entry.space ? inode->entry.space : inode->entry.channel->space, &caller,
		   &room);
	caller_fini(&caller);
	fuse_reply_statfs(req, &room);
}

const struct fuse_lowlevel_ops session_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_unlink,
	.symlink = op_symlink,
	.link = op_link,
	.rename = op_rename,
	.open = op_open,
	.create = op_create,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.poll = op_poll,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
	.flush = op_flush,
	.getlk = op_getlk,
	.setlk = op_setlk,
	.flock = op_flock,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.statfs = op_statfs,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
};
