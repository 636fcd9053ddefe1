// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests are copied whole, and later handled as if they had just been received. */
#include "fs/early.h"

#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/session.h"
#include "lib/host/caller.h"

struct early_request {
	struct early_request *prev, *next; /* session::early */
	size_t size;
	char data[] __attribute__((aligned(__alignof__(struct fuse_in_header))));
};

bool early_keep(struct session *session)
{
	const struct fuse_in_header *header = session->buffer.mem;
	const struct caller caller = {.uid = header->uid, .pid = (pid_t)header->pid};
	struct early_request *request;

	if (caller_is_ours(&caller))
		return false;
	request = malloc(sizeof(*request) + session->buffer.size);
	if (!request)
		return false;
	request->size = session->buffer.size;
	memcpy(request->data, session->buffer.mem, request->size);
	DL_APPEND(session->early, request);
	return true;
}

void early_answer(struct session *session)
{
	struct early_request *request, *next;

	DL_FOREACH_SAFE(session->early, request, next) {
		struct fuse_buf buffer = {.mem = request->data, .size = request->size};

		DL_DELETE(session->early, request);
		fuse_session_process_buf(session->fuse, &buffer);
		free(request);
	}
}

void early_forget(struct session *session)
{
	struct early_request *request, *next;

	DL_FOREACH_SAFE(session->early, request, next) {
		DL_DELETE(session->early, request);
		free(request);
	}
}
