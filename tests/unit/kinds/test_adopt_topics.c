/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics of a daemon that was killed: what the next one has of them, and what readers were being
 * given.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/topics.h"

enum { READER = 78, WRITER = 80 };

START_TEST(test_adopt_topics_messages_and_places_stay)
{
	topics_make(1);
	file_put(out, "one");
	file_put(out, "two");
	file_expect(first, 100, "one");
	topics_restart();
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	topics_restart();
	file_put(out, "three");
	file_expect(first, 100, "three");
	file_expect(second, 100, "two");
	file_expect(second, 100, "three");
	ck_assert_uint_eq(ring_n_kept(&topics_topic()->ring), 1);
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_settings_and_counts_stay)
{
	topics_make(3 << 10 | PARAMETER_IS_SIZE);
	topics_set(TOPIC_CAPACITY, 4096);
	topics_set(TOPIC_FULL, FULL_DROP_NEWEST);
	topics_set(TOPIC_EOF, EOF_AUTO);
	while (topics_topic()->record->n_dropped == 0)
		file_put(out, "message");
	topics_restart();
	ck_assert_uint_eq(topics_topic()->ring.capacity, 4096);
	ck_assert_uint_eq(topics_topic()->ring.keep.bytes, 3 << 10);
	ck_assert_int_eq(topics_topic()->full, FULL_DROP_NEWEST);
	ck_assert_int_eq(topics_topic()->eof, EOF_AUTO);
	ck_assert_uint_eq(topics_topic()->record->n_dropped, 1);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), topics_topic()->ring.charged);
	ck_assert(strstr(object_status(out->channel, &root), "missed 1"));
	object_close(out);
	object_close(first);
	object_close(second);
}
END_TEST

START_TEST(test_adopt_topics_end_of_file_is_told_again)
{
	topics_make(0);
	topics_set(TOPIC_EOF, EOF_AUTO);
	file_put(out, "one");
	file_expect(first, 100, "one");
	file_expect(second, 100, "one");
	topics_restart();
	must_fail(file_try_read(first, 100), EAGAIN);
	object_close(out);
	ck_assert_int_eq(file_try_read(first, 100), 0);
	object_close(first);
	object_close(second);
}
END_TEST

/*
 * The writer's open was not answered, so the readers still wait for the first one. By whether it
 * comes again to the daemon after the next, too.
 */
START_TEST(test_adopt_topics_writer_that_comes_again)
{
	struct channel *channel = object_make(adopt_open(&topic_kind), "t");
	struct settings settings = {.given = 1U << TOPIC_EOF, .values[TOPIC_EOF] = EOF_AUTO};
	struct file *reader, *writer;

	must(channel_set(channel, &settings, &root));
	reader = object_open(channel, O_RDONLY);
	host.journal->request = WRITER;
	writer = object_open(channel, O_WRONLY);
	host.journal->request = 0;
	for (int i = 0; i < 2; i++) {
		adopt_again(i == 0 || _i ? WRITER : WRITER + 2);
		adopt_restart();
		reader = adopted_file(reader);
		if (adopted_file(writer))
			object_close(adopted_file(writer));
		must_fail(file_try_read(reader, 100), EAGAIN);
	}
	writer = object_open(reader->channel, O_WRONLY);
	must_fail(file_try_read(reader, 100), EAGAIN);
	object_close(writer);
	ck_assert_int_eq(file_try_read(reader, 100), 0);
	object_close(reader);
}
END_TEST

START_TEST(test_adopt_topics_rest_of_message_stays)
{
	topics_make(0);
	file_put(out, "one");
	file_expect(first, 2, "on");
	channel_given(first, true);
	topics_restart();
	file_expect(first, 100, "e");
	channel_given(first, true);
	file_expect(second, 100, "one");
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_missed_messages_are_counted_once)
{
	topics_make(0);
	topics_set(TOPIC_CAPACITY, 4096);
	for (int i = 0; i < 300; i++)
		file_put(out, "message");
	topics_restart();
	ck_assert_uint_eq(ring_missed(&topics_topic()->ring, &topic_reader_of(first)->place),
			  300 - 256);
	file_expect(first, 100, "message");
	topics_restart();
	ck_assert_uint_eq(ring_missed(&topics_topic()->ring, &topic_reader_of(first)->place),
			  300 - 256);
	ck_assert_uint_eq(ring_missed(&topics_topic()->ring, &topic_reader_of(second)->place),
			  300 - 256);
	must(object_truncate(out->channel, 0, &root));
	topics_restart();
	ck_assert_uint_eq(ring_missed(&topics_topic()->ring, &topic_reader_of(second)->place), 300);
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_without_readers_drops_what_nobody_needs)
{
	topics_make(0);
	file_put(out, "one");
	slots_remove(&host.files, first->id);
	slots_remove(&host.files, second->id);
	adopt_restart();
	out = adopted_file(out);
	file_put(out, "two");
	ck_assert_uint_eq(ring_messages(&topics_topic()->ring), 0);
	ck_assert_uint_eq(topics_topic()->ring.tail.number, 2);
	object_close(out);
}
END_TEST

START_TEST(test_adopt_topics_message_longer_than_known)
{
	char *text = malloc(100000);
	const void *data;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 100000);
	topics_make(0);
	ck_assert_int_eq(channel_write(out, text, 100000, 0), 100000);
	out->channel->record->message_max = 0;
	topics_restart();
	ck_assert_int_eq(channel_read(first, 1000, 0, &data), 1000);
	channel_given(first, true);
	ck_assert_int_eq(channel_read(first, 100000, 0, &data), 99000);
	channel_given(first, true);
	ck_assert_int_eq(channel_read(second, 100000, 0, &data), 100000);
	channel_given(second, true);
	free(text);
	topics_end();
}
END_TEST

/* The message was copied for its reader, and with _i also taken. */
START_TEST(test_adopt_topics_killed_while_message_was_copied)
{
	topics_make(0);
	file_put(out, "one");
	host.journal->request = READER;
	adopt_again(READER);
	journal_read(first, READER, JOURNAL_RECEIVE, 0, 2);
	memcpy(host.scratch, "one", 3);
	host.journal->size = 3;
	if (_i)
		out->channel->ops->take(first, 3);
	topics_restart();
	file_expect(first, 100, "one");
	channel_given(first, true);
	file_expect(second, 100, "one");
	topics_end();
}
END_TEST

/* The reader was answered, with _i; and with _i 2, the message taken. */
START_TEST(test_adopt_topics_killed_when_message_was_lent)
{
	struct pieces pieces;

	topics_make(0);
	file_put(out, "one");
	file_put(out, "two");
	host.journal->request = READER;
	if (_i == 0)
		adopt_again(READER);
	ck_assert_int_eq(channel_lend(first, 100, 0, &pieces), 3);
	if (_i == 2)
		topic_note_read(topics_topic(), first);
	topics_restart();
	if (_i == 0)
		file_expect(first, 100, "one");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

/* The larger memory is there, and has the messages, but the record does not name it yet. */
START_TEST(test_adopt_topics_killed_while_growing)
{
	static char zeroes[5000];
	uint64_t memory;

	topics_make(0);
	for (int i = 0; i < 400; i++) {
		memory = topics_topic()->record->ring.memory;
		file_put(out, "m");
		if (topics_topic()->record->ring.memory != memory && memory)
			break;
	}
	ck_assert_uint_ne(memory, topics_topic()->record->ring.memory);
	topics_restart();
	for (uint64_t i = topics_topic()->ring.tail.number; i > 0; i--) {
		file_expect(first, 100, "m");
		file_expect(second, 100, "m");
	}
	ck_assert_int_eq(channel_write(out, zeroes, sizeof(zeroes), 0), sizeof(zeroes));
	topics_restart();
	ck_assert_int_eq(file_try_read(first, sizeof(zeroes)), sizeof(zeroes));
	channel_given(first, true);
	ck_assert_int_eq(file_try_read(second, sizeof(zeroes)), sizeof(zeroes));
	channel_given(second, true);
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_writer_that_waited_goes_on)
{
	struct held held = {0};

	topics_make(0);
	topics_set(TOPIC_CAPACITY, 4096);
	topics_set(TOPIC_FULL, FULL_WAIT);
	file_fill(out, 1016);
	topics_restart();
	held_write(&held, out, "last", 4);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(file_try_read(first, 2000), 1016);
		channel_given(first, true);
		ck_assert_int_eq(file_try_read(second, 2000), 1016);
		channel_given(second, true);
	}
	held_wait(&held);
	file_expect(first, 100, "last");
	file_expect(second, 100, "last");
	topics_end();
}
END_TEST

static void suite_add_n(Suite *suite, const TTest *test, int n)
{
	suite_add_loop(suite, test->name, (const TTest *const[]){test, NULL}, n);
}

int main(void)
{
	Suite *suite = suite_create("adopt_topics");

	suite_add(suite, "topics",
		  (const TTest *const[]){
			  test_adopt_topics_messages_and_places_stay,
			  test_adopt_topics_settings_and_counts_stay,
			  test_adopt_topics_end_of_file_is_told_again,
			  test_adopt_topics_rest_of_message_stays,
			  test_adopt_topics_missed_messages_are_counted_once,
			  test_adopt_topics_without_readers_drops_what_nobody_needs,
			  test_adopt_topics_message_longer_than_known,
			  test_adopt_topics_killed_while_growing,
			  test_adopt_topics_writer_that_waited_goes_on,
			  NULL,
		  });
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_copied, 2);
	suite_add_n(suite, test_adopt_topics_writer_that_comes_again, 2);
	suite_add_n(suite, test_adopt_topics_killed_when_message_was_lent, 3);
	return suite_run(suite);
}
