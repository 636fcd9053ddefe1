/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A segment that does not exist yet: a file was created for it, but has no size. The name, the
 * attributes and the key are the daemon's own until then.
 *
 * All of it is in the record. So is the size before the kernel is asked to make the segment: a
 * segment of that key and size that the former daemon has made is this one.
 */
#ifndef IPCFS_SYSV_SHM_BIRTH_H
#define IPCFS_SYSV_SHM_BIRTH_H

#include "lib/kinds/sysv/sysv_shm_data.h"

/* The words of object_record, after those of its identity. */
enum {
	SEGMENT_OPENER = SYSV_WORDS, /* channel::descriptors_uid */
	SEGMENT_KEY,                 /* and above it, sysv_segment::charged */
	SEGMENT_INTENDED,            /* the size that it is to get, bytes */
	SEGMENT_CONCEIVED /* who makes it, and above that, whether the record is complete */
};

/* Makes the name. Fails with -EEXIST, -EINVAL, -EPERM, -EMFILE or -ENOMEM. */
int sysv_segment_conceive(struct space *space, const char *name, mode_t mode, struct caller *caller,
			  struct entry *ret_entry);
/* Makes the segment for which the name was created, as the caller. */
int sysv_segment_bear(struct sysv_segment *segment, off_t size, struct caller *caller);
/* Ends the charge for the name, if there is one. */
void sysv_segment_uncharge(struct sysv_segment *segment);

/* For channel_ops::save and adopt(). */
void sysv_segment_save_name(const struct sysv_segment *segment, struct object_record *record);
int sysv_segment_adopt_name(struct space *space, struct object_record *record,
			    struct channel **ret_channel);

#endif
