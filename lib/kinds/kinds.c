// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount, its README and the tests know exactly the kinds that are listed here.
 */
#include "lib/kinds/kinds.h"

#include <stddef.h>

/* clang-format off */
const struct kind *const kinds[] = {
	&pipe_kind,
	&topic_kind,
	&queue_kind,
	&shm_kind,
	&sem_kind,
	&event_kind,
	&signal_kind,
	&unix_kind,
	&abstract_kind,
	&tcp_kind,
	&udp_kind,
	&server_kind,
	&sysv_queue_kind,
	&sysv_shm_kind,
	&sysv_sem_kind,
#ifdef HAVE_NATS
	&cluster_queue_kind,
	&cluster_topic_kind,
	&cluster_value_kind,
#endif
	NULL,
};
/* clang-format on */
