// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/metrics: the changing numbers of each object, in the OpenMetrics format. All samples of a
 * family stand together. The labels kind and name tell any two objects apart; owner is there to
 * sum up by.
 *
 * node_exporter reads the older text format, to which UNIT and EOF are comments. There, the type of
 * a counter is lost, because the name in its TYPE line has no _total.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/info/info_names.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

struct family {
	const char *key, *name, *help;
	const char *unit; /* with which the name ends; NULL: none */
	bool is_counter;
};

/* What lib/info/info_row.c counts, and topics drop. */
static const struct family counters[] = {
	{"messages-in", "written_messages", "Messages written through the mount.", "messages",
	 true},
	{"messages-out", "read_messages", "Messages read through the mount.", "messages", true},
	{"bytes-in", "written_bytes", "Bytes written through the mount.", "bytes", true},
	{"bytes-out", "read_bytes", "Bytes read through the mount.", "bytes", true},
	{"waits", "waits", "Reads and writes through the mount that had to wait.", NULL, true},
	{"dropped", "dropped_messages", "Messages that a full topic dropped.", "messages", true},
	{"since", "since_seconds", "When counting began, since 1970.", "seconds", false},
};

/* Of the connection to the cluster. */
static const struct family links[] = {
	{"reconnects", "cluster_reconnects", "How often the connection was lost and made again.",
	 NULL, true},
	{"sent", "cluster_sent_messages", "Messages sent to the server.", "messages", true},
	{"received", "cluster_received_messages", "Messages from the server.", "messages", true},
	{"since", "cluster_since_seconds", "When the connection was made, since 1970.", "seconds",
	 false},
};

static int print_sample(const struct info_rows *rows, const struct row *row,
			const struct family *family, FILE *out)
{
	const struct row_value *value = row_find(row, family->key);
	CLEANUP_FREE char *name = NULL, *number = NULL, *owner = NULL;

	if (!value)
		return 0;
	name = quote_string(row_find(row, "name")->text);
	number = info_value_text(value);
	owner = info_names_label(rows, row, "owner");
	if (!name || !number || !owner)
		return -ENOMEM;
	fprintf(out, "ipcfs_%s%s{kind=\"%s\",name=\"%s\",owner=\"%s\"} %s\n", family->name,
		family->is_counter ? "_total" : "", row_find(row, "kind")->word, name, owner,
		number);
	return 0;
}

static void print_head(const struct family *family, FILE *out)
{
	fprintf(out, "# TYPE ipcfs_%s %s\n", family->name,
		family->is_counter ? "counter" : "gauge");
	if (family->unit)
		fprintf(out, "# UNIT ipcfs_%s %s\n", family->name, family->unit);
	fprintf(out, "# HELP ipcfs_%s %s\n", family->name, family->help);
}

static int print_family(const struct info_rows *rows, const struct family *family, FILE *out)
{
	int r = 0;

	print_head(family, out);
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = print_sample(rows, &rows->rows[i], family, out);
	return r;
}

/* What there is once for a mount. */
static void print_mount(const struct info_rows *rows, FILE *out)
{
	const struct timespec *started = &rows->walk.host->started;

	print_head(&(struct family){.name = "build_info", .help = "The version of ipcfs."}, out);
	fprintf(out, "ipcfs_build_info{version=\"%s\"} 1\n", IPCFS_VERSION);
	print_head(&(struct family){.name = "start_time_seconds",
				    .help = "When the mount was made, since 1970.",
				    .unit = "seconds"},
		   out);
	fprintf(out, "ipcfs_start_time_seconds %lld.%09ld\n", (long long)started->tv_sec,
		started->tv_nsec);
	print_head(&(struct family){.name = "channels", .help = "Channels that there are."}, out);
	fprintf(out, "ipcfs_channels %zu\n", rows->n);
}

/* Prints a number of the connection, if it is known. */
static int print_link(const struct row *link, const struct family *family, FILE *out)
{
	const struct row_value *value = row_find(link, family->key);
	CLEANUP_FREE char *number = value ? info_value_text(value) : NULL;

	if (!value)
		return 0;
	if (!number)
		return -ENOMEM;
	print_head(family, out);
	fprintf(out, "ipcfs_%s%s %s\n", family->name, family->is_counter ? "_total" : "", number);
	return 0;
}

/* What there is once for a mount with a cluster. */
static int print_cluster(const struct row *link, FILE *out)
{
	const struct row_value *state = row_find(link, "state"), *rtt = row_find(link, "rtt");
	int r = 0;

	if (!state)
		return 0;
	print_head(&(struct family){.name = "cluster_up",
				    .help = "Whether the daemon is connected to the cluster."},
		   out);
	fprintf(out, "ipcfs_cluster_up %d\n", strcmp(state->word, "connected") == 0);
	if (rtt) {
		print_head(&(struct family){.name = "cluster_round_trip_seconds",
					    .help = "How long the server takes to answer.",
					    .unit = "seconds"},
			   out);
		fprintf(out, "ipcfs_cluster_round_trip_seconds %.6f\n", (double)rtt->number / 1e6);
	}
	for (size_t i = 0; r == 0 && i < sizeof(links) / sizeof(*links); i++)
		r = print_link(link, &links[i], out);
	return r;
}

static int metrics_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r = 0;

	info_rows_complete(rows);
	info_rows_sort(rows);
	print_mount(rows, out);
	r = print_cluster(&rows->link, out);
	for (const struct info_column *column = info_columns; r == 0 && column->key; column++)
		r = print_family(rows,
				 &(struct family){.key = column->key,
						  .name = column->family,
						  .help = column->help,
						  .unit = column->is_bytes ? "bytes" : NULL},
				 out);
	for (size_t i = 0; r == 0 && i < sizeof(counters) / sizeof(*counters); i++)
		r = print_family(rows, &counters[i], out);
	fputs("# EOF\n", out);
	return r;
}

const struct text_ops info_metrics_ops = {
	.print = metrics_print,
	.prepare = info_rows_prepare,
	.gather = info_names_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
