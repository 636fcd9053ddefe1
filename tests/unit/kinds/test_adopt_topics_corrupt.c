/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics whose records have one wrong bit. The next daemon refuses them, or can go on with what
 * they say: it neither crashes nor waits for ever.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_MESSAGES = 70, N_BITS = 64 };

static struct file *out, *in;

static void make(void)
{
	struct channel *channel = object_make_set(adopted_space(&topic_kind), "t", TOPIC_KEEP, 3);

	out = object_open(channel, O_WRONLY);
	in = object_open(channel, O_RDONLY);
	object_unref(channel);
	for (int i = 0; i < N_MESSAGES; i++)
		file_put(out, "message");
	file_expect(in, 100, "message");
}

/* Reads all that there is, and a message more. */
static void use(void)
{
	const void *data;
	int n = 0;

	if (out && topic_from(out->channel)->full != FULL_WAIT)
		file_put(out, "last");
	if (out)
		object_status(out->channel, &root);
	while (in && channel_read(in, 100, 0, &data) > 0) {
		channel_given(in, true);
		ck_assert_int_lt(n++, 2 * N_MESSAGES);
	}
	if (in)
		channel_poll(in);
	object_close(in);
	object_close(out);
}

/* Has the next daemon use the topic, or refuse it. */
static void restart_and_use(void)
{
	struct space *space;

	adopt_restart();
	out = adopted_file(out);
	in = adopted_file(in);
	if (adopt_n_lost)
		ck_assert_int_eq(adopt_error, -EPROTO);
	use();
	space = adopted_space(&topic_kind);
	if (space_count(space))
		must(space_remove(space, "t", &root));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 0);
}

static void flip(uint64_t *word, int bit)
{
	*word ^= UINT64_C(1) << bit;
	restart_and_use();
}

START_TEST(test_adopt_topics_corrupt_object)
{
	adopt_open(&topic_kind);
	for (int bit = 0; bit < N_BITS; bit++) {
		make();
		flip(&out->channel->record->words[_i], bit);
	}
}
END_TEST

START_TEST(test_adopt_topics_corrupt_file)
{
	adopt_open(&topic_kind);
	for (int bit = 0; bit < N_BITS; bit++) {
		make();
		flip(&in->record->words[_i], bit);
		ck_assert_uint_eq(adopt_n_lost, 0);
	}
}
END_TEST

/* What stands before a message in the memory: the first, and one later. */
START_TEST(test_adopt_topics_corrupt_message)
{
	adopt_open(&topic_kind);
	for (int bit = 0; bit < N_BITS; bit++) {
		const struct ring *ring;

		make();
		ring = &topic_from(out->channel)->ring;
		flip((uint64_t *)(ring->memory + ring->head.offset + (size_t)_i * 160), bit);
		/* Other bits are not in the size, or the message still ends where it did. */
		if (bit >= 3 && bit < 32)
			ck_assert_uint_eq(adopt_n_lost, 1);
	}
}
END_TEST

/* A message was being given to a reader. */
START_TEST(test_adopt_topics_corrupt_journal)
{
	adopt_open(&topic_kind);
	for (int bit = 0; bit < N_BITS; bit++) {
		struct pieces pieces;

		make();
		host.journal->request = 2;
		journal_write(out, 0);
		ck_assert_int_gt(channel_lend(in, 100, 0, &pieces), 0);
		flip((uint64_t *)host.journal + _i, bit);
	}
}
END_TEST

static void suite_add_n(Suite *suite, const TTest *test, int n)
{
	suite_add_loop(suite, test->name, (const TTest *const[]){test, NULL}, n);
}

int main(void)
{
	Suite *suite = suite_create("adopt_topics_corrupt");

	suite_add_n(suite, test_adopt_topics_corrupt_object,
		    sizeof(struct topic_record) / sizeof(uint64_t));
	suite_add_n(suite, test_adopt_topics_corrupt_file,
		    sizeof(struct topic_reader_record) / sizeof(uint64_t));
	suite_add_n(suite, test_adopt_topics_corrupt_message, 2);
	suite_add_n(suite, test_adopt_topics_corrupt_journal,
		    offsetof(struct journal, renamed) / sizeof(uint64_t));
	return suite_run(suite);
}
