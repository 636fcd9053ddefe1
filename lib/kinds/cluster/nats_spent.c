// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of libnats that nobody needs any more.
 *
 * libnats frees a message on a thread of its own, and wakes that thread for each (natsGC_collect):
 * a handful of system calls and two switches, several times what a message costs otherwise. While
 * the thread is awake, it needs no waking. So they are given to it by the dozen.
 */
#include "lib/kinds/cluster/nats_state.h"

#define BYTES_MAX ((size_t)256 << 10)

void nats_spend(struct nats_link *link, natsMsg *msg)
{
	link->spent[link->n_spent++] = msg;
	link->spent_bytes += (size_t)natsMsg_GetDataLength(msg);
	if (link->n_spent == NATS_SPENT_MAX || link->spent_bytes > BYTES_MAX)
		nats_spent_free(link);
}

void nats_spent_free(struct nats_link *link)
{
	while (link->n_spent > 0)
		natsMsg_Destroy(link->spent[--link->n_spent]);
	link->spent_bytes = 0;
}
