/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks outlive the daemon, in whatever moment of a change it is killed: nobody loses a lock that
 * they had before and after the change, or gets one that another has.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/channel/lock_files.h"
#include "lib/channel/lock_table.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

enum { ANNA = 1001, BERT, FH = 7, CLOSED_FH = 8, BYTES = 24, OWNERS = 3, STEPS = 300 };

static bool is_open(struct host *host_, uint64_t fh)
{
	return fh != CLOSED_FH;
}

static struct file *restart(struct file *file)
{
	adopt_restart();
	host.users.is_adopting = true;
	must(locks_adopt(&host, is_open));
	host.users.is_adopting = false;
	return adopted_file(file);
}

static struct file *open_queue(void)
{
	return object_make_open(adopt_open(&queue_kind), "q", O_RDWR);
}

static struct lock lock_of(uint64_t owner, short type, int64_t first, int64_t last)
{
	return (struct lock){
		.owner = owner,
		.file = FH,
		.first = first,
		.last = last,
		.uid = (uid_t)(ANNA + owner - 1),
		.type = type,
	};
}

static int set(struct file *file, uint64_t owner, short type, int64_t first, int64_t last)
{
	struct lock lock = lock_of(owner, type, first, last);

	return lock_set(file, &lock);
}

/* Returns how the owner has locked the byte. */
static short type_of(const struct file *file, uint64_t owner, int64_t byte)
{
	struct lock read = lock_of(99, F_RDLCK, byte, byte),
		    write = lock_of(99, F_WRLCK, byte, byte);
	const struct lock *theirs = lock_table_conflict(file->channel, &read);

	if (theirs && theirs->owner == owner)
		return F_WRLCK;
	theirs = lock_table_conflict(file->channel, &write);
	return theirs && theirs->owner == owner ? F_RDLCK : F_UNLCK;
}

static size_t n_records(void)
{
	size_t n = 0;

	for (uint64_t id = 0; (id = slots_next(&host.locks, id)) != 0;)
		n++;
	return n;
}

START_TEST(test_lock_goes_on)
{
	struct file *file = open_queue();

	must(set(file, 1, F_WRLCK, 0, 9));
	must(set(file, 2, F_RDLCK, 20, LOCK_END));
	file = restart(file);
	must_fail(set(file, 2, F_RDLCK, 9, 9), EAGAIN);
	must_fail(set(file, 1, F_WRLCK, 1000, 1000), EAGAIN);
	must(set(file, 1, F_RDLCK, 1000, 1000));
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_LOCKED), 2);
	ck_assert_uint_eq(user_charged(&host.users, BERT, USER_LOCKED), 1);
	lock_drop_file(file->channel, FH);
	must(set(file, 2, F_WRLCK, 0, LOCK_END));
	lock_drop_owner(file->channel, 2);
	object_close(file);
}
END_TEST

START_TEST(test_lock_beyond_the_limit_goes_on)
{
	struct file *file = open_queue();

	must(set(file, 1, F_WRLCK, 0, 0));
	host.users.limits[USER_LOCKED] = 0;
	file = restart(file);
	must_fail(set(file, 2, F_WRLCK, 0, 0), ENOLCK);
	ck_assert_int_eq(type_of(file, 1, 0), F_WRLCK);
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

START_TEST(test_lock_of_a_closed_file_ends)
{
	struct file *file = open_queue();
	struct lock lock = lock_of(1, F_WRLCK, 0, 9);

	lock.file = CLOSED_FH;
	must(lock_set(file, &lock));
	file = restart(file);
	ck_assert_uint_eq(n_records(), 0);
	must(set(file, 2, F_WRLCK, 0, 9));
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

/* The object can't be adopted. */
START_TEST(test_lock_of_a_lost_object_ends)
{
	struct file *file = open_queue();

	must(set(file, 1, F_WRLCK, 0, 9));
	file->channel->record->words[0]++;
	ck_assert_ptr_null(restart(file));
	ck_assert_uint_eq(n_records(), 0);
}
END_TEST

/* Killed when it had made room for a lock. */
START_TEST(test_lock_room_ends)
{
	struct file *file = open_queue();
	struct lock lock = lock_of(1, F_WRLCK, 0, 9);
	struct lock_room room;

	must(lock_room_make(file->channel, &lock, &room));
	file = restart(file);
	ck_assert_uint_eq(n_records(), 0);
	object_close(file);
}
END_TEST

START_TEST(test_lock_of_flock_goes_on)
{
	struct file *file = open_queue();
	struct lock lock = lock_of(1, F_WRLCK, 0, LOCK_END);

	lock.is_flock = true;
	must(lock_set(file, &lock));
	file = restart(file);
	lock.owner = 2;
	must_fail(lock_set(file, &lock), EAGAIN);
	must(set(file, 2, F_WRLCK, 0, 9)); /* the other sort */
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

/*
 * A change that was cut short: the records as they were before, and the new lock already added.
 */
struct change {
	int64_t old_type, old_first, old_last;
	int64_t new_type, new_first, new_last;
};

static const struct change changes[] = {
	{F_RDLCK, 0, 20, F_WRLCK, 5, 9},   /* splits */
	{F_RDLCK, 0, 20, F_WRLCK, 0, 20},  /* replaces */
	{F_WRLCK, 0, 20, F_RDLCK, 10, 30}, /* cuts the end */
	{F_WRLCK, 10, 20, F_RDLCK, 5, 10}, /* cuts the beginning */
	{F_RDLCK, 0, 9, F_RDLCK, 10, 19},  /* joins */
	{F_RDLCK, 0, 9, F_RDLCK, 3, 4},    /* is in it */
};
enum { N_CHANGES = sizeof(changes) / sizeof(changes[0]) };

/* Adds the new lock as lock_table_apply() does, and is killed. */
static void add_new(struct file *file, const struct lock *lock)
{
	struct lock_record *record;
	uint64_t id;

	must(slots_add(&host.locks, file, &id));
	record = slots_record(&host.locks, id);
	record->lock = *lock;
	record->order = 1000;
	record->is_new = true;
	record->object = file->channel->id;
}

START_TEST(test_lock_change_cut_short_is_ended)
{
	const struct change *change = &changes[_i];
	struct file *file = open_queue();
	struct lock lock = lock_of(1, change->new_type, change->new_first, change->new_last);

	must(set(file, 1, change->old_type, change->old_first, change->old_last));
	add_new(file, &lock);
	file = restart(file);
	for (int64_t i = 0; i < 40; i++) {
		short expected = i >= change->new_first && i <= change->new_last ? change->new_type
				 : i >= change->old_first && i <= change->old_last
					 ? change->old_type
					 : F_UNLCK;

		ck_assert_int_eq(type_of(file, 1, i), expected);
	}
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_LOCKED), n_records());
	must(set(file, 1, F_UNLCK, 0, LOCK_END));
	ck_assert_uint_eq(n_records(), 0);
	object_close(file);
}
END_TEST

/* Killed when a part of a lock was unlocked, with the end added and the lock not yet cut. */
START_TEST(test_lock_split_cut_short_loses_nothing)
{
	struct file *file = open_queue();
	struct lock end = lock_of(1, F_RDLCK, 10, 20);

	must(set(file, 1, F_RDLCK, 0, 20));
	add_new(file, &end);
	file = restart(file);
	ck_assert_uint_eq(n_records(), 1);
	for (int64_t i = 0; i <= 20; i++)
		ck_assert_int_eq(type_of(file, 1, i), F_RDLCK);
	must(set(file, 1, F_UNLCK, 5, 9)); /* it comes again */
	ck_assert_uint_eq(n_records(), 2);
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

static void copy_types(const struct file *file, short types[OWNERS][BYTES])
{
	for (uint64_t owner = 1; owner <= OWNERS; owner++)
		for (int i = 0; i < BYTES; i++)
			types[owner - 1][i] = type_of(file, owner, i);
}

START_TEST(test_lock_table_is_the_same_after_a_restart)
{
	struct file *file = open_queue();
	short before[OWNERS][BYTES], after[OWNERS][BYTES];
	const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};

	srand(1);
	for (int i = 0; i < STEPS; i++) {
		int first = rand() % BYTES, last = first + rand() % (BYTES - first);
		size_t n;

		set(file, 1 + (uint64_t)(rand() % OWNERS), types[rand() % 3], first, last);
		if (rand() % 10)
			continue;
		copy_types(file, before);
		n = n_records();
		file = restart(file);
		copy_types(file, after);
		ck_assert_mem_eq(before, after, sizeof(before));
		ck_assert_uint_eq(n_records(), n);
	}
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

static struct file *open_region(void)
{
	features_found(&host.features, FEATURE_PASSTHROUGH, true);
	return object_make_open(adopt_open(&shm_kind), "r", O_RDWR);
}

static void keep(void *data, int fd)
{
	adopt_own(fd);
	*(int *)data = fd;
}

/* Whether a native program could lock the region. */
static bool is_free(bool is_flock)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
	int fd = (int)must_call(open("/dev/shm/r", O_RDWR | O_CLOEXEC));
	bool is_locked =
		is_flock ? flock(fd, LOCK_EX | LOCK_NB) < 0 : fcntl(fd, F_OFD_SETLK, &lock) < 0;

	close(fd);
	return !is_locked;
}

/* By _i, the lock is of fcntl(2) or of flock(2). */
START_TEST(test_lock_of_a_region_keeps_its_file)
{
	struct file *file = open_region();
	struct lock lock = lock_of(1, F_WRLCK, 0, LOCK_END);
	int fd = -1;

	lock.is_flock = _i;
	must(lock_set(file, &lock));
	lock_files_find(host_state, keep, &fd);
	ck_assert_int_ge(fd, 0);
	file = restart(file);
	ck_assert(!is_free(_i));
	lock.owner = 2;
	must_fail(lock_set(file, &lock), EAGAIN);
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_DESCRIPTORS), 1);
	lock_drop_file(file->channel, FH);
	ck_assert(is_free(_i));
	object_close(file);
}
END_TEST

START_TEST(test_lock_of_a_closed_region_ends)
{
	struct file *file = open_region();
	struct lock lock = lock_of(1, F_WRLCK, 0, 9);
	int fd = -1;

	lock.file = CLOSED_FH;
	must(lock_set(file, &lock));
	lock_files_find(host_state, keep, &fd);
	file = restart(file);
	host_stop_workers(&host); /* one of them closes it */
	ck_assert(is_free(false));
	object_close(file);
}
END_TEST

/*
 * Killed between the kernel's lock and the table: whoever asked for it asks again, and has it.
 */
START_TEST(test_lock_of_a_region_not_noted_is_given_again)
{
	struct file *file = open_region();
	struct lock lock = lock_of(1, F_WRLCK, 0, 9);
	int fd = -1;

	must(lock_set(file, &lock));
	slots_remove(&host.locks, slots_next(&host.locks, 0));
	lock_files_find(host_state, keep, &fd);
	file = restart(file);
	ck_assert(!is_free(false));
	must(lock_set(file, &lock));
	ck_assert_uint_eq(n_records(), 1);
	lock_drop_owner(file->channel, 1);
	ck_assert(is_free(false));
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_locks");

	suite_add(suite, "table",
		  (const TTest *const[]){
			  test_lock_goes_on,
			  test_lock_beyond_the_limit_goes_on,
			  test_lock_of_a_closed_file_ends,
			  test_lock_of_a_lost_object_ends,
			  test_lock_room_ends,
			  test_lock_of_flock_goes_on,
			  test_lock_split_cut_short_loses_nothing,
			  test_lock_table_is_the_same_after_a_restart,
			  NULL,
		  });
	suite_add_loop(suite, "changes",
		       (const TTest *const[]){test_lock_change_cut_short_is_ended, NULL},
		       N_CHANGES);
	suite_add(suite, "files",
		  (const TTest *const[]){
			  test_lock_of_a_closed_region_ends,
			  test_lock_of_a_region_not_noted_is_given_again,
			  NULL,
		  });
	suite_add_loop(suite, "sorts",
		       (const TTest *const[]){test_lock_of_a_region_keeps_its_file, NULL}, 2);
	return suite_run(suite);
}
