// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks of fcntl(2) and flock(2): decoded here, kept by lib/channel/locks.h. */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/session.h"
#include "fs/step.h"
#include "lib/channel/locks.h"

/* Leaves all padding zero: the lock may become a job's data. */
static void lock_init(struct lock *lock, fuse_req_t req, const struct fuse_file_info *fi)
{
	memset(lock, 0, sizeof(*lock));
	lock->owner = fi->lock_owner;
	lock->file = fi->fh;
	lock->last = LOCK_END;
	lock->pid = fuse_req_ctx(req)->pid;
	lock->uid = fuse_req_ctx(req)->uid;
}

static void lock_from_flock(struct lock *lock, const struct flock *wish)
{
	lock->type = wish->l_type;
	lock->first = wish->l_start;
	lock->last = wish->l_len ? wish->l_start + wish->l_len - 1 : LOCK_END;
	/* l_pid is the process; the request's pid is a thread. */
	if (wish->l_pid)
		lock->pid = wish->l_pid;
}

static void take_lock(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct file *file = op_file(req, &step->fi);
	int r;

	if (!file)
		return;
	r = lock_wait(file, step->data, caller);
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r);
}

static void set_lock(fuse_req_t req, const struct fuse_file_info *fi, const struct lock *lock,
		     bool waits)
{
	struct file *file = op_file(req, fi);
	int r;

	if (!file)
		return;
	if (waits && lock_waits_by_job(file->channel)) {
		step_begin(req, &(struct step){.take = take_lock,
					       .data = lock,
					       .size = sizeof(*lock),
					       .fi = *fi});
		return;
	}
	r = lock_set(file, lock);
	if (r == -EAGAIN && waits)
		request_hold_lock(req, file, lock);
	else
		reply_result(req, r);
}

void op_setlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *wish,
	      int waits)
{
	struct lock lock;

	lock_init(&lock, req, fi);
	lock_from_flock(&lock, wish);
	set_lock(req, fi, &lock, waits);
}

void op_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, int operation)
{
	struct lock lock;

	lock_init(&lock, req, fi);
	lock.is_flock = true;
	lock.type = (operation & LOCK_UN) ? F_UNLCK : (operation & LOCK_SH) ? F_RDLCK : F_WRLCK;
	set_lock(req, fi, &lock, !(operation & LOCK_NB));
}

void op_getlk(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct flock *wish)
{
	struct file *file = op_file(req, fi);
	struct lock lock;
	int r;

	if (!file)
		return;
	lock_init(&lock, req, fi);
	lock_from_flock(&lock, wish);
	r = lock_test(file, &lock);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	*wish = (struct flock){
		.l_type = lock.type,
		.l_whence = SEEK_SET,
		.l_start = lock.first,
		.l_len = lock.last == LOCK_END ? 0 : lock.last - lock.first + 1,
		.l_pid = lock.pid,
	};
	fuse_reply_lock(req, wish);
}

/* A process's fcntl(2) locks end when it closes any of its descriptors of the file. */
void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct file *file = op_file(req, fi);

	if (!file)
		return;
	lock_drop_owner(file->channel, fi->lock_owner);
	reply_result(req, 0);
}
