/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills the daemon of an event after any store or change of the counter, again and again: what was
 * added is read once.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/kinds/event.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_TRIALS = 60, MODE = 1 };

/* What the client was answered. */
static struct shared {
	bool is_given, is_written;
	char text[32];
} * shared;

static struct file *file;
static uint64_t n_added, n_got;
static char number[32]; /* the text to write next */

static bool is_same(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

static bool has_changed(void)
{
	static struct {
		struct journal journal;
		uint64_t words[OBJECT_WORDS], value;
		struct shared shared;
	} now, former;
	bool is_semaphore;

	former = now;
	memset(&now, 0, sizeof(now));
	memcpy(&now.journal, host.journal, offsetof(struct journal, old_name));
	memcpy(now.words, file->channel->record->words, sizeof(now.words));
	must(event_look(event_fd(event_from(file->channel)), &now.value, &is_semaphore));
	now.shared = *shared;
	return !is_same(&now, &former, sizeof(now));
}

static void read_once(void)
{
	const void *data;
	ssize_t n = channel_read(file, sizeof(shared->text), 0, &data);

	if (n < 0)
		return;
	memcpy(shared->text, data, (size_t)n);
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

/* The client has got what is in `shared`. */
static void get(void)
{
	if (shared->is_given)
		n_got += strtoul(shared->text, NULL, 10);
	ck_assert_uint_le(n_got, n_added);
}

/* The next daemon adopts, and gets the request again if it was not answered. */
static void adopt(bool writes, uint64_t request)
{
	bool is_again = !shared->is_given && !shared->is_written;

	if (is_again)
		adopt_again(request);
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	host.journal->request = request;
	if (is_again && writes && journal_done(&host, request) != SIZE_MAX)
		write_once();
	if (is_again && !writes)
		read_once();
	get();
}

static void make(bool is_semaphore)
{
	struct channel *channel;

	adopt_share();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	channel = object_make_set(adopt_open(&event_kind), "e", MODE, is_semaphore);
	file = object_open(channel, O_RDWR);
	object_unref(channel);
}

START_TEST(test_adopt_events_anywhere_what_is_added_is_read_once)
{
	long most[2] = {8, 8}; /* of a read, and of a write */
	uint64_t request = 1000;

	srandom((unsigned)_i + 1);
	make(_i % 2);
	for (int i = 0; i < N_TRIALS; i++) {
		bool writes = random() % 2;
		long n;

		memset(shared, 0, sizeof(*shared));
		host.journal->request = request += 2;
		if (writes) {
			uint64_t value = 1 + (uint64_t)random() % 9;

			n_added += value;
			snprintf(number, sizeof(number), "%lu\n", value);
		}
		n = adopt_kill(serve, &writes, has_changed, random() % most[writes]);
		adopt(writes, request);
		if (n + 2 > most[writes])
			most[writes] = n + 2;
	}
	do {
		memset(shared, 0, sizeof(*shared));
		read_once();
		get();
	} while (shared->is_given);
	ck_assert_uint_eq(n_got, n_added);
	object_close(file);
	munmap(shared, sizeof(*shared));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_events_anywhere");

	suite_add_loop(
		suite, "events",
		(const TTest *const[]){test_adopt_events_anywhere_what_is_added_is_read_once, NULL},
		4);
	return suite_run(suite);
}
