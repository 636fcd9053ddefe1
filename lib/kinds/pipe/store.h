/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait, in pieces of memory.
 *
 * The bytes of a large write stay in the buffer that they came in (lib/host/buffer.h). Other bytes
 * are copied, small writes one after another into the same piece. There is memory only for what
 * waits, except for one small piece that may be left until store_empty(). All of it is charged to
 * the store's user. A user who has used up USER_STORED still gets room for 8 KiB, as pipe(7)
 * describes for pipe-user-pages-soft.
 */
#ifndef IPCFS_STORE_H
#define IPCFS_STORE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/channel/channel.h"
#include "lib/host/buffer.h"
#include "lib/host/caller.h"
#include "lib/host/user.h"

struct store {
	struct user_table *users;
	uid_t uid;                  /* the user who is charged */
	size_t capacity;            /* bytes that may wait */
	size_t bytes;               /* bytes that wait now */
	struct store_piece *pieces; /* in order; only the last may be empty */
};

/* Initialises an empty store with a capacity of 1 MiB. */
void store_init(struct store *store, struct user_table *users, uid_t uid);

/* Throws away the waiting bytes, and frees all memory. */
void store_empty(struct store *store);

/*
 * Accepts as many bytes as there is room for, and returns how many. Fails with -EAGAIN if there is
 * no room, or with -ENOMEM. Bytes that lie in `buffer` may stay there; if `buffer` is NULL, all
 * bytes are copied.
 */
ssize_t store_put(struct store *store, const char *data, size_t size, struct buffer *buffer);

/* Takes up to `size` bytes. -EAGAIN: none wait. */
ssize_t store_take(struct store *store, char *data, size_t size);

/*
 * Points `pieces` to up to `size` waiting bytes, which stay there until store_drop(). Returns how
 * many bytes.
 */
size_t store_lend(const struct store *store, size_t size, struct pieces *pieces);
/* Drops `size` bytes; at least that many must wait. */
void store_drop(struct store *store, size_t size);

bool store_has_room(const struct store *store);

/* Returns 0 if `capacity` is enough for the waiting bytes, else -EBUSY. */
int store_shrink(const struct store *store, size_t capacity);

/* Returns the capacity that an unprivileged user may give a pipe: /proc/sys/fs/pipe-max-size. */
size_t store_max(void);

/* Returns 0 if the kernel would give the caller a pipe of this capacity, else -EPERM. */
int store_check(size_t capacity, struct caller *caller);

/* Prints the waiting bytes without taking them. */
int store_peek(const struct store *store, FILE *out);

#endif
