/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections: channels whose object is a socket made for the process that opened them.
 *
 * Each lookup of an address gives a channel of its own, and its first open makes the connection.
 * Opening that again, as /dev/fd/N, shares the connection. When the last writer has closed it while
 * readers remain, the other end sees end-of-file. All kinds of sockets share this code. They differ
 * in how they get the socket.
 */
#ifndef IPCFS_CONNECTION_H
#define IPCFS_CONNECTION_H

#include <limits.h>
#include <uthash.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "lib/channel/readiness.h"
#include "lib/kinds/socket/dial.h"
#include "lib/kinds/socket/tally.h"

/* With '#' and a number appended, a label is still a file name. A longer one keeps its end. */
#define CONNECTION_LABEL_MAX (NAME_MAX - 11)

/* What outlives the daemon, of an open connection. */
struct connection_notes {
	struct tally tally;
	uint64_t socket;      /* its inode number */
	uint64_t accepted_by; /* connection::accepted_by */
	uint32_t number;
	uid_t uid; /* the opener */
	gid_t gid;
	char label[CONNECTION_LABEL_MAX + 1];
};

struct connection {
	struct channel channel;
	struct attributes *attributes; /* from its first open on, in its record */
	struct attributes own;
	struct connection_notes *notes; /* while it is open, in a block of the state; else NULL */
	bool is_adopted;                /* it can't be opened once more after it was closed */
	bool is_unclaimed;              /* adopted, and nobody has said yet to have it open */
	uint64_t accepted_by;           /* its server in host::objects; 0: none has accepted it */
	struct dial_target target;      /* what an open dials; the address is owned */
	struct dial *dial;              /* under way; else NULL */
	struct readiness ready;         /* of the socket; fd -1: there is none yet, or no longer */
	bool is_connecting;             /* the kernel is still connecting the socket */
	bool is_unix;                   /* it is a Unix socket */
	bool takes_rights;              /* a Unix socket that can't refuse descriptors */
	pid_t writer;           /* Unix socket: the process that wrote last, for credentials.h */
	int error;              /* -errno: why there is none, or why the last address failed */
	struct caller opener;   /* while it is open */
	char *label;            /* its name in info/ while it is open, without the number */
	struct channel *origin; /* its server, a reference; or NULL */
	struct connection *prev, *next; /* server::waiting */
	struct connections *list;       /* the list that shows it: channel::space */
	unsigned number;                /* in that list; 0: it is not open */
	UT_hash_handle hh;              /* connections::open, by number */
	ino_t socket;                   /* inode number of the socket */
	ino_t peer;                     /* inode number of a Unix socket's other end, once known */
	UT_hash_handle by_socket;       /* host::connected */
};

struct connections;

/*
 * Makes a connection that is not open yet. `ops` holds the functions below, or wrappers of them. An
 * open dials a copy of `target`; NULL: the kind provides the socket itself. `label` names it in
 * info/.
 */
int connection_new(const struct channel_ops *ops, struct connections *list, const char *label,
		   const struct dial_target *target, struct connection **ret_connection);

struct connection *connection_from(struct channel *channel);

/* Returns the descriptor of the socket, or -1. */
int connection_fd(const struct connection *connection);

/* Takes over the socket `fd`; or fd is -1, and `result` says why, -errno. Wakes all waiters. */
void connection_set(struct connection *connection, int fd, int result);

/* Returns 0 if there is a socket, -EAGAIN if there will be one, or the reason why there is none. */
int connection_ready(const struct connection *connection);

/* Finds out the type of the socket, which is known only once there is one. */
void connection_take_type(struct connection *connection);

/* Closes the socket: for a kind whose own open fails after connection_open(). */
void connection_close(struct connection *connection);

/*
 * connection_adopt.c: makes room for the notes of a connection that is being opened. Fails with
 * -ENOMEM.
 */
int connection_remember(struct connection *connection);
/* Drops the notes. The next daemon finds no connection then. */
void connection_forget(struct connection *connection);
/* For channel_ops::adopt, of a kind with other operations. */
int connection_adopt_as(const struct channel_ops *ops, struct space *space,
			struct object_record *record, struct channel **ret_channel);

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
void connection_save(struct channel *channel, struct object_record *record);
int connection_adopt(struct space *space, struct object_record *record,
		     struct channel **ret_channel);
int connection_adopt_file(struct file *file);
uint64_t connection_accepted(struct channel *channel);
ssize_t connection_recall(struct file *file, void *data);

/* The traits of every connection that has no socket yet. */
#define CONNECTION_TRAITS                                                   \
	(CHANNEL_CHANGES_BY_OPEN | CHANNEL_HAS_NO_LOCKS | CHANNEL_HAS_TAP | \
	 CHANNEL_LASTS_WHILE_OPEN)

/* The table for a kind of connections. Any other table has at least the same read. */
extern const struct channel_ops connection_ops;

#endif
