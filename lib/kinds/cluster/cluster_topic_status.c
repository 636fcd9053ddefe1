// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ shows of a topic's readers here; the other machines know theirs. A user sees their own
 * files among them; whoever has CAP_SYS_PTRACE sees all.
 */
#include <linux/capability.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/told_readers.h"
#include "lib/kinds/cluster/cluster_topic.h"

/* Lists the readers that the caller may see. */
static void add_readers(const struct cluster_topic *topic, struct caller *caller, struct row *row)
{
	bool sees_all = caller_has(caller, CAP_SYS_PTRACE);
	CLEANUP_FREE struct told_reader *readers = NULL;
	const struct subscription *subscription;
	size_t n = 0;

	if (topic->subscriptions)
		readers = calloc(topic->object.channel.n_readers, sizeof(*readers));
	if (!readers)
		return;
	DL_FOREACH(topic->subscriptions, subscription) {
		if (sees_all || caller->uid == subscription->file->uid)
			readers[n++] = (struct told_reader){
				.pid = (uint64_t)subscription->pid,
				.behind =
					subscription_behind(subscription, topic->object.look.last),
				.missed = subscription->n_missed,
			};
	}
	told_readers_add(row, readers, n);
}

static uint64_t count_kept(const struct cluster_topic *topic)
{
	const struct cluster_settings *settings = &topic->object.entry.settings;
	uint64_t n = topic->object.look.n_messages;

	return settings->keep_bytes || settings->keep > n ? n : settings->keep;
}

void cluster_topic_status(struct channel *channel, struct caller *caller, struct row *row)
{
	const struct cluster_topic *topic = cluster_topic_from(channel);
	char keep[CLUSTER_KEEP_TEXT];

	cluster_object_status(channel, caller, row);
	cluster_topic_keep_text(&topic->object.entry.settings, keep);
	row_add_text(row, "keep", keep);
	if (row->is_brief || channel_check_read(channel, caller) < 0)
		return;
	if (topic->object.looked && !row->has_no_measure)
		row_add_number(row, "kept", count_kept(topic));
	add_readers(topic, caller, row);
}
