/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The handlers of FUSE requests: decode, find the object, call lib/, answer.
 *
 * No handler sleeps. Each answers its request exactly once, or has it held: a read, write or open
 * until its channel is ready (fs/request.h), anything else while a job is done (fs/step.h).
 */
#ifndef IPCFS_OPS_H
#define IPCFS_OPS_H

#include <fuse_lowlevel.h>

#include "lib/host/caller.h"

struct file;
struct handle;
struct inode;
struct session;
struct step;

extern const struct fuse_lowlevel_ops session_ops;

/* Returns the sender of the request. Call caller_fini() when done. */
struct caller op_caller(fuse_req_t req);

/*
 * Returns the inode that the request is about; or answers -ESTALE and returns NULL, if its number
 * is out of date.
 */
struct inode *op_inode(fuse_req_t req, fuse_ino_t ino);

/* fs/ops_dir.c: names and directories */

/* Returns `mode` without the bits of the caller's umask, where the umask applies. */
mode_t op_masked(fuse_req_t req, fuse_ino_t parent, mode_t mode);
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned flags);

/* The result of making an object, for a request that may have come again. */
int op_settle_made(fuse_req_t req, int result);
/* Makes the object that the step names, and its inode. May have to wait. */
int op_make(fuse_req_t req, const struct step *step, struct caller *caller,
	    struct inode **ret_inode);

/* Returns 0 if a LOOKUP would find the name of the step, else -errno. May have to wait. */
int op_exists(fuse_req_t req, const struct step *step, struct caller *caller);

/*
 * Answers with the inode, whose counted lookup then belongs to the kernel. If that fails, forgets
 * the lookup.
 */
void op_reply_inode(fuse_req_t req, struct inode *inode);

/* fs/ops_list.c: open directories */
void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* fs/ops_file.c: open files */
void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *poll);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi);

/*
 * Answers a CREATE with the inode that was made and its handle. On -errno it has answered nothing,
 * and closed the file.
 */
int op_reply_made(fuse_req_t req, struct inode *inode, struct handle *handle,
		  struct fuse_file_info *fi);

/* fs/ops_data.c: reading and writing */
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *fi);

/* fs/ops_lock.c: fcntl(2) and flock(2), and close(2), which ends locks */
void op_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *wish);
void op_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *wish,
	      int waits);
void op_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int operation);
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* fs/ops_xattr.c: extended attributes, access control lists among them */
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/*
 * Returns the handle that a request names, or, as op_file(), the handle's open file. If there is
 * none, answers -EBADF and returns NULL.
 */
struct handle *op_handle(fuse_req_t req, const struct fuse_file_info *fi);
struct file *op_file(fuse_req_t req, const struct fuse_file_info *fi);

#endif
