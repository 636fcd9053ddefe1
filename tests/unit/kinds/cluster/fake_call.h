/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request that waits for what a fake link brings, and the texts that a server would answer with.
 */
#ifndef TESTS_UNIT_FAKE_CALL_H
#define TESTS_UNIT_FAKE_CALL_H

#include "lib/kinds/cluster/cluster.h"
#include "tests/unit/kinds/cluster/fake_object.h"

#define FAKE_ACK     "{\"stream\":\"s\",\"seq\":7}"
#define FAKE_ACK_8   "{\"stream\":\"s\",\"seq\":8}"
#define FAKE_SUCCESS "{\"success\":true}"
#define FAKE_ERROR(code)                                                   \
	"{\"error\":{\"code\":400,\"err_code\":" #code ",\"description\":" \
	"\"something\"}}"
/* Another entry than the expected one is the last. */
#define FAKE_CONFLICT FAKE_ERROR(10071)
/* STREAM.INFO of a stream with messages from 1 to `n`. */
#define FAKE_STREAM(n)                                                 \
	"{\"config\":{\"num_replicas\":1},\"state\":{\"messages\":" #n \
	",\"bytes\":9,\"first_seq\":1,\"last_seq\":" #n ",\"last_ts\":\"2026-11-28T15:00:00Z\"}}"

/* All zeroes at first, except call() and what it needs. */
struct fake_call {
	/* Makes the call, as one step of the request. */
	int (*step)(struct fake_call *call, struct caller *caller);
	struct caller *caller; /* NULL: root */
	const char *name;
	struct cluster_object *object;
	void *data;
	struct waiter waiter;
	int result;
	bool is_done;
};

/* Takes the first step, and lets the loop handle what follows from it. */
void fake_call(struct fake_call *call);
/* What the call has returned; fails the test if it still waits. */
int fake_called(const struct fake_call *call);
/* A signal ends the wait. */
void fake_interrupt(struct fake_call *call);

/* Waits for the question, checks that this text is in it (NULL: any), and answers it. */
void fake_reply(const char *subject, const char *part, const char *text);
/* Answers STREAM.MSG.GET: with this text as a stored message, of sequence 9. */
void fake_give(const char *subject, const char *text);
/* Whether something was sent to the subject, answered or not. */
bool fake_was_sent(const char *subject);

/* Writes the text in base64, to a buffer that is large enough. */
void fake_encode(const char *text, char *ret_data);

#endif
