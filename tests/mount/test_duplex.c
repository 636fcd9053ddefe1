/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a descriptor of a pipe or queue does: both directions at once, O_NONBLOCK whenever it is
 * set, remainders of messages, end-of-file, and the calls that make no sense on it.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct reading {
	pthread_t thread;
	_Atomic pid_t tid;
	int fd;
	char buf[64];
	ssize_t n;
	int error;
};

static void *reading_run(void *arg)
{
	struct reading *reading = arg;

	reading->tid = gettid();
	reading->n = read(reading->fd, reading->buf, sizeof(reading->buf));
	reading->error = errno;
	return NULL;
}

static bool reading_has_tid(void *arg)
{
	return ((struct reading *)arg)->tid != 0;
}

/* Starts a thread that reads, and returns when the thread is blocked in read(2). */
static void reading_start(struct reading *reading, int fd)
{
	*reading = (struct reading){.fd = fd};
	ck_assert_int_eq(pthread_create(&reading->thread, NULL, reading_run, reading), 0);
	ck_assert(wait_until(reading_has_tid, reading, 5000));
	task_must_block(reading->tid, SYS_read);
	mount_settle(&ipc);
}

static void reading_end(struct reading *reading)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 5;
	ck_assert_int_eq(pthread_timedjoin_np(reading->thread, NULL, &end), 0);
}

START_TEST(test_duplex_read_blocked_write_on_same_descriptor_works)
{
	struct reading reading;
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	for (int round = 0; round < 3; round++) {
		reading_start(&reading, fd);
		ck_assert_int_eq(must(write(fd, "both ways", 9)), 9);
		reading_end(&reading);
		ck_assert_int_eq(reading.n, 9);
		ck_assert_mem_eq(reading.buf, "both ways", 9);
	}
}
END_TEST

START_TEST(test_duplex_read_blocked_status_calls_work)
{
	struct reading reading;
	struct stat st;
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	reading_start(&reading, fd);
	must(fstat(fd, &st));
	must(fchmod(fd, 0600));
	must(fcntl(fd, F_GETFL));
	must(fsync(fd));
	channel_put(channel_names[_i], "end", 3);
	reading_end(&reading);
	ck_assert_int_eq(reading.n, 3);
}
END_TEST

START_TEST(test_duplex_nonblock_at_open_empty_read_eagain)
{
	char buf[16];
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR | O_NONBLOCK);
	must_fail(read(fd, buf, sizeof(buf)), EAGAIN);
}
END_TEST

START_TEST(test_duplex_nonblock_at_open_full_write_eagain)
{
	int fd;

	channel_make(channel_names[_i]);
	channel_fill(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_WRONLY | O_NONBLOCK);
	must_fail(write(fd, "x", 1), EAGAIN);
}
END_TEST

START_TEST(test_duplex_nonblock_set_later_gives_eagain)
{
	char buf[16];
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	must_fail(read(fd, buf, sizeof(buf)), EAGAIN);
	channel_fill(channel_names[_i]);
	must_fail(write(fd, "x", 1), EAGAIN);
}
END_TEST

START_TEST(test_duplex_nonblock_cleared_later_blocks)
{
	struct reading reading;
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR | O_NONBLOCK);
	must(fcntl(fd, F_SETFL, 0));
	reading_start(&reading, fd);
	ck_assert_int_eq(must(write(fd, "x", 1)), 1);
	reading_end(&reading);
	ck_assert_int_eq(reading.n, 1);
}
END_TEST

START_TEST(test_duplex_lseek_espipe)
{
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	must_fail(lseek(fd, 0, SEEK_CUR), ESPIPE);
	must_fail(lseek(fd, 0, SEEK_SET), ESPIPE);
	must_fail(lseek(fd, 0, SEEK_END), ESPIPE);
}
END_TEST

START_TEST(test_duplex_positioned_calls_espipe)
{
	char buf[16];
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR | O_NONBLOCK);
	must_fail(pread(fd, buf, sizeof(buf), 0), ESPIPE);
	must_fail(pwrite(fd, "x", 1, 0), ESPIPE);
	must_fail(read(fd, buf, sizeof(buf)), EAGAIN);
}
END_TEST

START_TEST(test_duplex_mmap_shared_enodev)
{
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_eq(errno, ENODEV);
}
END_TEST

START_TEST(test_duplex_opened_with_trunc_loses_nothing)
{
	char buf[16];

	channel_make(channel_names[_i]);
	channel_put(channel_names[_i], "kept", 4);
	must(close(channel_open(channel_names[_i], O_WRONLY | O_TRUNC)));
	must(close(open(ipc_path(channel_names[_i]), O_RDWR | O_CREAT | O_TRUNC, 0666)));
	ck_assert_int_eq(must(channel_take(channel_names[_i], buf, sizeof(buf))), 4);
	ck_assert_mem_eq(buf, "kept", 4);
}
END_TEST

/*
 * With size 0, splice(2) would take the channel for empty; with fewer blocks, cp(1) would take it
 * for sparse.
 */
START_TEST(test_duplex_size_shown_is_a_page)
{
	struct stat st;

	channel_make(channel_names[_i]);
	channel_put(channel_names[_i], "data", 4);
	must(stat(ipc_path(channel_names[_i]), &st));
	ck_assert_int_eq(st.st_size, S_ISREG(st.st_mode) ? 4096 : 0);
	ck_assert_int_eq(st.st_blocks, S_ISREG(st.st_mode) ? 8 : 0);
}
END_TEST

START_TEST(test_duplex_writev_is_one_message)
{
	struct iovec parts[2] = {{"one ", 4}, {"message", 7}};
	char buf[64];
	int fd;

	channel_make("queues/q");
	fd = channel_open("queues/q", O_WRONLY);
	ck_assert_int_eq(must(writev(fd, parts, 2)), 11);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 11);
	ck_assert_mem_eq(buf, "one message", 11);
}
END_TEST

START_TEST(test_duplex_write_longer_than_waiting_read_goes_on_after_it)
{
	unsigned char data[200], rest[200];
	struct reading reading;
	int fd;

	for (int i = 0; i < 200; i++)
		data[i] = (unsigned char)i;
	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR);
	reading_start(&reading, fd);
	channel_put(channel_names[_i], data, sizeof(data));
	reading_end(&reading);
	ck_assert_int_eq(reading.n, sizeof(reading.buf));
	ck_assert_mem_eq(reading.buf, data, sizeof(reading.buf));
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	ck_assert_int_eq(must(read(fd, rest, sizeof(rest))), sizeof(data) - sizeof(reading.buf));
	ck_assert_mem_eq(rest, data + sizeof(reading.buf), sizeof(data) - sizeof(reading.buf));
	must_fail(read(fd, rest, sizeof(rest)), EAGAIN);
}
END_TEST

START_TEST(test_duplex_message_read_in_pieces_is_never_mixed)
{
	char buf[64];
	int fd;

	channel_make("queues/q");
	channel_put("queues/q", "first", 5);
	channel_put("queues/q", "second", 6);
	fd = channel_open("queues/q", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(must(read(fd, buf, 3)), 3);
	ck_assert_int_eq(must(read(fd, buf + 3, sizeof(buf) - 3)), 2);
	ck_assert_mem_eq(buf, "first", 5);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 6);
	ck_assert_mem_eq(buf, "second", 6);
}
END_TEST

START_TEST(test_duplex_message_remainder_is_readable)
{
	struct pollfd readable = {.events = POLLIN};
	char buf[64];

	channel_make("queues/q");
	channel_put("queues/q", "first", 5);
	readable.fd = channel_open("queues/q", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(must(read(readable.fd, buf, 3)), 3);
	ck_assert_int_eq(must(poll(&readable, 1, 0)), 1);
	ck_assert_int_eq(must(read(readable.fd, buf, 3)), 2);
	ck_assert_int_eq(must(poll(&readable, 1, 0)), 0);
}
END_TEST

START_TEST(test_duplex_message_remainder_stays_with_its_open_file)
{
	char buf[64];
	int fd;

	channel_make("queues/q");
	channel_put("queues/q", "first", 5);
	channel_put("queues/q", "second", 6);
	fd = channel_open("queues/q", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(must(read(fd, buf, 3)), 3);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 6);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 2);
	ck_assert_mem_eq(buf, "st", 2);
}
END_TEST

START_TEST(test_duplex_pipe_last_writer_closes_blocked_reader_gets_eof)
{
	struct reading reading;
	int in, out;

	channel_make("pipes/p");
	out = channel_open("pipes/p", O_WRONLY);
	in = channel_open("pipes/p", O_RDONLY);
	reading_start(&reading, in);
	must(close(out));
	reading_end(&reading);
	ck_assert_int_eq(reading.n, 0);
}
END_TEST

START_TEST(test_duplex_pipe_no_writer_yet_reader_waits)
{
	struct reading reading;

	channel_make("pipes/p");
	reading_start(&reading, channel_open("pipes/p", O_RDONLY));
	channel_put("pipes/p", "late", 4);
	reading_end(&reading);
	ck_assert_int_eq(reading.n, 4);
}
END_TEST

START_TEST(test_duplex_pipe_data_left_by_closed_writer_is_read_then_eof)
{
	char buf[64];
	int fd;

	channel_make("pipes/p");
	channel_put("pipes/p", "left", 4);
	fd = channel_open("pipes/p", O_RDONLY);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 4);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 0);
}
END_TEST

START_TEST(test_duplex_pipe_nobody_reads_write_needs_no_reader)
{
	int fd;

	channel_make("pipes/p");
	fd = channel_open("pipes/p", O_WRONLY);
	must(close(channel_open("pipes/p", O_RDONLY)));
	ck_assert_int_eq(must(write(fd, "no SIGPIPE", 10)), 10);
}
END_TEST

/* Adds the tests that apply to the first `end` channels, whether the pipe is served or a FIFO. */
static void add_duplex_tests(TCase *tcase, int end)
{
	tcase_add_loop_test(tcase, test_duplex_read_blocked_write_on_same_descriptor_works, 0, end);
	tcase_add_loop_test(tcase, test_duplex_write_longer_than_waiting_read_goes_on_after_it, 0,
			    end);
	tcase_add_loop_test(tcase, test_duplex_nonblock_at_open_empty_read_eagain, 0, end);
	tcase_add_loop_test(tcase, test_duplex_nonblock_at_open_full_write_eagain, 0, end);
	tcase_add_loop_test(tcase, test_duplex_nonblock_set_later_gives_eagain, 0, end);
	tcase_add_loop_test(tcase, test_duplex_nonblock_cleared_later_blocks, 0, end);
	tcase_add_loop_test(tcase, test_duplex_lseek_espipe, 0, end);
	tcase_add_loop_test(tcase, test_duplex_positioned_calls_espipe, 0, end);
	tcase_add_loop_test(tcase, test_duplex_mmap_shared_enodev, 0, end);
	tcase_add_loop_test(tcase, test_duplex_opened_with_trunc_loses_nothing, 0, end);
	tcase_add_loop_test(tcase, test_duplex_size_shown_is_a_page, 0, end);
}

int main(void)
{
	Suite *suite = suite_create("duplex");
	TCase *tcase = suite_case(suite, "fifo", 20);

	add_duplex_tests(tcase, PIPE + 1);
	tcase_add_test(tcase, test_duplex_pipe_last_writer_closes_blocked_reader_gets_eof);
	tcase_add_test(tcase, test_duplex_pipe_data_left_by_closed_writer_is_read_then_eof);
	tcase_add_test(tcase, test_duplex_pipe_nobody_reads_write_needs_no_reader);
	tcase = suite_case_served(suite, "both", 20);
	add_duplex_tests(tcase, N_CHANNELS);
	tcase_add_loop_test(tcase, test_duplex_read_blocked_status_calls_work, 0, N_CHANNELS);
	tcase = suite_case_served(suite, "queues", 20);
	tcase_add_test(tcase, test_duplex_writev_is_one_message);
	tcase_add_test(tcase, test_duplex_message_read_in_pieces_is_never_mixed);
	tcase_add_test(tcase, test_duplex_message_remainder_is_readable);
	tcase_add_test(tcase, test_duplex_message_remainder_stays_with_its_open_file);
	tcase = suite_case_served(suite, "pipes", 20);
	tcase_add_test(tcase, test_duplex_pipe_last_writer_closes_blocked_reader_gets_eof);
	tcase_add_test(tcase, test_duplex_pipe_no_writer_yet_reader_waits);
	tcase_add_test(tcase, test_duplex_pipe_data_left_by_closed_writer_is_read_then_eof);
	tcase_add_test(tcase, test_duplex_pipe_nobody_reads_write_needs_no_reader);
	return suite_run(suite);
}
