// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The texts that go to JetStream, and the entries in the bucket: the same for the same input.
 */
#include "lib/kinds/cluster/cluster_api.h"

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

static char *config_of(enum cluster_sort sort)
{
	struct cluster_settings settings = {0};

	cluster_settings_fill(&settings, sort);
	return api_stream_config(sort, "a=2E", &settings);
}

static const char *const configs[CLUSTER_N_SORTS] = {
	[CLUSTER_QUEUES] =
		"{\"name\":\"ipcfs-queues-a=2E\",\"subjects\":[\"ipcfs.queues.a=2E\"],"
		"\"retention\":\"workqueue\",\"storage\":\"file\",\"discard\":\"new\","
		"\"max_consumers\":-1,\"max_msgs\":65536,\"max_bytes\":67108864,\"max_age\":0,"
		"\"max_msgs_per_subject\":-1,\"max_msg_size\":-1,\"num_replicas\":1,"
		"\"duplicate_window\":120000000000,\"deny_delete\":false,"
		"\"allow_rollup_hdrs\":false,\"allow_direct\":true}",
	[CLUSTER_TOPICS] =
		"{\"name\":\"ipcfs-topics-a=2E\",\"subjects\":[\"ipcfs.topics.a=2E\"],"
		"\"retention\":\"limits\",\"storage\":\"file\",\"discard\":\"old\","
		"\"max_consumers\":-1,\"max_msgs\":65536,\"max_bytes\":67108864,\"max_age\":0,"
		"\"max_msgs_per_subject\":-1,\"max_msg_size\":-1,\"num_replicas\":1,"
		"\"duplicate_window\":120000000000,\"deny_delete\":false,"
		"\"allow_rollup_hdrs\":false,\"allow_direct\":true}",
	[CLUSTER_VALUES] =
		"{\"name\":\"KV_ipcfs-values-a=2E\",\"subjects\":[\"$KV.ipcfs-values-a=2E.>\"],"
		"\"retention\":\"limits\",\"storage\":\"file\",\"discard\":\"new\","
		"\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":67108864,\"max_age\":0,"
		"\"max_msgs_per_subject\":8,\"max_msg_size\":-1,\"num_replicas\":1,"
		"\"duplicate_window\":120000000000,\"deny_delete\":true,"
		"\"allow_rollup_hdrs\":true,\"allow_direct\":true}",
};

START_TEST(test_api_stream_config_names_every_setting)
{
	CLEANUP_FREE char *text = config_of((enum cluster_sort)_i);
	CLEANUP_FREE char *again = config_of((enum cluster_sort)_i);

	ck_assert_str_eq(text, configs[_i]);
	ck_assert_str_eq(text, again);
}
END_TEST

START_TEST(test_api_stream_config_never_exceeds_what_a_server_counts)
{
	struct cluster_settings most;
	CLEANUP_FREE char *text = NULL;

	memset(&most, 0xff, sizeof(most));
	text = api_stream_config((enum cluster_sort)_i, "a", &most);
	ck_assert_ptr_nonnull(strstr(text, "\"max_bytes\":9223372036854775807,"));
	ck_assert_ptr_nonnull(strstr(text, "\"max_msg_size\":2147483647,"));
	ck_assert_ptr_nonnull(strstr(text, "\"num_replicas\":5,"));
}
END_TEST

START_TEST(test_api_stream_config_has_room_for_headers)
{
	struct cluster_settings settings = {.msgsize = 64};
	CLEANUP_FREE char *text = api_stream_config((enum cluster_sort)_i, "a", &settings);

	ck_assert_ptr_nonnull(strstr(text, "\"max_msg_size\":1088,"));
}
END_TEST

START_TEST(test_cluster_settings_fill_keeps_what_is_set)
{
	struct cluster_settings set, settings;

	memset(&set, 1, sizeof(set));
	settings = set;
	cluster_settings_fill(&settings, (enum cluster_sort)_i);
	ck_assert_mem_eq(&settings, &set, sizeof(set));
}
END_TEST

START_TEST(test_api_bucket_config_is_a_key_value_store)
{
	CLEANUP_FREE char *text = api_bucket_config(3);

	ck_assert_str_eq(
		text, "{\"name\":\"KV_ipcfs\",\"subjects\":[\"$KV.ipcfs.>\"],"
		      "\"retention\":\"limits\",\"storage\":\"file\",\"discard\":\"new\","
		      "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":67108864,\"max_age\":0,"
		      "\"max_msgs_per_subject\":1,\"max_msg_size\":4096,\"num_replicas\":3,"
		      "\"duplicate_window\":120000000000,\"deny_delete\":true,"
		      "\"allow_rollup_hdrs\":true,\"allow_direct\":true}");
}
END_TEST

START_TEST(test_api_consumer_config_of_readers_is_durable)
{
	CLEANUP_FREE char *text = api_consumer_config(&(struct api_consumer){
		.stream = "S",
		.name = "readers",
		.is_durable = true,
		.has_acks = true,
		.ack_wait = 30000000000,
	});

	ck_assert_str_eq(text, "{\"stream_name\":\"S\",\"config\":{\"name\":\"readers\","
			       "\"durable_name\":\"readers\",\"deliver_policy\":\"all\","
			       "\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,"
			       "\"max_ack_pending\":-1,\"max_deliver\":-1,\"max_waiting\":16384,"
			       "\"replay_policy\":\"instant\"}}");
}
END_TEST

START_TEST(test_api_consumer_config_of_one_open_begins_where_it_is_told)
{
	CLEANUP_FREE char *text = api_consumer_config(&(struct api_consumer){
		.stream = "S",
		.name = "one",
		.inactive = 60000000000,
		.start = 7,
		.in_memory = true,
	});

	ck_assert_str_eq(text, "{\"stream_name\":\"S\",\"config\":{\"name\":\"one\","
			       "\"inactive_threshold\":60000000000,"
			       "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":7,"
			       "\"ack_policy\":\"none\",\"max_deliver\":-1,\"max_waiting\":16384,"
			       "\"replay_policy\":\"instant\",\"num_replicas\":1,"
			       "\"mem_storage\":true}}");
}
END_TEST

START_TEST(test_api_consumer_config_of_last_messages_has_a_filter)
{
	CLEANUP_FREE char *text = api_consumer_config(&(struct api_consumer){
		.stream = "S",
		.name = "watch",
		.is_last_per_subject = true,
		.is_headers_only = true,
	});

	ck_assert_ptr_nonnull(
		strstr(text, "\"deliver_policy\":\"last_per_subject\",\"filter_subject\":\">\""));
	ck_assert_ptr_nonnull(strstr(text, "\"headers_only\":true"));
}
END_TEST

START_TEST(test_api_get_asks_for_one_message)
{
	CLEANUP_FREE char *last = api_get_last("$KV.ipcfs.queues.a");
	CLEANUP_FREE char *sequence = api_get_sequence(12);

	ck_assert_str_eq(last, "{\"last_by_subj\":\"$KV.ipcfs.queues.a\"}");
	ck_assert_str_eq(sequence, "{\"seq\":12,\"next_by_subj\":\">\"}");
}
END_TEST

START_TEST(test_api_subject_has_a_consumer_or_none)
{
	char subject[API_SUBJECT_SIZE];

	api_subject("STREAM.INFO", "S", NULL, subject);
	ck_assert_str_eq(subject, "$JS.API.STREAM.INFO.S");
	api_subject("CONSUMER.MSG.NEXT", "S", "readers", subject);
	ck_assert_str_eq(subject, "$JS.API.CONSUMER.MSG.NEXT.S.readers");
}
END_TEST

START_TEST(test_api_subject_is_never_cut)
{
	char subject[API_SUBJECT_SIZE], name[CLUSTER_STREAM_SIZE];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 2] = 'Z';
	name[sizeof(name) - 1] = '\0';
	api_subject("CONSUMER.DURABLE.CREATE", name, name, subject);
	ck_assert_int_eq(subject[strlen(subject) - 1], 'Z');
}
END_TEST

static const struct cluster_entry sample = {
	.owner = "root",
	.group = "a\"b\\c",
	.mode = 0640,
	.created = 1795882580,
	.settings =
		{.maxmsg = 7, .ack_wait = 5000000000, .history = 64, .keep = 3, .keep_bytes = 4},
};

START_TEST(test_api_entry_comes_back)
{
	CLEANUP_FREE char *text = api_entry_text(&sample);
	struct cluster_entry entry;

	ck_assert_str_eq(text, "{\"owner\":\"root\",\"group\":\"a\\\"b\\\\c\",\"mode\":\"0640\","
			       "\"created\":1795882580,\"maxmsg\":7,\"ack_wait\":5000000000,"
			       "\"history\":64,\"keep\":3,\"keep_bytes\":4}");
	must(api_read_entry(text, strlen(text), &entry));
	ck_assert_str_eq(entry.owner, sample.owner);
	ck_assert_str_eq(entry.group, sample.group);
	ck_assert_uint_eq(entry.mode, sample.mode);
	ck_assert_int_eq(entry.created, sample.created);
	ck_assert_mem_eq(&entry.settings, &sample.settings, sizeof(sample.settings));
}
END_TEST

START_TEST(test_api_read_entry_passes_over_what_it_does_not_know)
{
	static const char text[] = "{\"new\":[{}],\"owner\":\"o\",\"group\":\"g\",\"mode\":\"7\"}";
	struct cluster_entry entry;

	must(api_read_entry(text, strlen(text), &entry));
	ck_assert_uint_eq(entry.mode, 07);
	ck_assert_uint_eq(entry.settings.maxmsg, 0);
}
END_TEST

#define ENTRY(more)    "{\"owner\":\"o\",\"group\":\"g\",\"mode\":\"0600\"" more "}"
#define ACCOUNT(owner) "{\"owner\":" owner ",\"group\":\"g\",\"mode\":\"0600\"}"
#define MODE(mode)     "{\"owner\":\"o\",\"group\":\"g\",\"mode\":" mode "}"
#define LONG           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const strange_entries[] = {
	"",
	"null",
	"[]",
	"\"text\"",
	"{",
	"{}",
	ENTRY("") "x",
	ENTRY(",\"created\":-1"),
	ENTRY(",\"created\":\"1\""),
	ENTRY(",\"created\":1.5"),
	ENTRY(",\"maxmsg\":-1"),
	ENTRY(",\"maxmsg\":9223372036854775808"),
	ENTRY(",\"maxmsg\":99999999999999999999999999"),
	ENTRY(",\"maxbytes\":1e9"),
	ENTRY(",\"msgsize\":2147483648"),
	ENTRY(",\"replicas\":6"),
	ENTRY(",\"history\":65"),
	ENTRY(",\"ack_wait\":null"),
	ENTRY(",\"ack_wait\":{}"),
	ACCOUNT("\"\""),
	ACCOUNT("7"),
	ACCOUNT("null"),
	ACCOUNT("[\"o\"]"),
	ACCOUNT("\"a\\u0000b\""),
	ACCOUNT("\"a\\nb\""),
	ACCOUNT("\"a b\""),
	ACCOUNT("\"a:b\""),
	ACCOUNT("\"\\u007f\""),
	ACCOUNT("\"" LONG LONG "\""),
	MODE("384"),
	MODE("\"\""),
	MODE("\"1000\""),
	MODE("\"00600\""),
	MODE("\"0x1f\""),
	MODE("\"-1\""),
	MODE("\"9\""),
	MODE("\"600 \""),
};

START_TEST(test_api_read_entry_refuses_what_is_none)
{
	struct cluster_entry entry = {.owner = "untouched"};

	must_fail(api_read_entry(strange_entries[_i], strlen(strange_entries[_i]), &entry), EINVAL);
	ck_assert_str_eq(entry.owner, "untouched");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_api");

	suite_add_loop(suite, "sorts",
		       (const TTest *const[]){
			       test_api_stream_config_names_every_setting,
			       test_api_stream_config_never_exceeds_what_a_server_counts,
			       test_api_stream_config_has_room_for_headers,
			       test_cluster_settings_fill_keeps_what_is_set,
			       NULL,
		       },
		       CLUSTER_N_SORTS);
	suite_add(suite, "texts",
		  (const TTest *const[]){
			  test_api_bucket_config_is_a_key_value_store,
			  test_api_consumer_config_of_readers_is_durable,
			  test_api_consumer_config_of_one_open_begins_where_it_is_told,
			  test_api_consumer_config_of_last_messages_has_a_filter,
			  test_api_get_asks_for_one_message,
			  test_api_subject_has_a_consumer_or_none,
			  test_api_subject_is_never_cut,
			  test_api_entry_comes_back,
			  test_api_read_entry_passes_over_what_it_does_not_know,
			  NULL,
		  });
	suite_add_loop(suite, "strange entries",
		       (const TTest *const[]){test_api_read_entry_refuses_what_is_none, NULL},
		       sizeof(strange_entries) / sizeof(*strange_entries));
	return suite_run(suite);
}
