/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only System V objects do: keys and identifiers are their names, a segment may not exist yet,
 * and a list of operations on a semaphore set waits as a whole.
 */
#include <fcntl.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define KEY  0x4d2
#define NAME "0x000004d2"

static void await_rest(void)
{
	while (host.users.taken[USER_SLEEPS])
		loop_settle();
}

START_TEST(test_sysv_names_of_one_key_lead_to_one_object)
{
	static const char *const names[] = {"0x4d2", "0x4D2", "0x04d2"};
	struct space *space = fixture_open(&sysv_queue_kind);
	struct channel *channel = object_make(space, NAME);

	for (int i = 0; i < 3; i++) {
		struct channel *found = object_find(space, names[i]);

		ck_assert_ptr_eq(found, channel);
		object_unref(found);
	}
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_names_of_no_key_enoent)
{
	static const char *const names[] = {
		"0x",  "4d2",   "0x0000004d2",    "0x4d2 ", "0xg",  "0x0",
		"id-", "id-01", "id-99999999999", "id--1",  "id-7", "0x4d2/"};
	struct space *space = fixture_open(&sysv_queue_kind);

	object_unref(object_make(space, NAME));
	for (int i = 0; i < 12; i++)
		must_fail(object_lookup(space, names[i], NULL), ENOENT);
}
END_TEST

/* A queue with a key is not found by its identifier, so that each queue has one name. */
START_TEST(test_sysv_private_is_named_by_its_identifier)
{
	struct space *space = fixture_open(&sysv_queue_kind);
	int keyed = (int)must_call(msgget(KEY, IPC_CREAT | 0600));
	int private = (int)must_call(msgget(IPC_PRIVATE, 0600));
	char name[32];
	mode_t mode;
	ino_t ino;

	snprintf(name, sizeof(name), "id-%d", private);
	must(object_lookup(space, name, NULL));
	ck_assert_int_eq(space_list_find(space, name, &ino, &mode), 1);
	ck_assert_uint_eq(ino, private);
	snprintf(name, sizeof(name), "id-%d", keyed);
	must_fail(object_lookup(space, name, NULL), ENOENT);
}
END_TEST

#define N_LISTED 600 /* takes several pieces to list */

struct listing {
	struct space *space;
	int n;
};

static bool count(void *data, const char *name, ino_t ino, mode_t mode)
{
	((struct listing *)data)->n++;
	return true;
}

static int list_once(void *data)
{
	struct listing *listing = data;

	return space_list(listing->space, &root, count, listing);
}

/*
 * To list sets, the kernel goes through the semaphores of each set. That takes too long for the
 * loop.
 */
START_TEST(test_sysv_list_is_made_elsewhere)
{
	struct listing listing = {.space = fixture_open(&sysv_sem_kind)};
	int ids[N_LISTED];

	for (int i = 0; i < N_LISTED; i++)
		ids[i] = (int)must_call(semget(IPC_PRIVATE, 1, 0600));
	host.is_serving = true;
	must_fail(list_once(&listing), EAGAIN);
	ck_assert_int_eq(listing.n, 0);
	must(loop_wait_for(&root, list_once, &listing));
	ck_assert_int_eq(listing.n, N_LISTED);
	/* Leaves a gap that is longer than a piece of the listing. */
	for (int i = 0; i < N_LISTED - 1; i++)
		must_call(semctl(ids[i], 0, IPC_RMID));
	listing.n = 0;
	must(loop_wait_for(&root, list_once, &listing));
	ck_assert_int_eq(listing.n, 1);
	must_call(semctl(ids[N_LISTED - 1], 0, IPC_RMID));
	listing.n = 0;
	must(loop_wait_for(&root, list_once, &listing));
	ck_assert_int_eq(listing.n, 0);
}
END_TEST

/* A caller that the kernel refuses IPC_STAT still sees the object, as with ipcs(1). */
START_TEST(test_sysv_unreadable_is_shown_to_all)
{
	int id = (int)must_call(msgget(KEY, IPC_CREAT | 0));
	struct msqid_ds data;
	struct channel *channel;

	must_call(msgctl(id, IPC_STAT, &data));
	data.msg_perm.uid = STRANGER;
	must_call(msgctl(id, IPC_SET, &data));
	fixture_drop_privileges();
	ck_assert_int_eq(msgctl(id, IPC_STAT, &data), -1);
	channel = object_find(fixture_open(&sysv_queue_kind), NAME);
	ck_assert_uint_eq(object_stat(channel).st_uid, STRANGER);
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG);
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_segment_without_a_size_is_none_yet)
{
	struct space *space = fixture_open(&sysv_shm_kind);
	struct channel *channel = NULL;
	struct file *file;
	const struct stat now = {.st_mtim.tv_nsec = UTIME_NOW};

	must(object_create(space, NAME, S_IFREG | 0640, &root, &channel));
	file = object_open(channel, O_RDWR);
	ck_assert_int_eq(space_count(space), 0);
	must_fail(channel_write(file, "x", 1, 0), ENOSPC);
	ck_assert_int_eq(file_try_read(file, 10), 0);
	must_fail(channel_change(channel, file, &now, CHANGE_MTIME | CHANGE_NOW, &root), EINVAL);
	must_fail(object_truncate(channel, 0, &root), EINVAL);
	must(object_truncate(channel, 5000, &root));
	ck_assert_int_eq(space_count(space), 1);
	ck_assert_int_eq(object_stat(channel).st_size, 5000);
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0640);
	file_put(file, "hello");
	file_expect(file, 5, "hello");
	object_close(file);
	object_unref(channel);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 0);
}
END_TEST

START_TEST(test_sysv_segment_created_twice_eexist)
{
	struct space *space = fixture_open(&sysv_shm_kind);
	struct channel *first = NULL, *second = NULL, *third = NULL;

	must(object_create(space, NAME, S_IFREG | 0600, &root, &first));
	must(object_create(space, NAME, S_IFREG | 0600, &root, &second));
	must(object_truncate(first, 4096, &root));
	must_fail(object_truncate(second, 4096, &root), EEXIST);
	must_fail(object_create(space, NAME, S_IFREG | 0600, &root, &third), EEXIST);
	object_unref(first);
	object_unref(second);
}
END_TEST

START_TEST(test_sysv_segment_is_written_up_to_its_end)
{
	struct space *space = fixture_open(&sysv_shm_kind);
	struct channel *channel = object_make_set(space, NAME, 0, 5000);
	struct file *file = object_open(channel, O_RDWR);
	const void *data;

	ck_assert_int_eq(channel_write(file, "0123456789", 10, 4995), 5);
	must_fail(channel_write(file, "x", 1, 5000), ENOSPC);
	must_fail(channel_write(file, "x", 1, INT64_MAX), ENOSPC);
	ck_assert_int_eq(channel_read(file, 100, 4995, &data), 5);
	ck_assert_mem_eq(data, "01234", 5);
	ck_assert_int_eq(channel_read(file, 100, 5000, &data), 0);
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_set_list_waits_and_is_done_whole)
{
	struct space *space = fixture_open(&sysv_sem_kind);
	struct channel *channel = object_make_set(space, NAME, 0, 2);
	struct file *file = object_open(channel, O_RDWR);
	struct held held = {0}, other = {0};
	struct sembuf up = {0, 1, 0};
	int id = (int)must_call(semget(KEY, 0, 0));

	held_write(&held, file, "0 -2 1 1", 8);
	held_write(&other, file, "1 -1", 4); /* does not queue behind the first list */
	while (semctl(id, 0, GETNCNT) != 1 || semctl(id, 1, GETNCNT) != 1)
		loop_settle();
	must_call(semop(id, &up, 1));
	ck_assert_int_eq(semctl(id, 1, GETVAL), 0);
	must_call(semop(id, &up, 1));
	held_wait(&held);
	held_expect_result(&held, 8);
	held_wait(&other);
	held_expect_result(&other, 4);
	file_expect(file, 100, "0\n0\n");
	await_rest();
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_set_list_stopped_has_done_nothing)
{
	struct space *space = fixture_open(&sysv_sem_kind);
	struct channel *channel = object_make_set(space, NAME, 0, 2);
	struct file *file = object_open(channel, O_RDWR);
	struct held held = {0};
	int id = (int)must_call(semget(KEY, 0, 0));

	held_write(&held, file, "1 1 0 -1", 8);
	while (semctl(id, 0, GETNCNT) != 1)
		loop_settle();
	ck_assert(transfer_stop(&held.transfer));
	held_wait(&held);
	held_expect_result(&held, -EINTR);
	file_expect(file, 100, "0\n0\n");
	await_rest();
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_sysv_set_removed_ends_lists_eidrm)
{
	struct space *space = fixture_open(&sysv_sem_kind);
	struct file *file = object_make_open(space, NAME, O_RDWR);
	struct held held = {0};

	held_write(&held, file, "0 -1", 4);
	while (!host.users.taken[USER_SLEEPS])
		loop_settle();
	must(space_remove(space, NAME, &root));
	held_wait(&held);
	held_expect_result(&held, -EIDRM);
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysv");

	suite_add(suite, "sysv",
		  (const TTest *const[]){
			  test_sysv_names_of_one_key_lead_to_one_object,
			  test_sysv_names_of_no_key_enoent,
			  test_sysv_private_is_named_by_its_identifier,
			  test_sysv_list_is_made_elsewhere,
			  test_sysv_unreadable_is_shown_to_all,
			  test_sysv_segment_without_a_size_is_none_yet,
			  test_sysv_segment_created_twice_eexist,
			  test_sysv_segment_is_written_up_to_its_end,
			  test_sysv_set_list_waits_and_is_done_whole,
			  test_sysv_set_list_stopped_has_done_nothing,
			  test_sysv_set_removed_ends_lists_eidrm,
			  NULL,
		  });
	return suite_run(suite);
}
