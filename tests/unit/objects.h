/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of a space and their files, made as root and used in one line each. The test releases
 * whatever is returned: object_unref, object_close.
 */
#ifndef TESTS_UNIT_OBJECTS_H
#define TESTS_UNIT_OBJECTS_H

#include "lib/channel/channel.h"

#define object_unref channel_unref
#define object_close channel_release

/* Calls space_create() without a selector, and repeats the call for as long as it has to wait. */
int object_create_set(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct channel **ret_channel);
/* The same, without settings. */
int object_create(struct space *space, const char *name, mode_t mode, struct caller *caller,
		  struct channel **ret_channel);
/*
 * Calls space_lookup() as root for an object, without a selector. If ret_channel is NULL, the
 * channel is released again.
 */
int object_lookup(struct space *space, const char *name, struct channel **ret_channel);

/* Makes a new object with mode 0600. */
struct channel *object_make(struct space *space, const char *name);
/* The same, with a value for the kind's parameter `index`. */
struct channel *object_make_set(struct space *space, const char *name, unsigned index,
				uint64_t value);
struct channel *object_find(struct space *space, const char *name);

struct file *object_open(struct channel *channel, int flags);
/* Calls channel_open() without a selector. */
int object_open_as(struct channel *channel, int flags, struct caller *caller,
		   struct file **ret_file);
struct file *object_open_selected(struct channel *channel, int flags, unsigned long selector);
/* Makes an object and opens it. Only the file refers to the object then. */
struct file *object_make_open(struct space *space, const char *name, int flags);

struct stat object_stat(struct channel *channel);
/*
 * Returns what the object's kind tells the caller in its status, as lines `KEY VALUE`. Valid until
 * the next call.
 */
const char *object_status(struct channel *channel, struct caller *caller);
int object_chmod(struct channel *channel, mode_t mode, struct caller *caller);
int object_truncate(struct channel *channel, off_t size, struct caller *caller);

/* Calls channel_read() at position 0 for up to `size` bytes, and drops the data. */
ssize_t file_try_read(struct file *file, size_t size);
/* Writes this text, whole. */
void file_put(struct file *file, const char *text);
/* Expects a read of up to `size` bytes to give this text. */
void file_expect(struct file *file, size_t size, const char *text);
/*
 * Writes pieces of `size` zeroes until no more is accepted. Returns how many bytes were accepted.
 */
size_t file_fill(struct file *file, size_t size);

/* Returns how many names the space lists. */
int space_count(struct space *space);
/* Returns how often the space lists `name`, and sets *ret_ino and *ret_mode as listed. */
int space_list_find(struct space *space, const char *name, ino_t *ret_ino, mode_t *ret_mode);

#endif
