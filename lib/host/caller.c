// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/host/caller.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define KEEP ((id_t)-1)

/* What the daemon decides in the kernel's place is what these are for. */
#define CAPS_OF_ROOT (1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER)

/* Who the daemon is while this thread has entered a caller. */
static _Thread_local struct {
	bool is_entered, is_limited;
	uid_t uid;
	gid_t gid;
} self;

/* Reads the numbers of a line "Groups: 1 2 3". */
static int load_groups(struct caller *caller, const char *line)
{
	char *rest = (char *)line;

	for (;;) {
		unsigned long gid = strtoul(line, &rest, 10);
		gid_t *grown;

		if (rest == line)
			return 0;
		grown = reallocarray(caller->groups, (size_t)caller->n_groups + 1, sizeof(gid_t));
		if (!grown)
			return -ENOMEM;
		caller->groups = grown;
		caller->groups[caller->n_groups++] = (gid_t)gid;
		line = rest;
	}
}

int caller_load(struct caller *caller)
{
	CLEANUP_FREE char *line = NULL;
	char path[32];
	size_t size = 0;
	FILE *file;
	int r = 0;

	if (caller->is_loaded)
		return 0;
	caller->is_loaded = true;
	caller->umask = CALLER_UMASK;
	snprintf(path, sizeof(path), "/proc/%d/status", caller->pid);
	file = caller->pid ? fopen(path, "re") : NULL;
	if (!file)
		return 0;
	while (r == 0 && getline(&line, &size, file) > 0) {
		if (strncmp(line, "Umask:", 6) == 0)
			caller->umask = (mode_t)strtoul(line + 6, NULL, 8);
		else if (strncmp(line, "Groups:", 7) == 0)
			r = load_groups(caller, line + 7);
		else if (strncmp(line, "CapEff:", 7) == 0)
			caller->is_limited = ~strtoull(line + 7, NULL, 16) & CAPS_OF_ROOT;
	}
	fclose(file);
	return r;
}

void caller_fini(struct caller *caller)
{
	free(caller->groups);
	caller->groups = NULL;
	caller->n_groups = 0;
	caller->is_loaded = caller->is_limited = false;
}

int caller_copy(struct caller *ret_copy, struct caller *caller)
{
	int r = caller_load(caller);
	size_t size = (size_t)caller->n_groups * sizeof(*caller->groups);

	*ret_copy = (struct caller){.uid = caller->uid, .gid = caller->gid, .pid = caller->pid};
	if (r < 0)
		return r;
	ret_copy->is_loaded = true;
	ret_copy->is_limited = caller->is_limited;
	ret_copy->umask = caller->umask;
	if (size == 0)
		return 0;
	ret_copy->groups = malloc(size);
	if (!ret_copy->groups)
		return -ENOMEM;
	memcpy(ret_copy->groups, caller->groups, size);
	ret_copy->n_groups = caller->n_groups;
	return 0;
}

/* glibc's wrappers would change every thread; the system calls change this one. */
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
 * Takes the first `n` steps back. To ids that are still the saved ones this fails only for want of
 * memory. root needs no groups of its own.
 */
static void leave_ids(unsigned n)
{
	while (n > 2 && set_uids(KEEP, self.uid, KEEP) == -ENOMEM)
		sched_yield();
	while (n > 1 && set_gids(KEEP, self.gid, KEEP) == -ENOMEM)
		sched_yield();
	while (n > 0 && set_groups(0, NULL) == -ENOMEM)
		sched_yield();
}

/* Of this thread: none in effect, or all that it may have. */
static int set_capabilities(bool has_any)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = has_any ? data[i].permitted : 0;
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caller_drop_capabilities(void)
{
	return set_capabilities(false);
}

/* For uid 0 without root's capabilities: other uids lose them with the change of the uid. */
static int enter_limited(void)
{
	int r = set_capabilities(false);

	self.is_limited = r == 0;
	return r;
}

int caller_enter(struct caller *caller)
{
	bool is_limited = caller->uid == 0 && !caller_is_root(caller);
	unsigned n = 0;
	int r;

	self.uid = geteuid();
	self.gid = getegid();
	if (self.uid == caller->uid && (self.gid == caller->gid || self.uid != 0))
		return is_limited ? enter_limited() : 0;
	if (self.uid != 0)
		return -EPERM;
	r = caller_load(caller);
	if (r < 0)
		return r;
	r = set_groups(caller->n_groups, caller->groups);
	if (r == 0) {
		n++;
		r = set_gids(KEEP, caller->gid, KEEP);
	}
	if (r == 0) {
		n++;
		r = set_uids(KEEP, caller->uid, KEEP);
	}
	n += r == 0;
	if (r == 0 && is_limited)
		r = enter_limited();
	if (r < 0)
		leave_ids(n);
	self.is_entered = r == 0;
	return r;
}

void caller_leave(void)
{
	while (self.is_limited && set_capabilities(true) == -ENOMEM)
		sched_yield();
	self.is_limited = false;
	if (!self.is_entered)
		return;
	self.is_entered = false;
	leave_ids(3);
}

bool caller_is_root(struct caller *caller)
{
	return caller->uid == 0 && caller_load(caller) == 0 && !caller->is_limited;
}

bool caller_owns(struct caller *caller, uid_t owner)
{
	return caller->uid == owner || caller_is_root(caller);
}

bool caller_is_ours(const struct caller *caller)
{
	return caller->pid && caller->pid != getpid() &&
	       syscall(SYS_tgkill, getpid(), caller->pid, 0) == 0;
}

bool caller_in_group(struct caller *caller, gid_t gid)
{
	if (caller->gid == gid)
		return true;
	caller_load(caller);
	for (int i = 0; i < caller->n_groups; i++)
		if (caller->groups[i] == gid)
			return true;
	return false;
}

bool caller_may(struct caller *caller, const struct stat *attr, int want)
{
	mode_t mode = attr->st_mode;

	if (caller_is_root(caller))
		return true;
	if (caller->uid == attr->st_uid)
		mode >>= 6;
	else if (caller_in_group(caller, attr->st_gid))
		mode >>= 3;
	return (mode & (mode_t)want) == (mode_t)want;
}
