/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is being sent to one object: each message until the server has stored it.
 *
 * A message carries an id (Nats-Msg-Id), so one that is sent again, because the link was lost, the
 * answer did not come, or the daemon was killed, is stored once. Messages that the server refuses
 * for now, because the queue is full or has no leader, wait in order of arrival. The server tells
 * nobody when there is room, so the first of them is tried again, after 5 ms, then 10, and so on up
 * to a second; and each that gets through brings two more with it. So a thousand writers before a
 * full queue cost the server no more than one does.
 */
#ifndef IPCFS_CLUSTER_SENDER_H
#define IPCFS_CLUSTER_SENDER_H

#include "lib/kinds/cluster/cluster.h"

/*
 * A message on its way, part of its owner's memory. All zeroes, except the first fields: not under
 * way.
 */
struct outgoing {
	/*
	 * Called once: 0, the server has stored the message; -EIDRM, the object was removed;
	 * -ETIMEDOUT after -o cluster_timeout=; or the server's error. May free the owner.
	 */
	void (*done)(struct outgoing *outgoing, int result);
	const void *data; /* borrowed until then */
	size_t size;
	uint64_t request; /* that writes it: with the next daemon, too, it has one id; 0: none */
	/* From here on the sender's own. */
	struct sender *sender; /* NULL: not under way */
	uint64_t number;
	int64_t until;    /* as clock_now() */
	int64_t patience; /* how long the next try may take */
	bool is_asked;
	struct nats_ask ask;
	struct outgoing *prev, *next; /* sender::asked or sender::waiting */
};

/* Fails with -ENOMEM or -EMSGSIZE; done() is not called before this returns. */
int sender_send(struct cluster_object *object, struct outgoing *outgoing);
/* Gives the message up, which may have been sent. Does nothing if it is not under way. */
void sender_forget(struct outgoing *outgoing);

/* Tells that there may be room: this daemon has just taken a message out. */
void sender_has_room(struct cluster_object *object);
/* Ends all with this error, because the object was removed. */
void sender_end_all(struct cluster_object *object, int error);
/* For the end of the object. Nothing is under way any more. NULL: does nothing. */
void sender_free(struct sender *sender);

#endif
