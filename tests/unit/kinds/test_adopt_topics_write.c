/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of a topic is killed while it writes: every reader gets the message once. The states
 * between two stores are written into the records by hand.
 */

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"
#include "tests/unit/topics.h"

enum { WRITER = 77, READER = 78 };

/* The write comes again. */
static void write_again(const char *text)
{
	ck_assert_uint_eq(journal_done(&host, WRITER), 0);
	host.journal->request = WRITER;
	host.journal->is_again = true;
	journal_write(out, 0);
	journal_resumed(&host);
	file_put(out, text);
	host.journal->is_again = false;
	journal_write_end(&host);
}

static void expect_done(void)
{
	ck_assert_uint_eq(journal_done(&host, WRITER), SIZE_MAX);
}

/* Begins to write `size` bytes, as the request that will come again. */
static void begin_write(size_t size)
{
	host.journal->request = WRITER;
	journal_write(out, 0);
	must(ring_make_room(&topics_topic()->ring, size, false));
	ring_append(&topics_topic()->ring, size);
	adopt_again(WRITER);
}

START_TEST(test_adopt_topics_killed_before_message_was_appended)
{
	topics_make(0);
	file_put(out, "one");
	host.journal->request = WRITER;
	journal_write(out, 0);
	adopt_again(WRITER);
	topics_restart();
	write_again("two");
	file_expect(first, 100, "one");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_killed_while_message_was_appended)
{
	topics_make(0);
	file_put(out, "one");
	begin_write(3);
	topics_topic()->record->ring.tail_offset -= 16;
	if (_i)
		topics_topic()->record->ring.tail_number--;
	topics_restart();
	file_expect(first, 100, "one");
	must_fail(file_try_read(first, 100), EAGAIN);
	write_again("two");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

/* One reader has it (_i & 1), and the next daemon is killed, too (_i & 2). */
START_TEST(test_adopt_topics_killed_after_message_was_appended)
{
	topics_make(0);
	file_put(out, "one");
	file_expect(first, 100, "one");
	begin_write(3);
	if (_i & 1)
		topic_note_read(topics_topic(), first);
	topics_restart();
	must_fail(file_try_read(first, 100), EAGAIN);
	if (_i & 2) {
		adopt_again(WRITER);
		topics_restart();
	}
	ck_assert(journal_has(&host, WRITER));
	write_again("two");
	ck_assert(!journal_has(&host, WRITER));
	if (!(_i & 1))
		file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

/* The first reader was answered, but that was not noted. With _i there is no other reader. */
START_TEST(test_adopt_topics_killed_after_reader_was_answered)
{
	topics_make(0);
	if (_i) {
		object_close(second);
		second = NULL;
	}
	begin_write(3);
	journal_read(first, READER, JOURNAL_TAKE, 3, 100);
	topics_restart();
	if (_i) {
		expect_done();
	} else {
		write_again("two");
		file_expect(second, 100, "two");
	}
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_killed_before_reader_was_answered)
{
	topics_make(0);
	begin_write(3);
	journal_read(first, READER, JOURNAL_TAKE, 3, 100);
	adopt_again(READER);
	topics_restart();
	write_again("two");
	file_expect(first, 100, "two");
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

/* Both readers have it, and the message goes: its place was noted, with _i, or its number only. */
START_TEST(test_adopt_topics_killed_while_last_message_was_dropped)
{
	topics_make(0);
	begin_write(3);
	topic_note_read(topics_topic(), first);
	topic_note_read(topics_topic(), second);
	ck_assert_uint_eq(topics_topic()->record->ring.head_number, 1);
	topics_topic()->record->ring.whole = 0;
	if (!_i)
		topics_topic()->record->ring.head_offset -= 16;
	topics_restart();
	if (!_i) {
		write_again("two");
		ck_assert_uint_eq(ring_messages(&topics_topic()->ring), 0);
	} else {
		expect_done();
	}
	topics_end();
}
END_TEST

START_TEST(test_adopt_topics_killed_after_message_was_stored)
{
	const struct iovec iov = {(void *)"two", 3};

	topics_make(0);
	begin_write(3);
	topic_note_read(topics_topic(), first);
	ring_fill(&topics_topic()->ring, &iov, 1);
	topics_restart();
	expect_done();
	file_expect(second, 100, "two");
	topics_end();
}
END_TEST

/* The write never comes again, but another: of the same length, with _i. */
START_TEST(test_adopt_topics_unfinished_message_is_taken_back)
{
	const char *text = _i ? "six" : "seven";

	topics_make(1);
	file_put(out, "one");
	file_expect(first, 100, "one");
	begin_write(3);
	topic_note_read(topics_topic(), first);
	topics_restart();
	host.journal->request = WRITER + 1;
	file_put(out, text);
	file_expect(first, 100, text);
	file_expect(second, 100, "one");
	file_expect(second, 100, text);
	topics_restart();
	ck_assert_uint_eq(topics_topic()->ring.tail.number, 2);
	ck_assert_uint_eq(topics_topic()->ring.bytes, strlen(text));
	topics_end();
}
END_TEST

/* The message was dropped for want of readers: the number of the end, or of both, is noted. */
START_TEST(test_adopt_topics_killed_while_message_was_passed)
{
	topics_make(0);
	object_close(first);
	object_close(second);
	first = second = NULL;
	file_put(out, "one");
	host.journal->request = WRITER;
	journal_write(out, 0);
	adopt_again(WRITER);
	topics_topic()->record->ring.tail_number++;
	if (_i > 0)
		topics_topic()->record->ring.kept_number++;
	if (_i > 1)
		topics_topic()->record->ring.head_number++;
	topics_restart();
	expect_done();
	ck_assert_uint_eq(topics_topic()->ring.tail.number, 2);
	object_close(out);
}
END_TEST

static void suite_add_n(Suite *suite, const TTest *test, int n)
{
	suite_add_loop(suite, test->name, (const TTest *const[]){test, NULL}, n);
}

int main(void)
{
	Suite *suite = suite_create("adopt_topics_write");

	suite_add(suite, "topics",
		  (const TTest *const[]){
			  test_adopt_topics_killed_before_message_was_appended,
			  test_adopt_topics_killed_before_reader_was_answered,
			  test_adopt_topics_killed_after_message_was_stored,
			  NULL,
		  });
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_appended, 2);
	suite_add_n(suite, test_adopt_topics_killed_after_message_was_appended, 4);
	suite_add_n(suite, test_adopt_topics_killed_after_reader_was_answered, 2);
	suite_add_n(suite, test_adopt_topics_killed_while_last_message_was_dropped, 2);
	suite_add_n(suite, test_adopt_topics_unfinished_message_is_taken_back, 2);
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_passed, 3);
	return suite_run(suite);
}
