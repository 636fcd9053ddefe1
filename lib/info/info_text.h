/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The texts of info/: those about one object, and those about all.
 */
#ifndef IPCFS_INFO_TEXT_H
#define IPCFS_INFO_TEXT_H

#include <linux/capability.h>

#include "lib/channel/text.h"
#include "lib/info/peers.h"

/* An object by its place. It need not exist any more. */
struct info_object {
	struct space *space; /* a reference */
	char *name;
	size_t *size; /* of the last text; see text_ops::last_size */
};

/* Returns the size of the status text, which is quick to make; 0 if that fails. */
size_t info_status_size(struct channel *channel, const char *name, struct caller *reader);

/* Says how to find the channel's peers. Fails with the -errno of its stat. May be a job. */
int info_target(struct channel *channel, struct caller *reader, struct peer_target *ret_target);

/*
 * Whether `reader` may see this process. Of the others the reader learns only how many there are.
 */
static inline bool info_shows(struct caller *reader, const struct peer *peer)
{
	return reader->uid == peer->uid || caller_has(reader, CAP_SYS_PTRACE);
}

/* About one object: `data` is a struct info_object, which the text then owns. */
extern const struct text_ops info_status_ops, info_peers_ops, info_peek_ops;
/*
 * The status of an object that is measured first: of a FIFO, which also takes a scan for its
 * readers and writers, or of an object that a server keeps.
 */
extern const struct text_ops info_measured_status_ops;

/* About all objects: `data` is the host. */
extern const struct text_ops info_summary_ops, info_inventory_ops, info_metrics_ops, info_graph_ops,
	info_index_ops, info_leaks_ops;
/* About the connection to the cluster: `data` is the host. */
extern const struct text_ops info_cluster_ops;

#endif
