// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order matters: only with the set of requests that come again can the records be read, because
 * what was made for a request that was not answered is not there yet.
 */
#include "fs/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/listing.h"
#include "fs/log.h"
#include "fs/mounting.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/supervisor.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/locks.h"
#include "lib/channel/record.h"
#include "lib/host/buffer.h"

/* <linux/fuse.h> has these since 6.9. */
#define UNIQUE_RESEND ((uint64_t)1 << 63)
#define NOTIFY_RESEND 7

/* Requests with these keys come after all others: INTERRUPT finds the request that it is about. */
#define KEY_LAST UINT64_MAX

#define RECEIVE_SIZE (HOST_IO_MAX + 4 * (size_t)HOST_PAGE)
_Static_assert(RECEIVE_SIZE <= BUFFER_SIZE, "a buffer has room for a request");

static struct takeover_area *area_of(const struct session *session)
{
	return state_area(session->host.state, STATE_SESSION);
}

uint64_t takeover_number(uint64_t unique)
{
	return unique & ~UNIQUE_RESEND;
}

void takeover_note_init(struct session *session)
{
	struct takeover_area *area = area_of(session);

	if (session->buffer.size > sizeof(area->init))
		return;
	area->device = session->device.fd;
	area->tree_fd = area->dir_fd = -1;
	memcpy(area->init, session->buffer.mem, session->buffer.size);
	STATE_ORDER();
	area->init_size = (uint32_t)session->buffer.size;
}

void takeover_note_tree(struct session *session)
{
	struct takeover_area *area = area_of(session);

	area->tree_fd = session->host.nodes.tree_fd;
	area->dir_fd = session->host.nodes.dir_fd;
	area->dev = session->host.dev;
	STATE_ORDER();
}

int takeover_mount(struct session *session)
{
	struct takeover_area *area = area_of(session);
	struct fuse_buf init = {.mem = area->init, .size = area->init_size};
	int former = area->device;
	char path[32];
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || !area->init_size || area->init_size > sizeof(area->init)) {
		if (fd >= 0)
			close(fd);
		return -EPROTO;
	}
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	session->fuse = mounting_mount_at(session, session->options, path);
	if (!session->fuse) {
		close(fd);
		return -EIO; /* the log says why */
	}
	fuse_session_process_buf(session->fuse, &init);
	if (dup3(former, fd, O_CLOEXEC) < 0)
		return -errno;
	area->device = fd;
	STATE_ORDER();
	if (former != fd)
		close(former);
	return 0;
}

void takeover_unmount(const struct session *session)
{
	mounting_unmount(session->options->mount_point, area_of(session)->device);
}

static int keep(struct takeover *takeover, const void *data, size_t size)
{
	const struct fuse_in_header *header = data;
	struct takeover_request *request;

	if (takeover->n_requests == takeover->n_room) {
		size_t n = takeover->n_room ? 2 * takeover->n_room : 64;

		request = reallocarray(takeover->requests, n, sizeof(*request));
		if (!request)
			return -ENOMEM;
		takeover->requests = request;
		takeover->n_room = n;
	}
	request = &takeover->requests[takeover->n_requests];
	request->data = malloc(size);
	if (!request->data)
		return -ENOMEM;
	memcpy(request->data, data, size);
	request->size = size;
	request->key =
		header->opcode == FUSE_INTERRUPT ? KEY_LAST : takeover_number(header->unique);
	takeover->n_requests++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct takeover_request *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
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

/* Reads all that the kernel has to send. */
static int receive_all(struct session *session)
{
	const struct fuse_out_header resend = {.len = sizeof(resend), .error = NOTIFY_RESEND};
	struct fuse_buf buffer = {.mem = receive_memory()};
	int r = buffer.mem ? 0 : -ENOMEM;

	if (r == 0 && write(session->device.fd, &resend, sizeof(resend)) < 0)
		r = -errno;
	while (r == 0) {
		int n = fuse_session_receive_buf(session->fuse, &buffer);

		if (n == -EAGAIN)
			break;
		if (n <= 0 && n != -EINTR)
			r = n < 0 ? n : -ENODEV;
		else if (n > 0)
			r = keep(&session->takeover, buffer.mem, buffer.size);
	}
	if (buffer.mem)
		munmap(buffer.mem, BUFFER_SIZE);
	return r;
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

static bool is_again(struct host *host, uint64_t request)
{
	const struct takeover *takeover = &CONTAINER_OF(host, struct session, host)->takeover;
	size_t first = 0, end = takeover->n_again;

	while (first < end) {
		size_t middle = (first + end) / 2;

		if (takeover->again[middle] == request)
			return true;
		if (takeover->again[middle] < request)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}

static void tell_lost(const struct object_record *record, int error)
{
	log_line(LOG_WARNING, "%s: lost when the daemon died: %s",
		 record->name[0] ? record->name : "an open object", strerror(-error));
}

int takeover_tables(struct session *session)
{
	struct host *host = &session->host;
	struct slots *tables[] = {&host->objects,   &host->files,      &host->writes,
				  &session->inodes, &session->handles, &session->listings};
	int r = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && r == 0; i++)
		r = slots_adopt(tables[i]);
	return r;
}

static bool is_open(struct host *host, uint64_t fh)
{
	return handle_from(CONTAINER_OF(host, struct session, host), fh);
}

static int give_up(const struct session *session, int r)
{
	log_line(LOG_ERR, "%s: cannot be taken over: %s", session->options->mount_point,
		 strerror(-r));
	return r;
}

int takeover_adopt(struct session *session)
{
	struct host *host = &session->host;
	int r = receive_all(session);

	if (r == 0)
		r = sort_requests(&session->takeover);
	host->is_again = is_again;
	if (r == 0)
		r = host_claim(host);
	if (r < 0)
		return give_up(session, r);
	objects_adopt(host, tell_lost);
	inodes_adopt(session);
	handles_adopt(session);
	r = locks_adopt(host, is_open);
	if (r < 0)
		return give_up(session, r);
	listings_adopt(session);
	state_settle(host->state);
	journal_adopt(host);
	objects_adopted(host);
	return host_allocate(host);
}

/* Three daemons have died over the request: it must not take a fourth. */
static bool refuse(const struct session *session, const struct takeover_request *request)
{
	const struct fuse_in_header *header = (const void *)request->data;
	const struct fuse_out_header out = {
		.len = sizeof(out), .error = -EIO, .unique = header->unique};

	const struct supervisor_area *area = supervisor_area(session->host.state);

	if (area->poison.request != request->key || area->poison.deaths < SUPERVISOR_POISON)
		return false;
	log_line(LOG_ERR, "a request of process %u has ended three daemons, and gets EIO",
		 header->pid);
	if (write(session->device.fd, &out, sizeof(out)) < 0)
		log_line(LOG_WARNING, "its process has gone");
	return true;
}

static void answer(struct session *session, struct takeover_request *request)
{
	struct fuse_buf buffer = {.mem = request->data, .size = request->size};
	struct fuse_buf current = session->buffer;

	if (!request->data)
		return;
	session->buffer = buffer;
	if (!refuse(session, request)) {
		journal_take_up(&session->host, request->key == KEY_LAST ? 0 : request->key);
		fuse_session_process_buf(session->fuse, &buffer);
		loop_run_tasks(session->loop);
	}
	journal_take_up(&session->host, 0);
	session->buffer = current;
	free(TAKE_PTR(request->data));
}

/* Whether the request is a write of which a part has been accepted: no other may come between. */
static bool is_begun(struct session *session, const struct takeover_request *request)
{
	const struct fuse_in_header *header = (const void *)request->data;

	return header->opcode == FUSE_WRITE && journal_has(&session->host, request->key);
}

void takeover_answer(struct session *session)
{
	struct takeover *takeover = &session->takeover;

	for (size_t i = 0; i < takeover->n_requests; i++)
		if (is_begun(session, &takeover->requests[i]))
			answer(session, &takeover->requests[i]);
	for (size_t i = 0; i < takeover->n_requests; i++)
		answer(session, &takeover->requests[i]);
	free(TAKE_PTR(takeover->requests));
	takeover->n_requests = takeover->n_room = 0;
}

void takeover_free(struct takeover *takeover)
{
	for (size_t i = 0; i < takeover->n_requests; i++)
		free(takeover->requests[i].data);
	free(takeover->requests);
	free(takeover->again);
	*takeover = (struct takeover){0};
}
