// SPDX-License-Identifier: GPL-2.0-or-later
/* Deliveries of a daemon that was killed, which the next one has to tell the server of. */
#include <errno.h>
#include <utlist.h>

#include "lib/base/clock.h"
#include "lib/kinds/cluster/cluster_readers.h"
#include "lib/kinds/cluster/cluster_sender.h"

int readers_adopt(struct readers *readers, struct taking *taking,
		  const struct nats_delivery *former)
{
	const struct cluster_object *object = readers->object;

	taking->delivery =
		nats_delivery_adopt(object->cluster->link, object->stream, CLUSTER_READERS, former);
	if (!taking->delivery)
		return -ENOMEM;
	DL_APPEND(readers->takings, taking);
	return 0;
}

static void tell_owed(struct readers *readers, bool is_given)
{
	struct nats_delivery *delivery;

	while ((delivery = readers->owed[is_given])) {
		DL_DELETE(readers->owed[is_given], delivery);
		nats_delivery_tell(delivery, is_given ? NATS_ACK : NATS_NAK);
		nats_delivery_free(delivery);
		if (is_given)
			sender_has_room(readers->object);
	}
}

void readers_owe(struct readers *readers, struct nats_delivery *delivery, bool is_given)
{
	readers->n_taken += is_given;
	readers->n_returned += !is_given;
	DL_APPEND(readers->owed[is_given], delivery);
	if (nats_link_is_up(readers->object->cluster->link))
		tell_owed(readers, is_given);
}

/* How much of ack_wait has passed is not known. */
void readers_tell_adopted(struct readers *readers)
{
	tell_owed(readers, true);
	tell_owed(readers, false);
	if (readers->takings)
		alarm_set(readers->object->cluster->alarms, &readers->progress, clock_now());
}

void readers_forget_owed(struct readers *readers)
{
	struct nats_delivery *delivery, *next;

	for (int i = 0; i < 2; i++)
		DL_FOREACH_SAFE(readers->owed[i], delivery, next) {
			DL_DELETE(readers->owed[i], delivery);
			nats_delivery_free(delivery);
		}
}
