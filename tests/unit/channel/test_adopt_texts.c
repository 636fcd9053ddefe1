// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is left of texts when the daemon has been killed: lib/channel/relic.h.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/channel/folder.h"
#include "lib/channel/text.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { INO = 4711 };

static sem_t wait;
static struct folder *former; /* of the former daemon: reachable, but never used again */
static struct channel *text;

static int print(void *data, struct caller *reader, FILE *out)
{
	fputs("a text of one line\n", out);
	return 0;
}

static int print_nothing(void *data, struct caller *reader, FILE *out)
{
	return 0;
}

static int print_slowly(void *prepared, struct caller *reader, FILE *out)
{
	sem_wait(&wait);
	return 0;
}

static int prepare(void *data, struct caller *reader, void **ret_prepared)
{
	*ret_prepared = NULL;
	return 0;
}

static void finish(void *prepared)
{
}

static const struct text_ops quick_ops = {.print = print};
static const struct text_ops empty_ops = {.print = print_nothing};
static const struct text_ops slow_ops = {
	.print = print_slowly, .prepare = prepare, .finish = finish};

static void make(const struct text_ops *ops)
{
	adopt_open(&event_kind);
	must(folder_new(&host, "", &former));
	must(text_new(folder_space(former), "text", ops, NULL, &text));
	text_set_ino(text, INO);
	sem_init(&wait, 0, 0);
}

static uint64_t count_objects(void)
{
	uint64_t id = 0, n = 0;

	while ((id = slots_next(&host.objects, id)) != 0)
		n++;
	return n;
}

static void expect_at(struct file *file, off_t offset, const char *expected)
{
	const void *data = NULL;
	ssize_t n = must(channel_read(file, 64, offset, &data));

	ck_assert_int_eq(n, (ssize_t)strlen(expected));
	ck_assert(n == 0 || memcmp(data, expected, (size_t)n) == 0);
}

START_TEST(test_text_is_read_on_in_the_next_daemon)
{
	struct file *file;
	struct stat before = {0}, after = {0};

	make(&quick_ops);
	file = object_open(text, O_RDONLY);
	expect_at(file, 0, "a text of one line\n");
	must(file_stat(file, &before));
	for (int i = 0; i < 3; i++) {
		adopt_restart();
		ck_assert_uint_eq(adopt_n_lost, 0);
		file = adopted_file(file);
		ck_assert_ptr_nonnull(file);
		ck_assert(file->is_frozen && !file->is_stream);
		expect_at(file, 7, "of one line\n");
		expect_at(file, 19, "");
		must(file_stat(file, &after));
		ck_assert_uint_eq(after.st_ino, INO);
		ck_assert_uint_eq(after.st_mode, S_IFREG | 0444);
		ck_assert_int_eq(after.st_size, before.st_size);
		ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
		ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
		ck_assert(channel_poll(file) & EPOLLIN);
	}
	channel_release(file);
	ck_assert_uint_eq(count_objects(), 0);
}
END_TEST

START_TEST(test_text_that_is_empty_stays_empty)
{
	struct file *file;

	make(&empty_ops);
	file = object_open(text, O_RDONLY);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	expect_at(file, 0, "");
	channel_release(file);
}
END_TEST

START_TEST(test_text_of_several_readers_is_read_by_all)
{
	struct file *files[2];

	make(&quick_ops);
	for (int i = 0; i < 2; i++)
		files[i] = object_open(text, O_RDONLY);
	adopt_restart();
	for (int i = 0; i < 2; i++) {
		files[i] = adopted_file(files[i]);
		ck_assert_ptr_nonnull(files[i]);
		expect_at(files[i], 2, "text of one line\n");
		channel_release(files[i]);
	}
	ck_assert_uint_eq(count_objects(), 0);
}
END_TEST

/* Only O_NONBLOCK opens a text before it is made. */
START_TEST(test_text_that_was_not_made_is_interrupted)
{
	const void *data = NULL;
	struct file *file;

	make(&slow_ops);
	file = object_open(text, O_RDONLY | O_NONBLOCK);
	sem_post(&wait);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	must_fail(channel_read(file, 64, 0, &data), EINTR);
	must_fail(channel_read(file, 64, 0, &data), EIO);
	channel_release(file);
	sem_destroy(&wait);
}
END_TEST

/* The daemon was killed between two instructions of file_freeze(). */
START_TEST(test_text_that_was_just_made_is_whole)
{
	struct file *file;

	make(&quick_ops);
	file = object_open(text, O_RDONLY | O_NONBLOCK);
	file->record->is_frozen = 0;
	file->record->rest_offset = 0;
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	expect_at(file, 0, "a text of one line\n");
	expect_at(file, 7, "of one line\n");
	channel_release(file);
}
END_TEST

START_TEST(test_text_whose_open_comes_again_leaves_nothing)
{
	struct file *file;

	make(&slow_ops);
	host.journal->request = 5;
	file = object_open(text, O_RDONLY);
	ck_assert_ptr_nonnull(file);
	adopt_again(5);
	sem_post(&wait);
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_uint_eq(count_objects(), 0);
	sem_destroy(&wait);
}
END_TEST

/* Another reader has opened the text while the first open was held. */
START_TEST(test_text_whose_first_open_comes_again_stays_for_others)
{
	struct file *first, *second;

	make(&quick_ops);
	host.journal->request = 5;
	first = object_open(text, O_RDONLY);
	host.journal->request = 6;
	second = object_open(text, O_RDONLY);
	host.journal->request = 0;
	adopt_again(5);
	adopt_restart();
	channel_release(adopted_file(first)); /* fs/handle.c would not have adopted it */
	second = adopted_file(second);
	ck_assert_ptr_nonnull(second);
	expect_at(second, 0, "a text of one line\n");
	channel_release(second);
}
END_TEST

START_TEST(test_relic_is_not_opened_again)
{
	struct file *file, *again;

	make(&quick_ops);
	file = object_open(text, O_RDONLY);
	adopt_restart();
	file = adopted_file(file);
	must_fail(object_open_as(file->channel, O_RDONLY, &root, &again), ESTALE);
	channel_release(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_texts");

	suite_add(suite, "texts",
		  (const TTest *const[]){
			  test_text_is_read_on_in_the_next_daemon,
			  test_text_that_is_empty_stays_empty,
			  test_text_of_several_readers_is_read_by_all,
			  test_text_that_was_not_made_is_interrupted,
			  test_text_that_was_just_made_is_whole,
			  test_text_whose_open_comes_again_leaves_nothing,
			  test_text_whose_first_open_comes_again_stays_for_others,
			  test_relic_is_not_opened_again,
			  NULL,
		  });
	return suite_run(suite);
}
