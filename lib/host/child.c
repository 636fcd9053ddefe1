// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The new process closes the daemon's descriptors, becomes the caller, and then hides its copy of
 * the daemon's memory.
 */
#include "lib/host/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* The time between two checks whether a process was stopped, ns. */
#define LOOK_AGAIN 2000000

/* Sets RLIMIT_MSGQUEUE to the caller's limit, as far as our own hard limit allows. */
static void take_limit(rlim_t limit)
{
	struct rlimit theirs = {.rlim_cur = limit, .rlim_max = limit};
	struct rlimit ours;

	if (setrlimit(RLIMIT_MSGQUEUE, &theirs) == 0 || getrlimit(RLIMIT_MSGQUEUE, &ours) < 0)
		return;
	ours.rlim_cur = ours.rlim_max < limit ? ours.rlim_max : limit;
	setrlimit(RLIMIT_MSGQUEUE, &ours);
}

/*
 * Protects what the process has in its memory: a copy of the daemon's, with other users' data. The
 * caller may send the process signals, so it must not dump core: a limit of one byte prevents both
 * core files and core pipes (fs/coredump.c). Its saved user id stays the daemon's: to trace the
 * process or look into it, another process has to match all three ids (kernel/ptrace.c,
 * __ptrace_may_access), whatever fs.suid_dumpable says.
 */
static void hide(void)
{
	const struct rlimit none = {.rlim_cur = 1, .rlim_max = 1};

	setrlimit(RLIMIT_CORE, &none);
	setpriority(PRIO_PROCESS, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	/* A stopped process must not outlive the daemon. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int become(struct caller *caller, rlim_t limit, pid_t daemon)
{
	/* Within a session SIGCONT may be sent to anyone, and the daemon's is not the caller's. */
	setsid();
	take_limit(limit);
	if (syscall(SYS_setgroups, (size_t)caller->n_groups, caller->groups) < 0 ||
	    syscall(SYS_setresgid, caller->gid, caller->gid, caller->gid) < 0 ||
	    syscall(SYS_setresuid, caller->uid, caller->uid, -1) < 0 ||
	    caller_set_capabilities(caller->capabilities) < 0)
		return -errno;
	hide(); /* last: a change of ids would undo it */
	return getppid() == daemon ? 0 : -EINTR;
}

/* The caller can stop the process, which would keep the daemon's files open. */
static void close_all_but(int fd)
{
	if (fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
	close_range(fd > 0 ? (unsigned)fd + 1 : 0, ~0U, 0);
}

static void child_dispatch(struct loop_source *source, uint32_t events)
{
	struct child *child = CONTAINER_OF(source, struct child, end);
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->pid = 0;
	loop_remove(child->loop, source);
	loop_remove(child->loop, &child->timer);
	child->done(child, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
}

/* Kills the process if it was stopped. Whoever stops it only wants others to wait. */
static void timer_dispatch(struct loop_source *source, uint32_t events)
{
	struct child *child = CONTAINER_OF(source, struct child, timer);
	siginfo_t info = {0};
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) == sizeof(n) &&
	    waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == child->pid) {
		child->was_stopped = true;
		kill(child->pid, SIGKILL);
	}
}

static int start_timer(struct child *child)
{
	const struct itimerspec often = {.it_interval.tv_nsec = LOOK_AGAIN,
					 .it_value.tv_nsec = LOOK_AGAIN};

	child->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (child->timer.fd < 0 || timerfd_settime(child->timer.fd, 0, &often, NULL) < 0)
		return -errno;
	return loop_add(child->loop, &child->timer, EPOLLIN);
}

static int child_fork(struct child *child, struct caller *caller, int (*act)(void *data))
{
	rlim_t limit = caller_queue_limit(caller);
	pid_t daemon = getpid();
	int r;

	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		return -errno;
	}
	if (child->pid == 0) {
		close_all_but(child->kept_fd);
		r = become(caller, limit, daemon);
		_exit(r < 0 ? -r : -act(child->shared));
	}
	child->end.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->end.fd < 0)
		return -errno;
	r = loop_add(child->loop, &child->end, EPOLLIN);
	return r < 0 ? r : start_timer(child);
}

int child_start(struct child *child, struct loop *loop, struct caller *caller,
		int (*act)(void *data), const void *data, size_t size)
{
	int r = caller_load(caller);

	child->loop = loop;
	child->end = (struct loop_source){.fd = -1, .dispatch = child_dispatch};
	child->timer = (struct loop_source){.fd = -1, .dispatch = timer_dispatch};
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

static void source_fini(struct loop *loop, struct loop_source *source)
{
	loop_remove(loop, source);
	if (source->fd >= 0)
		close(TAKE_FD(source->fd));
}

void child_fini(struct child *child)
{
	if (child->pid) {
		kill(child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		child->pid = 0;
	}
	source_fini(child->loop, &child->end);
	source_fini(child->loop, &child->timer);
	if (child->shared)
		munmap(child->shared, child->size);
	child->shared = NULL;
}

bool child_is_needless(struct caller *caller)
{
	return geteuid() != 0 || caller_is_daemon(caller);
}
