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
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

#include "lib/base/state.h"
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
	char *memory;   /* BUFFER_SIZE bytes */
	uint64_t place; /* what `memory` is known by: buffers_place() */
	struct buffer_user users[BUFFER_USERS];
	unsigned n_kept;     /* pieces kept by all users */
	struct buffer *next; /* buffers::spares */
	UT_hash_handle hh;   /* buffers::all, by place */
};

struct buffers {
	struct user_table *users;
	struct state *state;
	uint64_t *noted;        /* in the state: the place of `current`; 0: none */
	struct buffer *all;     /* a hash */
	struct buffer *current; /* the buffer that requests are read into */
	size_t end;             /* where the data kept in `current` ends, bytes */
	struct buffer *spares;
	unsigned n_spares;
};

/*
 * Returns BUFFER_SIZE bytes, in a huge page if the kernel has one. To be unmapped. NULL: there is
 * no memory.
 */
char *buffer_map(void);

/*
 * Begins without a buffer. All is borrowed. The buffers are in the state if that outlives this
 * process; else they are the process's own. `noted` is in the state, too, and 0 at first.
 */
void buffers_init(struct buffers *buffers, struct user_table *users, struct state *state,
		  uint64_t *noted);
/*
 * For the next daemon, before anything is adopted: takes over the buffer that the former one read
 * requests into. It has its memory, and new memory would take a millisecond. If that can't be done,
 * buffers_begin() makes another one.
 */
void buffers_claim(struct buffers *buffers);
/* Makes the first buffer, if there is none, once the state is settled. Fails with -ENOMEM. */
int buffers_begin(struct buffers *buffers);
/*
 * For the next daemon, before it reads a request into a buffer that it has taken over: has all
 * pages there.
 */
void buffers_hold(const struct buffers *buffers);
/* Frees the buffers. Nothing may be kept in them any more. */
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

/*
 * What a byte of a buffer is known by in records: its offset in the state, or its address if the
 * buffer is the process's own. buffers_data() returns where it is, as long as it is kept;
 * buffers_find() the buffer that has this buffer::place, or NULL.
 */
uint64_t buffers_place(const struct buffers *buffers, const char *data);
char *buffers_data(const struct buffers *buffers, uint64_t place);
struct buffer *buffers_find(struct buffers *buffers, uint64_t place);

/*
 * For the next daemon: keeps for the user what buffer_keep() has kept in the former one: `size`
 * bytes at `place`, of the buffer at `memory`. Returns the buffer; NULL if that can't be right, or
 * without memory.
 */
struct buffer *buffers_adopt(struct buffers *buffers, uint64_t memory, uint64_t place, size_t size,
			     uid_t uid);

#endif
