/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of locks against a model, which has the type of each owner's lock on each byte of a
 * short object. After every step the table and the model agree on every byte, and the table has no
 * more records than needed.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "lib/channel/lock_table.h"
#include "tests/unit/fixture.h"
#include "tests/unit/toy.h"

enum { BYTES = 24, OWNERS = 3, STEPS = 4000, ANNA = 1001 };

static short model[OWNERS][BYTES];
static struct toy *toy;

static struct lock random_lock(void)
{
	static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
	int first = rand() % BYTES, n = 1 + rand() % (BYTES - first);

	return (struct lock){
		.owner = 1 + (uint64_t)(rand() % OWNERS),
		.first = first,
		.last = first + n - 1,
		.type = types[rand() % 3],
		.uid = ANNA,
	};
}

static bool model_conflicts(const struct lock *lock)
{
	for (int owner = 0; owner < OWNERS; owner++)
		for (int64_t i = lock->first; i <= lock->last; i++) {
			short theirs = model[owner][i];

			if ((uint64_t)owner + 1 != lock->owner && theirs != F_UNLCK &&
			    (theirs == F_WRLCK || lock->type == F_WRLCK))
				return true;
		}
	return false;
}

/* Returns the number of runs of bytes that one owner has locked in the same way. */
static size_t model_runs(void)
{
	size_t n = 0;

	for (int owner = 0; owner < OWNERS; owner++)
		for (int i = 0; i < BYTES; i++)
			n += model[owner][i] != F_UNLCK &&
			     (i == 0 || model[owner][i - 1] != model[owner][i]);
	return n;
}

static void apply(const struct lock *lock)
{
	struct lock_room room;

	must(lock_room_make(&toy->channel, lock, &room));
	lock_table_apply(&toy->channel, lock, &room);
	for (int64_t i = lock->first; i <= lock->last; i++)
		model[lock->owner - 1][i] = lock->type;
}

/*
 * Compares the answers to one lock. *blocker is the number of the lock that was in its way earlier,
 * and is updated if that lock no longer is.
 */
static void compare_one(const struct lock *ask, uint64_t *blocker)
{
	bool conflicts = model_conflicts(ask);

	ck_assert_int_eq(lock_table_conflict(&toy->channel, ask) != NULL, conflicts);
	if (lock_table_blocks(&toy->channel, *blocker, ask)) {
		ck_assert(conflicts);
		return;
	}
	*blocker = lock_table_blocker(&toy->channel, ask);
	ck_assert_int_eq(*blocker != 0, conflicts);
	ck_assert_int_eq(lock_table_blocks(&toy->channel, *blocker, ask), conflicts);
}

static void compare(void)
{
	static uint64_t blockers[OWNERS][BYTES][2];

	for (uint64_t owner = 1; owner <= OWNERS; owner++)
		for (int i = 0; i < BYTES; i++) {
			struct lock ask = {.owner = owner, .first = i, .last = i, .type = F_WRLCK};

			compare_one(&ask, &blockers[owner - 1][i][0]);
			ask.type = F_RDLCK;
			compare_one(&ask, &blockers[owner - 1][i][1]);
		}
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_LOCKED), model_runs());
}

START_TEST(test_lock_table_is_as_the_model)
{
	toy = toy_new(&toy_stream);
	for (int owner = 0; owner < OWNERS; owner++)
		for (int i = 0; i < BYTES; i++)
			model[owner][i] = F_UNLCK;
	srand(1);
	for (int i = 0; i < STEPS; i++) {
		struct lock lock = random_lock();
		bool is_free = lock.type == F_UNLCK || !model_conflicts(&lock);

		if (lock.type != F_UNLCK)
			ck_assert_int_eq(!lock_table_conflict(&toy->channel, &lock), is_free);
		if (is_free)
			apply(&lock);
		compare();
	}
	for (uint64_t owner = 1; owner <= OWNERS; owner++)
		apply(&(struct lock){
			.owner = owner, .last = BYTES - 1, .type = F_UNLCK, .uid = ANNA});
	ck_assert_uint_eq(toy->channel.locks, 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_lock_table_up_to_the_end)
{
	struct lock all = {.owner = 1, .last = LOCK_END, .type = F_WRLCK, .uid = ANNA};
	struct lock middle = {.owner = 1, .first = 5, .last = 9, .type = F_UNLCK, .uid = ANNA};
	struct lock ask = {.owner = 2, .first = LOCK_END, .last = LOCK_END, .type = F_RDLCK};
	struct lock_room room;

	toy = toy_new(&toy_stream);
	must(lock_room_make(&toy->channel, &all, &room));
	lock_table_apply(&toy->channel, &all, &room);
	must(lock_room_make(&toy->channel, &middle, &room));
	lock_table_apply(&toy->channel, &middle, &room);
	ck_assert_ptr_nonnull(lock_table_conflict(&toy->channel, &ask));
	ask.first = 5;
	ask.last = 9;
	ck_assert_ptr_null(lock_table_conflict(&toy->channel, &ask));
	all.type = F_UNLCK;
	must(lock_room_make(&toy->channel, &all, &room));
	lock_table_apply(&toy->channel, &all, &room);
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_LOCKED), 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

/* A refused lock changes nothing, and a lock that is held can be released. */
START_TEST(test_lock_table_no_room_enolck)
{
	struct lock lock = {.owner = 1, .last = 9, .type = F_WRLCK, .uid = ANNA};
	struct lock middle = {.owner = 1, .first = 5, .last = 5, .type = F_RDLCK, .uid = ANNA};
	struct lock_room room;

	toy = toy_new(&toy_stream);
	host.users.limits[USER_LOCKED] = 2;
	must(lock_room_make(&toy->channel, &lock, &room));
	lock_table_apply(&toy->channel, &lock, &room);
	ck_assert_int_eq(lock_room_make(&toy->channel, &middle, &room), -ENOLCK);
	ck_assert_uint_eq(user_charged(&host.users, ANNA, USER_LOCKED), 1);
	lock.type = F_UNLCK;
	must(lock_room_make(&toy->channel, &lock, &room));
	lock_table_apply(&toy->channel, &lock, &room);
	ck_assert_uint_eq(toy->channel.locks, 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock table");

	suite_add(suite, "table",
		  (const TTest *const[]){
			  test_lock_table_is_as_the_model,
			  test_lock_table_up_to_the_end,
			  test_lock_table_no_room_enolck,
			  NULL,
		  });
	return suite_run(suite);
}
