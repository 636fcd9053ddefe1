// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A row begins with what every object has. What its kind adds follows, and then how it is used.
 */
#include "lib/info/info_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/transfer.h"

static unsigned count_waiting(const struct channel *channel)
{
	struct transfer *transfer;
	unsigned n_readers, n_writers;

	DL_COUNT(channel->readers, transfer, n_readers);
	DL_COUNT(channel->writers, transfer, n_writers);
	return n_readers + n_writers;
}

/* Only for who may read the object: what came in and has not gone out again still waits there. */
static void add_traffic(struct row *row, struct channel *channel, struct caller *caller)
{
	const struct traffic *traffic = &channel->traffic;

	if (!channel_has_traffic(channel) || traffic->since.tv_sec == 0 ||
	    channel_check_read(channel, caller) < 0)
		return;
	if (channel->traits & CHANNEL_MESSAGES) {
		row_add_number(row, "messages-in", traffic->in.n);
		row_add_number(row, "messages-out", traffic->out.n);
	}
	row_add_bytes(row, "bytes-in", traffic->in.bytes);
	row_add_bytes(row, "bytes-out", traffic->out.bytes);
	row_add_number(row, "waits", traffic->n_waits);
	row_add_time(row, "since", &traffic->since);
}

static void add_use(struct row *row, struct channel *channel, const struct stat *attr,
		    struct caller *caller)
{
	row_add_number(row, "readers", channel->n_readers);
	row_add_number(row, "writers", channel->n_writers);
	row_add_number(row, "waiting", count_waiting(channel));
	if (channel->space->kind->is_uncounted)
		return; /* its times are not those of its use */
	add_traffic(row, channel, caller);
	row_add_time(row, "last-read", &attr->st_atim);
	row_add_time(row, "last-write", &attr->st_mtim);
}

/* The daemon does not see how a node is used, but it can find out how many have a FIFO open. */
static void add_node_use(struct row *row, const struct stat *attr)
{
	if (!S_ISFIFO(attr->st_mode))
		return;
	row_add_number(row, "readers", 0);
	row_add_number(row, "writers", 0);
}

int info_row(struct channel *channel, const char *name, struct caller *caller, struct row *row)
{
	struct stat attr;
	int r = channel_stat(channel, &attr);

	if (r < 0)
		return r;
	row_add_word(row, "kind", channel->space->kind->path);
	row_add_text(row, "name", name);
	row_add_number(row, "owner", attr.st_uid);
	row_add_number(row, "group", attr.st_gid);
	row_add_mode(row, "mode", attr.st_mode);
	if (channel->service == CHANNEL_NODE)
		row_add_word(row, "type", S_ISFIFO(attr.st_mode) ? "fifo" : "socket");
	channel_status(channel, caller, row);
	if (channel->service == CHANNEL_NODE)
		add_node_use(row, &attr);
	else
		add_use(row, channel, &attr, caller);
	if (!channel->space->kind->is_uncounted)
		row_add_time(row, "changed", &attr.st_ctim);
	if (row->error < 0) {
		r = row->error;
		row_fini(row);
	}
	return r;
}

static double fill_of(const struct row *row, const char *key, const char *limit_key)
{
	const struct row_value *value = row_find(row, key), *limit = row_find(row, limit_key);

	return value && limit && limit->number ? (double)value->number / (double)limit->number : -1;
}

double info_fill(const struct row *row)
{
	double bytes = fill_of(row, "bytes", "capacity");
	double messages = fill_of(row, "messages", "maxmsg");

	return bytes > messages ? bytes : messages;
}

static uint64_t divide_up(uint64_t n, uint64_t by)
{
	return n / by + (n % by != 0);
}

char *info_size_text(uint64_t size)
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024, tenths;
	size_t i = 0;
	char *text;
	int r;

	while (units[i + 1] && divide_up(size, unit) >= 1024) {
		unit *= 1024;
		i++;
	}
	tenths = size / unit * 10 + divide_up(size % unit * 10, unit);
	if (size < 1024)
		r = asprintf(&text, "%" PRIu64, size);
	else if (tenths < 100)
		r = asprintf(&text, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10,
			     units[i]);
	else
		r = asprintf(&text, "%" PRIu64 "%c", divide_up(size, unit), units[i]);
	return r < 0 ? NULL : text;
}

/* Prints seconds. Even before 1970, tv_nsec counts up from tv_sec. */
static int print_time(char **ret_text, const struct timespec *time)
{
	long long seconds = time->tv_sec;

	if (seconds >= 0 || time->tv_nsec == 0)
		return asprintf(ret_text, "%lld.%09ld", seconds, time->tv_nsec);
	return asprintf(ret_text, "-%lld.%09ld", -(seconds + 1), 1000000000 - time->tv_nsec);
}

static int print_list(char **ret_text, const uint64_t *numbers, size_t n)
{
	size_t size;
	FILE *out = open_memstream(ret_text, &size);

	if (!out)
		return -1;
	for (size_t i = 0; i < n; i++)
		fprintf(out, i ? ",%" PRIu64 : "%" PRIu64, numbers[i]);
	if (fclose(out) == 0)
		return 0;
	free(*ret_text);
	return -1;
}

static int print_value(char **ret_text, const struct row_value *value)
{
	switch (value->type) {
	case ROW_NUMBER:
	case ROW_BYTES:
		return asprintf(ret_text, "%" PRIu64, value->number);
	case ROW_SIGNED:
		return asprintf(ret_text, "%" PRId64, value->signed_number);
	case ROW_TIME:
		return print_time(ret_text, &value->time);
	case ROW_MODE:
		return asprintf(ret_text, "%04o", value->mode);
	case ROW_WORD:
		return asprintf(ret_text, "%s", value->word);
	case ROW_TEXT:
		*ret_text = quote_text(value->text);
		return *ret_text ? 0 : -1;
	case ROW_LIST:
		return print_list(ret_text, value->list.numbers, value->list.n);
	}
	return -1;
}

char *info_value_text(const struct row_value *value)
{
	char *text;

	return print_value(&text, value) < 0 ? NULL : text;
}

int info_print_row(const struct row *row, FILE *out)
{
	for (size_t i = 0; i < row->n; i++) {
		CLEANUP_FREE char *text = info_value_text(&row->values[i]);

		if (!text)
			return -ENOMEM;
		fprintf(out, "%s %s\n", row->values[i].key, text);
	}
	return 0;
}
