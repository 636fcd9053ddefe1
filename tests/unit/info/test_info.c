// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * info/: what the texts of one object and of all say, and to whom; and that looking takes nothing.
 * The tree is the root's own, with one pipe, queue and region in it.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_text.h"
#include "lib/tree/root.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

static struct space *tree;
static char content[65536];
static bool was_awaited; /* a worker has made it */

static void tell_missing(const char *path, int error)
{
	ck_abort_msg("no %s: %s", path, error_name(error));
}

static struct space *space_at(unsigned i)
{
	return host.spaces[i];
}

static void make_tree(void)
{
	must(root_new(&host, tell_missing, &tree));
	channel_unref(object_make(space_at(0), "p"));
	channel_unref(object_make(space_at(1), "q"));
	channel_unref(object_make_set(space_at(2), "s", 0, 8192));
}

static void free_tree(void)
{
	must(space_remove(space_at(0), "p", &root));
	root_free(&host, tree);
}

static int find_in(struct space *space, const char *name, struct entry *ret_entry)
{
	struct selector selector;

	return space_lookup(space, name, &root, ret_entry, &selector);
}

/* What `path` in info/ leads to. */
static int find(const char *path_, struct entry *ret_entry)
{
	CLEANUP_FREE char *path = strdup(path_);
	struct space *space = space_ref(host.info);
	char *rest = NULL;
	int r = 0;

	for (char *name = strtok_r(path, "/", &rest); r == 0 && name;
	     name = strtok_r(NULL, "/", &rest)) {
		ck_assert_ptr_nonnull(space);
		r = find_in(space, name, ret_entry);
		space_unref(space);
		space = r == 0 && rest && *rest ? ret_entry->space : NULL;
	}
	return r;
}

/* The text at `path`, into `content`; or the error of its open. */
static int look_as(struct caller *caller, const char *path)
{
	struct entry entry = {0};
	struct held held = {0};
	struct file *file = NULL;
	const void *data = NULL;
	ssize_t n;
	int r;

	must(find(path, &entry));
	ck_assert_ptr_nonnull(entry.channel);
	r = object_open_as(entry.channel, O_RDONLY, caller, &file);
	channel_unref(entry.channel);
	if (r < 0)
		return r;
	was_awaited = file_try_read(file, 1) == -EAGAIN;
	if (was_awaited) {
		held_read(&held, file, 1);
		held_wait(&held);
	}
	n = must(channel_read(file, sizeof(content) - 1, 0, &data));
	memcpy(content, data, (size_t)n);
	content[n] = '\0';
	channel_release(file);
	return 0;
}

static void look(const char *path)
{
	must(look_as(&root, path));
}

static void expect_line(const char *line)
{
	const char *found = strstr(content, line);
	size_t length = strlen(line);

	while (found && ((found != content && found[-1] != '\n') || found[length] != '\n'))
		found = strstr(found + 1, line);
	ck_assert_msg(found, "no line '%s' in:\n%s", line, content);
}

static void expect_no(const char *text)
{
	ck_assert_msg(!strstr(content, text), "'%s' in:\n%s", text, content);
}

static void put(const char *text)
{
	struct channel *channel = object_find(space_at(0), "p");
	struct file *file = object_open(channel, O_WRONLY);

	file_put(file, text);
	channel_release(file);
	channel_unref(channel);
}

START_TEST(test_info_status_of_a_pipe)
{
	make_tree();
	put("hello");
	look("pipes/p/status");
	expect_line("kind pipes");
	expect_line("name p");
	expect_line("owner 0");
	expect_line("group 0");
	expect_line("mode 0600");
	expect_line("bytes 5");
	expect_line("capacity 1048576");
	expect_line("eof auto");
	expect_line("readers 0");
	expect_line("writers 0");
	expect_line("waiting 0");
	free_tree();
}
END_TEST

START_TEST(test_info_status_counts_who_is_there)
{
	struct channel *channel;
	struct file *reader, *both;
	struct held held = {0};

	make_tree();
	channel = object_find(space_at(0), "p");
	reader = object_open(channel, O_RDONLY);
	both = object_open(channel, O_RDWR);
	held_read(&held, reader, 10);
	look("pipes/p/status");
	expect_line("readers 2");
	expect_line("writers 1");
	expect_line("waiting 1");
	transfer_cancel(&held.transfer);
	channel_release(reader);
	channel_release(both);
	channel_unref(channel);
	free_tree();
}
END_TEST

START_TEST(test_info_status_of_a_queue)
{
	struct file *file;

	make_tree();
	file = object_open(object_find(space_at(1), "q"), O_WRONLY);
	channel_unref(file->channel);
	file_put(file, "one");
	file_put(file, "two");
	look("queues/q/status");
	expect_line("kind queues");
	expect_line("messages 2");
	expect_line("maxmsg 4");
	expect_line("msgsize 512");
	look("queues/q/status");
	expect_line("messages 2");
	expect_line("writers 1");
	channel_release(file);
	free_tree();
}
END_TEST

START_TEST(test_info_status_of_a_region)
{
	make_tree();
	look("shm/s/status");
	expect_line("kind shm");
	expect_line("size 8192");
	expect_line("bytes 0");
	free_tree();
}
END_TEST

START_TEST(test_info_status_of_a_fifo_node)
{
	struct channel *channel = NULL;

	make_tree();
	must(object_create(space_at(0), "fifo", S_IFIFO | 0600, &root, &channel));
	channel_unref(channel);
	look("pipes/fifo/status");
	expect_line("type fifo");
	must_fail(look_as(&root, "pipes/fifo/peek"), EOPNOTSUPP);
	must(space_remove(space_at(0), "fifo", &root));
	free_tree();
}
END_TEST

START_TEST(test_info_status_hides_a_queue_that_may_not_be_read)
{
	make_tree();
	must(look_as(&stranger, "queues/q/status"));
	expect_line("mode 0600");
	expect_no("messages");
	free_tree();
}
END_TEST

START_TEST(test_info_peek_shows_and_leaves_what_waits)
{
	struct file *file;

	make_tree();
	look("pipes/p/peek");
	ck_assert_str_eq(content, "");
	put("one\n");
	put("two");
	for (int i = 0; i < 3; i++) {
		look("pipes/p/peek");
		ck_assert_str_eq(content, "one\ntwo");
	}
	file = object_open(object_find(space_at(0), "p"), O_RDONLY);
	channel_unref(file->channel);
	file_expect(file, 100, "one\ntwo");
	channel_release(file);
	look("pipes/p/peek");
	ck_assert_str_eq(content, "");
	free_tree();
}
END_TEST

START_TEST(test_info_peek_takes_the_right_to_read)
{
	struct channel *channel;

	make_tree();
	put("secret");
	must_fail(look_as(&stranger, "pipes/p/peek"), EACCES);
	channel = object_find(space_at(0), "p");
	must(object_chmod(channel, 0622, &root));
	must_fail(look_as(&stranger, "pipes/p/peek"), EACCES);
	must(object_chmod(channel, 0604, &root));
	must(look_as(&stranger, "pipes/p/peek"));
	ck_assert_str_eq(content, "secret");
	channel_unref(channel);
	free_tree();
}
END_TEST

START_TEST(test_info_peek_without_a_kernel_call_eopnotsupp)
{
	make_tree();
	must_fail(look_as(&root, "queues/q/peek"), EOPNOTSUPP);
	must_fail(look_as(&root, "shm/s/peek"), EOPNOTSUPP);
	free_tree();
}
END_TEST

START_TEST(test_info_of_a_removed_object_is_gone)
{
	struct entry directory = {0}, text = {0};
	struct file *file = NULL;

	make_tree();
	channel_unref(object_make(space_at(0), "gone"));
	must(find("pipes/gone", &directory));
	must(find_in(directory.space, "status", &text));
	must(space_remove(space_at(0), "gone", &root));
	must_fail(object_open_as(text.channel, O_RDONLY, &root, &file), ENOENT);
	must_fail(find("pipes/gone", &(struct entry){0}), ENOENT);
	channel_unref(text.channel);
	space_unref(directory.space);
	free_tree();
}
END_TEST

START_TEST(test_info_mirrors_what_is_there)
{
	struct entry first = {0}, second = {0};
	ino_t ino;
	mode_t mode;

	make_tree();
	must(find("pipes", &first));
	ck_assert_int_eq(space_count(first.space), 1);
	ck_assert_int_eq(space_list_find(first.space, "p", &ino, &mode), 1);
	ck_assert(S_ISDIR(mode));
	space_unref(first.space);
	must(find("pipes/p", &first));
	must(find("pipes/p", &second));
	ck_assert_ptr_eq(first.space, second.space);
	ck_assert_uint_eq(first.space->ino, ino);
	ck_assert_int_eq(space_count(first.space), 3);
	must_fail(find("pipes/x", &(struct entry){0}), ENOENT);
	must_fail(find("pipes/p/x", &(struct entry){0}), ENOENT);
	space_unref(first.space);
	space_unref(second.space);
	free_tree();
}
END_TEST

START_TEST(test_info_has_no_priorities_of_names)
{
	make_tree();
	must_fail(find("queues/q:9", &(struct entry){0}), ENOENT);
	free_tree();
}
END_TEST

START_TEST(test_info_makes_and_removes_nothing)
{
	struct channel *channel = NULL;
	struct entry entry = {0};

	make_tree();
	must(find("pipes", &entry));
	must_fail(object_create(entry.space, "x", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(space_remove(entry.space, "p", &root), EPERM);
	must_fail(space_rename(entry.space, "p", "r", 0, &root), EPERM);
	space_unref(entry.space);
	must(object_lookup(space_at(0), "p", NULL));
	free_tree();
}
END_TEST

START_TEST(test_info_tables_name_every_object)
{
	make_tree();
	look("summary");
	ck_assert(was_awaited);
	ck_assert_int_eq(strncmp(content, "KIND ", 5), 0);
	look("metrics");
	expect_line("ipcfs_bytes{kind=\"pipes\",name=\"p\"} 0");
	expect_line("ipcfs_messages{kind=\"queues\",name=\"q\"} 0");
	expect_line("# EOF");
	ck_assert(was_awaited);
	look("inventory.json");
	ck_assert(was_awaited);
	ck_assert_ptr_nonnull(strstr(content, "\"kind\":\"shm\""));
	look("graph.dot");
	expect_line("\t\"queues/q\" [shape=box];");
	free_tree();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info");

	suite_add(suite, "status",
		  (const TTest *const[]){
			  test_info_status_of_a_pipe,
			  test_info_status_counts_who_is_there,
			  test_info_status_of_a_queue,
			  test_info_status_of_a_region,
			  test_info_status_of_a_fifo_node,
			  test_info_status_hides_a_queue_that_may_not_be_read,
			  NULL,
		  });
	suite_add(suite, "peek",
		  (const TTest *const[]){
			  test_info_peek_shows_and_leaves_what_waits,
			  test_info_peek_takes_the_right_to_read,
			  test_info_peek_without_a_kernel_call_eopnotsupp,
			  NULL,
		  });
	suite_add(suite, "tree",
		  (const TTest *const[]){
			  test_info_of_a_removed_object_is_gone,
			  test_info_mirrors_what_is_there,
			  test_info_has_no_priorities_of_names,
			  test_info_makes_and_removes_nothing,
			  test_info_tables_name_every_object,
			  NULL,
		  });
	return suite_run(suite);
}
