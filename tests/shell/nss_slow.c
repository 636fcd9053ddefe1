// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module of the name service switch whose accounts come as slowly as from a network, for
 * accounts.bats.
 *
 * It knows every name that ends in -N, and answers N: slow-1001 is user 1001 and group 1001. Of the
 * numbers, it knows 23xxx as slow-23xxx, and 24xxx as deaf-24xxx. It writes each lookup as a line
 * to the file `asked` in the directory $IPCFS_NSS. If a FIFO there has the name, it waits until
 * someone opens the FIFO for writing. For a name that begins with "deaf-" no signal ends that wait;
 * most real modules are like that.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum nss_status _nss_ipcfs_getpwnam_r(const char *name, struct passwd *ret_user, char *buffer,
				      size_t size, int *ret_error);
enum nss_status _nss_ipcfs_getgrnam_r(const char *name, struct group *ret_group, char *buffer,
				      size_t size, int *ret_error);

enum nss_status _nss_ipcfs_getpwuid_r(uid_t uid, struct passwd *ret_user, char *buffer, size_t size,
				      int *ret_error);
enum nss_status _nss_ipcfs_getgrgid_r(gid_t gid, struct group *ret_group, char *buffer, size_t size,
				      int *ret_error);

static void note(const char *directory, const char *sort, const char *name)
{
	char path[4096], line[256];
	int fd, n;

	snprintf(path, sizeof(path), "%s/asked", directory);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	n = snprintf(line, sizeof(line), "%s %s\n", sort, name);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* Returns false if the wait was interrupted. */
static int wait_for(const char *directory, const char *name)
{
	int is_deaf = strncmp(name, "deaf-", 5) == 0;
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	do {
		fd = open(path, O_RDONLY | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR && is_deaf);
	if (fd < 0)
		return errno == ENOENT;
	close(fd);
	return 1;
}

/* Does the work of both lookups: finds the number that the name stands for. */
static enum nss_status ask(const char *sort, const char *name, unsigned *ret_id, int *ret_error)
{
	const char *directory = getenv("IPCFS_NSS");
	const char *number = strrchr(name, '-');

	if (!directory || !number || number[1] < '0' || number[1] > '9')
		return NSS_STATUS_NOTFOUND;
	note(directory, sort, name);
	if (!wait_for(directory, name)) {
		*ret_error = EINTR;
		return NSS_STATUS_UNAVAIL;
	}
	*ret_id = (unsigned)strtoul(number + 1, NULL, 10);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_ipcfs_getpwnam_r(const char *name, struct passwd *ret_user, char *buffer,
				      size_t size, int *ret_error)
{
	static char empty[] = "";
	unsigned id;
	enum nss_status status = ask("user", name, &id, ret_error);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	snprintf(buffer, size, "%s", name);
	*ret_user = (struct passwd){buffer, empty, id, id, empty, empty, empty};
	return status;
}

enum nss_status _nss_ipcfs_getgrnam_r(const char *name, struct group *ret_group, char *buffer,
				      size_t size, int *ret_error)
{
	static char empty[] = "", *nobody[] = {NULL};
	unsigned id;
	enum nss_status status = ask("group", name, &id, ret_error);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	snprintf(buffer, size, "%s", name);
	*ret_group = (struct group){buffer, empty, id, nobody};
	return status;
}

/* Finds the name of a number: false if there is none. */
static int name_of(unsigned id, char *ret_name, size_t size)
{
	if (id / 1000 != 23 && id / 1000 != 24)
		return 0;
	snprintf(ret_name, size, "%s-%u", id / 1000 == 23 ? "slow" : "deaf", id);
	return 1;
}

enum nss_status _nss_ipcfs_getpwuid_r(uid_t uid, struct passwd *ret_user, char *buffer, size_t size,
				      int *ret_error)
{
	char name[32];

	if (!name_of(uid, name, sizeof(name)))
		return NSS_STATUS_NOTFOUND;
	return _nss_ipcfs_getpwnam_r(name, ret_user, buffer, size, ret_error);
}

enum nss_status _nss_ipcfs_getgrgid_r(gid_t gid, struct group *ret_group, char *buffer, size_t size,
				      int *ret_error)
{
	char name[32];

	if (!name_of(gid, name, sizeof(name)))
		return NSS_STATUS_NOTFOUND;
	return _nss_ipcfs_getgrnam_r(name, ret_group, buffer, size, ret_error);
}
