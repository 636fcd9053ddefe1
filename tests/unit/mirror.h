/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory info/ of a tree that belongs to root, with one pipe, queue and region in it.
 */
#ifndef TESTS_UNIT_MIRROR_H
#define TESTS_UNIT_MIRROR_H

#include <stdbool.h>

#include "lib/channel/channel.h"

/* The text that was looked at last, and whether its read had to wait for a worker. */
extern char mirror_text[65536];
extern bool mirror_was_awaited;

/* Makes it, with pipes/p, queues/q and shm/s. */
void mirror_make(void);
void mirror_free(void);

/* The spaces of pipes, queues and shm, by their number. */
struct space *mirror_space(unsigned i);

/* Finds what `path` in info/ leads to, or what a name does in a directory there. */
int mirror_find(const char *path, struct entry *ret_entry);
int mirror_find_in(struct space *space, const char *name, struct entry *ret_entry);

/* Reads the text at `path`, which has to exist. Returns the error of its open. */
int mirror_look_as(struct caller *caller, const char *path);
void mirror_look(const char *path);

/* Expects the text to have that line, or not to have those words. */
void mirror_expect(const char *line);
void mirror_expect_no(const char *words);

#endif
