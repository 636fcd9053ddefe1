/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight writing and eight reading processes on one pipe and one queue, a million messages each.
 * Every message arrives exactly once and whole, and each reader sees each writer's messages in
 * order. Also large writes to a pipe, which other writers' bytes must not split.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	N_WRITERS = 8,
	N_READERS = 8,
	N_EACH = 125000,
	N_EACH_INTERRUPTED = 20000,
	N_MAX = N_WRITERS * N_EACH,
	LAST = 0xff, /* in place of the writer: the message ends a reader */
};

struct record {
	uint32_t writer;
	uint32_t sequence;
	unsigned char fill[56];
};

/* Shared by all processes: a bit for each record that has arrived, and counts of what was wrong. */
struct tally {
	pthread_barrier_t all_open;
	const char *name;
	uint32_t n_each;
	bool is_interrupted; /* whether a signal interrupts each process every millisecond */
	_Atomic long n_interrupts;
	_Atomic uint64_t arrived[(N_MAX + 63) / 64];
	_Atomic long n_arrived;
	_Atomic long n_twice;
	_Atomic long n_disordered;
	_Atomic long n_damaged;
	_Atomic int next_writer;
};

static void *shared_new(size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(shared, MAP_FAILED);
	return shared;
}

static struct tally *tally_new(const char *name, uint32_t n_each, bool is_interrupted)
{
	struct tally *tally = shared_new(sizeof(*tally));
	pthread_barrierattr_t attr;

	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&tally->all_open, &attr, N_WRITERS + N_READERS);
	tally->name = name;
	tally->n_each = n_each;
	tally->is_interrupted = is_interrupted;
	return tally;
}

static unsigned char fill_byte(const struct record *record)
{
	return (unsigned char)(record->writer * 31 + record->sequence * 7 + 1);
}

/* Queue messages differ in length, so that a message that is cut or mixed with another shows. */
static size_t record_size(const struct record *record, const char *name)
{
	if (name == channel_names[PIPE])
		return sizeof(*record);
	return offsetof(struct record, fill) +
	       (record->writer + record->sequence) % sizeof(record->fill);
}

/*
 * Waits until all processes have opened the channel, and only then lets signals interrupt this one.
 */
static void tally_begin(struct tally *tally)
{
	const struct itimerval each = {{0, 1000}, {0, 1000}};

	pthread_barrier_wait(&tally->all_open);
	if (!tally->is_interrupted)
		return;
	signal_interrupts(SIGALRM);
	setitimer(ITIMER_REAL, &each, NULL);
}

static bool is_interrupt(struct tally *tally, ssize_t n)
{
	if (n >= 0 || errno != EINTR || !tally->is_interrupted)
		return false;
	tally->n_interrupts++;
	return true;
}

static int writer_run(void *arg)
{
	struct tally *tally = arg;
	struct record record = {.writer = (uint32_t)tally->next_writer++};
	int fd = open(ipc_path(tally->name), O_WRONLY);

	tally_begin(tally);
	for (; record.sequence < tally->n_each; record.sequence++) {
		size_t size = record_size(&record, tally->name);
		ssize_t n;

		memset(record.fill, fill_byte(&record), sizeof(record.fill));
		while (is_interrupt(tally, n = write(fd, &record, size)))
			;
		if (n != (ssize_t)size)
			return errno ? errno : EIO;
	}
	return 0;
}

static bool record_is_whole(const struct record *record, size_t size, const char *name)
{
	if (size < offsetof(struct record, fill) || record->writer >= N_WRITERS ||
	    record->sequence >= N_EACH || size != record_size(record, name))
		return false;
	for (size_t i = 0; i < size - offsetof(struct record, fill); i++)
		if (record->fill[i] != fill_byte(record))
			return false;
	return true;
}

static void tally_record(struct tally *tally, const struct record *record, size_t size,
			 long *last_of_writer)
{
	uint64_t index, bit;

	if (!record_is_whole(record, size, tally->name)) {
		tally->n_damaged++;
		return;
	}
	index = record->writer * (uint64_t)N_EACH + record->sequence;
	bit = UINT64_C(1) << (index % 64);
	if (atomic_fetch_or(&tally->arrived[index / 64], bit) & bit)
		tally->n_twice++;
	else
		tally->n_arrived++;
	if ((long)record->sequence <= last_of_writer[record->writer])
		tally->n_disordered++;
	last_of_writer[record->writer] = (long)record->sequence;
}

static int pipe_reader_run(void *arg)
{
	struct tally *tally = arg;
	static struct record records[256];
	long last_of_writer[N_WRITERS] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int fd = open(ipc_path(tally->name), O_RDONLY);
	ssize_t n;

	tally_begin(tally);
	while ((n = read(fd, records, sizeof(records))) > 0 || is_interrupt(tally, n)) {
		size_t n_records = n < 0 ? 0 : (size_t)n / sizeof(records[0]);

		for (size_t i = 0; i < n_records; i++)
			tally_record(tally, &records[i], sizeof(records[0]), last_of_writer);
		if (n > 0 && (size_t)n % sizeof(records[0]))
			tally->n_damaged++;
	}
	return n < 0 ? errno : 0;
}

static int queue_reader_run(void *arg)
{
	struct tally *tally = arg;
	struct record record;
	long last_of_writer[N_WRITERS] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int fd = open(ipc_path(tally->name), O_RDONLY);
	ssize_t n;

	tally_begin(tally);
	while (is_interrupt(tally, n = read(fd, &record, sizeof(record))) ||
	       (n > 0 && record.writer != LAST))
		if (n > 0)
			tally_record(tally, &record, (size_t)n, last_of_writer);
	return n > 0 ? 0 : errno ? errno : EPIPE;
}

static void must_end(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		ck_assert_msg(child_has_ended(pids[i], 150000), "process %d of %d hangs", i, n);
		ck_assert_int_eq(child_end(pids[i]), 0);
	}
}

static void tally_check(const struct tally *tally)
{
	long n_total = (long)tally->n_each * N_WRITERS;

	ck_assert_msg(tally->n_arrived == n_total && !tally->n_twice && !tally->n_disordered &&
			      !tally->n_damaged,
		      "of %ld: %ld arrived, %ld twice, %ld out of order, %ld damaged", n_total,
		      tally->n_arrived, tally->n_twice, tally->n_disordered, tally->n_damaged);
}

static void run_crowd(struct tally *tally, int (*reader_run)(void *))
{
	const struct record last = {.writer = LAST};
	pid_t writers[N_WRITERS], readers[N_READERS];

	channel_make(tally->name);
	for (int i = 0; i < N_READERS; i++)
		readers[i] = child_start(reader_run, tally);
	for (int i = 0; i < N_WRITERS; i++)
		writers[i] = child_start(writer_run, tally);
	must_end(writers, N_WRITERS);
	for (int i = 0; i < N_READERS && tally->name != channel_names[PIPE]; i++)
		channel_put(tally->name, &last, sizeof(last));
	must_end(readers, N_READERS);
	tally_check(tally);
	ck_assert_int_eq(tally->n_interrupts > 100, tally->is_interrupted);
}

START_TEST(test_concurrency_pipe_million_records_each_once_and_whole)
{
	run_crowd(tally_new(channel_names[PIPE], N_EACH, false), pipe_reader_run);
}
END_TEST

START_TEST(test_concurrency_queue_million_messages_each_once_and_whole)
{
	run_crowd(tally_new(channel_names[QUEUE], N_EACH, false), queue_reader_run);
}
END_TEST

START_TEST(test_concurrency_all_interrupted_each_once_and_whole)
{
	run_crowd(tally_new(channel_names[_i], N_EACH_INTERRUPTED, true),
		  _i == PIPE ? pipe_reader_run : queue_reader_run);
}
END_TEST

/* Large units with small ones between them. Every byte of a unit is the number of its writer. */
enum { N_BIG = 4, N_SMALL = 2, BIG = 100 * 1024, SMALL = 64, N_UNITS = 200 };

/* Writers 1 to N_BIG write big units. */
static size_t unit_size(unsigned char id)
{
	return id <= N_BIG ? BIG : SMALL;
}

static int unit_writer_run(void *arg)
{
	static unsigned char unit[BIG];
	unsigned char id = *(unsigned char *)arg;
	int fd = open(ipc_path("pipes/p"), O_WRONLY);

	memset(unit, id, sizeof(unit));
	for (int i = 0; i < N_UNITS; i++)
		if (write(fd, unit, unit_size(id)) != (ssize_t)unit_size(id))
			return errno ? errno : EIO;
	return 0;
}

struct stream {
	unsigned char id;
	size_t left; /* bytes left of the unit being read */
	long n_units;
	bool is_split;
};

static void stream_add(struct stream *stream, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!stream->left) {
			stream->id = data[i];
			stream->left = unit_size(data[i]);
			stream->n_units++;
		}
		stream->is_split |= data[i] != stream->id;
		stream->left--;
	}
}

START_TEST(test_concurrency_pipe_big_writes_never_split)
{
	static unsigned char ids[N_BIG + N_SMALL], buf[77777];
	struct stream stream = {0};
	pid_t writers[N_BIG + N_SMALL];
	int fd, hold;
	ssize_t n;

	channel_make("pipes/p");
	fd = channel_open("pipes/p", O_RDONLY);
	hold = channel_open("pipes/p", O_WRONLY);
	for (int i = 0; i < N_BIG + N_SMALL; i++) {
		ids[i] = (unsigned char)(i + 1);
		writers[i] = child_start(unit_writer_run, &ids[i]);
	}
	while (stream.n_units < N_UNITS * (N_BIG + N_SMALL) || stream.left) {
		n = must(read(fd, buf, sizeof(buf)));
		ck_assert_int_gt(n, 0);
		stream_add(&stream, buf, (size_t)n);
		ck_assert_msg(!stream.is_split, "unit %ld is split", stream.n_units);
	}
	must_end(writers, N_BIG + N_SMALL);
	must(close(hold));
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("concurrency");
	TCase *tcase = suite_case_served(suite, "concurrency", 170);

	tcase_add_test(tcase, test_concurrency_pipe_million_records_each_once_and_whole);
	tcase_add_test(tcase, test_concurrency_queue_million_messages_each_once_and_whole);
	tcase_add_loop_test(tcase, test_concurrency_all_interrupted_each_once_and_whole, 0,
			    N_CHANNELS);
	tcase_add_test(tcase, test_concurrency_pipe_big_writes_never_split);
	return suite_run(suite);
}
