/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing objects: the entry says so first, then the stream goes, and then the entry, so nothing
 * is left when a name is free.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_call.h"

#define ENTRY  "$KV.ipcfs.queues.news"
#define CREATE "$JS.API.STREAM.CREATE.ipcfs-queues-news"
#define GET    "$JS.API.STREAM.MSG.GET.KV_ipcfs"
#define DELETE "$JS.API.STREAM.DELETE.ipcfs-queues-news"

static struct cluster_object *news;
static struct cluster_space *queues;

static void begin(void)
{
	news = fake_object(&cluster_queue_kind, CLUSTER_QUEUES);
	queues = cluster_space_from(news->channel.space);
}

static void end(void)
{
	fake_close_all((struct file *[]){NULL});
}

static int remove_news(struct fake_call *call, struct caller *caller)
{
	return cluster_remove(&queues->space, "news", caller);
}

static bool is_there(void)
{
	return cluster_find(queues, "news");
}

static void remove_it(struct fake_call *call)
{
	call->step = remove_news;
	fake_call(call);
}

/* Expects the entry to say that the object is being removed. */
static void expect_mark(void)
{
	const struct fake_post *post = fake_wait_for(ENTRY);
	struct cluster_entry entry;

	must(api_read_entry(post->data, post->size, &entry));
	ck_assert(entry.is_removing);
}

START_TEST(test_cluster_remove_takes_stream_and_entry)
{
	struct fake_call call = {0};

	begin();
	remove_it(&call);
	expect_mark();
	ck_assert(is_there());
	fake_reply(ENTRY, NULL, FAKE_ACK);
	ck_assert(!is_there());
	ck_assert(!fake_was_sent(DELETE));
	fake_reply(DELETE, NULL, _i ? FAKE_NO_STREAM : FAKE_SUCCESS);
	ck_assert_uint_eq(fake_wait_for(ENTRY)->size, 0);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	must(fake_called(&call));
	ck_assert(!is_there());
	end();
}
END_TEST

START_TEST(test_cluster_remove_is_for_the_owner)
{
	struct fake_call call = {.caller = &stranger};

	begin();
	remove_it(&call);
	must_fail(fake_called(&call), EPERM);
	ck_assert(!fake_was_sent(DELETE));
	end();
}
END_TEST

START_TEST(test_cluster_remove_given_up_goes_on)
{
	struct fake_call call = {0};

	begin();
	remove_it(&call);
	fake_wait_for(ENTRY);
	fake_interrupt(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	ck_assert(!is_there());
	end();
}
END_TEST

/* Another machine has changed the mode. */
START_TEST(test_cluster_remove_of_an_entry_that_has_changed)
{
	struct fake_call call = {0};
	struct cluster_entry entry;

	begin();
	entry = news->entry;
	remove_it(&call);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	ck_assert(!call.is_done);
	cluster_entry_seen(queues->cluster, CLUSTER_QUEUES, "news", "news", &entry, 5);
	expect_mark();
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	must(fake_called(&call));
	ck_assert(!is_there());
	end();
}
END_TEST

/* Another machine has removed it too, and made one with the same name. */
START_TEST(test_cluster_remove_leaves_the_next_of_that_name)
{
	struct fake_call call = {0};
	struct cluster_entry entry;

	begin();
	entry = news->entry;
	entry.created++;
	remove_it(&call);
	if (_i)
		fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	else
		fake_wait_for(ENTRY);
	cluster_entry_seen(queues->cluster, CLUSTER_QUEUES, "news", "news", &entry, 5);
	if (!_i) {
		fake_down();
		fake_up();
	}
	while (!call.is_done)
		loop_settle();
	must(fake_called(&call));
	ck_assert_ptr_null(fake_asked(DELETE));
	ck_assert_ptr_null(fake_asked(ENTRY));
	ck_assert(is_there());
	end();
}
END_TEST

static int create_news(struct fake_call *call, struct caller *caller)
{
	struct entry entry = {0};

	return cluster_create(&queues->space, "news", S_IFREG | 0640, NULL, caller, &entry);
}

/* Whoever made it has given up, and the server has not answered yet. */
START_TEST(test_cluster_remove_ends_making)
{
	struct fake_call making = {.step = create_news}, call = {0};
	struct cluster_entry entry;

	begin();
	cluster_entry_gone(queues->cluster, CLUSTER_QUEUES, "news", 2);
	fake_call(&making);
	must(api_read_entry(fake_wait_for(ENTRY)->data, fake_wait_for(ENTRY)->size, &entry));
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_wait_for(CREATE);
	fake_interrupt(&making);
	cluster_entry_seen(queues->cluster, CLUSTER_QUEUES, "news", "news", &entry, 7);
	remove_it(&call);
	ck_assert_ptr_null(fake_asked(CREATE));
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, "{\"stream\":\"s\",\"seq\":9}");
	must(fake_called(&call));
	ck_assert(!is_there());
	end();
}
END_TEST

/* Answers what the last entry is: one that says since `then` that the object is being removed. */
static void tell_of_removal(time_t then)
{
	struct cluster_entry entry = news->entry;
	CLEANUP_FREE char *text = NULL;
	char data[1024], time[32], answer[2048];

	entry.is_removing = true;
	text = api_entry_text(&entry);
	ck_assert_ptr_nonnull(text);
	fake_encode(text, data);
	strftime(time, sizeof(time), "%FT%TZ", gmtime(&then));
	snprintf(answer, sizeof(answer),
		 "{\"message\":{\"subject\":\"x\",\"seq\":9,\"time\":\"%s\",\"data\":\"%s\"}}",
		 time, data);
	fake_reply(GET, NULL, answer);
}

/* The daemon that removed it has ended half-way, or is at it: then the name is not free yet. */
START_TEST(test_cluster_remove_half_way_frees_the_name_later)
{
	struct fake_call making = {.step = create_news};

	begin();
	channel_ref(&news->channel);
	cluster_entry_gone(queues->cluster, CLUSTER_QUEUES, "news", 2);
	fake_call(&making);
	if (_i) {
		fake_reply(ENTRY, NULL, FAKE_CONFLICT);
		tell_of_removal(time(NULL));
		ck_assert(!making.is_done);
	}
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	tell_of_removal(time(NULL) - 90);
	ck_assert_str_eq(fake_wait_for(ENTRY)->id, "9"); /* the last revision */
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_wait_for(CREATE);
	fake_interrupt(&making);
	channel_unref(&news->channel);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_remove");

	suite_add(suite, "removed",
		  (const TTest *const[]){
			  test_cluster_remove_is_for_the_owner,
			  test_cluster_remove_given_up_goes_on,
			  test_cluster_remove_of_an_entry_that_has_changed,
			  test_cluster_remove_ends_making,
			  NULL,
		  });
	suite_add_loop(suite, "both",
		       (const TTest *const[]){
			       test_cluster_remove_takes_stream_and_entry,
			       test_cluster_remove_leaves_the_next_of_that_name,
			       test_cluster_remove_half_way_frees_the_name_later,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
