// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * uthash keeps the order in which entries were added, so the first one is the oldest.
 */
#include "lib/tree/complaints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/tree/command.h"

#define USERS_MOST 64

struct complaint {
	uid_t uid;
	unsigned line;
	char text[COMMAND_ERROR_MAX];
	UT_hash_handle hh; /* complaints::first */
};

static struct complaint *find(const struct complaints *complaints, uid_t uid)
{
	struct complaint *complaint;

	HASH_FIND(hh, complaints->first, &uid, sizeof(uid), complaint);
	return complaint;
}

void complaints_keep(struct complaints *complaints, uid_t uid, unsigned line, const char *text)
{
	struct complaint *complaint = calloc(1, sizeof(*complaint));

	complaints_forget(complaints, uid);
	if (HASH_COUNT(complaints->first) == USERS_MOST)
		complaints_forget(complaints, complaints->first->uid);
	if (!complaint)
		return;
	complaint->uid = uid;
	complaint->line = line;
	snprintf(complaint->text, sizeof(complaint->text), "%s", text);
	HASH_ADD(hh, complaints->first, uid, sizeof(complaint->uid), complaint);
	if (!complaint->hh.tbl)
		free(complaint);
}

void complaints_forget(struct complaints *complaints, uid_t uid)
{
	struct complaint *complaint = find(complaints, uid);

	if (!complaint)
		return;
	HASH_DEL(complaints->first, complaint);
	free(complaint);
}

void complaints_forget_all(struct complaints *complaints)
{
	while (complaints->first)
		complaints_forget(complaints, complaints->first->uid);
}

void complaints_print(const struct complaints *complaints, uid_t uid, FILE *out)
{
	const struct complaint *complaint = find(complaints, uid);
	CLEANUP_FREE char *text = complaint ? quote_text(complaint->text) : NULL;

	if (complaint)
		fprintf(out, "# Your last error:\nline %u: %s\n", complaint->line,
			text ? text : strerror(ENOMEM));
}
