/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions outlive the daemon, whether the kernel serves them (_i 1) or the daemon does (_i 0).
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

static struct file *make_open(int is_backed)
{
	features_found(&host.features, FEATURE_PASSTHROUGH, is_backed);
	return object_make_open(adopt_open(&shm_kind), "r", O_RDWR);
}

START_TEST(test_shm_open_goes_on)
{
	struct file *file = make_open(_i);

	file_put(file, "before");
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(file->channel->service, _i ? CHANNEL_BACKED : CHANNEL_FILE);
	file_expect(file, 100, "before");
	ck_assert_int_eq(channel_write(file, " and after", 10, 6), 10);
	native_file_expect("/dev/shm/r", "before and after");
	loop_settle();
	file_expect(file, 100, "before and after");
	object_close(file);
	loop_settle();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
}
END_TEST

START_TEST(test_shm_charge_goes_on)
{
	struct file *file = make_open(_i);
	size_t n = user_charged(&host.users, 0, USER_DESCRIPTORS);

	adopt_restart();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), n);
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_shm_removed_while_open_goes_on)
{
	struct file *file = make_open(_i);

	file_put(file, "hello");
	must_call(unlink("/dev/shm/r"));
	adopt_restart();
	file = adopted_file(file);
	file_expect(file, 100, "hello");
	ck_assert_int_eq(object_stat(file->channel).st_size, 5);
	object_close(file);
}
END_TEST

START_TEST(test_shm_is_one_channel_for_its_name)
{
	struct file *file = make_open(_i);
	struct channel *found;

	must(space_rename(adopted_space(&shm_kind), "r", "other", 0, &root));
	adopt_restart();
	file = adopted_file(file);
	found = object_find(adopted_space(&shm_kind), "other");
	ck_assert_ptr_eq(found, file->channel);
	ck_assert_str_eq(found->record->name, "other");
	object_unref(found);
	object_close(file);
}
END_TEST

/* Killed while it wrote the name. */
START_TEST(test_shm_whose_name_is_unknown_goes_on)
{
	struct file *file = make_open(_i);

	file->channel->record->name[0] = '\0';
	adopt_restart();
	file = adopted_file(file);
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

/* A file of the former daemon that nothing else leads to; it is not lost to LeakSanitizer. */
static struct file *volatile forgotten;

/* The open comes again, so that the former daemon's file counts for nothing. */
START_TEST(test_shm_without_files_is_closed)
{
	struct file *file = forgotten = make_open(_i);
	struct channel *channel = file->channel;

	slots_remove(&host.files, file->id);
	adopt_restart();
	ck_assert_ptr_null(adopted_channel(channel));
}
END_TEST

/* The same, but the kernel still knows the object. */
START_TEST(test_shm_without_files_keeps_no_descriptor)
{
	struct file *file = forgotten = make_open(_i), *reader;
	struct channel *channel = file->channel;

	reader = object_open(channel, O_RDONLY);
	slots_remove(&host.files, file->id);
	adopt_restart();
	reader = adopted_file(reader);
	channel = channel_ref(reader->channel);
	object_close(reader);
	loop_settle();
	ck_assert_int_eq(channel->backing_fd, -1);
	ck_assert_int_eq(channel->record->fds[0], -1);
	object_unref(channel);
}
END_TEST

/* A record with another file, or with a descriptor that is open in another way. */
START_TEST(test_shm_wrong_record_is_refused)
{
	struct file *file = make_open(_i);
	struct object_record *record = file->channel->record;

	record->fds[0] = (int)must_call(open("/dev/shm/r", (_i ? O_RDWR : O_PATH) | O_CLOEXEC));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

START_TEST(test_shm_of_another_file_is_refused)
{
	struct file *file = make_open(_i);
	int other;

	native_file_make("other", "");
	other = (int)must_call(open("/dev/shm/other", O_RDWR | O_CLOEXEC));
	must_call(dup2(other, file->channel->record->fds[0]));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_shm");

	suite_add_loop(suite, "adopt_shm",
		       (const TTest *const[]){
			       test_shm_open_goes_on,
			       test_shm_charge_goes_on,
			       test_shm_removed_while_open_goes_on,
			       test_shm_is_one_channel_for_its_name,
			       test_shm_whose_name_is_unknown_goes_on,
			       test_shm_without_files_is_closed,
			       test_shm_without_files_keeps_no_descriptor,
			       test_shm_wrong_record_is_refused,
			       test_shm_of_another_file_is_refused,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
