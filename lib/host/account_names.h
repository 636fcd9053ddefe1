/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of users and groups, for a table that people read.
 *
 * A name service may ask a network that does not answer. So the local files come first, and what is
 * not in them is asked for on threads that may sleep, within a time for all names together. What is
 * not known by then stays a number, in this table; an answer that comes later serves the next ones.
 */
#ifndef IPCFS_ACCOUNT_NAMES_H
#define IPCFS_ACCOUNT_NAMES_H

#include "lib/host/account.h"

/* The most users and groups of one table that are named. */
#define ACCOUNT_NAMES_MOST 256
/* Room for a name. A longer one counts as unknown: it would fill the line. */
#define ACCOUNT_NAME_SIZE 64

struct account {
	enum account_sort sort;
	uint32_t id;
	char name[ACCOUNT_NAME_SIZE]; /* "": unknown */
};

struct account_table {
	size_t n;
	struct account accounts[ACCOUNT_NAMES_MOST]; /* sorted */
};

/* All zeroes at first. */
struct account_names {
	struct account_table table;
	struct account asked; /* the one that is being asked for */
	size_t next;
	int64_t end; /* when to stop asking, CLOCK_MONOTONIC; 0: the files have not been read */
};

/* Adds an id, unless it is there already or there is no room. */
void account_names_add(struct account_names *names, enum account_sort sort, uint32_t id);

/*
 * Finds the names of what was added, as far as that can be done in time. Returns 0, or -EAGAIN or
 * -EINPROGRESS as job_run() does.
 */
int account_names_find(struct account_names *names, struct host *host, struct caller *caller);

/* Returns the name, or NULL if it is unknown. */
const char *account_names_get(const struct account_names *names, enum account_sort sort,
			      uint32_t id);

#endif
