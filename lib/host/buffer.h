/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that requests are read into. The data of a request can stay there for as long as the
 * request waits, instead of being copied.
 *
 * A buffer is large: requests are read into it one after another, and while one byte of the buffer
 * is kept, all of it is. So each user who keeps something in a buffer is charged for the whole
 * buffer, once, as USER_STORED; and only large data is kept at all.
 */
#ifndef IPCFS_BUFFER_H
#define IPCFS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/host/user.h"

/* The size of a huge page: within a huge page, the kernel finds each page sooner. */
#define BUFFER_SIZE ((size_t)2 << 20)
/* Copying less than this is cheaper than keeping it, bytes. */
#define BUFFER_KEEP_LEAST ((size_t)32 << 10)

/* How many users can keep something in one buffer. */
#define BUFFER_USERS 4
/* How many empty buffers stay. */
#define BUFFERS_SPARE 4

/* A user who keeps something in a buffer. */
struct buffer_user {
	uid_t uid;
	unsigned n; /* pieces kept; 0: the entry is unused */
};

struct buffer {
	struct buffers *buffers;
	char *memory; /* BUFFER_SIZE bytes, aligned to that */
	struct buffer_user users[BUFFER_USERS];
	unsigned n_kept;     /* pieces kept by all users */
	struct buffer *next; /* buffers::spares */
};

struct buffers {
	struct user_table *users;
	struct buffer *current; /* the buffer that requests are read into */
	size_t end;             /* where the data kept in `current` ends, bytes */
	struct buffer *spares;
	unsigned n_spares;
};

/*
 * Makes the first buffer. Fails with -ENOMEM. Either way, buffers_fini() must follow when nothing
 * is kept any more.
 */
int buffers_init(struct buffers *buffers, struct user_table *users);
void buffers_fini(struct buffers *buffers);

/*
 * Returns where to read the next request: in `current`, behind all that is kept, with room for
 * HOST_IO_MAX bytes of data and what comes with them. The data of a write then begins at a page
 * boundary.
 */
char *buffers_next(struct buffers *buffers);

/*
 * Keeps `size` bytes of a buffer for a user, until buffer_release() for the same user. Returns
 * false if the bytes have to be copied: they are few, or not in this buffer; too many users keep
 * something in it; there is no memory for the next request; or the user would go beyond half of the
 * USER_STORED limit. The other half is for copies, which take no more memory than they are long.
 */
bool buffer_keep(struct buffer *buffer, const char *data, size_t size, uid_t uid);
void buffer_release(struct buffer *buffer, uid_t uid);

#endif
