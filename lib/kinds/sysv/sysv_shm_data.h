/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a System V segment.
 *
 * Where files can be handed to the kernel, a segment is open as its tmpfs file. To open that, the
 * daemon attaches the segment for a moment (proc_pid_map_files(5)). Where files can't be handed
 * over, and for a segment of huge pages, it stays attached while it is open.
 *
 * Each open attaches the segment with the rights that it asks for, so that the kernel checks them.
 * The attachment or file that then serves all opens carries nobody's rights: it only has the bytes.
 */
#ifndef IPCFS_SYSV_SHM_DATA_H
#define IPCFS_SYSV_SHM_DATA_H

#include "lib/channel/attributes.h"
#include "lib/kinds/sysv/sysv.h"

struct sysv_segment {
	struct sysv sysv; /* id -1: the segment does not exist yet, only its name */
	size_t size;      /* known while it is open */
	char *memory;     /* where the segment is attached, or NULL */
	bool is_writable; /* `memory` is writable */

	key_t key; /* this and what follows: only before the segment exists */
	struct attributes attributes;
	uid_t charged; /* (uid_t)-1: nobody */
};

struct sysv_segment *sysv_segment_from(struct channel *channel);

static inline bool sysv_segment_is_born(const struct sysv_segment *segment)
{
	return segment->sysv.id >= 0;
}

bool sysv_shm_is_open(const struct sysv_segment *segment);

/*
 * Attaches the segment as the caller, so that the kernel checks the caller's rights. The first call
 * also opens the segment for all later users. `data` describes the segment as it is now. Fails with
 * -EIDRM, -EACCES or -ENFILE.
 */
int sysv_shm_open(struct sysv_segment *segment, const union sysv_data *data, bool writes,
		  struct caller *caller);
/* The same for the segment's maker, whose file is open already, whatever rights the mode gives. */
int sysv_shm_open_made(struct sysv_segment *segment, const union sysv_data *data,
		       struct caller *caller);
void sysv_shm_close(struct sysv_segment *segment);
/*
 * For a daemon that has adopted the segment: opens it without anybody's rights, unless it is open.
 * Fails with -ESTALE if the bytes have gone with the former daemon's attachment.
 */
int sysv_shm_open_again(struct sysv_segment *segment, uid_t uid);

/*
 * Holds the segment's file open, so that its removal, during which the kernel keeps the directory
 * locked, takes no longer than removing the name. The waiter remembers the file (waiter::memory).
 * However the request ends, a worker then frees the segment's memory.
 */
void sysv_shm_hold(struct sysv_segment *segment, struct waiter *waiter);

/* For struct channel_ops: sysv_shm_adopt.c. */
void sysv_segment_save(struct channel *channel, struct object_record *record);
int sysv_segment_adopt(struct space *space, struct object_record *record,
		       struct channel **ret_channel);
int sysv_segment_adopt_file(struct file *file);

/* For struct channel_ops. -ENOSPC: nothing is written beyond the segment. */
ssize_t sysv_shm_read(struct file *file, void *data, size_t size, off_t offset);
ssize_t sysv_shm_write(struct file *file, const void *data, size_t size, off_t offset);

#endif
