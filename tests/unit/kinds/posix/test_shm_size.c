/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sizes of regions: who may change a size, by name or through a file, and what else changes
 * with it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

enum { SHM_SIZE }; /* index in the kind's table */

static int truncate_through(struct file *file, off_t size, struct caller *caller)
{
	const struct stat attr = {.st_size = size};

	return channel_change(file->channel, file, &attr, CHANGE_SIZE, caller);
}

START_TEST(test_shm_size_truncate_sets_size)
{
	struct channel *region = object_make(fixture_open(&shm_kind), "r");

	must(object_truncate(region, 123456, &root));
	ck_assert_int_eq(object_stat(region).st_size, 123456);
	must(object_truncate(region, 0, &root));
	ck_assert_int_eq(object_stat(region).st_size, 0);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_size_truncate_by_name_takes_the_right_to_write)
{
	struct channel *region = object_make(fixture_open(&shm_kind), "r");

	must(object_chmod(region, 0604, &root));
	must_fail(object_truncate(region, 100, &stranger), EACCES);
	must(object_chmod(region, 0602, &root));
	must(object_truncate(region, 100, &stranger));
	ck_assert_int_eq(object_stat(region).st_size, 100);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_size_truncate_through_a_file_has_its_right)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);

	must(truncate_through(file, 100, &stranger));
	ck_assert_int_eq(object_stat(file->channel).st_size, 100);
	object_close(file);
}
END_TEST

START_TEST(test_shm_size_truncate_through_a_file_without_a_name_works_on)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);

	must_call(shm_unlink("/r"));
	must(truncate_through(file, 100, &root));
	ck_assert_int_eq(object_stat(file->channel).st_size, 100);
	object_close(file);
}
END_TEST

/*
 * A FIFO may take over the region's name, and opening a FIFO can wait for ever for its other end.
 */
START_TEST(test_shm_size_replaced_by_a_fifo_is_not_truncated)
{
	struct channel *region = object_make(fixture_open(&shm_kind), "r");
	const struct stat attr = {.st_size = 0};

	must_call(mkfifo("/dev/shm/fifo", 0666));
	must_call(rename("/dev/shm/fifo", "/dev/shm/r"));
	must_fail(channel_change(region, NULL, &attr, CHANGE_SIZE, &root), ESTALE);
	object_unref(region);
}
END_TEST

struct sizing_with_mode {
	struct channel *region;
	mode_t mode;
};

static int size_as_stranger(void *data)
{
	const struct sizing_with_mode *sizing = data;
	const struct stat attr = {.st_size = 10, .st_mode = S_IFREG | sizing->mode};

	return channel_change(sizing->region, NULL, &attr, CHANGE_SIZE | CHANGE_MODE, &stranger);
}

/*
 * A size change also drops the set-user-id bit, and the kernel asks for both in one request. That
 * is no chmod(2) by the caller, which only the owner may do, and it gives nobody a new right.
 */
START_TEST(test_shm_size_sized_by_another_loses_its_set_user_id_bit_alone)
{
	static const mode_t modes[] = {0666, 0777};
	struct sizing_with_mode sizing = {.mode = modes[_i]};

	native_file_make("r", "");
	must_call(chmod("/dev/shm/r", 04666));
	sizing.region = object_find(fixture_open(&shm_kind), "r");
	must(loop_wait_for(&stranger, size_as_stranger, &sizing));
	ck_assert_int_eq(object_stat(sizing.region).st_size, 10);
	ck_assert_int_eq(object_stat(sizing.region).st_mode & 07777, 0666);
	object_unref(sizing.region);
}
END_TEST

START_TEST(test_shm_size_given_to_create_holds)
{
	struct channel *region =
		object_make_set(fixture_open(&shm_kind), "r", SHM_SIZE, 1024 * 1024);

	ck_assert_int_eq(object_stat(region).st_size, 1024 * 1024);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_size_that_is_impossible_leaves_nothing)
{
	const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	const struct settings settings = {.values = {4097}, .given = 1 << SHM_SIZE};
	struct space *space = fixture_open(&shm_kind);
	struct channel *region = NULL;

	signal(SIGXFSZ, SIG_IGN);
	must_call(setrlimit(RLIMIT_FSIZE, &limit));
	must_fail(object_create_set(space, "r", S_IFREG | 0600, &settings, &root, &region), EFBIG);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

static int set_as_stranger(void *region)
{
	const struct settings settings = {.values = {4096}, .given = 1 << SHM_SIZE};

	return channel_set(region, &settings, &stranger);
}

START_TEST(test_shm_size_is_set_by_who_may_write)
{
	const struct settings settings = {.values = {4096}, .given = 1 << SHM_SIZE};
	struct channel *region = object_make(fixture_open(&shm_kind), "r");

	must_fail(loop_wait_for(&stranger, set_as_stranger, region), EACCES);
	must(channel_set(region, &settings, &root));
	ck_assert_int_eq(object_stat(region).st_size, 4096);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_size_status_shows_size_and_use)
{
	struct channel *region = object_make(fixture_open(&shm_kind), "r");
	struct file *file = object_open(region, O_RDWR);

	file_put(file, "hello");
	must(object_truncate(region, 1024 * 1024, &root));
	ck_assert_ptr_eq(strstr(object_status(region, &root), "size 1048576\nbytes 4096\n"),
			 object_status(region, &root));
	object_close(file);
	object_unref(region);
}
END_TEST

struct opening {
	struct channel *region;
	struct file *file;
};

/* Before each try, the region's owner sets the set-user-id and set-group-id bits again. */
static int open_as_stranger(void *data)
{
	struct opening *opening = data;

	must_call(chmod("/dev/shm/r", 06777));
	return object_open_as(opening->region, O_WRONLY, &stranger, &opening->file);
}

START_TEST(test_shm_size_bits_that_are_set_again_are_dropped_once)
{
	struct opening opening;

	features_found(&host.features, FEATURE_PASSTHROUGH, true);
	host.is_serving = true;
	native_file_make("r", "");
	opening.region = object_find(fixture_open(&shm_kind), "r");
	must(loop_wait_for(&stranger, open_as_stranger, &opening));
	object_close(opening.file);
	object_unref(opening.region);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shm_size");

	suite_add(suite, "size",
		  (const TTest *const[]){
			  test_shm_size_truncate_sets_size,
			  test_shm_size_truncate_by_name_takes_the_right_to_write,
			  test_shm_size_truncate_through_a_file_has_its_right,
			  test_shm_size_truncate_through_a_file_without_a_name_works_on,
			  test_shm_size_replaced_by_a_fifo_is_not_truncated,
			  test_shm_size_given_to_create_holds,
			  test_shm_size_that_is_impossible_leaves_nothing,
			  test_shm_size_is_set_by_who_may_write,
			  test_shm_size_status_shows_size_and_use,
			  NULL,
		  });
	suite_add_loop(
		suite, "set-user-id",
		(const TTest *const[]){
			test_shm_size_sized_by_another_loses_its_set_user_id_bit_alone, NULL},
		2);
	suite_add(suite, "opened",
		  (const TTest *const[]){test_shm_size_bits_that_are_set_again_are_dropped_once,
					 NULL});
	return suite_run(suite);
}
