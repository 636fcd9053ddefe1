/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JetStream's API: the JSON that goes to $JS.API.… and what comes back. Only texts are made and
 * read here; nats_link.h sends them. Whoever has the credentials of the cluster can answer in the
 * server's place, so an answer may be anything.
 */
#ifndef IPCFS_CLUSTER_API_H
#define IPCFS_CLUSTER_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/kinds/cluster/cluster_names.h"

struct nats_message;

/* What can be set on an object, as its entry keeps it. 0: the default of its sort. */
struct cluster_settings {
	uint64_t maxmsg;   /* messages that may wait */
	uint64_t maxbytes; /* bytes that may wait */
	uint64_t msgsize;  /* the longest message, bytes */
	uint64_t replicas;
	uint64_t ack_wait; /* queues: nanoseconds until an unacknowledged message is given again */
	uint64_t history;  /* values: how many are kept, the present one included */
	/*
	 * Topics: how many of the last messages a new reader begins with. keep_bytes: with all that
	 * the stream still has, as it has no room for more bytes than that. 0 and 0: with none.
	 */
	uint64_t keep, keep_bytes;
};

/* Limits and defaults, which options and documents name. */
#define CLUSTER_BYTES_DEFAULT    (64UL << 20)
#define CLUSTER_MESSAGES_DEFAULT 65536
#define CLUSTER_ACK_WAIT_DEFAULT (30UL * 1000000000)
#define CLUSTER_HISTORY_DEFAULT  8
#define CLUSTER_HISTORY_MAX      64
#define CLUSTER_REPLICAS_MAX     5

/* Fills in the defaults of this sort where a setting is 0. */
void cluster_settings_fill(struct cluster_settings *settings, enum cluster_sort sort);

/*
 * The texts below are allocated, and owned by the caller; NULL: no memory. Each goes to the subject
 * that api_subject() gives for the verb in its comment.
 */

/* STREAM.CREATE or STREAM.UPDATE of an object: its key and its settings, which are filled in. */
char *api_stream_config(enum cluster_sort sort, const char *key,
			const struct cluster_settings *settings);
/* STREAM.CREATE of the bucket that holds the entries of all objects. */
char *api_bucket_config(unsigned replicas);

/* A consumer of a stream: CONSUMER.DURABLE.CREATE if it is durable, else CONSUMER.CREATE. */
struct api_consumer {
	const char *stream, *name;
	bool is_durable; /* else it goes when nobody has pulled for `inactive` nanoseconds */
	int64_t inactive;
	bool has_acks;     /* each message is acknowledged explicitly within ack_wait */
	uint64_t ack_wait; /* nanoseconds */
	/*
	 * Where it begins: at this sequence; with 0, at the first message; and is_last_per_subject
	 * at the last message of each subject.
	 */
	uint64_t start;
	bool is_last_per_subject;
	bool is_headers_only; /* without the data of the messages */
	bool in_memory;       /* of one replica: for consumers that can be made again */
};
char *api_consumer_config(const struct api_consumer *consumer);

/* The consumer that all readers of a queue share, and what it is: CONSUMER.DURABLE.CREATE. */
#define CLUSTER_READERS "readers"
char *api_readers_config(const char *stream, struct cluster_settings settings);

/* STREAM.MSG.GET: the last message of a subject, or the first from this sequence on. */
char *api_get_last(const char *subject);
char *api_get_sequence(uint64_t sequence);

/*
 * Writes "$JS.API.VERB.STREAM" or, with a `consumer`, "$JS.API.VERB.STREAM.CONSUMER". Verbs:
 * STREAM.CREATE, STREAM.UPDATE, STREAM.INFO, STREAM.PURGE, STREAM.DELETE, STREAM.MSG.GET,
 * CONSUMER.CREATE, CONSUMER.DURABLE.CREATE, CONSUMER.INFO, CONSUMER.DELETE, CONSUMER.MSG.NEXT.
 */
#define API_SUBJECT_SIZE (2 * CLUSTER_STREAM_SIZE + 48)
void api_subject(const char *verb, const char *stream, const char *consumer,
		 char ret_subject[static API_SUBJECT_SIZE]);

/* JetStream's error codes that mean something to us (nats-server, server/errors.json). */
enum {
	API_STREAM_NOT_FOUND = 10059,
	API_CONSUMER_NOT_FOUND = 10014,
	API_STREAM_NAME_IN_USE = 10058, /* with another configuration */
	API_WRONG_LAST_SEQUENCE = 10071,
	API_NO_MESSAGE = 10037,
	API_STORE_FAILED = 10077, /* also: maximum messages or bytes exceeded */
	API_MESSAGE_TOO_LONG = 10054,
	API_STREAM_REPLICAS = 10074, /* more than the cluster has servers, or no cluster */
	API_NO_SUITABLE_PEERS = 10005,
	API_INSUFFICIENT_RESOURCES = 10023,
	API_NOT_ENABLED = 10039, /* JetStream is not enabled for the account */
};

/*
 * Reads an answer. Returns 0 if it is no error; the errno that means the same as the server's error
 * (-EIDRM: the stream or consumer is gone; -EEXIST, -ENOSPC, -EMSGSIZE, -EDQUOT, -EINVAL, …);
 * -EAGAIN for errors that pass (no leader, resources unavailable, a full stream); -ENOTCONN if
 * nobody listens (status 503); or -EPROTO if it is nothing that a server says. *ret_code (may be
 * NULL) is the server's error code, or 0.
 */
int api_check(const struct nats_message *answer, unsigned *ret_code);

/* The acknowledgement of a publication. Fails as api_check(). */
int api_read_ack(const struct nats_message *answer, uint64_t *ret_sequence, bool *ret_is_duplicate,
		 unsigned *ret_code);

/* What STREAM.INFO and STREAM.CREATE tell. */
struct stream_look {
	uint64_t n_messages, n_bytes, first, last; /* sequences */
	int64_t last_time; /* of the last message, as stored_message::time; 0: there was none */
	uint64_t n_consumers;
	uint64_t replicas;  /* configured */
	char leader[64];    /* "" outside of a cluster */
	unsigned n_current; /* replicas, the leader included, that are up to date */
};
int api_read_stream(const struct nats_message *answer, struct stream_look *ret_look);

/* What CONSUMER.INFO and CONSUMER.CREATE tell. */
struct consumer_look {
	uint64_t n_pending; /* messages that were not delivered yet */
	uint64_t n_unacked; /* delivered, not acknowledged */
	uint64_t n_redelivered;
	uint64_t n_waiting; /* pulls */
};
int api_read_consumer(const struct nats_message *answer, struct consumer_look *ret_look);

/* A stored message, as STREAM.MSG.GET gives it. */
struct stored_message {
	char *data; /* owned; NULL if it is empty */
	size_t size;
	uint64_t sequence;
	int64_t time;    /* CLOCK_REALTIME, nanoseconds */
	bool is_deleted; /* a key-value store's mark that the key was deleted or purged */
};
/* Fails as api_check(): -ENODATA if there is no such message. */
int api_read_stored(const struct nats_message *answer, struct stored_message *ret_message);
void stored_message_fini(struct stored_message *message);

/* The entry of an object in the bucket. */
struct cluster_entry {
	char owner[64], group[64]; /* names */
	unsigned mode;             /* permissions */
	int64_t created;           /* CLOCK_REALTIME, seconds */
	/* The object has gone, and its stream is about to: the name is not free yet. */
	bool is_removing;
	struct cluster_settings settings;
};
char *api_entry_text(const struct cluster_entry *entry);
/* Reads a text that anybody may have written. Fails with -EINVAL or -ENOMEM. */
int api_read_entry(const char *text, size_t size, struct cluster_entry *ret_entry);

#endif
