// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the daemon knows of a caller, and what it decides without the kernel. What can't be read
 * counts against the caller.
 */
#include "lib/host/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/namespaces.h"
#include "lib/host/process_stat.h"

#define HAS(capabilities, capability) ((capabilities) >> (capability)&1)

/* Whether /proc belongs to the daemon's own PID namespace. */
static bool has_own_proc;

static void look_at_proc(void)
{
	char self_pid[16];
	ssize_t n = readlink("/proc/self", self_pid, sizeof(self_pid) - 1);

	self_pid[n < 0 ? 0 : n] = '\0';
	has_own_proc = strtol(self_pid, NULL, 10) == getpid();
}

bool caller_is_visible(const struct caller *caller)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, look_at_proc);
	return caller->pid && has_own_proc;
}

/* Reads the numbers of a line "Groups: 1 2 3". Fails with -ENOMEM. */
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

/* Opens a file of the caller's directory in /proc. Returns NULL if that can't be done. */
static FILE *open_proc(const struct caller *caller, const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/%s", caller->pid, name);
	return caller_is_visible(caller) ? fopen(path, "re") : NULL;
}

/* Gets the capabilities of the thread `tid`; 0: this thread. */
static int get_capabilities(pid_t tid, struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, tid};

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

/*
 * Returns the effective capabilities that count: the caller must be in the daemon's user namespace,
 * and the daemon must have them too.
 */
static uint64_t count_capabilities(const struct caller *caller, uint64_t effective)
{
	return effective && namespaces_is_own_user(caller->pid) ? effective & caller_permitted()
								: 0;
}

uint64_t caller_look_at_capabilities(const struct caller *caller)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (caller->is_loaded)
		return caller->capabilities;
	if (!caller_is_visible(caller))
		return caller->pid == getpid() ? caller_permitted() : 0;
	if (get_capabilities(caller->pid, data) < 0)
		return 0;
	return count_capabilities(caller, (uint64_t)data[1].effective << 32 | data[0].effective);
}

static void free_groups(struct caller *caller)
{
	free(caller->groups);
	caller->groups = NULL;
	caller->n_groups = 0;
}

int caller_load(struct caller *caller)
{
	CLEANUP_FREE char *line = NULL;
	uint64_t effective = 0;
	size_t size = 0;
	FILE *file;
	int r = 0;

	if (caller->is_loaded)
		return 0;
	caller->is_loaded = true;
	caller->umask = CALLER_UMASK;
	caller->capabilities = 0;
	file = open_proc(caller, "status");
	if (!file && caller->pid == getpid())
		caller->capabilities = caller_permitted();
	if (!file)
		return 0;
	while (r == 0 && getline(&line, &size, file) > 0) {
		if (strncmp(line, "Umask:", 6) == 0)
			caller->umask = (mode_t)strtoul(line + 6, NULL, 8);
		else if (strncmp(line, "Groups:", 7) == 0)
			r = load_groups(caller, line + 7);
		else if (strncmp(line, "CapEff:", 7) == 0)
			effective = strtoull(line + 7, NULL, 16);
	}
	fclose(file);
	caller->capabilities = count_capabilities(caller, effective);
	caller->is_loaded = r == 0; /* never with only some of the groups */
	if (r < 0)
		free_groups(caller);
	return r;
}

rlim_t caller_queue_limit(struct caller *caller)
{
	CLEANUP_FREE char *line = NULL;
	char soft[32];
	size_t size = 0;
	FILE *file;

	if (caller->has_queue_limit)
		return caller->queue_limit;
	caller->has_queue_limit = true;
	caller->queue_limit = 0;
	/* prlimit(2) would take CAP_SYS_RESOURCE, which a container's root may be without. */
	file = open_proc(caller, "limits");
	while (file && getline(&line, &size, file) > 0)
		if (sscanf(line, "Max msgqueue size %31s", soft) == 1)
			caller->queue_limit = strcmp(soft, "unlimited") == 0
						      ? RLIM_INFINITY
						      : strtoul(soft, NULL, 10);
	if (file)
		fclose(file);
	return caller->queue_limit;
}

/* Returns when the caller's process began, or 0 if that can't be read. */
static uint64_t read_start(const struct caller *caller)
{
	CLEANUP_FD int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct process_stat stat;

	if (!caller_is_visible(caller) || !process_stat_read(proc_fd, caller->pid, &stat))
		return 0;
	return stat.started;
}

void caller_note_start(struct caller *caller)
{
	caller->started = read_start(caller);
}

int caller_open_root(struct caller *caller)
{
	char path[32];
	int fd;

	if (caller->has_root)
		return 0;
	if (!caller_is_visible(caller))
		return -EPERM;
	/*
	 * This is a magic link. Opening it walks no path, so it never waits for whoever serves the
	 * filesystem there.
	 */
	snprintf(path, sizeof(path), "/proc/%d/root", caller->pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !namespaces_can_see())
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : -EPERM;
	caller->has_root = true;
	caller->root_fd = fd;
	/*
	 * Checked after the open: if the pid means the same process now, it did so during the open.
	 */
	if (caller->started && read_start(caller) != caller->started) {
		caller->has_root = false;
		close(fd);
		return -EPERM;
	}
	return 0;
}

void caller_fini(struct caller *caller)
{
	free_groups(caller);
	caller->is_loaded = caller->has_queue_limit = false;
	caller->capabilities = 0;
	caller->seen = caller->home = 0;
	caller->started = 0;
	if (caller->has_root)
		close(caller->root_fd);
	caller->has_root = false;
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
	ret_copy->capabilities = caller->capabilities;
	ret_copy->has_queue_limit = caller->has_queue_limit;
	ret_copy->queue_limit = caller->queue_limit;
	ret_copy->seen = caller->seen;
	ret_copy->home = caller->home;
	ret_copy->started = caller->started;
	if (size == 0)
		return 0;
	ret_copy->groups = malloc(size);
	if (!ret_copy->groups)
		return -ENOMEM;
	memcpy(ret_copy->groups, caller->groups, size);
	ret_copy->n_groups = caller->n_groups;
	return 0;
}

uint64_t caller_permitted(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (get_capabilities(0, data) < 0)
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

int caller_set_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int r = get_capabilities(0, data);

	if (r < 0)
		return r;
	data[0].effective = data[0].permitted & (uint32_t)wanted;
	data[1].effective = data[1].permitted & (uint32_t)(wanted >> 32);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* The checks that the daemon makes itself, for objects that it keeps. */

bool caller_has(struct caller *caller, int capability)
{
	return caller_load(caller) == 0 && HAS(caller->capabilities, capability);
}

bool caller_is_daemon(const struct caller *caller)
{
	return caller->uid == geteuid() && caller->gid == getegid() &&
	       caller_look_at_capabilities(caller) == caller_permitted();
}

bool caller_owns(struct caller *caller, uid_t owner)
{
	return caller->uid == owner || caller_has(caller, CAP_FOWNER);
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

	if (caller->uid == attr->st_uid)
		mode >>= 6;
	else if (caller_in_group(caller, attr->st_gid))
		mode >>= 3;
	if ((mode & (mode_t)want) == (mode_t)want || caller_has(caller, CAP_DAC_OVERRIDE))
		return true;
	return want == R_OK && caller_has(caller, CAP_DAC_READ_SEARCH);
}
