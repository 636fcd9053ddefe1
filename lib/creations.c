// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/creations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/child.h"
#include "lib/cleanup.h"

struct creation {
	struct creations *creations;
	struct child child;
	uid_t uid;
	char *name;
	void *input;              /* what it was started with */
	bool is_done, is_offered; /* offered: those who waited have been told of the result */
	int result;
	struct loop_task drop;
	UT_hash_handle hh; /* creations::creations, by uid */
};

static void creation_free(struct creation *creation)
{
	struct creations *creations = creation->creations;

	if (creation->hh.tbl)
		HASH_DEL(creations->creations, creation);
	loop_cancel(creations->host->loop, &creation->drop);
	child_fini(&creation->child);
	free(creation->name);
	free(creation->input);
	free(creation);
}

/* Whoever it was for was interrupted, if nobody has taken the result by now. */
static void creation_run_drop(struct loop_task *task)
{
	struct creation *creation = CONTAINER_OF(task, struct creation, drop);
	struct host *host = creation->creations->host;

	if (!creation->is_offered) {
		creation->is_offered = true;
		host_retry(host);
		loop_defer(host->loop, &creation->drop);
		return;
	}
	creation_free(creation);
	host_retry(host);
}

static void creation_done(struct child *child, int result)
{
	struct creation *creation = CONTAINER_OF(child, struct creation, child);

	creation->is_done = true;
	creation->result = result;
	loop_defer(creation->creations->host->loop, &creation->drop);
}

static int creation_new(struct creations *creations, uid_t uid, const char *name,
			struct creation **ret_creation)
{
	struct creation *creation = calloc(1, sizeof(*creation));

	if (!creation)
		return -ENOMEM;
	creation->creations = creations;
	creation->child.end.fd = -1;
	creation->child.loop = creations->host->loop;
	creation->child.done = creation_done;
	creation->drop.run = creation_run_drop;
	creation->uid = uid;
	creation->name = strdup(name);
	if (creation->name)
		HASH_ADD(hh, creations->creations, uid, sizeof(creation->uid), creation);
	if (!creation->hh.tbl) {
		creation_free(creation);
		return -ENOMEM;
	}
	*ret_creation = creation;
	return 0;
}

int creations_make(struct creations *creations, struct caller *caller, const char *name,
		   int (*act)(void *data), void *data, size_t size)
{
	struct creation *creation;
	int r;

	if (geteuid() != 0 && caller->uid != geteuid())
		return -EPERM;
	if (child_is_needless(caller))
		return act(data);
	HASH_FIND(hh, creations->creations, &caller->uid, sizeof(caller->uid), creation);
	if (creation && (!creation->is_done || strcmp(creation->name, name) != 0 ||
			 memcmp(creation->input, data, size) != 0))
		return -EAGAIN;
	if (creation) {
		r = creation->result;
		memcpy(data, creation->child.shared, size);
		creation_free(creation);
		host_retry(creations->host);
		return r;
	}
	r = creation_new(creations, caller->uid, name, &creation);
	if (r < 0)
		return r;
	creation->input = malloc(size);
	r = creation->input ? 0 : -ENOMEM;
	if (r == 0)
		memcpy(creation->input, data, size);
	if (r == 0)
		r = child_start(&creation->child, creations->host->loop, caller, act, data, size);
	if (r < 0)
		creation_free(creation);
	return r < 0 ? r : -EAGAIN;
}

void creations_fini(struct creations *creations)
{
	struct creation *creation, *next;

	HASH_ITER(hh, creations->creations, creation, next) {
		creation_free(creation);
	}
}
