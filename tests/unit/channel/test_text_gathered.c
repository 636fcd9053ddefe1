// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts that are gathered piece by piece on the loop before a worker prints them: in which order
 * the readers' texts are gathered, and how gathering ends.
 */
#include <errno.h>
#include <time.h>

#include "lib/channel/folder.h"
#include "lib/channel/text.h"
#include "lib/host/job.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

static int prepared;
static struct {
	unsigned n_discards, n_finishes;
} told;

static struct folder *folder;
static struct channel *text;

static int prepare(void *data, struct caller *reader, void **ret_prepared)
{
	*ret_prepared = &prepared;
	return 0;
}

static void finish(void *prepared_)
{
	ck_assert_ptr_eq(prepared_, &prepared);
	told.n_finishes++;
}

/* The number of pieces in a text. Gathering a piece takes a whole turn of the loop. */
enum { PIECES = 5 };

static struct {
	unsigned n, n_waits;
	uid_t by[4 * PIECES]; /* the reader for whom each piece was gathered */
	unsigned n_turns;     /* turns that take_turn() had meanwhile */
	int error;
	struct waiter *waiter;
} gathered;

static int gather(void *prepared_, struct caller *reader)
{
	struct timespec pause = {.tv_nsec = 1500000};

	ck_assert_ptr_eq(prepared_, &prepared);
	ck_assert_ptr_nonnull(reader->waiter);
	if (gathered.error)
		return gathered.error;
	if (gathered.n_waits) {
		gathered.n_waits--;
		gathered.waiter = reader->waiter;
		return -EINPROGRESS;
	}
	nanosleep(&pause, NULL);
	ck_assert_uint_lt(gathered.n, 4 * PIECES);
	gathered.by[gathered.n++] = reader->uid;
	return gathered.n % PIECES ? -EAGAIN : 0;
}

/* Runs as another task that works piece by piece. */
static void take_turn(struct loop_task *task)
{
	gathered.n_turns++;
	loop_yield(loop, task);
}

static int print_gathered(void *prepared_, struct caller *reader, FILE *out)
{
	fprintf(out, "gathered for %u", reader->uid);
	return 0;
}

static void discard(void *prepared_)
{
	told.n_discards++;
}

static const struct text_ops gathering_ops = {
	.print = print_gathered,
	.prepare = prepare,
	.gather = gather,
	.discard = discard,
	.finish = finish,
};

static void make(void)
{
	must(folder_new(&host, "", &folder));
	must(text_new(folder_space(folder), "text", &gathering_ops, NULL, &text));
}

static void unmake(void)
{
	channel_unref(text);
	space_unref(folder_space(folder));
}

START_TEST(test_text_gathering_lets_others_have_their_turn)
{
	struct loop_task other = {.run = take_turn};
	struct held held = {0};
	struct file *file;

	make();
	file = object_open(text, O_RDONLY);
	ck_assert_uint_eq(gathered.n, 0);
	held_read(&held, file, 100);
	loop_yield(loop, &other);
	held_wait(&held);
	loop_cancel(loop, &other);
	held_expect(&held, "gathered for 0");
	ck_assert_uint_ge(gathered.n_turns, PIECES - 1);
	channel_release(file);
	unmake();
	ck_assert_uint_eq(told.n_discards, 1);
	ck_assert_uint_eq(told.n_finishes, 1);
}
END_TEST

START_TEST(test_text_gathering_is_one_users_after_the_other)
{
	static struct held held[3];
	struct file *files[3];

	make();
	files[0] = object_open(text, O_RDONLY);
	files[1] = object_open(text, O_RDONLY);
	must(object_open_as(text, O_RDONLY, &stranger, &files[2]));
	for (int i = 0; i < 3; i++)
		held_read(&held[i], files[i], 100);
	for (int i = 0; i < 3; i++)
		held_wait(&held[i]);
	/*
	 * The users take turns: root's second text waits for the first, but the stranger's text
	 * does not wait for both.
	 */
	ck_assert_uint_eq(gathered.n, 3 * PIECES);
	for (int i = 1; i < PIECES; i++)
		ck_assert_uint_ne(gathered.by[i], gathered.by[i - 1]);
	for (int i = 0; i < 3; i++)
		channel_release(files[i]);
	unmake();
	ck_assert_uint_eq(told.n_finishes, 3);
}
END_TEST

START_TEST(test_text_gathering_goes_on_when_it_is_resumed)
{
	struct held held = {0};
	struct file *file;

	make();
	gathered.n_waits = 1;
	file = object_open(text, O_RDONLY);
	held_read(&held, file, 100);
	loop_run_tasks(loop);
	ck_assert_uint_eq(gathered.n, 0);
	ck_assert_ptr_nonnull(gathered.waiter);
	gathered.waiter->resume(gathered.waiter);
	held_wait(&held);
	held_expect(&held, "gathered for 0");
	ck_assert_uint_eq(gathered.n, PIECES);
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_gathering_that_fails_tells_the_error)
{
	struct held held = {0};
	struct file *file;

	make();
	gathered.error = -ENOBUFS;
	file = object_open(text, O_RDONLY);
	held_read(&held, file, 100);
	held_wait(&held);
	held_expect_result(&held, -ENOBUFS);
	channel_release(file);
	unmake();
	ck_assert_uint_eq(told.n_discards, 1);
	ck_assert_uint_eq(told.n_finishes, 1);
}
END_TEST

START_TEST(test_text_gathering_ends_when_the_reader_goes)
{
	struct file *first, *second;

	make();
	first = object_open(text, O_RDONLY);
	second = object_open(text, O_RDONLY);
	channel_release(second); /* its text waits for that of `first` */
	loop_run_tasks(loop);
	channel_release(first); /* after some of the pieces */
	host_stop(&host);
	loop_run_tasks(loop);
	ck_assert_uint_lt(gathered.n, PIECES);
	ck_assert_uint_eq(told.n_finishes, 2);
	unmake();
}
END_TEST

START_TEST(test_text_gathering_ends_with_the_mount)
{
	struct held held = {0};
	struct file *file;

	make();
	file = object_open(text, O_RDONLY);
	held_read(&held, file, 100);
	host.is_ending = true;
	loop_run_tasks(loop);
	held_wait(&held);
	held_expect_result(&held, -EINTR);
	ck_assert_uint_eq(gathered.n, 0);
	channel_release(file);
	unmake();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text_gathered");

	suite_add(suite, "gathering",
		  (const TTest *const[]){
			  test_text_gathering_lets_others_have_their_turn,
			  test_text_gathering_is_one_users_after_the_other,
			  test_text_gathering_goes_on_when_it_is_resumed,
			  test_text_gathering_that_fails_tells_the_error,
			  test_text_gathering_ends_when_the_reader_goes,
			  test_text_gathering_ends_with_the_mount,
			  NULL,
		  });
	return suite_run(suite);
}
