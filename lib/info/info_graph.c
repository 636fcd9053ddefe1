// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/graph.dot: all channels, and the processes that have them open, for Graphviz.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/channel.h"
#include "lib/info/info_text.h"
#include "lib/info/info_walk.h"
#include "lib/info/scanner.h"

/* All channels; `starts` says where their names, KIND/NAME, begin in `names`. */
struct graph {
	struct info_walk walk;
	struct scanner *scanner;
	struct peer_target *targets;
	size_t *starts;
	size_t n, n_allocated;
	char *names;
	size_t names_size, names_allocated;
	struct scan *scan; /* once all targets are there */
};

static const char *name_of(const struct graph *graph, size_t i)
{
	return graph->names + graph->starts[i];
}

static void graph_finish(void *data)
{
	struct graph *graph = data;

	scan_free(graph->scan);
	info_walk_fini(&graph->walk);
	free(graph->names);
	free(graph->starts);
	free(graph->targets);
	free(graph);
}

static int grow_targets(struct graph *graph)
{
	size_t n = graph->n_allocated + 16;
	struct peer_target *targets;
	size_t *starts;
	int r;

	if (graph->n < graph->n_allocated)
		return 0;
	r = info_walk_charge(&graph->walk, n * (sizeof(*targets) + sizeof(*starts)));
	if (r < 0)
		return r;
	n += graph->n_allocated;
	targets = reallocarray(graph->targets, n, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	graph->targets = targets;
	starts = reallocarray(graph->starts, n, sizeof(*starts));
	if (!starts)
		return -ENOMEM;
	graph->starts = starts;
	graph->n_allocated = n;
	return 0;
}

static int grow_names(struct graph *graph, size_t size)
{
	size_t n = graph->names_allocated + size + 4096;
	char *grown;
	int r;

	if (graph->names_size + size <= graph->names_allocated)
		return 0;
	r = info_walk_charge(&graph->walk, n);
	if (r < 0)
		return r;
	grown = realloc(graph->names, graph->names_allocated + n);
	if (!grown)
		return -ENOMEM;
	graph->names = grown;
	graph->names_allocated += n;
	return 0;
}

static int visit(struct info_walk *walk, struct channel *channel, const char *name,
		 struct caller *reader)
{
	struct graph *graph = CONTAINER_OF(walk, struct graph, walk);
	const char *path = channel->space->kind->path;
	size_t size = strlen(path) + strlen(name) + 2;
	int r = grow_targets(graph);

	if (r == 0)
		r = grow_names(graph, size);
	if (r == 0)
		r = info_target(channel, reader, &graph->targets[graph->n]);
	if (r < 0)
		return r;
	snprintf(graph->names + graph->names_size, size, "%s/%s", path, name);
	graph->starts[graph->n++] = graph->names_size;
	graph->names_size += size;
	return 0;
}

static int graph_prepare(void *data, struct caller *reader, void **ret_prepared)
{
	struct graph *graph = calloc(1, sizeof(*graph));
	struct host *host = data;

	if (!graph)
		return -ENOMEM;
	info_walk_init(&graph->walk, host, reader);
	graph->walk.visit = visit;
	graph->scanner = host->scanner;
	*ret_prepared = graph;
	return 0;
}

static int graph_gather(void *prepared, struct caller *reader)
{
	struct graph *graph = prepared;
	int r = graph->scan ? 0 : info_walk_step(&graph->walk, reader);

	if (r == 0 && !graph->scan)
		r = scan_new(graph->scanner, reader, graph->targets, graph->n, &graph->scan);
	return r < 0 ? r : scan_step(graph->scan, reader->waiter);
}

/* The label is the ID, unless that contains something that would be taken for an entity. */
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
	CLEANUP_FREE char *id = quote_string(name_of(graph, peer->target));

	if (!command || !id)
		return -ENOMEM;
	fprintf(out, "\t\"%d\" [label=\"%s\\n%d\"];\n", peer->pid, command, peer->pid);
	if (peer->access & PEER_READS)
		fprintf(out, "\t\"%s\" -> \"%d\";\n", id, peer->pid);
	if (peer->access & PEER_WRITES)
		fprintf(out, "\t\"%d\" -> \"%s\";\n", peer->pid, id);
	return 0;
}

/* Arrows show which way bytes can go. */
static int graph_print(void *prepared, struct caller *reader, FILE *out)
{
	const struct graph *graph = prepared;
	struct peers found = scan_result(graph->scan);
	int r = 0;

	fputs("digraph ipcfs {\n\trankdir=LR;\n\tnode [shape=ellipse];\n", out);
	if (found.n_unseen)
		fprintf(out, "\t// unseen %u\n", found.n_unseen);
	for (size_t i = 0; r == 0 && i < graph->n; i++)
		r = print_object(name_of(graph, i), out);
	for (size_t i = 0; r == 0 && i < found.n_peers; i++)
		if (info_shows(reader, &found.peers[i]))
			r = print_peer(graph, &found.peers[i], out);
	fputs("}\n", out);
	return r;
}

const struct text_ops info_graph_ops = {
	.print = graph_print,
	.prepare = graph_prepare,
	.gather = graph_gather,
	.finish = graph_finish,
};
