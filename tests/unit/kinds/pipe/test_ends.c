/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of a FIFO on tmpfs, as a thread of the daemon works on them: when it holds a write end,
 * and what poll(2) and inotify(7) report.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/pipe/ends.h"
#include "tests/unit/fixture.h"
#include "tests/unit/native.h"

#define PATH "/dev/shm/fifo"

static struct ends new_ends(void)
{
	struct ends ends = {.write_fd = -1, .is_new = true, .has_end = true};

	must_call(mkfifo(PATH, 0600));
	ends.read_fd = must_call(open(PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	ends.inotify_fd = must_call(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	ends.watch = must_call(inotify_add_watch(ends.inotify_fd, PATH, IN_DELETE_SELF));
	return ends;
}

static void act(struct ends *ends, enum ends_task task)
{
	ends->task = task;
	ends_act(ends);
	must(ends->error);
}

static void end(struct ends *ends)
{
	act(ends, ENDS_CLOSE);
	ck_assert_int_eq(ends->read_fd, -1);
	close(ends->inotify_fd);
	must_call(unlink(PATH));
}

static int open_writer(void)
{
	return must_call(open(PATH, O_WRONLY | O_CLOEXEC));
}

static void put(const char *text)
{
	int fd = open_writer();

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void take(const struct ends *ends, size_t size)
{
	char data[64];

	ck_assert_int_eq(read(ends->read_fd, data, size), (ssize_t)size);
}

/* Whether inotify has reported a read. Consumes the report. */
static bool was_read(const struct ends *ends)
{
	char events[1024] __attribute__((aligned(8)));
	const struct inotify_event *event = (const void *)events;

	return read(ends->inotify_fd, events, sizeof(events)) > 0 && event->mask & IN_ACCESS;
}

START_TEST(test_ends_empty_fifo_gets_no_write_end)
{
	struct ends ends = new_ends();

	act(&ends, ENDS_SETTLE);
	ck_assert_int_eq(ends.write_fd, -1);
	end(&ends);
}
END_TEST

START_TEST(test_ends_what_is_left_by_its_writer_gets_a_write_end)
{
	struct ends ends = new_ends();

	put("hello");
	ck_assert_uint_eq(ends_look(ends.read_fd), EPOLLIN | EPOLLHUP);
	act(&ends, ENDS_SETTLE);
	ck_assert_int_ge(ends.write_fd, 0);
	ck_assert(!ends.is_new);
	ck_assert(!(ends_look(ends.read_fd) & EPOLLHUP));
	end(&ends);
}
END_TEST

START_TEST(test_ends_reader_of_it_is_told_of_and_at_the_end_then)
{
	struct ends ends = new_ends();

	put("hello");
	act(&ends, ENDS_SETTLE);
	ck_assert(!was_read(&ends));
	take(&ends, 3);
	ck_assert(was_read(&ends));
	act(&ends, ENDS_SETTLE);
	ck_assert_int_ge(ends.write_fd, 0);
	take(&ends, 2);
	ck_assert(was_read(&ends));
	act(&ends, ENDS_SETTLE);
	ck_assert_int_eq(ends.write_fd, -1);
	ck_assert(ends_look(ends.read_fd) & EPOLLHUP);
	end(&ends);
}
END_TEST

START_TEST(test_ends_nobody_is_told_of_beside_another_writer)
{
	struct ends ends = new_ends();
	int fd;

	put("hello");
	act(&ends, ENDS_SETTLE);
	fd = open_writer();
	act(&ends, ENDS_TRY);
	ck_assert_int_eq(ends.write_fd, -1);
	take(&ends, 1);
	ck_assert(!was_read(&ends));
	close(fd);
	ck_assert(ends_look(ends.read_fd) & EPOLLHUP);
	act(&ends, ENDS_SETTLE);
	ck_assert_int_ge(ends.write_fd, 0);
	end(&ends);
}
END_TEST

START_TEST(test_ends_try_keeps_the_write_end_where_nobody_else_writes)
{
	struct ends ends = new_ends();

	put("hello");
	act(&ends, ENDS_SETTLE);
	act(&ends, ENDS_TRY);
	ck_assert_int_ge(ends.write_fd, 0);
	take(&ends, 5);
	ck_assert(was_read(&ends));
	end(&ends);
}
END_TEST

/* The FIFO is newly held, so the kernel can't tell yet whether anyone writes. */
START_TEST(test_ends_new_one_with_content_gets_a_write_end)
{
	struct ends ends = new_ends();
	int fd;

	put("hello");
	fd = must_call(open(PATH, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	close(ends.read_fd);
	ends.read_fd = fd;
	ck_assert_uint_eq(ends_look(ends.read_fd), EPOLLIN);
	act(&ends, ENDS_SETTLE);
	ck_assert_int_ge(ends.write_fd, 0);
	take(&ends, 5);
	act(&ends, ENDS_SETTLE);
	ck_assert(ends_look(ends.read_fd) & EPOLLHUP);
	end(&ends);
}
END_TEST

START_TEST(test_ends_without_an_end_always_have_both)
{
	struct ends ends = new_ends();

	ends.has_end = false;
	act(&ends, ENDS_SETTLE);
	ck_assert_int_ge(ends.write_fd, 0);
	act(&ends, ENDS_TRY);
	ck_assert_int_ge(ends.write_fd, 0);
	end(&ends);
}
END_TEST

START_TEST(test_ends_are_left_when_empty_and_nobody_writes)
{
	struct ends ends = new_ends();
	int fd;

	act(&ends, ENDS_ASK);
	ck_assert(ends.is_left);
	fd = open_writer();
	act(&ends, ENDS_ASK);
	ck_assert(!ends.is_left);
	close(fd);
	put("x");
	act(&ends, ENDS_ASK);
	ck_assert(!ends.is_left);
	take(&ends, 1);
	act(&ends, ENDS_ASK);
	ck_assert(ends.is_left);
	end(&ends);
}
END_TEST

/* Returns a job that works on the read end. */
static struct ends_job new_job(const struct ends *ends)
{
	struct ends_job job;
	struct stat attr;

	memset(&job, 0, sizeof(job));
	must_call(fstat(ends->read_fd, &attr));
	job.read_end = (struct ends_pin){ends->read_fd, attr.st_dev, attr.st_ino};
	return job;
}

START_TEST(test_ends_measure_tells_bytes_and_capacity)
{
	struct ends ends = new_ends();
	struct ends_job job = new_job(&ends);

	put("hello");
	must(ends_measure(&job));
	ck_assert_int_eq(job.n_bytes, 5);
	ck_assert_int_eq(job.capacity, 65536);
	job.size = 8192;
	must(ends_resize(&job));
	must(ends_measure(&job));
	ck_assert_int_eq(job.capacity, 8192);
	end(&ends);
}
END_TEST

START_TEST(test_ends_peek_takes_nothing)
{
	struct ends ends = new_ends();
	struct ends_job job = new_job(&ends);

	put("hello");
	must(ends_peek(&job));
	ck_assert_int_eq(job.n_bytes, 5);
	ck_assert_int_eq(memcmp(job.bytes, "hello", 5), 0);
	free(job.bytes);
	take(&ends, 5);
	must(ends_peek(&job));
	ck_assert_int_eq(job.n_bytes, 0);
	free(job.bytes);
	end(&ends);
}
END_TEST

START_TEST(test_ends_empty_throws_all_away)
{
	struct ends ends = new_ends();
	struct ends_job job = new_job(&ends);

	put("hello");
	must(ends_empty(&job));
	must(ends_measure(&job));
	ck_assert_int_eq(job.n_bytes, 0);
	must(ends_empty(&job));
	end(&ends);
}
END_TEST

START_TEST(test_ends_number_of_something_else_estale)
{
	struct ends ends = new_ends();
	struct ends_job job = new_job(&ends);
	struct ends_writing writing = {.read_end = job.read_end, .write_fd = -1};

	job.read_end.ino++;
	writing.read_end.ino++;
	must_fail(ends_measure(&job), ESTALE);
	must_fail(ends_resize(&job), ESTALE);
	must_fail(ends_empty(&job), ESTALE);
	must_fail(ends_peek(&job), ESTALE);
	must_fail(ends_open_writing(&writing), ESTALE);
	job.read_end.fd = 1000;
	must_fail(ends_measure(&job), ESTALE);
	end(&ends);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ends");

	suite_add(suite, "held",
		  (const TTest *const[]){
			  test_ends_empty_fifo_gets_no_write_end,
			  test_ends_what_is_left_by_its_writer_gets_a_write_end,
			  test_ends_reader_of_it_is_told_of_and_at_the_end_then,
			  test_ends_nobody_is_told_of_beside_another_writer,
			  test_ends_try_keeps_the_write_end_where_nobody_else_writes,
			  test_ends_new_one_with_content_gets_a_write_end,
			  test_ends_without_an_end_always_have_both,
			  test_ends_are_left_when_empty_and_nobody_writes,
			  NULL,
		  });
	suite_add(suite, "jobs",
		  (const TTest *const[]){
			  test_ends_measure_tells_bytes_and_capacity,
			  test_ends_peek_takes_nothing,
			  test_ends_empty_throws_all_away,
			  test_ends_number_of_something_else_estale,
			  NULL,
		  });
	return suite_run(suite);
}
