// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bucket and its watch, with a real server. Whatever others do to the bucket, this process does
 * here by the same link.
 */
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/bucket_state.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/kinds/cluster/plain.h"
#include "tests/unit/kinds/cluster/server.h"
#include "tests/unit/objects.h"

enum { THEN = 1000000 };

static struct bucket *bucket(void)
{
	return plain_cluster()->bucket;
}

static struct server server;

static void end_server(void)
{
	server_fini(&server);
}

/* A space whose names are known. */
static struct space *open_space(void)
{
	struct space *space;

	server_start(&server, NULL);
	space = plain_open(SERVER_URL);
	plain_wait(&plain_counts.n_known, 1);
	return space;
}

/* A change to the bucket, and what came of it. */
struct change {
	struct bucket_put put;
	bool is_done;
	int error;
	uint64_t revision;
};

static void note_done(struct bucket_put *put, int error, uint64_t revision)
{
	struct change *change = CONTAINER_OF(put, struct change, put);

	change->is_done = true;
	change->error = error;
	change->revision = revision;
	loop_end();
}

/* Returns the new revision, or -errno. */
static int64_t put_text(const char *key, const char *text, uint64_t revision)
{
	struct change change = {.put.done = note_done};

	must(bucket_put(bucket(), &change.put, CLUSTER_QUEUES, key, text, revision));
	loop_wait(&change.is_done);
	return change.error ? change.error : (int64_t)change.revision;
}

static int64_t put(const char *key, unsigned mode, uint64_t revision)
{
	struct cluster_entry entry = plain_entry(mode, THEN);
	CLEANUP_FREE char *text = api_entry_text(&entry);

	return put_text(key, text, revision);
}

/* A question to JetStream's API. */
struct question {
	struct nats_ask ask;
	bool is_done;
	int error;
};

static void note_answer(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct question *question = CONTAINER_OF(ask, struct question, ask);

	question->is_done = true;
	question->error = message ? api_check(message, NULL) : error;
	loop_end();
}

static void ask_api(const char *verb, const char *consumer, const char *text)
{
	struct question question = {.ask.answered = note_answer};
	struct nats_post post = {.data = text, .size = strlen(text)};
	char subject[API_SUBJECT_SIZE];

	api_subject(verb, CLUSTER_BUCKET_STREAM, consumer, subject);
	post.subject = subject;
	must(nats_link_ask(plain_cluster()->link, &question.ask, &post, 10 * CLOCK_S));
	loop_wait(&question.is_done);
	must(question.error);
}

/* Publishes what somebody else might. */
static void say(const char *subject, const char *text)
{
	must(nats_link_send(
		plain_cluster()->link,
		&(struct nats_post){.subject = subject, .data = text, .size = strlen(text)}));
}

START_TEST(test_bucket_that_is_empty_is_known)
{
	struct space *space = open_space();

	ck_assert_int_eq(space_count(space), 0);
	ck_assert(nats_link_is_up(plain_cluster()->link));
}
END_TEST

START_TEST(test_bucket_entry_is_told_of)
{
	struct space *space = open_space();
	struct cluster_object *object;
	int64_t revision = must(put("a=20b", 0640, 0));

	plain_wait(&plain_counts.n_made, 1);
	object = plain_find(space, "a b");
	ck_assert_ptr_nonnull(object);
	ck_assert_uint_eq(object->revision, revision);
	ck_assert_uint_eq(object_stat(&object->channel).st_mode, S_IFREG | 0640);
}
END_TEST

START_TEST(test_bucket_put_compares_revisions)
{
	int64_t first, second;

	open_space();
	first = must(put("a", 0600, 0));
	ck_assert_int_eq(put("a", 0600, 0), -EEXIST);
	second = must(put("a", 0640, (uint64_t)first));
	ck_assert_int_gt(second, first);
	ck_assert_int_eq(put("a", 0600, (uint64_t)first), -EEXIST);
	ck_assert_int_eq(put_text("a", NULL, (uint64_t)first), -EEXIST);
	must(put_text("a", NULL, (uint64_t)second));
}
END_TEST

START_TEST(test_bucket_deleted_entry_can_be_made_anew)
{
	struct space *space = open_space();
	int64_t revision = must(put("a", 0600, 0));

	must(put_text("a", NULL, (uint64_t)revision));
	plain_wait(&plain_counts.n_unnamed, 1);
	must(put("a", 0640, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_ptr_nonnull(plain_find(space, "a"));
	ck_assert_int_eq(put("a", 0640, 0), -EEXIST);
}
END_TEST

/* It has gone for everybody, but the name is not free yet. */
START_TEST(test_bucket_entry_that_is_being_removed)
{
	struct space *space = open_space();
	struct cluster_entry entry = plain_entry(0600, THEN);
	CLEANUP_FREE char *text = NULL;
	int64_t revision = must(put("a", 0600, 0));

	entry.is_removing = true;
	text = api_entry_text(&entry);
	revision = must(put_text("a", text, (uint64_t)revision));
	plain_wait(&plain_counts.n_unnamed, 1);
	ck_assert_ptr_null(plain_find(space, "a"));
	ck_assert_int_eq(put("a", 0600, 0), -EAGAIN);
	must(put_text("a", NULL, (uint64_t)revision));
	must(put("a", 0600, 0));
}
END_TEST

START_TEST(test_bucket_put_can_be_forgotten)
{
	struct change change = {.put.done = note_done};

	open_space();
	must(bucket_put(bucket(), &change.put, CLUSTER_QUEUES, "a", "{}", 0));
	bucket_forget(&change.put);
	must(put("b", 0600, 0));
	ck_assert(!change.is_done);
}
END_TEST

START_TEST(test_bucket_put_without_a_server_fails)
{
	struct change change = {.put.done = note_done};

	open_space();
	must(bucket_put(bucket(), &change.put, CLUSTER_QUEUES, "a", "{}", 0));
	server_kill(&server);
	loop_wait(&change.is_done);
	/* Nobody can say whether it was stored. */
	ck_assert(change.error == 0 || change.error == -ENOTCONN);
}
END_TEST

/* Others may write anything there. */
START_TEST(test_bucket_strange_entries_are_left_out)
{
	struct space *space = open_space();

	say("$KV.ipcfs.queues", "{}");
	say("$KV.ipcfs.queues.=2F", "{}");
	say("$KV.ipcfs.queues.=2E=2E", "{}");
	say("$KV.ipcfs.queues.a.b", "{}");
	say("$KV.ipcfs.pipes.a", "{}");
	say("$KV.ipcfs.queues.broken", "{\"owner\":");
	say("$KV.ipcfs.queues.empty", "");
	must(put("good", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	ck_assert_int_eq(space_count(space), 1);
	ck_assert_uint_eq(plain_counts.n_logged, 1);
}
END_TEST

/* An entry that becomes unreadable takes the object away. */
START_TEST(test_bucket_spoiled_entry_takes_the_name)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	say("$KV.ipcfs.queues.a", "[]");
	plain_wait(&plain_counts.n_unnamed, 1);
	ck_assert_ptr_null(plain_find(space, "a"));
}
END_TEST

/* More than are pulled at a time. */
START_TEST(test_bucket_many_entries_are_all_told_of)
{
	struct cluster_entry entry = plain_entry(0600, THEN);
	CLEANUP_FREE char *text = api_entry_text(&entry);
	struct space *space = open_space();
	char subject[64];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(subject, sizeof(subject), "$KV.ipcfs.queues.%u", i);
		say(subject, text);
	}
	plain_wait(&plain_counts.n_made, 1000);
	bucket_watch_end(bucket());
	bucket_watch_begin(bucket());
	plain_wait(&plain_counts.n_known, 2);
	ck_assert_int_eq(space_count(space), 1000);
	ck_assert_uint_eq(plain_counts.n_made, 1000);
}
END_TEST

/* Even the mark of the deletion is gone when the link is back. */
START_TEST(test_bucket_entry_that_went_during_a_break_is_gone)
{
	struct space *space = open_space();

	must(put("kept", 0600, 0));
	must(put("gone", 0600, 0));
	must(put("changed", 0600, 0));
	plain_wait(&plain_counts.n_made, 3);
	bucket_watch_end(bucket());
	ask_api("STREAM.PURGE", NULL, "{\"filter\":\"$KV.ipcfs.queues.gone\"}");
	must(put("changed", 0640, 3));
	bucket_watch_begin(bucket());
	plain_wait(&plain_counts.n_known, 2);
	ck_assert_ptr_null(plain_find(space, "gone"));
	ck_assert_uint_eq(plain_find(space, "changed")->attributes.mode, S_IFREG | 0640);
	ck_assert_uint_eq(plain_counts.n_made, 3);
	ck_assert_uint_eq(plain_counts.n_unnamed, 1);
}
END_TEST

START_TEST(test_bucket_names_survive_the_server)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	server_kill(&server);
	loop_settle();
	ck_assert_ptr_nonnull(plain_find(space, "a"));
	ck_assert_int_eq(space_count(space), 1);
	server_restart(&server);
	plain_wait(&plain_counts.n_known, 2);
	must(put("b", 0600, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_uint_eq(plain_counts.n_unnamed, 0);
}
END_TEST

/* Somebody cleans up. */
START_TEST(test_bucket_watch_survives_its_consumer)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	ask_api("CONSUMER.DELETE", bucket()->consumer, "");
	must(put("b", 0600, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_int_eq(space_count(space), 2);
}
END_TEST

START_TEST(test_bucket_that_was_deleted_is_made_again)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	ask_api("STREAM.DELETE", NULL, "");
	plain_wait(&plain_counts.n_known, 2);
	ck_assert_ptr_null(plain_find(space, "a"));
	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_int_eq(space_count(space), 1);
}
END_TEST

/* As if a message had been lost. */
START_TEST(test_bucket_watch_notices_a_gap)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	plain_wait(&plain_counts.n_made, 1);
	bucket()->n_told--;
	must(put("b", 0600, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_int_eq(space_count(space), 2);
	ck_assert_uint_eq(plain_counts.n_known, 1);
}
END_TEST

/* A cluster may have made it otherwise, long ago. */
START_TEST(test_bucket_with_another_configuration_is_used)
{
	struct space *space = open_space();

	must(put("a", 0600, 0));
	ask_api("STREAM.UPDATE", NULL,
		"{\"name\":\"KV_ipcfs\",\"subjects\":[\"$KV.ipcfs.>\"],\"storage\":\"file\","
		"\"max_msgs_per_subject\":8,\"num_replicas\":1,\"allow_rollup_hdrs\":true,"
		"\"deny_delete\":true,\"discard\":\"new\"}");
	bucket_watch_end(bucket());
	bucket_watch_begin(bucket());
	plain_wait(&plain_counts.n_known, 2);
	must(put("b", 0600, 0));
	plain_wait(&plain_counts.n_made, 2);
	ck_assert_int_eq(space_count(space), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bucket");

	if (!server_is_installed())
		return 0;
	tcase_add_checked_fixture(suite_add(suite, "changes",
					    (const TTest *const[]){
						    test_bucket_that_is_empty_is_known,
						    test_bucket_entry_is_told_of,
						    test_bucket_put_compares_revisions,
						    test_bucket_deleted_entry_can_be_made_anew,
						    test_bucket_entry_that_is_being_removed,
						    test_bucket_put_can_be_forgotten,
						    test_bucket_put_without_a_server_fails,
						    NULL,
					    }),
				  NULL, end_server);
	tcase_add_checked_fixture(
		suite_add(suite, "watch",
			  (const TTest *const[]){
				  test_bucket_strange_entries_are_left_out,
				  test_bucket_spoiled_entry_takes_the_name,
				  test_bucket_many_entries_are_all_told_of,
				  test_bucket_entry_that_went_during_a_break_is_gone,
				  test_bucket_names_survive_the_server,
				  test_bucket_watch_survives_its_consumer,
				  test_bucket_that_was_deleted_is_made_again,
				  test_bucket_watch_notices_a_gap,
				  test_bucket_with_another_configuration_is_used,
				  NULL,
			  }),
		NULL, end_server);
	return suite_run(suite);
}
