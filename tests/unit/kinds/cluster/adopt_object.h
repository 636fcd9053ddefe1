/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object `news` of a cluster on a fake link, in a daemon that is killed, and in the next one.
 */
#ifndef TESTS_UNIT_ADOPT_OBJECT_H
#define TESTS_UNIT_ADOPT_OBJECT_H

#include "tests/unit/adopt.h"
#include "tests/unit/kinds/cluster/fake_object.h"

/* The request that was in hand. */
enum { REQUEST = 78 };

/* Opens the space, with the link up, and makes the object known. */
struct cluster_object *adopt_object(const struct kind *kind, enum cluster_sort sort);

/* The daemon is killed. The link of the next one is down. Returns its object, borrowed. */
struct cluster_object *adopt_next(const struct cluster_object *former);
/* The same, and the link comes up, and the bucket's watch tells of the object. */
struct cluster_object *adopt_next_up(const struct cluster_object *former);

/* The watch tells of all objects: of this one, made at that second; 0: of none. */
void adopt_sweep(struct cluster *cluster, int64_t created);

/* Lends the next message to a reader, who is killed with the daemon before it is taken. */
void adopt_lend(struct file *file, const char *text);

/* Ends the test. */
void adopt_end(struct file *const files[]);

#endif
