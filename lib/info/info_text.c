// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The texts about one object: status, peers and peek. Each looks its object up by name when it is
 * made.
 */
#include "lib/info/info_text.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/channel.h"
#include "lib/host/job.h"
#include "lib/info/info_row.h"
#include "lib/info/info_sockets.h"
#include "lib/info/info_rows.h"
#include "lib/info/scanner.h"

static void object_release(void *data)
{
	struct info_object *object = data;

	space_unref(object->space);
	free(object->name);
	free(object);
}

static size_t *object_last_size(void *data)
{
	return ((struct info_object *)data)->size;
}

/* Gives a reference to the channel. */
static int object_find(const struct info_object *object, struct caller *reader,
		       struct channel **ret_channel)
{
	struct entry entry;
	int r = space_find(object->space, object->name, reader, &entry);

	if (r == 0)
		*ret_channel = entry.channel;
	return r;
}

static int status_print(void *data, struct caller *reader, FILE *out)
{
	struct info_object *object = data;
	struct channel *channel = NULL;
	struct row row = {0};
	int r = object_find(object, reader, &channel);

	if (r < 0)
		return r;
	/*
	 * The object has become a FIFO since the text was looked up. On ESTALE the kernel looks
	 * again.
	 */
	r = info_is_fifo(channel) ? -ESTALE : info_row(channel, object->name, reader, &row);
	channel_unref(channel);
	if (r == 0)
		r = info_print_row(&row, out);
	row_fini(&row);
	return r;
}

size_t info_status_size(struct channel *channel, const char *name, struct caller *reader)
{
	CLEANUP_FREE char *text = NULL;
	struct row row = {0};
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return 0;
	if (info_row(channel, name, reader, &row) == 0)
		info_print_row(&row, out);
	row_fini(&row);
	return fclose(out) == 0 ? size : 0;
}

static int measured_status_prepare(void *data, struct caller *reader, void **ret_rows)
{
	struct info_object *object = data;
	struct channel *channel = NULL;
	struct info_rows *rows;
	int r = object_find(object, reader, &channel);

	if (r == 0)
		r = info_rows_of_one(channel, object->name, reader, &rows);
	if (r == 0)
		*ret_rows = rows;
	return r;
}

static int measured_status_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;

	info_rows_complete(rows);
	return info_print_row(rows->rows, out);
}

/* Only a reader who could also take what waits may see it. */
static int peek_print(void *data, struct caller *reader, FILE *out)
{
	struct info_object *object = data;
	struct channel *channel = NULL;
	int r = object_find(object, reader, &channel);

	if (r < 0)
		return r;
	r = channel_check_read(channel, reader);
	if (r == 0)
		r = channel_peek(channel, reader, out);
	channel_unref(channel);
	return r;
}

int info_target(struct channel *channel, struct caller *reader, struct peer_target *ret_target)
{
	struct footprint footprint;
	struct stat attr;
	int r = channel_stat(channel, &attr);

	if (r == 0)
		r = channel_footprint(channel, reader, &footprint);
	if (r < 0)
		return r;
	*ret_target = (struct peer_target){
		.shown_dev = channel->space->host->dev,
		.shown_ino = space_ino(channel->space, attr.st_ino),
		.dev = footprint.dev,
		.ino = footprint.ino,
		.map_path = footprint.map_path,
		.has_no_maps = channel->service == CHANNEL_NODE,
	};
	return 0;
}

/* A scan for the peers of one object. */
struct peers_look {
	struct channel *channel;             /* a reference, until the target is known */
	struct peer_target target, *targets; /* targets: &target, or owned */
	size_t n_targets;
	struct scanner *scanner;
	struct scan *scan;
};

static int peers_prepare(void *data, struct caller *reader, void **ret_prepared)
{
	struct info_object *object = data;
	CLEANUP_FREE struct peers_look *look = calloc(1, sizeof(*look));
	int r = look ? object_find(object, reader, &look->channel) : -ENOMEM;

	if (r < 0)
		return r;
	look->scanner = object->space->host->scanner;
	*ret_prepared = TAKE_PTR(look);
	return 0;
}

static int peers_find_targets(struct peers_look *look, struct caller *reader)
{
	if (info_is_socket(look->channel))
		return info_socket_targets(look->channel, reader, &look->targets, &look->n_targets);
	look->targets = &look->target;
	look->n_targets = 1;
	return info_target(look->channel, reader, &look->target);
}

static int peers_begin(struct peers_look *look, struct caller *reader)
{
	int r = peers_find_targets(look, reader);

	if (job_is_awaited(r))
		return r;
	channel_unref(TAKE_PTR(look->channel));
	return r < 0 ? r
		     : scan_new(look->scanner, reader, look->targets, look->n_targets, &look->scan);
}

static int peers_gather(void *prepared, struct caller *reader)
{
	struct peers_look *look = prepared;
	int r = look->scan ? 0 : peers_begin(look, reader);

	return r < 0 ? r : scan_step(look->scan, reader->waiter);
}

static int peers_print(void *prepared, struct caller *reader, FILE *out)
{
	struct peers_look *look = prepared;
	struct peers found = scan_result(look->scan);
	size_t n_others = 0;

	for (size_t i = 0; i < found.n_peers; i++) {
		const struct peer *peer = &found.peers[i];
		CLEANUP_FREE char *command = NULL;
		unsigned access = peer->access;

		/* A socket file has several targets, and one process may have them all. */
		while (i + 1 < found.n_peers && found.peers[i + 1].pid == peer->pid)
			access |= found.peers[++i].access;
		if (!info_shows(reader, peer)) {
			n_others++;
			continue;
		}
		command = quote_text(peer->command);
		fprintf(out, "%d %u %s %s\n", peer->pid, peer->uid, peer_access_name(access),
			command ? command : "?");
	}
	if (n_others)
		fprintf(out, "others %zu\n", n_others);
	if (found.n_unseen)
		fprintf(out, "unseen %u\n", found.n_unseen);
	return 0;
}

static void peers_finish(void *prepared)
{
	struct peers_look *look = prepared;

	channel_unref(look->channel);
	scan_free(look->scan);
	if (look->targets != &look->target)
		free(look->targets);
	free(look);
}

const struct text_ops info_status_ops = {
	.print = status_print,
	.release = object_release,
	.last_size = object_last_size,
};
const struct text_ops info_measured_status_ops = {
	.print = measured_status_print,
	.release = object_release,
	.last_size = object_last_size,
	.prepare = measured_status_prepare,
	.gather = info_rows_gather,
	.finish = info_rows_finish,
};
const struct text_ops info_peek_ops = {
	.print = peek_print,
	.release = object_release,
	.last_size = object_last_size,
};
const struct text_ops info_peers_ops = {
	.print = peers_print,
	.release = object_release,
	.last_size = object_last_size,
	.prepare = peers_prepare,
	.gather = peers_gather,
	.finish = peers_finish,
};
