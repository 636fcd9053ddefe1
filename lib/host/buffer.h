/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that requests come in. What a request brings can stay where it is for as long as it
 * waits, instead of being copied.
 *
 * A buffer is large: requests come in it one behind the other, and while one byte of it is kept all
 * of it is. So each user who keeps something in it is charged all of it, as USER_STORED, once; and
 * only what is large is kept at all.
 */
#ifndef IPCFS_BUFFER_H
#define IPCFS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/host/user.h"

/* A huge page: the kernel finds its way in it sooner, page by page. */
#define BUFFER_SIZE ((size_t)2 << 20)
/* Less is copied sooner than it is kept, bytes. */
#define BUFFER_KEEP_LEAST ((size_t)32 << 10)

#define BUFFER_USERS  4
#define BUFFERS_SPARE 4

/* A user who keeps something. */
struct buffer_user {
	uid_t uid;
	unsigned n; /* times; 0: none */
};

struct buffer {
	struct buffers *buffers;
	char *memory; /* BUFFER_SIZE bytes, at a multiple of that */
	struct buffer_user users[BUFFER_USERS];
	unsigned n_kept;     /* times, by all */
	struct buffer *next; /* buffers::spares */
};

struct buffers {
	struct user_table *users;
	struct buffer *current; /* that requests come in */
	size_t end;             /* of what is kept in it, bytes */
	struct buffer *spares;
	unsigned n_spares;
};

/* -ENOMEM; buffers_fini() in any case, when nothing is kept any more. */
int buffers_init(struct buffers *buffers, struct user_table *users);
void buffers_fini(struct buffers *buffers);

/*
 * Where the next request may come: in `current`, behind all that is kept, with room for one of
 * HOST_IO_MAX and what goes with it. The bytes of a write then begin at a page.
 */
char *buffers_next(struct buffers *buffers);

/*
 * Keeps `size` bytes of a buffer for a user, until buffer_release() for the same. False: they have
 * to be copied, because they are few, or lie elsewhere; there is no memory for the next request; or
 * the user has half of what may be stored in buffers already: the other half is for what takes no
 * more than it is long.
 */
bool buffer_keep(struct buffer *buffer, const char *data, size_t size, uid_t uid);
void buffer_release(struct buffer *buffer, uid_t uid);

#endif
