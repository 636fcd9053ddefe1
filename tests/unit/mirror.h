/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory info/ of a tree that is the root's own, with one pipe, queue and region in it.
 */
#ifndef TESTS_UNIT_MIRROR_H
#define TESTS_UNIT_MIRROR_H

#include <stdbool.h>

#include "lib/channel/channel.h"

/* The text that was looked at last, and whether a worker has made it. */
extern char mirror_text[65536];
extern bool mirror_was_awaited;

/* With pipes/p, queues/q and shm/s. */
void mirror_make(void);
void mirror_free(void);

/* Of pipes, queues, shm, by its number. */
struct space *mirror_space(unsigned i);

/* What `path` in info/ leads to; and what a name does in a directory there. */
int mirror_find(const char *path, struct entry *ret_entry);
int mirror_find_in(struct space *space, const char *name, struct entry *ret_entry);

/* The text at `path`; or the error of its open. The path is there. */
int mirror_look_as(struct caller *caller, const char *path);
void mirror_look(const char *path);

/* The text has that line; and does not have those words. */
void mirror_expect(const char *line);
void mirror_expect_no(const char *words);

#endif
