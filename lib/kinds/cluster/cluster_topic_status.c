// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ shows of a topic's readers here; the other machines know theirs. A user sees their own
 * files among them; whoever has CAP_SYS_PTRACE sees all.
 */
#include <linux/capability.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_topic.h"

/* The most readers that are listed. */
#define LISTED_MAX ((size_t)1000)

/* A reader as it is listed. */
struct told {
	uint64_t pid, behind, missed;
};

static int by_behind(const void *a_, const void *b_)
{
	const struct told *a = a_, *b = b_;

	return a->behind == b->behind ? 0 : a->behind < b->behind ? 1 : -1;
}

/* Lists the readers that the caller may see, the slowest first. The result is the caller's. */
static struct told *list(const struct cluster_topic *topic, struct caller *caller, size_t *ret_n)
{
	bool sees_all = caller_has(caller, CAP_SYS_PTRACE);
	struct told *listed = calloc(topic->object.channel.n_readers, sizeof(*listed));
	const struct subscription *subscription;
	size_t n = 0;

	DL_FOREACH(topic->subscriptions, subscription) {
		if (listed && (sees_all || caller->uid == subscription->file->uid))
			listed[n++] = (struct told){
				.pid = (uint64_t)subscription->pid,
				.behind =
					subscription_behind(subscription, topic->object.look.last),
				.missed = subscription->n_missed,
			};
	}
	if (n > 1)
		qsort(listed, n, sizeof(*listed), by_behind);
	*ret_n = n < LISTED_MAX ? n : LISTED_MAX;
	return listed;
}

static void add_list(struct row *row, const char *key, const struct told *listed, size_t n,
		     size_t field)
{
	CLEANUP_FREE uint64_t *numbers = calloc(n, sizeof(*numbers));

	for (size_t i = 0; numbers && i < n; i++)
		numbers[i] = *(const uint64_t *)((const char *)&listed[i] + field);
	if (numbers)
		row_add_list(row, key, numbers, n);
}

static void add_readers(const struct cluster_topic *topic, struct caller *caller, struct row *row)
{
	CLEANUP_FREE struct told *listed = NULL;
	size_t n;

	if (!topic->subscriptions)
		return;
	listed = list(topic, caller, &n);
	if (n == 0)
		return;
	add_list(row, "reader-pids", listed, n, offsetof(struct told, pid));
	add_list(row, "reader-behind", listed, n, offsetof(struct told, behind));
	add_list(row, "reader-missed", listed, n, offsetof(struct told, missed));
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
