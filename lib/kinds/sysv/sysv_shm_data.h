/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a System V segment.
 *
 * Where files can be handed to the kernel a segment is open as its tmpfs file, which is behind an
 * attachment of ours for the moment that it takes to open it (proc_pid_map_files(5)). Where they
 * can't, and where it is of huge pages, it stays attached while it is open.
 *
 * An attachment asks for the rights that the file is opened with, at each open: the one that serves
 * all is not made with the rights of one, it only has the bytes.
 */
#ifndef IPCFS_SYSV_SHM_DATA_H
#define IPCFS_SYSV_SHM_DATA_H

#include "lib/channel/attributes.h"
#include "lib/kinds/sysv/sysv.h"

struct sysv_segment {
	struct sysv sysv; /* with an id of -1 it is not born yet */
	size_t size;      /* known while it is open */
	char *memory;     /* where it is attached, or NULL */
	bool is_writable; /* the memory */

	key_t key; /* of one not born yet, and what follows */
	struct attributes attributes;
	uid_t charged;
};

struct sysv_segment *sysv_segment_from(struct channel *channel);

bool sysv_shm_is_open(const struct sysv_segment *segment);

/*
 * Attaches it as the caller, so that the kernel checks the caller's right; the first to do so opens
 * it for all. `data` is what it is now. -EIDRM, -EACCES, -ENFILE
 */
int sysv_shm_open(struct sysv_segment *segment, const union sysv_data *data, bool writes,
		  struct caller *caller);
/* The same for its maker, who has it open whatever rights the mode gives from then on. */
int sysv_shm_open_made(struct sysv_segment *segment, const union sysv_data *data,
		       struct caller *caller);
void sysv_shm_close(struct sysv_segment *segment);

/*
 * Its file is held, so that its removal, during which the kernel keeps the directory locked, takes
 * no longer than that of the name. It is the waiter's to remember, and however it ends what then
 * frees the memory is a worker.
 */
void sysv_shm_hold(struct sysv_segment *segment, struct waiter *waiter);

/* For struct channel_ops. Nothing is written beyond the segment: -ENOSPC. */
ssize_t sysv_shm_read(struct file *file, void *data, size_t size, off_t offset);
ssize_t sysv_shm_write(struct file *file, const void *data, size_t size, off_t offset);

#endif
