/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that mount(8), fstab(5) and systemd have for mounts of all sorts: what becomes of each.
 *
 * mount(8) keeps some to itself (exec, suid, dev, bind, x-*, ...) and hands others on, depending on
 * what else there is; by hand, and from other programs, all of them can come.
 */
#ifndef IPCFS_MOUNT_WORDS_H
#define IPCFS_MOUNT_WORDS_H

enum mount_word {
	MOUNT_WORD_OTHER,   /* it is not one of these */
	MOUNT_WORD_FLAG,    /* of the mount: noted in struct mount_flags */
	MOUNT_WORD_LASTING, /* libfuse or the kernel takes it, when it is mounted and never again */
	MOUNT_WORD_IGNORED, /* for somebody else, or without a meaning here */
	MOUNT_WORD_REFUSED, /* what it asks for there is not */
};

/* MS_*: those that words have turned on and off; the last word of each counts. */
struct mount_flags {
	unsigned long on, off;
};

/* *ret_reason is set for what is refused: a literal. */
enum mount_word mount_word_take(const char *word, struct mount_flags *flags,
				const char **ret_reason);

/*
 * Changes the flags of an ipcfs that is mounted there. All others stay; nosuid and nodev do in any
 * case. -EINVAL: there is none. -errno
 */
int mount_words_remount(const char *mount_point, const struct mount_flags *flags);

#endif
