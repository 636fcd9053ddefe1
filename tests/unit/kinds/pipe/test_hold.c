/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept FIFOs, here on tmpfs: which ends the daemon holds of a FIFO, from its lookup until nobody
 * uses it any more, and how these ends are charged.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fifos.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

START_TEST(test_hold_new_fifo_is_not_held)
{
	struct channel *fifo = object_make(fifos_open(), "f");

	ck_assert_int_eq(fifo->service, CHANNEL_NODE);
	ck_assert(S_ISFIFO(object_stat(fifo).st_mode));
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_begins_with_the_look_up)
{
	struct channel *fifo = object_make(fifos_open(), "f");

	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_str_eq(fifo_status(fifo, "held"), "read");
	ck_assert_uint_eq(fifos_held_descriptors(), 2);
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	fifo_expect(FIFO_NODE, "hello");
	fifo_await_held(fifo, "read");
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_second_look_up_finds_it_held)
{
	struct channel *fifo = object_make(fifos_open(), "f");
	int n;

	must(fifo_look_up(fifo, FIFO_NODE));
	n = fixture_descriptors();
	must(channel_show(fifo, FIFO_NODE, &root));
	ck_assert_int_eq(fixture_descriptors(), n);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_ends_a_moment_after_the_name)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");

	must(fifo_look_up(fifo, FIFO_NODE));
	must(space_remove(space, "f", &root));
	fifo_put(FIFO_NODE, "by somebody who has looked it up before");
	fifo_await_gone(fifo, 0);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_is_let_go_when_nobody_uses_it)
{
	struct channel *fifo = object_make(fifos_open(), "f");

	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_await_gone(fifo, 0);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_WATCHES), 0);
	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_put(FIFO_NODE, "again");
	fifo_await_held(fifo, "both");
	object_unref(fifo);
}
END_TEST

/* The other FIFO is let go meanwhile. That shows that enough time has passed. */
START_TEST(test_hold_stays_while_somebody_writes)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");
	struct channel *other = object_make(space, "o");
	int fd;

	must(fifo_look_up(fifo, FIFO_NODE));
	fd = must_call(open(fifo_path(FIFO_NODE), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
	must(fifo_look_up(other, FIFO_OTHER));
	fifo_await_gone(other, 1);
	ck_assert_str_eq(fifo_status(fifo, "held"), "read");
	close(fd);
	fifo_await_gone(fifo, 0);
	object_unref(other);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_stays_while_something_waits)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");
	struct channel *other = object_make(space, "o");

	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	must(fifo_look_up(other, FIFO_OTHER));
	fifo_await_gone(other, 1);
	fifo_expect(FIFO_NODE, "hello");
	object_unref(other);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_without_end_has_both)
{
	struct channel *fifo = object_make_set(fifos_open(), "f", FIFO_EOF, FIFO_EOF_NEVER);

	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_str_eq(fifo_status(fifo, "held"), "both");
	fifo_put(FIFO_NODE, "hello");
	fifo_expect(FIFO_NODE, "hello");
	loop_settle();
	ck_assert_str_eq(fifo_status(fifo, "held"), "both");
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_of_a_plain_one_begins_with_keep)
{
	struct settings keep = {.given = 1 << FIFO_KEEP, .values[FIFO_KEEP] = 1};
	struct channel *fifo = NULL;
	struct space *space = fifos_open();

	must(object_create(space, "f", S_IFIFO | 0600, &root, &fifo));
	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
	must_fail(channel_set(fifo, &keep, &stranger), EPERM);
	ck_assert_int_eq(channel_set(fifo, &keep, &root), -EAGAIN);
	keep.values[FIFO_KEEP] = 0;
	must(channel_set(fifo, &keep, &root));
	object_unref(fifo);
}
END_TEST

struct setting {
	struct channel *channel;
	struct settings settings;
};

static int set(void *data)
{
	const struct setting *setting = data;

	return channel_set(setting->channel, &setting->settings, &root);
}

START_TEST(test_hold_of_one_that_has_lost_its_name_does_not_begin)
{
	struct setting keep = {.settings = {.given = 1 << FIFO_KEEP, .values[FIFO_KEEP] = 1}};
	struct space *space = fifos_open();

	must(object_create(space, "f", S_IFIFO | 0600, &root, &keep.channel));
	must(fifo_look_up(keep.channel, FIFO_NODE));
	must(space_remove(space, "f", &root));
	must_fail(loop_wait_for(&root, set, &keep), ENOENT);
	fifos_await_charged(0);
	object_unref(keep.channel);
}
END_TEST

START_TEST(test_hold_tells_when_it_was_written_to)
{
	struct channel *fifo = object_make(fifos_open(), "f");
	struct timespec before;

	must(fifo_look_up(fifo, FIFO_NODE));
	before = object_stat(fifo).st_mtim;
	fifo_put(FIFO_NODE, "hello");
	loop_settle();
	ck_assert_int_ne(object_stat(fifo).st_mtim.tv_nsec, before.tv_nsec);
	before = object_stat(fifo).st_mtim;
	ck_assert_int_eq(object_stat(fifo).st_mtim.tv_nsec, before.tv_nsec);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_of_what_is_gone_estale)
{
	struct channel *fifo = object_make(fifos_open(), "f");

	must_fail(fifo_look_up(fifo, 99), ENOENT);
	ck_assert_uint_eq(fifos_held_descriptors(), 0);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_over_the_users_limit_enfile)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");

	host.users.limits[USER_DESCRIPTORS] = 1;
	must_fail(fifo_look_up(fifo, FIFO_NODE), ENFILE);
	host.users.limits[USER_DESCRIPTORS] = 100;
	host.users.limits[USER_WATCHES] = 0;
	must_fail(fifo_look_up(fifo, FIFO_NODE), ENFILE);
	host.users.limits[USER_WATCHES] = 1;
	must(fifo_look_up(fifo, FIFO_NODE));
	object_unref(fifo);
}
END_TEST

/* At the limit, the daemon lets go of a FIFO that rests, to make room for the next one. */
START_TEST(test_hold_at_the_limit_waits_for_one_that_rests)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");
	struct channel *other = object_make(space, "o");

	host.users.limits[USER_DESCRIPTORS] = 3;
	must(fifo_look_up(fifo, FIFO_NODE));
	must(fifo_look_up(other, FIFO_OTHER));
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	ck_assert_str_eq(fifo_status(other, "held"), "read");
	object_unref(other);
	object_unref(fifo);
}
END_TEST

START_TEST(test_hold_ends_with_the_mount)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");

	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_put(FIFO_NODE, "hello");
	fifo_await_held(fifo, "both");
	space_let_go(space);
	fifo_await_gone(fifo, 0);
	must(fifo_look_up(fifo, FIFO_NODE));
	ck_assert_str_eq(fifo_status(fifo, "held"), "no");
	object_unref(fifo);
}
END_TEST

static void *read_into(void *page)
{
	int fd = must_call(open(fifo_path(FIFO_NODE), O_RDONLY | O_NONBLOCK | O_CLOEXEC));

	ck_assert_int_eq(read(fd, page, 1), 1);
	close(fd);
	return NULL;
}

/*
 * Starts a thread that reads the FIFO into memory that faults, and so holds the pipe's lock.
 * Returns the userfaultfd. Closing it ends the fault.
 */
static int lock_begin(void *page, pthread_t *ret_reader)
{
	int fd = must_call((int)syscall(SYS_userfaultfd, O_CLOEXEC));
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {{(uintptr_t)page, 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
	struct uffd_msg message;

	must_call(ioctl(fd, UFFDIO_API, &api));
	must_call(ioctl(fd, UFFDIO_REGISTER, &range));
	pthread_create(ret_reader, NULL, read_into, page);
	ck_assert_int_eq(read(fd, &message, sizeof(message)), sizeof(message));
	return fd;
}

/*
 * The FIFO has rested and would be let go like the other one, but a thread of the daemon is stuck
 * on it.
 */
START_TEST(test_hold_that_is_locked_is_not_let_go)
{
	struct space *space = fifos_open();
	struct channel *fifo = object_make(space, "f");
	struct channel *other = object_make(space, "o");
	void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t reader;
	int lock;

	must(fifo_look_up(fifo, FIFO_NODE));
	fifo_put(FIFO_NODE, "hello");
	lock = lock_begin(page, &reader);
	loop_settle();
	must(fifo_look_up(other, FIFO_OTHER));
	fifo_await_gone(other, 1);
	close(lock); /* the kernel now handles the fault as any other */
	pthread_join(reader, NULL);
	fifo_await_held(fifo, "both");
	fifo_expect(FIFO_NODE, "ello");
	fifo_await_gone(fifo, 0);
	object_unref(other);
	object_unref(fifo);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hold");
	TCase *tcase = suite_add(suite, "holds",
				 (const TTest *const[]){
					 test_hold_new_fifo_is_not_held,
					 test_hold_begins_with_the_look_up,
					 test_hold_second_look_up_finds_it_held,
					 test_hold_ends_a_moment_after_the_name,
					 test_hold_is_let_go_when_nobody_uses_it,
					 test_hold_stays_while_somebody_writes,
					 test_hold_stays_while_something_waits,
					 test_hold_without_end_has_both,
					 test_hold_of_a_plain_one_begins_with_keep,
					 test_hold_of_one_that_has_lost_its_name_does_not_begin,
					 test_hold_tells_when_it_was_written_to,
					 test_hold_of_what_is_gone_estale,
					 test_hold_over_the_users_limit_enfile,
					 test_hold_at_the_limit_waits_for_one_that_rests,
					 test_hold_ends_with_the_mount,
					 test_hold_that_is_locked_is_not_let_go,
					 NULL,
				 });

	tcase_set_timeout(tcase, 30);
	return suite_run(suite);
}
