/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of a text (lib/channel/text.h) in the next daemon: the content of its open files.
 *
 * Whoever has such a file open reads on. Nobody else can find a relic: a name leads to a new text.
 * A file that was open before its content was made, which only O_NONBLOCK allows, stays without:
 * its first read fails with -EINTR, and further ones with -EIO.
 */
#ifndef IPCFS_RELIC_H
#define IPCFS_RELIC_H

#include "lib/channel/channel.h"
#include "lib/channel/record.h"

/* For channel_ops::save of a text, which is made anew at each open unless it `is_fixed`. */
void relic_save(struct object_record *record, ino_t ino, size_t size, bool is_fixed);

/* Makes the relic of a record, and gives a reference. Fails with -EPROTO or -ENOMEM. */
int relic_adopt(struct host *host, struct object_record *record, struct channel **ret_channel);

#endif
