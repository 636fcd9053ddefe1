// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libfuse reports a failure only as lines of text, which name neither the mount point nor a remedy.
 * So its last line is kept (fs/log.h), and our own message is made from that line. fusermount3(1)
 * writes to stderr by itself.
 */
#include "fs/mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "fs/ops.h"
#include "fs/session.h"

#define DEVICE "/dev/fuse"

/*
 * Returns the text after the line's last colon; or the whole line, if that colon is missing or no
 * blank follows it.
 */
static const char *cause_of(const char *line)
{
	const char *colon = strrchr(line, ':');

	return colon && colon[1] == ' ' ? colon + 2 : line;
}

/* libfuse runs fusermount3 where mount(2) is not permitted, even for root of a container. */
static void tell_no_fusermount(const char *mount_point, const char *cause)
{
	if (geteuid() == 0)
		log_line(LOG_ERR, "%s: mounting is not permitted (CAP_SYS_ADMIN)", mount_point);
	else if (strcmp(cause, strerror(ENOENT)) == 0)
		log_line(LOG_ERR, "fusermount3: not found; install fuse3, or mount as root");
	else
		log_line(LOG_ERR, "fusermount3: cannot be run: %s", cause);
}

/*
 * Logs why the mount failed. `line` is the last line from libfuse; "" if fusermount3 refused, which
 * has then printed the reason itself.
 */
static void tell_failure(const char *mount_point, const char *line)
{
	if (strstr(line, "device not found"))
		log_line(LOG_ERR, DEVICE ": missing; load the module with 'modprobe fuse', or give "
					 "this container the device");
	else if (strstr(line, "failed to open " DEVICE))
		log_line(LOG_ERR, DEVICE ": %s", cause_of(line));
	else if (strstr(line, "for fusermount3 failed"))
		tell_no_fusermount(mount_point, cause_of(line));
	else if (*line)
		log_line(LOG_ERR, "%s: cannot be mounted: %s", mount_point, cause_of(line));
	else
		log_line(LOG_ERR, "%s: refused by fusermount3", mount_point);
}

static struct fuse_session *session_new(struct session *session, const struct options *options)
{
	/* libfuse changes the arguments that it parses, so it gets a copy. */
	struct fuse_args args = FUSE_ARGS_INIT(options->session.argc, options->session.argv);
	struct fuse_session *fuse =
		fuse_session_new(&args, &session_ops, sizeof(session_ops), session);

	fuse_opt_free_args(&args);
	return fuse;
}

struct fuse_session *mounting_mount(struct session *session, const struct options *options)
{
	return mounting_mount_at(session, options, options->mount_point);
}

struct fuse_session *mounting_mount_at(struct session *session, const struct options *options,
				       const char *place)
{
	struct fuse_session *fuse;

	log_keep_fuse(true);
	fuse = session_new(session, options);
	if (fuse && fuse_session_mount(fuse, place) < 0) {
		fuse_session_destroy(fuse);
		fuse = NULL;
	}
	log_keep_fuse(false);
	if (!fuse)
		tell_failure(options->mount_point, log_kept());
	else if (*log_kept())
		log_line(LOG_WARNING, "libfuse: %s", log_kept());
	return fuse;
}

/* Whether the mount is gone, or aborted: then there is nothing to unmount. */
static bool has_ended(int device)
{
	struct pollfd polled = {.fd = device};

	return poll(&polled, 1, 0) == 1 && (polled.revents & (POLLERR | POLLNVAL));
}

static bool is_covered(const char *mount_point, dev_t dev)
{
	struct statx attr;

	return dev && statx(AT_FDCWD, mount_point, AT_STATX_DONT_SYNC, STATX_INO, &attr) == 0 &&
	       makedev(attr.stx_dev_major, attr.stx_dev_minor) != dev;
}

/*
 * A connection that has ended shows by POLLERR, and then nobody unmounts. So does a pipe that
 * nobody reads, and if that takes the place of the last descriptor, the connection does end.
 */
static bool end_connection(int device)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	close(ends[0]);
	dup3(ends[1], device, O_CLOEXEC);
	close(ends[1]);
	return true;
}

void mounting_spare_others(const char *mount_point, dev_t dev, int device)
{
	if (has_ended(device) || !is_covered(mount_point, dev) || !end_connection(device))
		return;
	log_line(LOG_WARNING,
		 "%s: another filesystem covers the mount, which stays there, dead; unmount both",
		 mount_point);
}

/* As libfuse does it (lib/mount.c, fuse_kern_unmount): detached, so that nobody is waited for. */
static void detach(const char *mount_point)
{
	pid_t pid;

	if (umount2(mount_point, MNT_DETACH) == 0 || errno != EPERM)
		return;
	pid = fork();
	if (pid == 0) {
		execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mount_point, NULL);
		_exit(1);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void mounting_unmount(const char *mount_point, dev_t dev, int device)
{
	mounting_spare_others(mount_point, dev, device);
	if (has_ended(device))
		return;
	detach(mount_point);
	end_connection(device);
}
