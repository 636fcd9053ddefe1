/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of info/: of one object, and of all.
 */
#ifndef IPCFS_INFO_TEXT_H
#define IPCFS_INFO_TEXT_H

#include <linux/capability.h>

#include "lib/channel/text.h"
#include "lib/info/peers.h"

/* An object by its place, which need not exist any more. */
struct info_object {
	struct space *space; /* that it is in, a reference */
	char *name;
	size_t *size; /* of the last text; see text_ops::last_size */
};

/* The size of what status would say, which is soon found out; 0 if it fails. */
size_t info_status_size(struct channel *channel, const char *name, struct caller *reader);

/* How to find its peers. -errno of its stat; may be a job. */
int info_target(struct channel *channel, struct caller *reader, struct peer_target *ret_target);

/* May `reader` be told of this process? Of the others it sees only how many they are. */
static inline bool info_shows(struct caller *reader, const struct peer *peer)
{
	return reader->uid == peer->uid || caller_has(reader, CAP_SYS_PTRACE);
}

/* Of one object; data is a struct info_object, which the text then owns. */
extern const struct text_ops info_status_ops, info_peers_ops, info_peek_ops;
/* The status of a FIFO: who has it open has to be looked for. */
extern const struct text_ops info_fifo_status_ops;

/* Of all; data is the host. */
extern const struct text_ops info_summary_ops, info_inventory_ops, info_metrics_ops, info_graph_ops;

#endif
