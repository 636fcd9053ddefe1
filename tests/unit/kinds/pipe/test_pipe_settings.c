/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be set on a pipe, by whom, and how a user's limits affect it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

enum { PIPE_CAPACITY, PIPE_EOF, PIPE_KEEP, PIPE_SERVED }; /* indexes in the kind's table */

static int set(struct channel *pipe, unsigned index, uint64_t value, struct caller *caller)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	return channel_set(pipe, &settings, caller);
}

static struct file *new_pipe_of(uint64_t capacity)
{
	struct channel *pipe =
		object_make_set(fixture_open(&pipe_kind), "p", PIPE_CAPACITY, capacity);
	struct file *file = object_open(pipe, O_RDWR);

	object_unref(pipe);
	return file;
}

static const char *status(struct channel *pipe)
{
	return object_status(pipe, &root);
}

START_TEST(test_pipe_settings_table_has_the_indexes_used_here)
{
	const struct parameter *parameters = pipe_kind.parameters;

	ck_assert_str_eq(parameters[PIPE_CAPACITY].name, "capacity");
	ck_assert_str_eq(parameters[PIPE_EOF].name, "eof");
	ck_assert_str_eq(parameters[PIPE_EOF].words[0], "auto");
	ck_assert_str_eq(parameters[PIPE_EOF].words[1], "never");
	ck_assert_str_eq(parameters[PIPE_KEEP].name, "keep");
	ck_assert_str_eq(parameters[PIPE_SERVED].name, "served");
	ck_assert_str_eq(parameters[PIPE_SERVED].words[1], "daemon");
	ck_assert(parameters[PIPE_SERVED].is_fixed);
	ck_assert_ptr_null(parameters[4].name);
}
END_TEST

START_TEST(test_pipe_settings_capacity_given_to_create_holds)
{
	struct file *file = new_pipe_of(16 * KIB);

	ck_assert_uint_eq(file_fill(file, 4 * KIB), 16 * KIB);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_settings_larger_capacity_lets_writer_go_on)
{
	struct file *file = new_pipe_of(16 * KIB);
	struct held held = {0};

	file_fill(file, 4 * KIB);
	held_write(&held, file, "hello", 5);
	must(set(file->channel, PIPE_CAPACITY, 64 * KIB, &root));
	loop_run_tasks(loop);
	held_expect_result(&held, 5);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_settings_smaller_capacity_holds)
{
	struct file *file = new_pipe_of(64 * KIB);

	file_put(file, "hello");
	must(set(file->channel, PIPE_CAPACITY, 8 * KIB, &root));
	ck_assert_uint_le(file_fill(file, 4 * KIB), 8 * KIB);
	file_expect(file, 5, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_settings_capacity_below_content_ebusy)
{
	struct file *file = new_pipe_of(64 * KIB);

	file_fill(file, 4 * KIB);
	must_fail(set(file->channel, PIPE_CAPACITY, 8 * KIB, &root), EBUSY);
	ck_assert_ptr_nonnull(strstr(status(file->channel), "capacity 65536\n"));
	object_close(file);
}
END_TEST

START_TEST(test_pipe_settings_capacity_over_kernels_limit_by_user_eperm)
{
	struct space *space = fixture_open(&pipe_kind);
	const struct settings huge = {.values = {256 * MIB}, .given = 1 << PIPE_CAPACITY};
	struct channel *pipe = NULL;

	must_fail(object_create_set(space, "p", S_IFREG | 0600, &huge, &stranger, &pipe), EPERM);
	ck_assert_int_eq(space_count(space), 0);
	must(object_create(space, "p", S_IFREG | 0600, &stranger, &pipe));
	must_fail(set(pipe, PIPE_CAPACITY, 256 * MIB, &stranger), EPERM);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_settings_by_stranger_eperm)
{
	struct channel *pipe = object_make(fixture_open(&pipe_kind), "p");

	must(object_chmod(pipe, 0666, &root));
	must_fail(set(pipe, PIPE_CAPACITY, 8 * KIB, &stranger), EPERM);
	must_fail(set(pipe, PIPE_EOF, 1, &stranger), EPERM);
	ck_assert_ptr_nonnull(strstr(status(pipe), "eof auto\n"));
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_settings_status_shows_all)
{
	struct channel *pipe = object_make(fixture_open(&pipe_kind), "p");
	struct file *file = object_open(pipe, O_RDWR);

	ck_assert_ptr_nonnull(strstr(status(pipe), "\nbytes 0\ncapacity 1048576\neof auto\n"));
	file_put(file, "hello");
	must(set(pipe, PIPE_CAPACITY, 128 * KIB, &root));
	must(set(pipe, PIPE_EOF, 1, &root));
	ck_assert_ptr_nonnull(strstr(status(pipe), "\nbytes 5\ncapacity 131072\neof never\n"));
	object_close(file);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_settings_peek_takes_nothing)
{
	struct file *file = new_pipe_of(64 * KIB);
	char text[32] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	file_put(file, "hello");
	must(channel_peek(file->channel, &root, out));
	fclose(out);
	ck_assert_str_eq(text, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_settings_too_many_pipes_emfile)
{
	struct space *space = fixture_open(&pipe_kind);
	struct channel *pipe = NULL;

	host.users.limits[USER_CHANNELS] = 2;
	object_unref(object_make(space, "a"));
	object_unref(object_make(space, "b"));
	must_fail(object_create(space, "c", S_IFREG | 0600, &root, &pipe), EMFILE);
	must_fail(object_create(space, "c", S_IFIFO | 0600, &root, &pipe), EMFILE);
	must_fail(object_lookup(space, "c", NULL), ENOENT);
	must(space_remove(space, "a", &root));
	object_unref(object_make(space, "c"));
}
END_TEST

START_TEST(test_pipe_settings_pipes_of_one_user_leave_others_theirs)
{
	struct space *space = fixture_open(&pipe_kind);
	struct channel *pipe = NULL;

	host.users.limits[USER_CHANNELS] = 1;
	object_unref(object_make(space, "a"));
	must(object_create(space, "b", S_IFREG | 0600, &stranger, &pipe));
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_settings_removed_pipe_counts_while_open)
{
	struct space *space = fixture_open(&pipe_kind);
	struct file *file = object_make_open(space, "a", O_RDWR);
	struct channel *pipe = NULL;

	host.users.limits[USER_CHANNELS] = 1;
	must(space_remove(space, "a", &root));
	must_fail(object_create(space, "b", S_IFREG | 0600, &root, &pipe), EMFILE);
	object_close(file);
	object_unref(object_make(space, "b"));
}
END_TEST

/* A pipe counts against its maker, whoever owns it now. */
START_TEST(test_pipe_settings_given_away_counts_for_its_maker)
{
	struct space *space = fixture_open(&pipe_kind);
	const struct stat attr = {.st_uid = STRANGER};
	struct channel *pipe = object_make(space, "a");

	must(channel_change(pipe, NULL, &attr, CHANGE_UID, &root));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 1);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_CHANNELS), 0);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_settings_without_quota_least_size)
{
	struct file *file = new_pipe_of(MIB);

	host.users.limits[USER_STORED] = 0;
	ck_assert_uint_eq(file_fill(file, 4 * KIB), 8 * KIB);
	object_close(file);
}
END_TEST

/*
 * The quota runs out before the pipe's capacity does: a write takes no more, and poll must not
 * report room.
 */
START_TEST(test_pipe_settings_full_by_quota_is_not_polled_as_writable)
{
	struct file *file = new_pipe_of(MIB);

	host.users.limits[USER_STORED] = 64 * KIB;
	ck_assert_uint_lt(file_fill(file, 4 * KIB), 64 * KIB);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	object_close(file);
}
END_TEST

static void add_limit_tests(Suite *suite)
{
	suite_add(suite, "limits",
		  (const TTest *const[]){
			  test_pipe_settings_too_many_pipes_emfile,
			  test_pipe_settings_pipes_of_one_user_leave_others_theirs,
			  test_pipe_settings_removed_pipe_counts_while_open,
			  test_pipe_settings_given_away_counts_for_its_maker,
			  test_pipe_settings_without_quota_least_size,
			  test_pipe_settings_full_by_quota_is_not_polled_as_writable,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("pipe_settings");

	suite_add(suite, "settings",
		  (const TTest *const[]){
			  test_pipe_settings_table_has_the_indexes_used_here,
			  test_pipe_settings_capacity_given_to_create_holds,
			  test_pipe_settings_larger_capacity_lets_writer_go_on,
			  test_pipe_settings_smaller_capacity_holds,
			  test_pipe_settings_capacity_below_content_ebusy,
			  test_pipe_settings_capacity_over_kernels_limit_by_user_eperm,
			  test_pipe_settings_by_stranger_eperm,
			  test_pipe_settings_status_shows_all,
			  test_pipe_settings_peek_takes_nothing,
			  NULL,
		  });
	add_limit_tests(suite);
	return suite_run(suite);
}
