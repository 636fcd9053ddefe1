/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows about sockets, by sock_diag(7): where somebody listens, and which socket is
 * at the other end.
 *
 * Only the daemon's own network namespace is seen. A kernel without sock_diag for the protocol
 * answers -ENOENT.
 */
#ifndef IPCFS_SOCK_DIAG_H
#define IPCFS_SOCK_DIAG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * Called with a name in the abstract namespace, without the NUL before it. False ends the listing.
 */
typedef bool sock_diag_name_fn(void *data, const char *name, size_t size);

/* Calls `each` for every abstract Unix address at which somebody can be reached. */
int sock_diag_abstract(sock_diag_name_fn *each, void *data);

/* Called with an address at which somebody can be reached. False ends the listing. */
typedef bool sock_diag_address_fn(void *data, const struct sockaddr *address);

/* Calls `each` for every such IPv4 and IPv6 address. `protocol` is IPPROTO_TCP or IPPROTO_UDP. */
int sock_diag_inet(int protocol, sock_diag_address_fn *each, void *data);

union sock_diag_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* What the kernel needs to find the other end of a socket. */
struct sock_diag_ends {
	int family, protocol;
	ino_t ino;                           /* of a Unix socket */
	union sock_diag_address here, there; /* of any other socket */
};

/*
 * Finds out what sock_diag_peer() needs. *ret_ends must be all zeroes. Fails with -ENOTCONN if the
 * socket has no other end.
 */
int sock_diag_ends(int fd, struct sock_diag_ends *ret_ends);

/*
 * Finds the socket at the other end. *ret_ino is its inode number, as /proc/PID/fd shows it. Fails
 * with -ENOENT if there is no such socket on this machine. For a Unix socket this takes longer the
 * more Unix sockets there are on the machine.
 */
int sock_diag_peer(const struct sock_diag_ends *ends, ino_t *ret_ino);

/*
 * Finds the inode numbers of the Unix sockets that belong to a socket file: the socket that is
 * bound to the file, the sockets that were accepted there, and the sockets at their other ends,
 * including clients that have not been accepted yet. Returns how many there are, at most `most`.
 * The file is given by the device of stat(2) and by the kernel's own inode number. Goes through all
 * sockets of the machine.
 */
ssize_t sock_diag_bound(dev_t dev, ino_t ino, ino_t *ret_inos, size_t most);

/*
 * Returns 0 if the Unix socket is bound to the file that is open as `file_fd`, going by the file's
 * inode number, else -ESTALE. Returns 0 if the kernel can't tell (before 5.14, or without
 * sock_diag).
 */
int sock_diag_is_bound_to(int fd, int file_fd);

#endif
