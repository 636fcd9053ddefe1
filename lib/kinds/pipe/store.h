/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that wait, in a kernel pipe.
 *
 * The kernel pipe is there only while it is needed, begins small and grows as it fills, up to its
 * capacity. What it can hold is charged to its user; one who has used up USER_STORED gets pipes of
 * the least size, as pipe(7) has it for pipe-user-pages-soft.
 */
#ifndef IPCFS_STORE_H
#define IPCFS_STORE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/host/caller.h"
#include "lib/host/user.h"

struct store {
	struct user_table *users;
	uid_t uid;             /* who is charged */
	size_t capacity;       /* that it may grow to, bytes */
	size_t bytes;          /* that wait */
	size_t charged;        /* capacity of the kernel pipe, as far as it is charged */
	int read_fd, write_fd; /* -1 while there is none */
};

/* An empty one, with a capacity of 1 MiB. */
void store_init(struct store *store, struct user_table *users, uid_t uid);

/* Throws away what waits, and the kernel pipe with it. */
void store_empty(struct store *store);

/*
 * Accepts as much as there is room for. -EAGAIN: none. -ENFILE, -ENOMEM: no kernel pipe was to be
 * had.
 */
ssize_t store_put(struct store *store, const char *data, size_t size);

/* Takes up to `size` bytes. -EAGAIN: there are none. */
ssize_t store_take(struct store *store, char *data, size_t size);

bool store_has_room(const struct store *store);

/* Makes a kernel pipe that is larger than `capacity` smaller. -EBUSY: more than that waits. */
int store_shrink(struct store *store, size_t capacity);

/* Would the kernel give the caller a pipe of this capacity? -EPERM */
int store_check(size_t capacity, struct caller *caller);

/* Prints what waits, without taking it. */
int store_peek(const struct store *store, FILE *out);

#endif
