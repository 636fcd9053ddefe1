// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds out whose entry it is that is there already: our own, of which we have had no answer, or
 * that of another machine, which is then known here before the watch tells of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_make.h"

int making_confirm_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	char subject[API_SUBJECT_SIZE], key[CLUSTER_SUBJECT_SIZE];
	CLEANUP_FREE char *text = NULL;

	if (!making->is_doubtful && !making->is_taken)
		return 0;
	cluster_entry_subject(making->order.sort, making->key, key);
	text = api_get_last(key);
	api_subject("STREAM.MSG.GET", CLUSTER_BUCKET_STREAM, NULL, subject);
	return operation_ask(operation, subject, text);
}

static bool is_ours(const struct cluster_making *making, const struct stored_message *message)
{
	CLEANUP_FREE char *text = api_entry_text(&making->entry);

	return text && !message->is_deleted && message->size == strlen(text) && message->size &&
	       memcmp(message->data, text, message->size) == 0;
}

/* Makes the entry of another machine known. */
static void note_other(const struct cluster_making *making, const struct stored_message *message)
{
	struct cluster_entry entry;

	if (!message->is_deleted && message->size &&
	    api_read_entry(message->data, message->size, &entry) == 0 && !entry.is_removing)
		cluster_entry_seen(making->operation.cluster, making->order.sort,
				   making->order.name, making->key, &entry, message->sequence);
}

int making_confirm_answered(struct cluster_operation *operation, const struct nats_message *answer,
			    int error)
{
	struct cluster_making *making = making_from(operation);
	struct stored_message message = {0};
	int r = error < 0 ? error : api_read_stored(answer, &message);

	making->is_doubtful = false;
	if (r == 0 && (making->is_taken || !is_ours(making, &message))) {
		note_other(making, &message);
		r = -EEXIST;
	}
	if (r == -ENODATA && making->is_taken)
		r = -EEXIST; /* it has gone again */
	if (r == 0)
		making->revision = message.sequence;
	else
		operation->has_begun = false;
	stored_message_fini(&message);
	return r;
}
