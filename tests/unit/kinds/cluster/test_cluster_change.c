/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing owner, mode and settings, while others may do the same; and emptying. */
#include <fcntl.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_call.h"

#define ENTRY    "$KV.ipcfs.queues.news"
#define GET      "$JS.API.STREAM.MSG.GET.KV_ipcfs"
#define UPDATE   "$JS.API.STREAM.UPDATE.ipcfs-queues-news"
#define PURGE    "$JS.API.STREAM.PURGE.ipcfs-queues-news"
#define CONSUMER "$JS.API.CONSUMER.DURABLE.CREATE.ipcfs-queues-news.readers"

static struct cluster_object *news;

static void begin(void)
{
	news = fake_object(&cluster_queue_kind, CLUSTER_QUEUES);
}

static void end(void)
{
	cluster_entry_gone(news->cluster, CLUSTER_QUEUES, "news", 100);
	fake_close_all((struct file *[]){NULL});
}

static int change_mode(struct fake_call *call, struct caller *caller)
{
	const struct stat attr = {.st_mode = 04751};

	return channel_change(&news->channel, NULL, &attr, CHANGE_MODE, caller);
}

/* Another machine sets the mode. */
static void see_mode(unsigned mode, uint64_t revision)
{
	struct cluster_entry entry = news->entry;

	entry.mode = mode;
	cluster_entry_seen(news->cluster, CLUSTER_QUEUES, "news", "news", &entry, revision);
}

/* A mode that says how the object runs would mean nothing. */
START_TEST(test_cluster_change_mode)
{
	struct fake_call call = {.step = change_mode};

	begin();
	fake_call(&call);
	ck_assert_uint_eq(news->attributes.mode, S_IFREG | 0666);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	must(fake_called(&call));
	ck_assert_uint_eq(news->attributes.mode, S_IFREG | 0751);
	ck_assert_uint_eq(news->revision, 7);
	end();
}
END_TEST

START_TEST(test_cluster_change_is_for_the_owner)
{
	struct fake_call call = {.step = change_mode, .caller = &stranger};

	begin();
	fake_call(&call);
	must_fail(fake_called(&call), EPERM);
	ck_assert(!fake_was_sent(ENTRY));
	end();
}
END_TEST

START_TEST(test_cluster_change_begins_again_with_a_newer_entry)
{
	struct fake_call call = {.step = change_mode};

	begin();
	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	ck_assert(!call.is_done);
	ck_assert_ptr_null(fake_asked(ENTRY));
	see_mode(0600, 5);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	must(fake_called(&call));
	ck_assert_uint_eq(news->attributes.mode, S_IFREG | 0751);
	end();
}
END_TEST

START_TEST(test_cluster_change_that_the_newer_entry_has_is_done)
{
	struct fake_call call = {.step = change_mode};

	begin();
	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	see_mode(0751, 5);
	while (!call.is_done)
		loop_settle();
	must(fake_called(&call));
	ck_assert_ptr_null(fake_asked(ENTRY));
	end();
}
END_TEST

START_TEST(test_cluster_change_of_what_was_removed)
{
	struct fake_call call = {.step = change_mode};

	begin();
	channel_ref(&news->channel);
	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	cluster_entry_gone(news->cluster, CLUSTER_QUEUES, "news", 5);
	while (!call.is_done)
		loop_settle();
	must_fail(fake_called(&call), EIDRM);
	channel_unref(&news->channel);
	fake_close_all((struct file *[]){NULL});
}
END_TEST

static int give_away(struct fake_call *call, struct caller *caller)
{
	const struct stat attr = {.st_uid = STRANGER, .st_gid = STRANGER};

	return channel_change(&news->channel, NULL, &attr, CHANGE_UID | CHANGE_GID, caller);
}

START_TEST(test_cluster_change_owner_by_name)
{
	struct fake_call call = {.step = give_away};

	begin();
	fake_call(&call);
	fake_reply(ENTRY, "\"nobody\"", FAKE_ACK);
	must(fake_called(&call));
	ck_assert_uint_eq(news->attributes.uid, STRANGER);
	ck_assert_str_eq(news->entry.group, "nogroup");
	end();
}
END_TEST

static int change_times(struct fake_call *call, struct caller *caller)
{
	const struct stat attr = {.st_mtim.tv_sec = 5};

	return channel_change(&news->channel, NULL, &attr, CHANGE_MTIME, caller);
}

START_TEST(test_cluster_change_of_times_stays_here)
{
	struct fake_call call = {.step = change_times};

	begin();
	fake_call(&call);
	must(fake_called(&call));
	ck_assert_int_eq(news->attributes.mtime.tv_sec, 5);
	ck_assert(!fake_was_sent(ENTRY));
	end();
}
END_TEST

/* Settings. */

static int set_maxmsg(struct fake_call *call, struct caller *caller)
{
	const struct parameter *parameters = cluster_queue_kind.parameters;
	ptrdiff_t maxmsg = parameter_find(parameters, "maxmsg") - parameters;
	struct settings settings = {.given = 1U << maxmsg};

	settings.values[maxmsg] = 17;
	return channel_set(&news->channel, &settings, caller);
}

START_TEST(test_cluster_change_settings_of_entry_stream_and_consumer)
{
	struct fake_call call = {.step = set_maxmsg};

	begin();
	fake_call(&call);
	ck_assert(!fake_was_sent(UPDATE));
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(UPDATE, "\"max_msgs\":17", FAKE_STREAM(0));
	fake_reply(CONSUMER, NULL, FAKE_DONE);
	must(fake_called(&call));
	ck_assert_uint_eq(news->entry.settings.maxmsg, 17);
	end();
}
END_TEST

START_TEST(test_cluster_change_settings_that_the_server_refuses_are_taken_back)
{
	struct fake_call call = {.step = set_maxmsg};
	struct cluster_entry entry;

	begin();
	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(UPDATE, NULL, FAKE_ERROR(10052));
	ck_assert(!call.is_done);
	must(api_read_entry(fake_wait_for(ENTRY)->data, fake_wait_for(ENTRY)->size, &entry));
	ck_assert_uint_ne(entry.settings.maxmsg, 17);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	ck_assert_int_lt(fake_called(&call), 0);
	end();
}
END_TEST

START_TEST(test_cluster_change_settings_given_up_go_on)
{
	struct fake_call call = {.step = set_maxmsg};

	begin();
	fake_call(&call);
	fake_wait_for(ENTRY);
	fake_interrupt(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(UPDATE, NULL, FAKE_STREAM(0));
	fake_reply(CONSUMER, NULL, FAKE_DONE);
	ck_assert_uint_eq(news->entry.settings.maxmsg, 17);
	end();
}
END_TEST

START_TEST(test_cluster_change_settings_is_for_the_owner)
{
	struct fake_call call = {.step = set_maxmsg, .caller = &stranger};

	begin();
	fake_call(&call);
	must_fail(fake_called(&call), EPERM);
	end();
}
END_TEST

/* Emptying. */

static int empty(struct fake_call *call, struct caller *caller)
{
	return channel_truncate(&news->channel, NULL, 0, caller);
}

START_TEST(test_cluster_change_to_empty)
{
	struct fake_call call = {.step = empty};

	begin();
	fake_call(&call);
	fake_reply(PURGE, NULL, _i ? FAKE_NO_STREAM : FAKE_SUCCESS);
	must(fake_called(&call));
	end();
}
END_TEST

START_TEST(test_cluster_change_to_empty_is_for_readers)
{
	struct fake_call call = {.step = empty, .caller = &stranger};

	begin();
	see_mode(0622, 5);
	fake_call(&call);
	must_fail(fake_called(&call), EACCES);
	must_fail(channel_truncate(&news->channel, NULL, 1, &root), EINVAL);
	ck_assert(!fake_was_sent(PURGE));
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_change");

	suite_add(suite, "attributes",
		  (const TTest *const[]){
			  test_cluster_change_mode,
			  test_cluster_change_is_for_the_owner,
			  test_cluster_change_begins_again_with_a_newer_entry,
			  test_cluster_change_that_the_newer_entry_has_is_done,
			  test_cluster_change_of_what_was_removed,
			  test_cluster_change_owner_by_name,
			  test_cluster_change_of_times_stays_here,
			  NULL,
		  });
	suite_add(suite, "settings",
		  (const TTest *const[]){
			  test_cluster_change_settings_of_entry_stream_and_consumer,
			  test_cluster_change_settings_that_the_server_refuses_are_taken_back,
			  test_cluster_change_settings_given_up_go_on,
			  test_cluster_change_settings_is_for_the_owner,
			  test_cluster_change_to_empty_is_for_readers,
			  NULL,
		  });
	suite_add_loop(suite, "both", (const TTest *const[]){test_cluster_change_to_empty, NULL},
		       2);
	return suite_run(suite);
}
