/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills the daemon of a topic after any store, again and again, beside a model of who has been
 * given what. A forked process is the daemon: it does one thing, step by step, until it is killed.
 * What clients were answered until then is in memory that it shares.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_TRIALS = 60, N_READERS = 3, SIZE_MOST = 400, N_MESSAGES = 2 * N_TRIALS };

/* A read, as the client sees it. */
struct answer {
	bool is_given;
	ssize_t size;
	char data[SIZE_MOST];
};

/* What clients were answered by the daemon. */
static struct shared {
	struct answer answers[N_READERS];
	bool is_written;
} * shared;

/* A client that reads. */
struct client_reader {
	struct file *file;
	size_t next, offset; /* the message to get next, and how much of it was given */
	size_t size;         /* bytes that it reads */
	uint64_t request;    /* that it waits for; 0: none */
	struct transfer transfer;
};

static struct client_reader readers[N_READERS];
static struct file *out;
static size_t sizes[N_MESSAGES], n_sent;
static char message[SIZE_MOST]; /* the next one */
static uint64_t last_request = 1000;

static uint64_t new_request(void)
{
	return last_request += 2;
}

static char byte_of(size_t number, size_t i)
{
	return (char)(number * 31 + i);
}

/* The client has got these bytes. */
static void get(struct client_reader *reader, const char *data, size_t size)
{
	ck_assert_uint_lt(reader->next, n_sent);
	ck_assert_uint_le(reader->offset + size, sizes[reader->next]);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(data[i], byte_of(reader->next, reader->offset + i));
	reader->offset += size;
	if (reader->offset < sizes[reader->next])
		return;
	reader->next++;
	reader->offset = 0;
}

/* Gathers what a read has given, and returns its size. */
static void gather(const struct pieces *pieces, ssize_t n, char *ret_data)
{
	for (int i = 0; n > 0 && i < pieces->n; i++)
		ret_data = mempcpy(ret_data, pieces->iov[i].iov_base, pieces->iov[i].iov_len);
}

/* Reads once, as op_read() does. */
static ssize_t read_once(struct client_reader *reader, struct answer *ret_answer)
{
	struct pieces pieces;
	ssize_t n;

	host.journal->request = reader->request;
	n = channel_lend(reader->file, reader->size, 0, &pieces);
	if (n == -EAGAIN)
		return n;
	gather(&pieces, n, ret_answer->data);
	ret_answer->size = n;
	__atomic_store_n(&ret_answer->is_given, true, __ATOMIC_SEQ_CST);
	channel_take(reader->file, &pieces);
	return n;
}

/* Reads until there is nothing more. */
static void drain(struct client_reader *reader)
{
	struct answer answer;

	reader->size = SIZE_MOST;
	while (read_once(reader, &answer) != -EAGAIN)
		get(reader, answer.data, (size_t)must(answer.size));
	ck_assert_uint_eq(reader->next, n_sent);
	ck_assert_uint_eq(reader->offset, 0);
}

static bool answered(struct transfer *transfer, const void *data, ssize_t result)
{
	const struct client_reader *reader = CONTAINER_OF(transfer, struct client_reader, transfer);
	struct answer *answer = &shared->answers[reader - readers];

	if (result > 0)
		memcpy(answer->data, data, (size_t)result);
	answer->size = result;
	__atomic_store_n(&answer->is_given, true, __ATOMIC_SEQ_CST);
	return true;
}

static void hold(struct client_reader *reader)
{
	reader->transfer = (struct transfer){
		.file = reader->file,
		.request = reader->request,
		.size = reader->size,
		.complete = answered,
	};
	transfer_hold(&reader->transfer);
}

static void write_once(uint64_t request)
{
	host.journal->request = request;
	journal_write(out, 0);
	ck_assert_int_eq(channel_write(out, message, sizes[n_sent], 0), sizes[n_sent]);
	__atomic_store_n(&shared->is_written, true, __ATOMIC_SEQ_CST);
	journal_write_end(&host);
}

/* What the daemon does: a write, while some readers wait; or reads. */
static void serve(void *data)
{
	uint64_t writer = *(uint64_t *)data;

	if (writer)
		write_once(writer);
	else
		for (int i = 0; i < N_READERS; i++)
			if (readers[i].request)
				read_once(&readers[i], &shared->answers[i]);
	loop_run_tasks(loop);
}

/* What a kill between two stores leaves half written. */
struct watched {
	struct journal journal;
	struct topic_record topic;
	struct topic_reader_record readers[N_READERS];
	bool is_given[N_READERS], is_written;
};

static bool is_same(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

/* Looks at it, and returns whether it is no longer as it was. */
static bool has_changed(void)
{
	static struct watched watched;
	const struct watched former = watched;

	memset(&watched, 0, sizeof(watched));
	memcpy(&watched.journal, host.journal, offsetof(struct journal, old_name));
	watched.topic = *topic_from(out->channel)->record;
	for (int i = 0; i < N_READERS; i++) {
		watched.readers[i] = *topic_reader_of(readers[i].file)->record;
		watched.is_given[i] = shared->answers[i].is_given;
	}
	watched.is_written = shared->is_written;
	return !is_same(&watched, &former, sizeof(former));
}

/* The next daemon adopts, and gets the requests that were not answered. */
static void adopt(uint64_t writer)
{
	if (writer && !shared->is_written)
		adopt_again(writer);
	for (int i = 0; i < N_READERS; i++)
		if (readers[i].request && !shared->answers[i].is_given)
			adopt_again(readers[i].request);
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	out = adopted_file(out);
	for (int i = 0; i < N_READERS; i++)
		readers[i].file = adopted_file(readers[i].file);
	if (writer && !shared->is_written && journal_done(&host, writer) != SIZE_MAX)
		write_once(writer);
	n_sent += writer != 0;
	loop_run_tasks(loop);
}

static void begin_trial(bool writes)
{
	memset(shared, 0, sizeof(*shared));
	sizes[n_sent] = 1 + (size_t)random() % SIZE_MOST;
	for (size_t i = 0; i < sizes[n_sent]; i++)
		message[i] = byte_of(n_sent, i);
	for (int i = 0; i < N_READERS; i++) {
		struct client_reader *reader = &readers[i];
		bool is_at_end = reader->next == n_sent;

		reader->size = random() % 4 ? SIZE_MOST : 1 + (size_t)random() % SIZE_MOST;
		reader->request = random() % 3 && writes == is_at_end ? new_request() : 0;
		if (writes && reader->request)
			hold(reader);
	}
}

static void end_trial(void)
{
	for (int i = 0; i < N_READERS; i++) {
		const struct answer *answer = &shared->answers[i];

		if (answer->is_given)
			get(&readers[i], answer->data, (size_t)must(answer->size));
		readers[i].request = 0;
		if (random() % 4 == 0)
			drain(&readers[i]);
	}
}

static void make(uint64_t keep)
{
	struct channel *channel;

	adopt_share();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	channel = object_make_set(adopt_open(&topic_kind), "t", TOPIC_KEEP, keep);
	out = object_open(channel, O_WRONLY);
	for (int i = 0; i < N_READERS; i++)
		readers[i].file = object_open(channel, O_RDONLY);
	object_unref(channel);
}

START_TEST(test_adopt_topics_anywhere_every_reader_gets_every_message_once)
{
	long most[2] = {10, 10}; /* of a read, and of a write */

	srandom((unsigned)_i + 1);
	make(_i % 2 ? 3 : 0);
	for (int i = 0; i < N_TRIALS; i++) {
		bool writes = random() % 3;
		uint64_t writer = writes ? new_request() : 0;
		long n;

		begin_trial(writes);
		n = adopt_kill(serve, &writer, has_changed, random() % most[writes]);
		adopt(writer);
		end_trial();
		if (n + 2 > most[writes])
			most[writes] = n + 2;
	}
	for (int i = 0; i < N_READERS; i++) {
		drain(&readers[i]);
		object_close(readers[i].file);
	}
	object_close(out);
	munmap(shared, sizeof(*shared));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_topics_anywhere");

	suite_add_loop(
		suite, "topics",
		(const TTest *const[]){
			test_adopt_topics_anywhere_every_reader_gets_every_message_once, NULL},
		4);
	return suite_run(suite);
}
