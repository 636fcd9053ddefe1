/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait, in pieces of memory that outlives the daemon.
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

/*
 * What is in the object's record. The bytes that wait are those from `taken` up to `put` of all
 * that ever came, so one store puts or takes any number of bytes.
 */
struct store_record {
	uint64_t first; /* the first piece, its offset in the state; 0: none */
	uint64_t put;   /* bytes that were ever put */
	uint64_t taken; /* bytes that were ever taken */
};

struct store {
	struct host *host;
	struct store_record *record;
	uid_t uid;                /* the user who is charged */
	size_t capacity;          /* bytes that may wait */
	uint64_t put;             /* as in the record; during store_put() it runs ahead of that */
	struct store_piece *last; /* NULL: no piece; only the last may be empty */
};

/* Initialises an empty store with a capacity of 1 MiB. The record is borrowed, and all zeroes. */
void store_init(struct store *store, struct host *host, uid_t uid, struct store_record *record);

/*
 * For the next daemon: as store_init(), but takes over what the record tells of. Fails with -EPROTO
 * if it can't be right: then the record has nothing any more. Or fails with -ENOMEM.
 */
int store_adopt(struct store *store, struct host *host, uid_t uid, struct store_record *record);
/*
 * For the next daemon, if what has the store can't be adopted because of an error (-errno). After
 * -ENOMEM the record keeps its bytes, for a daemon that has more memory; else they are thrown away.
 */
void store_abandon(struct store *store, int error);

/* Returns how many bytes wait. */
static inline size_t store_bytes(const struct store *store)
{
	return (size_t)(store->put - store->record->taken);
}

/* Throws away the waiting bytes, and frees all memory. */
void store_empty(struct store *store);

/*
 * Accepts as many bytes as there is room for, and returns how many. Fails with -EAGAIN if there is
 * no room, or with -ENOMEM. Bytes that lie in `buffer` may stay there; if `buffer` is NULL, all
 * bytes are copied.
 */
ssize_t store_put(struct store *store, const char *data, size_t size, struct buffer *buffer);

/* Copies up to `size` of the waiting bytes, and takes none of them. Returns how many. */
size_t store_copy(const struct store *store, char *data, size_t size);

/*
 * Points `pieces` to up to `size` waiting bytes, which stay there until store_drop(). Returns how
 * many bytes.
 */
size_t store_lend(const struct store *store, size_t size, struct pieces *pieces);
/* Drops `size` bytes, or all if fewer wait. */
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
