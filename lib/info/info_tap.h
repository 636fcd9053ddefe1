/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file `tap` in the mirror of an object: lib/channel/tap.h.
 */
#ifndef IPCFS_INFO_TAP_H
#define IPCFS_INFO_TAP_H

#include "lib/channel/channel.h"

/* Whether the object has a tap for this caller: one that can show something, and may. */
bool info_has_tap(struct channel *channel, struct caller *caller);

/*
 * Makes the tap of the object `name` of `target`, which is shown in `space` with inode number
 * `ino`. Each open of it looks the object up. Fails with -ENOMEM.
 */
int info_tap_new(struct space *space, struct space *target, const char *name, ino_t ino,
		 struct channel **ret_channel);

/* For host::adopt_tap. Fails with -EPROTO or -ENOMEM. */
int info_tap_adopt(struct host *host, struct object_record *record, struct channel **ret_channel);

#endif
