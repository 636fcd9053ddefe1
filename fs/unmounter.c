// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libfuse would have fusermount3(1) do this. For root, libfuse runs that program with a flag that
 * Debian 12's version does not know. Where fusermount3 has mounted for another user, it waits until
 * the daemon is gone, but then ends silently, and leaves the mount in place.
 *
 * This process keeps none of the daemon's descriptors open, above all not /dev/fuse: processes that
 * wait for a killed daemon go on only when the last such descriptor is closed. Nor does it send
 * requests to the mount: the kernel alone tells it which mount is there.
 */
#include "fs/unmounter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/process_name.h"
#include "lib/base/cleanup.h"

#define NAME "ipcfs-unmount"

struct mounted {
	unsigned major, minor;
	uint64_t mount;
};

static bool find_mounted(const char *path, struct mounted *ret_mounted)
{
	struct statx attr;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_MNT_ID, &attr) < 0)
		return false;
	*ret_mounted = (struct mounted){attr.stx_dev_major, attr.stx_dev_minor, attr.stx_mnt_id};
	return true;
}

static void wait_for_death(int pid_fd)
{
	struct pollfd polled = {.fd = pid_fd, .events = POLLIN};

	while (poll(&polled, 1, -1) < 0 && errno == EINTR)
		;
}

/* On EPERM runs fusermount3(1), which made the mount and has the right to unmount it. */
static void unmount(const char *mount_point)
{
	sigset_t none;

	if (umount2(mount_point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno != EPERM)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (open("/dev/null", O_RDWR) != fd)
			return;
	execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mount_point, NULL);
}

/*
 * A daemon whose supervisor has died unmounts by itself. Its death is awaited, too: if both
 * unmounted, the second time would hit a mount below ours. A daemon that is gone has gone just now,
 * so no other process has its number yet.
 */
static void wait_for_daemon(const int32_t *daemon)
{
	CLEANUP_FD int pid_fd = daemon ? (int)syscall(SYS_pidfd_open, *daemon, 0) : -1;

	if (pid_fd >= 0)
		wait_for_death(pid_fd);
}

static _Noreturn void watch(const char *mount_point, const struct mounted *own, int pid_fd,
			    const int32_t *daemon)
{
	struct mounted now;

	/*
	 * A terminal sends these signals to both processes. They make the daemon unmount and then
	 * stop this process.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, NAME);
	close_range(0, (unsigned)pid_fd - 1, 0);
	close_range((unsigned)pid_fd + 1, ~0U, 0);
	if (chdir("/") < 0)
		_exit(1);
	wait_for_death(pid_fd);
	wait_for_daemon(daemon);
	if (find_mounted(mount_point, &now) && now.major == own->major && now.minor == own->minor &&
	    now.mount == own->mount)
		unmount(mount_point);
	_exit(0);
}

int unmounter_start(const char *mount_point, pid_t supervisor, const int32_t *daemon,
		    pid_t *ret_pid)
{
	pid_t watched = supervisor ? supervisor : getpid();
	CLEANUP_FD int pid_fd = (int)syscall(SYS_pidfd_open, watched, 0);
	struct mounted own;
	pid_t pid;

	if (pid_fd < 0)
		return -errno;
	/* Here and now: as soon as the mount answers, somebody may cover it with another one. */
	if (!find_mounted(mount_point, &own))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		watch(mount_point, &own, pid_fd, supervisor ? daemon : NULL);
	*ret_pid = pid;
	return 0;
}

void unmounter_stop(pid_t pid)
{
	CLEANUP_FD int pid_fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	/* A former daemon has noted the number, which may be anybody's. */
	if (pid_fd < 0 || !process_has_name(pid, NAME))
		return;
	syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
