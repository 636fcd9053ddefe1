/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait, in pieces of memory.
 *
 * What comes in a large write stays in the buffer that it came in (lib/host/buffer.h); else it is
 * copied, and small writes lie one behind the other. There is memory only for what waits, but a
 * small piece that is left until store_empty(). Its user is charged all of it; one who has used up
 * USER_STORED gets room for 8 KiB, as pipe(7) has it for pipe-user-pages-soft.
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
	uid_t uid;                  /* who is charged */
	size_t capacity;            /* bytes that may wait */
	size_t bytes;               /* that wait */
	struct store_piece *pieces; /* in order; each but the last has some of them */
};

/* An empty one, with a capacity of 1 MiB. */
void store_init(struct store *store, struct user_table *users, uid_t uid);

/* Throws away what waits, and all memory with it. */
void store_empty(struct store *store);

/*
 * Accepts as much as there is room for. -EAGAIN: none. -ENOMEM. What lies in `buffer` may stay
 * there; NULL: it can't.
 */
ssize_t store_put(struct store *store, const char *data, size_t size, struct buffer *buffer);

/* Takes up to `size` bytes. -EAGAIN: there are none. */
ssize_t store_take(struct store *store, char *data, size_t size);

/* Finds up to `size` bytes, where they lie until store_drop(): returns how many. */
size_t store_lend(const struct store *store, size_t size, struct pieces *pieces);
/* Takes away as many; there have to be as many. */
void store_drop(struct store *store, size_t size);

bool store_has_room(const struct store *store);

/* May it be given a smaller `capacity`? -EBUSY: more than that waits. */
int store_shrink(const struct store *store, size_t capacity);

/* Would the kernel give the caller a pipe of this capacity? -EPERM */
int store_check(size_t capacity, struct caller *caller);

/* Prints what waits, without taking it. */
int store_peek(const struct store *store, FILE *out);

#endif
