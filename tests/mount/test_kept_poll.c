/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * poll, select and epoll on kept FIFOs. Where a process has the other end open, they report what
 * they report for a FIFO on a tmpfs: each of these tests does the same to both FIFOs and compares.
 * Where only the daemon holds the other end, there is neither POLLERR nor POLLHUP before the data
 * is gone.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/process.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST = 64 };

/*
 * What was seen at one place, in order. In each sequence the last writer leaves only at the end.
 * When it leaves, the daemon looks for data, may find what the next writer has written, and may be
 * a writer itself for a moment.
 */
struct trace {
	int n, seen[MOST];
};

static short poll_now(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};

	must(poll(&item, 1, 0));
	return item.revents;
}

static void see(struct trace *trace, int value)
{
	ck_assert_int_lt(trace->n, MOST);
	trace->seen[trace->n++] = value;
}

static void see_poll(struct trace *trace, int fd)
{
	see(trace, poll_now(fd));
}

static void put(int fd, size_t size)
{
	static char data[1 << 16];

	ck_assert_int_eq(must(write(fd, data, size)), size);
}

static void take(int fd, size_t size)
{
	static char data[1 << 16];

	ck_assert_int_eq(must(read(fd, data, size)), size);
}

/* Gives the FIFO the same capacity at both places. */
static void set_room(int fd)
{
	must(fcntl(fd, F_SETPIPE_SZ, 1 << 16));
}

static void must_be_same(void (*run)(struct trace *trace, const char *path))
{
	struct trace traces[N_PLACES] = {0};

	for (int place = 0; place < N_PLACES; place++)
		run(&traces[place], kept_place(place));
	ck_assert_int_gt(traces[NATIVE].n, 0);
	ck_assert_int_eq(traces[KEPT].n, traces[NATIVE].n);
	for (int i = 0; i < traces[NATIVE].n; i++)
		ck_assert_msg(traces[KEPT].seen[i] == traces[NATIVE].seen[i],
			      "step %d: %#x, on a tmpfs %#x", i, traces[KEPT].seen[i],
			      traces[NATIVE].seen[i]);
}

static void poll_reader(struct trace *trace, const char *path)
{
	int reader = kept_reader(path), writer, second;

	see_poll(trace, reader);
	writer = kept_writer(path);
	see_poll(trace, reader);
	for (int i = 0; i < 3; i++) {
		put(writer, 100);
		see_poll(trace, reader);
		take(reader, 50);
		see_poll(trace, reader);
		take(reader, 50);
		see_poll(trace, reader);
		second = kept_writer(path);
		must(close(writer));
		see_poll(trace, reader);
		writer = second;
	}
	must(close(writer));
	see_poll(trace, reader);
}

static void poll_writer(struct trace *trace, const char *path)
{
	int reader = kept_reader(path), writer = kept_writer(path);

	set_room(writer);
	see_poll(trace, writer);
	for (int i = 0; i < 16; i++)
		put(writer, 4096);
	see_poll(trace, writer);
	take(reader, 4095);
	see_poll(trace, writer);
	take(reader, 1);
	see_poll(trace, writer);
	take(reader, 15 * 4096);
	see_poll(trace, writer);
}

static void poll_both(struct trace *trace, const char *path)
{
	int both = (int)must(open(path, O_RDWR | O_CLOEXEC)), writer = kept_writer(path);

	set_room(both);
	see_poll(trace, both);
	put(writer, 1);
	see_poll(trace, both);
	put(both, 1);
	take(both, 2);
	see_poll(trace, both);
	must(close(writer));
	see_poll(trace, both);
	for (int i = 0; i < 16; i++)
		put(both, 4096);
	see_poll(trace, both);
}

/* Notes the number of edges on an epoll set, and the events of the last one. */
static void see_edges(struct trace *trace, int epoll)
{
	struct epoll_event event = {0};
	int n = 0;

	while (n < 10 && must(epoll_wait(epoll, &event, 1, 0)) == 1)
		n++;
	see(trace, n);
	see(trace, (int)event.events);
}

static int set_of(int fd, unsigned int events)
{
	struct epoll_event event = {.events = events};
	int epoll = (int)must(epoll_create1(EPOLL_CLOEXEC));

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

static void edges_of_reader(struct trace *trace, const char *path)
{
	int reader = kept_reader(path), writer = kept_writer(path);
	int epoll = set_of(reader, EPOLLIN | EPOLLET | EPOLLRDHUP);

	see_edges(trace, epoll);
	for (int i = 0; i < 3; i++) {
		put(writer, 10);
		see_edges(trace, epoll);
		put(writer, 10);
		put(writer, 10);
		see_edges(trace, epoll);
		take(reader, 15);
		see_edges(trace, epoll);
		take(reader, 15);
		see_edges(trace, epoll);
		must(close(kept_writer(path)));
		see_edges(trace, epoll);
	}
	must(close(writer));
	see_edges(trace, epoll);
}

static void edges_of_writer(struct trace *trace, const char *path)
{
	int reader = kept_reader(path), writer = kept_writer(path);
	int epoll = set_of(writer, EPOLLOUT | EPOLLET);

	set_room(writer);
	see_edges(trace, epoll);
	for (int i = 0; i < 3; i++) {
		put(writer, 1 << 16);
		see_edges(trace, epoll);
		take(reader, 4096);
		see_edges(trace, epoll);
		take(reader, (1 << 16) - 4096);
		see_edges(trace, epoll);
	}
}

static void levels_of_reader(struct trace *trace, const char *path)
{
	int reader = kept_reader(path), writer = kept_writer(path);
	int epoll = set_of(reader, EPOLLIN);

	see_edges(trace, epoll);
	put(writer, 10);
	see_edges(trace, epoll);
	see_edges(trace, epoll);
	take(reader, 10);
	see_edges(trace, epoll);
	must(close(writer));
	see_edges(trace, epoll);
	see_edges(trace, epoll);
}

static void (*const sequences[])(struct trace *trace, const char *path) = {
	poll_reader, poll_writer, poll_both, edges_of_reader, edges_of_writer, levels_of_reader,
};
enum { N_SEQUENCES = sizeof(sequences) / sizeof(sequences[0]) };

START_TEST(test_kept_poll_is_as_on_a_tmpfs)
{
	must_be_same(sequences[_i]);
}
END_TEST

/* Whatever the method, a process that sleeps at one end is woken by what the other end does. */
static void sleepers(struct trace *trace, const char *path, int method)
{
	int reader = kept_reader(path), writer = kept_writer(path);
	struct waiter waiter;

	set_room(writer);
	waiter_start(&waiter, reader, POLLIN, method);
	put(writer, 1);
	see(trace, waiter_end(&waiter));
	take(reader, 1);
	waiter_start(&waiter, reader, POLLIN, method);
	put(writer, 1 << 16);
	see(trace, waiter_end(&waiter));
	waiter_start(&waiter, writer, POLLOUT, method);
	take(reader, 1 << 16);
	see(trace, waiter_end(&waiter));
	waiter_start(&waiter, reader, POLLIN, method);
	must(close(writer));
	see(trace, waiter_end(&waiter));
}

static int method_now;

static void sleepers_now(struct trace *trace, const char *path)
{
	sleepers(trace, path, method_now);
}

START_TEST(test_kept_poll_wakes_as_on_a_tmpfs)
{
	method_now = _i;
	must_be_same(sleepers_now);
}
END_TEST

static bool has_only_hup(void *arg)
{
	return poll_now(*(int *)arg) == POLLHUP;
}

/*
 * After its only writer has left, the reader sees the daemon as a writer until the last byte is
 * gone.
 */
START_TEST(test_kept_poll_data_of_one_who_left)
{
	int reader;

	kept_make("pipes/p");
	reader = kept_reader(ipc_path("pipes/p"));
	for (int i = 0; i < 20; i++) {
		channel_put("pipes/p", "ab", 2);
		ck_assert_int_eq(poll_now(reader) & POLLIN, POLLIN);
		take(reader, 1);
		ck_assert_int_eq(poll_now(reader) & POLLIN, POLLIN);
		take(reader, 1);
		ck_assert_msg(wait_until(has_only_hup, &reader, KEPT_HANGS), "the end is not told");
	}
}
END_TEST

START_TEST(test_kept_poll_waiting_reader_wakes_on_the_end)
{
	static const enum method methods[] = {POLL, EPOLL, EPOLL_EDGE};
	struct waiter waiter;
	int reader;

	kept_make("pipes/p");
	reader = kept_reader(ipc_path("pipes/p"));
	channel_put("pipes/p", "data", 4);
	kept_await_held("pipes/p", "both");
	/* POLLHUP is reported even if it was not asked for. */
	waiter_start(&waiter, reader, 0, methods[_i]);
	take(reader, 4);
	ck_assert_int_eq(waiter_end(&waiter), POLLHUP);
}
END_TEST

START_TEST(test_kept_poll_writer_without_reader_has_no_error)
{
	int writer;

	kept_make("pipes/p");
	writer = kept_writer(ipc_path("pipes/p"));
	ck_assert_int_eq(poll_now(writer), POLLOUT);
	must(close(kept_reader(ipc_path("pipes/p"))));
	ck_assert_int_eq(poll_now(writer), POLLOUT);
	channel_fill("pipes/p");
	ck_assert_int_eq(poll_now(writer), 0);
	channel_drain("pipes/p");
	ck_assert_int_eq(poll_now(writer), POLLOUT);
}
END_TEST

/* The daemon watches the FIFO too, but must not take an edge from any other waiter. */
START_TEST(test_kept_poll_many_waiters_one_write_wakes_all)
{
	enum { N_WAITERS = 8 };
	struct waiter waiters[N_WAITERS];
	int writer;

	kept_make("pipes/p");
	writer = kept_writer(ipc_path("pipes/p"));
	for (int i = 0; i < N_WAITERS; i++)
		waiter_start(&waiters[i], channel_open("pipes/p", O_RDONLY), POLLIN, i % N_METHODS);
	put(writer, 1);
	for (int i = 0; i < N_WAITERS; i++)
		ck_assert_int_eq(waiter_end(&waiters[i]), POLLIN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept_poll");
	TCase *tcase = suite_case(suite, "compared", 30);

	kept_add_loop(tcase, test_kept_poll_is_as_on_a_tmpfs, N_SEQUENCES);
	kept_add_loop(tcase, test_kept_poll_wakes_as_on_a_tmpfs, N_METHODS);
	tcase = suite_case(suite, "alone", 30);
	kept_add(tcase, test_kept_poll_data_of_one_who_left);
	kept_add_loop(tcase, test_kept_poll_waiting_reader_wakes_on_the_end, 3);
	kept_add(tcase, test_kept_poll_writer_without_reader_has_no_error);
	kept_add(tcase, test_kept_poll_many_waiters_one_write_wakes_all);
	return suite_run(suite);
}
