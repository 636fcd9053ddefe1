// SPDX-License-Identifier: GPL-2.0-or-later
/* Held writes that a job does: each is tried once when it is held, however often others wake. */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static struct toy *new_toy(void)
{
	struct toy *toy = toy_new(&toy_selective);

	toy->channel.traits |= CHANNEL_WRITES_BY_JOB | CHANNEL_WRITES_ARE_JOBS;
	return toy;
}

/* Returns how many writes are tried after this. */
static unsigned tried(struct toy *toy, uint32_t events)
{
	toy->n_writes = 0;
	channel_wake(&toy->channel, events);
	loop_run_tasks(loop);
	return toy->n_writes;
}

START_TEST(test_transfer_jobs_are_tried_once)
{
	struct toy *toy = new_toy();
	struct file *file = toy_open(toy);
	struct held held[3] = {0};

	held_write(&held[0], file, "x", 1);
	held_write(&held[1], file, "y", 1);
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 2);
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 0);
	held_write(&held[2], file, "z", 1);
	toy->room = 3;
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 1);
	held_expect_result(&held[2], 1);
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 0);
	/* But when all is over, all are told. */
	toy->error = -EIO;
	ck_assert_uint_eq(tried(toy, EPOLLHUP), 2);
	held_expect_result(&held[0], -EIO);
	held_expect_result(&held[1], -EIO);
	toy->error = 0;
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_jobs_given_up_before_they_are_tried)
{
	struct toy *toy = new_toy();
	struct file *file = toy_open(toy);
	struct held held[3] = {0};

	for (int i = 0; i < 3; i++)
		held_write(&held[i], file, "x", 1);
	transfer_cancel(&held[0].transfer);
	transfer_cancel(&held[2].transfer);
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 1);
	transfer_cancel(&held[1].transfer);
	held[0] = (struct held){0};
	held_write(&held[0], file, "x", 1);
	ck_assert_uint_eq(tried(toy, EPOLLOUT), 1);
	transfer_cancel(&held[0].transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transfer_jobs");

	suite_add(suite, "jobs",
		  (const TTest *const[]){
			  test_transfer_jobs_are_tried_once,
			  test_transfer_jobs_given_up_before_they_are_tried,
			  NULL,
		  });
	return suite_run(suite);
}
