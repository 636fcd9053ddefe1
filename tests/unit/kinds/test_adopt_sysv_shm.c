/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V segments of a daemon that is killed: their bytes, and names that have no size yet.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/sysv/sysv_shm_data.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

#define NAME "0x000004d2"
#define KEY  0x4d2

enum { SIZE = 100000 };

/* By _i, the daemon uses segments through their files, or attaches them. */
static const unsigned modes[] = {0, 1U << FEATURE_MAP_FILES};

static bool is_killed_in_shmget;
static jmp_buf killed;

/* In place of the C library's. */
int shmget(key_t key, size_t size, int flags)
{
	int id = (int)syscall(SYS_shmget, key, size, flags);

	if (is_killed_in_shmget && (flags & IPC_CREAT))
		longjmp(killed, 1);
	return id;
}

/* The daemon is killed, and with it goes its attachment. Returns the file in the next one. */
static struct file *restart(struct file *file)
{
	const char *memory = sysv_segment_from(file->channel)->memory;

	if (memory)
		shmdt(memory);
	adopt_restart();
	return adopted_file(file);
}

/* Opens a segment, which the daemon uses in this mode. */
static struct file *new_segment(int mode)
{
	struct space *space = adopt_open(&sysv_shm_kind);
	struct channel *channel;
	struct file *file;

	host.features.off = modes[mode];
	must_call(shmget(KEY, SIZE, IPC_CREAT | 0600));
	channel = object_find(space, NAME);
	file = object_open(channel, O_RDWR);
	object_unref(channel);
	return file;
}

START_TEST(test_adopt_sysv_shm_bytes_stay)
{
	struct file *file = new_segment(_i);
	struct file *reader = object_open(file->channel, O_RDONLY);
	struct stat attr;

	file_put(file, "hello");
	file = restart(file);
	reader = adopted_file(reader);
	file_expect(file, 5, "hello");
	file_put(file, "world");
	file_expect(reader, 5, "world");
	must(channel_stat(file->channel, &attr));
	ck_assert_int_eq(attr.st_size, SIZE);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	object_close(reader);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_shm_mappings_stay)
{
	struct file *file = new_segment(0);
	char *mapped =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file->channel->backing_fd, 0);

	ck_assert_ptr_ne(mapped, MAP_FAILED);
	must_call(shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL));
	file = restart(file);
	file = restart(file);
	strcpy(mapped, "hello");
	file_expect(file, 5, "hello");
	file_put(file, "world");
	ck_assert_str_eq(mapped, "world");
	munmap(mapped, SIZE);
	object_close(file);
}
END_TEST

/* The file of a segment that has been removed has attributes, but can't be opened again. */
START_TEST(test_adopt_sysv_shm_removed_while_open_stays_removed)
{
	struct file *file = new_segment(0), *late;
	struct stat attr;

	object_stat(file->channel);
	channel_save(file->channel);
	must_call(shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL));
	file = restart(file);
	must(channel_stat(file->channel, &attr));
	ck_assert_uint_eq(attr.st_nlink, 0);
	ck_assert_int_eq(attr.st_size, SIZE);
	must_fail(object_open_as(file->channel, O_RDWR, &root, &late), ESTALE);
	object_close(file);
}
END_TEST

/* The attachment was the last, so the kernel has freed the segment. */
START_TEST(test_adopt_sysv_shm_removed_while_only_attached_is_lost)
{
	struct file *file = new_segment(1);

	must_call(shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL));
	ck_assert_ptr_null(restart(file));
}
END_TEST

START_TEST(test_adopt_sysv_shm_without_descriptor_is_opened_again)
{
	struct file *file = new_segment(0);

	file_put(file, "hello");
	file->channel->record->fds[0] = -1;
	adopt_restart();
	file_expect(adopted_file(file), 5, "hello");
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_adopt_sysv_shm_wrong_descriptor_is_not_used)
{
	struct file *file = new_segment(0);
	int fd = memfd_create("other", MFD_CLOEXEC);

	adopt_own(fd);
	must_call(ftruncate(fd, SIZE));
	file_put(file, "hello");
	file->channel->record->fds[0] = fd;
	file = restart(file);
	ck_assert_int_ne(file->channel->backing_fd, fd);
	file_expect(file, 5, "hello");
	object_close(file);
	close(fd);
}
END_TEST

/* Makes a name without a size, with mode 0640. */
static struct file *new_name(int mode)
{
	struct space *space = adopt_open(&sysv_shm_kind);
	struct channel *channel;
	struct file *file;

	host.features.off = modes[mode];
	must(object_create(space, NAME, S_IFREG | 0600, &root, &channel));
	file = object_open(channel, O_RDWR | O_CREAT);
	must(object_chmod(channel, 0640, &root));
	object_unref(channel);
	return file;
}

START_TEST(test_adopt_sysv_shm_name_becomes_a_segment_later)
{
	struct file *file = new_name(_i);
	ino_t ino = object_stat(file->channel).st_ino;

	file = restart(file);
	ck_assert_uint_eq(object_stat(file->channel).st_mode, S_IFREG | 0640);
	ck_assert_uint_eq(object_stat(file->channel).st_ino, ino);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 1);
	must(channel_truncate(file->channel, file, SIZE, &root));
	file_put(file, "hello");
	file = restart(file);
	file_expect(file, 5, "hello");
	ck_assert_uint_eq(object_stat(file->channel).st_mode, S_IFREG | 0640);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_shm_name_killed_in_shmget_is_a_segment)
{
	struct file *file = new_name(_i);
	struct stat attr;

	is_killed_in_shmget = true;
	if (setjmp(killed) == 0)
		channel_truncate(file->channel, file, SIZE, &root);
	is_killed_in_shmget = false;
	file = restart(file);
	must(channel_truncate(file->channel, file, SIZE, &root));
	must(channel_stat(file->channel, &attr));
	ck_assert_int_eq(attr.st_size, SIZE);
	file_put(file, "hello");
	file_expect(file, 5, "hello");
	object_close(file);
}
END_TEST

/* Somebody else makes an object with the key. */
START_TEST(test_adopt_sysv_shm_name_does_not_take_another_segment)
{
	struct file *file = new_name(_i);

	must_call(shmget(KEY, SIZE, IPC_CREAT | 0600));
	file = restart(file);
	must_fail(channel_truncate(file->channel, file, SIZE, &root), EEXIST);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_sysv_shm_incomplete_record_is_refused)
{
	struct file *file = new_name(_i);

	memset(file->channel->record->words, 0, sizeof(file->channel->record->words));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_sysv_shm");

	suite_add_loop(suite, "segments",
		       (const TTest *const[]){
			       test_adopt_sysv_shm_bytes_stay,
			       test_adopt_sysv_shm_name_becomes_a_segment_later,
			       test_adopt_sysv_shm_name_killed_in_shmget_is_a_segment,
			       test_adopt_sysv_shm_name_does_not_take_another_segment,
			       test_adopt_sysv_shm_incomplete_record_is_refused,
			       NULL,
		       },
		       2);
	suite_add(suite, "descriptors",
		  (const TTest *const[]){
			  test_adopt_sysv_shm_mappings_stay,
			  test_adopt_sysv_shm_removed_while_open_stays_removed,
			  test_adopt_sysv_shm_removed_while_only_attached_is_lost,
			  test_adopt_sysv_shm_without_descriptor_is_opened_again,
			  test_adopt_sysv_shm_wrong_descriptor_is_not_used,
			  NULL,
		  });
	return suite_run(suite);
}
