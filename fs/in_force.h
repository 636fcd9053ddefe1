/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a mount that no remount can change.
 *
 * mount(8) passes all the options of a line of fstab(5) to a remount. So a remount accepts those of
 * these options that are in force already. It refuses any others, which would silently have no
 * effect; also one that was not given at the mount, even with its default. The kernel does not show
 * these options, so the daemon does, to root and to its own user: in an extended attribute of the
 * mount's directories, which listxattr(2) does not list. allow_other is not among them: the kernel
 * shows it.
 */
#ifndef IPCFS_IN_FORCE_H
#define IPCFS_IN_FORCE_H

#include <stdbool.h>

#include "fs/options.h"

#define IN_FORCE_XATTR "system.ipcfs.options"

/* Appends a line to options::lasting. Fails with -ENOMEM. */
int in_force_note(struct options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends a word without its quotes: mount(8) sometimes quotes a value, sometimes not. */
int in_force_note_word(struct options *options, const char *word);

/* Appends the options that are known only once all have been read. Fails with -ENOMEM. */
int in_force_note_rest(struct options *options);

/*
 * Compares the options of a remount with those in force at its mount point. `allows_others`: the
 * mount has allow_other. Returns 0 if the remount would change none of the lasting ones, else
 * -EINVAL after a line in the log.
 */
int in_force_check(const struct options *options, bool allows_others);

#endif
