// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scripts/suites loads this into the programs of other people's suites (LD_PRELOAD), so that they
 * can run in a directory of a mount, and so that their results can be compared.
 *
 * A directory of the mount makes no subdirectories, links or devices, and a suite that begins with
 * mkdir then fails in hundreds of assertions, all for the same reason. So the mount is compared
 * with a native directory that refuses as much: SUITES_REFUSE names the calls that fail with EPERM
 * there. Each call is made first and then undone, so that its other errors come before EPERM, as in
 * the kernel. If SUITES_REFUSE has "file", calls that make a file make a FIFO, as in pipes/, and
 * the process keeps the FIFO's read end open.
 *
 * SUITES_DIRECTORY is the directory in which the program works. mkdtemp(3) returns it instead of a
 * new directory, and calls that would remove it, or change its owner or mode, do nothing.
 */
#undef _FILE_OFFSET_BITS /* otherwise open() is another name of open64() */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* clang-format off */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))
/* clang-format on */

static bool refuses(const char *what)
{
	const char *list = getenv("SUITES_REFUSE");
	size_t length = strlen(what);

	for (const char *at = list; at && (at = strstr(at, what)); at += length)
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

static bool is_directory(const char *path)
{
	const char *directory = getenv("SUITES_DIRECTORY");

	return directory && path && !strcmp(path, directory);
}

/*
 * Whether a test made the file. The test's library makes files elsewhere, too, but by absolute
 * paths.
 */
static bool is_below(const char *path)
{
	const char *directory = getenv("SUITES_DIRECTORY");

	return path[0] != '/' || (directory && !strncmp(path, directory, strlen(directory)));
}

/* If calls of this name are refused, undoes the call, and fails with EPERM. */
static int refuse(const char *what, int result, int at, const char *path, int flags)
{
	if (result < 0 || !refuses(what))
		return result;
	unlinkat(at, path, flags);
	errno = EPERM;
	return -1;
}

int mkdirat(int at, const char *path, mode_t mode)
{
	return refuse("mkdir", NEXT(mkdirat)(at, path, mode), at, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char *target, int at, const char *path)
{
	return refuse("symlink", NEXT(symlinkat)(target, at, path), at, path, 0);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

int linkat(int from, const char *old, int at, const char *path, int flags)
{
	return refuse("link", NEXT(linkat)(from, old, at, path, flags), at, path, 0);
}

int link(const char *old, const char *path)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, path, 0);
}

static const char *node_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFBLK:
	case S_IFCHR:
		return "device";
	default:
		return "file";
	}
}

int mknodat(int at, const char *path, mode_t mode, dev_t device)
{
	return refuse(node_name(mode), NEXT(mknodat)(at, path, mode, device), at, path, 0);
}

int mknod(const char *path, mode_t mode, dev_t device)
{
	return mknodat(AT_FDCWD, path, mode, device);
}

int mkfifoat(int at, const char *path, mode_t mode)
{
	return mknodat(at, path, S_IFIFO | mode, 0);
}

int mkfifo(const char *path, mode_t mode)
{
	return mkfifoat(AT_FDCWD, path, mode);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int result = NEXT(bind)(fd, address, length);
	const struct sockaddr_un *local = (const struct sockaddr_un *)address;

	if (result < 0 || address->sa_family != AF_UNIX || !local->sun_path[0])
		return result;
	return refuse("socket", result, AT_FDCWD, local->sun_path, 0);
}

/* Keeps the FIFO's read end open, at a number out of the way of those that a test expects. */
static void keep(int at, const char *path)
{
	int fd = NEXT(openat)(at, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	fcntl(fd, F_DUPFD_CLOEXEC, 500);
	close(fd);
}

static int open_or_make(int at, const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && is_below(path) && refuses("file")) {
		if (!NEXT(mkfifoat)(at, path, mode & 07777)) {
			keep(at, path);
			flags &= ~(O_CREAT | O_EXCL);
		} else if (errno != EEXIST) {
			return -1;
		}
	}
	return NEXT(openat)(at, path, flags, mode);
}

static mode_t take_mode(int flags, va_list list)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}

int openat(int at, const char *path, int flags, ...)
{
	mode_t mode;
	va_list list;

	va_start(list, flags);
	mode = take_mode(flags, list);
	va_end(list);
	return open_or_make(at, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list list;

	va_start(list, flags);
	mode = take_mode(flags, list);
	va_end(list);
	return open_or_make(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open_or_make(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* On 64-bit machines these are the same functions under other names. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int at, const char *path, int flags, ...) __attribute__((alias("openat")));
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

char *mkdtemp(char *template)
{
	const char *directory = getenv("SUITES_DIRECTORY");

	if (!directory || strlen(directory) > strlen(template))
		return NEXT(mkdtemp)(template);
	return strcpy(template, directory);
}

int rmdir(const char *path)
{
	return is_directory(path) ? 0 : NEXT(rmdir)(path);
}

int remove(const char *path)
{
	return is_directory(path) ? 0 : NEXT(remove)(path);
}

int chmod(const char *path, mode_t mode)
{
	return is_directory(path) ? 0 : NEXT(chmod)(path, mode);
}

int chown(const char *path, uid_t owner, gid_t group)
{
	return is_directory(path) ? 0 : NEXT(chown)(path, owner, group);
}
