// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/host/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define LIMIT_UNKNOWN (RLIM_INFINITY - 1)

/* prlimit(2) would take CAP_SYS_RESOURCE, which a container's root may be without. */
static rlim_t find_limit(const struct caller *caller)
{
	CLEANUP_FREE char *line = NULL;
	rlim_t limit = LIMIT_UNKNOWN;
	char path[32], soft[32];
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/limits", caller->pid);
	file = caller->pid ? fopen(path, "re") : NULL;
	if (!file)
		return limit;
	while (limit == LIMIT_UNKNOWN && getline(&line, &size, file) > 0) {
		if (sscanf(line, "Max msgqueue size %31s", soft) != 1)
			continue;
		limit = strcmp(soft, "unlimited") == 0 ? RLIM_INFINITY : strtoul(soft, NULL, 10);
	}
	fclose(file);
	return limit;
}

/* Takes over the caller's limit, as far as ours allows. */
static void take_limit(rlim_t limit)
{
	struct rlimit theirs = {.rlim_cur = limit, .rlim_max = limit};
	struct rlimit ours;

	if (limit == LIMIT_UNKNOWN || setrlimit(RLIMIT_MSGQUEUE, &theirs) == 0 ||
	    getrlimit(RLIMIT_MSGQUEUE, &ours) < 0)
		return;
	ours.rlim_cur = ours.rlim_max < limit ? ours.rlim_max : limit;
	setrlimit(RLIMIT_MSGQUEUE, &ours);
}

static int become(struct caller *caller, rlim_t limit)
{
	take_limit(limit);
	if (syscall(SYS_setgroups, (size_t)caller->n_groups, caller->groups) < 0 ||
	    syscall(SYS_setresgid, caller->gid, caller->gid, caller->gid) < 0 ||
	    syscall(SYS_setresuid, caller->uid, caller->uid, caller->uid) < 0)
		return -errno;
	if (caller->is_limited && caller_drop_capabilities() < 0)
		return -EPERM;
	/* A stopped one must not outlive the daemon: it has the mount's descriptor. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

static void child_dispatch(struct loop_source *source, uint32_t events)
{
	struct child *child = CONTAINER_OF(source, struct child, end);
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->pid = 0;
	loop_remove(child->loop, source);
	child->done(child, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
}

static int child_fork(struct child *child, struct caller *caller, int (*act)(void *data))
{
	rlim_t limit = find_limit(caller);
	int r;

	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		return -errno;
	}
	if (child->pid == 0) {
		/* None of the daemon's: who may stop this process would keep them open. */
		close_range(0, ~0U, 0);
		r = become(caller, limit);
		_exit(r < 0 ? -r : -act(child->shared));
	}
	child->end.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->end.fd < 0)
		return -errno;
	return loop_add(child->loop, &child->end, EPOLLIN);
}

int child_start(struct child *child, struct loop *loop, struct caller *caller,
		int (*act)(void *data), const void *data, size_t size)
{
	int r = caller_load(caller);

	child->loop = loop;
	child->end = (struct loop_source){.fd = -1, .dispatch = child_dispatch};
	child->size = size;
	child->shared = NULL;
	child->pid = 0;
	if (r < 0)
		return r;
	child->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (child->shared == MAP_FAILED) {
		child->shared = NULL;
		return -errno;
	}
	memcpy(child->shared, data, size);
	r = child_fork(child, caller, act);
	if (r < 0)
		child_fini(child);
	return r;
}

void child_fini(struct child *child)
{
	if (child->pid) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		child->pid = 0;
	}
	loop_remove(child->loop, &child->end);
	if (child->end.fd >= 0)
		close(child->end.fd);
	child->end.fd = -1;
	if (child->shared)
		munmap(child->shared, child->size);
	child->shared = NULL;
}

bool child_is_needless(struct caller *caller)
{
	return geteuid() != 0 || (caller->gid == getegid() && caller_is_root(caller));
}
