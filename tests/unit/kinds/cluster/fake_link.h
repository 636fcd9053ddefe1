/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link to no server, in the place of lib/kinds/cluster/nats_*.c: a test sees what is sent, says
 * what the answer is, and lets the link go down. So every moment of a failure can be tested.
 */
#ifndef TESTS_UNIT_FAKE_LINK_H
#define TESTS_UNIT_FAKE_LINK_H

#include "lib/kinds/cluster/nats_link.h"

struct fake_post {
	char *subject, *data, *id; /* id: Nats-Msg-Id, or "" */
	size_t size;
	struct nats_ask *ask; /* NULL: answered, forgotten, or nothing was asked */
	struct fake_post *prev, *next;
};

/* All that was sent, oldest first, except what has been dropped. */
extern struct fake_post *fake_posts;

void fake_up(void);
void fake_down(void);

/* The oldest question to this subject, or to one that begins so, if it ends with `*`; or NULL. */
struct fake_post *fake_asked(const char *subject);
/* How many questions to such a subject are open. */
unsigned fake_n_asked(const char *subject);
/* Answers with a text, or with a status (text NULL). */
void fake_answer(struct fake_post *post, const char *text, int status);
/* Ends the question without an answer. */
void fake_fail(struct fake_post *post, int error);

/* How many messages have been pulled from the consumer and have not come. */
unsigned fake_n_pulled(const char *key);
/* Delivers a message; `n_delivered` 1: for the first time. */
void fake_deliver(const char *key, const char *text, uint64_t n_delivered);
/* Delivers the message with this number in the stream. */
void fake_deliver_at(const char *key, const char *text, uint64_t sequence);
/* Ends all that was pulled, with this status. */
void fake_end_pulls(const char *key, int status);

/* What was told of deliveries. */
struct fake_told {
	unsigned n_acks, n_naks, n_progress;
	unsigned n_deliveries; /* that are not freed */
	uint64_t sequence;     /* of the last one that was told of */
};
extern struct fake_told fake_told;

/* Forgets what was sent. */
void fake_fini(void);

#endif
