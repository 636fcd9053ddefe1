/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes out of a queue: pulled for those who want it, given to one of them, and acknowledged
 * when the last byte has reached a reader. What cannot be given goes back to the server at once, so
 * that another machine has it.
 *
 * Only waiting readers, pollers and readers with O_NONBLOCK want anything; for nobody, nothing is
 * pulled. A pull lasts some seconds, so a message may still come when its reader has gone.
 */
#ifndef IPCFS_CLUSTER_READERS_H
#define IPCFS_CLUSTER_READERS_H

#include "lib/kinds/cluster/cluster.h"
#include "lib/kinds/cluster/cluster_alarm.h"
#include "lib/kinds/cluster/cluster_repair.h"

/* A message that a file has read, perhaps in part; part of what file::state points to. */
struct taking {
	struct nats_delivery *delivery; /* owned; NULL: none */
	struct taking *prev, *next;     /* readers::takings */
};

/* Part of a queue. */
struct readers {
	struct cluster_object *object; /* borrowed: the queue */
	struct nats_feed feed;
	struct nats_listener listener;
	struct nats_delivery *ready; /* deliveries that nobody has read yet, oldest first */
	unsigned n_ready;
	struct taking *takings;
	struct nats_delivery *owed[2]; /* acknowledgements [true], and what goes back [false] */
	int64_t wanted;       /* when a reader with O_NONBLOCK last came, clock_now(); 0: never */
	int64_t wanted_until; /* a reader with O_NONBLOCK comes again until then */
	int64_t kept_until;   /* what is ready waits for them; 0: it waits for nobody */
	int64_t delay;        /* before the next pull, after one was refused */
	struct alarm keep, progress, again;
	struct repair repair;
	bool is_gone;              /* the object was removed */
	bool is_sure;              /* the consumer is there, as far as is known */
	struct nats_ask ask;       /* for `look` */
	struct consumer_look look; /* what the server told last of the consumer */
	int64_t looked;            /* when, as clock_now(); 0: never */
	uint64_t n_again;          /* deliveries that were not the first of their message */
	uint64_t n_taken;          /* messages acknowledged */
	uint64_t n_returned;       /* deliveries given back */
};

void readers_init(struct readers *readers, struct cluster_object *object);
void readers_fini(struct readers *readers);

/* The next message, which stays: -EAGAIN if there is none yet, -EIDRM if there never will be. */
int readers_next(struct readers *readers, const struct nats_delivery **ret_delivery);
/* Takes it for a file. */
void readers_take(struct readers *readers, struct taking *taking);
/* It has reached its reader as a whole, or never will. */
void readers_finish(struct readers *readers, struct taking *taking, bool is_given);

/*
 * In the next daemon, in cluster_readers_adopt.c: a file goes on reading a delivery of the former
 * one. Fails with -ENOMEM: the server gives it again.
 */
int readers_adopt(struct readers *readers, struct taking *taking,
		  const struct nats_delivery *former);
/* Tells the server, once the link is up, what has become of a delivery of the former daemon. */
void readers_owe(struct readers *readers, struct nats_delivery *delivery, bool is_given);
/* The link is up: tells of what was adopted. */
void readers_tell_adopted(struct readers *readers);
void readers_forget_owed(struct readers *readers);

/* Called when the set of waiters has changed. */
void readers_attend(struct readers *readers);
/*
 * A reader with O_NONBLOCK has found nothing. What comes now is kept for a second, or longer if
 * they come more rarely, but for no more than half of ack_wait.
 */
void readers_want(struct readers *readers);
/* Asks the server for what it knows of the consumer: readers::look. */
void readers_look(struct readers *readers);
/* The object has been removed. */
void readers_end(struct readers *readers);

#endif
