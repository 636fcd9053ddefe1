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

#define USERS_MOST 64

struct complaint {
	uid_t uid;
	unsigned line;
	char *error, *report; /* owned; NULL: there is none */
	UT_hash_handle hh;    /* complaints::first */
};

static struct complaint *find(const struct complaints *complaints, uid_t uid)
{
	struct complaint *complaint;

	HASH_FIND(hh, complaints->first, &uid, sizeof(uid), complaint);
	return complaint;
}

static void drop(struct complaints *complaints, struct complaint *complaint)
{
	HASH_DEL(complaints->first, complaint);
	free(complaint->error);
	free(complaint->report);
	free(complaint);
}

/* NULL: no memory. */
static struct complaint *get(struct complaints *complaints, uid_t uid)
{
	struct complaint *complaint = find(complaints, uid);

	if (complaint)
		return complaint;
	if (HASH_COUNT(complaints->first) == USERS_MOST)
		drop(complaints, complaints->first);
	complaint = calloc(1, sizeof(*complaint));
	if (!complaint)
		return NULL;
	complaint->uid = uid;
	HASH_ADD(hh, complaints->first, uid, sizeof(complaint->uid), complaint);
	if (complaint->hh.tbl)
		return complaint;
	free(complaint);
	return NULL;
}

void complaints_keep(struct complaints *complaints, uid_t uid, unsigned line, const char *text)
{
	struct complaint *complaint = get(complaints, uid);

	if (!complaint)
		return;
	free(complaint->error);
	complaint->error = strdup(text);
	complaint->line = line;
}

void complaints_keep_report(struct complaints *complaints, uid_t uid, const char *text)
{
	struct complaint *complaint = get(complaints, uid);

	if (!complaint)
		return;
	free(complaint->report);
	complaint->report = strdup(text);
}

void complaints_forget(struct complaints *complaints, uid_t uid)
{
	struct complaint *complaint = find(complaints, uid);

	if (complaint)
		free(TAKE_PTR(complaint->error));
	if (complaint && !complaint->report)
		drop(complaints, complaint);
}

void complaints_forget_all(struct complaints *complaints)
{
	while (complaints->first)
		drop(complaints, complaints->first);
}

void complaints_print(const struct complaints *complaints, uid_t uid, FILE *out)
{
	const struct complaint *complaint = find(complaints, uid);
	CLEANUP_FREE char *error =
		complaint && complaint->error ? quote_text(complaint->error) : NULL;

	if (complaint && complaint->report)
		fprintf(out, "# Your last report:\n%s", complaint->report);
	if (complaint && complaint->error)
		fprintf(out, "# Your last error:\nline %u: %s\n", complaint->line,
			error ? error : strerror(ENOMEM));
}
