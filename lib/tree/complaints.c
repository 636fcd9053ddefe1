// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A text is replaced by naming another block: a daemon that is killed leaves the one or the other.
 */
#include "lib/tree/complaints.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/host/host.h"
#include "lib/host/tree_record.h"

/* The longest text that can be right, bytes. */
#define TEXT_MOST ((uint64_t)1 << 20)

/* NULL: there is none. */
static char *text_of(const struct host *host, const struct state_text *text)
{
	return state_block(host->state, text->offset, text->size);
}

static void text_drop(struct host *host, struct state_text *text)
{
	char *block = text_of(host, text);

	text->offset = 0;
	STATE_ORDER();
	state_release(host->state, block, text->size);
}

/* Puts a copy of `string` in the place of the text. */
static void text_set(struct host *host, struct state_text *text, const char *string)
{
	size_t size = strlen(string) + 1;
	char *block = state_alloc(host->state, size);

	text_drop(host, text);
	if (!block)
		return;
	memcpy(block, string, size);
	text->size = size;
	STATE_ORDER();
	text->offset = state_offset(host->state, block);
}

static void text_adopt(struct host *host, struct state_text *text)
{
	const char *block = text->offset && text->size && text->size < TEXT_MOST
				    ? state_claim(host->state, text->offset, text->size)
				    : NULL;

	if (!block || block[text->size - 1] != '\0')
		text->offset = 0;
}

/* NULL: there is nothing to tell this user. */
static struct complaint_record *find(const struct host *host, uid_t uid)
{
	for (size_t i = 0; i < TREE_COMPLAINTS; i++) {
		struct complaint_record *complaint = &host->tree->complaints[i];

		if (complaint->number && complaint->uid == uid)
			return complaint;
	}
	return NULL;
}

static void drop(struct host *host, struct complaint_record *complaint)
{
	complaint->number = 0;
	STATE_ORDER();
	text_drop(host, &complaint->error);
	text_drop(host, &complaint->report);
}

/* Finds the user's record, or makes one. */
static struct complaint_record *get(struct host *host, uid_t uid)
{
	struct complaint_record *all = host->tree->complaints, *oldest = &all[0];
	struct complaint_record *found = find(host, uid);

	if (found)
		return found;
	for (size_t i = 1; i < TREE_COMPLAINTS; i++)
		if (all[i].number < oldest->number)
			oldest = &all[i];
	drop(host, oldest);
	oldest->uid = uid;
	STATE_ORDER();
	oldest->number = ++host->tree->last_complaint;
	return oldest;
}

void complaints_adopt(struct host *host)
{
	for (size_t i = 0; i < TREE_COMPLAINTS; i++) {
		text_adopt(host, &host->tree->complaints[i].error);
		text_adopt(host, &host->tree->complaints[i].report);
	}
}

void complaints_keep(struct host *host, uid_t uid, unsigned line, const char *text)
{
	struct complaint_record *complaint = get(host, uid);

	complaint->line = line;
	text_set(host, &complaint->error, text);
}

void complaints_keep_report(struct host *host, uid_t uid, const char *text)
{
	text_set(host, &get(host, uid)->report, text);
}

void complaints_forget(struct host *host, uid_t uid)
{
	struct complaint_record *complaint = find(host, uid);

	if (complaint)
		text_drop(host, &complaint->error);
	if (complaint && !complaint->report.offset)
		drop(host, complaint);
}

void complaints_forget_all(struct host *host)
{
	for (size_t i = 0; i < TREE_COMPLAINTS; i++)
		drop(host, &host->tree->complaints[i]);
}

void complaints_print(const struct host *host, uid_t uid, FILE *out)
{
	const struct complaint_record *complaint = find(host, uid);
	const char *report, *error;
	CLEANUP_FREE char *quoted = NULL;

	if (!complaint)
		return;
	report = text_of(host, &complaint->report);
	error = text_of(host, &complaint->error);
	quoted = error ? quote_text(error) : NULL;
	if (report)
		fprintf(out, "# Your last report:\n%s", report);
	if (error)
		fprintf(out, "# Your last error:\nline %u: %s\n", complaint->line,
			quoted ? quoted : strerror(ENOMEM));
}
