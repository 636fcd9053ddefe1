/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V segments and sets. At one end is a program that uses shmat(2) and semop(2), at the other
 * end one that maps, reads and writes the mount's files.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY  0x4d2
#define SHM  "sysv/shm/0x000004d2"
#define SEMS "sysv/sems/0x000004d2"

START_TEST(test_native_sysv_segment_is_the_same_memory_both_ways)
{
	int id = (int)must(shmget(KEY, 8192, IPC_CREAT | 0600));
	char *native = shmat(id, NULL, 0);
	int fd = channel_open(SHM, O_RDWR);
	char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char text[8] = "";

	ck_assert_ptr_ne(mapped, MAP_FAILED);
	for (int i = 0; i < 100; i++) { /* not only the first time */
		snprintf(native + 5000, 8, "n%d", i);
		ck_assert_str_eq(mapped + 5000, native + 5000);
		must(pread(fd, text, 7, 5000));
		ck_assert_str_eq(text, native + 5000);
		snprintf(mapped, 8, "m%d", i);
		ck_assert_str_eq(native, mapped);
		must(pwrite(fd, text, 7, 100));
		ck_assert_str_eq(native + 100, text);
		ck_assert_str_eq(mapped + 100, text);
	}
	must(munmap(mapped, 8192));
	must(close(fd));
	must(shmdt(native));
}
END_TEST

START_TEST(test_native_sysv_segment_shown_stays_as_attached_as_it_was)
{
	int id = (int)must(shmget(KEY, 8192, IPC_CREAT | 0600));
	struct shmid_ds data;
	struct stat attr;
	int fd;

	must(stat(ipc_path(SHM), &attr));
	ck_assert_int_eq(attr.st_size, 8192);
	look_for(SHM, "bytes");
	fd = channel_open(SHM, O_RDWR);
	must(shmctl(id, IPC_STAT, &data));
	ck_assert_uint_eq(data.shm_nattch, 0);
	must(close(fd));
}
END_TEST

START_TEST(test_native_sysv_segment_never_grows)
{
	int id = (int)must(shmget(KEY, 5000, IPC_CREAT | 0600));
	char *native = shmat(id, NULL, 0);
	int fd = channel_open(SHM, O_RDWR);
	struct stat attr;

	ck_assert_int_eq(must(pwrite(fd, "0123456789", 10, 4995)), 5);
	ck_assert_mem_eq(native + 4995, "01234\0", 6);
	must_fail(pwrite(fd, "x", 1, 5000), ENOSPC);
	must_fail(ftruncate(fd, 6000), EINVAL);
	must_fail(fallocate(fd, 0, 0, 6000), ENODEV);
	must(fstat(fd, &attr));
	ck_assert_int_eq(attr.st_size, 5000);
	must(close(channel_open(SHM, O_WRONLY | O_TRUNC)));
	ck_assert_mem_eq(native + 4995, "01234", 5);
	must(close(fd));
	must(shmdt(native));
}
END_TEST

START_TEST(test_native_sysv_segment_is_born_by_truncate)
{
	int fd = (int)must(open(ipc_path(SHM), O_RDWR | O_CREAT | O_EXCL, 0640));
	struct shmid_ds data;
	char *native;
	int id;

	must_fail(write(fd, "x", 1), ENOSPC);
	must_fail(shmget(KEY, 0, 0), ENOENT);
	must(ftruncate(fd, 4096));
	id = (int)must(shmget(KEY, 0, 0));
	must(shmctl(id, IPC_STAT, &data));
	ck_assert_uint_eq(data.shm_segsz, 4096);
	ck_assert_uint_eq(data.shm_perm.mode & 0777, 0640);
	must(pwrite(fd, "hello", 5, 10));
	native = shmat(id, NULL, SHM_RDONLY);
	ck_assert_mem_eq(native + 10, "hello", 5);
	must(shmdt(native));
	must(close(fd));
}
END_TEST

static int write_list(void *list)
{
	int fd = open(ipc_path(SEMS), O_WRONLY);
	ssize_t n = write(fd, list, strlen(list));

	return n < 0 ? errno : n == (ssize_t)strlen(list) ? 0 : EIO;
}

START_TEST(test_native_sysv_list_waits_for_native_semop)
{
	struct sembuf up[] = {{0, 1, 0}};
	pid_t writer;
	int id;

	look_command("create " SEMS " count=2");
	id = (int)must(semget(KEY, 2, 0));
	writer = child_start(write_list, "0 -2 1 +5\n");
	task_must_block(writer, SYS_write);
	must(semop(id, up, 1));
	mount_settle(&ipc);
	ck_assert(!child_has_ended(writer, 0));
	ck_assert_str_eq(look_at(SEMS), "1\n0\n"); /* either all of the list is done or nothing */
	must(semop(id, up, 1));
	ck_assert_int_eq(child_end(writer), 0);
	ck_assert_str_eq(look_at(SEMS), "0\n5\n");
}
END_TEST

static int write_interrupted(void *list)
{
	signal_interrupts(SIGUSR1);
	return write_list(list) == EINTR ? 0 : EIO;
}

START_TEST(test_native_sysv_list_interrupted_has_done_nothing)
{
	struct sembuf up[] = {{0, 3, 0}};
	pid_t writer;
	int id;

	look_command("create " SEMS " count=1");
	writer = child_start(write_interrupted, "0 -1\n");
	task_must_block(writer, SYS_write);
	must(kill(writer, SIGUSR1));
	ck_assert_int_eq(child_end(writer), 0);
	id = (int)must(semget(KEY, 1, 0));
	must(semop(id, up, 1));
	ck_assert_str_eq(look_at(SEMS), "3\n");
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_native_sysv_segment_never_grows,
		test_native_sysv_segment_is_born_by_truncate,
		test_native_sysv_list_waits_for_native_semop,
		test_native_sysv_list_interrupted_has_done_nothing,
	};
	Suite *suite = suite_create("native_segments");
	TCase *tcase = suite_case(suite, "native_segments", 60);

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	/* Without these features, the daemon copies the segment, and attaches it to do so. */
	case_add_needing(tcase, test_native_sysv_segment_is_the_same_memory_both_ways, 0,
			 "passthrough:map_files");
	case_add_needing(tcase, test_native_sysv_segment_shown_stays_as_attached_as_it_was, 0,
			 "passthrough:map_files");
	return suite_run(suite);
}
