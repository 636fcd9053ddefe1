/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at an object: what the server tells of its stream, and what waits there. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_call.h"

#define INFO     "$JS.API.STREAM.INFO.ipcfs-queues-news"
#define CREATE   "$JS.API.STREAM.CREATE.ipcfs-queues-news"
#define GET      "$JS.API.STREAM.MSG.GET.ipcfs-queues-news"
#define CONSUMER "$JS.API.CONSUMER.DURABLE.CREATE.ipcfs-queues-news.readers"

#define MESSAGE(seq, data)                              \
	"{\"message\":{\"subject\":\"x\",\"seq\":" #seq \
	",\"time\":\"2026-11-28T16:00:00Z\",\"data\":\"" data "\"}}"
#define NO_MESSAGE FAKE_ERROR(10037)

static struct cluster_object *news;
static struct peeked {
	char *text;
	size_t size;
} peeked;

static void begin(void)
{
	news = fake_object(&cluster_queue_kind, CLUSTER_QUEUES);
}

static void end(void)
{
	free(peeked.text);
	fake_close_all((struct file *[]){NULL});
}

static int peek(struct fake_call *call, struct caller *caller)
{
	FILE *out = open_memstream(&peeked.text, &peeked.size);
	int r = channel_peek(&news->channel, caller, out);

	fclose(out);
	if (r == -EINPROGRESS)
		free(peeked.text);
	return r;
}

/* Each message ends a line. What others take meanwhile is not there. */
START_TEST(test_cluster_peek_shows_messages)
{
	struct fake_call call = {.step = peek};

	begin();
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_STREAM(4));
	fake_reply(GET, "\"seq\":1", MESSAGE(1, "b25lCg=="));
	fake_reply(GET, "\"seq\":2", MESSAGE(3, "dGhyZWU="));
	fake_reply(GET, "\"seq\":4", NO_MESSAGE);
	must(fake_called(&call));
	ck_assert_str_eq(peeked.text, "one\nthree\n");
	end();
}
END_TEST

START_TEST(test_cluster_peek_of_nothing)
{
	struct fake_call call = {.step = peek};

	begin();
	fake_call(&call);
	fake_reply(INFO, NULL, _i ? FAKE_NO_STREAM : FAKE_STREAM(0));
	must(fake_called(&call));
	ck_assert_uint_eq(peeked.size, 0);
	end();
}
END_TEST

/* A server that gives the same again and again is not asked for ever. */
START_TEST(test_cluster_peek_ends)
{
	struct fake_call call = {.step = peek};

	begin();
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_STREAM(1000000));
	for (int i = 0; i < 64; i++)
		fake_reply(GET, NULL, MESSAGE(1, "eA=="));
	must(fake_called(&call));
	ck_assert_uint_eq(peeked.size, 128);
	end();
}
END_TEST

/* What was found is freed. */
START_TEST(test_cluster_peek_given_up)
{
	struct fake_call call = {.step = peek};

	begin();
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_STREAM(4));
	fake_reply(GET, NULL, MESSAGE(1, "b25lCg=="));
	fake_interrupt(&call);
	ck_assert_ptr_null(fake_asked(GET));
	peeked.text = NULL;
	end();
}
END_TEST

/* Whoever reads all of info/ is not kept waiting. */
START_TEST(test_cluster_peek_without_a_link_fails)
{
	struct fake_call call = {.step = peek};

	begin();
	fake_down();
	fake_call(&call);
	must_fail(fake_called(&call), EHOSTDOWN);
	end();
}
END_TEST

/* Measuring. */

static int measure(struct fake_call *call, struct caller *caller)
{
	return channel_measure(&news->channel, caller, call->data);
}

START_TEST(test_cluster_peek_measures)
{
	struct row row = {0};
	struct fake_call call = {.step = measure, .data = &row};

	begin();
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_STREAM(4));
	must(fake_called(&call));
	channel_status(&news->channel, &root, &row);
	ck_assert_uint_eq(row_find(&row, "messages")->number, 4);
	ck_assert_str_eq(row_find(&row, "link")->word, "up");
	row_fini(&row);
	end();
}
END_TEST

START_TEST(test_cluster_peek_measures_nothing_without_a_link)
{
	struct row row = {0};
	struct fake_call call = {.step = measure, .data = &row};

	begin();
	fake_down();
	fake_call(&call);
	must_fail(fake_called(&call), EHOSTDOWN);
	row.has_no_measure = true;
	channel_status(&news->channel, &root, &row);
	ck_assert_ptr_null(row_find(&row, "messages"));
	ck_assert_str_eq(row_find(&row, "link")->word, "down");
	ck_assert_uint_eq(row_find(&row, "maxmsg")->number, CLUSTER_MESSAGES_DEFAULT);
	ck_assert_uint_eq(row_find(&row, "ack_wait")->number, 30);
	row_fini(&row);
	end();
}
END_TEST

/* How full a queue is, is for those who may read it. */
START_TEST(test_cluster_peek_measures_for_readers)
{
	struct row row = {0};
	struct fake_call call = {.step = measure, .data = &row, .caller = &stranger};
	struct cluster_entry entry;

	begin();
	entry = news->entry;
	entry.mode = 0600;
	cluster_entry_seen(news->cluster, CLUSTER_QUEUES, "news", "news", &entry, 2);
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_STREAM(4));
	must(fake_called(&call));
	channel_status(&news->channel, &stranger, &row);
	ck_assert_ptr_null(row_find(&row, "messages"));
	ck_assert_ptr_nonnull(row_find(&row, "consumers"));
	row_fini(&row);
	cluster_entry_gone(news->cluster, CLUSTER_QUEUES, "news", 100);
	end();
}
END_TEST

/* The look that mends. */

static int look(struct fake_call *call, struct caller *caller)
{
	return cluster_look(news, caller, call->data);
}

/* While an object is being removed, its stream is missing too. */
START_TEST(test_cluster_peek_makes_a_missing_stream_again_after_a_while)
{
	struct stream_look found = {0};
	struct fake_call call = {.step = look, .data = &found};
	unsigned n = 0;

	begin();
	fake_call(&call);
	while (!fake_asked(CREATE)) {
		if (fake_asked(INFO)) {
			fake_reply(INFO, NULL, FAKE_NO_STREAM);
			n++;
		}
		loop_settle();
	}
	ck_assert_uint_gt(n, 1);
	fake_reply(CREATE, NULL, FAKE_STREAM(0));
	fake_reply(CONSUMER, NULL, FAKE_DONE);
	must(fake_called(&call));
	ck_assert_uint_eq(found.replicas, 1);
	end();
}
END_TEST

START_TEST(test_cluster_peek_makes_no_stream_of_what_is_removed)
{
	struct stream_look found = {0};
	struct fake_call call = {.step = look, .data = &found};

	begin();
	channel_ref(&news->channel);
	fake_call(&call);
	fake_reply(INFO, NULL, FAKE_NO_STREAM);
	fake_remove_object(news);
	while (!call.is_done)
		loop_settle();
	must_fail(fake_called(&call), EIDRM);
	ck_assert(!fake_was_sent(CREATE));
	channel_unref(&news->channel);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_peek");

	suite_add(suite, "peek",
		  (const TTest *const[]){
			  test_cluster_peek_shows_messages,
			  test_cluster_peek_ends,
			  test_cluster_peek_given_up,
			  test_cluster_peek_without_a_link_fails,
			  NULL,
		  });
	suite_add_loop(suite, "empty", (const TTest *const[]){test_cluster_peek_of_nothing, NULL},
		       2);
	suite_add(suite, "measure",
		  (const TTest *const[]){
			  test_cluster_peek_measures,
			  test_cluster_peek_measures_nothing_without_a_link,
			  test_cluster_peek_measures_for_readers,
			  test_cluster_peek_makes_a_missing_stream_again_after_a_while,
			  test_cluster_peek_makes_no_stream_of_what_is_removed,
			  NULL,
		  });
	return suite_run(suite);
}
