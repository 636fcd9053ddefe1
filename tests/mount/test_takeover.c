/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is killed while somebody uses a channel through which the daemon moves the bytes. Its
 * users go on as if nothing had been.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct sample {
	const char *name, *command, *text, *other; /* text, other: as written and as read */
} samples[] = {
	{"pipes/p", "create pipes/p served=daemon\n", "one", "two"},
	{"topics/t", "create topics/t full=wait capacity=8208\n", "one", "two"},
	{"queues/q", "create queues/q\n", "one", "two"},
	{"sysv/queues/0x11", "create sysv/queues/0x11\n", "one", "two"},
	{"sems/s", "create sems/s\n", "1\n", "1\n"},
	{"events/e", "create events/e\n", "3\n", "18446744073709551614\n"},
	{"pipes/k", "create pipes/k\n", "one", "two"},
};

enum { N_SAMPLES = sizeof(samples) / sizeof(*samples), N_STREAMS = 4, N_MANY = 1000 };
enum { SERVED, TOPIC, POSIX_QUEUE, SYSTEM_V_QUEUE, SEM, EVENT, KEPT };

static int make(const struct sample *sample, int flags)
{
	look_command(sample->command);
	return channel_open(sample->name, flags);
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text));
}

static void expect(int fd, const char *text)
{
	char got[64] = "";

	ck_assert_int_eq(must(read(fd, got, sizeof(got) - 1)), strlen(text));
	ck_assert_str_eq(got, text);
}

static void expect_nothing(int fd)
{
	char byte;

	must_fail(read(fd, &byte, 1), EAGAIN);
}

START_TEST(test_takeover_what_waits_is_read_once)
{
	const struct sample *sample = &samples[_i];
	int fd = make(sample, O_RDWR | O_NONBLOCK);

	expect_nothing(fd);
	put(fd, sample->text);
	takeover_kill();
	expect(fd, sample->text);
	expect_nothing(fd);
	takeover_kill();
	expect_nothing(fd);
	put(fd, sample->other);
	expect(fd, sample->other);
	expect_nothing(fd);
}
END_TEST

START_TEST(test_takeover_a_blocked_reader_gets_what_comes)
{
	const struct sample *sample = &samples[_i];
	struct call call;
	int fd = make(sample, O_RDWR), other = channel_open(sample->name, O_RDWR | O_NONBLOCK);

	call_read(&call, fd);
	takeover_kill();
	ck_assert(call_waits(&call));
	takeover_kill();
	ck_assert(call_waits(&call));
	put(other, sample->text);
	call_end_text(&call, sample->text);
	if (_i != TOPIC)
		expect_nothing(other);
	call_read(&call, fd);
	takeover_kill();
	put(other, sample->other);
	call_end_text(&call, sample->other);
}
END_TEST

START_TEST(test_takeover_a_signal_ends_the_wait)
{
	const struct sample *sample = &samples[_i];
	struct call call;
	int fd = make(sample, O_RDWR);

	call_read(&call, fd);
	takeover_kill();
	ck_assert(call_waits(&call));
	call_interrupt(&call);
	call_end_error(&call, EINTR);
	put(fd, sample->text);
	expect(fd, sample->text);
}
END_TEST

/* By sample and method of waiting. */
START_TEST(test_takeover_poll_goes_on_waiting)
{
	const struct sample *sample = &samples[_i / N_METHODS];
	struct waiter waiter;
	int fd = make(sample, O_RDWR | O_NONBLOCK);

	waiter_start(&waiter, fd, POLLIN, _i % N_METHODS);
	takeover_kill();
	put(fd, sample->text);
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
	expect(fd, sample->text);
}
END_TEST

/* Fills the channel, and lets another writer wait; the daemon is killed, and everything is read. */
START_TEST(test_takeover_a_blocked_writer_writes_once)
{
	const struct sample *sample = &samples[_i];
	struct call call;
	int fd = make(sample, O_RDWR | O_NONBLOCK), out = channel_open(sample->name, O_WRONLY);
	static char buf[8192];
	size_t size = channel_fill(sample->name);

	call_write(&call, out, "late");
	takeover_kill();
	ck_assert(call_waits(&call));
	for (size_t done = 0; done < size;)
		done += (size_t)must(read(fd, buf, sizeof(buf)));
	call_end_result(&call, 4);
	expect(fd, "late");
	expect_nothing(fd);
}
END_TEST

START_TEST(test_takeover_a_blocked_writer_is_interrupted)
{
	const struct sample *sample = &samples[_i];
	struct call call;
	int fd = make(sample, O_RDWR | O_NONBLOCK), out = channel_open(sample->name, O_WRONLY);
	static char buf[8192];
	size_t size = channel_fill(sample->name);

	call_write(&call, out, "late");
	takeover_kill();
	ck_assert(call_waits(&call));
	call_interrupt(&call);
	call_end_error(&call, EINTR);
	for (size_t done = 0; done < size;)
		done += (size_t)must(read(fd, buf, sizeof(buf)));
	expect_nothing(fd);
}
END_TEST

START_TEST(test_takeover_poll_goes_on_waiting_for_room)
{
	const struct sample *sample = &samples[_i];
	struct waiter waiter;
	int fd = make(sample, O_RDWR | O_NONBLOCK), out = channel_open(sample->name, O_WRONLY);
	static char buf[8192];
	size_t size = channel_fill(sample->name);

	waiter_start(&waiter, out, POLLOUT, POLL);
	takeover_kill();
	for (size_t done = 0; done < size;)
		done += (size_t)must(read(fd, buf, sizeof(buf)));
	ck_assert_int_eq(waiter_end(&waiter) & POLLOUT, POLLOUT);
}
END_TEST

START_TEST(test_takeover_a_rest_is_kept)
{
	const struct sample *sample = &samples[_i];
	int fd = make(sample, O_RDWR | O_NONBLOCK);
	char buf[8] = "";

	put(fd, "abcdef");
	ck_assert_int_eq(must(read(fd, buf, 2)), 2);
	takeover_kill();
	ck_assert_int_eq(must(read(fd, buf + 2, 1)), 1);
	takeover_kill();
	put(fd, "next");
	if (_i == SERVED) {
		expect(fd, "defnext");
	} else {
		expect(fd, "def");
		expect(fd, "next");
	}
	expect_nothing(fd);
}
END_TEST

START_TEST(test_takeover_an_unlinked_channel_goes_on)
{
	const struct sample *sample = &samples[_i];
	int fd = make(sample, O_RDWR | O_NONBLOCK);
	struct stat st;

	put(fd, sample->text);
	must(unlink(ipc_path(sample->name)));
	takeover_kill();
	if (_i == SYSTEM_V_QUEUE) {
		must_fail(read(fd, &st, 1), EIDRM);
		return;
	}
	must_fail(access(ipc_path(sample->name), F_OK), ENOENT);
	expect(fd, sample->text);
	put(fd, sample->other);
	takeover_kill();
	expect(fd, sample->other);
	expect_nothing(fd);
	must(fstat(fd, &st));
	ck_assert_uint_eq(st.st_nlink, 0);
}
END_TEST

START_TEST(test_takeover_attributes_are_kept)
{
	const struct sample *sample = &samples[_i];
	struct stat before, after;

	look_command(sample->command);
	must(chmod(ipc_path(sample->name), 0640));
	must(stat(ipc_path(sample->name), &before));
	takeover_kill();
	must(stat(ipc_path(sample->name), &after));
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_uint_eq(after.st_uid, before.st_uid);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_int_eq(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
	ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}
END_TEST

START_TEST(test_takeover_an_event_that_is_full)
{
	struct call call;
	int fd = make(&samples[EVENT], O_RDWR);

	put(fd, "18446744073709551614\n");
	call_write(&call, fd, "5\n");
	takeover_kill();
	ck_assert(call_waits(&call));
	expect(channel_open("events/e", O_RDONLY), "18446744073709551614\n");
	call_end_result(&call, 2);
	expect(fd, "5\n");
}
END_TEST

static struct call calls[4];

static int count_ended(void)
{
	int n = 0;

	for (int i = 0; i < 4; i++)
		n += calls[i].tid == 0;
	return n;
}

static bool have_two_ended(void *unused)
{
	return count_ended() >= 2;
}

/* Several threads wait for units. As many as are posted go on, across two kills. */
START_TEST(test_takeover_units_are_granted_once)
{
	int fd = make(&samples[SEM], O_RDWR);

	for (int i = 0; i < 4; i++)
		call_read(&calls[i], channel_open("sems/s", O_RDWR));
	takeover_kill();
	put(fd, "1\n1\n");
	takeover_kill();
	ck_assert(wait_until(have_two_ended, NULL, 20000));
	mount_settle(&ipc);
	ck_assert_int_eq(count_ended(), 2);
	put(fd, "2\n");
	for (int i = 0; i < 4; i++)
		call_end_text(&calls[i], "1\n");
	expect_nothing(channel_open("sems/s", O_RDWR | O_NONBLOCK));
}
END_TEST

START_TEST(test_takeover_a_semaphore_set)
{
	struct call call;
	int fd;

	look_command("create sysv/sems/0x12 count=2 value=1\n");
	fd = channel_open("sysv/sems/0x12", O_RDWR);
	call_write(&call, fd, "0 -2 1 -1\n");
	takeover_kill();
	ck_assert(call_waits(&call));
	ck_assert_str_eq(look_at("sysv/sems/0x12"), "1\n1\n");
	put(channel_open("sysv/sems/0x12", O_WRONLY), "0 +1\n");
	call_end_result(&call, 10);
	takeover_kill();
	ck_assert_str_eq(look_at("sysv/sems/0x12"), "0\n0\n");
	call_write(&call, fd, "0 -1\n");
	takeover_kill();
	call_interrupt(&call);
	call_end_error(&call, EINTR);
	ck_assert_str_eq(look_at("sysv/sems/0x12"), "0\n0\n");
}
END_TEST

static _Atomic int n_ready, n_right;
static _Atomic char seen[N_MANY];

static void *read_number(void *unused)
{
	int fd = open(ipc_path("queues/q"), O_RDONLY | O_CLOEXEC), number = -1;
	ssize_t n;

	n_ready++;
	n = read(fd, &number, sizeof(number));
	if (n == sizeof(number) && number >= 0 && number < N_MANY && !seen[number]++)
		n_right++;
	close(fd);
	return NULL;
}

static bool are_waiting(void *unused)
{
	return n_ready == N_MANY && mount_waiting(&ipc) >= N_MANY;
}

static bool are_right(void *unused)
{
	return n_right == N_MANY;
}

START_TEST(test_takeover_a_thousand_readers)
{
	static pthread_t threads[N_MANY];
	struct rlimit limit;
	pthread_attr_t attr;
	int out;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	look_command("create queues/q\n");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < N_MANY; i++)
		ck_assert_int_eq(pthread_create(&threads[i], &attr, read_number, NULL), 0);
	ck_assert(wait_until(are_waiting, NULL, 20000));
	takeover_kill();
	out = channel_open("queues/q", O_WRONLY);
	for (int i = 0; i < N_MANY; i++)
		ck_assert_int_eq(must(write(out, &i, sizeof(i))), sizeof(i));
	ck_assert_msg(wait_until(are_right, NULL, 20000), "%d of %d readers got a message each",
		      n_right, N_MANY);
	for (int i = 0; i < N_MANY; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover");
	TCase *tcase = takeover_case(suite, "channels", 60);
	int n = N_SAMPLES;

	tcase_add_loop_test(tcase, test_takeover_what_waits_is_read_once, 0, n);
	tcase_add_loop_test(tcase, test_takeover_a_blocked_reader_gets_what_comes, 0, n);
	tcase_add_loop_test(tcase, test_takeover_a_signal_ends_the_wait, 0, n);
	tcase_add_loop_test(tcase, test_takeover_poll_goes_on_waiting, 0, n * N_METHODS);
	tcase_add_loop_test(tcase, test_takeover_a_blocked_writer_writes_once, 0, N_STREAMS);
	tcase_add_loop_test(tcase, test_takeover_a_blocked_writer_is_interrupted, 0, N_STREAMS);
	tcase_add_loop_test(tcase, test_takeover_poll_goes_on_waiting_for_room, 0, N_STREAMS);
	tcase_add_loop_test(tcase, test_takeover_a_rest_is_kept, 0, N_STREAMS);
	tcase_add_loop_test(tcase, test_takeover_an_unlinked_channel_goes_on, 0, n);
	tcase_add_loop_test(tcase, test_takeover_attributes_are_kept, 0, n);
	tcase_add_test(tcase, test_takeover_an_event_that_is_full);
	tcase_add_test(tcase, test_takeover_units_are_granted_once);
	tcase_add_test(tcase, test_takeover_a_semaphore_set);
	tcase_add_test(tcase, test_takeover_a_thousand_readers);
	return suite_run(suite);
}
