// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/cluster/status: the connection to the servers, as this daemon knows it. Nobody is asked.
 */
#include "lib/channel/row.h"
#include "lib/host/host.h"
#include "lib/info/info_row.h"
#include "lib/info/info_text.h"

static int cluster_print(void *data, struct caller *reader, FILE *out)
{
	const struct host *host = data;
	struct row row = {0};
	int r;

	row_add_text(&row, "servers", host->remote.servers);
	host->remote.status(host, &row);
	r = row.error < 0 ? row.error : info_print_row(&row, out);
	row_fini(&row);
	return r;
}

const struct text_ops info_cluster_ops = {.print = cluster_print};
