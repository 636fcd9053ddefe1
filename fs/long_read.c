// SPDX-License-Identifier: GPL-2.0-or-later
/* The requests of one read(2) are recognised by thread and offset. */
#include "fs/long_read.h"

#include "lib/host/host.h"

/*
 * The kernel cuts a read(2) at io_max, or up to a page before that if the buffer is not aligned
 * (linux/fs/fuse/file.c, fuse_direct_io). So a request of nearly that size may be only a piece.
 */
bool long_read_begin(struct long_read *reader, struct read_request *request, size_t io_max,
		     bool is_bytes)
{
	size_t short_max = io_max - HOST_PAGE;
	/* A thread of another PID namespace has no number here, so it could be any thread. */
	bool is_known = request->thread && request->thread == reader->thread;
	/* Without an end, a former daemon was killed when it had just answered. */
	bool goes_on =
		is_known && request->offset && (!reader->end || request->offset == reader->end);

	if (is_known)
		*reader = (struct long_read){0};
	if (request->size <= short_max)
		return goes_on;
	if (is_bytes && request->thread && !reader->thread)
		*reader = (struct long_read){.thread = request->thread};
	else
		request->size = short_max;
	return goes_on;
}

void long_read_end(struct long_read *reader, const struct read_request *request, ssize_t n)
{
	if (!request->thread || reader->thread != request->thread || reader->end)
		return;
	if (n > 0 && (size_t)n == request->size)
		reader->end = request->offset + n;
	else
		*reader = (struct long_read){0};
}
