/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opener of a file, for kinds whose calls are made with the opener's rights.
 *
 * It outlives the daemon: capabilities and groups can't be read again when the opener's process has
 * gone. They take the first OPENER_WORDS of file_record::words; the rest are the kind's.
 */
#ifndef IPCFS_OPENER_H
#define IPCFS_OPENER_H

#include "lib/channel/channel.h"

#define OPENER_WORDS 3

/*
 * Writes the opener into the file's record, moves its groups to the state, and charges them to the
 * user. After this opener_forget() must follow, and not caller_fini(). Fails with -ENOBUFS or
 * -ENOMEM; then the opener has been freed.
 */
int opener_keep(struct file *file, struct caller *opener);
/*
 * For channel_ops::adopt_file: fills in the opener. Fails with -EPROTO if the record has none, or
 * can't be right.
 */
int opener_adopt(struct file *file, struct caller *ret_opener);
/* Frees what opener_keep() has kept, if it has. */
void opener_forget(struct file *file, struct caller *opener);

#endif
