/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills the daemon after any store of a change of locks, again and again. Until the change is made
 * again, its owner has each byte as before or as after it; all others have what they had.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "lib/channel/lock_table.h"
#include "lib/channel/locks.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_TRIALS = 30, N_OWNERS = 2, FH = 7, BYTES = 16, MEMORY = 8192 };

static struct file *file;
static short types[N_OWNERS][BYTES]; /* the model */

static bool is_open(struct host *host_, uint64_t fh)
{
	return fh == FH;
}

static bool has_changed(void)
{
	static char now[MEMORY], former[MEMORY];
	static uint32_t n_now, n_former;
	size_t size;

	memcpy(former, now, sizeof(now));
	n_former = n_now;
	memcpy(now, state_table(host_state, STATE_LOCKS, &size), sizeof(now));
	n_now = *host.locks.used;
	return n_now != n_former || memcmp(now, former, sizeof(now)) != 0;
}

static void serve(void *lock)
{
	must(lock_set(file, lock));
}

/* Returns how the owner has locked the byte. */
static short type_of(uint64_t owner, int64_t byte)
{
	for (uint64_t id = file->channel->locks; id;) {
		const struct lock_record *record = slots_record(&host.locks, id);
		const struct lock *theirs = &record->lock;

		if (theirs->owner == owner && theirs->first <= byte && theirs->last >= byte)
			return theirs->type;
		id = record->next;
	}
	return F_UNLCK;
}

static bool is_in_the_way(const struct lock *lock)
{
	return lock_table_conflict(file->channel, lock) && lock->type != F_UNLCK;
}

static void adopt(void)
{
	adopt_restart();
	host.users.is_adopting = true;
	must(locks_adopt(&host, is_open));
	host.users.is_adopting = false;
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
}

/* The change by `lock` may have been made, or not, for each byte. */
static void expect_either(const struct lock *lock)
{
	for (int owner = 0; owner < N_OWNERS; owner++)
		for (int i = 0; i < BYTES; i++) {
			bool is_meant = (uint64_t)owner + 1 == lock->owner && i >= lock->first &&
					i <= lock->last;
			short type = type_of((uint64_t)owner + 1, i);

			ck_assert_msg(type == types[owner][i] || (is_meant && type == lock->type),
				      "owner %d, byte %d: %d, not %d", owner, i, type,
				      types[owner][i]);
		}
}

static void expect_all(void)
{
	for (int owner = 0; owner < N_OWNERS; owner++)
		for (int i = 0; i < BYTES; i++)
			ck_assert_int_eq(type_of((uint64_t)owner + 1, i), types[owner][i]);
}

static struct lock choose(void)
{
	static const short choices[] = {F_RDLCK, F_WRLCK, F_UNLCK};
	int64_t first = random() % BYTES;

	return (struct lock){
		.owner = 1 + (uint64_t)random() % N_OWNERS,
		.file = FH,
		.first = first,
		.last = first + random() % (BYTES - first),
		.type = choices[random() % 3],
	};
}

START_TEST(test_adopt_locks_anywhere_nobody_loses_one)
{
	long most = 8;

	srandom((unsigned)_i + 1);
	for (int i = 0; i < BYTES; i++)
		types[0][i] = types[1][i] = F_UNLCK;
	adopt_share();
	file = object_make_open(adopt_open(&queue_kind), "q", O_RDWR);
	for (int i = 0; i < N_TRIALS; i++) {
		struct lock lock = choose();
		long n;

		if (is_in_the_way(&lock))
			continue;
		n = adopt_kill(serve, &lock, has_changed, random() % most);
		adopt();
		expect_either(&lock);
		must(lock_set(file, &lock));
		for (int64_t byte = lock.first; byte <= lock.last; byte++)
			types[lock.owner - 1][byte] = lock.type;
		expect_all();
		if (n + 2 > most)
			most = n + 2;
	}
	lock_drop_file(file->channel, FH);
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_locks_anywhere");

	suite_add_loop(suite, "locks",
		       (const TTest *const[]){test_adopt_locks_anywhere_nobody_loses_one, NULL}, 2);
	return suite_run(suite);
}
