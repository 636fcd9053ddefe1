/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for the open files of every kind. Streams wait, and tell when waiting may end; files
 * at positions have nothing to wait for, and hold in each test what they have instead.
 */
#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define READABLE (EPOLLIN | EPOLLRDNORM)
#define WRITABLE (EPOLLOUT | EPOLLWRNORM)

static bool is_stream(const struct file *file)
{
	return file->channel->service == CHANNEL_STREAM;
}

static struct file *new_file(int i)
{
	return object_make_open(fixture_open(kinds[i]), "a", O_RDWR);
}

START_TEST(test_contract_files_open_in_all_modes_succeeds)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *reader = object_open(channel, O_RDONLY);
	struct file *writer = object_open(channel, O_WRONLY);
	struct file *both = object_open(channel, O_RDWR);

	ck_assert_uint_eq(channel->n_files, 3);
	object_close(reader);
	object_close(both);
	object_close(writer);
	ck_assert_uint_eq(channel->n_files, 0);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_closed_leaves_no_descriptor)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *file;
	int n;

	host_stop(&host); /* no worker closes them some time later */
	object_close(object_open(channel, O_RDWR));
	n = fixture_descriptors();
	for (int i = 0; i < 20; i++) {
		file = object_open(channel, O_RDWR);
		file_put(file, "x");
		file_expect(file, 1, "x");
		object_close(file);
	}
	ck_assert_int_eq(fixture_descriptors(), n);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_written_is_read)
{
	struct file *file = new_file(_i);

	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_written_is_read_by_another)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *writer = object_open(channel, O_WRONLY);
	struct file *reader = object_open(channel, O_RDONLY);

	file_put(writer, "hello");
	file_expect(reader, 100, "hello");
	object_close(reader);
	object_close(writer);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_written_stays_when_all_have_closed)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = object_make_open(space, "a", O_WRONLY);
	struct channel *channel;

	file_put(file, "hello");
	object_close(file);
	channel = object_find(space, "a");
	file = object_open(channel, O_RDONLY);
	file_expect(file, 100, "hello");
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_bytes_of_any_value_are_read)
{
	struct file *file = new_file(_i);
	unsigned char bytes[256];
	const void *data = NULL;

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	ck_assert_int_eq(channel_write(file, bytes, 256, 0), 256);
	ck_assert_int_eq(channel_read(file, 512, 0, &data), 256);
	ck_assert_mem_eq(data, bytes, 256);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_empty_read_eagain_or_end)
{
	struct file *file = new_file(_i);

	ck_assert_int_eq(file_try_read(file, 10), is_stream(file) ? -EAGAIN : 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_read_consumes_streams)
{
	struct file *file = new_file(_i);

	file_put(file, "hello");
	file_expect(file, 100, "hello");
	ck_assert_int_eq(file_try_read(file, 100), is_stream(file) ? -EAGAIN : 5);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_open_with_o_trunc_changes_nothing)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *file = object_open(channel, O_RDWR);
	struct file *second;

	file_put(file, "hello");
	second = object_open(channel, O_RDWR | O_TRUNC);
	file_expect(file, 100, "hello");
	object_close(second);
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_truncate_to_0_empties)
{
	struct file *file = new_file(_i);

	file_put(file, "hello");
	must(object_truncate(file->channel, 0, &root));
	ck_assert_int_eq(file_try_read(file, 100), is_stream(file) ? -EAGAIN : 0);
	file_put(file, "again");
	file_expect(file, 100, "again");
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_truncate_of_empty_succeeds)
{
	struct file *file = new_file(_i);

	must(object_truncate(file->channel, 0, &root));
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_truncate_to_a_size_einval_or_size)
{
	struct file *file = new_file(_i);

	file_put(file, "hello");
	ck_assert_int_eq(object_truncate(file->channel, 3, &root), is_stream(file) ? -EINVAL : 0);
	file_expect(file, 100, is_stream(file) ? "hello" : "hel");
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_of_empty_can_write)
{
	struct file *file = new_file(_i);

	ck_assert_uint_eq(channel_poll(file), is_stream(file) ? WRITABLE : READABLE | WRITABLE);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_of_written_can_read)
{
	struct file *file = new_file(_i);

	file_put(file, "hello");
	ck_assert_uint_eq(channel_poll(file), READABLE | WRITABLE);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_tells_only_the_ways_it_is_open)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *reader = object_open(channel, O_RDONLY);
	struct file *writer = object_open(channel, O_WRONLY);

	file_put(writer, "hello");
	if (is_stream(reader)) {
		ck_assert_uint_eq(channel_poll(reader), READABLE);
		ck_assert_uint_eq(channel_poll(writer), WRITABLE);
	} else {
		ck_assert_uint_eq(channel_poll(reader) & READABLE, READABLE);
		ck_assert_uint_eq(channel_poll(writer) & WRITABLE, WRITABLE);
	}
	object_close(reader);
	object_close(writer);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_removed_while_open_works_on)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = object_make_open(space, "a", O_RDWR);
	ino_t ino = object_stat(file->channel).st_ino;

	must(space_remove(space, "a", &root));
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	ck_assert_uint_eq(object_stat(file->channel).st_ino, ino);
	ck_assert_uint_eq(object_stat(file->channel).st_nlink, 0);
	object_close(file);
}
END_TEST

/* fchmod(2) of an open file does not depend on its name. */
START_TEST(test_contract_files_removed_while_open_changes_mode)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = object_make_open(space, "a", O_RDWR);
	const struct stat attr = {.st_mode = 0640};

	must(space_remove(space, "a", &root));
	must(channel_change(file->channel, file, &attr, CHANGE_MODE, &root));
	ck_assert_uint_eq(object_stat(file->channel).st_mode, S_IFREG | 0640);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_without_descriptors_enfile)
{
	struct channel *channel = object_make(fixture_open(kinds[_i]), "a");
	struct file *file = NULL;
	int r;

	fixture_limit_descriptors(0);
	r = object_open_as(channel, O_RDWR, &root, &file);
	if (r == 0) /* it needs none to be open, but one to keep what nobody reads */
		r = (int)channel_write(file, "x", 1, 0);
	fixture_unlimit_descriptors();
	/* A region's maker has it open already. */
	ck_assert_int_eq(r, file && !is_stream(file) ? 1 : -ENFILE);
	object_close(file);
	object_unref(channel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contract_files");

	suite_add_kinds(suite, (const TTest *const[]){
				       test_contract_files_open_in_all_modes_succeeds,
				       test_contract_files_closed_leaves_no_descriptor,
				       test_contract_files_written_is_read,
				       test_contract_files_written_is_read_by_another,
				       test_contract_files_written_stays_when_all_have_closed,
				       test_contract_files_bytes_of_any_value_are_read,
				       test_contract_files_empty_read_eagain_or_end,
				       test_contract_files_read_consumes_streams,
				       test_contract_files_open_with_o_trunc_changes_nothing,
				       test_contract_files_truncate_to_0_empties,
				       test_contract_files_truncate_of_empty_succeeds,
				       test_contract_files_truncate_to_a_size_einval_or_size,
				       test_contract_files_poll_of_empty_can_write,
				       test_contract_files_poll_of_written_can_read,
				       test_contract_files_poll_tells_only_the_ways_it_is_open,
				       test_contract_files_removed_while_open_works_on,
				       test_contract_files_removed_while_open_changes_mode,
				       test_contract_files_without_descriptors_enfile,
				       NULL,
			       });
	return suite_run(suite);
}
