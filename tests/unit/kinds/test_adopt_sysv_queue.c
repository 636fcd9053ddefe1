/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V queues of a daemon that is killed: at the calls that take or give something, too.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define NAME "0x000004d2"
#define KEY  0x4d2

enum { REQUEST = 78, MESSAGE_MAX = 8192 };

/* Where the loop's thread is killed: in its next msgrcv(2), before or after that has been done. */
static enum { NOWHERE, BEFORE, AFTER } kill_point;
static jmp_buf killed;

/* In place of the C library's. */
ssize_t msgrcv(int id, void *message, size_t size, long type, int flags)
{
	ssize_t n;

	if (kill_point == BEFORE)
		longjmp(killed, 1);
	n = syscall(SYS_msgrcv, id, message, size, type, flags);
	if (kill_point == AFTER)
		longjmp(killed, 1);
	return n;
}

static int native_queue(void)
{
	return (int)must_call(msgget(KEY, 0));
}

static unsigned long count(void)
{
	struct msqid_ds data;

	must_call(msgctl(native_queue(), IPC_STAT, &data));
	return data.msg_qnum;
}

static void send(long type, const char *text, size_t size)
{
	struct {
		long type;
		char text[MESSAGE_MAX];
	} message = {.type = type};

	memcpy(message.text, text, size);
	must_call(msgsnd(native_queue(), &message, size, 0));
}

static struct file *new_queue(void)
{
	return object_make_open(adopt_open(&sysv_queue_kind), NAME, O_RDWR);
}

/* Reads as a request would, and is killed there. */
static void read_and_be_killed(struct file *file, size_t size, int where)
{
	const void *data;

	host.journal->request = REQUEST;
	kill_point = where;
	if (setjmp(killed) == 0) {
		channel_read(file, size, 0, &data);
		ck_abort_msg("not killed");
	}
	kill_point = NOWHERE;
	adopt_again(REQUEST);
	adopt_restart();
}

START_TEST(test_adopt_sysv_queue_goes_on)
{
	struct file *file = new_queue();
	struct file *five = object_open_selected(file->channel, O_RDWR, 5);

	file_put(file, "one");
	file_put(five, "five");
	adopt_restart();
	file = adopted_file(file);
	five = adopted_file(five);
	ck_assert_ptr_eq(file->channel, five->channel);
	file_expect(five, 100, "five");
	file_expect(file, 100, "one");
	must_fail(file_try_read(file, 100), EAGAIN);
	file_put(five, "more");
	file_expect(file, 100, "more");
	object_close(five);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_opener_keeps_groups)
{
	struct space *space = adopt_open(&sysv_queue_kind);
	struct channel *channel = object_make(space, NAME);
	struct caller member = {.uid = STRANGER, .gid = STRANGER, .is_loaded = true};
	gid_t groups[] = {100, 101};
	struct msqid_ds data;
	struct file *file;

	member.groups = groups;
	member.n_groups = 2;
	must_call(msgctl(native_queue(), IPC_STAT, &data));
	data.msg_perm.gid = 101;
	data.msg_perm.mode = 0060;
	must_call(msgctl(native_queue(), IPC_SET, &data));
	must(object_open_as(channel, O_RDWR, &member, &file));
	object_unref(channel);
	adopt_restart();
	file = adopted_file(file);
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	data.msg_perm.gid = 102;
	must_call(msgctl(native_queue(), IPC_SET, &data));
	must_fail(file_try_read(file, 100), EACCES);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_killed_before_receiving_keeps_message)
{
	struct file *file = new_queue();

	file_put(file, "hello");
	read_and_be_killed(file, 100, BEFORE);
	file = adopted_file(file);
	ck_assert_uint_eq(count(), 1);
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_killed_with_nothing_received_waits)
{
	struct file *file = new_queue();

	read_and_be_killed(file, 100, AFTER);
	file = adopted_file(file);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

/* Texts, some of which end as a blank receipt does. */
static const struct {
	const char *text;
	size_t size;
} texts[] = {{"hello\n", 6},        {"", 0},     {"\0\0", 2}, {"\xf7", 1},
	     {"ab\xf7\xf7\xf7", 5}, {NULL, 8000}};

START_TEST(test_adopt_sysv_queue_killed_after_receiving_gives_message_once)
{
	struct file *file = new_queue();
	static char text[MESSAGE_MAX];
	size_t size = texts[_i].size;
	const void *data;

	memset(text, 'x', sizeof(text));
	if (texts[_i].text)
		memcpy(text, texts[_i].text, size);
	send(3, "before", 6);
	file_expect(file, 100, "before");
	send(3, text, size);
	send(3, "after", 5);
	read_and_be_killed(file, MESSAGE_MAX, AFTER);
	ck_assert_uint_eq(count(), 1);
	file = adopted_file(file);
	ck_assert_int_eq(channel_read(file, MESSAGE_MAX, 0, &data), (ssize_t)size);
	ck_assert_mem_eq(data, text, size);
	channel_given(file, true);
	file_expect(file, 100, "after");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_others_use_only_the_text_counts)
{
	struct file *file = new_queue();

	send(3, "hello", 5);
	host.journal->request = REQUEST;
	kill_point = AFTER;
	if (setjmp(killed) == 0)
		file_try_read(file, 100);
	kill_point = NOWHERE;
	send(3, "of another", 10);
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "hello");
	file_expect(file, 100, "of another");
	object_close(file);
}
END_TEST

/* The reader's buffer has the message, but the journal does not say so yet. */
START_TEST(test_adopt_sysv_queue_killed_with_text_in_buffer_gives_rest_as_well)
{
	struct file *file = new_queue();

	file_put(file, "hello");
	must(host_reserve(&host, MESSAGE_MAX));
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 2);
	ck_assert_int_eq(file->channel->ops->read(file, host.scratch, host.scratch_size, 0), 5);
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 2, "he");
	file_expect(file, 100, "llo");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

/* Has a thread take an empty message, of which the loop does not hear. */
static void take_empty(struct file *file, struct held *held)
{
	const uint64_t *words = file->channel->record->words;
	uint64_t taken = 0;

	held_read(held, file, 100);
	while (host.users.taken[USER_SLEEPS] == 0)
		loop_settle();
	send(7, "", 0);
	while (!taken)
		for (int i = 4; i < OBJECT_WORDS; i++)
			taken |= __atomic_load_n(&words[i], __ATOMIC_RELAXED);
	ck_assert_uint_eq(taken, 7);
	ck_assert_uint_eq(count(), 0);
}

START_TEST(test_adopt_sysv_queue_empty_message_of_a_wait_is_given_once)
{
	struct file *file = new_queue();
	static struct held held;

	take_empty(file, &held);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_empty_message_that_nobody_awaits_goes_back)
{
	struct file *file = new_queue();
	static struct held held;

	take_empty(file, &held);
	adopt_restart();
	file = adopted_file(file);
	loop_settle();
	ck_assert_uint_eq(count(), 1);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_empty_message_in_hand_is_given_once)
{
	struct file *file = new_queue();
	static struct held held;

	take_empty(file, &held);
	adopt_restart();
	file = adopted_file(file);
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
	ck_assert_int_eq(file->channel->ops->read(file, host.scratch, host.scratch_size, 0), 0);
	/* As it was just before the record was written. */
	file->channel->record->words[host.journal->word - 3 + 4] = 7;
	adopt_again(REQUEST);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_message_that_was_sent_is_done)
{
	struct file *file = new_queue();

	host.journal->request = REQUEST;
	file_put(file, "hello");
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	ck_assert_uint_eq(journal_done(&host, REQUEST + 2), 0);
	file_expect(adopted_file(file), 100, "hello");
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_adopt_sysv_queue_message_that_a_thread_sent_is_done)
{
	struct file *file = new_queue();
	static struct held held = {.transfer = {.request = REQUEST}};
	struct msgbuf taken;

	file_fill(file, 1);
	held_write(&held, file, "hello", 5);
	while (host.users.taken[USER_SLEEPS] == 0)
		loop_settle();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	for (int i = 0; i < 10; i++)
		must_call(msgrcv(native_queue(), &taken, 1, 0, 0));
	while (journal_done(&host, REQUEST) == 0)
		usleep(1000);
	adopt_again(REQUEST);
	adopt_restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_adopt_sysv_queue_removed_while_open_stays_removed)
{
	struct file *file = new_queue();
	struct file *late = NULL;
	struct stat attr;

	object_stat(file->channel);
	channel_save(file->channel);
	must_call(msgctl(native_queue(), IPC_RMID, NULL));
	must_call(msgget(KEY, IPC_CREAT | 0600));
	adopt_restart();
	file = adopted_file(file);
	must_fail(file_try_read(file, 100), EIDRM);
	must(channel_stat(file->channel, &attr));
	ck_assert_uint_eq(attr.st_nlink, 0);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0600);
	must_fail(object_open_as(file->channel, O_RDWR, &root, &late), ESTALE);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_queue_incomplete_record_is_refused)
{
	struct file *file = new_queue();

	memset(file->channel->record->words, 0, sizeof(file->channel->record->words));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_sysv_queue");

	suite_add(suite, "queues",
		  (const TTest *const[]){
			  test_adopt_sysv_queue_goes_on,
			  test_adopt_sysv_queue_opener_keeps_groups,
			  test_adopt_sysv_queue_killed_before_receiving_keeps_message,
			  test_adopt_sysv_queue_killed_with_nothing_received_waits,
			  test_adopt_sysv_queue_others_use_only_the_text_counts,
			  test_adopt_sysv_queue_killed_with_text_in_buffer_gives_rest_as_well,
			  test_adopt_sysv_queue_empty_message_of_a_wait_is_given_once,
			  test_adopt_sysv_queue_empty_message_that_nobody_awaits_goes_back,
			  test_adopt_sysv_queue_empty_message_in_hand_is_given_once,
			  test_adopt_sysv_queue_message_that_was_sent_is_done,
			  test_adopt_sysv_queue_message_that_a_thread_sent_is_done,
			  test_adopt_sysv_queue_removed_while_open_stays_removed,
			  test_adopt_sysv_queue_incomplete_record_is_refused,
			  NULL,
		  });
	suite_add_loop(
		suite, "received",
		(const TTest *const[]){
			test_adopt_sysv_queue_killed_after_receiving_gives_message_once, NULL},
		sizeof(texts) / sizeof(texts[0]));
	return suite_run(suite);
}
