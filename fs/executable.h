/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file with which a mount is to go on: it has the rights of the supervisor, so nobody else may
 * be able to change it or to put it there; and what is executed is what was asked.
 */
#ifndef IPCFS_EXECUTABLE_H
#define IPCFS_EXECUTABLE_H

#include <stdbool.h>
#include <stdint.h>

/* What a file is, and has in it, as far as the kernel tells. */
struct executable_id {
	uint64_t dev, ino, size;
	int64_t changed; /* st_ctim, ns */
};

/*
 * Opens the file for executable_run(), and returns its descriptor, which stays open there: a script
 * is read by it. Fails with -EPERM if it can't be trusted, or as open(2).
 */
int executable_open(const char *path, struct executable_id *ret_id);
bool executable_is_same(const struct executable_id *a, const struct executable_id *b);
/* The one that this process executes. Fails with -errno. */
int executable_own(struct executable_id *ret_id);

/* Executes the open file. Returns only if that fails, with -errno. */
int executable_run(int fd, char *const *argv);

/*
 * Executes the open file in a process, and compares what it prints. Returns its wait(2) status, or
 * -errno: -EPROTO if it has ended with status 0 but printed something else.
 */
int executable_ask(int fd, char *const *argv, const char *expected);

#endif
