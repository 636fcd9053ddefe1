// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One writer and eight readers, each of which gets everything: by a topic that loses nothing, by
 * tee(1) into eight FIFOs, and by a writer that writes into all eight FIFOs itself.
 *
 * The readers read with as large a buffer as cat(1) does. With a larger one the kernel would take
 * longer to prepare the buffer for the mount than to fill it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/null.h"
#include "tests/bench/work.h"

enum { N_READERS = 8, READ_SIZE = 128 << 10 };

/* What a side has open, and which reader is being started. */
struct fan {
	int outs[N_READERS]; /* what the writer writes to */
	int n_outs;
	int orders[N_READERS]; /* how many bytes each reader is to read */
	char paths[N_READERS][96];
	int reader, reader_orders, reader_words;
};

static struct fan *fan_of(const struct ends *ends)
{
	return ends->state;
}

/* Reports when the file is open, and when all bytes of an order have arrived. */
static void read_all_orders(struct ends *ends)
{
	static char buffer[READ_SIZE];
	struct fan *fan = fan_of(ends);
	int fd = must(open(fan->paths[fan->reader], O_RDONLY | O_CLOEXEC));
	uint64_t order = 0;

	do {
		for (uint64_t done = 0; done < order;) {
			ssize_t n = read(fd, buffer, sizeof(buffer));

			if (n <= 0)
				fail("%s: reader: %s", ends->row->work,
				     n ? strerror(errno) : "end of file");
			done += (uint64_t)n;
		}
		must(write(fan->reader_words, "", 1));
	} while (read(fan->reader_orders, &order, sizeof(order)) == sizeof(order));
}

static void await_readers(struct ends *ends)
{
	char words[N_READERS];

	if (!read_all(ends->report, words, sizeof(words)))
		fail("%s: a reader has ended", ends->row->work);
}

static void start_readers(struct ends *ends)
{
	struct fan *fan = fan_of(ends);
	int words[2], orders[2];

	must(pipe2(words, O_CLOEXEC));
	fan->reader_words = words[1];
	for (int i = 0; i < N_READERS; i++) {
		must(pipe2(orders, O_CLOEXEC));
		fan->reader = i;
		fan->reader_orders = orders[0];
		ends_fork(ends, ROLE_OTHER_END, read_all_orders);
		close(orders[0]);
		fan->orders[i] = orders[1];
	}
	close(words[1]);
	ends->report = words[0];
}

static struct fan *fan_new(struct ends *ends)
{
	ends->state = calloc(1, sizeof(struct fan));
	if (!ends->state)
		fail("out of memory");
	return ends->state;
}

/* Makes the FIFOs of one side. Both sides may have some. */
static struct fan *make_fifos(struct ends *ends, const char *name)
{
	struct fan *fan = fan_new(ends);
	char path[16];

	for (int i = 0; i < N_READERS; i++) {
		snprintf(path, sizeof(path), "%s%d", name, i);
		snprintf(fan->paths[i], sizeof(fan->paths[i]), "%s",
			 bench_native(ends->bench, path));
		must(mkfifo(fan->paths[i], 0600));
	}
	return fan;
}

static void fifos_open(struct ends *ends)
{
	struct fan *fan = make_fifos(ends, "fan");

	start_readers(ends);
	for (; fan->n_outs < N_READERS; fan->n_outs++)
		fan->outs[fan->n_outs] = must(open(fan->paths[fan->n_outs], O_WRONLY | O_CLOEXEC));
	await_readers(ends);
}

/* tee(1) writes the last FIFO as its stdout. */
static void tee_open(struct ends *ends)
{
	struct fan *fan = make_fifos(ends, "tee");
	char *argv[N_READERS + 1] = {"tee"};
	int input[2], last;

	start_readers(ends);
	for (int i = 0; i < N_READERS - 1; i++)
		argv[i + 1] = fan->paths[i];
	last = must(open(fan->paths[N_READERS - 1], O_WRONLY | O_CLOEXEC));
	must(pipe2(input, O_CLOEXEC));
	ends_run(ends, ROLE_DAEMON, argv, input[0], last);
	close(input[0]);
	close(last);
	fan->outs[fan->n_outs++] = input[1];
	await_readers(ends);
}

static void topic_open(struct ends *ends)
{
	struct fan *fan = fan_new(ends);
	const char *path = bench_mount(ends->bench, "topics/bench");

	bench_command(ends->bench, "create topics/bench mode=0600 full=wait");
	for (int i = 0; i < N_READERS; i++)
		snprintf(fan->paths[i], sizeof(fan->paths[i]), "%s", path);
	start_readers(ends);
	fan->outs[fan->n_outs++] = must(open(path, O_WRONLY | O_CLOEXEC));
	await_readers(ends);
}

static void fan_close(struct ends *ends)
{
	struct fan *fan = fan_of(ends);

	for (int i = 0; i < fan->n_outs; i++)
		close(fan->outs[i]);
	for (int i = 0; i < N_READERS; i++) {
		close(fan->orders[i]);
		unlink(fan->paths[i]);
	}
	free(fan);
}

static void work_fan(struct ends *ends, size_t n)
{
	const struct fan *fan = fan_of(ends);
	uint64_t order = n * ends->row->size;

	for (int i = 0; i < N_READERS; i++)
		if (!write_all(fan->orders[i], &order, sizeof(order)))
			fail("%s: a reader has ended", ends->row->work);
	for (size_t message = 0; message < n; message++)
		for (int i = 0; i < fan->n_outs; i++)
			if (!write_all(fan->outs[i], ends->buffer, ends->row->size))
				fail("%s: writing: %s", ends->row->work, strerror(errno));
	await_readers(ends);
}

static void null_side_open(struct ends *ends)
{
	ends->out = null_open(ends);
}

static void null_side_close(struct ends *ends)
{
	null_close(ends);
}

static void alone_open(struct ends *ends)
{
	bench_command(ends->bench, "create topics/alone mode=0600");
	ends->out = must(open(bench_mount(ends->bench, "topics/alone"), O_WRONLY | O_CLOEXEC));
}

static void alone_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "topics/alone")));
}

#define AGAINST_FIFOS                                                   \
	.unit = UNIT_DELIVERIES, .n_readers = N_READERS,                \
	.sides = {                                                      \
		{"8 mkfifo", fifos_open, work_fan, .close = fan_close}, \
		{"ipcfs", topic_open, work_fan, .close = fan_close},    \
	}
#define AGAINST_TEE                                                  \
	.unit = UNIT_DELIVERIES, .n_readers = N_READERS,             \
	.sides = {                                                   \
		{"tee", tee_open, work_fan, .close = fan_close},     \
		{"ipcfs", topic_open, work_fan, .close = fan_close}, \
	}

/*
 * A batch of small messages is limited. As many as fill the time of a FIFO, which passes on many at
 * once, would keep a topic busy for seconds.
 */
static const struct row rows[] = {
	{"64 KiB messages, against tee", "topics", 65536, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1}, AGAINST_TEE},
	{"64 KiB messages, against 8 writes", "topics", 65536, .bound = BOUND_SPEED,
	 .targets = {0.5, 0.5, 0.5}, AGAINST_FIFOS},
	{"4 KiB messages, against tee", "topics", 4096, .n_max = 512, AGAINST_TEE},
	{"4 KiB messages, against 8 writes", "topics", 4096, .n_max = 512, AGAINST_FIFOS},
	{"64 B messages, against tee", "topics", 64, .n_max = 1024, AGAINST_TEE},
	{"64 B messages, against 8 writes", "topics", 64, .n_max = 1024, AGAINST_FIFOS},
	{"64 B messages that nobody reads", "topics", 64, UNIT_MICROSECONDS, .bound = BOUND_TIME,
	 .targets = {1.3, 1.3}, /* free: only the native side's luck decides */
	 .sides = {{"a FUSE null file", null_side_open, work_write, .close = null_side_close},
		   {"ipcfs", alone_open, work_write, .close = alone_close}}},
	{.work = NULL},
};

const struct group topic_group = {"topics", "One writer, 8 readers", rows};
