// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop has stopped, so /dev/fuse is read here; a refusal needs only the request's header. */
#include "fs/ending.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include "fs/session.h"
#include "lib/base/workers.h"

/*
 * Nothing signals that the workers are done, so ending_answer() looks again. It also interrupts
 * them again each time, because a worker may only now have entered the call that has to be
 * interrupted.
 */
#define LOOK_AGAIN_MS 2

static bool is_end_of_something(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return true;
	default:
		return false;
	}
}

static void refuse(const struct session *session, uint64_t unique)
{
	const struct fuse_out_header out = {
		.len = sizeof(out), .error = -ENOTCONN, .unique = unique};
	ssize_t n = write(session->device.fd, &out, sizeof(out));

	(void)n; /* if it failed, the caller has gone */
}

/*
 * Answers one request. Returns 0, or -EAGAIN if there is none. After any other error no more will
 * come.
 */
static int answer(struct session *session)
{
	const struct fuse_in_header *header;
	int n = session_receive(session);

	if (n <= 0)
		return n < 0 ? n : -ENODEV;
	header = session->buffer.mem;
	if (is_end_of_something(header->opcode))
		fuse_session_process_buf(session->fuse, &session->buffer);
	else
		refuse(session, header->unique);
	return 0;
}

void ending_answer(struct session *session)
{
	struct pollfd device = {.fd = session->device.fd, .events = POLLIN};
	int r = 0;

	while (workers_hurry(session->host.workers) && (r == 0 || r == -EAGAIN)) {
		if (r == -EAGAIN)
			poll(&device, 1, LOOK_AGAIN_MS);
		r = answer(session);
	}
}
