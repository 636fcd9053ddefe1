/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simplest object of cluster/, which can do nothing but be there, in the place of queues.
 */
#ifndef TESTS_UNIT_PLAIN_H
#define TESTS_UNIT_PLAIN_H

#include "lib/kinds/cluster/cluster.h"

extern const struct kind plain_kind;

struct plain_counts {
	unsigned n_made, n_unnamed, n_freed; /* objects */
	unsigned n_known;                    /* calls of host_remote::known */
	unsigned n_logged;                   /* lines */
};
extern struct plain_counts plain_counts;
/* Runs the loop until one of these counts has come to `n`. */
void plain_wait(const unsigned *count, unsigned n);

/* Opens the space. The link tries to reach this server, or one that does not exist (NULL). */
struct space *plain_open(const char *servers);
struct cluster *plain_cluster(void);

/* What an entry of root's with this mode, made at that second, would be. */
struct cluster_entry plain_entry(unsigned mode, int64_t created);
/* Tells of such an entry, as the watch does. */
void plain_see(const char *name, unsigned mode, int64_t created, uint64_t revision);
void plain_miss(const char *name, uint64_t revision);

/* Looks a name up, and waits for it as a request does. Returns NULL if there is no such object. */
struct cluster_object *plain_find(struct space *space, const char *name);

#endif
