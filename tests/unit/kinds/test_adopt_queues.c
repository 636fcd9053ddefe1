/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues outlive the daemon: their descriptors, names and charges; and a message that the kernel
 * had given to the daemon when that was killed reaches its reader, once.
 */
#include <fcntl.h>
#include <unistd.h>

#include "lib/channel/blank.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

enum { REQUEST = 77, STEPS = 500 };

static struct file *make_open(const char *name, int flags)
{
	return object_make_open(adopt_open(&queue_kind), name, flags);
}

/* A native queue with room for long messages, open through the mount. */
static struct file *open_native(long msgsize)
{
	struct space *space = adopt_open(&queue_kind);
	struct channel *queue;
	struct file *file;

	native_queue_close(native_queue_make("/q", 4, msgsize));
	queue = object_find(space, "q");
	file = object_open(queue, O_RDWR);
	object_unref(queue);
	return file;
}

START_TEST(test_queue_open_goes_on)
{
	struct file *file = make_open("q", O_RDWR);

	file_put(file, "before");
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(file->channel->message_max, QUEUE_MESSAGE_SIZE);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	file_expect(file, 100, "before");
	file_put(file, "after");
	file_expect(file, 100, "after");
	object_close(file);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
}
END_TEST

START_TEST(test_queue_without_its_name_goes_on)
{
	struct file *file = make_open("q", O_RDWR);

	file_put(file, "before");
	must_call(mq_unlink("/q"));
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "before");
	object_close(file);
}
END_TEST

START_TEST(test_queue_is_one_channel_for_its_name)
{
	struct file *file = make_open("q", O_RDONLY);
	struct channel *found;

	adopt_restart();
	file = adopted_file(file);
	found = object_find(adopted_space(&queue_kind), "q");
	ck_assert_ptr_eq(found, file->channel);
	object_unref(found);
	object_close(file);
}
END_TEST

/* The selector is the priority. */
START_TEST(test_queue_selector_goes_on)
{
	struct channel *queue = object_make(adopt_open(&queue_kind), "q");
	struct file *file = object_open_selected(queue, O_WRONLY, 9);
	mqd_t native;

	adopt_restart();
	native = native_queue_open("/q");
	file = adopted_file(file);
	file_put(file, "urgent");
	native_expect(native, "urgent", 9);
	native_queue_close(native);
	object_close(file);
}
END_TEST

/* The daemon may open the queue only one way at a time. */
START_TEST(test_queue_of_two_descriptors_goes_on)
{
	struct channel *queue = object_make(adopt_open(&queue_kind), "q");
	struct file *reader = object_open(queue, O_RDONLY), *writer;
	struct object_record *record = queue->record;

	/* As if the open for both had failed. */
	record->fds[1] = (int)must_call(fcntl(record->fds[0], F_DUPFD_CLOEXEC, 0));
	record->words[2] = false;
	adopt_restart();
	reader = adopted_file(reader);
	writer = object_open(reader->channel, O_WRONLY);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 2);
	file_put(writer, "hello");
	file_expect(reader, 100, "hello");
	object_close(writer);
	object_close(reader);
}
END_TEST

START_TEST(test_queue_reader_waits_again)
{
	struct file *file = make_open("q", O_RDWR);
	struct held before = {0}, after = {0};
	mqd_t native;

	held_read(&before, file, 100);
	adopt_restart();
	native = native_queue_open("/q");
	file = adopted_file(file);
	held_read(&after, file, 100);
	native_send(native, "hello", 0);
	held_wait(&after);
	held_expect(&after, "hello");
	native_queue_close(native);
	object_close(file);
}
END_TEST

/*
 * Killed while the kernel gave it the message: as after channel_read(), but with neither length nor
 * step in the journal.
 */
static void kill_in_receive(struct file *file, size_t size, bool is_again)
{
	const void *data = NULL;

	host.journal->request = REQUEST;
	ck_assert_int_ge(channel_read(file, size, 0, &data), 0);
	host.journal->step = JOURNAL_RECEIVE;
	host.journal->size = 0;
	if (file->record->rest) /* it has not come so far */
		file->record->rest = 0;
	if (is_again)
		adopt_again(REQUEST);
	adopt_restart();
}

START_TEST(test_queue_message_taken_is_read_once)
{
	struct file *file = make_open("q", O_RDWR);

	file_put(file, "a longer one");
	file_put(file, "taken");
	file_put(file, "");
	file_put(file, "next");
	file_expect(file, 100, "a longer one");
	kill_in_receive(file, 100, true);
	file = adopted_file(file);
	file_expect(file, 100, "taken");
	kill_in_receive(file, 100, true);
	file = adopted_file(file);
	file_expect(file, 100, "");
	file_expect(file, 100, "next");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_queue_message_answered_is_not_read_again)
{
	struct file *file = make_open("q", O_RDWR);

	file_put(file, "answered");
	file_put(file, "next");
	kill_in_receive(file, 4, false);
	file = adopted_file(file);
	file_expect(file, 100, "ered");
	file_expect(file, 100, "next");
	object_close(file);
}
END_TEST

START_TEST(test_queue_message_not_taken_waits)
{
	struct file *file = make_open("q", O_RDWR);

	file_put(file, "first");
	file_put(file, "second");
	file_expect(file, 100, "first");
	channel_given(file, true);
	/* Killed on the way to the call; once before the word was written, and once after it. */
	for (int i = 0; i < 2; i++) {
		host.journal->request = REQUEST;
		journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
		if (i == 1)
			host.journal->word = UINT64_MAX;
		adopt_again(REQUEST);
		adopt_restart();
		file = adopted_file(file);
	}
	file_expect(file, 100, "second");
	object_close(file);
}
END_TEST

/* Messages of any length after messages of any length, and reads of other objects in between. */
START_TEST(test_queue_message_length_is_found)
{
	static char bytes[8192];
	struct file *file = open_native(sizeof(bytes));
	struct file *event = object_make_open(adopt_open(&event_kind), "e", O_RDWR);
	const void *data = NULL;

	srand(1);
	for (int i = 0; i < STEPS; i++) {
		size_t size = 1 + (size_t)rand() % (i % 2 ? 100 : sizeof(bytes));

		for (size_t n = 0; n < size; n++)
			bytes[n] = (char)rand();
		bytes[size - 1] = (char)(rand() % BLANK);
		ck_assert_int_eq(channel_write(file, bytes, size, 0), (ssize_t)size);
		if (rand() % 4 == 0) {
			file_put(event, "1");
			ck_assert_int_gt(channel_read(event, 100, 0, &data), 0);
		}
		ck_assert_int_eq(channel_read(file, size, 0, &data), (ssize_t)size);
		ck_assert_int_eq(file->channel->ops->recall(file, host.scratch), (ssize_t)size);
		channel_given(file, true);
	}
	object_close(event);
	object_close(file);
}
END_TEST

/* A message that was sent, but not answered, is not sent again. */
START_TEST(test_queue_message_sent_is_not_sent_again)
{
	struct file *file = make_open("q", O_RDWR);

	host.journal->request = REQUEST;
	journal_write(file, 0);
	file_put(file, "sent");
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	file = adopted_file(file);
	file_expect(file, 100, "sent");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_queue_message_not_sent_is_sent)
{
	struct file *file = make_open("q", O_RDWR);

	host.journal->request = REQUEST;
	journal_write(file, 0);
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	object_close(adopted_file(file));
}
END_TEST

/* What a record may not say, by _i. */
START_TEST(test_queue_wrong_record_is_refused)
{
	struct file *file = make_open("q", O_RDWR);
	struct object_record *record = file->channel->record;

	switch (_i) {
	case 0: /* another file */
		must_call(dup2(STDIN_FILENO, record->fds[0]));
		break;
	case 1: /* another queue */
		record->words[0]++;
		break;
	case 2: /* one that waits */
		must_call(fcntl(record->fds[0], F_SETFL, 0));
		break;
	case 3:
		strcpy(record->name, "../q");
		break;
	default:
		record->words[0] = 0;
		break;
	}
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

/* Killed while it closed the queue: the descriptors are in no record any more. */
START_TEST(test_queue_being_closed_is_over)
{
	struct file *file = make_open("q", O_RDWR);
	struct object_record *record = file->channel->record;

	record->fds[0] = record->fds[1] = -1;
	adopt_restart();
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_ptr_null(adopted_channel(file->channel));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_queues");

	suite_add(suite, "adopt_queues",
		  (const TTest *const[]){
			  test_queue_open_goes_on,
			  test_queue_without_its_name_goes_on,
			  test_queue_is_one_channel_for_its_name,
			  test_queue_selector_goes_on,
			  test_queue_of_two_descriptors_goes_on,
			  test_queue_reader_waits_again,
			  test_queue_message_taken_is_read_once,
			  test_queue_message_answered_is_not_read_again,
			  test_queue_message_not_taken_waits,
			  test_queue_message_length_is_found,
			  test_queue_message_sent_is_not_sent_again,
			  test_queue_message_not_sent_is_sent,
			  test_queue_being_closed_is_over,
			  NULL,
		  });
	suite_add_loop(suite, "wrong records",
		       (const TTest *const[]){test_queue_wrong_record_is_refused, NULL}, 5);
	return suite_run(suite);
}
