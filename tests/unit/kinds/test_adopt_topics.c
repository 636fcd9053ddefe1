/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics of a daemon that was killed: every reader gets every message once, wherever that was. The
 * states between two stores are written into the records by hand.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { WRITER = 77, READER = 78 };

static struct file *out, *first, *second; /* NULL: not open */

static void make(uint64_t keep)
{
	struct channel *channel = object_make_set(adopt_open(&topic_kind), "t", TOPIC_KEEP, keep);

	out = object_open(channel, O_WRONLY);
	first = object_open(channel, O_RDONLY);
	second = object_open(channel, O_RDONLY);
	object_unref(channel);
}

static struct topic *topic(void)
{
	return topic_from(out->channel);
}

static struct topic_record *record(void)
{
	return topic()->record;
}

static void set(unsigned index, uint64_t value)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	must(channel_set(out->channel, &settings, &root));
}

static void restart(void)
{
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	out = adopted_file(out);
	first = first ? adopted_file(first) : NULL;
	second = second ? adopted_file(second) : NULL;
}

static void end(void)
{
	must_fail(file_try_read(first, 100), EAGAIN);
	if (second)
		must_fail(file_try_read(second, 100), EAGAIN);
	object_close(first);
	object_close(second);
	object_close(out);
}

/* The write comes again. */
static void write_again(const char *text)
{
	ck_assert_uint_eq(journal_done(&host, WRITER), 0);
	host.journal->request = WRITER;
	journal_write(out, 0);
	file_put(out, text);
	journal_write_end(&host);
}

static void expect_done(void)
{
	ck_assert_uint_eq(journal_done(&host, WRITER), SIZE_MAX);
}

START_TEST(test_adopt_topics_messages_and_places_stay)
{
	make(1);
	file_put(out, "one");
	file_put(out, "two");
	file_expect(first, 100, "one");
	restart();
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	restart();
	file_put(out, "three");
	file_expect(first, 100, "three");
	file_expect(second, 100, "two");
	file_expect(second, 100, "three");
	ck_assert_uint_eq(ring_n_kept(&topic()->ring), 1);
	end();
}
END_TEST

START_TEST(test_adopt_topics_settings_and_counts_stay)
{
	make(3 << 10 | PARAMETER_IS_SIZE);
	set(TOPIC_CAPACITY, 4096);
	set(TOPIC_FULL, FULL_DROP_NEWEST);
	set(TOPIC_EOF, EOF_AUTO);
	while (record()->n_dropped == 0)
		file_put(out, "message");
	restart();
	ck_assert_uint_eq(topic()->ring.capacity, 4096);
	ck_assert_uint_eq(topic()->ring.keep.bytes, 3 << 10);
	ck_assert_int_eq(topic()->full, FULL_DROP_NEWEST);
	ck_assert_int_eq(topic()->eof, EOF_AUTO);
	ck_assert_uint_eq(record()->n_dropped, 1);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), topic()->ring.charged);
	ck_assert(strstr(object_status(out->channel, &root), "missed 1"));
	object_close(out);
	object_close(first);
	object_close(second);
}
END_TEST

START_TEST(test_adopt_topics_end_of_file_is_told_again)
{
	make(0);
	set(TOPIC_EOF, EOF_AUTO);
	file_put(out, "one");
	file_expect(first, 100, "one");
	file_expect(second, 100, "one");
	restart();
	must_fail(file_try_read(first, 100), EAGAIN);
	object_close(out);
	ck_assert_int_eq(file_try_read(first, 100), 0);
	object_close(first);
	object_close(second);
}
END_TEST

START_TEST(test_adopt_topics_rest_of_message_stays)
{
	make(0);
	file_put(out, "one");
	file_expect(first, 2, "on");
	channel_given(first, true);
	restart();
	file_expect(first, 100, "e");
	channel_given(first, true);
	file_expect(second, 100, "one");
	end();
}
END_TEST

START_TEST(test_adopt_topics_missed_messages_are_counted_once)
{
	make(0);
	set(TOPIC_CAPACITY, 4096);
	for (int i = 0; i < 300; i++)
		file_put(out, "message");
	restart();
	ck_assert_uint_eq(ring_missed(&topic()->ring, &topic_reader_of(first)->place), 300 - 256);
	file_expect(first, 100, "message");
	restart();
	ck_assert_uint_eq(ring_missed(&topic()->ring, &topic_reader_of(first)->place), 300 - 256);
	ck_assert_uint_eq(ring_missed(&topic()->ring, &topic_reader_of(second)->place), 300 - 256);
	must(object_truncate(out->channel, 0, &root));
	restart();
	ck_assert_uint_eq(ring_missed(&topic()->ring, &topic_reader_of(second)->place), 300);
	end();
}
END_TEST

START_TEST(test_adopt_topics_without_readers_drops_what_nobody_needs)
{
	make(0);
	file_put(out, "one");
	slots_remove(&host.files, first->id);
	slots_remove(&host.files, second->id);
	adopt_restart();
	out = adopted_file(out);
	file_put(out, "two");
	ck_assert_uint_eq(ring_messages(&topic()->ring), 0);
	ck_assert_uint_eq(topic()->ring.tail.number, 2);
	object_close(out);
}
END_TEST

START_TEST(test_adopt_topics_message_longer_than_known)
{
	char *text = malloc(100000);
	const void *data;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 100000);
	make(0);
	ck_assert_int_eq(channel_write(out, text, 100000, 0), 100000);
	out->channel->record->message_max = 0;
	restart();
	ck_assert_int_eq(channel_read(first, 1000, 0, &data), 1000);
	channel_given(first, true);
	ck_assert_int_eq(channel_read(first, 100000, 0, &data), 99000);
	channel_given(first, true);
	ck_assert_int_eq(channel_read(second, 100000, 0, &data), 100000);
	channel_given(second, true);
	free(text);
	end();
}
END_TEST

/* The message was copied for its reader, and with _i also taken. */
START_TEST(test_adopt_topics_killed_while_message_was_copied)
{
	make(0);
	file_put(out, "one");
	host.journal->request = READER;
	adopt_again(READER);
	journal_read(first, READER, JOURNAL_RECEIVE, 0, 2);
	memcpy(host.scratch, "one", 3);
	host.journal->size = 3;
	if (_i)
		out->channel->ops->take(first, 3);
	restart();
	file_expect(first, 100, "one");
	channel_given(first, true);
	file_expect(second, 100, "one");
	end();
}
END_TEST

/* The reader was answered, with _i; and with _i 2, the message taken. */
START_TEST(test_adopt_topics_killed_when_message_was_lent)
{
	struct pieces pieces;

	make(0);
	file_put(out, "one");
	file_put(out, "two");
	host.journal->request = READER;
	if (_i == 0)
		adopt_again(READER);
	ck_assert_int_eq(channel_lend(first, 100, 0, &pieces), 3);
	if (_i == 2)
		topic_note_read(topic(), first);
	restart();
	if (_i == 0)
		file_expect(first, 100, "one");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	end();
}
END_TEST

/* Begins to write `size` bytes, as the request that will come again. */
static void begin_write(size_t size)
{
	host.journal->request = WRITER;
	journal_write(out, 0);
	must(ring_make_room(&topic()->ring, size, false));
	ring_append(&topic()->ring, size);
	adopt_again(WRITER);
}

START_TEST(test_adopt_topics_killed_before_message_was_appended)
{
	make(0);
	file_put(out, "one");
	host.journal->request = WRITER;
	journal_write(out, 0);
	adopt_again(WRITER);
	restart();
	write_again("two");
	file_expect(first, 100, "one");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	end();
}
END_TEST

START_TEST(test_adopt_topics_killed_while_message_was_appended)
{
	make(0);
	file_put(out, "one");
	begin_write(3);
	record()->ring.tail_offset -= 16;
	if (_i)
		record()->ring.tail_number--;
	restart();
	file_expect(first, 100, "one");
	must_fail(file_try_read(first, 100), EAGAIN);
	write_again("two");
	file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	end();
}
END_TEST

/* One reader has it (_i & 1), and the next daemon is killed, too (_i & 2). */
START_TEST(test_adopt_topics_killed_after_message_was_appended)
{
	make(0);
	file_put(out, "one");
	file_expect(first, 100, "one");
	begin_write(3);
	if (_i & 1)
		topic_note_read(topic(), first);
	restart();
	must_fail(file_try_read(first, 100), EAGAIN);
	if (_i & 2)
		restart();
	ck_assert(journal_has(&host, WRITER));
	write_again("two");
	ck_assert(!journal_has(&host, WRITER));
	if (!(_i & 1))
		file_expect(first, 100, "two");
	file_expect(second, 100, "one");
	file_expect(second, 100, "two");
	end();
}
END_TEST

/* The first reader was answered, but that was not noted. With _i there is no other reader. */
START_TEST(test_adopt_topics_killed_after_reader_was_answered)
{
	make(0);
	if (_i) {
		object_close(second);
		second = NULL;
	}
	begin_write(3);
	journal_read(first, READER, JOURNAL_TAKE, 3, 100);
	restart();
	if (_i) {
		expect_done();
	} else {
		write_again("two");
		file_expect(second, 100, "two");
	}
	end();
}
END_TEST

START_TEST(test_adopt_topics_killed_before_reader_was_answered)
{
	make(0);
	begin_write(3);
	journal_read(first, READER, JOURNAL_TAKE, 3, 100);
	adopt_again(READER);
	restart();
	write_again("two");
	file_expect(first, 100, "two");
	file_expect(second, 100, "two");
	end();
}
END_TEST

/* Both readers have it, and the message goes: its place was noted, with _i, or its number only. */
START_TEST(test_adopt_topics_killed_while_last_message_was_dropped)
{
	make(0);
	begin_write(3);
	topic_note_read(topic(), first);
	topic_note_read(topic(), second);
	ck_assert_uint_eq(record()->ring.head_number, 1);
	record()->ring.whole = 0;
	if (!_i)
		record()->ring.head_offset -= 16;
	restart();
	if (!_i) {
		write_again("two");
		ck_assert_uint_eq(ring_messages(&topic()->ring), 0);
	} else {
		expect_done();
	}
	end();
}
END_TEST

START_TEST(test_adopt_topics_killed_after_message_was_stored)
{
	const struct iovec iov = {(void *)"two", 3};

	make(0);
	begin_write(3);
	topic_note_read(topic(), first);
	ring_fill(&topic()->ring, &iov, 1);
	restart();
	expect_done();
	file_expect(second, 100, "two");
	end();
}
END_TEST

/* The write never comes again, but another: of the same length, with _i. */
START_TEST(test_adopt_topics_unfinished_message_is_taken_back)
{
	const char *text = _i ? "six" : "seven";

	make(1);
	file_put(out, "one");
	file_expect(first, 100, "one");
	begin_write(3);
	topic_note_read(topic(), first);
	restart();
	host.journal->request = WRITER + 1;
	file_put(out, text);
	file_expect(first, 100, text);
	file_expect(second, 100, "one");
	file_expect(second, 100, text);
	restart();
	ck_assert_uint_eq(topic()->ring.tail.number, 2);
	ck_assert_uint_eq(topic()->ring.bytes, strlen(text));
	end();
}
END_TEST

/* The message was dropped for want of readers: the number of the end, or of both, is noted. */
START_TEST(test_adopt_topics_killed_while_message_was_passed)
{
	make(0);
	object_close(first);
	object_close(second);
	first = second = NULL;
	file_put(out, "one");
	host.journal->request = WRITER;
	journal_write(out, 0);
	adopt_again(WRITER);
	record()->ring.tail_number++;
	if (_i > 0)
		record()->ring.kept_number++;
	if (_i > 1)
		record()->ring.head_number++;
	restart();
	expect_done();
	ck_assert_uint_eq(topic()->ring.tail.number, 2);
	object_close(out);
}
END_TEST

/* The larger memory is there, and has the messages, but the record does not name it yet. */
START_TEST(test_adopt_topics_killed_while_growing)
{
	static char zeroes[5000];
	uint64_t memory;

	make(0);
	for (int i = 0; i < 400; i++) {
		memory = record()->ring.memory;
		file_put(out, "m");
		if (record()->ring.memory != memory && memory)
			break;
	}
	ck_assert_uint_ne(memory, record()->ring.memory);
	restart();
	for (uint64_t i = topic()->ring.tail.number; i > 0; i--) {
		file_expect(first, 100, "m");
		file_expect(second, 100, "m");
	}
	ck_assert_int_eq(channel_write(out, zeroes, sizeof(zeroes), 0), sizeof(zeroes));
	restart();
	ck_assert_int_eq(file_try_read(first, sizeof(zeroes)), sizeof(zeroes));
	channel_given(first, true);
	ck_assert_int_eq(file_try_read(second, sizeof(zeroes)), sizeof(zeroes));
	channel_given(second, true);
	end();
}
END_TEST

START_TEST(test_adopt_topics_writer_that_waited_goes_on)
{
	struct held held = {0};

	make(0);
	set(TOPIC_CAPACITY, 4096);
	set(TOPIC_FULL, FULL_WAIT);
	file_fill(out, 1016);
	restart();
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
	end();
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
			  test_adopt_topics_killed_before_message_was_appended,
			  test_adopt_topics_killed_before_reader_was_answered,
			  test_adopt_topics_killed_after_message_was_stored,
			  test_adopt_topics_killed_while_growing,
			  test_adopt_topics_writer_that_waited_goes_on,
			  NULL,
		  });
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_copied, 2);
	suite_add_n(suite, test_adopt_topics_killed_when_message_was_lent, 3);
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_appended, 2);
	suite_add_n(suite, test_adopt_topics_killed_after_message_was_appended, 4);
	suite_add_n(suite, test_adopt_topics_killed_after_reader_was_answered, 2);
	suite_add_n(suite, test_adopt_topics_killed_while_last_message_was_dropped, 2);
	suite_add_n(suite, test_adopt_topics_unfinished_message_is_taken_back, 2);
	suite_add_n(suite, test_adopt_topics_killed_while_message_was_passed, 3);
	return suite_run(suite);
}
