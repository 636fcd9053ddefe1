/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFOs of a daemon that was killed: what is in them stays, and the next daemon holds their ends as
 * the former one did.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/pipe.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fifos.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { READ_END, WRITE_END };

static struct channel *fifo; /* borrowed */

/* The node on tmpfs has another number than it would have in the mount: this tells the latter. */
int statx(int dir_fd, const char *path, int flags, unsigned mask, struct statx *attr)
{
	long r = syscall(SYS_statx, dir_fd, path, flags, mask, attr);
	struct stat node;

	if (r == 0 && stat(fifo_path(FIFO_NODE), &node) == 0 && attr->stx_ino == node.st_ino) {
		attr->stx_ino = space_ino(fifo->space, pipe_from(fifo)->kept.attributes->ino);
		attr->stx_dev_major = major(host.dev);
		attr->stx_dev_minor = minor(host.dev);
	}
	return (int)r;
}

static void make(void)
{
	fifos_serve();
	fifos_make_nodes();
	fifo = object_make(adopt_open(&pipe_kind), "f");
	object_unref(fifo);
}

static void make_held(void)
{
	make();
	must(fifo_look_up(fifo, FIFO_NODE));
}

/* A client's descriptor of the FIFO. */
static int client(int flags)
{
	int fd = (int)must_call(open(fifo_path(FIFO_NODE), flags | O_NONBLOCK | O_CLOEXEC));

	adopt_own(fd);
	return fd;
}

static void restart(void)
{
	adopt_restart();
	fifo = adopted_channel(fifo);
	ck_assert_ptr_nonnull(fifo);
	fifos_serve();
}

struct setting {
	unsigned index;
	uint64_t value;
};

static int set_now(void *data)
{
	const struct setting *setting = data;
	struct settings settings = {.given = 1U << setting->index};

	settings.values[setting->index] = setting->value;
	return channel_set(fifo, &settings, &root);
}

static void fifo_set(unsigned index, uint64_t value)
{
	struct setting setting = {index, value};

	must(loop_wait_for(&root, set_now, &setting));
}

static void expect_read(int fd, const char *text)
{
	char data[64] = "";

	ck_assert_int_eq(read(fd, data, sizeof(data) - 1), (ssize_t)strlen(text));
	ck_assert_str_eq(data, text);
}

/* Nobody writes any more. */
static void expect_end(int fd)
{
	char byte;

	ck_assert_int_eq(read(fd, &byte, 1), 0);
}

static int *fds(void)
{
	return fifo->record->fds;
}

START_TEST(test_adopt_fifos_bytes_stay)
{
	make_held();
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	restart();
	ck_assert_uint_eq(fifos_held_descriptors(), 2);
	fifo_await_held(fifo, "both");
	fifo_expect(FIFO_NODE, "hello");
	fifo_await_held(fifo, "read");
	fifo_put(FIFO_NODE, "again");
	fifo_await_held(fifo, "both");
	fifo_expect(FIFO_NODE, "again");
	fifo_await_held(fifo, "read");
}
END_TEST

/* Killed before the write end was opened, or known. */
START_TEST(test_adopt_fifos_without_write_end)
{
	int reader;

	make_held();
	fifo_put(FIFO_NODE, "hello");
	ck_assert_int_eq(fds()[WRITE_END], -1);
	restart();
	fifo_await_held(fifo, "both");
	reader = client(O_RDONLY);
	expect_read(reader, "hello");
	fifo_await_held(fifo, "read");
	expect_end(reader);
	close(reader);
}
END_TEST

/* A client that writes keeps its reader from the end. */
START_TEST(test_adopt_fifos_with_clients)
{
	int reader, writer;
	char byte;

	make_held();
	reader = client(O_RDONLY);
	writer = client(O_WRONLY);
	restart();
	must_call(write(writer, "hello", 5));
	loop_settle();
	expect_read(reader, "hello");
	loop_settle();
	ck_assert_int_eq(read(reader, &byte, 1), -1);
	close(writer);
	expect_end(reader);
	close(reader);
}
END_TEST

START_TEST(test_adopt_fifos_eof_never)
{
	int reader, write_end;
	char byte;

	make();
	fifo_set(FIFO_EOF, FIFO_EOF_NEVER);
	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_await_held(fifo, "both");
	reader = client(O_RDONLY);
	write_end = fds()[WRITE_END];
	restart();
	ck_assert_int_eq(fds()[WRITE_END], write_end);
	ck_assert_str_eq(fifo_status(fifo, "eof"), "never");
	ck_assert_int_eq(read(reader, &byte, 1), -1);
	fifo_put(FIFO_NODE, "hello");
	loop_settle();
	expect_read(reader, "hello");
	ck_assert_int_eq(read(reader, &byte, 1), -1);
	close(reader);
}
END_TEST

START_TEST(test_adopt_fifos_never_looked_up)
{
	make();
	restart();
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	fifo_expect(FIFO_NODE, "hello");
}
END_TEST

START_TEST(test_adopt_fifos_plain_one)
{
	make_held();
	fifo_set(FIFO_KEEP, KEEP_NO);
	fifos_await_charged(0);
	restart();
	ck_assert_int_eq(fifo->service, CHANNEL_NODE);
	ck_assert_str_eq(fifo_status(fifo, "keep"), "no");
	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
}
END_TEST

/* Killed when a thread was to close the ends. */
START_TEST(test_adopt_fifos_that_was_to_be_let_go)
{
	make_held();
	pipe_record(fifo->record)->is_kept = false;
	restart();
	fifos_await_charged(0);
	ck_assert_int_eq(fds()[READ_END], -1);
}
END_TEST

/* Killed when a thread was closing the ends: then they are not in the record. */
START_TEST(test_adopt_fifos_being_let_go)
{
	make_held();
	fds()[READ_END] = -1;
	restart();
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_str_eq(fifo_status(fifo, "held"), "read");
}
END_TEST

START_TEST(test_adopt_fifos_without_a_name)
{
	struct channel *channel;

	make_held();
	must(object_lookup(fifo->space, "f", &channel));
	must(space_remove(fifo->space, "f", &root));
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	ck_assert_ptr_null(adopted_channel(channel));
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
}
END_TEST

/* The number belongs to something else by now. */
START_TEST(test_adopt_fifos_other_descriptors_are_left)
{
	int other = -1;

	make_held();
	switch (_i) {
	case 0:
		other = (int)must_call(open("/dev/null", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
		break;
	case 1:
		other = (int)must_call(
			open(fifo_path(FIFO_OTHER), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
		break;
	case 2:
		other = client(O_WRONLY);
		break;
	}
	if (other >= 0)
		adopt_own(other);
	fds()[READ_END] = other >= 0 ? other : 1000;
	restart();
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	ck_assert_int_eq(fds()[READ_END], -1);
	if (other >= 0)
		must_call(close(other));
}
END_TEST

START_TEST(test_adopt_fifos_write_end_that_is_none)
{
	int other = (int)must_call(open("/dev/null", O_WRONLY | O_NONBLOCK | O_CLOEXEC));

	make_held();
	fds()[WRITE_END] = other;
	restart();
	ck_assert_int_eq(fds()[WRITE_END], -1);
	ck_assert_str_eq(fifo_status(fifo, "held"), "read");
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	close(other);
}
END_TEST

START_TEST(test_adopt_fifos_many_times)
{
	make_held();
	for (int i = 0; i < 20; i++) {
		fifo_put(FIFO_NODE, "hello");
		for (int j = i % 5; j > 0; j--)
			loop_settle();
		restart();
		fifo_expect(FIFO_NODE, "hello");
		for (int j = i % 3; j > 0; j--)
			loop_settle();
		restart();
	}
	fifo_await_held(fifo, "read");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_fifos");

	suite_add(suite, "held",
		  (const TTest *const[]){
			  test_adopt_fifos_bytes_stay,
			  test_adopt_fifos_without_write_end,
			  test_adopt_fifos_with_clients,
			  test_adopt_fifos_eof_never,
			  test_adopt_fifos_write_end_that_is_none,
			  test_adopt_fifos_many_times,
			  NULL,
		  });
	suite_add(suite, "others",
		  (const TTest *const[]){
			  test_adopt_fifos_never_looked_up,
			  test_adopt_fifos_plain_one,
			  test_adopt_fifos_that_was_to_be_let_go,
			  test_adopt_fifos_being_let_go,
			  test_adopt_fifos_without_a_name,
			  NULL,
		  });
	suite_add_loop(suite, "numbers",
		       (const TTest *const[]){test_adopt_fifos_other_descriptors_are_left, NULL},
		       4);
	return suite_run(suite);
}
