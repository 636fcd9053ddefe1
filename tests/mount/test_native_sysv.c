/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System V queues. At one end is a program that uses msgsnd(2) and msgrcv(2), at the other end one
 * that reads and writes the mount's files.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define KEY        0x4d2
#define QUEUE_NAME "sysv/queues/0x000004d2"

struct message {
	long type;
	char text[64];
};

START_TEST(test_native_sysv_message_sent_is_read_with_its_type)
{
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	const struct message three = {3, "three"}, five = {5, "five"};
	char text[64];

	must(msgsnd(id, &three, 5, 0));
	must(msgsnd(id, &five, 4, 0));
	ck_assert_int_eq(channel_take(QUEUE_NAME ":5", text, sizeof(text)), 4);
	ck_assert_mem_eq(text, "five", 4);
	ck_assert_int_eq(channel_take(QUEUE_NAME, text, sizeof(text)), 5);
	ck_assert_mem_eq(text, "three", 5);
	must_fail(channel_take(QUEUE_NAME, text, sizeof(text)), EAGAIN);
}
END_TEST

START_TEST(test_native_sysv_message_written_is_received_with_its_type)
{
	struct message message;
	int id;

	channel_make(QUEUE_NAME);
	id = (int)must(msgget(KEY, 0));
	channel_put(QUEUE_NAME, "plain", 5);
	channel_put(QUEUE_NAME ":9", "nine", 4);
	ck_assert_int_eq(must(msgrcv(id, &message, sizeof(message.text), 9, 0)), 4);
	ck_assert_mem_eq(message.text, "nine", 4);
	ck_assert_int_eq(must(msgrcv(id, &message, sizeof(message.text), 0, 0)), 5);
	ck_assert_int_eq(message.type, 1);
}
END_TEST

static int read_hello(void *name)
{
	char text[64];
	int fd = open(ipc_path(name), O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text));

	return n == 5 && memcmp(text, "hello", 5) == 0 ? 0 : EIO;
}

START_TEST(test_native_sysv_reader_gets_only_its_type)
{
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	const struct message other = {1, "other"}, mine = {7, "hello"};
	pid_t reader = child_start(read_hello, QUEUE_NAME ":7");

	task_must_block(reader, SYS_read);
	must(msgsnd(id, &other, 5, 0));
	mount_settle(&ipc);
	ck_assert(!child_has_ended(reader, 0));
	must(msgsnd(id, &mine, 5, 0));
	ck_assert_int_eq(child_end(reader), 0);
	ck_assert_int_eq(look_for(QUEUE_NAME, "messages"), 1);
}
END_TEST

START_TEST(test_native_sysv_reader_of_removed_queue_eidrm)
{
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	int fd = channel_open(QUEUE_NAME, O_RDWR);
	char text[8];

	must(msgctl(id, IPC_RMID, NULL));
	must_fail(read(fd, text, sizeof(text)), EIDRM);
	must_fail(write(fd, text, sizeof(text)), EIDRM);
	must(close(fd));
	must_fail(access(ipc_path(QUEUE_NAME), F_OK), ENOENT);
}
END_TEST

static int read_eidrm(void *name)
{
	char text[64];
	int fd = open(ipc_path(name), O_RDONLY);

	return read(fd, text, sizeof(text)) == -1 && errno == EIDRM ? 0 : EIO;
}

START_TEST(test_native_sysv_blocked_reader_queue_removed_eidrm)
{
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	pid_t reader = child_start(read_eidrm, QUEUE_NAME);

	task_must_block(reader, SYS_read);
	must(msgctl(id, IPC_RMID, NULL));
	ck_assert_int_eq(child_end(reader), 0);
}
END_TEST

/*
 * The daemon's waiting thread takes empty messages while their readers keep being interrupted: none
 * may be lost.
 */
enum { N_EMPTY = 20000, N_EMPTY_READERS = 4 };

struct empties {
	_Atomic long n_read, n_interrupts;
	_Atomic bool is_over;
};

static int read_empties(void *arg)
{
	const struct itimerval each = {{0, 1000}, {0, 1000}};
	struct empties *empties = arg;
	int fd = open(ipc_path(QUEUE_NAME), O_RDONLY);
	char text[8];

	signal_interrupts(SIGALRM);
	setitimer(ITIMER_REAL, &each, NULL);
	while (!empties->is_over) {
		ssize_t n = read(fd, text, sizeof(text));

		if (n == 0)
			empties->n_read++;
		else if (n < 0 && errno == EINTR)
			empties->n_interrupts++;
		else
			return EIO;
	}
	return 0;
}

static bool is_all_read(void *arg)
{
	return ((struct empties *)arg)->n_read == N_EMPTY;
}

static bool is_stuck(const struct empties *empties, int i)
{
	static long long since;
	static int last = -1;

	if (last != i)
		since = now_us();
	last = i;
	return now_us() - since > 10000000;
}

START_TEST(test_native_sysv_empty_messages_interrupted_readers_lose_none)
{
	struct empties *empties = mmap(NULL, sizeof(*empties), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	const struct message empty = {.type = 1};
	pid_t readers[N_EMPTY_READERS];

	for (int i = 0; i < N_EMPTY_READERS; i++)
		readers[i] = child_start(read_empties, empties);
	/*
	 * Send the messages one by one, so that the readers have to wait, and signals interrupt
	 * them.
	 */
	for (int i = 0; i < N_EMPTY; i++) {
		must(msgsnd(id, &empty, 0, 0));
		while (i % 2 && empties->n_read <= i && !is_stuck(empties, i))
			sched_yield();
	}
	ck_assert_msg(wait_until(is_all_read, empties, 20000), "%ld of %d were read",
		      empties->n_read, N_EMPTY);
	empties->is_over = true;
	for (int i = 0; i < N_EMPTY_READERS; i++)
		ck_assert_int_eq(child_end(readers[i]), 0);
	ck_assert_int_eq(empties->n_read, N_EMPTY);
	ck_assert_int_gt(empties->n_interrupts, 100);
	ck_assert_int_eq(look_for(QUEUE_NAME, "messages"), 0);
}
END_TEST

/*
 * A thousand readers wait on one queue. One thread of the daemon sleeps for all of them, and ends
 * with them.
 */
enum { N_READERS = 1000 };

static bool all_wait(void *arg)
{
	return mount_waiting(&ipc) >= N_READERS;
}

START_TEST(test_native_sysv_thousand_readers_take_one_thread)
{
	static pid_t readers[N_READERS];
	int id = (int)must(msgget(KEY, IPC_CREAT | 0600));
	const struct message hello = {1, "hello"};
	int before = look_threads();

	for (int i = 0; i < N_READERS; i++)
		readers[i] = child_start(read_hello, QUEUE_NAME);
	ck_assert(wait_until(all_wait, NULL, 20000));
	mount_settle(&ipc);
	ck_assert_int_le(look_threads(), before + 1);
	for (int i = 0; i < N_READERS; i++)
		must(msgsnd(id, &hello, 5, 0));
	for (int i = 0; i < N_READERS; i++)
		ck_assert_int_eq(child_end(readers[i]), 0);
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_native_sysv_message_sent_is_read_with_its_type,
		test_native_sysv_message_written_is_received_with_its_type,
		test_native_sysv_reader_gets_only_its_type,
		test_native_sysv_reader_of_removed_queue_eidrm,
		test_native_sysv_blocked_reader_queue_removed_eidrm,
		test_native_sysv_empty_messages_interrupted_readers_lose_none,
		test_native_sysv_thousand_readers_take_one_thread,
	};
	Suite *suite = suite_create("native_sysv");
	TCase *tcase = suite_case(suite, "native_sysv", 60);

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	return suite_run(suite);
}
