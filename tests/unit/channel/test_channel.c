/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What channel.c adds to any kind: references, open files and their charges, reads that leave the
 * rest of a message, and writes that wait behind others.
 */
#include <fcntl.h>
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"
#include "lib/channel/record.h"

static size_t charged(enum user_charge what)
{
	return user_charged(&host.users, 0, what);
}

START_TEST(test_channel_last_unref_destroys)
{
	struct toy *toy = toy_new(&toy_stream);

	ck_assert_ptr_eq(channel_ref(&toy->channel), &toy->channel);
	channel_unref(&toy->channel);
	ck_assert_uint_eq(toy_n_destroyed, 0);
	channel_unref(&toy->channel);
	ck_assert_uint_eq(toy_n_destroyed, 1);
}
END_TEST

START_TEST(test_channel_open_file_keeps_channel)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	channel_unref(&toy->channel);
	ck_assert_uint_eq(toy_n_destroyed, 0);
	channel_release(file);
	ck_assert_uint_eq(toy_n_destroyed, 1);
}
END_TEST

START_TEST(test_channel_unref_takes_back_queued_wake)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	watch_start(&watch, file);
	channel_wake(&toy->channel, EPOLLIN);
	ck_assert(toy->channel.wake.is_queued);
	toy_close(toy, (struct file *[]){file, NULL});
	loop_run_tasks(loop); /* must not touch the freed toy */
	ck_assert_uint_eq(watch.n, 0);
}
END_TEST

START_TEST(test_channel_open_is_charged_until_release)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	ck_assert_uint_eq(charged(USER_FILES), 1);
	ck_assert_uint_eq(toy->channel.n_files, 1);
	channel_release(file);
	ck_assert_uint_eq(charged(USER_FILES), 0);
	ck_assert_uint_eq(toy->channel.n_files, 0);
	ck_assert_uint_eq(toy->n_releases, 1);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_open_remembers_how)
{
	struct toy *toy = toy_new(&toy_selective);
	const struct selector selector = {.is_set = true, .value = 'x'};
	struct file *file = NULL;

	must(channel_open(&toy->channel, O_WRONLY | O_APPEND, &selector, &stranger, &file));
	ck_assert_ptr_eq(file->channel, &toy->channel);
	ck_assert_uint_eq(file->uid, STRANGER);
	ck_assert_int_eq(file->flags, O_WRONLY | O_APPEND);
	ck_assert(file_selector(file).is_set);
	ck_assert_uint_eq(file_selector(file).value, 'x');
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_open_over_limit_enfile)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct file *other = NULL;

	host.users.limits[USER_FILES] = 1;
	must_fail(object_open_as(&toy->channel, O_RDWR, &root, &other), ENFILE);
	ck_assert_uint_eq(toy->n_opens, 1);
	ck_assert_uint_eq(toy->channel.n_files, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_open_refused_by_kind_leaves_nothing)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = NULL;

	toy->error = -ESTALE;
	must_fail(object_open_as(&toy->channel, O_RDWR, &root, &file), ESTALE);
	ck_assert_uint_eq(charged(USER_FILES), 0);
	ck_assert_uint_eq(toy->channel.n_files, 0);
	ck_assert_uint_eq(toy->n_releases, 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_open_without_descriptors_enfile)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = NULL;

	toy->error = -EMFILE;
	must_fail(object_open_as(&toy->channel, O_RDWR, &root, &file), ENFILE);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_stat_is_the_kinds_over_zeroes)
{
	struct toy *toy = toy_new(&toy_stream);
	struct stat attr;

	memset(&attr, 0xff, sizeof(attr));
	toy->attr = (struct stat){.st_ino = 7, .st_mode = S_IFREG | 0640};
	must(channel_stat(&toy->channel, &attr));
	ck_assert_uint_eq(attr.st_ino, 7);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0640);
	ck_assert_int_eq(attr.st_size, HOST_PAGE);
	ck_assert_int_eq(attr.st_blocks, HOST_PAGE / 512);
	ck_assert_int_gt(attr.st_blksize, 0);
	toy->error = -ESTALE;
	must_fail(channel_stat(&toy->channel, &attr), ESTALE);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_change_is_the_kinds)
{
	struct toy *toy = toy_new(&toy_stream);

	must(object_chmod(&toy->channel, 0604, &stranger));
	ck_assert_uint_eq(toy->attr.st_mode, 0604);
	ck_assert_uint_eq(toy->attr.st_uid, STRANGER);
	toy->error = -EPERM;
	must_fail(object_chmod(&toy->channel, 0604, &stranger), EPERM);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_read_gives_bytes_up_to_size)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "hello";
	file_expect(file, 3, "hel");
	file_expect(file, 100, "lo");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_read_of_nothing_eagain)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	must_fail(file_try_read(file, 10), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_read_at_end_gives_0)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->has_end = true;
	ck_assert_int_eq(file_try_read(file, 10), 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_read_error_comes_through)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->error = -EIO;
	must_fail(file_try_read(file, 10), EIO);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_read_larger_than_scratch_is_cut)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	size_t size = host.scratch_size;

	toy->pieces[0] = "hello";

	host.scratch_size = 4;
	file_expect(file, 100, "hell");
	host.scratch_size = size;
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_write_gives_what_was_accepted)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->room = 3;
	ck_assert_int_eq(channel_write(file, "hello", 5, 0), 3);
	must_fail(channel_write(file, "lo", 2, 0), EAGAIN);
	ck_assert_str_eq(toy->written, "hel");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_write_error_comes_through)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->error = -EMSGSIZE;
	must_fail(channel_write(file, "hello", 5, 0), EMSGSIZE);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_write_behind_held_writer_eagain)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct file *other = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "first", 5);
	toy->room = 100;
	must_fail(channel_write(other, "second", 6, 0), EAGAIN);
	ck_assert_str_eq(toy->written, "");
	transfer_cancel(&held.transfer);
	file_put(other, "second");
	toy_close(toy, (struct file *[]){file, other, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel");

	suite_add(suite, "lifetime",
		  (const TTest *const[]){
			  test_channel_last_unref_destroys,
			  test_channel_open_file_keeps_channel,
			  test_channel_unref_takes_back_queued_wake,
			  NULL,
		  });
	suite_add(suite, "open",
		  (const TTest *const[]){
			  test_channel_open_is_charged_until_release,
			  test_channel_open_remembers_how,
			  test_channel_open_over_limit_enfile,
			  test_channel_open_refused_by_kind_leaves_nothing,
			  test_channel_open_without_descriptors_enfile,
			  test_channel_stat_is_the_kinds_over_zeroes,
			  test_channel_change_is_the_kinds,
			  NULL,
		  });
	suite_add(suite, "io",
		  (const TTest *const[]){
			  test_channel_read_gives_bytes_up_to_size,
			  test_channel_read_of_nothing_eagain,
			  test_channel_read_at_end_gives_0,
			  test_channel_read_error_comes_through,
			  test_channel_read_larger_than_scratch_is_cut,
			  test_channel_write_gives_what_was_accepted,
			  test_channel_write_error_comes_through,
			  test_channel_write_behind_held_writer_eagain,
			  NULL,
		  });
	return suite_run(suite);
}
