// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a stored message as STREAM.MSG.GET gives it, or what somebody sends in its place.
 */
#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_api.h"
#include "lib/kinds/cluster/nats_link.h"
#include "tests/unit/fixture.h"

static struct nats_message message_of(const char *text)
{
	return (struct nats_message){.subject = "_INBOX.x", .data = text, .size = strlen(text)};
}

#define STORED(members, time) "{\"message\":{\"subject\":\"s\"," members ",\"time\":\"" time "\"}}"
#define TIME                  "2026-11-28T16:16:20.5Z"

START_TEST(test_api_read_stored_decodes_data_and_time)
{
	struct nats_message answer = message_of(
		STORED("\"seq\":3,\"data\":\"aGVsbG8=\"", "2026-11-28T16:16:20.752028257Z"));
	struct stored_message message;

	must(api_read_stored(&answer, &message));
	ck_assert_uint_eq(message.size, 5);
	ck_assert_str_eq(message.data, "hello");
	ck_assert_uint_eq(message.sequence, 3);
	ck_assert_int_eq(message.time, INT64_C(1795882580752028257));
	ck_assert(!message.is_deleted);
	stored_message_fini(&message);
}
END_TEST

/* The headers are NATS/1.0 and a line KV-Operation. */
START_TEST(test_api_read_stored_sees_that_a_key_was_deleted)
{
	static const struct {
		const char *text;
		bool is_deleted;
	} texts[] = {
		/* DEL, PURGE, PUT, DELETED, X-KV-Operation: DEL, no header */
		{STORED("\"seq\":8,\"hdrs\":\"TkFUUy8xLjANCktWLU9wZXJhdGlvbjogREVMDQoNCg==\"",
			TIME),
		 true},
		{STORED("\"seq\":8,\"hdrs\":\"TkFUUy8xLjANCktWLU9wZXJhdGlvbjpQVVJHRQ0KDQo=\"",
			TIME),
		 true},
		{STORED("\"seq\":8,\"hdrs\":\"TkFUUy8xLjANCktWLU9wZXJhdGlvbjogUFVUDQoNCg==\"",
			TIME),
		 false},
		{STORED("\"seq\":8,\"hdrs\":\"TkFUUy8xLjANClgtS1YtT3BlcmF0aW9uOiBERUwNCg0K\"",
			TIME),
		 false},
		{STORED("\"seq\":8,\"hdrs\":\"\"", TIME), false},
		{STORED("\"seq\":8", TIME), false},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct nats_message answer = message_of(texts[i].text);
		struct stored_message message;

		must(api_read_stored(&answer, &message));
		ck_assert_int_eq(message.is_deleted, texts[i].is_deleted);
		ck_assert_ptr_null(message.data);
		ck_assert_uint_eq(message.size, 0);
	}
}
END_TEST

static const char *const strange_stored[] = {
	"{}",
	"{\"message\":null}",
	"{\"message\":\"x\"}",
	"{\"message\":{}}",
	"{\"message\":{\"seq\":1}}",
	STORED("\"seq\":0", TIME),
	STORED("\"seq\":-1", TIME),
	STORED("\"seq\":\"1\"", TIME),
	STORED("\"seq\":1,\"data\":5", TIME),
	STORED("\"seq\":1,\"data\":null", TIME),
	STORED("\"seq\":1,\"data\":\"a\"", TIME),
	STORED("\"seq\":1,\"data\":\"aGVs\\u0000G8=\"", TIME),
	STORED("\"seq\":1,\"data\":\"aGVsbG8=\",\"hdrs\":\"?\"", TIME),
	STORED("\"seq\":1,\"hdrs\":{}", TIME),
	STORED("\"seq\":1", ""),
	STORED("\"seq\":1", "2026-11-28"),
	STORED("\"seq\":1", "2026-11-28T16:16:20"),
	STORED("\"seq\":1", "2026-11-28T16:16:20+01:00"),
	STORED("\"seq\":1", "2026-11-28T16:16:20.1234567890Z"),
	STORED("\"seq\":1", "2026-11-28T16:16:20.5Z "),
	STORED("\"seq\":1", "2026-13-28T16:16:20Z"),
	STORED("\"seq\":1", "1969-11-28T16:16:20Z"),
	STORED("\"seq\":1", "9999-11-28T16:16:20Z"),
};

START_TEST(test_api_read_stored_refuses_what_is_none)
{
	struct nats_message answer = message_of(strange_stored[_i]);
	struct stored_message message;

	must_fail(api_read_stored(&answer, &message), EPROTO);
}
END_TEST

/* Cut short at every byte. */
START_TEST(test_api_read_stored_of_half_an_answer_is_a_protocol_error)
{
	static const char whole[] = STORED("\"seq\":3,\"data\":\"aGVsbG8=\"", TIME);
	struct stored_message message;

	for (size_t size = 0; size < strlen(whole); size++) {
		CLEANUP_FREE char *text = strndup(whole, size);
		struct nats_message answer = message_of(text);

		must_fail(api_read_stored(&answer, &message), EPROTO);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored_message");

	suite_add(suite, "stored",
		  (const TTest *const[]){
			  test_api_read_stored_decodes_data_and_time,
			  test_api_read_stored_sees_that_a_key_was_deleted,
			  test_api_read_stored_of_half_an_answer_is_a_protocol_error,
			  NULL,
		  });
	suite_add_loop(suite, "strange messages",
		       (const TTest *const[]){test_api_read_stored_refuses_what_is_none, NULL},
		       sizeof(strange_stored) / sizeof(*strange_stored));
	return suite_run(suite);
}
