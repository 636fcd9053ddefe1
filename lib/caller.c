// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/caller.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define KEEP ((id_t)-1)

/* Who the daemon is while this thread has entered a caller. */
static _Thread_local struct {
	bool is_entered;
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
	}
	fclose(file);
	return r;
}

void caller_fini(struct caller *caller)
{
	free(caller->groups);
	caller->groups = NULL;
	caller->n_groups = 0;
	caller->is_loaded = false;
}

int caller_copy(struct caller *ret_copy, struct caller *caller)
{
	int r = caller_load(caller);
	size_t size = (size_t)caller->n_groups * sizeof(*caller->groups);

	*ret_copy = (struct caller){.uid = caller->uid, .gid = caller->gid, .pid = caller->pid};
	if (r < 0)
		return r;
	ret_copy->is_loaded = true;
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

int caller_enter(struct caller *caller)
{
	unsigned n = 0;
	int r;

	self.uid = geteuid();
	self.gid = getegid();
	if (self.uid == caller->uid && (self.gid == caller->gid || self.uid != 0))
		return 0;
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
	if (r < 0)
		leave_ids(n);
	self.is_entered = r == 0;
	return r;
}

void caller_leave(void)
{
	if (!self.is_entered)
		return;
	self.is_entered = false;
	leave_ids(3);
}

bool caller_owns(const struct caller *caller, uid_t owner)
{
	return caller->uid == 0 || caller->uid == owner;
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

	if (caller->uid == 0)
		return true;
	if (caller->uid == attr->st_uid)
		mode >>= 6;
	else if (caller_in_group(caller, attr->st_gid))
		mode >>= 3;
	return (mode & (mode_t)want) == (mode_t)want;
}
