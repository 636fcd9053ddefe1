/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory with a native program at the other end: one set of pages under every mapping, read
 * and write, and one set of names and sizes. POSIX semaphores live in the same kernel directory and
 * are not regions.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *mount_map(const char *name, size_t size)
{
	int fd = channel_open(name, O_RDWR);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	must(close(fd));
	return map;
}

START_TEST(test_native_shm_mappings_are_coherent)
{
	char *theirs = native_map("/frame", 65536);
	char *mine = mount_map("shm/frame", 65536);

	for (int i = 0; i < 65536; i += 1000) {
		theirs[i] = 't';
		ck_assert_int_eq(mine[i], 't');
		mine[i] = 'm';
		ck_assert_int_eq(theirs[i], 'm');
	}
}
END_TEST

START_TEST(test_native_shm_mapped_made_through_mount_is_coherent)
{
	int fd = (int)must(open(ipc_path("shm/frame"), O_RDWR | O_CREAT | O_EXCL, 0666));
	char *mine, *theirs;

	must(ftruncate(fd, 8192));
	mine = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(mine, MAP_FAILED);
	theirs = native_map("/frame", 8192);
	mine[5000] = 'm';
	ck_assert_int_eq(theirs[5000], 'm');
	theirs[5000] = 't';
	ck_assert_int_eq(mine[5000], 't');
}
END_TEST

START_TEST(test_native_shm_write_is_seen_in_native_mapping)
{
	char *theirs = native_map("/frame", 8192);
	int fd = channel_open("shm/frame", O_RDWR);
	char buf[6];

	ck_assert_int_eq(must(pwrite(fd, "pixels", 6, 4093)), 6);
	ck_assert_mem_eq(theirs + 4093, "pixels", 6);
	memcpy(theirs + 4093, "native", 6);
	ck_assert_int_eq(must(pread(fd, buf, 6, 4093)), 6);
	ck_assert_mem_eq(buf, "native", 6);
}
END_TEST

START_TEST(test_native_shm_beyond_four_gibibytes_is_the_same)
{
	const off_t far = (off_t)5 << 30;
	int native = (int)must(shm_open("/frame", O_RDWR | O_CREAT, 0666));
	int fd = channel_open("shm/frame", O_RDWR);
	struct stat st;
	char buf[3];

	ck_assert_int_eq(must(pwrite(fd, "far", 3, far)), 3);
	ck_assert_int_eq(must(pread(native, buf, 3, far)), 3);
	ck_assert_mem_eq(buf, "far", 3);
	must(fstat(fd, &st));
	ck_assert_int_eq(st.st_size, far + 3);
	ck_assert_int_lt(st.st_blocks, 100);
	ck_assert_int_eq(must(lseek(fd, 0, SEEK_DATA)), far);
}
END_TEST

START_TEST(test_native_shm_megabytes_written_are_the_same)
{
	enum { SIZE = 8 << 20 };
	char *theirs, *data = malloc(SIZE);
	int fd = (int)must(open(ipc_path("shm/frame"), O_RDWR | O_CREAT, 0666));

	ck_assert_ptr_nonnull(data);
	for (int i = 0; i < SIZE; i++)
		data[i] = (char)(i % 251);
	ck_assert_int_eq(must(write(fd, data, SIZE)), SIZE);
	theirs = native_map("/frame", SIZE);
	ck_assert_int_eq(memcmp(theirs, data, SIZE), 0);
	free(data);
}
END_TEST

START_TEST(test_native_shm_size_changes_are_seen_at_once)
{
	int native = (int)must(shm_open("/frame", O_RDWR | O_CREAT, 0666));
	struct stat st;
	int fd;

	must(ftruncate(native, 12345));
	must(stat(ipc_path("shm/frame"), &st));
	ck_assert_int_eq(st.st_size, 12345);
	fd = channel_open("shm/frame", O_RDONLY);
	must(ftruncate(native, 23456));
	must(fstat(fd, &st));
	ck_assert_int_eq(st.st_size, 23456);
	must(truncate(ipc_path("shm/frame"), 54321));
	must(fstat(native, &st));
	ck_assert_int_eq(st.st_size, 54321);
	native_must_match("shm/frame", native);
}
END_TEST

START_TEST(test_native_shm_made_and_removed_natively_shows)
{
	native_map("/frame", 4096);
	ck_assert(channel_is_listed("shm", "frame"));
	must(shm_unlink("/frame"));
	ck_assert(!channel_is_listed("shm", "frame"));
	must_fail(access(ipc_path("shm/frame"), F_OK), ENOENT);
}
END_TEST

START_TEST(test_native_shm_removed_in_mount_is_gone_natively)
{
	native_map("/frame", 4096);
	must(unlink(ipc_path("shm/frame")));
	must_fail(shm_open("/frame", O_RDWR, 0), ENOENT);
}
END_TEST

START_TEST(test_native_shm_renamed_in_mount_is_renamed_natively)
{
	native_map("/frame", 4096);
	must(rename(ipc_path("shm/frame"), ipc_path("shm/other")));
	must_fail(access("/dev/shm/frame", F_OK), ENOENT);
	must(access("/dev/shm/other", F_OK));
}
END_TEST

START_TEST(test_native_shm_semaphores_are_not_listed)
{
	ck_assert_ptr_ne(sem_open("/lock", O_CREAT, 0666, 1), SEM_FAILED);
	ck_assert(!channel_is_listed("shm", "sem.lock"));
}
END_TEST

/*
 * Natively, epoll_ctl(2) on shared memory fails with EPERM. In the mount the call succeeds, and the
 * daemon is not asked. The events that programs then see must be true.
 */
START_TEST(test_native_shm_is_always_ready_for_epoll)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	int epoll = (int)must(epoll_create1(EPOLL_CLOEXEC));
	int fd;

	native_map("/frame", 4096);
	fd = channel_open("shm/frame", O_RDWR);
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ck_assert_int_eq(must(epoll_wait(epoll, &event, 1, 10000)), 1);
	ck_assert_uint_eq(event.events, EPOLLIN | EPOLLOUT);
	close(fd);
	close(epoll);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("native_shm");
	TCase *tcase = suite_case(suite, "shm", 20);

	tcase_add_test(tcase, test_native_shm_mappings_are_coherent);
	case_add_needing(tcase, test_native_shm_mapped_made_through_mount_is_coherent, 0,
			 "passthrough");
	case_add_needing(tcase, test_native_shm_is_always_ready_for_epoll, 0, "passthrough");
	tcase_add_test(tcase, test_native_shm_write_is_seen_in_native_mapping);
	tcase_add_test(tcase, test_native_shm_beyond_four_gibibytes_is_the_same);
	tcase_add_test(tcase, test_native_shm_megabytes_written_are_the_same);
	tcase_add_test(tcase, test_native_shm_size_changes_are_seen_at_once);
	tcase_add_test(tcase, test_native_shm_made_and_removed_natively_shows);
	tcase_add_test(tcase, test_native_shm_removed_in_mount_is_gone_natively);
	tcase_add_test(tcase, test_native_shm_renamed_in_mount_is_renamed_natively);
	tcase_add_test(tcase, test_native_shm_semaphores_are_not_listed);
	return suite_run(suite);
}
