// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/channel.h"
#include "lib/info/info_text.h"

/* All channels, as the worker that looks for their peers needs them. */
struct graph {
	struct peer_target *targets;
	char **names; /* KIND/NAME */
	size_t n, n_allocated;
	struct space *space; /* that is being added */
	struct caller *reader;
	int error;
};

static void graph_free(void *data)
{
	struct graph *graph = data;

	for (size_t i = 0; i < graph->n; i++)
		free(graph->names[i]);
	free(graph->names);
	free(graph->targets);
	free(graph);
}

static int graph_grow(struct graph *graph)
{
	size_t n = 2 * graph->n_allocated + 16;
	struct peer_target *targets;
	char **names;

	if (graph->n < graph->n_allocated)
		return 0;
	targets = reallocarray(graph->targets, n, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	graph->targets = targets;
	names = reallocarray(graph->names, n, sizeof(*names));
	if (!names)
		return -ENOMEM;
	graph->names = names;
	graph->n_allocated = n;
	return 0;
}

static int graph_add(struct graph *graph, const char *name)
{
	struct entry entry;
	int r = graph_grow(graph);

	if (r == 0)
		r = space_find(graph->space, name, graph->reader, &entry);
	if (r < 0)
		return r;
	r = info_target(entry.channel, &graph->targets[graph->n]);
	channel_unref(entry.channel);
	if (r < 0)
		return r;
	if (asprintf(&graph->names[graph->n], "%s/%s", graph->space->kind->path, name) < 0)
		return -ENOMEM;
	graph->n++;
	return 0;
}

static bool graph_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct graph *graph = data;
	int r = graph_add(graph, name);

	/* It may be gone by now. */
	graph->error = r == -ENOENT || r == -ESTALE ? 0 : r;
	return graph->error == 0;
}

static int graph_prepare(void *data, struct caller *reader, void **ret_prepared)
{
	struct host *host = data;
	struct graph *graph = calloc(1, sizeof(*graph));
	int r = graph ? 0 : -ENOMEM;

	for (struct space **space = host->spaces; r == 0 && *space; space++) {
		graph->space = space_shown(*space);
		graph->reader = reader;
		r = space_list(graph->space, reader, graph_entry, graph);
		if (r == 0)
			r = graph->error;
	}
	if (r < 0 && graph)
		graph_free(graph);
	else
		*ret_prepared = graph;
	return r;
}

/* The label is the ID, but where that has what would be taken for an entity. */
static int print_object(const char *name, FILE *out)
{
	CLEANUP_FREE char *id = quote_string(name), *label = quote_label(name);

	if (!id || !label)
		return -ENOMEM;
	if (strcmp(id, label) == 0)
		fprintf(out, "\t\"%s\" [shape=box];\n", id);
	else
		fprintf(out, "\t\"%s\" [shape=box, label=\"%s\"];\n", id, label);
	return 0;
}

static int print_peer(const struct graph *graph, const struct peer *peer, FILE *out)
{
	CLEANUP_FREE char *command = quote_label(peer->command);
	CLEANUP_FREE char *id = quote_string(graph->names[peer->target]);

	if (!command || !id)
		return -ENOMEM;
	fprintf(out, "\t\"%d\" [label=\"%s\\n%d\"];\n", peer->pid, command, peer->pid);
	if (peer->access & PEER_READS)
		fprintf(out, "\t\"%s\" -> \"%d\";\n", id, peer->pid);
	if (peer->access & PEER_WRITES)
		fprintf(out, "\t\"%d\" -> \"%s\";\n", peer->pid, id);
	return 0;
}

/* An arrow is the way that bytes can go. */
static int graph_print(void *prepared, struct caller *reader, FILE *out)
{
	const struct graph *graph = prepared;
	struct peers found;
	int r = peers_find(graph->targets, graph->n, &found);

	if (r < 0)
		return r;
	fputs("digraph ipcfs {\n\trankdir=LR;\n\tnode [shape=ellipse];\n", out);
	for (size_t i = 0; r == 0 && i < graph->n; i++)
		r = print_object(graph->names[i], out);
	for (size_t i = 0; r == 0 && i < found.n_peers; i++)
		if (info_shows(reader, &found.peers[i]))
			r = print_peer(graph, &found.peers[i], out);
	fputs("}\n", out);
	peers_fini(&found);
	return r;
}

const struct text_ops info_graph_ops = {
	.print = graph_print,
	.prepare = graph_prepare,
	.finish = graph_free,
};
