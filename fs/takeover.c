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

static struct takeover_area *area_of(const struct session *session)
{
	return state_area(session->host.state, STATE_SESSION);
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

int *takeover_ipc_fd(const struct session *session)
{
	return &area_of(session)->ipc_fd;
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
	const struct takeover_area *area = area_of(session);

	mounting_unmount(session->options->mount_point, area->dev, area->device);
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

/*
 * After so many daemons, less memory is all there is: the mount goes on without what needs more.
 * The supervisor starts no more than DEATHS_MOST.
 */
#define LACKING_MOST 7

bool takeover_may_lose(struct session *session, int error)
{
	struct takeover_area *area = area_of(session);

	if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
		return true;
	if (area->n_lacking >= LACKING_MOST)
		return true;
	area->n_lacking++;
	return false;
}

static bool may_lose(struct host *host, const struct object_record *record, int error)
{
	if (!takeover_may_lose(CONTAINER_OF(host, struct session, host), error))
		return false;
	log_line(LOG_WARNING, "%s: lost when the daemon died: %s",
		 record->name[0] ? record->name : "an open object", strerror(-error));
	return true;
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

int takeover_adopt(struct session *session)
{
	struct host *host = &session->host;
	int r = takeover_receive(session);

	host->is_again = is_again;
	if (r == 0)
		r = host_claim(host);
	if (r < 0)
		return r;
	r = objects_adopt(host, may_lose);
	if (r == 0)
		r = inodes_adopt(session);
	if (r == 0)
		r = handles_adopt(session);
	if (r == 0)
		r = locks_adopt(host, is_open);
	if (r < 0)
		return r;
	area_of(session)->n_lacking = 0;
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
	log_line(LOG_ERR, "a request of process %u has ended %d daemons, and gets EIO", header->pid,
		 SUPERVISOR_POISON);
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
		journal_take_up(&session->host,
				request->key == TAKEOVER_KEY_LAST ? 0 : request->key);
		if (request->is_cut)
			takeover_answer_cut(session, request);
		else
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
