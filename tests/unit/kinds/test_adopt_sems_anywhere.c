/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills the daemon of a semaphore after any store or change of its value, again and again: each
 * unit is granted once. Only between the change of the value and the very next instruction, which
 * notes it, a unit that was taken is lost, and units that were posted are posted again. So it is
 * with a list for a set of semaphores, which is performed again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sem.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/sem_units.h"
#include "lib/kinds/posix/semaphores.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

#define SET_NAME "0x000004d2"
#define SET_KEY  0x4d2

enum { N_TRIALS = 20, WORD_N_POSTS = 3 /* in object_record::words */ };

/* What the client was answered. */
static struct shared {
	bool is_given, is_written;
} * shared;

static struct file *file;
static unsigned n_units; /* that must be there */
static unsigned n_added; /* by the write under way */
static uint64_t n_posts; /* before it */
static char number[32];

static unsigned value(void)
{
	return semaphore_value(sem_from(file->channel)->semaphore);
}

static uint64_t posts_noted(void)
{
	return file->channel->record->words[WORD_N_POSTS];
}

static bool is_same(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

static bool has_changed(void)
{
	static struct {
		struct journal journal;
		uint64_t words[OBJECT_WORDS];
		unsigned value;
		struct shared shared;
	} now, former;

	former = now;
	memset(&now, 0, sizeof(now));
	memcpy(&now.journal, host.journal, offsetof(struct journal, old_name));
	memcpy(now.words, file->channel->record->words, sizeof(now.words));
	now.value = value();
	now.shared = *shared;
	return !is_same(&now, &former, sizeof(now));
}

static void read_once(void)
{
	const void *data;

	if (channel_read(file, 100, 0, &data) < 0)
		return;
	__atomic_store_n(&shared->is_given, true, __ATOMIC_SEQ_CST);
	channel_given(file, true);
}

static void write_once(void)
{
	journal_write(file, 0);
	ck_assert_int_eq(channel_write(file, number, strlen(number), 0), strlen(number));
	__atomic_store_n(&shared->is_written, true, __ATOMIC_SEQ_CST);
	journal_write_end(&host);
}

static void serve(void *writes)
{
	if (*(bool *)writes)
		write_once();
	else
		read_once();
}

/* What has happened to the semaphore, and nobody can know. */
static void expect_unknown(bool writes)
{
	if (!writes && value() + 1 == n_units && !host.journal->word)
		n_units--;
	if (writes && value() == n_units + n_added && posts_noted() == n_posts)
		n_units += n_added;
}

/* The next daemon adopts, and gets the request again if it was not answered. */
static void adopt(bool writes, uint64_t request)
{
	bool is_again = !shared->is_given && !shared->is_written;

	if (is_again) {
		expect_unknown(writes);
		adopt_again(request);
	}
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	journal_take_up(&host, request);
	if (is_again && writes && journal_done(&host, request) != SIZE_MAX)
		write_once();
	if (is_again && !writes)
		read_once();
	n_units += n_added;
	n_units -= shared->is_given;
	ck_assert_uint_eq(value() + sem_n_units(sem_from(file->channel)), n_units);
}

static void begin_trial(bool writes)
{
	memset(shared, 0, sizeof(*shared));
	n_posts = posts_noted();
	n_added = writes ? 1 + (unsigned)random() % 3 : 0;
	snprintf(number, sizeof(number), "%u\n", n_added);
}

static void share(void)
{
	adopt_share();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void make(void)
{
	share();
	file = object_make_open(adopt_open(&sem_kind), "s", O_RDWR);
	n_units = value();
}

START_TEST(test_adopt_sems_anywhere_each_unit_is_granted_once)
{
	long most[2] = {8, 8}; /* of a read, and of a write */
	uint64_t request = 1000;

	srandom((unsigned)_i + 1);
	make();
	for (int i = 0; i < N_TRIALS; i++) {
		bool writes = random() % 2;
		long n;

		begin_trial(writes);
		journal_take_up(&host, request += 2);
		n = adopt_kill(serve, &writes, has_changed, random() % most[writes]);
		adopt(writes, request);
		if (n + 2 > most[writes])
			most[writes] = n + 2;
	}
	object_close(file);
	munmap(shared, sizeof(*shared));
}
END_TEST

static unsigned set_value(void)
{
	int id = (int)must_call(semget(SET_KEY, 0, 0));

	return (unsigned)must_call(semctl(id, 0, GETVAL));
}

static uint64_t noted(void)
{
	const struct journal *journal = host.journal;

	return journal->accepted_whole[journal->request / 2 % JOURNAL_ACCEPTED];
}

static bool set_has_changed(void)
{
	static struct {
		struct journal journal;
		uint64_t noted, mark;
		unsigned value;
		struct shared shared;
	} now, former;

	former = now;
	memset(&now, 0, sizeof(now));
	memcpy(&now.journal, host.journal, offsetof(struct journal, old_name));
	now.noted = noted();
	now.mark = file->record->mark;
	now.value = set_value();
	now.shared = *shared;
	return !is_same(&now, &former, sizeof(now));
}

/* Returns how often the list has been performed, at most, when it has been written again. */
static unsigned adopt_set(unsigned before, uint64_t request)
{
	bool is_again = !shared->is_written;
	bool is_unknown = is_again && set_value() != before && noted() != request;

	if (is_again)
		adopt_again(request);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	journal_take_up(&host, request);
	if (is_again && journal_done(&host, request) != SIZE_MAX)
		write_once();
	return 1 + is_unknown;
}

START_TEST(test_adopt_sems_anywhere_a_list_is_performed)
{
	uint64_t request = 1000;
	bool writes = true;
	long most = 8;

	srandom((unsigned)_i + 1);
	share();
	file = object_make_open(adopt_open(&sysv_sem_kind), SET_NAME, O_RDWR);
	for (int i = 0; i < N_TRIALS; i++) {
		unsigned before = set_value(), times;
		long n;

		begin_trial(true);
		snprintf(number, sizeof(number), "0 +%u", n_added);
		journal_take_up(&host, request += 2);
		n = adopt_kill(serve, &writes, set_has_changed, random() % most);
		times = adopt_set(before, request);
		ck_assert_uint_eq(set_value(), before + times * n_added);
		if (n + 2 > most)
			most = n + 2;
	}
	object_close(file);
	munmap(shared, sizeof(*shared));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_sems_anywhere");

	suite_add_loop(suite, "sems",
		       (const TTest *const[]){test_adopt_sems_anywhere_each_unit_is_granted_once,
					      test_adopt_sems_anywhere_a_list_is_performed, NULL},
		       2);
	return suite_run(suite);
}
