/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: channels whose object is a socket that was made for the one who opened them.
 *
 * Each lookup of an address is a channel of its own, and its first open makes the connection. Who
 * opens it again, as /dev/fd/N, shares it; when the last of those that write has closed it while
 * others still read, the other end sees end-of-file. What is common to the kinds of sockets is
 * here: they differ in how one comes by the socket.
 */
#ifndef IPCFS_CONNECTION_H
#define IPCFS_CONNECTION_H

#include <uthash.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/channel/readiness.h"
#include "lib/kinds/socket/dial.h"

struct connection {
	struct channel channel;
	struct attributes attributes;
	struct dial_target target; /* what an open dials; the address is owned */
	struct dial *dial;         /* while it is under way */
	struct readiness ready;    /* of the socket; fd -1: there is none yet, or none any more */
	bool is_connecting;        /* the socket is not through yet */
	bool is_unix;              /* it is a Unix socket */
	bool takes_rights;         /* of one: it can't refuse descriptors */
	pid_t writer;              /* of one: the process that wrote last, for credentials.h */
	int error;                 /* why there is none, -errno; or why not the last address */
	struct caller opener;      /* while it is open */
	char *label;               /* by which info/ shows it while it is open */
	struct channel *origin;    /* the server that it is of, a reference, or NULL */
	struct connection *prev, *next; /* server::waiting */
	struct connections *list;       /* that shows it: channel::space */
	unsigned number;                /* there; 0: it is not open */
	UT_hash_handle hh;              /* connections::open, by number */
	ino_t socket;                   /* its inode's number */
	ino_t peer;                     /* that of the other end of a Unix one, once known */
	UT_hash_handle by_socket;       /* host::connected */
};

struct connections;

/*
 * Makes a connection, not open, whose ops are those below or begin with them. Copies of the target
 * are dialled; NULL: the kind provides the socket itself. `label` names it in info/.
 */
int connection_new(const struct channel_ops *ops, struct connections *list, const char *label,
		   const struct dial_target *target, struct connection **ret_connection);

struct connection *connection_from(struct channel *channel);

/* The descriptor of the socket, or -1. */
int connection_fd(const struct connection *connection);

/* The socket is there: `fd`, taken over, or why not, -errno. Wakes all waiters. */
void connection_set(struct connection *connection, int fd, int result);

/* 0 if there is a socket, -EAGAIN if there will be, or why there is none. */
int connection_ready(const struct connection *connection);

/* Closes the socket; for a kind whose open fails after connection_open(). */
void connection_close(struct connection *connection);

/* For struct channel_ops. */
void connection_destroy(struct channel *channel);
int connection_stat(struct channel *channel, struct stat *ret_attr);
int connection_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller);
int connection_open(struct file *file, struct caller *caller);
int connection_opened(struct file *file);
void connection_release(struct file *file);
ssize_t connection_read(struct file *file, void *data, size_t size, off_t offset);
ssize_t connection_write(struct file *file, const void *data, size_t size, off_t offset);
uint32_t connection_poll(struct file *file);
void connection_status(struct channel *channel, struct caller *caller, struct row *row);
int connection_peek(struct channel *channel, struct caller *caller, FILE *out);
int connection_footprint(struct channel *channel, struct caller *caller,
			 struct footprint *footprint);

/* The table of a kind of connections; others have at least its read. */
extern const struct channel_ops connection_ops;

#endif
