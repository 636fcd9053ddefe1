// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes to objects of the cluster: held until the server has stored the message, sent again under
 * the same id, refused and tried again.
 */
#include "lib/kinds/cluster/publication.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/base/clock.h"
#include "lib/channel/transfer.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_queue.h"

enum { MANY = 64 };

START_TEST(test_publication_is_held_until_it_is_stored)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	loop_settle();
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 1);
	ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->data, "hello");
	ck_assert_uint_eq(held.n, 0);
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	loop_settle();
	held_expect_result(&held, 5);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_of_nothing_sends_nothing)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);

	ck_assert_int_eq(must(channel_write(file, "", 0, 0)), 0);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_too_long_is_not_sent)
{
	static const char text[(1 << 20) - 64];
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_WRONLY);

	must_fail(channel_write(file, text, sizeof(text), 0), EMSGSIZE);
	queue->entry.settings.msgsize = 4;
	must_fail(channel_write(file, "hello", 5, 0), EMSGSIZE);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_of_many_are_sent_together)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[MANY] = {0};

	for (int i = 0; i < MANY; i++)
		held_write(&held[i], file, "hello", 5);
	loop_settle();
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), MANY);
	for (int i = 0; i < MANY; i++) {
		fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
		held_expect_result(&held[i], 5);
	}
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_given_up_is_forgotten)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	loop_settle();
	transfer_cancel(&held.transfer);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_after_the_link_was_lost_has_the_same_id)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[2] = {0};
	char ids[2][64];

	held_write(&held[0], file, "one", 3);
	held_write(&held[1], file, "two", 3);
	loop_settle();
	for (int i = 0; i < 2; i++)
		strcpy(ids[i],
		       i ? fake_asked(JOBS_SUBJECT)->next->id : fake_asked(JOBS_SUBJECT)->id);
	ck_assert_str_ne(ids[0], ids[1]);
	fake_down();
	loop_settle();
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_up();
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->id, ids[i]);
		fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
		held_expect_result(&held[i], 3);
	}
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_without_an_answer_is_sent_again)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held = {0};
	char id[64];

	held_write(&held, file, "hello", 5);
	loop_settle();
	strcpy(id, fake_asked(JOBS_SUBJECT)->id);
	fake_fail(fake_asked(JOBS_SUBJECT), -ETIMEDOUT);
	ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->id, id);
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	held_expect_result(&held, 5);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_to_a_full_queue_is_tried_again_one_at_a_time)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[MANY] = {0};

	for (int i = 0; i < MANY; i++)
		held_write(&held[i], file, "hello", 5);
	loop_settle();
	for (int i = 0; i < MANY; i++)
		fake_answer(fake_asked(JOBS_SUBJECT), FULL, 0);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 0);
	fake_wait_asked(JOBS_SUBJECT, 1);
	fake_answer(fake_asked(JOBS_SUBJECT), FULL, 0);
	fake_wait_asked(JOBS_SUBJECT, 1);
	/* There is room: the first, and then two for each that gets through. */
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	held_expect_result(&held[0], 5);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 2);
	while (fake_asked(JOBS_SUBJECT))
		fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	for (int i = 0; i < MANY; i++)
		held_expect_result(&held[i], 5);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_waits_behind_those_that_were_refused)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[2] = {0};

	held_write(&held[0], file, "one", 3);
	loop_settle();
	fake_answer(fake_asked(JOBS_SUBJECT), FULL, 0);
	held_write(&held[1], file, "two", 3);
	fake_wait_asked(JOBS_SUBJECT, 1);
	ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->data, "one");
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->data, "two");
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	held_expect_result(&held[1], 3);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

static void expect_refused(int error, const char *answer)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held = {0};

	held_write(&held, file, "one", 3);
	loop_settle();
	fake_answer(fake_asked(JOBS_SUBJECT), answer, 0);
	held_expect_result(&held, error);
	fake_close((struct file *[]){file, NULL});
}

START_TEST(test_publication_to_a_sealed_queue_fails)
{
	expect_refused(-EROFS, "{\"error\":{\"code\":400,\"err_code\":10109,\"description\":"
			       "\"invalid operation on sealed stream\"}}");
}
END_TEST

START_TEST(test_publication_to_servers_without_room_fails)
{
	expect_refused(-ENOSPC, "{\"error\":{\"code\":503,\"err_code\":10023,\"description\":"
				"\"insufficient resources\"}}");
}
END_TEST

/* Whoever is given up may be the one that all others wait for. */
START_TEST(test_publication_given_up_lets_others_go_on)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[2] = {0};

	held_write(&held[0], file, "one", 3);
	loop_settle();
	fake_answer(fake_asked(JOBS_SUBJECT), FULL, 0);
	held_write(&held[1], file, "two", 3);
	fake_wait_asked(JOBS_SUBJECT, 1);
	transfer_cancel(&held[0].transfer);
	fake_wait_asked(JOBS_SUBJECT, 1);
	ck_assert_str_eq(fake_asked(JOBS_SUBJECT)->data, "two");
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	held_expect_result(&held[1], 3);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_without_a_server_ends_in_time)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held[2] = {0};

	host.remote.timeout = 20 * CLOCK_MS;
	fake_down();
	held_write(&held[0], file, "one", 3);
	held_write(&held[1], file, "two", 3);
	held_wait(&held[1]);
	held_expect_result(&held[0], -ETIMEDOUT);
	held_expect_result(&held[1], -ETIMEDOUT);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_to_a_removed_queue_fails)
{
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_WRONLY);
	struct held held[2] = {0};

	held_write(&held[0], file, "one", 3);
	loop_settle();
	fake_answer(fake_asked(JOBS_SUBJECT), FULL, 0);
	held_write(&held[1], file, "two", 3);
	fake_wait_asked(JOBS_SUBJECT, 1);
	fake_remove(queue);
	held_expect_result(&held[0], -EIDRM);
	held_expect_result(&held[1], -EIDRM);
	must_fail(channel_write(file, "hello", 5, 0), EIDRM);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_makes_a_lost_stream_again)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	loop_settle();
	fake_answer(fake_asked(JOBS_SUBJECT), NULL, 503);
	for (int i = 0; i < 2; i++) {
		fake_wait_asked("$JS.API.STREAM.INFO." JOBS_STREAM, 1);
		fake_answer(fake_asked("$JS.API.STREAM.INFO." JOBS_STREAM), NO_STREAM, 0);
	}
	fake_answer(fake_asked("$JS.API.STREAM.CREATE." JOBS_STREAM), OK, 0);
	fake_answer(fake_asked("$JS.API.CONSUMER.DURABLE.CREATE." JOBS_READERS), OK, 0);
	fake_wait_asked(JOBS_SUBJECT, 1);
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	held_expect_result(&held, 5);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_nonblock_is_joined)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY | O_NONBLOCK);
	struct watch watch = {0};

	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, EPOLLOUT);
	must_fail(channel_write(file, "hello", 5, 0), EAGAIN);
	must_fail(channel_write(file, "hello", 5, 0), EAGAIN);
	must_fail(channel_write(file, "another", 7, 0), EAGAIN);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 1);
	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, 0);
	watch_start(&watch, file);
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, EPOLLOUT);
	ck_assert_int_eq(must(channel_write(file, "hello", 5, 0)), 5);
	must_fail(channel_write(file, "hello", 5, 0), EAGAIN);
	ck_assert_uint_eq(fake_n_asked(JOBS_SUBJECT), 1);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_nonblock_is_charged)
{
	struct file *file = fake_open(fake_queue(), O_WRONLY | O_NONBLOCK);

	must_fail(channel_write(file, "hello", 5, 0), EAGAIN);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_BYTES), 5);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_HELD), 1);
	fake_answer(fake_asked(JOBS_SUBJECT), ACK, 0);
	ck_assert_int_eq(must(channel_write(file, "hello", 5, 0)), 5);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_BYTES), 0);
	host.users.limits[USER_BYTES] = 4;
	must_fail(channel_write(file, "hello", 5, 0), ENOBUFS);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_publication_nonblock_tells_of_the_end)
{
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_WRONLY | O_NONBLOCK);

	must_fail(channel_write(file, "hello", 5, 0), EAGAIN);
	fake_remove(queue);
	must_fail(channel_write(file, "hello", 5, 0), EIDRM);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	const TTest *const held[] = {
		test_publication_is_held_until_it_is_stored,
		test_publication_of_nothing_sends_nothing,
		test_publication_too_long_is_not_sent,
		test_publication_of_many_are_sent_together,
		test_publication_given_up_is_forgotten,
		test_publication_after_the_link_was_lost_has_the_same_id,
		test_publication_without_an_answer_is_sent_again,
		test_publication_without_a_server_ends_in_time,
		test_publication_to_a_removed_queue_fails,
		test_publication_makes_a_lost_stream_again,
		NULL,
	};
	const TTest *const refused[] = {
		test_publication_to_a_full_queue_is_tried_again_one_at_a_time,
		test_publication_waits_behind_those_that_were_refused,
		test_publication_given_up_lets_others_go_on,
		test_publication_to_a_sealed_queue_fails,
		test_publication_to_servers_without_room_fails,
		NULL,
	};
	const TTest *const nonblock[] = {
		test_publication_nonblock_is_joined,
		test_publication_nonblock_is_charged,
		test_publication_nonblock_tells_of_the_end,
		NULL,
	};
	Suite *suite = suite_create("publication");

	suite_add(suite, "held", held);
	suite_add(suite, "refused", refused);
	suite_add(suite, "nonblock", nonblock);
	return suite_run(suite);
}
