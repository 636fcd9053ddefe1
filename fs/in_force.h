/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options in force at a mount, as far as no remount can change them.
 *
 * mount(8) hands a remount all the options of a line of fstab(5), so those that are as they were
 * must be accepted. Any other would be ignored without a word, and is refused. The kernel shows
 * none of them, so the daemon tells: in an extended attribute of the root, which is not listed.
 */
#ifndef IPCFS_IN_FORCE_H
#define IPCFS_IN_FORCE_H

#include <sys/types.h>
#include <sys/uio.h>

#include "fs/options.h"

#define IN_FORCE_XATTR "system.ipcfs.options"

/* Adds a line to options::lasting. 0, or -1 without memory. */
int in_force_note(struct options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds a word as it is, but for quotes: mount(8) puts some about a value, and not every time. */
int in_force_note_word(struct options *options, const char *word);

/* Adds what the options have come to that are not noted as they are taken. 0 or -ENOMEM */
int in_force_note_rest(struct options *options);

/* The value of that attribute, as getxattr(2) would give it: `room` NULL asks for the size. */
ssize_t in_force_get(const struct options *options, const struct iovec *room);

/*
 * Whether a remount by these options leaves all that is lasting as it is at their mount point.
 * Returns 0, or -EINVAL after a line in the log.
 */
int in_force_check(const struct options *options);

#endif
