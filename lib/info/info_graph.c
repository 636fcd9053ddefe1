// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/graph.dot: all channels, and the processes that have them open, for Graphviz. An ID is the
 * whole KIND/NAME; a label is short, so that dot(1) finds room for many. Arrows show which way
 * bytes can go.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/info/info_text.h"

/* Of a longer name, a label shows the beginning and the end: bytes. */
#define NAME_MOST 48
#define NAME_HEAD 30
#define NAME_TAIL 14

static const char head[] =
	"digraph ipcfs {\n"
	"\tgraph [rankdir=LR, ranksep=0.9, nodesep=0.12, pack=12, packmode=array_c4];\n"
	"\tnode [fontname=\"Helvetica,Arial,sans-serif\", fontsize=10, height=0.3, shape=box];\n"
	"\tedge [arrowsize=0.6, color=gray40];\n";

static bool is_inside(char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Returns the name as a label shows it, or NULL if there is no memory. */
static char *name_label(const char *name)
{
	CLEANUP_FREE char *start = NULL, *quoted_start = NULL, *quoted_end = NULL;
	size_t size = strlen(name), first = NAME_HEAD, last = size - NAME_TAIL;
	char *label;

	if (size <= NAME_MOST)
		return quote_label(name);
	while (first && is_inside(name[first]))
		first--;
	while (is_inside(name[last]))
		last++;
	start = strndup(name, first);
	quoted_start = start ? quote_label(start) : NULL;
	quoted_end = quote_label(name + last);
	if (!quoted_start || !quoted_end || asprintf(&label, "%s…%s", quoted_start, quoted_end) < 0)
		return NULL;
	return label;
}

/* Prints a number and what it is of, unless there is none. */
static void print_count(const struct row *row, const char *key, const char *what, FILE *out)
{
	const struct row_value *value = row_find(row, key);

	if (value && value->number)
		fprintf(out, ", %" PRIu64 " %s", value->number, what);
}

/* Below the name: what is in the channel, and what is wrong with it. */
static int print_facts(const struct row *row, FILE *out)
{
	const struct row_value *bytes = row_find(row, "bytes"), *value = row_find(row, "value");
	CLEANUP_FREE char *size = info_size_text(bytes ? bytes->number : 0);

	if (!size)
		return -ENOMEM;
	fputs(row_find(row, "kind")->word, out);
	if (bytes && bytes->number)
		fprintf(out, ", %s", size);
	print_count(row, "messages", "queued", out);
	if (value)
		fprintf(out, ", value %" PRIu64, value->number);
	print_count(row, "waiting", "waiting", out);
	if (info_fill(row) >= 1)
		fputs(", full", out);
	if (row_find(row, "leaked"))
		fputs(", leaked", out);
	return 0;
}

/* Prints the channel's ID, between quotes. */
static int print_id(const struct row *row, FILE *out)
{
	CLEANUP_FREE char *name = quote_string(row_find(row, "name")->text);

	if (!name)
		return -ENOMEM;
	fprintf(out, "\"%s/%s\"", row_find(row, "kind")->word, name);
	return 0;
}

static int print_channel(const struct row *row, FILE *out)
{
	CLEANUP_FREE char *label = name_label(row_find(row, "name")->text);

	if (!label)
		return -ENOMEM;
	fputc('\t', out);
	if (print_id(row, out) < 0)
		return -ENOMEM;
	fprintf(out, " [label=\"%s\\n", label);
	if (print_facts(row, out) < 0)
		return -ENOMEM;
	fputs("\"", out);
	if (row_find(row, "leaked"))
		fputs(", color=red, fontcolor=red, penwidth=2", out);
	else if (info_fill(row) >= 1)
		fputs(", penwidth=2", out);
	fputs("];\n", out);
	return 0;
}

static int print_process(const struct peer *peer, FILE *out)
{
	CLEANUP_FREE char *command = quote_label(peer->command);

	if (!command)
		return -ENOMEM;
	fprintf(out, "\t\"%d\" [label=\"%s\\n%d\", shape=ellipse];\n", peer->pid, command,
		peer->pid);
	return 0;
}

/* Whoever reads and writes has one edge with two heads: two edges would be a cycle. */
static int print_edge(const struct row *row, const struct peer *peer, FILE *out)
{
	bool reads = peer->access & PEER_READS, writes = peer->access & PEER_WRITES;
	int r;

	if (!reads && !writes)
		return 0;
	fputc('\t', out);
	if (writes)
		fprintf(out, "\"%d\" -> ", peer->pid);
	r = print_id(row, out);
	if (!writes)
		fprintf(out, " -> \"%d\"", peer->pid);
	fputs(reads && writes ? " [dir=both];\n" : ";\n", out);
	return r;
}

static int print_peers(const struct info_rows *rows, struct caller *reader, FILE *out)
{
	struct peers found = info_users_found(&rows->users);
	pid_t last = 0;
	int r = 0;

	if (found.n_unseen)
		fprintf(out, "\t// unseen %u\n", found.n_unseen);
	for (size_t i = 0; r == 0 && i < found.n_peers; i++) {
		const struct peer *peer = &found.peers[i];
		const struct row *row = &rows->rows[rows->users.used[peer->target].row];

		if (!info_shows(reader, peer))
			continue;
		if (peer->pid != last)
			r = print_process(peer, out);
		if (r == 0)
			r = print_edge(row, peer, out);
		last = peer->pid;
	}
	return r;
}

static int graph_print(void *prepared, struct caller *reader, FILE *out)
{
	struct info_rows *rows = prepared;
	int r = rows->users.error;

	info_rows_complete(rows);
	fputs(head, out);
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = print_channel(&rows->rows[i], out);
	if (r == 0)
		r = print_peers(rows, reader, out);
	fputs("}\n", out);
	return r;
}

const struct text_ops info_graph_ops = {
	.print = graph_print,
	.prepare = info_rows_prepare_with_users,
	.gather = info_rows_gather,
	.discard = info_rows_discard,
	.finish = info_rows_finish,
};
