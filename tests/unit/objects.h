/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of a space and their files, made as root and used in one line each. Whatever is returned
 * is the test's to give back: object_unref, object_close.
 */
#ifndef TESTS_UNIT_OBJECTS_H
#define TESTS_UNIT_OBJECTS_H

#include "lib/channel/channel.h"

#define object_unref channel_unref
#define object_close channel_release

/* space_create without a selector, again for as long as it has to wait; and without settings. */
int object_create_set(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct channel **ret_channel);
int object_create(struct space *space, const char *name, mode_t mode, struct caller *caller,
		  struct channel **ret_channel);
/* space_lookup of an object, without a selector; ret_channel NULL: only tries. */
int object_lookup(struct space *space, const char *name, struct channel **ret_channel);

/* A new object with mode 0600, and one with a value for the kind's parameter `index`. */
struct channel *object_make(struct space *space, const char *name);
struct channel *object_make_set(struct space *space, const char *name, unsigned index,
				uint64_t value);
struct channel *object_find(struct space *space, const char *name);

struct file *object_open(struct channel *channel, int flags);
/* channel_open without a selector. */
int object_open_as(struct channel *channel, int flags, struct caller *caller,
		   struct file **ret_file);
struct file *object_open_selected(struct channel *channel, int flags, unsigned long selector);
/* Makes, opens and leaves the file as the only one who refers to it. */
struct file *object_make_open(struct space *space, const char *name, int flags);

struct stat object_stat(struct channel *channel);
/* Lines `KEY VALUE` of what only its kind tells the caller, until the next call. */
const char *object_status(struct channel *channel, struct caller *caller);
int object_chmod(struct channel *channel, mode_t mode, struct caller *caller);
int object_truncate(struct channel *channel, off_t size, struct caller *caller);

/* channel_read of up to `size` bytes at the start, into nowhere. */
ssize_t file_try_read(struct file *file, size_t size);
/* Writes this text, whole. */
void file_put(struct file *file, const char *text);
/* A read of up to `size` bytes gives this text. */
void file_expect(struct file *file, size_t size, const char *text);
/* Writes pieces of `size` zeroes until no more is accepted, and returns how many bytes were. */
size_t file_fill(struct file *file, size_t size);

/* Names that the space lists. */
int space_count(struct space *space);
/* How often it lists `name`; *ret_ino and *ret_mode as listed. */
int space_list_find(struct space *space, const char *name, ino_t *ret_ino, mode_t *ret_mode);

#endif
