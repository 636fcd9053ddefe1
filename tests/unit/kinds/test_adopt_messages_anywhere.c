/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills the daemon of a served pipe or a queue after any store or change in the kernel, again and
 * again: what was written is read once and in order. A message whose write was cut short may come
 * twice from a queue.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/msg.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/pipe.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_TRIALS = 25, SIZE_MIN = sizeof(uint32_t), SIZE_MOST = 200, KEY = 0x11 };

/* How many messages are in the kernel. */
static long count_none(void);
static long count_posix(void);
static long count_sysv(void);

static const struct sample {
	const struct kind *kind;
	const char *name;
	long (*count)(void);
	bool may_double;
} samples[] = {
	{&pipe_kind, "p", count_none, false},
	{&queue_kind, "q", count_posix, true},
	{&sysv_queue_kind, "0x11", count_sysv, true},
};
enum { N_SAMPLES = sizeof(samples) / sizeof(*samples) };

/* What the client was answered. */
static struct shared {
	bool is_given, is_written;
	ssize_t size;
	char data[SIZE_MOST];
} * shared;

static const struct sample *sample;
static struct file *file;
static char message[SIZE_MOST]; /* the one to write next */
static size_t sizes[N_TRIALS], n_sent;
static size_t next, offset;   /* the message that the reader gets next, and how much of it it has */
static size_t n_cut, n_twice; /* writes that were killed, and messages that came twice */
static size_t read_size;

static long count_none(void)
{
	return 0;
}

static long count_posix(void)
{
	struct mq_attr attr;

	must_call(mq_getattr(file->channel->record->fds[0], &attr));
	return attr.mq_curmsgs;
}

static long count_sysv(void)
{
	struct msqid_ds ds;
	int id = (int)must_call(msgget(KEY, 0));

	must_call(msgctl(id, IPC_STAT, &ds));
	return (long)ds.msg_qnum;
}

/* A message begins with its number. */
static char byte_of(size_t number, size_t i)
{
	return (char)(i < sizeof(uint32_t) ? (uint32_t)number >> (8 * i) : number * 31 + i);
}

static bool is_same(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

static bool has_changed(void)
{
	static struct {
		struct journal journal;
		uint64_t words[OBJECT_WORDS], accepted, rest, rest_size;
		struct store_record store;
		long count;
		bool is_given, is_written;
	} now, former;
	const struct journal *journal = host.journal;

	former = now;
	memset(&now, 0, sizeof(now));
	memcpy(&now.journal, journal, offsetof(struct journal, old_name));
	now.accepted = journal->accepted_whole[journal->request / 2 % JOURNAL_ACCEPTED];
	memcpy(now.words, file->channel->record->words, sizeof(now.words));
	now.rest = file->record->rest;
	now.rest_size = file->record->rest_size;
	if (sample->kind == &pipe_kind)
		now.store = *pipe_from(file->channel)->store.record;
	now.count = sample->count();
	now.is_given = shared->is_given;
	now.is_written = shared->is_written;
	return !is_same(&now, &former, sizeof(now));
}

/* Reads once, as op_read() does. */
static void read_once(void)
{
	struct pieces pieces;
	ssize_t n = channel_lend(file, read_size, 0, &pieces);
	char *end = shared->data;

	if (n == -EAGAIN)
		return;
	for (int i = 0; n > 0 && i < pieces.n; i++)
		end = mempcpy(end, pieces.iov[i].iov_base, pieces.iov[i].iov_len);
	shared->size = n;
	__atomic_store_n(&shared->is_given, true, __ATOMIC_SEQ_CST);
	channel_take(file, &pieces);
}

/* Writes the rest of the message, as op_write() does. */
static void write_once(size_t done)
{
	journal_write(file, done);
	journal_resumed(&host);
	while (done < sizes[n_sent])
		done += (size_t)must(channel_write(file, message + done, sizes[n_sent] - done, 0));
	__atomic_store_n(&shared->is_written, true, __ATOMIC_SEQ_CST);
	journal_write_end(&host);
}

static void serve(void *writes)
{
	if (*(bool *)writes)
		write_once(0);
	else
		read_once();
}

/* Whether the data begins with the message before the expected one. */
static bool comes_twice(const char *data, size_t size)
{
	for (size_t i = 0; i < SIZE_MIN && i < size; i++)
		if (data[i] != byte_of(next - 1, i))
			return false;
	return sample->may_double && next > 0 && offset == 0;
}

/* The client has got what is in `shared`. */
static void get(void)
{
	size_t size = shared->is_given ? (size_t)must(shared->size) : 0;

	if (size > 0 && comes_twice(shared->data, size)) {
		n_twice++;
		next--;
	}
	for (size_t i = 0; i < size; i++) {
		ck_assert_uint_lt(next, n_sent);
		ck_assert_msg(shared->data[i] == byte_of(next, offset), "message %zu, byte %zu",
			      next, offset);
		if (++offset == sizes[next]) {
			next++;
			offset = 0;
		}
	}
}

/* The next daemon adopts, and gets the request again if it was not answered. */
static void adopt(bool writes, uint64_t request)
{
	bool is_again = !shared->is_given && !shared->is_written;
	size_t done = 0;

	if (is_again)
		adopt_again(request);
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
	journal_take_up(&host, request);
	if (is_again && writes)
		done = journal_done(&host, request);
	if (is_again && writes && done < sizes[n_sent])
		write_once(done);
	if (is_again && !writes)
		read_once();
	n_cut += is_again && writes;
	n_sent += writes;
	get();
}

static void make(void)
{
	adopt_share();
	host.pipes.by_daemon = true;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	file = object_make_open(adopt_open(sample->kind), sample->name, O_RDWR);
}

/* A write only while there is room for the message and its double. */
static bool begin_trial(void)
{
	bool writes = sample->count() + 2 <= QUEUE_MESSAGES && random() % 2;

	memset(shared, 0, sizeof(*shared));
	read_size = random() % 3 ? SIZE_MOST : SIZE_MIN + (size_t)random() % SIZE_MOST;
	if (read_size > SIZE_MOST)
		read_size = SIZE_MOST;
	if (!writes)
		return false;
	sizes[n_sent] = SIZE_MIN + (size_t)random() % (SIZE_MOST - SIZE_MIN);
	for (size_t i = 0; i < sizes[n_sent]; i++)
		message[i] = byte_of(n_sent, i);
	return true;
}

START_TEST(test_adopt_messages_anywhere_what_is_written_is_read_once)
{
	long most[2] = {8, 8}; /* of a read, and of a write */
	uint64_t request = 1000;

	srandom((unsigned)_i + 1);
	sample = &samples[_i];
	make();
	for (int i = 0; i < N_TRIALS; i++) {
		bool writes = begin_trial();
		long n;

		journal_take_up(&host, request += 2);
		n = adopt_kill(serve, &writes, has_changed, random() % most[writes]);
		adopt(writes, request);
		if (n + 2 > most[writes])
			most[writes] = n + 2;
	}
	read_size = SIZE_MOST;
	do {
		memset(shared, 0, sizeof(*shared));
		read_once();
		get();
	} while (shared->is_given);
	ck_assert_uint_eq(next, n_sent);
	ck_assert_uint_eq(offset, 0);
	ck_assert_uint_le(n_twice, n_cut);
	object_close(file);
	munmap(shared, sizeof(*shared));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_messages_anywhere");

	suite_add_loop(suite, "messages",
		       (const TTest *const[]){
			       test_adopt_messages_anywhere_what_is_written_is_read_once, NULL},
		       N_SAMPLES);
	return suite_run(suite);
}
