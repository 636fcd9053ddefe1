/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every other process opens the target itself, so that it shares no open file with the test.
 */
#include "tests/mount/locking.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

const struct target targets[N_TARGETS] = {
	{"native", NULL},
	{"shm/m", "create shm/m mode=666"},
	{"queues/q", "create queues/q mode=666"},
	{"pipes/p", "create pipes/p served=daemon mode=666"},
	{"pipes/k", "create pipes/k mode=666"},
	{"sems/s", "create sems/s mode=666"},
	{"events/e", "create events/e mode=666"},
	{"sysv/queues/0x11", "create sysv/queues/0x11 mode=666"},
	{"sysv/sems/0x12", "create sysv/sems/0x12 mode=666"},
	{"ctl", NULL},
};

int locking_open(const struct target *target)
{
	const char *path =
		target == &targets[NATIVE] ? scratch_path(target->name) : ipc_path(target->name);

	return (int)must(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

struct locking locking_begin(int i)
{
	struct locking locking = {.target = &targets[i / N_CALLS], .call = i % N_CALLS};

	if (locking.target->command)
		look_command(locking.target->command);
	else if (locking.target == &targets[NATIVE])
		close((int)must(open(scratch_path("native"), O_RDWR | O_CREAT, 0666)));
	locking.fd = locking_open(locking.target);
	return locking;
}

void locking_remove(void)
{
	for (int i = REGION; i < N_TARGETS; i++)
		if (targets[i].command)
			unlink(ipc_path(targets[i].name));
}

int lock_record(int command, int fd, struct flock what)
{
	return fcntl(fd, command, &what) < 0 ? errno : 0;
}

int locking_set(const struct locking *locking, short type, bool waits)
{
	struct flock all = {.l_type = type, .l_whence = SEEK_SET};
	int operation = type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX;

	if (locking->call == FLOCK)
		return flock(locking->fd, operation | (waits ? 0 : LOCK_NB)) < 0 ? errno : 0;
	if (locking->call == RECORD)
		return lock_record(waits ? F_SETLKW : F_SETLK, locking->fd, all);
	return lock_record(waits ? F_OFD_SETLKW : F_OFD_SETLK, locking->fd, all);
}

int locking_try_body(void *arg)
{
	struct locking other = *(struct locking *)arg;

	other.fd = locking_open(other.target);
	return locking_set(&other, other.type, false);
}

int locking_try(struct locking *locking, short type)
{
	int status;

	locking->type = type;
	status = child_end(child_start(locking_try_body, locking));
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int wait_body(void *arg)
{
	struct locking other = *(struct locking *)arg;

	signal_interrupts(SIGUSR1);
	other.fd = locking_open(other.target);
	return locking_set(&other, other.type, true);
}

pid_t locking_start_waiter(struct locking *locking, short type)
{
	pid_t pid;

	locking->type = type;
	pid = child_start(wait_body, locking);
	task_must_block(pid, locking->call == FLOCK ? SYS_flock : SYS_fcntl);
	return pid;
}

int locking_end_waiter(pid_t pid)
{
	int status = child_end(pid);

	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}
