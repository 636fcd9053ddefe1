/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for the open files of every kind. Streams wait, and report when a wait may end. Files
 * with positions have nothing to wait for: each test also says what holds for them.
 */
#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sample.h"

#define READABLE (EPOLLIN | EPOLLRDNORM)
#define WRITABLE (EPOLLOUT | EPOLLWRNORM)

static bool has(const struct file *file, enum sample_trait trait)
{
	return (sample_of(file->channel->space->kind)->traits & trait) != 0;
}

static ssize_t read_of_empty(const struct file *file)
{
	return sample_of(file->channel->space->kind)->empty;
}

static struct file *new_file(int i)
{
	return sample_make_open(fixture_open(kinds[i]), "a", O_RDWR);
}

START_TEST(test_contract_files_open_in_all_modes_succeeds)
{
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
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
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
	size_t charged = user_charged(&host.users, 0, USER_DESCRIPTORS);
	struct file *file;
	int n;

	host_stop(&host); /* so that no worker closes the descriptors some time later */
	object_close(object_open(channel, O_RDWR));
	n = fixture_descriptors();
	for (int i = 0; i < 20; i++) {
		file = object_open(channel, O_RDWR);
		sample_put(file, 0);
		sample_await(file);
		ck_assert_int_gt(file_try_read(file, 10), 0);
		object_close(file);
	}
	ck_assert_int_eq(fixture_descriptors(), n);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), charged);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_written_is_read)
{
	struct file *file = new_file(_i);

	sample_put(file, 0);
	sample_expect(file, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_written_is_read_by_another)
{
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
	struct file *writer = object_open(channel, O_WRONLY);
	struct file *reader = object_open(channel, O_RDONLY);

	sample_put(writer, 0);
	sample_expect(reader, 0);
	object_close(reader);
	object_close(writer);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_written_stays_when_all_have_closed)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = sample_make_open(space, "a", O_WRONLY);
	struct channel *channel;

	sample_put(file, 0);
	object_close(file);
	channel = sample_find(space, "a");
	file = object_open(channel, O_RDONLY);
	sample_expect(file, 0);
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_bytes_of_any_value_are_read_or_einval)
{
	struct file *file = new_file(_i);
	unsigned char bytes[256];
	const void *data = NULL;

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	if (!has(file, SAMPLE_BYTES)) {
		must_fail(channel_write(file, bytes, 256, 0), EINVAL);
		ck_assert_int_eq(file_try_read(file, 10), read_of_empty(file));
	} else {
		ck_assert_int_eq(channel_write(file, bytes, 256, 0), 256);
		ck_assert_int_eq(channel_read(file, 256, 0, &data), 256);
		ck_assert_mem_eq(data, bytes, 256);
	}
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_new_read_is_of_nothing)
{
	struct file *file = new_file(_i);

	ck_assert_int_eq(file_try_read(file, 10), read_of_empty(file));
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_read_consumes_streams)
{
	struct file *file = new_file(_i);

	sample_put(file, 0);
	sample_expect(file, 0);
	ck_assert_int_eq(file_try_read(file, 10), sample_of(file->channel->space->kind)->again);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_open_with_o_trunc_changes_nothing)
{
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
	struct file *file = object_open(channel, O_RDWR);
	struct file *second;

	sample_put(file, 0);
	second = object_open(channel, O_RDWR | O_TRUNC);
	sample_expect(file, 0);
	object_close(second);
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_files_truncate_to_0_empties_or_einval)
{
	struct file *file = new_file(_i);

	sample_put(file, 0);
	if (has(file, SAMPLE_EMPTIED)) {
		must(object_truncate(file->channel, 0, &root));
		ck_assert_int_eq(file_try_read(file, 10), read_of_empty(file));
		sample_put(file, 0);
	} else {
		must_fail(object_truncate(file->channel, 0, &root), EINVAL);
	}
	sample_expect(file, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_truncate_of_empty_succeeds_or_einval)
{
	struct file *file = new_file(_i);

	ck_assert_int_eq(object_truncate(file->channel, 0, &root),
			 has(file, SAMPLE_EMPTIED) ? 0 : -EINVAL);
	sample_put(file, 0);
	sample_expect(file, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_truncate_to_a_size_einval_or_size)
{
	struct file *file = new_file(_i);

	sample_put(file, 0);
	if (has(file, SAMPLE_SIZED)) {
		must(object_truncate(file->channel, 3, &root));
		file_expect(file, 100, "hel");
	} else {
		must_fail(object_truncate(file->channel, 3, &root), EINVAL);
		sample_expect(file, 0);
	}
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_of_empty_can_write)
{
	struct file *file = new_file(_i);

	ck_assert_uint_eq(channel_poll(file),
			  sample_waits(kinds[_i]) ? WRITABLE : READABLE | WRITABLE);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_of_written_can_read)
{
	struct file *file = new_file(_i);

	sample_put(file, 0);
	sample_await(file);
	ck_assert_uint_eq(channel_poll(file), READABLE | WRITABLE);
	object_close(file);
}
END_TEST

START_TEST(test_contract_files_poll_tells_only_the_ways_it_is_open)
{
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
	struct file *reader = object_open(channel, O_RDONLY);
	struct file *writer = object_open(channel, O_WRONLY);

	sample_put(writer, 0);
	sample_await(reader);
	if (sample_waits(kinds[_i])) {
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

START_TEST(test_contract_files_removed_while_open_works_on_or_eidrm)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = sample_make_open(space, "a", O_RDWR);
	ino_t ino = object_stat(file->channel).st_ino;

	must(sample_remove(space, "a", &root));
	if (has(file, SAMPLE_ENDS)) {
		must_fail(sample_try_put(file, 0), EIDRM);
		must_fail(file_try_read(file, 10), EIDRM);
		object_close(file);
		return;
	}
	sample_put(file, 0);
	sample_expect(file, 0);
	ck_assert_uint_eq(object_stat(file->channel).st_ino, ino);
	/* A removed segment that is still attached lives on under another name. */
	ck_assert_uint_eq(object_stat(file->channel).st_nlink, has(file, SAMPLE_KEYED));
	object_close(file);
}
END_TEST

/* fchmod(2) of an open file does not depend on its name. */
START_TEST(test_contract_files_removed_while_open_changes_mode_or_eidrm)
{
	struct space *space = fixture_open(kinds[_i]);
	struct file *file = sample_make_open(space, "a", O_RDWR);
	const struct stat attr = {.st_mode = 0640};

	must(sample_remove(space, "a", &root));
	if (has(file, SAMPLE_ENDS)) {
		must_fail(channel_change(file->channel, file, &attr, CHANGE_MODE, &root), EIDRM);
	} else {
		must(channel_change(file->channel, file, &attr, CHANGE_MODE, &root));
		ck_assert_uint_eq(object_stat(file->channel).st_mode, S_IFREG | 0640);
	}
	object_close(file);
}
END_TEST

/*
 * Kinds that need no descriptor here, or got it when the object was made, still accept the write.
 */
START_TEST(test_contract_files_without_descriptors_enfile)
{
	const struct sample *sample = sample_of(kinds[_i]);
	struct channel *channel = sample_make(fixture_open(kinds[_i]), "a");
	struct file *file = NULL;
	ssize_t r;

	fixture_limit_descriptors(0);
	r = object_open_as(channel, O_RDWR, &root, &file);
	if (r == 0)
		r = sample_try_put(file, 0);
	fixture_unlimit_descriptors();
	ck_assert_int_eq(r, sample->traits & SAMPLE_DESCRIPTORS ? -ENFILE
								: (ssize_t)strlen(sample->put[0]));
	object_close(file);
	object_unref(channel);
}
END_TEST

int main(void)
{
	const struct kind_test tests[] = {
		{test_contract_files_open_in_all_modes_succeeds, 0},
		{test_contract_files_closed_leaves_no_descriptor, NEED_WRITES},
		{test_contract_files_written_is_read, NEED_WRITES},
		{test_contract_files_written_is_read_by_another, NEED_WRITES},
		{test_contract_files_written_stays_when_all_have_closed, NEED_WRITES},
		{test_contract_files_bytes_of_any_value_are_read_or_einval, 0},
		{test_contract_files_new_read_is_of_nothing, 0},
		{test_contract_files_read_consumes_streams, NEED_WRITES},
		{test_contract_files_open_with_o_trunc_changes_nothing, NEED_WRITES},
		{test_contract_files_truncate_to_0_empties_or_einval, NEED_WRITES},
		{test_contract_files_truncate_of_empty_succeeds_or_einval, NEED_WRITES},
		{test_contract_files_truncate_to_a_size_einval_or_size, NEED_WRITES},
		{test_contract_files_poll_of_empty_can_write, NEED_WRITES},
		{test_contract_files_poll_of_written_can_read, NEED_WRITES},
		{test_contract_files_poll_tells_only_the_ways_it_is_open, NEED_WRITES},
		{test_contract_files_removed_while_open_works_on_or_eidrm, NEED_WRITES},
		{test_contract_files_removed_while_open_changes_mode_or_eidrm, 0},
		{test_contract_files_without_descriptors_enfile, NEED_WRITES},
		{NULL},
	};
	Suite *suite = suite_create("contract_files");

	suite_add_kinds(suite, tests);
	return suite_run(suite);
}
