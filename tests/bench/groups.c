// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The groups, in the order in which they run.
 */
#include "tests/bench/row.h"

/* The daemon's rows come last: only after work do they show whether it is idle. */
const struct group *const groups[] = {
	&shm_group,     &node_group,  &pipe_group,   &served_group, &topic_group,
	&queue_group,   &shell_group, &socket_group, &reader_group, &folder_group,
#ifdef HAVE_NATS
	&cluster_group,
#endif
	&daemon_group,  NULL,
};
