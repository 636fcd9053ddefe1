// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nobody can connect before listen(2). So a socket file that others could have moved is first
 * checked to be where its path leads (place.c).
 */
#include "lib/kinds/socket/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/walk.h"
#include "lib/host/sock_diag.h"
#include "lib/kinds/socket/place.h"
#include "lib/kinds/socket/unix_socket.h"

#define UNIX     "unix:"
#define ABSTRACT "abstract:"
#define TCP      "tcp:"

/* Returns what follows the prefix, or NULL if the address has another one or nothing follows. */
static const char *after(const char *address, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(address, prefix, length) == 0 && address[length] ? address + length : NULL;
}

int listener_has_path(const char *address)
{
	const char *path = after(address, UNIX);

	if (path)
		return *path == '/' ? 1 : -EINVAL;
	return after(address, ABSTRACT) || after(address, TCP) ? 0 : -EINVAL;
}

bool listener_is_same(const char *asked, const char *address)
{
	const char *port = strrchr(asked, ':');

	if (!after(asked, TCP) || strcmp(port, ":0") != 0)
		return strcmp(asked, address) == 0;
	return strncmp(asked, address, (size_t)(port + 1 - asked)) == 0 &&
	       !strchr(address + (port + 1 - asked), ':');
}

static int new_socket(int family, const struct listener *listener)
{
	int type = listener->type | SOCK_NONBLOCK;
	int fd;

	/* Accepted sockets inherit this from the listener, even before they are accepted. */
	if (family == AF_UNIX)
		return unix_socket(type, listener->takes_rights);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int bind_to(int fd, const void *address, size_t size)
{
	return bind(fd, address, (socklen_t)size) < 0 ? -errno : 0;
}

/* Whether the name is a socket file at which nobody listens. */
static bool is_stale(int dir_fd, const char *name, int type, struct stat *ret_attr)
{
	CLEANUP_FD int there = walk_open(dir_fd, name, O_PATH | O_NOFOLLOW);
	CLEANUP_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (there < 0 || fd < 0 || fstat(there, ret_attr) < 0 || !S_ISSOCK(ret_attr->st_mode))
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", there);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
	       errno == ECONNREFUSED;
}

bool listener_remove_stale(int dir_fd, const char *name, int type)
{
	struct stat stale, now;

	if (is_stale(dir_fd, name, type, &stale) &&
	    fstatat(dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == stale.st_ino &&
	    unlinkat(dir_fd, name, 0) == 0)
		return true;
	return fstatat(dir_fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/*
 * Opens the socket file of that name, if `socket` is bound to it. Where only the daemon can write,
 * it always is. That case runs on the loop, so the kernel is not asked: it would go through all
 * sockets of the machine.
 */
static int open_bound(const struct listener *listener, int socket, int dir_fd, const char *name)
{
	CLEANUP_FD int fd = walk_open(dir_fd, name, O_PATH | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return fd;
	r = listener->is_here ? 0 : sock_diag_is_bound_to(socket, fd);
	return r < 0 ? r : TAKE_FD(fd);
}

static int bind_path(struct listener *listener, int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP_FD int dir_fd = -1;
	struct stat attr;
	const char *name;
	int r;

	if (strlen(listener->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, listener->path);
	dir_fd = place_open(listener->path, &name);
	if (dir_fd < 0)
		return dir_fd;
	/* The file will get the socket's mode (net/unix/af_unix.c, unix_bind_bsd). */
	if (fchmod(fd, listener->mode & 0777) < 0)
		return -errno;
	r = bind_to(fd, &address, sizeof(address));
	if (r == -EADDRINUSE && listener_remove_stale(dir_fd, name, listener->type))
		r = bind_to(fd, &address, sizeof(address));
	if (r < 0)
		return r;
	listener->path_fd = open_bound(listener, fd, dir_fd, name);
	if (listener->path_fd < 0)
		return listener->path_fd;
	if (fstat(listener->path_fd, &attr) < 0)
		return -errno;
	listener->dev = attr.st_dev;
	listener->ino = attr.st_ino;
	return 0;
}

static int bind_abstract(const char *name, int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(name);

	if (size >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path + 1, name, size);
	return bind_to(fd, &address, offsetof(struct sockaddr_un, sun_path) + 1 + size);
}

/* Parses HOST:PORT. It resolves no names, because on the loop it can't wait for the network. */
static int find_tcp(const char *address, struct addrinfo **ret_found)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	const char *colon = strrchr(address, ':');
	CLEANUP_FREE char *copy = colon ? strndup(address, (size_t)(colon - address)) : NULL;
	const char *host = copy;

	/* getaddrinfo(3) accepts larger ports, and truncates them. */
	if (!colon || !colon[1] || strtoul(colon + 1, NULL, 10) > UINT16_MAX)
		return -EINVAL;
	if (!copy)
		return -ENOMEM;
	if (copy[0] == '[' && copy[strlen(copy) - 1] == ']') {
		copy[strlen(copy) - 1] = '\0';
		host = copy + 1;
	}
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	else if (strcmp(host, "*") == 0)
		host = NULL;
	switch (getaddrinfo(host, colon + 1, &hints, ret_found)) {
	case 0:
		return 0;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static int bind_tcp(const struct addrinfo *address, struct listener *listener)
{
	CLEANUP_FD int fd = new_socket(address->ai_family, listener);
	const int yes = 1, no = 0;
	int r;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
		return -errno;
	if (address->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0)
		return -errno;
	r = bind_to(fd, address->ai_addr, address->ai_addrlen);
	if (r == 0)
		listener->fd = TAKE_FD(fd);
	return r;
}

static int open_tcp(const char *address, struct listener *listener)
{
	struct addrinfo *found, *each;
	int r;

	if (listener->type != SOCK_STREAM)
		return -EINVAL;
	listener->takes_rights = false;
	r = find_tcp(address, &found);
	if (r < 0)
		return r;
	/* `*` is an IPv6 socket, which takes IPv4 as well, where the machine has IPv6. */
	for (each = found; each->ai_next && each->ai_family != AF_INET6;)
		each = each->ai_next;
	r = bind_tcp(each, listener);
	if (r == -EAFNOSUPPORT || (r == -EADDRNOTAVAIL && each != found))
		r = bind_tcp(found, listener);
	freeaddrinfo(found);
	return r;
}

static int open_unix(struct listener *listener)
{
	const char *path = after(listener->address, UNIX);
	CLEANUP_FD int fd = new_socket(AF_UNIX, listener);
	int r;

	if (fd < 0)
		return fd;
	if (path)
		strcpy(listener->path, path);
	r = path ? bind_path(listener, fd) : bind_abstract(after(listener->address, ABSTRACT), fd);
	if (r == 0)
		listener->fd = TAKE_FD(fd);
	return r;
}

static int start(struct listener *listener)
{
	int r;

	if (listen(listener->fd, listener->backlog) == 0)
		return 0;
	r = -errno;
	listener_close(listener);
	return r;
}

/* Gives the numbers to dial: its host and its port. */
static int name_tcp(const struct listener *listener, char *host, size_t host_size, char *port)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);

	if (listener->fd < 0 || getsockname(listener->fd, (struct sockaddr *)&bound, &size) < 0 ||
	    getnameinfo((struct sockaddr *)&bound, size, host, (socklen_t)host_size, port,
			sizeof("65535"), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return -ENXIO;
	return 0;
}

/* Puts the port into the address, in case the kernel chose it. */
static void tell_port(struct listener *listener)
{
	char host[NI_MAXHOST], port[sizeof("65535")];
	char *colon = strrchr(listener->address, ':');

	if (name_tcp(listener, host, sizeof(host), port) == 0 &&
	    colon + sizeof(port) < listener->address + sizeof(listener->address))
		strcpy(colon + 1, port);
}

int listener_target(const struct listener *listener, char address[LISTENER_ADDRESS_MAX],
		    struct dial_target *ret_target)
{
	const char *name = after(listener->address, ABSTRACT);
	char host[NI_MAXHOST], port[sizeof("65535")];

	*ret_target = (struct dial_target){
		.connect = dial_unix, .address = address, .type = listener->type};
	if (listener->fd < 0)
		return -ENXIO;
	if (after(listener->address, TCP)) {
		if (name_tcp(listener, host, sizeof(host), port) < 0)
			return -ENXIO;
		ret_target->connect = dial_inet;
		ret_target->size =
			(size_t)snprintf(address, LISTENER_ADDRESS_MAX, "%.200s/%s", host, port);
	} else if (name) {
		address[0] = '\0';
		strcpy(address + 1, name);
		ret_target->size = strlen(name) + 1;
	} else {
		strcpy(address, after(listener->address, UNIX));
		ret_target->size = strlen(address);
	}
	return 0;
}

int listener_open(struct listener *listener)
{
	const char *tcp = after(listener->address, TCP);
	int r = listener_has_path(listener->address);

	listener->fd = listener->path_fd = -1;
	if (r < 0)
		return r;
	r = tcp ? open_tcp(tcp, listener) : open_unix(listener);
	if (r == 0)
		r = start(listener);
	if (r == 0 && tcp)
		tell_port(listener);
	return r;
}

int listener_open_for(struct listener *listener, struct caller *caller)
{
	int r;

	listener->fd = listener->path_fd = -1;
	r = open_unix(listener);
	if (r == 0 && fchownat(listener->path_fd, "", caller->uid, caller->gid, AT_EMPTY_PATH) < 0)
		r = -errno;
	/* Clients see whoever calls listen(2) as the other end (SO_PEERCRED). */
	if (r == 0)
		r = caller_enter(caller);
	if (r < 0) {
		listener_close(listener);
		return r;
	}
	r = start(listener);
	caller_leave();
	return r;
}

void listener_remove(const struct listener *listener)
{
	CLEANUP_FD int dir_fd = -1;
	struct stat ours, there;
	const char *name;

	if (listener->path_fd < 0 || fstat(listener->path_fd, &ours) < 0)
		return;
	dir_fd = place_open(listener->path, &name);
	if (dir_fd >= 0 && fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
		unlinkat(dir_fd, name, 0);
}

void listener_close(struct listener *listener)
{
	listener_remove(listener);
	if (listener->fd >= 0)
		close(TAKE_FD(listener->fd));
	if (listener->path_fd >= 0)
		close(TAKE_FD(listener->path_fd));
}
