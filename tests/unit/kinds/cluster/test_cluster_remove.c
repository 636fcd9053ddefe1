/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing objects: the stream first, then the entry, so nothing is left when a name is free. */
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_call.h"

#define ENTRY  "$KV.ipcfs.queues.news"
#define CREATE "$JS.API.STREAM.CREATE.ipcfs-queues-news"
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

START_TEST(test_cluster_remove_takes_stream_and_entry)
{
	struct fake_call call = {0};

	begin();
	remove_it(&call);
	ck_assert(!fake_was_sent(ENTRY));
	ck_assert(is_there());
	fake_reply(DELETE, NULL, _i ? FAKE_NO_STREAM : FAKE_SUCCESS);
	ck_assert_uint_eq(fake_wait_for(ENTRY)->size, 0);
	fake_reply(ENTRY, NULL, FAKE_ACK);
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
	fake_wait_for(DELETE);
	fake_interrupt(&call);
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, FAKE_ACK);
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
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	ck_assert(!call.is_done);
	cluster_entry_seen(queues->cluster, CLUSTER_QUEUES, "news", "news", &entry, 5);
	fake_reply(ENTRY, NULL, FAKE_ACK);
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
		fake_reply(DELETE, NULL, FAKE_SUCCESS);
	else
		fake_wait_for(DELETE);
	if (_i)
		fake_reply(ENTRY, NULL, FAKE_CONFLICT);
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
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	must(fake_called(&call));
	ck_assert(!is_there());
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
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
