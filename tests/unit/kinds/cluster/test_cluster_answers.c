// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading what JetStream answers, or what somebody else sends in its place: anything.
 */
#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_api.h"
#include "lib/kinds/cluster/nats_link.h"
#include "tests/unit/fixture.h"

static struct nats_message message_of(const char *text)
{
	return (struct nats_message){.subject = "_INBOX.x", .data = text, .size = strlen(text)};
}

#define ERROR(class, code, words)                                                 \
	"{\"type\":\"t\",\"error\":{\"code\":" #class ",\"err_code\":" #code      \
						      ",\"description\":\"" words \
						      "\"},\"stream\":\"S\",\"seq\":0}"

/* As nats-server 2.9.10 says them. */
static const struct {
	const char *text;
	int error;
	unsigned code;
} errors[] = {
	{ERROR(404, 10059, "stream not found"), EIDRM, API_STREAM_NOT_FOUND},
	{ERROR(404, 10014, "consumer not found"), EIDRM, API_CONSUMER_NOT_FOUND},
	{ERROR(400, 10058, "stream name already in use with a different configuration"), EEXIST,
	 API_STREAM_NAME_IN_USE},
	{ERROR(400, 10071, "wrong last sequence: 7"), EEXIST, API_WRONG_LAST_SEQUENCE},
	{ERROR(404, 10037, "no message found"), ENODATA, API_NO_MESSAGE},
	{ERROR(503, 10077, "maximum messages exceeded"), EAGAIN, API_STORE_FAILED},
	{ERROR(503, 10077, "maximum bytes exceeded"), EAGAIN, API_STORE_FAILED},
	{ERROR(503, 10077, "store is closed"), EAGAIN, API_STORE_FAILED},
	{ERROR(503, 10077, "write /x/1.blk: no space left on device"), ENOSPC, API_STORE_FAILED},
	{ERROR(503, 10077, "write /x/1.blk: input/output error"), EIO, API_STORE_FAILED},
	{"{\"error\":{\"code\":503,\"err_code\":10077}}", EIO, API_STORE_FAILED},
	{ERROR(400, 10054, "message size exceeds maximum allowed"), EMSGSIZE, API_MESSAGE_TOO_LONG},
	{ERROR(500, 10074, "replicas > 1 not supported in non-clustered mode"), EINVAL,
	 API_STREAM_REPLICAS},
	{ERROR(400, 10005, "no suitable peers for placement"), EINVAL, API_NO_SUITABLE_PEERS},
	{ERROR(503, 10023, "insufficient resources"), ENOSPC, API_INSUFFICIENT_RESOURCES},
	{ERROR(500, 10047, "insufficient storage resources available"), ENOSPC, 10047},
	{ERROR(400, 10002, "resource limits exceeded for account"), EDQUOT, 10002},
	{ERROR(400, 10027, "maximum number of streams reached"), EDQUOT, 10027},
	{ERROR(503, 10039, "JetStream not enabled for account"), EOPNOTSUPP, API_NOT_ENABLED},
	{ERROR(503, 10008, "JetStream system temporarily unavailable"), EAGAIN, 10008},
	{ERROR(500, 10118, "stream is offline"), EAGAIN, 10118},
	{ERROR(400, 10065, "subjects overlap with an existing stream"), EINVAL, 10065},
	/* Codes that nobody knows: the class of HTTP. */
	{ERROR(403, 1, ""), EACCES, 1},
	{ERROR(404, 1, ""), ENODATA, 1},
	{ERROR(408, 1, ""), ETIMEDOUT, 1},
	{ERROR(500, 1, ""), EIO, 1},
	{ERROR(503, 1, ""), EAGAIN, 1},
	{ERROR(777, 1, ""), EPROTO, 1},
	{ERROR(0, 4294967295, ""), EPROTO, 4294967295},
	{"{\"error\":{}}", EPROTO, 0},
};

START_TEST(test_api_check_gives_the_error_that_means_the_same)
{
	struct nats_message message = message_of(errors[_i].text);
	unsigned code = 1234;
	uint64_t sequence;
	bool is_duplicate;

	must_fail(api_check(&message, &code), errors[_i].error);
	ck_assert_uint_eq(code, errors[_i].code);
	must_fail(api_check(&message, NULL), errors[_i].error);
	must_fail(api_read_ack(&message, &sequence, &is_duplicate, &code), errors[_i].error);
	ck_assert_uint_eq(code, errors[_i].code);
}
END_TEST

#define TEN(text) text text text text text text text text text text

static const char *const strange[] = {
	"",
	" ",
	"\n",
	"nonsense",
	"+OK",
	"null",
	"true",
	"1",
	"\"text\"",
	"[]",
	"[{}]",
	"{",
	"}",
	"{}}",
	"{}{}",
	"{} x",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{\"a\":nul}",
	"{\"a\":\"",
	"{\"a\":\"\\",
	"{\"a\":\"\\u",
	"{\"a\":\"\\ud800",
	"{\"a\":\"\\x41\"}",
	"{/* a comment */",
	TEN(TEN("[")),
	TEN(TEN("{\"a\":")),
	"{\"a\":" TEN(TEN("[")) TEN(TEN("]")) "}",
	"{\"error\":null}",
	"{\"error\":1}",
	"{\"error\":\"no\"}",
	"{\"error\":[]}",
	"{\"error\":{\"code\":\"404\"}}",
	"{\"error\":{\"code\":-404}}",
	"{\"error\":{\"code\":404.5}}",
	"{\"error\":{\"code\":404,\"err_code\":\"10059\"}}",
	"{\"error\":{\"code\":404,\"err_code\":[]}}",
	"{\"error\":{\"code\":404,\"err_code\":99999999999999999999999}}",
	"{\"error\":{\"code\":404,\"err_code\":18446744073709561675}}",
};

START_TEST(test_api_check_of_anything_is_a_protocol_error)
{
	struct nats_message message = message_of(strange[_i]);
	struct stored_message stored;
	struct stream_look stream;
	struct consumer_look consumer;
	uint64_t sequence;
	bool is_duplicate;

	must_fail(api_check(&message, NULL), EPROTO);
	must_fail(api_read_ack(&message, &sequence, &is_duplicate, NULL), EPROTO);
	must_fail(api_read_stream(&message, &stream), EPROTO);
	must_fail(api_read_consumer(&message, &consumer), EPROTO);
	must_fail(api_read_stored(&message, &stored), EPROTO);
}
END_TEST

START_TEST(test_api_check_of_a_status_needs_no_text)
{
	struct nats_message message = {.data = "", .status = 503};

	must_fail(api_check(&message, NULL), ENOTCONN);
	message.status = 404;
	must_fail(api_check(&message, NULL), EPROTO);
}
END_TEST

START_TEST(test_api_check_reads_no_further_than_the_size)
{
	struct nats_message message = message_of("{}garbage");

	message.size = 2;
	must(api_check(&message, NULL));
	message.size = 1;
	must_fail(api_check(&message, NULL), EPROTO);
	/* A NUL is a byte like others. */
	message.data = "{}\0{}";
	message.size = 5;
	must_fail(api_check(&message, NULL), EPROTO);
}
END_TEST

/* A megabyte of [[],[],… would be a hundred in memory. */
START_TEST(test_api_check_of_many_values_is_refused_at_once)
{
	static const char *const pieces[] = {"[],", "0,", "{},", "\"\":0,"};
	const char *piece = pieces[_i];
	size_t n = strlen(piece), size = 1 << 20;
	CLEANUP_FREE char *text = malloc(size + 16);
	char *end = stpcpy(text, _i == 3 ? "{" : "{\"a\":[");

	while (end < text + size - n)
		end = stpcpy(end, piece);
	strcpy(end, _i == 3 ? "\"\":0}" : "0]}");
	must_fail(api_check(&(struct nats_message){.data = text, .size = strlen(text)}, NULL),
		  EPROTO);
}
END_TEST

START_TEST(test_api_read_ack_gives_sequence_and_duplicate)
{
	uint64_t sequence = 0;
	bool is_duplicate = true;
	unsigned code = 1;
	struct nats_message message = message_of("{\"stream\":\"S\", \"seq\":12}");

	must(api_read_ack(&message, &sequence, &is_duplicate, &code));
	ck_assert_uint_eq(sequence, 12);
	ck_assert(!is_duplicate);
	ck_assert_uint_eq(code, 0);
	message = message_of("{\"stream\":\"S\",\"seq\":18446744073709551615,\"duplicate\":true}");
	must(api_read_ack(&message, &sequence, &is_duplicate, &code));
	ck_assert_uint_eq(sequence, UINT64_MAX);
	ck_assert(is_duplicate);
}
END_TEST

START_TEST(test_api_read_ack_without_a_sequence_is_none)
{
	static const char *const texts[] = {"{}",
					    "{\"seq\":0}",
					    "{\"seq\":-1}",
					    "{\"seq\":\"1\"}",
					    "{\"seq\":1.0}",
					    "{\"seq\":null}"};
	uint64_t sequence;
	bool is_duplicate;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct nats_message message = message_of(texts[i]);

		must_fail(api_read_ack(&message, &sequence, &is_duplicate, NULL), EPROTO);
	}
}
END_TEST

#define STREAM(cluster)                                                                    \
	"{\"config\":{\"num_replicas\":3},\"created\":\"2026-11-28T16:16:20.748751272Z\"," \
	"\"state\":{\"messages\":1,\"bytes\":2,\"first_seq\":3,\"last_seq\":4,"            \
	"\"consumer_count\":5}" cluster "}"

START_TEST(test_api_read_stream_of_one_server_has_no_leader)
{
	struct nats_message message = message_of(STREAM(",\"cluster\":{\"leader\":\"NABC\"}"));
	struct stream_look look;

	must(api_read_stream(&message, &look));
	ck_assert_uint_eq(look.n_messages, 1);
	ck_assert_uint_eq(look.n_bytes, 2);
	ck_assert_uint_eq(look.first, 3);
	ck_assert_uint_eq(look.last, 4);
	ck_assert_uint_eq(look.n_consumers, 5);
	ck_assert_uint_eq(look.replicas, 3);
	ck_assert_str_eq(look.leader, "");
	ck_assert_uint_eq(look.n_current, 1);
	message = message_of(STREAM(""));
	must(api_read_stream(&message, &look));
	ck_assert_uint_eq(look.n_current, 1);
}
END_TEST

START_TEST(test_api_read_stream_counts_replicas_that_are_current)
{
	struct nats_message message =
		message_of(STREAM(",\"cluster\":{\"name\":\"C\",\"leader\":\"s1\",\"replicas\":["
				  "{\"name\":\"s2\",\"current\":true,\"active\":1},"
				  "{\"name\":\"s3\",\"current\":false,\"offline\":true}]}"));
	struct stream_look look;

	must(api_read_stream(&message, &look));
	ck_assert_str_eq(look.leader, "s1");
	ck_assert_uint_eq(look.n_current, 2);
}
END_TEST

START_TEST(test_api_read_stream_takes_any_cluster)
{
	static const char *const clusters[] = {
		",\"cluster\":null",
		",\"cluster\":[]",
		",\"cluster\":{\"name\":\"C\"}",
		",\"cluster\":{\"name\":\"C\",\"leader\":\"\"}",
		",\"cluster\":{\"name\":\"C\",\"leader\":{},\"replicas\":{}}",
		",\"cluster\":{\"name\":\"C\",\"replicas\":[1,null,[],\"x\",{\"current\":1}]}",
		",\"cluster\":{\"name\":\"C\",\"leader\":\"" TEN(TEN("long")) "\"}",
	};
	struct stream_look look;

	for (size_t i = 0; i < sizeof(clusters) / sizeof(*clusters); i++) {
		char text[1024];
		struct nats_message message;

		snprintf(text, sizeof(text), STREAM("%s"), clusters[i]);
		message = message_of(text);
		must(api_read_stream(&message, &look));
		ck_assert_uint_lt(strlen(look.leader), sizeof(look.leader));
		ck_assert_uint_le(look.n_current, 1);
	}
}
END_TEST

START_TEST(test_api_read_stream_without_state_is_none)
{
	static const char *const texts[] = {
		"{}",
		"{\"config\":{}}",
		"{\"state\":{}}",
		"{\"config\":[],\"state\":{}}",
		"{\"config\":{},\"state\":1}",
		"{\"config\":{},\"state\":{\"messages\":-1}}",
		"{\"config\":{},\"state\":{\"bytes\":\"1\"}}",
		"{\"config\":{\"num_replicas\":4294967296},\"state\":{}}",
	};
	struct stream_look look;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct nats_message message = message_of(texts[i]);

		must_fail(api_read_stream(&message, &look), EPROTO);
	}
}
END_TEST

START_TEST(test_api_read_consumer_gives_its_numbers)
{
	struct nats_message message = message_of(
		"{\"config\":{},\"num_ack_pending\":1,\"num_redelivered\":2,\"num_waiting\":3,"
		"\"num_pending\":4}");
	struct consumer_look look;

	must(api_read_consumer(&message, &look));
	ck_assert_uint_eq(look.n_unacked, 1);
	ck_assert_uint_eq(look.n_redelivered, 2);
	ck_assert_uint_eq(look.n_waiting, 3);
	ck_assert_uint_eq(look.n_pending, 4);
	message = message_of("{\"num_pending\":4}");
	must_fail(api_read_consumer(&message, &look), EPROTO);
	message = message_of("{\"config\":{},\"num_pending\":false}");
	must_fail(api_read_consumer(&message, &look), EPROTO);
}
END_TEST

/* Every answer, cut short at every byte. */
START_TEST(test_api_read_of_half_an_answer_is_a_protocol_error)
{
	static const char *const texts[] = {
		STREAM(",\"cluster\":{\"name\":\"C\",\"leader\":\"s1\",\"replicas\":[]}"),
		ERROR(404, 10059, "stream not found"),
	};
	struct stream_look look;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t size = 0; size < strlen(texts[i]); size++) {
			CLEANUP_FREE char *text = strndup(texts[i], size);
			struct nats_message message = message_of(text);

			must_fail(api_read_stream(&message, &look), EPROTO);
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_answers");

	suite_add_loop(
		suite, "errors",
		(const TTest *const[]){test_api_check_gives_the_error_that_means_the_same, NULL},
		sizeof(errors) / sizeof(*errors));
	suite_add_loop(suite, "anything",
		       (const TTest *const[]){test_api_check_of_anything_is_a_protocol_error, NULL},
		       sizeof(strange) / sizeof(*strange));
	suite_add_loop(
		suite, "many values",
		(const TTest *const[]){test_api_check_of_many_values_is_refused_at_once, NULL}, 4);
	suite_add(suite, "answers",
		  (const TTest *const[]){
			  test_api_check_of_a_status_needs_no_text,
			  test_api_check_reads_no_further_than_the_size,
			  test_api_read_ack_gives_sequence_and_duplicate,
			  test_api_read_ack_without_a_sequence_is_none,
			  test_api_read_stream_of_one_server_has_no_leader,
			  test_api_read_stream_counts_replicas_that_are_current,
			  test_api_read_stream_takes_any_cluster,
			  test_api_read_stream_without_state_is_none,
			  test_api_read_consumer_gives_its_numbers,
			  test_api_read_of_half_an_answer_is_a_protocol_error,
			  NULL,
		  });
	return suite_run(suite);
}
