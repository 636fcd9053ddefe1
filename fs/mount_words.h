/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that mount(8), fstab(5) and systemd have for mounts of all sorts, and what becomes of
 * each.
 *
 * mount(8) keeps some to itself (exec, suid, dev, bind, x-*, ...) and passes others on, depending
 * on what else is given; people and other programs may pass any of them.
 */
#ifndef IPCFS_MOUNT_WORDS_H
#define IPCFS_MOUNT_WORDS_H

#include <stdbool.h>

enum mount_word {
	MOUNT_WORD_OTHER,   /* not one of these */
	MOUNT_WORD_FLAG,    /* a flag of the mount: noted in struct mount_flags */
	MOUNT_WORD_LASTING, /* for libfuse or the kernel, which take it only when mounting */
	MOUNT_WORD_SHOWN,   /* shown by the kernel; mount(8) hands it back to a remount */
	MOUNT_WORD_IGNORED, /* for another program, or without meaning here */
	MOUNT_WORD_REFUSED, /* asks for something that does not exist here */
};

/* MS_* flags that words have turned on and off. For each flag the last word counts. */
struct mount_flags {
	unsigned long on, off;
};

/* Sets *ret_reason for a refused word, to a literal. */
enum mount_word mount_word_take(const char *word, struct mount_flags *flags,
				const char **ret_reason);

/* Returns the command that removes a dead mount of the user's; the mount point follows. */
const char *mount_words_undo(void);

/*
 * Gives the MS_* flags of the ipcfs that is mounted there, and whether it has allow_other. Fails
 * with -EINVAL if there is none, or with another -errno if the table of mounts can't be read.
 */
int mount_words_find(const char *mount_point, unsigned long *ret_flags, bool *ret_allows_others);

/*
 * Changes the flags of the ipcfs that is mounted there; `now` are its present flags. Flags that
 * `flags` does not name stay as they are, and nosuid and nodev always stay set. Fails with -errno.
 */
int mount_words_remount(const char *mount_point, unsigned long now,
			const struct mount_flags *flags);

#endif
