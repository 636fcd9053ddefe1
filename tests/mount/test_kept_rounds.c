/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rounds of writers that come, write and leave, and of readers that come and read to the end, in
 * four patterns, as close together as possible. In between, the daemon takes a write end of its own
 * and gives it up. Nobody may hang, each reader finds an end-of-file, and what was written comes
 * out once and in order. $IPCFS_TEST_ROUNDS sets the number of rounds of each pattern.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* JITTER: microseconds, about as long as an open and a write take. */
enum { SMALL = 3000, BIG = 900000, ROUNDS = 300, JITTER = 80, PERIOD = 113, N_WRITERS = 2 };

struct writer {
	pthread_t thread;
	int id;
	int pieces;
	size_t size; /* the size of each piece */
	unsigned int delay;
	int error;
};

struct reader {
	pthread_t thread;
	unsigned int delay;
	int error;
};

/*
 * How many bytes each writer has sent, and how many of these the readers have taken. Each byte
 * tells which writer it is from.
 */
static unsigned long sent[N_WRITERS], taken[N_WRITERS];
static unsigned int seed;

static unsigned int random_below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

/* Delays by less than any sleep would, to change who comes first. */
static void spin(unsigned int us)
{
	long long end = now_us() + us;

	while (now_us() < end)
		;
}

static unsigned char byte_at(int id, unsigned long position)
{
	return (unsigned char)(id << 7 | (int)(position % PERIOD));
}

static void *writer_run(void *arg)
{
	static unsigned char data[N_WRITERS][BIG];
	struct writer *writer = arg;
	unsigned char *bytes = data[writer->id];
	int fd;

	spin(writer->delay);
	fd = open(ipc_path("pipes/p"), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		writer->error = errno;
	for (int piece = 0; piece < writer->pieces && !writer->error; piece++) {
		for (size_t i = 0; i < writer->size; i++)
			bytes[i] = byte_at(writer->id, sent[writer->id] + i);
		sent[writer->id] += writer->size;
		if (write(fd, bytes, writer->size) != (ssize_t)writer->size)
			writer->error = errno;
	}
	close(fd);
	return NULL;
}

static bool bytes_are_next(const unsigned char *bytes, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		int id = bytes[i] >> 7;

		if (bytes[i] != byte_at(id, taken[id]))
			return false;
		taken[id]++;
	}
	return true;
}

static void *reader_run(void *arg)
{
	static unsigned char bytes[65536];
	struct reader *reader = arg;
	ssize_t n = 1;
	int fd;

	spin(reader->delay);
	fd = open(ipc_path("pipes/p"), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		n = -1;
	while (n > 0 && !reader->error) {
		n = read(fd, bytes, sizeof(bytes));
		if (!bytes_are_next(bytes, n))
			reader->error = EBADMSG;
	}
	if (n < 0)
		reader->error = errno;
	close(fd);
	return NULL;
}

static void writer_start(struct writer *writer)
{
	ck_assert_int_eq(pthread_create(&writer->thread, NULL, writer_run, writer), 0);
}

static void reader_start(struct reader *reader)
{
	ck_assert_int_eq(pthread_create(&reader->thread, NULL, reader_run, reader), 0);
}

static void writer_end(struct writer *writer)
{
	kept_join(writer->thread, "writer");
	ck_assert_msg(!writer->error, "writer: %s", strerror(writer->error));
}

static void reader_end(struct reader *reader)
{
	kept_join(reader->thread, "reader");
	ck_assert_msg(!reader->error, "reader: %s, after %lu bytes of %lu", strerror(reader->error),
		      taken[0] + taken[1], sent[0] + sent[1]);
}

static void read_to_end(void)
{
	struct reader reader = {0};

	reader_start(&reader);
	reader_end(&reader);
}

/*
 * Reads what is left by a writer that came after the reader's end-of-file: the next reader must
 * find it.
 */
static void read_what_is_left(void)
{
	int fd = channel_open("pipes/p", O_RDONLY | O_NONBLOCK);
	int n = kept_unread(fd);

	must(close(fd));
	if (n > 0)
		read_to_end();
}

static void round_write_close_read(unsigned int most)
{
	struct writer writer = {.pieces = 1, .size = 1 + random_below(most)};

	writer_start(&writer);
	writer_end(&writer);
	read_to_end();
}

static void round_small(void)
{
	round_write_close_read(SMALL);
}

static void round_big(void)
{
	round_write_close_read(BIG);
}

static void round_both_at_once(void)
{
	struct writer writer = {.pieces = 1 + (int)random_below(3),
				.size = 1 + random_below(1000),
				.delay = random_below(JITTER)};
	struct reader reader = {.delay = random_below(JITTER)};

	writer_start(&writer);
	reader_start(&reader);
	writer_end(&writer);
	reader_end(&reader);
	read_what_is_left();
}

static void round_two_writers(void)
{
	struct writer writers[N_WRITERS];
	struct reader reader = {.delay = random_below(JITTER)};

	for (int i = 0; i < N_WRITERS; i++) {
		writers[i] = (struct writer){.id = i,
					     .pieces = 1,
					     .size = 1 + random_below(SMALL),
					     .delay = random_below(JITTER)};
		writer_start(&writers[i]);
	}
	reader_start(&reader);
	for (int i = 0; i < N_WRITERS; i++)
		writer_end(&writers[i]);
	reader_end(&reader);
	read_what_is_left();
}

static void (*const patterns[])(void) = {round_small, round_both_at_once, round_two_writers,
					 round_big};
enum { N_PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

static int count_rounds(void)
{
	const char *set = getenv("IPCFS_TEST_ROUNDS");

	return set && atoi(set) > 0 ? atoi(set) : ROUNDS;
}

START_TEST(test_kept_rounds)
{
	seed = (unsigned int)_i + 1;
	kept_make("pipes/p");
	for (int round = 0; round < count_rounds(); round++) {
		patterns[_i]();
		for (int i = 0; i < N_WRITERS; i++)
			ck_assert_msg(taken[i] == sent[i],
				      "round %d: %lu bytes of writer %d, not %lu", round, taken[i],
				      i, sent[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept_rounds");
	TCase *tcase = suite_case(suite, "rounds", 60 + count_rounds() / 50);

	kept_add_loop(tcase, test_kept_rounds, N_PATTERNS);
	return suite_run(suite);
}
