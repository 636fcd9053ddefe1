/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making objects: the entry, the stream, the consumer; and what becomes of the first if there is no
 * second.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_call.h"

#define ENTRY    "$KV.ipcfs.queues.jobs"
#define CREATE   "$JS.API.STREAM.CREATE.ipcfs-queues-jobs"
#define DELETE   "$JS.API.STREAM.DELETE.ipcfs-queues-jobs"
#define PURGE    "$JS.API.STREAM.PURGE.ipcfs-queues-jobs"
#define CONSUMER "$JS.API.CONSUMER.DURABLE.CREATE.ipcfs-queues-jobs.readers"
#define GET      "$JS.API.STREAM.MSG.GET.KV_ipcfs"

static struct cluster_object *news;

static struct space *queues(void)
{
	if (!news)
		news = fake_object(&cluster_queue_kind, CLUSTER_QUEUES);
	return news->channel.space;
}

static int create(struct fake_call *call, struct caller *caller)
{
	struct entry entry = {0};
	int r = cluster_create(queues(), call->name ? call->name : "jobs", S_IFREG | 0640,
			       call->data, caller, &entry);

	entry_unref(&entry);
	return r;
}

static struct cluster_object *jobs(void)
{
	return cluster_find(cluster_space_from(queues()), "jobs");
}

/* Forgets the objects that the test has made, and ends the cluster. */
static void end(void)
{
	if (jobs())
		cluster_entry_gone(news->cluster, CLUSTER_QUEUES, "jobs", 100);
	fake_close_all((struct file *[]){NULL});
}

/* Answers what follows the entry. */
static void make_rest(void)
{
	fake_reply(CREATE, "\"ipcfs.queues.jobs\"", FAKE_STREAM(0));
	fake_reply(CONSUMER, "\"explicit\"", FAKE_DONE);
}

/* What the server has as the last entry, in base64. */
static void answer_with(const char *data)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "{\"message\":{\"subject\":\"x\",\"seq\":9,\"time\":\"2026-11-28T16:00:00Z\","
		 "\"data\":\"%s\"}}",
		 data);
	fake_reply(GET, NULL, text);
}

START_TEST(test_cluster_make_object_is_there_at_once)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	ck_assert(!fake_was_sent(CREATE));
	fake_reply(ENTRY, "\"root\"", FAKE_ACK);
	ck_assert(!call.is_done);
	make_rest();
	must(fake_called(&call));
	ck_assert_uint_eq(jobs()->revision, 7);
	ck_assert_uint_eq(jobs()->attributes.mode, S_IFREG | 0640);
	ck_assert_str_eq(jobs()->entry.owner, "root");
	ck_assert(!fake_was_sent(PURGE));
	end();
}
END_TEST

START_TEST(test_cluster_make_known_name_exists)
{
	struct fake_call call = {.step = create, .name = "news"};

	fake_call(&call);
	must_fail(fake_called(&call), EEXIST);
	end();
}
END_TEST

/* Another machine was faster, and the watch has not told yet. */
START_TEST(test_cluster_make_unknown_name_exists)
{
	struct fake_call call = {.step = create};
	char data[1024];

	fake_call(&call);
	fake_encode(fake_wait_for(ENTRY)->data, data);
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	answer_with(data); /* the bucket's look */
	answer_with(data);
	must_fail(fake_called(&call), EEXIST);
	ck_assert(!fake_was_sent(CREATE));
	ck_assert(!fake_was_sent(DELETE));
	/* Whoever is told so finds it. */
	ck_assert_uint_eq(jobs()->revision, 9);
	end();
}
END_TEST

START_TEST(test_cluster_make_refused_stream_takes_the_entry_along)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(CREATE, NULL, FAKE_ERROR(10074));
	fake_reply(DELETE, NULL, FAKE_NO_STREAM);
	ck_assert(!call.is_done);
	ck_assert_uint_eq(fake_wait_for(ENTRY)->size, 0);
	fake_reply(ENTRY, NULL, FAKE_ACK_8);
	must_fail(fake_called(&call), EINVAL);
	ck_assert_ptr_null(jobs());
	end();
}
END_TEST

START_TEST(test_cluster_make_given_up_goes_on)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_wait_for(ENTRY);
	fake_interrupt(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	make_rest();
	ck_assert_ptr_nonnull(jobs());
	end();
}
END_TEST

START_TEST(test_cluster_make_given_up_before_it_began_ends)
{
	struct fake_call call = {.step = create};

	queues();
	fake_down();
	fake_call(&call);
	fake_interrupt(&call);
	fake_up();
	loop_settle();
	ck_assert(!fake_was_sent(ENTRY));
	end();
}
END_TEST

START_TEST(test_cluster_make_waits_for_the_link)
{
	struct fake_call call = {.step = create};

	queues();
	fake_down();
	fake_call(&call);
	ck_assert(!fake_was_sent(ENTRY));
	fake_up();
	fake_reply(ENTRY, NULL, FAKE_ACK);
	make_rest();
	must(fake_called(&call));
	end();
}
END_TEST

START_TEST(test_cluster_make_waits_for_the_link_no_longer_than_it_may)
{
	struct fake_call call = {.step = create};

	queues();
	host.remote.timeout = 20000000; /* 20 ms */
	fake_down();
	fake_call(&call);
	while (!call.is_done)
		loop_settle();
	must_fail(fake_called(&call), ETIMEDOUT);
	end();
}
END_TEST

/* The entry may have arrived, or not: the server says what it has. */
START_TEST(test_cluster_make_entry_that_was_sent_twice_is_looked_at)
{
	struct fake_call call = {.step = create};
	char data[1024];

	fake_call(&call);
	fake_encode(fake_wait_for(ENTRY)->data, data);
	fake_down();
	fake_up();
	fake_reply(ENTRY, NULL, FAKE_CONFLICT);
	answer_with(_i ? "e30=" : data); /* the bucket's look */
	answer_with(_i ? "e30=" : data);
	if (_i) {
		must_fail(fake_called(&call), EEXIST);
		ck_assert(!fake_was_sent(DELETE));
	} else {
		make_rest();
		must(fake_called(&call));
		ck_assert_uint_eq(jobs()->revision, 9);
	}
	end();
}
END_TEST

/*
 * What is older than the entry belongs to an object that was removed half-way. What is not, others
 * have written since they know of the entry.
 */
START_TEST(test_cluster_make_only_old_messages_are_purged)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(CREATE, NULL, FAKE_STREAM(5));
	fake_reply(GET, "\"seq\":7",
		   _i ? "{\"message\":{\"subject\":\"x\",\"seq\":7,\"data\":\"e30=\","
			"\"time\":\"2026-11-28T14:59:59.9Z\"}}"
		      : "{\"message\":{\"subject\":\"x\",\"seq\":7,\"data\":\"e30=\","
			"\"time\":\"2026-11-28T16:00:00Z\"}}");
	if (_i)
		ck_assert(!fake_was_sent(PURGE));
	else
		fake_reply(PURGE, "{\"seq\":6}", FAKE_SUCCESS);
	fake_reply(CONSUMER, NULL, FAKE_DONE);
	must(fake_called(&call));
	end();
}
END_TEST

/* The stream may have been made by the first question, and others may write already. */
START_TEST(test_cluster_make_new_messages_are_kept)
{
	struct fake_call call = {.step = create};
	struct cluster_entry entry;

	fake_call(&call);
	must(api_read_entry(fake_wait_for(ENTRY)->data, fake_wait_for(ENTRY)->size, &entry));
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_wait_for(CREATE);
	cluster_entry_seen(news->cluster, CLUSTER_QUEUES, "jobs", "jobs", &entry, 7);
	fake_down();
	fake_up();
	fake_reply(CREATE, NULL, FAKE_STREAM(5));
	ck_assert(!fake_was_sent(PURGE));
	fake_reply(CONSUMER, NULL, FAKE_DONE);
	must(fake_called(&call));
	end();
}
END_TEST

/* Another machine has removed the object, though the first question had no answer. */
START_TEST(test_cluster_make_is_not_asked_again_for_what_was_removed)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_wait_for(CREATE);
	fake_down();
	fake_up();
	must_fail(fake_called(&call), EIDRM);
	ck_assert_ptr_null(fake_asked(CREATE));
	ck_assert(!fake_was_sent(DELETE));
	end();
}
END_TEST

START_TEST(test_cluster_make_stream_with_other_settings_is_replaced)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(CREATE, NULL, FAKE_ERROR(10058));
	fake_reply(DELETE, NULL, FAKE_SUCCESS);
	make_rest();
	must(fake_called(&call));
	end();
}
END_TEST

/* JetStream has no leader for a moment, or is not there yet. */
START_TEST(test_cluster_make_error_that_passes_is_tried_again)
{
	struct fake_call call = {.step = create};

	fake_call(&call);
	fake_reply(ENTRY, NULL, FAKE_ACK);
	fake_reply(CREATE, NULL, _i ? FAKE_ERROR(10008) : NULL);
	ck_assert(!call.is_done);
	make_rest();
	must(fake_called(&call));
	end();
}
END_TEST

/* Four objects of one GiB are as much as a user may have; root may have more. */
START_TEST(test_cluster_make_of_too_many_bytes_is_refused)
{
	const struct parameter *parameters = cluster_queue_kind.parameters;
	ptrdiff_t maxbytes = parameter_find(parameters, "maxbytes") - parameters;
	struct settings settings = {.given = 1U << maxbytes};
	struct fake_call call = {
		.step = create, .data = &settings, .caller = _i ? &root : &stranger};

	settings.values[maxbytes] = (UINT64_C(4) << 30) + 1;
	fake_call(&call);
	if (_i) {
		fake_reply(ENTRY, NULL, FAKE_ACK);
		make_rest();
		must(fake_called(&call));
	} else {
		must_fail(fake_called(&call), EDQUOT);
		ck_assert(!fake_was_sent(ENTRY));
	}
	end();
}
END_TEST

/* `news` is root's already. */
START_TEST(test_cluster_make_of_too_many_objects_is_refused)
{
	struct fake_call call = {.step = create};

	host.users.limits[USER_CHANNELS] = 1;
	fake_call(&call);
	must_fail(fake_called(&call), EMFILE);
	end();
}
END_TEST

START_TEST(test_cluster_make_only_regular_files)
{
	struct entry entry = {0};

	must_fail(cluster_create(queues(), "jobs", S_IFIFO | 0600, NULL, &root, &entry), EPERM);
	must_fail(cluster_create(queues(), "jobs", S_IFREG | 0600, NULL, &root, &entry), EAGAIN);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_make");

	suite_add(suite, "made",
		  (const TTest *const[]){
			  test_cluster_make_object_is_there_at_once,
			  test_cluster_make_known_name_exists,
			  test_cluster_make_unknown_name_exists,
			  test_cluster_make_refused_stream_takes_the_entry_along,
			  test_cluster_make_new_messages_are_kept,
			  test_cluster_make_is_not_asked_again_for_what_was_removed,
			  test_cluster_make_stream_with_other_settings_is_replaced,
			  test_cluster_make_of_too_many_objects_is_refused,
			  test_cluster_make_only_regular_files,
			  NULL,
		  });
	suite_add(suite, "waiting",
		  (const TTest *const[]){
			  test_cluster_make_given_up_goes_on,
			  test_cluster_make_given_up_before_it_began_ends,
			  test_cluster_make_waits_for_the_link,
			  test_cluster_make_waits_for_the_link_no_longer_than_it_may,
			  NULL,
		  });
	suite_add_loop(suite, "both",
		       (const TTest *const[]){
			       test_cluster_make_entry_that_was_sent_twice_is_looked_at,
			       test_cluster_make_error_that_passes_is_tried_again,
			       test_cluster_make_of_too_many_bytes_is_refused,
			       test_cluster_make_only_old_messages_are_purged,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
