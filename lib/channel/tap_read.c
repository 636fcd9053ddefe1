// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a read of a tap gives. A record that has begun is given whole: if the read has no room for
 * it, it is copied first, because the ring may drop it before the next read. The copy outlives the
 * daemon, as does how far the reader has come; the ring does not.
 */
#include "lib/channel/tap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/tapped.h"

/* A line with two numbers of 20 digits and two of 10, and what stands between them. */
#define LINE_MAX_SIZE 80

/* What comes next: a line, the bytes, and a newline. */
struct next {
	char line[LINE_MAX_SIZE];
	struct iovec iov[RING_PIECES + 2];
	int n_iov;
	size_t size;
	bool is_record; /* it is in the ring */
};

static struct user_table *users_of(const struct tap_reader *reader)
{
	return &reader->tap->taps->host->users;
}

/* Whether there is a record that is shown. */
static bool has_record(const struct tap_reader *reader)
{
	const struct ring *ring = &reader->tap->ring;

	return ring->tail.number - ring_behind(ring, &reader->place) < reader->tap->shown;
}

static bool has_ended(const struct tap_reader *reader)
{
	return !reader->tap->channel && !ring_behind(&reader->tap->ring, &reader->place) &&
	       tap_count_missed(reader) == reader->told;
}

static void add(struct next *next, void *data, size_t size)
{
	next->iov[next->n_iov++] = (struct iovec){data, size};
	next->size += size;
}

static void print_record(const struct tap_reader *reader, const struct tap_record *record,
			 struct next *next)
{
	bool is_shown = record->pid && (reader->sees_all || record->uid == reader->file->uid);
	char pid[16] = "-";
	int n;

	if (is_shown)
		snprintf(pid, sizeof(pid), "%d", record->pid);
	n = snprintf(next->line, sizeof(next->line), "%lld.%09ld %s %c %zu\n",
		     (long long)record->time.tv_sec, record->time.tv_nsec, pid,
		     record->is_write ? '>' : '<', record->size);
	add(next, next->line, (size_t)n);
}

/* Copies the record out of the pieces, and adds what is behind it. */
static void take_pieces(const struct tap_reader *reader, struct iovec *pieces, int n,
			struct next *next)
{
	struct tap_record record = {.size = 0};
	char *end = (char *)&record;

	for (int i = 0; i < n; i++) {
		size_t missing = (size_t)((char *)(&record + 1) - end);
		size_t part = pieces[i].iov_len < missing ? pieces[i].iov_len : missing;

		end = mempcpy(end, pieces[i].iov_base, part);
		pieces[i].iov_base = (char *)pieces[i].iov_base + part;
		pieces[i].iov_len -= part;
	}
	print_record(reader, &record, next);
	for (int i = 0; i < n; i++)
		if (pieces[i].iov_len)
			add(next, pieces[i].iov_base, pieces[i].iov_len);
	add(next, "\n", 1);
}

/* Finds what to read next, which stays where it is. Returns 1, 0 at the end, or -EAGAIN. */
static int find_next(struct tap_reader *reader, struct next *next)
{
	uint64_t missed = reader->has_turn ? tap_count_missed(reader) - reader->told : 0;
	struct iovec pieces[RING_PIECES];
	int n;

	next->n_iov = 0;
	next->size = 0;
	next->is_record = !missed;
	if (missed) {
		n = snprintf(next->line, sizeof(next->line), "missed %" PRIu64 "\n", missed);
		add(next, next->line, (size_t)n);
		return 1;
	}
	if (!has_record(reader)) {
		reader->has_turn = false;
		return has_ended(reader) ? 0 : -EAGAIN;
	}
	ring_next(&reader->tap->ring, &reader->place, pieces, &n);
	take_pieces(reader, pieces, n, next);
	return 1;
}

/* Copies what was found, and passes it. */
static void take_next(struct tap_reader *reader, const struct next *next, char *data)
{
	for (int i = 0; i < next->n_iov; i++)
		data = mempcpy(data, next->iov[i].iov_base, next->iov[i].iov_len);
	if (next->is_record)
		ring_advance(&reader->tap->ring, &reader->place);
	else
		reader->told = tap_count_missed(reader);
}

static int keep_next(struct tap_reader *reader, const struct next *next)
{
	struct state *state = reader->tap->taps->host->state;
	int r = user_charge(users_of(reader), reader->file->uid, USER_BYTES, next->size);
	char *data;

	if (r < 0)
		return r;
	data = state_alloc(state, next->size);
	if (!data) {
		user_uncharge(users_of(reader), reader->file->uid, USER_BYTES, next->size);
		return -ENOMEM;
	}
	take_next(reader, next, data);
	reader->rest = (struct remainder){.data = data, .size = next->size};
	return 0;
}

static size_t take_rest(struct tap_reader *reader, char *data, size_t size)
{
	struct remainder *rest = &reader->rest;
	size_t n = rest->size - rest->offset;

	if (n > size)
		n = size;
	memcpy(data, rest->data + rest->offset, n);
	rest->offset += n;
	if (rest->offset < rest->size)
		return n;
	user_uncharge(users_of(reader), reader->file->uid, USER_BYTES, rest->size);
	reader->spent = *rest;
	*rest = (struct remainder){0};
	return n;
}

/* Reads as tap_read() does, but the file's record does not know of it yet. */
static ssize_t read_on(struct tap_reader *reader, char *data, size_t size)
{
	char *to = data, *end = to + size;
	struct next next;
	int r = 0;

	if (reader->rest.data)
		to += take_rest(reader, to, size);
	while (to < end && (r = find_next(reader, &next)) > 0) {
		if (next.size <= (size_t)(end - to)) {
			take_next(reader, &next, to);
			to += next.size;
		} else if (to == data) {
			r = keep_next(reader, &next);
			if (r == 0)
				to += take_rest(reader, to, size);
			break;
		} else {
			break;
		}
	}
	return to == data ? r : to - data;
}

ssize_t tap_read(struct tap_reader *reader, void *data, size_t size)
{
	struct host *host = reader->tap->taps->host;
	ssize_t n = read_on(reader, data, size);

	if (n <= 0)
		return n;
	host->journal->size = (uint64_t)n;
	STATE_ORDER();
	tap_save(reader);
	state_release(host->state, reader->spent.data, reader->spent.size);
	reader->spent = (struct remainder){0};
	reader->has_read = true;
	return n;
}

uint32_t tap_poll(const struct tap_reader *reader)
{
	bool has_missed = reader->has_turn && tap_count_missed(reader) > reader->told;

	if (reader->rest.data || has_missed || has_record(reader))
		return EPOLLIN | EPOLLRDNORM;
	return has_ended(reader) ? EPOLLHUP : 0;
}
