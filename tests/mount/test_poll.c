/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poll, select and epoll, level- and edge-triggered, on both directions of pipes and queues. A
 * waiting program is woken by another process through the mount and by a native one, and each new
 * message is a new edge.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static int put_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return fd < 0 || write(fd, "mount", 5) != 5 ? errno : 0;
}

static int drain_run(void *name)
{
	char buf[MESSAGE_MAX];
	int fd = open(ipc_path(name), O_RDONLY | O_NONBLOCK);

	while (read(fd, buf, sizeof(buf)) > 0)
		;
	return errno == EAGAIN ? 0 : errno;
}

START_TEST(test_poll_waiting_reader_wakes_on_write)
{
	const char *name = channel_names[_i / N_METHODS];
	struct waiter waiter;

	channel_make(name);
	waiter_start(&waiter, channel_open(name, O_RDONLY), POLLIN, _i % N_METHODS);
	child_must(put_run, (void *)name);
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
}
END_TEST

START_TEST(test_poll_waiting_reader_wakes_on_native_send)
{
	struct waiter waiter;

	channel_make("queues/q");
	waiter_start(&waiter, channel_open("queues/q", O_RDONLY), POLLIN, _i);
	child_must(native_send_run, "/q");
	ck_assert_int_eq(waiter_end(&waiter), POLLIN);
}
END_TEST

START_TEST(test_poll_waiting_writer_wakes_when_drained)
{
	const char *name = channel_names[_i / N_METHODS];
	struct waiter waiter;
	int fd;

	channel_make(name);
	fd = channel_open(name, O_WRONLY);
	channel_fill(name);
	waiter_start(&waiter, fd, POLLOUT, _i % N_METHODS);
	child_must(drain_run, (void *)name);
	ck_assert_int_eq(waiter_end(&waiter), POLLOUT);
}
END_TEST

START_TEST(test_poll_waiting_writer_wakes_on_native_receive)
{
	struct waiter waiter;

	channel_make("queues/q");
	channel_fill("queues/q");
	waiter_start(&waiter, channel_open("queues/q", O_WRONLY), POLLOUT, _i);
	child_must(native_receive_run, "/q");
	ck_assert_int_eq(waiter_end(&waiter), POLLOUT);
}
END_TEST

START_TEST(test_poll_many_waiters_one_message_wakes_all)
{
	enum { N_WAITERS = 8 };
	const char *name = channel_names[_i];
	struct waiter waiters[N_WAITERS];
	int fd;

	channel_make(name);
	fd = channel_open(name, O_WRONLY);
	for (int i = 0; i < N_WAITERS; i++)
		waiter_start(&waiters[i], channel_open(name, O_RDONLY), POLLIN, POLL);
	ck_assert_int_eq(must(write(fd, "all", 3)), 3);
	for (int i = 0; i < N_WAITERS; i++)
		ck_assert_int_eq(waiter_end(&waiters[i]), POLLIN);
}
END_TEST

START_TEST(test_poll_same_file_polled_and_epolled_both_wake)
{
	const char *name = channel_names[_i];
	struct waiter waiters[2];
	int fd;

	channel_make(name);
	fd = channel_open(name, O_RDWR);
	waiter_start(&waiters[0], fd, POLLIN, EPOLL);
	waiter_start(&waiters[1], fd, POLLIN, POLL);
	child_must(put_run, (void *)name);
	ck_assert_int_eq(waiter_end(&waiters[0]), POLLIN);
	ck_assert_int_eq(waiter_end(&waiters[1]), POLLIN);
}
END_TEST

static short poll_now(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};

	must(poll(&item, 1, 0));
	return item.revents;
}

START_TEST(test_poll_empty_only_writable)
{
	channel_make(channel_names[_i]);
	ck_assert_int_eq(poll_now(channel_open(channel_names[_i], O_RDWR)), POLLOUT);
}
END_TEST

START_TEST(test_poll_full_only_readable)
{
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	channel_fill(channel_names[_i]);
	ck_assert_int_eq(poll_now(fd), POLLIN);
}
END_TEST

START_TEST(test_poll_one_message_readable_and_writable)
{
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	channel_put(channel_names[_i], "one", 3);
	ck_assert_int_eq(poll_now(fd), POLLIN | POLLOUT);
}
END_TEST

START_TEST(test_poll_taken_by_another_no_longer_readable)
{
	char buf[16];
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	channel_put(channel_names[_i], "one", 3);
	ck_assert_int_eq(poll_now(fd), POLLIN | POLLOUT);
	must(channel_take(channel_names[_i], buf, sizeof(buf)));
	ck_assert_int_eq(poll_now(fd), POLLOUT);
}
END_TEST

START_TEST(test_poll_pipe_last_writer_closes_waiter_gets_hangup)
{
	struct waiter waiter;
	int in, out;

	channel_make("pipes/p");
	in = channel_open("pipes/p", O_RDONLY);
	out = channel_open("pipes/p", O_WRONLY);
	waiter_start(&waiter, in, POLLIN, _i);
	must(close(out));
	ck_assert_int_eq(waiter_end(&waiter) & (_i == SELECT ? POLLIN : POLLHUP),
			 _i == SELECT ? POLLIN : POLLHUP);
}
END_TEST

START_TEST(test_poll_pipe_no_writer_yet_no_hangup)
{
	channel_make("pipes/p");
	ck_assert_int_eq(poll_now(channel_open("pipes/p", O_RDONLY)), 0);
}
END_TEST

/* The number of edges on an epoll set within this many milliseconds. */
static int edges(int epoll, int milliseconds)
{
	struct epoll_event event;
	int n = 0;

	while (n < 10 && must(epoll_wait(epoll, &event, 1, n ? 20 : milliseconds)) == 1)
		n++;
	return n;
}

static int edge_set(int fd, unsigned int events)
{
	struct epoll_event event = {.events = events | EPOLLET};
	int epoll = (int)must(epoll_create1(EPOLL_CLOEXEC));

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

START_TEST(test_poll_edge_each_message_gives_an_edge)
{
	const char *name = channel_names[_i];
	int epoll;

	channel_make(name);
	epoll = edge_set(channel_open(name, O_RDWR), EPOLLIN);
	ck_assert_int_eq(edges(epoll, 0), 0);
	for (int i = 0; i < 5; i++) {
		child_must(put_run, (void *)name);
		ck_assert_msg(edges(epoll, 5000) >= 1, "message %d gave no edge", i);
	}
}
END_TEST

START_TEST(test_poll_edge_each_native_message_gives_an_edge)
{
	int epoll;

	channel_make("queues/q");
	epoll = edge_set(channel_open("queues/q", O_RDONLY), EPOLLIN);
	for (int i = 0; i < 5; i++) {
		child_must(native_send_run, "/q");
		ck_assert_msg(edges(epoll, 5000) >= 1, "message %d gave no edge", i);
	}
}
END_TEST

START_TEST(test_poll_edge_each_drain_gives_an_edge)
{
	const char *name = channel_names[_i];
	int epoll;

	channel_make(name);
	epoll = edge_set(channel_open(name, O_RDWR), EPOLLOUT);
	ck_assert_int_ge(edges(epoll, 5000), 1);
	for (int i = 0; i < 3; i++) {
		channel_fill(name);
		edges(epoll, 0);
		child_must(drain_run, (void *)name);
		ck_assert_msg(edges(epoll, 5000) >= 1, "drain %d gave no edge", i);
	}
}
END_TEST

START_TEST(test_poll_edge_nothing_new_edges_end)
{
	const char *name = channel_names[_i];
	int epoll;

	channel_make(name);
	epoll = edge_set(channel_open(name, O_RDWR), EPOLLIN);
	child_must(put_run, (void *)name);
	ck_assert_int_lt(edges(epoll, 5000), 5);
	ck_assert_int_eq(edges(epoll, 0), 0);
}
END_TEST

static void add_waiter_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_poll_waiting_reader_wakes_on_write, 0,
			    N_CHANNELS * N_METHODS);
	tcase_add_loop_test(tcase, test_poll_waiting_reader_wakes_on_native_send, 0, N_METHODS);
	tcase_add_loop_test(tcase, test_poll_waiting_writer_wakes_when_drained, 0,
			    N_CHANNELS * N_METHODS);
	tcase_add_loop_test(tcase, test_poll_waiting_writer_wakes_on_native_receive, 0, N_METHODS);
	tcase_add_loop_test(tcase, test_poll_many_waiters_one_message_wakes_all, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_same_file_polled_and_epolled_both_wake, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_pipe_last_writer_closes_waiter_gets_hangup, 0,
			    N_METHODS);
}

int main(void)
{
	Suite *suite = suite_create("poll");
	TCase *tcase = suite_case_served(suite, "waiting", 20);

	add_waiter_tests(tcase);
	tcase = suite_case_served(suite, "states", 20);
	tcase_add_loop_test(tcase, test_poll_empty_only_writable, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_full_only_readable, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_one_message_readable_and_writable, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_taken_by_another_no_longer_readable, 0, N_CHANNELS);
	tcase_add_test(tcase, test_poll_pipe_no_writer_yet_no_hangup);
	tcase = suite_case_served(suite, "edges", 20);
	tcase_add_loop_test(tcase, test_poll_edge_each_message_gives_an_edge, 0, N_CHANNELS);
	tcase_add_test(tcase, test_poll_edge_each_native_message_gives_an_edge);
	tcase_add_loop_test(tcase, test_poll_edge_each_drain_gives_an_edge, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_poll_edge_nothing_new_edges_end, 0, N_CHANNELS);
	return suite_run(suite);
}
