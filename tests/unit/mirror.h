/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory info/ of a tree with one pipe, one queue and one region. The tree belongs to root.
 */
#ifndef TESTS_UNIT_MIRROR_H
#define TESTS_UNIT_MIRROR_H

#include <stdbool.h>

#include "lib/channel/channel.h"

/* The text that was read last. */
extern char mirror_text[65536];
/* Whether the read of that text had to wait for a worker. */
extern bool mirror_was_awaited;

/* Makes the tree, with pipes/p, queues/q and shm/s. */
void mirror_make(void);
void mirror_free(void);

/* Returns the space of pipes (0), of queues (1) or of shm (2). */
struct space *mirror_space(unsigned i);

/* Looks up a path in info/. */
int mirror_find(const char *path, struct entry *ret_entry);
/* Looks up a name in a directory of info/. */
int mirror_find_in(struct space *space, const char *name, struct entry *ret_entry);

/* Reads the text at `path`, which must exist, into mirror_text. Returns 0, or why open(2) fails. */
int mirror_look_as(struct caller *caller, const char *path);
/* The same as root; the open must not fail. */
void mirror_look(const char *path);

/* Expects mirror_text to have this line. */
void mirror_expect(const char *line);
/* Expects mirror_text not to contain these words. */
void mirror_expect_no(const char *words);

#endif
