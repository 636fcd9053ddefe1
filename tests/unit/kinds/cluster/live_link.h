/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link to a server, for tests: each waits for what it expects with a loop that runs until then.
 */
#ifndef TESTS_UNIT_LIVE_LINK_H
#define TESTS_UNIT_LIVE_LINK_H

#include "lib/kinds/cluster/nats_link.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/server.h"

extern struct server the_server;
extern struct nats_link *the_link; /* NULL: it is not open */

/* A question, and how it has ended. */
struct asked {
	struct nats_ask ask;
	int n; /* how often it has ended */
	int error, status;
	char text[4096];
	bool asks_again; /* when it ends, which has to fail */
};

/* Runs the tests with a server and a link, which end with each test. Returns main's exit code. */
int link_run(const char *name, const TTest *const tests[]);

/* Opens the link to SERVER_URL, or to what host.remote says. */
void link_open(void);
void link_close(void);
/* Runs the loop until the link is up, or down. */
void link_await(bool is_up);
/* Runs the loop until the status gives an error with this text in it. */
void link_await_error(const char *text);
/* Starts the server, opens the link and waits until it is up. */
void link_start(void);

void link_answered(struct nats_ask *ask, const struct nats_message *message, int error);
void link_ask(struct asked *asked, const char *subject, const char *text, int64_t timeout);
/* Runs the loop until the question has ended. */
void link_await_answer(const struct asked *asked);

/* A feed, and what has come by it. */
struct fed {
	struct nats_feed feed;
	struct nats_delivery *deliveries; /* oldest first */
	unsigned n;                       /* deliveries */
	unsigned n_ended;                 /* messages that do not come */
	int status;                       /* of the last pull that has ended */
};

/* Opens the feed of the consumer "c" of the stream "t". */
void link_feed_open(struct fed *fed);
void link_feed_close(struct fed *fed);
/* Runs the loop until so many messages have come and so many will not. */
void link_await_fed(const struct fed *fed, unsigned n, unsigned n_ended);
/* Tells the server of the oldest delivery, and frees it. */
void link_tell(struct fed *fed, enum nats_verdict verdict);
/* Publishes to the stream, and waits until the server has it. */
void link_publish(const char *text);

/* Makes the stream "t" for the subject "t.x", a work queue, with the durable consumer "c". */
void link_make_stream(void);

#endif
