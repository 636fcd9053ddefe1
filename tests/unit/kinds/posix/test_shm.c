/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions are the files of /dev/shm: what ipcfs or a native program writes or maps, the other sees.
 * Each test has its own /dev/shm.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/channel/place.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

enum { SHM_SIZE }; /* index in the kind's table */

START_TEST(test_shm_written_here_is_there_natively)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);

	file_put(file, "from here");
	native_file_expect("/dev/shm/r", "from here");
	object_close(file);
}
END_TEST

START_TEST(test_shm_made_natively_is_here)
{
	struct channel *region;
	struct file *file;

	native_file_make("r", "from there");
	region = object_find(fixture_open(&shm_kind), "r");
	file = object_open(region, O_RDONLY);
	file_expect(file, 100, "from there");
	ck_assert_int_eq(object_stat(region).st_size, 10);
	object_close(file);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_map_of_a_native_program_is_the_same_memory)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);
	int fd = (int)must_call(shm_open("/r", O_RDWR, 0));
	char *map;

	file_put(file, "hello");
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_mem_eq(map, "hello", 5);
	map[0] = 'j';
	file_expect(file, 100, "jello");
	munmap(map, 4096);
	close(fd);
	object_close(file);
}
END_TEST

START_TEST(test_shm_is_read_and_written_at_positions)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);
	const void *data = NULL;

	ck_assert_int_eq(channel_write(file, "world", 5, 10000), 5);
	ck_assert_int_eq(object_stat(file->channel).st_size, 10005);
	ck_assert_int_eq(channel_read(file, 3, 10001, &data), 3);
	ck_assert_mem_eq(data, "orl", 3);
	ck_assert_int_eq(channel_read(file, 4, 0, &data), 4);
	ck_assert_mem_eq(data, "\0\0\0\0", 4);
	ck_assert_int_eq(channel_read(file, 4, 10005, &data), 0);
	object_close(file);
}
END_TEST

START_TEST(test_shm_full_enospc)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);
	static const char zeroes[65536];

	must_call(mount("tmpfs", "/dev/shm", "tmpfs", MS_REMOUNT, "size=16k"));
	ck_assert_int_eq(channel_write(file, zeroes, sizeof(zeroes), 0), 16384);
	must_fail(channel_write(file, zeroes, 4096, 16384), ENOSPC);
	object_close(file);
}
END_TEST

/* Semaphores are not shown, nor is anything that is not a regular file. */
START_TEST(test_shm_others_are_not_shown)
{
	struct space *space = fixture_open(&shm_kind);

	native_file_make("sem.lock", "");
	must_call(mkdir("/dev/shm/directory", 0777));
	must_call(mkfifo("/dev/shm/fifo", 0666));
	must_call(symlink("/etc/passwd", "/dev/shm/link"));
	ck_assert_int_eq(space_count(space), 0);
	must_fail(object_lookup(space, "sem.lock", NULL), ENOENT);
	must_fail(object_lookup(space, "directory", NULL), ENOENT);
	must_fail(object_lookup(space, "fifo", NULL), ENOENT);
	must_fail(object_lookup(space, "link", NULL), ENOENT);
}
END_TEST

START_TEST(test_shm_others_are_not_touched)
{
	struct space *space = fixture_open(&shm_kind);
	struct channel *region = NULL;

	native_file_make("sem.lock", "");
	must_call(symlink("/etc/passwd", "/dev/shm/link"));
	object_unref(object_make(space, "r"));
	must_fail(space_remove(space, "sem.lock", &root), ENOENT);
	must_fail(space_remove(space, "link", &root), ENOENT);
	must_fail(space_rename(space, "sem.lock", "r2", 0, &root), ENOENT);
	must_fail(space_rename(space, "r", "sem.lock", 0, &root), EPERM);
	must_fail(object_create(space, "sem.new", S_IFREG | 0600, &root, &region), EPERM);
	must_call(access("/dev/shm/sem.lock", F_OK));
	must_call(faccessat(AT_FDCWD, "/dev/shm/link", F_OK, AT_SYMLINK_NOFOLLOW));
	ck_assert_int_eq(space_count(space), 1);
}
END_TEST

START_TEST(test_shm_linked_file_is_not_followed)
{
	struct channel *region;
	struct file *file = NULL;

	native_file_make("r", "hello");
	region = object_find(fixture_open(&shm_kind), "r");
	must_call(unlink("/dev/shm/r"));
	must_call(symlink("/etc/passwd", "/dev/shm/r"));
	must_fail(object_open_as(region, O_RDWR, &root, &file), ESTALE);
	must_fail(object_chmod(region, 0666, &root), ESTALE);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_names_that_lead_elsewhere_estale)
{
	struct space *space = fixture_open(&shm_kind);
	struct channel *region;
	struct file *file = NULL;
	struct stat attr;

	native_file_make("r", "old");
	region = object_find(space, "r");
	must_call(shm_unlink("/r"));
	native_file_make("r", "new");
	must_fail(channel_stat(region, &attr), ESTALE);
	must_fail(object_open_as(region, O_RDWR, &root, &file), ESTALE);
	must_fail(object_truncate(region, 0, &root), ESTALE);
	must_fail(object_chmod(region, 0666, &root), ESTALE);
	native_file_expect("/dev/shm/r", "new");
	ck_assert_ptr_null(host.users.users);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_maker_uses_it_whatever_its_mode)
{
	struct space *space = fixture_open(&shm_kind);
	struct channel *region = NULL;
	struct file *file = NULL;

	must(object_create(space, "r", S_IFREG, &stranger, &region));
	must(object_open_as(region, O_RDWR, &stranger, &file));
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
	object_unref(region);
}
END_TEST

START_TEST(test_shm_serves_itself_where_it_can_not_be_backed)
{
	struct space *space = fixture_open(&shm_kind);
	struct channel *region = object_make(space, "r");

	ck_assert_int_eq(region->service, CHANNEL_FILE);
	ck_assert_str_eq(space->link_dir, "/dev/shm");
	object_unref(region);
}
END_TEST

START_TEST(test_shm_served_is_appended_to_where_it_ends)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_WRONLY | O_APPEND);
	int fd = (int)must_call(open("/dev/shm/r", O_WRONLY | O_APPEND));

	ck_assert_int_eq(file->channel->service, CHANNEL_FILE);
	file_put(file, "one ");
	ck_assert_int_eq(must_call(write(fd, "two ", 4)), 4);
	ck_assert_int_eq(must(channel_write(file, "three", 5, 4)), 5);
	native_file_expect("/dev/shm/r", "one two three");
	close(fd);
	object_close(file);
}
END_TEST

START_TEST(test_shm_served_can_be_allocated)
{
	struct file *file = object_make_open(fixture_open(&shm_kind), "r", O_RDWR);

	ck_assert(channel_has_size(file->channel));
	must(channel_allocate(file, 0, 0, 8192, &root));
	ck_assert_int_eq(object_stat(file->channel).st_size, 8192);
	object_close(file);
}
END_TEST

START_TEST(test_shm_backed_has_a_descriptor_while_it_is_open)
{
	struct space *space;
	struct channel *region;
	struct file *first, *second;
	int fd;

	features_found(&host.features, FEATURE_PASSTHROUGH, true);
	space = fixture_open(&shm_kind);
	region = object_make(space, "r");
	ck_assert_int_eq(region->service, CHANNEL_BACKED);
	loop_settle();
	ck_assert_int_eq(region->backing_fd, -1);
	first = object_open(region, O_RDONLY);
	fd = region->backing_fd;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_PATH, 0);
	second = object_open(region, O_RDWR);
	ck_assert_int_eq(region->backing_fd, fd);
	object_close(first);
	ck_assert_int_eq(region->backing_fd, fd);
	object_close(second);
	ck_assert_int_eq(region->backing_fd, -1);
	object_unref(region);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shm");

	suite_add(suite, "native",
		  (const TTest *const[]){
			  test_shm_written_here_is_there_natively,
			  test_shm_made_natively_is_here,
			  test_shm_map_of_a_native_program_is_the_same_memory,
			  test_shm_is_read_and_written_at_positions,
			  test_shm_full_enospc,
			  test_shm_others_are_not_shown,
			  test_shm_others_are_not_touched,
			  test_shm_linked_file_is_not_followed,
			  test_shm_names_that_lead_elsewhere_estale,
			  NULL,
		  });
	suite_add(suite, "service",
		  (const TTest *const[]){
			  test_shm_maker_uses_it_whatever_its_mode,
			  test_shm_serves_itself_where_it_can_not_be_backed,
			  test_shm_served_is_appended_to_where_it_ends,
			  test_shm_served_can_be_allocated,
			  test_shm_backed_has_a_descriptor_while_it_is_open,
			  NULL,
		  });
	return suite_run(suite);
}
