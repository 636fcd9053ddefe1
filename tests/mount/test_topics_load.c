/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many readers and writers of one topic. Each message says who wrote it and which of this writer's
 * it is. A reader ends at end-of-file, when all writers have gone, and reports what it got; the
 * topic's status says what it missed.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define T "topics/t"

enum { N_WRITERS = 8, N_READERS = 64, N_EACH = 300, N_MANY = 1000, N_TO_MANY = 20 };

enum fault { NONE, DISORDER, GAP, DAMAGE };

struct message {
	int writer, number; /* number: from 1 */
	char filler[400];
};

/* What the children report, in memory that all share. */
struct reader {
	pid_t pid;
	bool is_late; /* it took another one's place */
	_Atomic bool is_open, is_done;
	_Atomic int n_got, fault;
};

static struct reader *readers;
static _Atomic bool *may_write;
static bool has_gaps; /* the topic may drop messages */
static int hold;      /* open for writing: no end-of-file until this is closed */

static size_t size_of(int writer, int number)
{
	return 2 * sizeof(int) +
	       (size_t)(writer * 31 + number * 7) % sizeof(((struct message *)0)->filler);
}

static enum fault check(const struct message *message, ssize_t size, int last[N_WRITERS],
			bool is_late)
{
	int *seen = &last[message->writer];
	int previous = *seen;

	if (size != (ssize_t)size_of(message->writer, message->number))
		return DAMAGE;
	for (size_t i = 0; i < (size_t)size - 2 * sizeof(int); i++)
		if (message->filler[i] != (char)(message->number + message->writer))
			return DAMAGE;
	*seen = message->number;
	if (message->number <= previous)
		return DISORDER;
	if (message->number > previous + 1 && !has_gaps && (previous || !is_late))
		return GAP;
	return NONE;
}

static int read_run(void *arg)
{
	struct reader *reader = arg;
	int last[N_WRITERS] = {0};
	struct message message;
	int fd = open(ipc_path(T), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	close(hold);
	if (fd < 0)
		return errno;
	reader->is_open = true;
	while ((n = read(fd, &message, sizeof(message))) > 0) {
		enum fault fault = check(&message, n, last, reader->is_late);

		if (fault)
			reader->fault = (int)fault;
		reader->n_got++;
	}
	if (n < 0)
		return errno;
	reader->is_done = true;
	pause(); /* so that the status still tells of this reader */
	return 0;
}

static int write_run(void *arg)
{
	struct message message = {.writer = *(int *)arg};
	int fd = open(ipc_path(T), O_WRONLY | O_CLOEXEC);

	while (fd >= 0 && !*may_write)
		usleep(1000);
	for (message.number = 1; message.number <= N_EACH; message.number++) {
		size_t size = size_of(message.writer, message.number);

		memset(message.filler, message.number + message.writer, sizeof(message.filler));
		if (write(fd, &message, size) != (ssize_t)size)
			return errno ? errno : EIO;
	}
	return 0;
}

static bool are_open(void *arg)
{
	for (int i = 0; i < N_READERS; i++)
		if (!readers[i].is_open)
			return false;
	return true;
}

static bool are_done(void *arg)
{
	for (int i = 0; i < N_READERS; i++)
		if (!readers[i].is_done)
			return false;
	return true;
}

static void start_reader(int i, bool is_late)
{
	readers[i] = (struct reader){.is_late = is_late};
	readers[i].pid = child_start(read_run, &readers[i]);
}

/* Kills readers at random, and starts others, for as long as the writers write. */
static void kill_readers(const pid_t *writers)
{
	for (int i = 0; i < N_WRITERS; i++) {
		while (!child_has_ended(writers[i], 5)) {
			int which = (int)(random() % (N_READERS / 2)) * 2;

			must(kill(readers[which].pid, SIGKILL));
			child_end(readers[which].pid);
			start_reader(which, true);
		}
		ck_assert_int_eq(child_end(writers[i]), 0);
	}
}

/* What the status says that the reader has missed. */
static long missed_by(pid_t pid)
{
	const char *text = look_at("info/" T "/status");
	const char *pids = strstr(text, "\nreader-pids "),
		   *missed = strstr(text, "\nreader-missed ");

	ck_assert(pids && missed);
	pids += strlen("\nreader-pids ");
	missed += strlen("\nreader-missed ");
	for (;;) {
		char *end;

		if (strtol(pids, &end, 10) == pid)
			return strtol(missed, NULL, 10);
		ck_assert_msg(*end == ',', "the status has no reader %d", pid);
		pids = end + 1;
		missed = strchr(missed, ',') + 1;
	}
}

/* Returns how many messages the reader has missed. */
static long expect_reader(const struct reader *reader)
{
	static const char *const faults[] = {"", "in disorder", "with a gap", "damaged"};
	long missed = missed_by(reader->pid);

	ck_assert_msg(!reader->fault, "a reader got messages %s", faults[reader->fault]);
	if (!has_gaps)
		ck_assert_int_eq(missed, 0);
	if (!reader->is_late)
		ck_assert_int_eq(reader->n_got + missed, N_WRITERS * N_EACH);
	return missed;
}

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

START_TEST(test_topics_load_readers_are_killed_and_the_others_get_all)
{
	static const char *const policies[] = {"wait", "drop-oldest", "drop-newest"};
	static int numbers[N_WRITERS];
	pid_t writers[N_WRITERS];
	long missed = 0;
	char line[80];

	has_gaps = _i > 0;
	srandom((unsigned)getpid());
	snprintf(line, sizeof(line), "create " T " capacity=4K eof=auto full=%s\n", policies[_i]);
	look_command(line);
	readers = share(N_READERS * sizeof(*readers));
	may_write = share(sizeof(*may_write));
	hold = channel_open(T, O_WRONLY);
	for (int i = 0; i < N_READERS; i++)
		start_reader(i, false);
	ck_assert(wait_until(are_open, NULL, 10000));
	for (int i = 0; i < N_WRITERS; i++) {
		numbers[i] = i;
		writers[i] = child_start(write_run, &numbers[i]);
	}
	*may_write = true;
	kill_readers(writers);
	ck_assert(wait_until(are_open, NULL, 10000));
	close(hold);
	ck_assert(wait_until(are_done, NULL, 20000));
	ck_assert_int_eq(look_for(T, "sent"), N_WRITERS * N_EACH);
	ck_assert_int_eq(look_for(T, "messages"), 0);
	for (int i = 0; i < N_READERS; i++) {
		missed += expect_reader(&readers[i]);
		must(kill(readers[i].pid, SIGKILL));
		child_end(readers[i].pid);
	}
	ck_assert_int_eq(missed > 0, has_gaps);
}
END_TEST

static _Atomic int n_ready, n_right;

static void *read_numbers(void *arg)
{
	int fd = open(ipc_path(T), O_RDONLY | O_CLOEXEC);
	int number, i;

	n_ready++;
	for (i = 0; fd >= 0 && i < N_TO_MANY; i++)
		if (read(fd, &number, sizeof(number)) != sizeof(number) || number != i)
			break;
	if (i == N_TO_MANY)
		n_right++;
	close(fd);
	return NULL;
}

static bool are_ready(void *arg)
{
	return n_ready == N_MANY;
}

START_TEST(test_topics_load_one_writer_and_a_thousand_readers)
{
	static pthread_t threads[N_MANY];
	struct rlimit limit;
	pthread_attr_t attr;
	int out;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	look_command(_i ? "create " T " full=wait capacity=4K\n" : "create " T "\n");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < N_MANY; i++)
		ck_assert_int_eq(pthread_create(&threads[i], &attr, read_numbers, NULL), 0);
	ck_assert(wait_until(are_ready, NULL, 20000));
	ck_assert_int_eq(look_for(T, "readers"), N_MANY);
	out = channel_open(T, O_WRONLY);
	for (int i = 0; i < N_TO_MANY; i++)
		ck_assert_int_eq(must(write(out, &i, sizeof(i))), sizeof(i));
	for (int i = 0; i < N_MANY; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(n_right, N_MANY);
	mount_settle(&ipc);
	ck_assert_int_eq(look_for(T, "readers"), 0);
}
END_TEST

START_TEST(test_topics_load_a_thousand_idle_readers_take_little_memory)
{
	struct rlimit limit;
	long before;

	if (program_is_sanitized())
		return;
	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	look_command("create " T "\n");
	close(channel_open(T, O_RDONLY));
	before = mount_memory(&ipc);
	for (int i = 0; i < N_MANY; i++)
		channel_open(T, O_RDONLY);
	ck_assert_int_lt(mount_memory(&ipc) - before, 1024);
	channel_put(T, "one", 3);
	ck_assert_int_lt(mount_memory(&ipc) - before, 1024);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topics_load");
	TCase *tcase = suite_case(suite, "load", 60);

	tcase_add_loop_test(tcase, test_topics_load_readers_are_killed_and_the_others_get_all, 0,
			    3);
	tcase_add_loop_test(tcase, test_topics_load_one_writer_and_a_thousand_readers, 0, 2);
	tcase_add_test(tcase, test_topics_load_a_thousand_idle_readers_take_little_memory);
	return suite_run(suite);
}
