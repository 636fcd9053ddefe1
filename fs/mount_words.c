// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of words; and a remount, which mount(2) does without the daemon. */
#include "fs/mount_words.h"

#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* Linux 5.10 */
#endif

static const struct {
	const char *word;
	unsigned long flag;
	bool is_on;
} flag_words[] = {
	{"ro", MS_RDONLY, true},
	{"-r", MS_RDONLY, true},
	{"rw", MS_RDONLY, false},
	{"noexec", MS_NOEXEC, true},
	{"exec", MS_NOEXEC, false},
	{"allow_exec", MS_NOEXEC, false}, /* mount(8) does not pass on "exec" */
	{"sync", MS_SYNCHRONOUS, true},
	{"async", MS_SYNCHRONOUS, false},
	{"dirsync", MS_DIRSYNC, true},
	{"noatime", MS_NOATIME, true},
	{"nodiratime", MS_NODIRATIME, true},
	{"nosymfollow", MS_NOSYMFOLLOW, true},
	{"symfollow", MS_NOSYMFOLLOW, false},
};

/* A word that ends with '=', '-' or '.' is a prefix. */
static const struct {
	const char *word;
	enum mount_word fate;
	const char *reason;
} other_words[] = {
	{"allow_other", MOUNT_WORD_LASTING, NULL},
	{"allow_root", MOUNT_WORD_LASTING, NULL},
	{"context=", MOUNT_WORD_LASTING, NULL},
	{"defcontext=", MOUNT_WORD_LASTING, NULL},
	{"fscontext=", MOUNT_WORD_LASTING, NULL},
	{"rootcontext=", MOUNT_WORD_LASTING, NULL},
	{"seclabel", MOUNT_WORD_SHOWN, NULL},
	{"user_id=", MOUNT_WORD_SHOWN, NULL},
	{"group_id=", MOUNT_WORD_SHOWN, NULL},

	/* For mount(8), systemd, and others that read fstab(5). */
	{"-n", MOUNT_WORD_IGNORED, NULL},
	{"auto", MOUNT_WORD_IGNORED, NULL},
	{"comment=", MOUNT_WORD_IGNORED, NULL},
	{"defaults", MOUNT_WORD_IGNORED, NULL},
	{"group", MOUNT_WORD_IGNORED, NULL},
	{"helper=", MOUNT_WORD_IGNORED, NULL},
	{"_netdev", MOUNT_WORD_IGNORED, NULL},
	{"noauto", MOUNT_WORD_IGNORED, NULL},
	{"nofail", MOUNT_WORD_IGNORED, NULL},
	{"nogroup", MOUNT_WORD_IGNORED, NULL},
	{"noowner", MOUNT_WORD_IGNORED, NULL},
	{"nouser", MOUNT_WORD_IGNORED, NULL},
	{"nousers", MOUNT_WORD_IGNORED, NULL},
	{"owner", MOUNT_WORD_IGNORED, NULL},
	{"uhelper=", MOUNT_WORD_IGNORED, NULL},
	{"user", MOUNT_WORD_IGNORED, NULL},
	{"user=", MOUNT_WORD_IGNORED, NULL},
	{"users", MOUNT_WORD_IGNORED, NULL},
	{"x-", MOUNT_WORD_IGNORED, NULL},
	{"X-", MOUNT_WORD_IGNORED, NULL},
	/* These apply anyway, or have no effect here because the daemon keeps the times. */
	{"atime", MOUNT_WORD_IGNORED, NULL},
	{"default_permissions", MOUNT_WORD_IGNORED, NULL},
	{"dev", MOUNT_WORD_IGNORED, NULL},  /* mount(8) does not pass it on; always nodev */
	{"suid", MOUNT_WORD_IGNORED, NULL}, /* mount(8) does not pass it on; always nosuid */
	{"diratime", MOUNT_WORD_IGNORED, NULL},
	{"fsname=", MOUNT_WORD_IGNORED, NULL}, /* given by the source */
	{"iversion", MOUNT_WORD_IGNORED, NULL},
	{"lazytime", MOUNT_WORD_IGNORED, NULL},
	{"loud", MOUNT_WORD_IGNORED, NULL},
	{"nodev", MOUNT_WORD_IGNORED, NULL},
	{"noiversion", MOUNT_WORD_IGNORED, NULL},
	{"nolazytime", MOUNT_WORD_IGNORED, NULL},
	{"nomand", MOUNT_WORD_IGNORED, NULL},
	{"nonempty", MOUNT_WORD_IGNORED, NULL},
	{"norelatime", MOUNT_WORD_IGNORED, NULL},
	{"nostrictatime", MOUNT_WORD_IGNORED, NULL},
	{"nosuid", MOUNT_WORD_IGNORED, NULL},
	{"relatime", MOUNT_WORD_IGNORED, NULL},
	{"silent", MOUNT_WORD_IGNORED, NULL},
	{"strictatime", MOUNT_WORD_IGNORED, NULL},
	{"subtype=", MOUNT_WORD_IGNORED, NULL},

	{"bind", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --bind"},
	{"rbind", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --rbind"},
	{"move", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --move"},
	{"private", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-private"},
	{"rprivate", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-rprivate"},
	{"shared", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-shared"},
	{"rshared", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-rshared"},
	{"slave", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-slave"},
	{"rslave", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-rslave"},
	{"unbindable", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-unbindable"},
	{"runbindable", MOUNT_WORD_REFUSED, "not an option of ipcfs; use mount --make-runbindable"},
	{"blkdev", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"blksize=", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"loop", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"loop=", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"offset=", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"sizelimit=", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"encryption=", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"verity.", MOUNT_WORD_REFUSED, "ipcfs has no block device"},
	{"mand", MOUNT_WORD_REFUSED, "mandatory locks are not supported, as in Linux since 5.15"},
	{"max_read=", MOUNT_WORD_REFUSED, "not supported; a read is as long as its reader asks"},
};

static bool is_one(const char *word, const char *known)
{
	size_t length = strlen(known);

	return strchr("=-.", known[length - 1]) ? strncmp(word, known, length) == 0
						: strcmp(word, known) == 0;
}

enum mount_word mount_word_take(const char *word, struct mount_flags *flags,
				const char **ret_reason)
{
	for (size_t i = 0; i < sizeof(flag_words) / sizeof(*flag_words); i++) {
		if (strcmp(word, flag_words[i].word) != 0)
			continue;
		flags->on &= ~flag_words[i].flag;
		flags->off &= ~flag_words[i].flag;
		*(flag_words[i].is_on ? &flags->on : &flags->off) |= flag_words[i].flag;
		return MOUNT_WORD_FLAG;
	}
	for (size_t i = 0; i < sizeof(other_words) / sizeof(*other_words); i++) {
		if (!is_one(word, other_words[i].word))
			continue;
		*ret_reason = other_words[i].reason;
		return other_words[i].fate;
	}
	return MOUNT_WORD_OTHER;
}

const char *mount_words_undo(void)
{
	return geteuid() == 0 ? "umount -l" : "fusermount3 -uz";
}

/* Of several mounts at the same place, the last one counts. */
int mount_words_find(const char *mount_point, unsigned long *ret_flags, bool *ret_allows_others)
{
	FILE *file = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int r = -EINVAL;

	if (!file)
		return -errno;
	while ((entry = getmntent(file))) {
		if (strcmp(entry->mnt_dir, mount_point) != 0)
			continue;
		r = strcmp(entry->mnt_type, "fuse.ipcfs") == 0 ? 0 : -EINVAL;
		*ret_flags = 0;
		*ret_allows_others = hasmntopt(entry, "allow_other") != NULL;
		for (size_t i = 0; i < sizeof(flag_words) / sizeof(*flag_words); i++)
			if (flag_words[i].is_on && hasmntopt(entry, flag_words[i].word))
				*ret_flags |= flag_words[i].flag;
	}
	endmntent(file);
	return r;
}

int mount_words_remount(const char *mount_point, unsigned long now, const struct mount_flags *flags)
{
	now = (now & ~flags->off) | flags->on | MS_NOSUID | MS_NODEV;
	return mount(NULL, mount_point, NULL, MS_REMOUNT | now, NULL) < 0 ? -errno : 0;
}
