// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads the requests that come again. The kernel puts them before all others, so the first that is
 * new ends it: the rest stay where they are, however many there are, and are read when it is their
 * turn. What comes again the former daemon had, too, and it was charged to the users.
 */
#include "fs/takeover.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "fs/session.h"
#include "lib/channel/journal.h"
#include "lib/host/buffer.h"

/* <linux/fuse.h> has these since 6.9. */
#define UNIQUE_RESEND ((uint64_t)1 << 63)
#define NOTIFY_RESEND 7

#define RECEIVE_SIZE (HOST_IO_MAX + 4 * (size_t)HOST_PAGE)
_Static_assert(RECEIVE_SIZE <= BUFFER_SIZE, "a buffer has room for a request");

/* What is kept of a request that there is no memory for. */
#define HEAD_SIZE (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))

uint64_t takeover_number(uint64_t unique)
{
	return unique & ~UNIQUE_RESEND;
}

static bool is_forget(const struct fuse_in_header *header)
{
	return header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET;
}

static bool is_new(const struct fuse_in_header *header)
{
	return !(header->unique & UNIQUE_RESEND) && header->opcode != FUSE_INTERRUPT &&
	       !is_forget(header);
}

static int make_room(struct takeover *takeover)
{
	size_t n = takeover->n_room ? 2 * takeover->n_room : 64;
	struct takeover_request *requests;

	if (takeover->n_requests < takeover->n_room)
		return 0;
	requests = reallocarray(takeover->requests, n, sizeof(*requests));
	if (!requests)
		return -ENOMEM;
	takeover->requests = requests;
	takeover->n_room = n;
	return 0;
}

static int keep(struct takeover *takeover, const void *data, size_t size)
{
	const struct fuse_in_header *header = data;
	struct takeover_request *request;
	int r = make_room(takeover);

	if (r < 0)
		return r;
	request = &takeover->requests[takeover->n_requests];
	request->data = malloc(size);
	request->is_cut = !request->data && size > HEAD_SIZE;
	if (request->is_cut) {
		size = HEAD_SIZE;
		request->data = malloc(size);
	}
	if (!request->data)
		return -ENOMEM;
	memcpy(request->data, data, size);
	request->size = size;
	request->key = header->opcode == FUSE_INTERRUPT ? TAKEOVER_KEY_LAST
							: takeover_number(header->unique);
	takeover->n_requests++;
	return 0;
}

/*
 * Memory for one request that the kernel never finds missing: a daemon that is killed while the
 * kernel copies to a page that is not there ends the client's call with EIO.
 */
static void *receive_memory(void)
{
	void *memory = buffer_map();

	if (memory)
		madvise(memory, RECEIVE_SIZE, MADV_POPULATE_WRITE);
	return memory;
}

static int receive(struct session *session)
{
	const struct fuse_out_header resend = {.len = sizeof(resend), .error = NOTIFY_RESEND};
	struct fuse_buf buffer = {.mem = receive_memory()};
	bool is_over = false;
	int r = buffer.mem ? 0 : -ENOMEM;

	if (r == 0 && write(session->device.fd, &resend, sizeof(resend)) < 0)
		r = -errno;
	while (r == 0 && !is_over) {
		int n = fuse_session_receive_buf(session->fuse, &buffer);

		if (n == -EAGAIN)
			break;
		if (n <= 0 && n != -EINTR)
			r = n < 0 ? n : -ENODEV;
		else if (n > 0)
			r = keep(&session->takeover, buffer.mem, buffer.size);
		is_over = r == 0 && n > 0 && is_new(buffer.mem);
	}
	if (buffer.mem)
		munmap(buffer.mem, BUFFER_SIZE);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct takeover_request *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Puts them in order, and notes the numbers of those that came again. */
static int sort_requests(struct takeover *takeover)
{
	if (takeover->n_requests > 0)
		qsort(takeover->requests, takeover->n_requests, sizeof(*takeover->requests),
		      compare);
	takeover->again = calloc(takeover->n_requests + 1, sizeof(*takeover->again));
	if (!takeover->again)
		return -ENOMEM;
	for (size_t i = 0; i < takeover->n_requests; i++) {
		const struct fuse_in_header *header = (const void *)takeover->requests[i].data;

		if ((header->unique & UNIQUE_RESEND) && header->opcode != FUSE_INTERRUPT)
			takeover->again[takeover->n_again++] = takeover_number(header->unique);
	}
	return 0;
}

int takeover_receive(struct session *session)
{
	int r = receive(session);

	return r < 0 ? r : sort_requests(&session->takeover);
}

void takeover_answer_cut(struct session *session, const struct takeover_request *request)
{
	const struct fuse_in_header *header = (const void *)request->data;
	const struct fuse_write_in *write_in = (const void *)(header + 1);
	size_t done = header->opcode == FUSE_WRITE ? journal_done(&session->host, request->key) : 0;
	struct {
		struct fuse_out_header head;
		struct fuse_write_out written;
	} out = {.head = {.len = sizeof(out.head), .unique = header->unique}};

	if (is_forget(header))
		return;
	if (done > 0) {
		out.head.len = sizeof(out);
		out.written.size = done < write_in->size ? (uint32_t)done : write_in->size;
	} else {
		out.head.error = -ENOMEM;
	}
	journal_resumed(&session->host);
	if (write(session->device.fd, &out, out.head.len) < 0)
		log_line(LOG_WARNING, "process %u has gone before its answer", header->pid);
}
