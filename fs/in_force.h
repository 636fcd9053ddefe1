/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options in force at a mount, as far as no remount can change them.
 *
 * mount(8) hands a remount all the options of a line of fstab(5), so those that are as they were
 * must be accepted. Any other would be ignored without a word, and is refused; so is one that was
 * not given at the mount, even with its default. The kernel shows none of them, so the daemon does,
 * to root and to its own user: in an extended attribute of the mount's directories, which is not
 * listed. allow_other is not among them, because the kernel shows it.
 */
#ifndef IPCFS_IN_FORCE_H
#define IPCFS_IN_FORCE_H

#include <sys/types.h>
#include <sys/uio.h>

#include "fs/options.h"

#define IN_FORCE_XATTR "system.ipcfs.options"

/* Adds a line to options::lasting. Fails with -ENOMEM. */
int in_force_note(struct options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds a word, without the quotes that mount(8) sometimes puts around a value. */
int in_force_note_word(struct options *options, const char *word);

/* Adds the options that are known only once all have been read. Fails with -ENOMEM. */
int in_force_note_rest(struct options *options);

/* Returns the attribute's value, as getxattr(2) does; without room, its size. -ERANGE */
ssize_t in_force_get(const struct options *options, const struct iovec *room);

/*
 * Checks that a remount with these options changes none of those in force at their mount point.
 * `allows_others`: the mount has allow_other. Fails with -EINVAL after a line in the log.
 */
int in_force_check(const struct options *options, bool allows_others);

#endif
