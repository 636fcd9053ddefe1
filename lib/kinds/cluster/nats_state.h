/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of nats_link.h: what its files share.
 *
 * A connection belongs either to the thread or to the loop, never to both. The thread makes it and
 * hands it over (nats_thread::fresh); the loop uses it, and gives it back (nats_thread::spent),
 * dead or alive, for the thread to destroy. What the two share is in struct nats_thread, which
 * lives until both have let go of it: a thread that hangs in a name server's answer when the mount
 * ends is left behind with it.
 */
#ifndef IPCFS_NATS_STATE_H
#define IPCFS_NATS_STATE_H

#include <nats/nats.h>
#include <pthread.h>

#include "lib/kinds/cluster/nats_link.h"

/* "_INBOX." and what nobody guesses; a dot and a number follow. */
#define NATS_INBOX_SIZE 40
/* Room for an inbox, the number of a slot, and the number of a question. */
#define NATS_REPLY_SIZE (NATS_INBOX_SIZE + 48)
#define NATS_SPENT_MAX  64

/*
 * A subscription to the answers to questions that go to one subject, or to JetStream's API. When
 * nobody listens to a subject, the server says so to whoever asks, but libnats keeps to itself to
 * which question that is the answer (natsSubscription_NextMsg, NATS_NO_RESPONDERS). Then it is the
 * oldest one of the slot: what is true of a subject is true of all questions to it.
 */
struct nats_slot {
	natsSubscription *sub;
	unsigned number;
	char *subject;    /* owned */
	unsigned n_users; /* questions under way */
	bool is_busy;     /* in nats_connection::busy, else in ::idle */
	struct nats_slot *prev, *next;
	UT_hash_handle hh; /* nats_connection::slots, by subject */
};

/* A message on its way between the loop and the thread. */
struct nats_relayed {
	natsMsg *msg; /* owned */
	struct nats_relayed *prev, *next;
};

/* What the loop, the thread and libnats share while a connection with TLS is up. */
struct nats_relay {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	pthread_key_t key;     /* its destructor sees the subscription's thread end */
	natsSubscription *sub; /* the thread's: to INBOX.> */
	int in_fd, out_fd;     /* eventfds: the list is not empty any more */
	/* Under the lock. */
	int fd; /* the socket; -1: it is closed */
	bool is_closed;
	bool is_delivering;       /* the subscription has a thread */
	struct nats_relayed *in;  /* messages that have come, for the loop */
	struct nats_relayed *out; /* messages to send, for the thread */
	size_t n_out;             /* bytes */
};

struct nats_connection {
	natsConnection *nc;
	natsConnection *attached; /* the same, also while it connects */
	struct nats_relay *relay; /* NULL: the socket belongs to the loop */
	struct nats_slot *slots;
	struct nats_slot *busy, *idle; /* idle: the one that was used last comes last */
	struct nats_slot *next_slot;   /* of a walk along one of the two */
	unsigned n_slots, n_idle, last_slot;
	natsStatistics *statistics;
	uint64_t n_received; /* messages that were looked at */
	char inbox[NATS_INBOX_SIZE];
	size_t payload_max;
	char server[128]; /* URL */
	int fd;
	bool wants_write;       /* libnats holds bytes that the socket has not taken */
	bool is_closed;         /* libnats has closed it */
	struct nats_link *link; /* while it belongs to the loop, else NULL */
};

struct nats_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n_refs;
	int event_fd; /* for the loop: there is a fresh connection */
	char *servers, *creds, *ca;
	/* Under the lock. */
	bool is_ending;
	struct nats_connection *fresh, *spent;
	struct nats_relay *relay; /* that the thread is busy with, or NULL */
	char error[256];          /* why it is not connected; "" */
};

/* A request for messages. The server answers to its number when it ends early. */
struct nats_pull {
	uint64_t number;
	unsigned n_asked;
	unsigned n;    /* messages that have not come, as far as we know */
	int64_t until; /* as clock_now(): then it has ended, whatever the server says */
	struct nats_slot *slot;
	struct nats_feed *feed;
	struct nats_pull *prev, *next; /* nats_feed::pulls */
	UT_hash_handle hh;             /* nats_link::pulls, by number */
};

struct nats_link {
	struct host *host;
	struct loop *loop;
	struct nats_thread *thread;
	struct loop_source wakeup;          /* nats_thread::event_fd */
	struct nats_connection *connection; /* NULL: the link is down */
	struct loop_source socket;
	uint32_t socket_events;
	struct loop_task flush;
	uint64_t epoch; /* how often it has come up */
	struct timespec since;
	uint64_t n_sent, n_received;
	natsMsg *spent[NATS_SPENT_MAX]; /* to be freed */
	unsigned n_spent;
	size_t spent_bytes;
	uint64_t last_number;
	struct nats_ask *asks; /* oldest first */
	struct nats_ask *asks_by_number;
	struct nats_ask *next_ask; /* of a walk along the asks, which may end any of them */
	struct loop_source clock;
	int64_t clock_until; /* 0: it does not run */
	struct nats_feed *feeds;
	struct nats_feed *next_feed; /* of a walk */
	struct nats_pull *pulls;     /* oldest first */
	struct nats_pull *next_pull; /* of a walk */
	struct nats_listener *listeners;
	struct nats_listener *next_listener; /* of a walk */
	struct nats_ask probe;               /* a question to ourselves: does the server answer? */
	int64_t probed, heard;               /* as clock_now() */
	uint64_t acked; /* bytes that the other machine had when we last looked */
	int64_t rtt;    /* nanoseconds; 0: unknown */
};

/* nats_connect.c */
/* Connects, on the thread. Returns NULL and sets the thread's error if it can't. */
struct nats_connection *nats_connect(struct nats_thread *thread);
void nats_connection_free(struct nats_connection *connection);

/* nats_thread.c */
int nats_thread_new(const struct host_remote *remote, struct nats_thread **ret_thread);
/* Takes over the connection that was made; NULL: there is none. */
struct nats_connection *nats_thread_take(struct nats_thread *thread);
/* Gives the connection back, which may be alive. */
void nats_thread_return(struct nats_thread *thread, struct nats_connection *connection);
/* Tells the thread to end, waits for it for 2 s, and lets go. */
void nats_thread_end(struct nats_thread *thread);
void nats_thread_set_error(struct nats_thread *thread, const char *text);

/* nats_link.c */
/* Sends, with `reply` (NULL: none) as the subject for answers. Fails as nats_link_send(). */
int nats_link_post(struct nats_link *link, const struct nats_post *post, const char *reply);
void nats_link_lose(struct nats_link *link, const char *why);

/* nats_spent.c */
/* Takes a message over and frees it, now or a little later. */
void nats_spend(struct nats_link *link, natsMsg *msg);
/* Frees what is left. */
void nats_spent_free(struct nats_link *link);

/* nats_socket.c */
void nats_socket_init(struct nats_link *link);
/* Begins to watch the socket of a new connection. */
void nats_socket_open(struct nats_link *link);
/*
 * Writes what is left, if the connection is whole, and stops. Nothing on the loop touches libnats'
 * connection afterwards.
 */
void nats_socket_close(struct nats_link *link, struct nats_connection *connection, bool is_whole);
/* Whether bytes wait to be sent, and the other machine has taken some since the last call. */
bool nats_socket_moves(struct nats_link *link);
/* libnats has something to write. */
void nats_socket_wants_write(struct nats_link *link);

/* nats_slot.c */
/* Takes the slot for questions to this subject. Fails with -ENOTCONN or -ENOMEM. */
int nats_slot_get(struct nats_link *link, const char *subject, struct nats_slot **ret_slot);
/* Gives it back. */
void nats_slot_put(struct nats_link *link, struct nats_slot *slot);
/* The next number, which tells the answers to questions and pulls apart. */
uint64_t nats_slot_number(struct nats_link *link, const struct nats_slot *slot,
			  char ret_reply[static NATS_REPLY_SIZE]);
/* Hands what has come to its askers and feeds. */
void nats_slots_dispatch(struct nats_link *link);
/* Hands over one message, which is taken over. */
void nats_slots_dispatch_message(struct nats_link *link, natsMsg *msg);
void nats_slots_free(struct nats_connection *connection);

/* nats_relay.c */
/* On the thread: makes connection->relay. */
natsStatus nats_relay_new(struct nats_connection *connection);
void nats_relay_free(struct nats_relay *relay);
/* Sends what there is to send and reads what has come, or waits for either. */
void nats_relay_turn(struct nats_connection *connection);
/* Sends what there is to send. */
void nats_relay_flush(struct nats_connection *connection);
int nats_relay_fd(struct nats_relay *relay);
/* libnats is about to close the socket. */
void nats_relay_forget_fd(struct nats_relay *relay);
/* On the loop: makes a thread that waits for the socket give up. */
void nats_relay_break(struct nats_relay *relay);
/* Makes nats_relay_turn() return. */
void nats_relay_wake(struct nats_relay *relay);
/* Takes over the message; false: there is no memory. */
bool nats_relay_send(struct nats_relay *relay, natsMsg *msg);
size_t nats_relay_unsent(struct nats_relay *relay);
/* Hands over what has come. Returns whether the connection is still open. */
bool nats_relay_dispatch(struct nats_link *link);

/* nats_asks.c */
int nats_asks_init(struct nats_link *link);
void nats_asks_fini(struct nats_link *link);
/* Returns false if no ask has this number. */
bool nats_asks_answer(struct nats_link *link, uint64_t number, const struct nats_message *message);
void nats_asks_lose(struct nats_link *link);
/* The number of the oldest ask of a slot; 0: it has none. */
uint64_t nats_asks_oldest(struct nats_link *link, const struct nats_slot *slot);
/* Begins to watch over the connection, which is new. */
void nats_asks_watch(struct nats_link *link);
/* Makes the clock look at asks and pulls at this time, or before. */
void nats_asks_set_clock(struct nats_link *link, int64_t until);

/* nats_feed.c */
/* Ends a pull with an error's status. Returns false if no pull has this number. */
bool nats_feeds_end_pull(struct nats_link *link, uint64_t number,
			 const struct nats_message *message);
/* The number of the oldest pull of a slot; 0: it has none. */
uint64_t nats_feeds_oldest(struct nats_link *link, const struct nats_slot *slot);
/* Takes over a message that did not come to the inbox. */
void nats_feeds_deliver(struct nats_link *link, natsMsg *msg);
/* Ends the pulls whose time is over, and returns when to look again; 0: there are none. */
int64_t nats_feeds_expire(struct nats_link *link, int64_t now);
void nats_feeds_lose(struct nats_link *link);
void nats_feeds_fini(struct nats_link *link);

/* nats_delivery.c */
/* Reads "$JS.ACK.…". Returns -EINVAL if it is none; `ret_key` gets "STREAM.CONSUMER". */
#define NATS_KEY_SIZE 520
int nats_delivery_parse(const char *reply, struct nats_delivery *ret_delivery,
			char ret_key[static NATS_KEY_SIZE]);
void nats_message_from(natsMsg *msg, struct nats_message *ret_message);

#endif
