/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large segments: slow work on them is not done on the loop.
 */
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define KEY  0x4d2
#define NAME "0x000004d2"
#define SIZE (8 << 20)

/* Counts this process's descriptors of a segment's file. */
static int count_held(void)
{
	struct stat attr;
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fstat(fd, &attr) == 0 && S_ISREG(attr.st_mode) && attr.st_size == SIZE;
	return n;
}

/* By _i, the daemon uses segments through their files, or attaches them. */
static const unsigned modes[] = {0, 1U << FEATURE_MAP_FILES};

static void resume(struct waiter *waiter)
{
}

START_TEST(test_sysv_shm_removal_given_up_holds_nothing)
{
	struct space *space = fixture_open(&sysv_shm_kind);
	struct waiter waiter = {.resume = resume};
	struct caller caller = {.waiter = &waiter, .is_loaded = true};
	struct channel *channel;

	host.features.off = 0;
	must_call(shmget(KEY, SIZE, IPC_CREAT | 0600));
	channel = object_find(space, NAME);
	host.is_serving = true;
	must_fail(space_remove(space, NAME, &caller), EINPROGRESS);
	ck_assert_int_eq(count_held(), 1);
	waiter_fini(&waiter);
	host_stop(&host);
	ck_assert_int_eq(count_held(), 0);
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_shm_large_is_written_by_a_job)
{
	struct file *file;
	static char text[300001]; /* writing it takes several jobs */
	struct held held = {0};
	const void *data;

	host.features.off = modes[_i];
	must_call(shmget(KEY, SIZE, IPC_CREAT | 0600));
	file = object_open(object_find(fixture_open(&sysv_shm_kind), NAME), O_RDWR);
	object_unref(file->channel);
	host.is_serving = true;
	for (size_t k = 0; k < sizeof(text); k++)
		text[k] = (char)(k * 7 + k / 4096);
	held_write(&held, file, text, sizeof(text));
	held_wait(&held);
	held_expect_result(&held, sizeof(text));
	ck_assert_int_eq(channel_read(file, sizeof(text), 0, &data), sizeof(text));
	ck_assert_mem_eq(data, text, sizeof(text));
	object_close(file);
}
END_TEST

START_TEST(test_sysv_shm_write_given_up_leaves_nothing)
{
	struct file *file;
	struct held held = {0};

	host.features.off = modes[_i];
	must_call(shmget(KEY, SIZE, IPC_CREAT | 0600));
	file = object_open(object_find(fixture_open(&sysv_shm_kind), NAME), O_RDWR);
	object_unref(file->channel);
	host.is_serving = true;
	held_write(&held, file, "hello", 5);
	loop_run_tasks(loop);
	transfer_cancel(&held.transfer);
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysv_shm");

	suite_add(suite, "removed",
		  (const TTest *const[]){test_sysv_shm_removal_given_up_holds_nothing, NULL});
	suite_add_loop(suite, "written",
		       (const TTest *const[]){test_sysv_shm_large_is_written_by_a_job,
					      test_sysv_shm_write_given_up_leaves_nothing, NULL},
		       2);
	return suite_run(suite);
}
