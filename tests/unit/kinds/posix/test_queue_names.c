/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues as objects with owners: the limits they are made with, the account they are charged to,
 * the users who may empty them, and names that now lead to another queue.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"
#include "tests/unit/peer.h"

enum { QUEUE_MAXMSG, QUEUE_MSGSIZE }; /* indexes in the kind's table */

static struct mq_attr made_with(unsigned index, uint64_t value)
{
	struct channel *queue = object_make_set(fixture_open(&queue_kind), "q", index, value);
	mqd_t native = native_queue_open("/q");
	struct mq_attr attr = native_attributes(native);

	native_queue_close(native);
	object_unref(queue);
	return attr;
}

START_TEST(test_queue_names_made_with_the_systems_defaults)
{
	mqd_t native;

	object_unref(object_make(fixture_open(&queue_kind), "q"));
	native = native_queue_open("/q");
	ck_assert_int_eq(native_attributes(native).mq_maxmsg, QUEUE_MESSAGES);
	ck_assert_int_eq(native_attributes(native).mq_msgsize, QUEUE_MESSAGE_SIZE);
	native_queue_close(native);
}
END_TEST

START_TEST(test_queue_names_maxmsg_leaves_msgsize_to_the_system)
{
	struct mq_attr attr = made_with(QUEUE_MAXMSG, 7);

	ck_assert_int_eq(attr.mq_maxmsg, 7);
	ck_assert_int_eq(attr.mq_msgsize, QUEUE_MESSAGE_SIZE);
}
END_TEST

START_TEST(test_queue_names_msgsize_leaves_maxmsg_to_the_system)
{
	struct mq_attr attr = made_with(QUEUE_MSGSIZE, 77);

	ck_assert_int_eq(attr.mq_maxmsg, QUEUE_MESSAGES);
	ck_assert_int_eq(attr.mq_msgsize, 77);
}
END_TEST

START_TEST(test_queue_names_over_the_systems_limit_by_user_einval)
{
	const struct settings settings = {.values = {1000}, .given = 1 << QUEUE_MAXMSG};
	struct space *space = fixture_open(&queue_kind);
	struct channel *queue = NULL;

	must_fail(object_create_set(space, "q", S_IFREG | 0600, &settings, &stranger, &queue),
		  EINVAL);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

START_TEST(test_queue_names_too_long_is_not_cut_short)
{
	struct space *space = fixture_open(&queue_kind);
	struct channel *queue = NULL;
	char name[NAME_MAX + 2] = "";

	memset(name, 'q', NAME_MAX + 1);
	must_fail(object_create(space, name, S_IFREG | 0600, &root, &queue), ENAMETOOLONG);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

/*
 * A user for whom no other test makes queues, with room in RLIMIT_MSGQUEUE for one queue of the
 * default size (some 3 KiB) but not for two.
 */
static struct peer peer_with_room_for_one(void)
{
	return (struct peer){.uid = 100000 + (uid_t)getpid(), .queue_limit = 4000};
}

START_TEST(test_queue_names_count_against_the_callers_limit)
{
	struct space *space = fixture_open(&queue_kind);
	const struct peer peer = peer_with_room_for_one();
	struct caller caller = {.uid = peer.uid, .gid = peer.uid, .pid = peer_start(&peer)};
	struct channel *queue = NULL;

	must(object_create(space, "a", S_IFREG | 0600, &caller, &queue));
	object_unref(queue);
	must_fail(object_create(space, "b", S_IFREG | 0600, &caller, &queue), EMFILE);
	object_unref(object_make(space, "c")); /* this queue counts against root's account */
	must(space_remove(space, "a", &caller));
	must(object_create(space, "b", S_IFREG | 0600, &caller, &queue));
	object_unref(queue);
	peer_stop(caller.pid);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_queue_names_truncate_takes_the_right_to_read)
{
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *file = object_open(queue, O_RDWR);

	file_put(file, "hello");
	must(object_chmod(queue, 0602, &root));
	must_fail(object_truncate(queue, 0, &stranger), EACCES);
	file_expect(file, 100, "hello");
	file_put(file, "hello");
	must(object_chmod(queue, 0604, &root));
	must(object_truncate(queue, 0, &stranger));
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
	object_unref(queue);
}
END_TEST

/*
 * As with ftruncate(2), what counts is how the file was opened, not who calls: a file that is open
 * for reading can empty the queue.
 */
START_TEST(test_queue_names_truncate_through_a_writers_file_takes_the_right_to_read)
{
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *reader = object_open(queue, O_RDONLY);
	struct file *writer = object_open(queue, O_WRONLY);
	const struct stat attr = {.st_size = 0};

	must(object_chmod(queue, 0622, &root));
	file_put(writer, "hello");
	must_fail(channel_change(queue, writer, &attr, CHANGE_SIZE, &stranger), EACCES);
	must(channel_change(queue, reader, &attr, CHANGE_SIZE, &stranger));
	must_fail(file_try_read(reader, 100), EAGAIN);
	object_close(reader);
	object_close(writer);
	object_unref(queue);
}
END_TEST

START_TEST(test_queue_names_truncate_empties_a_full_one)
{
	mqd_t native = native_queue_make("/q", 10, 64);
	struct channel *queue = object_find(fixture_open(&queue_kind), "q");

	for (int i = 0; i < 10; i++)
		native_send(native, "hello", (unsigned)i);
	must(object_truncate(queue, 0, &root));
	ck_assert_int_eq(native_attributes(native).mq_curmsgs, 0);
	object_unref(queue);
	native_queue_close(native);
}
END_TEST

START_TEST(test_queue_names_that_lead_elsewhere_estale)
{
	struct space *space = fixture_open(&queue_kind);
	struct channel *queue = object_make(space, "q");
	struct file *file = NULL;
	struct stat attr;

	must_call(mq_unlink("/q"));
	native_queue_close(native_queue_make("/q", 2, 64));
	must_fail(object_open_as(queue, O_RDWR, &root, &file), ESTALE);
	must_fail(channel_stat(queue, &attr), ESTALE);
	must_fail(object_chmod(queue, 0666, &root), ESTALE);
	must_fail(object_truncate(queue, 0, &root), ESTALE);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_FILES), 0);
	object_unref(queue);
}
END_TEST

START_TEST(test_queue_names_unlinked_natively_is_used_on)
{
	struct space *space = fixture_open(&queue_kind);
	struct file *file = object_make_open(space, "q", O_RDWR);
	struct file *second = NULL;

	must_call(mq_unlink("/q"));
	file_put(file, "hello");
	second = object_open(file->channel, O_RDONLY); /* opened through the descriptor of `file` */
	file_expect(second, 100, "hello");
	object_close(second);
	object_close(file);
}
END_TEST

START_TEST(test_queue_names_status_is_for_those_who_may_read)
{
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *file = object_open(queue, O_RDWR);

	file_put(file, "hello");
	ck_assert_str_eq(object_status(queue, &root), "messages 1\nmaxmsg 4\nmsgsize 512\n");
	ck_assert_str_eq(object_status(queue, &stranger), "");
	must(object_chmod(queue, 0604, &root));
	ck_assert_str_eq(object_status(queue, &stranger), "messages 1\nmaxmsg 4\nmsgsize 512\n");
	object_close(file);
	object_unref(queue);
}
END_TEST

/* An unprivileged daemon has no mount of the queues, and can't list them. It uses their names. */
START_TEST(test_queue_names_without_privileges_are_used_by_name)
{
	struct space *space;
	struct file *file;

	fixture_drop_privileges();
	root = stranger;
	space = fixture_open(&queue_kind);
	ck_assert_int_eq(space->dir_fd, -1);
	file = object_make_open(space, "q", O_RDWR);
	file_put(file, "hello");
	file_expect(file, 100, "hello");
	object_close(file);
	must(object_lookup(space, "q", NULL));
	must_fail(object_lookup(space, "absent", NULL), ENOENT);
	must(space_remove(space, "q", &stranger));
	must_fail(object_lookup(space, "q", NULL), ENOENT);
}
END_TEST

START_TEST(test_queue_names_without_privileges_read_only_is_read)
{
	mqd_t native = native_queue_make("/q", 2, 64);
	struct channel *queue;
	struct file *reader, *writer = NULL;

	native_send(native, "hello", 0);
	must_call(fchmod(native, 0644));
	fixture_drop_privileges();
	root = stranger;
	queue = object_find(fixture_open(&queue_kind), "q");
	reader = object_open(queue, O_RDONLY);
	file_expect(reader, 100, "hello");
	must_fail(object_open_as(queue, O_WRONLY, &stranger, &writer), EACCES);
	object_close(reader);
	object_unref(queue);
	native_queue_close(native);
}
END_TEST

START_TEST(test_queue_names_without_privileges_write_only_is_written)
{
	mqd_t native = native_queue_make("/q", 2, 64);
	struct channel *queue;
	struct file *writer;

	must_call(fchmod(native, 0622));
	fixture_drop_privileges();
	root = stranger;
	queue = object_find(fixture_open(&queue_kind), "q");
	writer = object_open(queue, O_WRONLY);
	file_put(writer, "hello");
	native_expect(native, "hello", 0);
	object_close(writer);
	object_unref(queue);
	native_queue_close(native);
}
END_TEST

START_TEST(test_queue_names_without_privileges_of_another_user_eperm)
{
	struct space *space;
	struct channel *queue = NULL;
	struct caller other = {.uid = 1001, .gid = 1001};

	fixture_drop_privileges();
	root = stranger;
	space = fixture_open(&queue_kind);
	must_fail(object_create(space, "q", S_IFREG | 0600, &other, &queue), EPERM);
	must_fail(object_lookup(space, "q", NULL), ENOENT);
}
END_TEST

static void add_privilege_tests(Suite *suite)
{
	suite_add(suite, "without_privileges",
		  (const TTest *const[]){
			  test_queue_names_without_privileges_are_used_by_name,
			  test_queue_names_without_privileges_read_only_is_read,
			  test_queue_names_without_privileges_write_only_is_written,
			  test_queue_names_without_privileges_of_another_user_eperm,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("queue_names");

	suite_add(suite, "limits",
		  (const TTest *const[]){
			  test_queue_names_made_with_the_systems_defaults,
			  test_queue_names_maxmsg_leaves_msgsize_to_the_system,
			  test_queue_names_msgsize_leaves_maxmsg_to_the_system,
			  test_queue_names_over_the_systems_limit_by_user_einval,
			  test_queue_names_too_long_is_not_cut_short,
			  test_queue_names_count_against_the_callers_limit,
			  NULL,
		  });
	suite_add(suite, "rights",
		  (const TTest *const[]){
			  test_queue_names_truncate_takes_the_right_to_read,
			  test_queue_names_truncate_through_a_writers_file_takes_the_right_to_read,
			  test_queue_names_truncate_empties_a_full_one,
			  test_queue_names_that_lead_elsewhere_estale,
			  test_queue_names_unlinked_natively_is_used_on,
			  test_queue_names_status_is_for_those_who_may_read,
			  NULL,
		  });
	add_privilege_tests(suite);
	return suite_run(suite);
}
