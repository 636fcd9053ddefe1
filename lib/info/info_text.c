// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/info/info_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"

/* A UTF-8 sequence's length, or 0 where none that is well formed begins. */
static size_t utf8_length(const char *text)
{
	unsigned char first = (unsigned char)*text;
	size_t n = first < 0x80    ? 1
		   : first < 0xc2  ? 0
		   : first < 0xe0  ? 2
		   : first < 0xf0  ? 3
		   : first <= 0xf4 ? 4
				   : 0;

	for (size_t i = 1; i < n; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	/* Surrogates, overlong forms, what is beyond U+10FFFF, and the second set of controls. */
	if ((first == 0xc2 && (unsigned char)text[1] < 0xa0) ||
	    (first == 0xe0 && (unsigned char)text[1] < 0xa0) ||
	    (first == 0xed && (unsigned char)text[1] > 0x9f) ||
	    (first == 0xf0 && (unsigned char)text[1] < 0x90) ||
	    (first == 0xf4 && (unsigned char)text[1] > 0x8f))
		return 0;
	return n;
}

/* What would be taken for one of ours. */
static bool is_escape(const char *text)
{
	return text[0] == '\\' && text[1] == 'x';
}

char *info_escape(const char *text, const char *special)
{
	char *escaped = malloc(4 * strlen(text) + 1);
	char *end = escaped;

	while (escaped && *text) {
		size_t n = utf8_length(text);

		if (n == 0 || (unsigned char)*text < ' ' || *text == 0x7f || is_escape(text)) {
			end += sprintf(end, "\\x%02x", (unsigned char)*text++);
			continue;
		}
		if (strchr(special, *text))
			*end++ = '\\';
		end = mempcpy(end, text, n);
		text += n;
	}
	if (escaped)
		*end = '\0';
	return escaped;
}

static void object_release(void *data)
{
	struct info_object *object = data;

	space_unref(object->space);
	free(object->name);
	free(object);
}

/* The channel; the caller owns the reference. */
static int object_find(const struct info_object *object, struct caller *reader,
		       struct channel **ret_channel)
{
	struct entry entry;
	int r = space_find(object->space, object->name, reader, &entry);

	if (r == 0)
		*ret_channel = entry.channel;
	return r;
}

static void print_time(FILE *out, const char *key, const struct timespec *time)
{
	fprintf(out, "%s %lld.%09ld\n", key, (long long)time->tv_sec, time->tv_nsec);
}

int info_print_status(struct channel *channel, const char *name, struct caller *caller, FILE *out)
{
	CLEANUP_FREE char *shown = info_escape(name, "");
	unsigned n_waiting = 0, n;
	struct transfer *transfer;
	struct stat attr;
	int r = shown ? channel_stat(channel, &attr) : -ENOMEM;

	if (r < 0)
		return r;
	fprintf(out, "kind %s\nname %s\nowner %u\ngroup %u\nmode %04o\n",
		channel->space->kind->path, shown, attr.st_uid, attr.st_gid, attr.st_mode & 07777);
	if (channel->service == CHANNEL_NODE)
		fprintf(out, "type %s\n", S_ISFIFO(attr.st_mode) ? "fifo" : "socket");
	channel_status(channel, caller, out);
	DL_COUNT(channel->readers, transfer, n);
	n_waiting += n;
	DL_COUNT(channel->writers, transfer, n);
	n_waiting += n;
	fprintf(out, "readers %u\nwriters %u\nwaiting %u\n", channel->n_readers, channel->n_writers,
		n_waiting);
	print_time(out, "last-read", &attr.st_atim);
	print_time(out, "last-write", &attr.st_mtim);
	print_time(out, "changed", &attr.st_ctim);
	return 0;
}

static int status_print(void *data, struct caller *reader, FILE *out)
{
	struct info_object *object = data;
	struct channel *channel = NULL;
	int r = object_find(object, reader, &channel);

	if (r < 0)
		return r;
	r = info_print_status(channel, object->name, reader, out);
	channel_unref(channel);
	return r;
}

/* What waits is for those to see who could also take it. */
static int peek_print(void *data, struct caller *reader, FILE *out)
{
	struct info_object *object = data;
	struct channel *channel = NULL;
	struct stat attr;
	int r = object_find(object, reader, &channel);

	if (r < 0)
		return r;
	r = channel_stat(channel, &attr);
	if (r == 0 && !caller_may(reader, &attr, R_OK))
		r = -EACCES;
	if (r == 0)
		r = channel_peek(channel, out);
	channel_unref(channel);
	return r;
}

int info_target(struct channel *channel, struct peer_target *ret_target)
{
	struct footprint footprint;
	struct stat attr;
	int r = channel_stat(channel, &attr);

	if (r == 0)
		r = channel_footprint(channel, &footprint);
	if (r < 0)
		return r;
	*ret_target = (struct peer_target){
		.shown_dev = channel->space->host->dev,
		.shown_ino = space_ino(channel->space, attr.st_ino),
		.dev = footprint.dev,
		.ino = footprint.ino,
		.map_path = footprint.map_path,
	};
	return 0;
}

static int peers_prepare(void *data, struct caller *reader, void **ret_prepared)
{
	struct info_object *object = data;
	struct peer_target *target;
	struct channel *channel = NULL;
	int r = object_find(object, reader, &channel);

	if (r < 0)
		return r;
	target = malloc(sizeof(*target));
	r = target ? info_target(channel, target) : -ENOMEM;
	channel_unref(channel);
	if (r < 0)
		free(target);
	else
		*ret_prepared = target;
	return r;
}

static int peers_print(void *prepared, struct caller *reader, FILE *out)
{
	struct peers found;
	size_t n_others = 0;
	int r = peers_find(prepared, 1, &found);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n_peers; i++) {
		const struct peer *peer = &found.peers[i];
		CLEANUP_FREE char *command = NULL;

		if (!info_shows(reader, peer)) {
			n_others++;
			continue;
		}
		command = info_escape(peer->command, "");
		fprintf(out, "%d %u %s %s\n", peer->pid, peer->uid, peer_access_name(peer->access),
			command ? command : "?");
	}
	if (n_others)
		fprintf(out, "others %zu\n", n_others);
	peers_fini(&found);
	return 0;
}

const struct text_ops info_status_ops = {.print = status_print, .release = object_release};
const struct text_ops info_peek_ops = {.print = peek_print, .release = object_release};
const struct text_ops info_peers_ops = {
	.print = peers_print,
	.release = object_release,
	.prepare = peers_prepare,
	.finish = free,
};
