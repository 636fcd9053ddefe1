// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a thread takes on a caller's ids and capabilities, and returns to the daemon's own.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/host/caller.h"

#define KEEP ((id_t)-1)

/* The state of a thread that has entered a caller: the daemon's own ids, and what has changed. */
static _Thread_local struct {
	bool has_groups, has_gid, has_uid; /* changed, to be restored by caller_leave() */
	bool has_capabilities;             /* changed apart from the ids, to be restored */
	bool has_root;
	int root_fd;
	uid_t uid;
	gid_t gid;
} self;

/*
 * Sets this thread's groups. The raw system call changes this thread alone; glibc's wrapper would
 * change all threads. The same holds for the calls below.
 */
static int set_groups(int n, const gid_t *groups)
{
	return syscall(SYS_setgroups, (size_t)n, groups) < 0 ? -errno : 0;
}

static int set_gids(gid_t real, gid_t effective, gid_t saved)
{
	return syscall(SYS_setresgid, real, effective, saved) < 0 ? -errno : 0;
}

static int set_uids(uid_t real, uid_t effective, uid_t saved)
{
	return syscall(SYS_setresuid, real, effective, saved) < 0 ? -errno : 0;
}

/*
 * Restores the daemon's ids. A change back to the saved ids can fail only for lack of memory. The
 * daemon's groups are not restored: root needs none.
 */
static void leave_ids(void)
{
	while (self.has_uid && set_uids(KEEP, self.uid, KEEP) == -ENOMEM)
		sched_yield();
	while (self.has_gid && set_gids(KEEP, self.gid, KEEP) == -ENOMEM)
		sched_yield();
	while (self.has_groups && set_groups(0, NULL) == -ENOMEM)
		sched_yield();
	self.has_uid = self.has_gid = self.has_groups = false;
}

static void take_back_capabilities(void)
{
	while (caller_set_capabilities(UINT64_MAX) == -ENOMEM)
		sched_yield();
}

static void leave_capabilities(void)
{
	if (self.has_capabilities)
		take_back_capabilities();
	self.has_capabilities = false;
}

/*
 * Takes on the caller's capabilities. A thread whose uid changed from 0 has lost all capabilities
 * already; a thread whose uid stays 0 still has them.
 */
static int enter_capabilities(struct caller *caller)
{
	int r;

	if (caller->uid != 0 && caller->capabilities == 0)
		return 0;
	r = caller_set_capabilities(caller->capabilities);
	self.has_capabilities = r == 0;
	return r;
}

/* Changes only what differs from the caller's, because each step costs a microsecond or more. */
static int enter_ids(struct caller *caller)
{
	int r = 0;

	if (caller->n_groups > 0 || getgroups(0, NULL) != 0) {
		r = set_groups(caller->n_groups, caller->groups);
		self.has_groups = r == 0;
	}
	if (r == 0 && caller->gid != self.gid) {
		r = set_gids(KEEP, caller->gid, KEEP);
		self.has_gid = r == 0;
	}
	if (r == 0 && caller->uid != self.uid) {
		r = set_uids(KEEP, caller->uid, KEEP);
		self.has_uid = r == 0;
	}
	if (r == 0)
		r = enter_capabilities(caller);
	if (r < 0)
		leave_ids();
	return r;
}

/*
 * Whether the thread needs no change to act as the caller. A daemon that is not root can only act
 * as its own user.
 */
static bool is_needless(const struct caller *caller)
{
	return self.uid == 0 ? caller_is_daemon(caller) : caller->uid == self.uid;
}

int caller_enter(struct caller *caller)
{
	int r = 0;

	self.uid = geteuid();
	self.gid = getegid();
	if (!is_needless(caller)) {
		r = self.uid == 0 ? caller_load(caller) : -EPERM;
		if (r == 0)
			r = enter_ids(caller);
	}
	if (r < 0)
		return r;
	self.has_root = caller->has_root;
	self.root_fd = caller->root_fd;
	return 0;
}

int caller_enter_owner(const struct caller *caller)
{
	struct caller owner = {
		.uid = caller->uid,
		.gid = caller->gid,
		.pid = caller->pid,
		.is_loaded = true,
		.capabilities = caller_look_at_capabilities(caller),
	};

	return caller_enter(&owner);
}

void caller_leave(void)
{
	self.has_root = false;
	leave_capabilities();
	leave_ids();
}

int caller_root(void)
{
	return self.has_root ? self.root_fd : -1;
}

int caller_enter_writer(void)
{
	return caller_set_capabilities(~(UINT64_C(1) << CAP_FSETID));
}

void caller_leave_writer(void)
{
	take_back_capabilities();
}
