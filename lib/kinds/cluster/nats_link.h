/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to NATS, as the loop sees it: messages go out, answers come in, nothing waits.
 *
 * libnats connects, subscribes and closes on a thread of its own (nats_connect.c), because each of
 * these calls may take seconds. While the connection is up, its socket is a source of the loop, and
 * everything else happens there: libnats reads and writes the socket without blocking
 * (natsConnection_ProcessReadEvent), so a message passes through no other thread. What is sent
 * during one turn of the loop goes out with one write, at the end of the turn.
 *
 * When the connection is lost, every ask ends with -ENOTCONN, the listeners are told, and the
 * thread connects again, at first at once, then every second or two, for as long as the mount
 * lives.
 */
#ifndef IPCFS_NATS_LINK_H
#define IPCFS_NATS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

#include "lib/host/host.h"

struct nats_link;
struct nats_slot;
struct row;

/* A message that has come, valid during the call that gets it. */
struct nats_message {
	const char *subject;
	const char *reply; /* NULL: none is wanted */
	const char *data;  /* `size` bytes and a NUL; whatever its sender chose */
	size_t size;
	int status; /* of the header Status: 503 nobody listens, 404, 408, 409, …; 0: none */
	void *raw;  /* natsMsg */
};

/* Returns a header of the message, valid as long as the message; NULL: there is no such header. */
const char *nats_message_header(const struct nats_message *message, const char *name);

struct nats_header {
	const char *name, *value; /* without line breaks */
};

/* A message to send. Everything is borrowed, and copied during the call. */
struct nats_post {
	const char *subject;
	const struct nats_header *headers;
	size_t n_headers;
	const void *data;
	size_t size;
};

/* Part of whatever wants to know when the link comes up or goes down. */
struct nats_listener {
	void (*changed)(struct nats_listener *listener, bool is_up); /* on the loop */
	struct nats_listener *prev, *next;
};

/*
 * A question, part of its owner's memory, that ends exactly once: with a message, or without one
 * (NULL) and an error: -ETIMEDOUT, or -ENOTCONN when the link went down. All zeroes: not asked.
 * answered() may free the owner, or ask again.
 */
struct nats_ask {
	void (*answered)(struct nats_ask *ask, const struct nats_message *message, int error);
	struct nats_link *link; /* NULL: not asked */
	struct nats_slot *slot;
	uint64_t number;
	int64_t until; /* as clock_now() */
	struct nats_ask *prev, *next;
	UT_hash_handle hh; /* nats_link::asks, by number */
};

/*
 * Begins to connect as host->remote says. Fails with -ENOMEM or an error of pthread_create(3) or
 * timerfd_create(2). That no server can be reached is no failure.
 */
int nats_link_new(struct host *host, struct nats_link **ret_link);
/* Ends the link. Waits for its thread for 2 s at most, and then leaves it behind. NULL: nothing. */
void nats_link_free(struct nats_link *link);

bool nats_link_is_up(const struct nats_link *link);
/* The largest message that the server accepts, bytes; 0 until it is known. */
size_t nats_link_payload_max(const struct nats_link *link);

void nats_link_listen(struct nats_link *link, struct nats_listener *listener);
void nats_link_unlisten(struct nats_link *link, struct nats_listener *listener);

/*
 * Sends without asking. Fails with -ENOTCONN, -EMSGSIZE, -EINVAL (there are blanks in the subject),
 * or -ENOMEM, also when 64 MiB wait to be sent.
 */
int nats_link_send(struct nats_link *link, const struct nats_post *post);

/*
 * Sends, and expects one message in answer within `timeout` nanoseconds. Fails as nats_link_send()
 * does; answered() is not called then.
 */
int nats_link_ask(struct nats_link *link, struct nats_ask *ask, const struct nats_post *post,
		  int64_t timeout);
/* Forgets the ask: answered() is not called any more. Does nothing if it is not asked. */
void nats_ask_forget(struct nats_ask *ask);

/*
 * Adds what there is to say of the link: state (connected, connecting), server (without user and
 * password), rtt (microseconds), since (when it last came up), reconnects, error (the last reason
 * for being down: a text), sent, received (messages). libnats does not tell what a server is called
 * and which version it has.
 */
void nats_link_status(const struct nats_link *link, struct row *row);

/*
 * A message of a consumer, owned by whoever it was given to, until nats_delivery_free(). Its memory
 * is not charged: only what was pulled comes.
 */
struct nats_delivery {
	struct nats_link *link;
	uint64_t link_epoch; /* the connection it came by: by another one, acks are useless */
	bool is_adopted;     /* it came to a former daemon: any connection will do */
	uint64_t sequence;   /* in the stream */
	uint64_t consumer_sequence; /* among the consumer's deliveries; 0: unknown */
	uint64_t n_delivered;       /* 1: for the first time */
	uint64_t n_pending;         /* how many follow in the consumer */
	int64_t time;               /* when the stream stored it, CLOCK_REALTIME, nanoseconds */
	const char *data;
	size_t size;
	const char *reply;                 /* where acknowledgements go */
	void *raw;                         /* natsMsg, owned */
	struct nats_delivery *prev, *next; /* the owner's list */
};

enum nats_verdict {
	NATS_ACK,      /* done: the server removes it from a work queue */
	NATS_NAK,      /* give it to somebody else, now */
	NATS_PROGRESS, /* still working: the time for an acknowledgement begins anew */
};

/* Tells the server. Does nothing if the link has been down since: the server redelivers. */
void nats_delivery_tell(const struct nats_delivery *delivery, enum nats_verdict verdict);
/*
 * In the next daemon: makes a delivery of a former one again, without its data, so that the server
 * can still be told of it: `stream`, `consumer` and the three numbers say which. NULL: no memory.
 */
struct nats_delivery *nats_delivery_adopt(struct nats_link *link, const char *stream,
					  const char *consumer, const struct nats_delivery *former);
const char *nats_delivery_header(const struct nats_delivery *delivery, const char *name);
void nats_delivery_free(struct nats_delivery *delivery); /* NULL: does nothing */

struct nats_pull;

/*
 * What a consumer delivers to this daemon: as many messages as were pulled and no more. Part of its
 * owner's memory. Messages find their feed by the names of stream and consumer in their reply
 * subject ($JS.ACK.STREAM.CONSUMER.…), so there is one feed for each consumer.
 */
struct nats_feed {
	/* Called with a message, which the owner of the feed takes over. May close the feed. */
	void (*delivered)(struct nats_feed *feed, struct nats_delivery *delivery);
	/*
	 * A pull has ended early: `n` of its messages will not come. `status` is the server's: 408
	 * the time is over, 404 there are none (no_wait), 409 the consumer has gone or refuses. Or
	 * it is 503: the server has not said that the time is over, as it does when there is no
	 * such consumer, and when the consumer's leader is gone; or -ENOTCONN: the link went down.
	 * May close the feed.
	 */
	void (*ended)(struct nats_feed *feed, unsigned n, int status);
	struct nats_link *link;  /* NULL: not open */
	char *key;               /* "STREAM.CONSUMER", owned */
	unsigned n_pulled;       /* messages that were pulled and have not come */
	struct nats_pull *pulls; /* oldest first */
	UT_hash_handle hh;       /* nats_link::feeds, by key */
};

/* Fails with -ENOMEM, or with -EEXIST if this consumer has a feed. Sends nothing. */
int nats_feed_open(struct nats_feed *feed, struct nats_link *link, const char *stream,
		   const char *consumer);
/* Messages that still come are given back (NAK). Does nothing if it is not open. */
void nats_feed_close(struct nats_feed *feed);
/*
 * Asks for `n` more messages, of together `bytes` at most (0: no limit), within `expires`
 * nanoseconds; 0: only those that are there now (no_wait). Fails with -ENOTCONN or -ENOMEM.
 */
int nats_feed_pull(struct nats_feed *feed, unsigned n, size_t bytes, int64_t expires);

#endif
