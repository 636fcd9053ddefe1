// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that wait, lock or notify, and children that are killed during a call. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/fuzz/calls/path.h"
#include "tests/fuzz/calls/user.h"

static void poll_some(struct thread *thread)
{
	struct pollfd polled[4];

	for (size_t i = 0; i < N_ELEMENTS(polled); i++)
		polled[i] = (struct pollfd){thread_descriptor(thread),
					    (short)dice_next(&thread->dice), 0};
	make_call(thread, SYS_poll, polled, N_ELEMENTS(polled), dice_roll(&thread->dice, 4));
}

static void epoll_some(struct thread *thread)
{
	static const int flags[] = {EPOLLIN,    EPOLLOUT,     EPOLLPRI,
				    EPOLLRDHUP, EPOLLONESHOT, (int)EPOLLET};
	int fd = (int)make_call(thread, SYS_epoll_create1, EPOLL_CLOEXEC);
	struct epoll_event event, told[4];

	for (int i = 0; i < 3; i++) {
		event.events = (unsigned)dice_flags(&thread->dice, flags, N_ELEMENTS(flags), 2);
		make_call(thread, SYS_epoll_ctl, fd, 1 + dice_roll(&thread->dice, 3),
			  thread_descriptor(thread), &event);
	}
	make_call(thread, SYS_epoll_wait, fd, told, N_ELEMENTS(told), dice_roll(&thread->dice, 4));
	thread_keep(thread, fd);
}

static void lock(struct thread *thread)
{
	static const int commands[] = {
		F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK,
	};
	struct dice *dice = &thread->dice;
	struct flock range = {
		.l_type = (short)dice_roll(dice, 3),
		.l_whence = (short)dice_roll(dice, 3),
		.l_start = thread_offset(thread),
		.l_len = thread_offset(thread),
	};

	make_call(thread, SYS_fcntl, thread_descriptor(thread), dice_pick(dice, commands), &range);
}

static void lock_file(struct thread *thread)
{
	static const int operations[] = {LOCK_SH, LOCK_EX, LOCK_UN, LOCK_SH | LOCK_NB,
					 LOCK_EX | LOCK_NB};

	make_call(thread, SYS_flock, thread_descriptor(thread),
		  dice_pick(&thread->dice, operations));
}

static void control(struct thread *thread)
{
	static const int settings[] = {O_NONBLOCK, O_APPEND, O_DIRECT, O_NOATIME, O_ASYNC, 0};
	static const int leases[] = {F_RDLCK, F_WRLCK, F_UNLCK};
	static const int sizes[] = {0, 4096, 65536, 1 << 20, 1 << 21, -1};
	struct dice *dice = &thread->dice;
	int fd = thread_descriptor(thread);

	switch (dice_roll(dice, 7)) {
	case 0:
		make_call(thread, SYS_fcntl, fd, F_SETFL, dice_pick(dice, settings));
		break;
	case 1:
		make_call(thread, SYS_fcntl, fd, F_SETLEASE, dice_pick(dice, leases));
		break;
	case 2:
		make_call(thread, SYS_fcntl, fd, F_SETPIPE_SZ, dice_pick(dice, sizes));
		break;
	case 3:
		make_call(thread, SYS_fcntl, fd, F_NOTIFY, dice_next(dice));
		break;
	case 4:
		make_call(thread, SYS_fcntl, fd, F_SETOWN, getpid());
		break;
	case 5:
		make_call(thread, SYS_fcntl, fd, F_ADD_SEALS, dice_roll(dice, 32));
		break;
	default:
		make_call(thread, SYS_fcntl, fd, 1024 + dice_roll(dice, 20), dice_next(dice));
	}
}

/*
 * Makes one call, which was chosen before. The process was cloned from one with several threads,
 * but has only this thread, so it must not use the C library's state.
 */
static _Noreturn void be_child(struct thread *thread, const char *path, unsigned what, int fd)
{
	char *const arguments[] = {(char *)path, NULL};

	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (what != 1)
		syscall(SYS_close_range, 3, fd > 3 ? fd - 1 : 3, 0);
	switch (what) {
	case 0:
		fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR);
		syscall(SYS_read, fd, thread->buffer, 4096);
		break;
	case 1:
		syscall(SYS_execve, path, arguments, NULL);
		break;
	case 2:
		syscall(SYS_write, fd, thread->buffer, BUFFER_SIZE);
		break;
	case 3:
		syscall(SYS_mkdir, path, 0700);
		break;
	default:
		syscall(SYS_read, fd, thread->buffer, 4096);
	}
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static void kill_child(struct thread *thread)
{
	const char *path = path_pick(thread);
	struct dice *dice = &thread->dice;
	unsigned what = dice_roll(dice, 6);
	const struct timespec pause = {.tv_nsec = dice_roll(dice, 3000000)};
	int fd = thread_descriptor(thread), status;
	pid_t pid = (pid_t)make_call(thread, SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		be_child(thread, path, what, fd);
	if (pid < 0)
		return;
	nanosleep(&pause, NULL);
	make_call(thread, SYS_kill, pid, dice_once_in(dice, 3) ? SIGTERM : SIGKILL);
	kill(pid, SIGKILL);
	/* The killed process may be in a call that no signal ends before the daemon answers. */
	while (make_call(thread, SYS_wait4, pid, &status, 0, NULL) < 0)
		;
}

const struct call wait_calls[] = {
	{"poll", poll_some, 1},  {"epoll", epoll_some, 1}, {"fcntl, locks", lock, 1},
	{"flock", lock_file, 1}, {"fcntl", control, 1},    {"kill a child", kill_child, 1},
	{NULL, NULL, 0},
};
