/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes in a pipe are handed over if a reader waits, and stored otherwise. Whoever may read a pipe
 * may empty it. FIFO and socket nodes hold no bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { KIB = 1024, MIB = 1024 * 1024, PIECE = 65536 };

static struct file *new_pipe(int flags)
{
	return object_make_open(fixture_open(&pipe_kind), "p", flags);
}

static size_t stored(void)
{
	return user_charged(&host.users, 0, USER_STORED);
}

START_TEST(test_pipe_holds_1_mib)
{
	struct file *file = new_pipe(O_RDWR);

	ck_assert_uint_eq(file_fill(file, PIECE), MIB);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_too_large_a_write_is_accepted_in_part)
{
	struct file *file = new_pipe(O_RDWR);
	char *data = calloc(1, MIB + PIECE);

	ck_assert_int_eq(channel_write(file, data, MIB + PIECE, 0), MIB);
	free(data);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_writes_join)
{
	struct file *file = new_pipe(O_RDWR);

	file_put(file, "one");
	file_put(file, "two");
	file_expect(file, 4, "onet");
	file_expect(file, 4, "wo");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_write_of_nothing_gives_0)
{
	struct file *file = new_pipe(O_RDWR);

	ck_assert_int_eq(channel_write(file, "", 0, 0), 0);
	must_fail(file_try_read(file, 10), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_large_held_write_passes_in_parts)
{
	struct file *file = new_pipe(O_RDWR);
	struct held held = {0};
	size_t size = 3 * MIB, total = 0;
	char *data = malloc(size);
	const void *part;
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i / 1000);
	held_write(&held, file, data, size);
	while (total < size) {
		n = must(channel_read(file, PIECE, 0, &part));
		ck_assert_mem_eq(part, data + total, (size_t)n);
		total += (size_t)n;
		loop_run_tasks(loop);
	}
	held_expect_result(&held, (ssize_t)size);
	free(data);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_handed_data_is_not_stored)
{
	struct file *file = new_pipe(O_RDWR);
	struct held held = {0};

	held_read(&held, file, 100);
	file_put(file, "hello");
	held_expect(&held, "hello"); /* at once, without the loop */
	ck_assert_uint_eq(stored(), 0);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_rest_of_handed_data_is_kept)
{
	struct file *file = new_pipe(O_RDWR);
	struct held first = {0}, second = {0};

	held_read(&first, file, 2);
	held_read(&second, file, 2);
	file_put(file, "hello!");
	held_expect(&first, "he");
	held_expect(&second, "ll");
	file_expect(file, 100, "o!");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_deaf_reader_loses_nothing)
{
	struct file *file = new_pipe(O_RDWR);
	struct held deaf = {.is_deaf = true};

	held_read(&deaf, file, 100);
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_needs_no_descriptors)
{
	struct file *file = new_pipe(O_RDWR);
	ssize_t n;

	fixture_limit_descriptors(0);
	n = channel_write(file, "hello", 5, 0);
	fixture_unlimit_descriptors();
	ck_assert_int_eq(n, 5);
	file_expect(file, 100, "hello");
	object_close(file);
}
END_TEST

START_TEST(test_pipe_empty_and_closed_takes_nothing)
{
	struct channel *pipe = object_make(fixture_open(&pipe_kind), "p");
	struct file *file = object_open(pipe, O_RDWR);

	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
	ck_assert_uint_eq(stored(), 0);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_closed_with_data_keeps_it)
{
	struct channel *pipe = object_make(fixture_open(&pipe_kind), "p");
	struct file *file = object_open(pipe, O_RDWR);

	file_put(file, "hello");
	object_close(file);
	ck_assert_uint_gt(stored(), 0);
	file = object_open(pipe, O_RDONLY);
	file_expect(file, 100, "hello");
	object_close(file);
	ck_assert_uint_eq(stored(), 0);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_removed_with_data_gives_all_back)
{
	struct space *space = fixture_open(&pipe_kind);
	struct file *file = object_make_open(space, "p", O_RDWR);

	file_put(file, "hello");
	must(space_remove(space, "p", &root));
	ck_assert_uint_gt(stored(), 0);
	object_close(file);
	ck_assert_ptr_null(host.users.users);
}
END_TEST

START_TEST(test_pipe_truncate_gives_memory_back)
{
	struct file *file = new_pipe(O_RDWR);

	file_put(file, "hello");
	must(object_truncate(file->channel, 0, &root));
	ck_assert_uint_eq(stored(), 0);
	object_close(file);
}
END_TEST

/*
 * Write access alone gives no right to throw bytes away. By _i, the stranger is not the pipe's
 * owner, or is the owner.
 */
START_TEST(test_pipe_truncate_by_who_may_only_write_eacces)
{
	const mode_t modes[] = {0622, 0200};
	struct channel *pipe = NULL;
	struct file *file;

	must(object_create(fixture_open(&pipe_kind), "p", S_IFREG | modes[_i],
			   _i ? &stranger : &root, &pipe));
	file = object_open(pipe, O_RDWR);
	file_put(file, "hello");
	must_fail(object_truncate(pipe, 0, &stranger), EACCES);
	file_expect(file, 100, "hello");
	object_close(file);
	object_unref(pipe);
}
END_TEST

START_TEST(test_pipe_truncate_by_who_may_read_succeeds)
{
	struct file *file = new_pipe(O_RDWR);

	must(object_chmod(file->channel, 0604, &root));
	file_put(file, "hello");
	must(object_truncate(file->channel, 0, &stranger));
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_pipe_reading_and_writing_touch_times)
{
	struct file *file = new_pipe(O_RDWR);
	const struct stat old = {.st_atim.tv_sec = 1, .st_mtim.tv_sec = 1};
	struct stat attr;

	must(channel_change(file->channel, NULL, &old, CHANGE_ATIME | CHANGE_MTIME, &root));
	file_put(file, "hello");
	attr = object_stat(file->channel);
	ck_assert_int_gt(attr.st_mtim.tv_sec, 1);
	ck_assert_int_eq(attr.st_atim.tv_sec, 1);
	file_expect(file, 100, "hello");
	ck_assert_int_gt(object_stat(file->channel).st_atim.tv_sec, 1);
	object_close(file);
}
END_TEST

/* The types of nodes, by _i. */
static const mode_t nodes[] = {S_IFIFO, S_IFSOCK};

START_TEST(test_pipe_node_is_shown_as_what_it_is)
{
	struct space *space = fixture_open(&pipe_kind);
	struct channel *node = NULL;
	mode_t mode;
	ino_t ino;

	must(object_create(space, "n", nodes[_i] | 0620, &stranger, &node));
	ck_assert_int_eq(node->service, CHANNEL_NODE);
	ck_assert_uint_eq(object_stat(node).st_mode, nodes[_i] | 0620);
	ck_assert_uint_eq(object_stat(node).st_uid, STRANGER);
	ck_assert_int_eq(space_list_find(space, "n", &ino, &mode), 1);
	ck_assert_uint_eq(mode & S_IFMT, nodes[_i]);
	object_unref(node);
}
END_TEST

START_TEST(test_pipe_node_is_not_opened_here)
{
	struct channel *node = NULL;
	struct file *file = NULL;

	must(object_create(fixture_open(&pipe_kind), "n", nodes[_i] | 0600, &root, &node));
	must_fail(object_open_as(node, O_RDONLY, &root, &file), EISDIR);
	must_fail(object_open_as(node, O_WRONLY, &root, &file), EISDIR);
	ck_assert_uint_eq(node->n_files, 0);
	ck_assert_uint_eq(node->n_writers, 0);
	object_unref(node);
}
END_TEST

START_TEST(test_pipe_node_has_nothing_to_truncate_or_set)
{
	const struct settings settings = {.values = {PIECE}, .given = 1};
	struct channel *node = NULL;

	must(object_create(fixture_open(&pipe_kind), "n", nodes[_i] | 0600, &root, &node));
	must_fail(object_truncate(node, 0, &root), EINVAL);
	must_fail(channel_set(node, &settings, &root), EINVAL);
	object_unref(node);
}
END_TEST

START_TEST(test_pipe_node_is_chmodded_renamed_and_removed)
{
	struct space *space = fixture_open(&pipe_kind);
	struct channel *node = NULL;

	must(object_create(space, "n", nodes[_i] | 0600, &root, &node));
	must(object_chmod(node, 0666, &root));
	ck_assert_uint_eq(object_stat(node).st_mode, nodes[_i] | 0666);
	must(space_rename(space, "n", "m", 0, &root));
	must(space_remove(space, "m", &root));
	ck_assert_int_eq(space_count(space), 0);
	object_unref(node);
}
END_TEST

static void add_memory_tests(Suite *suite)
{
	suite_add(suite, "memory",
		  (const TTest *const[]){
			  test_pipe_handed_data_is_not_stored,
			  test_pipe_rest_of_handed_data_is_kept,
			  test_pipe_deaf_reader_loses_nothing,
			  test_pipe_needs_no_descriptors,
			  test_pipe_empty_and_closed_takes_nothing,
			  test_pipe_closed_with_data_keeps_it,
			  test_pipe_removed_with_data_gives_all_back,
			  test_pipe_truncate_gives_memory_back,
			  test_pipe_truncate_by_who_may_read_succeeds,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("pipe");

	suite_add(suite, "bytes",
		  (const TTest *const[]){
			  test_pipe_holds_1_mib,
			  test_pipe_too_large_a_write_is_accepted_in_part,
			  test_pipe_writes_join,
			  test_pipe_write_of_nothing_gives_0,
			  test_pipe_large_held_write_passes_in_parts,
			  test_pipe_reading_and_writing_touch_times,
			  NULL,
		  });
	add_memory_tests(suite);
	suite_add_loop(suite, "pairs",
		       (const TTest *const[]){
			       test_pipe_truncate_by_who_may_only_write_eacces,
			       test_pipe_node_is_shown_as_what_it_is,
			       test_pipe_node_is_not_opened_here,
			       test_pipe_node_has_nothing_to_truncate_or_set,
			       test_pipe_node_is_chmodded_renamed_and_removed,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
