// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A set of texts "KIND/NAME". Nothing is taken out of it: who removes such an object by hand finds
 * it again after the next mount. The texts are in blocks of the state.
 */
#include "lib/host/configured.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/host/host.h"
#include "lib/host/tree_record.h"

/* A kind's path, a slash and a name. */
#define PATH_TEXT (NAME_MAX + 64)

struct configured {
	UT_hash_handle hh; /* host::configured, by path */
	struct configured_text *text;
};

static struct configured *find(const struct host *host, const char *path)
{
	struct configured *found;

	HASH_FIND_STR(host->configured, path, found);
	return found;
}

static void text_free(struct host *host, struct configured_text *text)
{
	state_release(host->state, text, sizeof(*text) + text->size);
}

/* Enters a text into the set. */
static int enter(struct host *host, struct configured_text *text)
{
	struct configured *added = calloc(1, sizeof(*added));

	if (!added)
		return -ENOMEM;
	added->text = text;
	HASH_ADD_KEYPTR(hh, host->configured, text->path, text->size - 1, added);
	if (added->hh.tbl)
		return 0;
	free(added);
	return -ENOMEM;
}

int configured_add(struct host *host, const char *kind, const char *name)
{
	char path[PATH_TEXT];
	struct configured_text *text;
	size_t size;
	int r;

	size = (size_t)snprintf(path, sizeof(path), "%s/%s", kind, name) + 1;
	if (find(host, path))
		return 0;
	text = state_alloc(host->state, sizeof(*text) + size);
	if (!text)
		return -ENOMEM;
	text->next = host->tree->configured;
	text->size = size;
	memcpy(text->path, path, size);
	r = enter(host, text);
	if (r < 0) {
		text_free(host, text);
		return r;
	}
	STATE_ORDER();
	host->tree->configured = state_offset(host->state, text);
	return 0;
}

bool configured_has(const struct host *host, const char *kind, const char *name)
{
	char path[PATH_TEXT];

	snprintf(path, sizeof(path), "%s/%s", kind, name);
	return find(host, path);
}

/* Takes over the text at an offset. NULL: there can be none. */
static struct configured_text *claim(struct host *host, uint64_t offset)
{
	struct configured_text *text = state_block(host->state, offset, sizeof(*text));

	if (!text || text->size == 0 || text->size > PATH_TEXT ||
	    !state_claim(host->state, offset, sizeof(*text) + text->size) ||
	    text->path[text->size - 1] != '\0')
		return NULL;
	return text;
}

void configured_adopt(struct host *host)
{
	uint64_t *link = &host->tree->configured;

	while (*link) {
		struct configured_text *text = claim(host, *link);

		if (!text || enter(host, text) < 0)
			*link = 0;
		else
			link = &text->next;
	}
}

void configured_forget(struct host *host)
{
	struct configured *each, *next;

	if (host->tree) /* else host_init() did not come so far */
		host->tree->configured = 0;
	HASH_ITER(hh, host->configured, each, next) {
		HASH_DEL(host->configured, each);
		text_free(host, each->text);
		free(each);
	}
}
