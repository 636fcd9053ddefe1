// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each removal has a waiter of its own, and is freed when it is done. A failure is not reported.
 */
#include "lib/tree/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"

struct undoing {
	struct waiter waiter;
	struct caller caller;
	struct space *space;
	char name[];
};

static void undoing_resume(struct waiter *waiter)
{
	struct undoing *undoing = CONTAINER_OF(waiter, struct undoing, waiter);

	if (space_remove(undoing->space, undoing->name, &undoing->caller) == -EINPROGRESS)
		return;
	waiter_fini(waiter);
	caller_fini(&undoing->caller);
	free(undoing);
}

void undo_later(struct space *space, const char *name, struct caller *caller)
{
	size_t size = strlen(name) + 1;
	struct undoing *undoing = calloc(1, sizeof(*undoing) + size);

	if (!undoing || caller_copy(&undoing->caller, caller) < 0) {
		free(undoing);
		return;
	}
	undoing->waiter.resume = undoing_resume;
	undoing->caller.waiter = &undoing->waiter;
	undoing->space = space;
	memcpy(undoing->name, name, size);
	undoing_resume(&undoing->waiter);
}
