/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a wait does not stop the loop at once: that would drop edges that epoll has already
 * reported. It makes a level-triggered source ready instead, which stops the loop some turns later.
 * A timer ends a wait that nothing else ends.
 */
#include "tests/unit/held.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

enum { DEADLINE = 30 };

static struct {
	struct loop_source source; /* fd is -1 while the loop does not run */
	unsigned n_turns;
} quiet = {.source.fd = -1};

void loop_end(void)
{
	if (quiet.source.fd >= 0)
		eventfd_write(quiet.source.fd, 1);
}

static bool held_complete(struct transfer *transfer, const void *data, ssize_t result)
{
	struct held *held = CONTAINER_OF(transfer, struct held, transfer);
	size_t n = result > 0 ? (size_t)result : 0;

	held->n++;
	held->result = result;
	if (n > sizeof(held->data))
		n = sizeof(held->data);
	if (transfer->sort == TRANSFER_READ && n)
		memcpy(held->data, data, n);
	loop_end();
	return !held->is_deaf;
}

void held_read(struct held *held, struct file *file, size_t size)
{
	const void *data;

	must_fail(channel_read(file, size, 0, &data), EAGAIN);
	held->transfer.file = file;
	held->transfer.size = size;
	held->transfer.complete = held_complete;
	transfer_hold(&held->transfer);
}

void held_write(struct held *held, struct file *file, const void *data, size_t size)
{
	ssize_t n = channel_write(file, data, size, 0);

	ck_assert_msg(n == -EAGAIN || (n >= 0 && (size_t)n < size), "write: %s", error_name(n));
	held->transfer.file = file;
	held->transfer.sort = TRANSFER_WRITE;
	held->transfer.data = data;
	held->transfer.size = size;
	held->transfer.done = n > 0 ? (size_t)n : 0;
	held->transfer.complete = held_complete;
	transfer_hold(&held->transfer);
}

void held_open(struct held *held, struct file *file)
{
	must_fail(channel_opened(file), EAGAIN);
	held->transfer.file = file;
	held->transfer.sort = TRANSFER_OPEN;
	held->transfer.complete = held_complete;
	transfer_hold(&held->transfer);
}

static void deadline_dispatch(struct loop_source *source, uint32_t events)
{
	ck_abort_msg("nothing happened for %d seconds", DEADLINE);
}

static void quiet_dispatch(struct loop_source *source, uint32_t events)
{
	if (--quiet.n_turns == 0)
		loop_stop(loop);
}

/*
 * Runs the loop until loop_end() is called, and for four more turns. With `is_ended`, runs it only
 * for the four turns.
 */
static void run(bool is_ended)
{
	const struct itimerspec deadline = {.it_value.tv_sec = DEADLINE};
	struct loop_source timer = {.dispatch = deadline_dispatch};

	quiet.n_turns = 4;
	quiet.source.dispatch = quiet_dispatch;
	quiet.source.fd = (int)must_call(eventfd(is_ended, EFD_CLOEXEC));
	timer.fd = (int)must_call(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	must_call(timerfd_settime(timer.fd, 0, &deadline, NULL));
	must(loop_add(loop, &quiet.source, EPOLLIN));
	must(loop_add(loop, &timer, EPOLLIN));
	must(loop_run(loop));
	loop_remove(loop, &timer);
	loop_remove(loop, &quiet.source);
	close(timer.fd);
	close(TAKE_FD(quiet.source.fd));
}

void held_wait(struct held *held)
{
	while (held->n == 0)
		run(false);
}

void held_expect(const struct held *held, const char *text)
{
	held_expect_result(held, (ssize_t)strlen(text));
	ck_assert_mem_eq(held->data, text, strlen(text));
}

void held_expect_result(const struct held *held, ssize_t result)
{
	ck_assert_msg(held->n == 1, "%s", held->n ? "told more than once" : "still held");
	ck_assert_msg(held->result == result, "ended with %s", error_name(held->result));
}

static void watch_polled(struct file *file)
{
	struct watch *watch = file->poll_data;

	watch->n++;
	loop_end();
}

void watch_start(struct watch *watch, struct file *file)
{
	channel_watch(file, watch_polled, watch);
}

void watch_wait(struct watch *watch, unsigned n)
{
	while (watch->n < n)
		run(false);
	ck_assert_uint_eq(watch->n, n);
}

void loop_settle(void)
{
	run(true);
}

void loop_wait(const bool *is_done)
{
	while (!*is_done)
		run(false);
}

struct retry {
	struct waiter waiter;
	struct caller *caller;
	int (*attempt)(void *data);
	void *data;
	int result;
	bool is_done;
};

static void retry_resume(struct waiter *waiter)
{
	struct retry *retry = CONTAINER_OF(waiter, struct retry, waiter);

	retry->caller->waiter = waiter;
	retry->result = retry->attempt(retry->data);
	retry->caller->waiter = NULL;
	retry->is_done = retry->result != -EINPROGRESS;
	if (retry->is_done)
		loop_end();
}

int loop_wait_for(struct caller *caller, int (*attempt)(void *data), void *data)
{
	struct retry retry = {
		.waiter.resume = retry_resume, .caller = caller, .attempt = attempt, .data = data};

	retry_resume(&retry.waiter);
	loop_wait(&retry.is_done);
	waiter_fini(&retry.waiter);
	return retry.result;
}
