/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows of sockets, by sock_diag(7): who listens, and what is at the other end.
 *
 * All of it is of the network namespace that the daemon is in. A kernel without the protocol's
 * sock_diag has nothing to tell: -ENOENT.
 */
#ifndef IPCFS_SOCK_DIAG_H
#define IPCFS_SOCK_DIAG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A name in the abstract namespace, without the NUL before it; false ends the listing. */
typedef bool sock_diag_name_fn(void *data, const char *name, size_t size);

/* Calls `each` for every abstract Unix address at which somebody can be reached. */
int sock_diag_abstract(sock_diag_name_fn *each, void *data);

/* An address at which somebody can be reached; false ends the listing. */
typedef bool sock_diag_address_fn(void *data, const struct sockaddr *address);

/* The same for IPv4 and IPv6; `protocol` is IPPROTO_TCP or IPPROTO_UDP. */
int sock_diag_inet(int protocol, sock_diag_address_fn *each, void *data);

union sock_diag_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* By what the kernel finds the other end of a socket. */
struct sock_diag_ends {
	int family, protocol;
	ino_t ino;                           /* of a Unix socket */
	union sock_diag_address here, there; /* of another */
};

/* `ret_ends`: all zeroes. -ENOTCONN: it has no other end. */
int sock_diag_ends(int fd, struct sock_diag_ends *ret_ends);

/*
 * The socket at the other end, by its inode number, which is how /proc/PID/fd shows it. -ENOENT: it
 * is not on this machine, or there is none. For Unix sockets this takes the longer, the more of
 * them there are on the machine.
 */
int sock_diag_peer(const struct sock_diag_ends *ends, ino_t *ret_ino);

/*
 * The Unix sockets, by their inode numbers, that have to do with a file at which one is bound: that
 * one, those that were accepted there, and those at their other ends, also of who has not been
 * accepted yet. Returns how many; no more than `most` are put there. The file is known by the
 * device of stat(2) and by the kernel's own number. Goes through all sockets of the machine.
 */
ssize_t sock_diag_bound(dev_t dev, ino_t ino, ino_t *ret_inos, size_t most);

/*
 * Is the Unix socket bound to the file that is open there, by its inode number? 0 or -ESTALE; 0
 * where the kernel can't tell (before 5.14, or without sock_diag).
 */
int sock_diag_is_bound_to(int fd, int file_fd);

#endif
