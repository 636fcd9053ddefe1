/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of pipes that can't be right: the pipe is lost, and nothing stays charged.
 */
#include <fcntl.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/pipe.h"
#include "lib/kinds/pipe/store_piece.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { KIB = 1024 };

static struct file *file;

static void make(void)
{
	static const char more[10 * KIB];

	file = object_make_open(adopt_open(&pipe_kind), "p", O_RDWR);
	file_put(file, "hello");
	ck_assert_int_eq(channel_write(file, more, sizeof(more), 0), sizeof(more));
}

static struct store_record *record(void)
{
	return pipe_from(file->channel)->store.record;
}

static void expect_lost(void)
{
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
}

START_TEST(test_adopt_bad_pipes_incomplete_one_is_gone)
{
	make();
	pipe_record(file->channel->record)->capacity = 0;
	expect_lost();
	ck_assert_int_eq(space_count(adopted_space(&pipe_kind)), 0);
}
END_TEST

static struct store_piece *piece(void)
{
	return state_block(host_state, record()->first, sizeof(struct store_piece));
}

/* What can't be right is lost, and nothing else. */
START_TEST(test_adopt_bad_pipes_records_are_lost)
{
	make();
	switch (_i) {
	case 0:
		record()->first = 5;
		break;
	case 1:
		record()->first = 0;
		break;
	case 2:
		record()->taken = record()->put + 1;
		break;
	case 3:
		piece()->next = record()->first;
		break;
	case 4:
		piece()->room++;
		break;
	case 5:
		piece()->begin = 1;
		break;
	case 6:
		record()->put += 100 * KIB;
		break;
	case 7:
		piece()->buffer = record()->first;
		break;
	case 8:
		piece()->room = UINT64_MAX;
		break;
	}
	expect_lost();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_bad_pipes");

	suite_add(suite, "incomplete",
		  (const TTest *const[]){test_adopt_bad_pipes_incomplete_one_is_gone, NULL});
	suite_add_loop(suite, "bad",
		       (const TTest *const[]){test_adopt_bad_pipes_records_are_lost, NULL}, 9);
	return suite_run(suite);
}
