/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only events do: add values up, be full, and get another mode or value.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define MOST "18446744073709551614"

enum { VALUE, MODE, SEMAPHORE = 1 };

static struct file *new_file(void)
{
	return object_make_open(fixture_open(&event_kind), "e", O_RDWR);
}

static int set(struct file *file, unsigned index, uint64_t value, struct caller *caller)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	return channel_set(file->channel, &settings, caller);
}

START_TEST(test_event_writes_add_up_and_a_read_clears)
{
	struct file *file = new_file();

	file_put(file, "2\n");
	file_put(file, "40");
	file_put(file, "0");
	file_expect(file, 100, "42\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_event_full_writer_waits_for_a_read)
{
	struct file *file = new_file();
	struct held held = {0};

	file_put(file, MOST);
	must_fail(channel_write(file, "1", 1, 0), EAGAIN);
	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, 0);
	held_write(&held, file, "1", 1);
	file_expect(file, 100, MOST "\n");
	held_wait(&held);
	held_expect_result(&held, 1);
	file_expect(file, 100, "1\n");
	object_close(file);
}
END_TEST

START_TEST(test_event_no_number_einval)
{
	static const char *const texts[] = {"x", "-1", "1 2", "18446744073709551615", "1\nx\n"};
	struct file *file = new_file();

	for (int i = 0; i < 5; i++)
		must_fail(channel_write(file, texts[i], strlen(texts[i]), 0), EINVAL);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_event_lines_are_added_at_once_and_empty_ones_are_nothing)
{
	struct file *file = new_file();

	file_put(file, "\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	file_put(file, "1\n2\n\n3\n");
	file_expect(file, 100, "6\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	file_put(file, MOST "\n\n");
	must_fail(channel_write(file, "0\n1\n", 4, 0), EAGAIN);
	file_expect(file, 100, MOST "\n");
	object_close(file);
}
END_TEST

START_TEST(test_event_made_semaphore_keeps_its_value)
{
	struct file *file = new_file();

	file_put(file, "2");
	must(set(file, MODE, SEMAPHORE, &root));
	file_expect(file, 100, "1\n");
	file_expect(file, 100, "1\n");
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

/* Tries both modes, by _i. */
START_TEST(test_event_value_set_wakes_reader)
{
	struct file *file = new_file();
	struct held held = {0};

	must(set(file, MODE, (uint64_t)_i, &root));
	held_read(&held, file, 100);
	must(set(file, VALUE, 7, &root));
	held_wait(&held);
	held_expect(&held, _i ? "1\n" : "7\n");
	must(set(file, VALUE, 0, &root));
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_event_set_by_stranger_eperm)
{
	struct file *file = new_file();

	must_fail(set(file, VALUE, 1, &stranger), EPERM);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_event_without_descriptors_is_not_made)
{
	struct space *space = fixture_open(&event_kind);
	struct channel *channel = NULL;

	host.users.limits[USER_DESCRIPTORS] = 0;
	must_fail(object_create(space, "e", S_IFREG | 0600, &root, &channel), ENFILE);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

START_TEST(test_event_peek_tells_and_takes_nothing)
{
	struct file *file = new_file();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	file_put(file, "5");
	must(channel_peek(file->channel, &root, out));
	fclose(out);
	ck_assert_str_eq(text, "5\n");
	free(text);
	file_expect(file, 100, "5\n");
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event");

	suite_add(suite, "event",
		  (const TTest *const[]){
			  test_event_writes_add_up_and_a_read_clears,
			  test_event_full_writer_waits_for_a_read,
			  test_event_no_number_einval,
			  test_event_lines_are_added_at_once_and_empty_ones_are_nothing,
			  test_event_made_semaphore_keeps_its_value,
			  test_event_set_by_stranger_eperm,
			  test_event_without_descriptors_is_not_made,
			  test_event_peek_tells_and_takes_nothing,
			  NULL,
		  });
	suite_add_loop(suite, "modes",
		       (const TTest *const[]){test_event_value_set_wakes_reader, NULL}, 2);
	return suite_run(suite);
}
