// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts, made for the caller who opens them, on the loop or on a worker. A slow text waits on a
 * semaphore of the test, so that anything can happen before the text is done. `told` counts the
 * calls of the text's ops.
 */
#include <errno.h>
#include <semaphore.h>
#include <sys/epoll.h>

#include "lib/channel/folder.h"
#include "lib/channel/text.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { DATA = 7, PREPARED = 8, DEADLINE = 20 };

static int data = DATA, prepared = PREPARED;
static int print_error, prepare_error;
static sem_t started, wait;
static struct {
	unsigned n_prints, n_releases, n_prepares, n_finishes;
} told;

static struct folder *folder;
static struct channel *text;

static int print(void *data_, struct caller *reader, FILE *out)
{
	ck_assert_ptr_eq(data_, &data);
	told.n_prints++;
	fprintf(out, "for %u: %u", reader->uid, told.n_prints);
	return print_error;
}

static void release(void *data_)
{
	ck_assert_ptr_eq(data_, &data);
	told.n_releases++;
}

static int prepare(void *data_, struct caller *reader, void **ret_prepared)
{
	ck_assert_ptr_eq(data_, &data);
	told.n_prepares++;
	if (prepare_error)
		return prepare_error;
	*ret_prepared = &prepared;
	return 0;
}

static int print_slowly(void *prepared_, struct caller *reader, FILE *out)
{
	sem_post(&started);
	sem_wait(&wait);
	if (prepared_ != &prepared)
		return -EBADF;
	fprintf(out, "slow for %u", reader->uid);
	return print_error;
}

static void finish(void *prepared_)
{
	ck_assert_ptr_eq(prepared_, &prepared);
	told.n_finishes++;
}

static const struct text_ops quick_ops = {.print = print, .release = release};
static const struct text_ops sized_ops = {.print = print, .release = release, .has_size = true};
static const struct text_ops slow_ops = {
	.print = print_slowly,
	.release = release,
	.prepare = prepare,
	.finish = finish,
};

static void make(const struct text_ops *ops)
{
	must(folder_new(&host, "", &folder));
	must(text_new(folder_space(folder), "text", ops, &data, &text));
	sem_init(&started, 0, 0);
	sem_init(&wait, 0, 0);
}

static void unmake(void)
{
	channel_unref(text);
	space_unref(folder_space(folder));
	sem_destroy(&wait);
	sem_destroy(&started);
}

/* Waits until the worker is printing the text. */
static void wait_started(void)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE;
	ck_assert_int_eq(sem_timedwait(&started, &deadline), 0);
}

START_TEST(test_text_is_made_when_it_is_opened)
{
	struct file *first, *second;

	make(&quick_ops);
	ck_assert_uint_eq(told.n_prints, 0);
	first = object_open(text, O_RDONLY);
	second = object_open(text, O_RDONLY);
	file_expect(second, 100, "for 0: 2");
	file_expect(first, 100, "for 0: 1");
	channel_release(first);
	channel_release(second);
	unmake();
}
END_TEST

START_TEST(test_text_is_made_for_who_opens_it)
{
	struct file *file = NULL;

	make(&quick_ops);
	must(object_open_as(text, O_RDONLY, &stranger, &file));
	file_expect(file, 100, "for 65534: 1");
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_is_read_at_positions)
{
	const void *read = NULL;
	struct file *file;

	make(&quick_ops);
	file = object_open(text, O_RDONLY);
	ck_assert_int_eq(must(channel_read(file, 3, 4, &read)), 3);
	ck_assert_mem_eq(read, "0: ", 3);
	ck_assert_int_eq(must(channel_read(file, 100, 7, &read)), 1);
	ck_assert_int_eq(must(channel_read(file, 100, 8, &read)), 0);
	ck_assert_int_eq(must(channel_read(file, 100, 1 << 30, &read)), 0);
	file_expect(file, 100, "for 0: 1");
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_print_that_fails_fails_the_open)
{
	struct file *file = NULL;

	make(&quick_ops);
	print_error = -EACCES;
	must_fail(object_open_as(text, O_RDONLY, &root, &file), EACCES);
	ck_assert_ptr_null(file);
	unmake();
}
END_TEST

START_TEST(test_text_cannot_be_opened_for_writing)
{
	struct file *file = NULL;

	make(&quick_ops);
	must_fail(object_open_as(text, O_WRONLY, &root, &file), EACCES);
	must_fail(object_open_as(text, O_RDWR, &root, &file), EACCES);
	ck_assert_uint_eq(told.n_prints, 0);
	unmake();
}
END_TEST

START_TEST(test_text_cannot_be_changed)
{
	make(&quick_ops);
	must_fail(object_chmod(text, 0777, &root), EPERM);
	must_fail(object_truncate(text, 0, &root), EPERM);
	unmake();
}
END_TEST

START_TEST(test_text_is_a_readable_file)
{
	struct stat attr;

	make(&quick_ops);
	attr = object_stat(text);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0444);
	ck_assert_uint_eq(attr.st_nlink, 1);
	ck_assert_int_eq(attr.st_size, TEXT_SIZE_UNKNOWN);
	ck_assert_uint_eq(attr.st_ino & 0xffffffffffff,
			  text_ino(folder_space(folder), "text") & 0xffffffffffff);
	unmake();
}
END_TEST

START_TEST(test_text_releases_its_data_once_with_the_last_reference)
{
	struct file *file;

	make(&quick_ops);
	file = object_open(text, O_RDONLY);
	channel_unref(text);
	ck_assert_uint_eq(told.n_releases, 0);
	channel_release(file);
	ck_assert_uint_eq(told.n_releases, 1);
	space_unref(folder_space(folder));
}
END_TEST

START_TEST(test_text_that_cannot_be_made_releases_its_data)
{
	must(folder_new(&host, "", &folder));
	print_error = -ENOMEM;
	must_fail(text_new(folder_space(folder), "text", &sized_ops, &data, &text), ENOMEM);
	ck_assert_uint_eq(told.n_releases, 1);
	space_unref(folder_space(folder));
}
END_TEST

START_TEST(test_text_slow_reader_waits_until_it_is_made)
{
	struct held held = {0};
	struct file *file = NULL;

	make(&slow_ops);
	must(object_open_as(text, O_RDONLY, &stranger, &file));
	wait_started();
	must_fail(channel_opened(file), EAGAIN);
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_uint_eq(channel_poll(file), 0);
	held_read(&held, file, 100);
	ck_assert_uint_eq(held.n, 0);
	sem_post(&wait);
	held_wait(&held);
	held_expect(&held, "slow for 65534");
	must(channel_opened(file));
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, EPOLLIN);
	file_expect(file, 4, "slow");
	channel_release(file);
	unmake();
	ck_assert_uint_eq(told.n_prepares, 1);
	ck_assert_uint_eq(told.n_finishes, 1);
}
END_TEST

START_TEST(test_text_slow_poller_is_told_when_it_is_made)
{
	struct watch watch = {0};
	struct file *file;

	make(&slow_ops);
	file = object_open(text, O_RDONLY);
	wait_started();
	watch_start(&watch, file);
	sem_post(&wait);
	watch_wait(&watch, 1);
	file_expect(file, 100, "slow for 0");
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_slow_can_be_released_before_it_is_made)
{
	struct file *file;

	make(&slow_ops);
	file = object_open(text, O_RDONLY);
	wait_started();
	channel_release(file);
	channel_unref(text);
	ck_assert_uint_eq(told.n_releases, 0);
	sem_post(&wait);
	host_stop(&host);
	ck_assert_uint_eq(told.n_finishes, 1);
	ck_assert_uint_eq(told.n_releases, 1);
	space_unref(folder_space(folder));
}
END_TEST

START_TEST(test_text_slow_held_read_can_be_cancelled)
{
	struct held held = {0};
	struct file *file;

	make(&slow_ops);
	file = object_open(text, O_RDONLY);
	wait_started();
	held_read(&held, file, 100);
	transfer_cancel(&held.transfer);
	channel_release(file);
	sem_post(&wait);
	host_stop(&host);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	unmake();
}
END_TEST

START_TEST(test_text_slow_two_opens_are_two_contents)
{
	struct held first = {0}, second = {0};
	struct file *file, *other = NULL;

	make(&slow_ops);
	file = object_open(text, O_RDONLY);
	must(object_open_as(text, O_RDONLY, &stranger, &other));
	held_read(&first, file, 100);
	held_read(&second, other, 100);
	sem_post(&wait);
	sem_post(&wait);
	held_wait(&first);
	held_wait(&second);
	held_expect(&first, "slow for 0");
	held_expect(&second, "slow for 65534");
	channel_release(file);
	channel_release(other);
	unmake();
	ck_assert_uint_eq(told.n_finishes, 2);
}
END_TEST

START_TEST(test_text_slow_that_fails_tells_the_error)
{
	struct held held = {0};
	struct file *file;

	make(&slow_ops);
	print_error = -EIO;
	file = object_open(text, O_RDONLY);
	held_read(&held, file, 100);
	sem_post(&wait);
	held_wait(&held);
	held_expect_result(&held, -EIO);
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_slow_prepare_that_fails_fails_the_open)
{
	struct file *file = NULL;

	make(&slow_ops);
	prepare_error = -ENOENT;
	must_fail(object_open_as(text, O_RDONLY, &root, &file), ENOENT);
	ck_assert_ptr_null(file);
	unmake();
	ck_assert_uint_eq(told.n_finishes, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");

	suite_add(suite, "text",
		  (const TTest *const[]){
			  test_text_is_made_when_it_is_opened,
			  test_text_is_made_for_who_opens_it,
			  test_text_is_read_at_positions,
			  test_text_print_that_fails_fails_the_open,
			  test_text_cannot_be_opened_for_writing,
			  test_text_cannot_be_changed,
			  test_text_is_a_readable_file,
			  NULL,
		  });
	suite_add(suite, "life",
		  (const TTest *const[]){
			  test_text_releases_its_data_once_with_the_last_reference,
			  test_text_that_cannot_be_made_releases_its_data,
			  NULL,
		  });
	suite_add(suite, "slow",
		  (const TTest *const[]){
			  test_text_slow_reader_waits_until_it_is_made,
			  test_text_slow_poller_is_told_when_it_is_made,
			  test_text_slow_can_be_released_before_it_is_made,
			  test_text_slow_held_read_can_be_cancelled,
			  test_text_slow_two_opens_are_two_contents,
			  test_text_slow_that_fails_tells_the_error,
			  test_text_slow_prepare_that_fails_fails_the_open,
			  NULL,
		  });
	return suite_run(suite);
}
