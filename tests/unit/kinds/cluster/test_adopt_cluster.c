// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects of cluster/ in the next daemon: there at once, until the bucket's watch knows better; and
 * writes, whose messages have the ids that they had.
 */
#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/adopt_object.h"
#include "tests/unit/objects.h"

#define SUBJECT "ipcfs.queues.news"

static struct cluster_object *object;
static struct file *file;

static void open_queue(int flags)
{
	object = adopt_object(&cluster_queue_kind, CLUSTER_QUEUES);
	file = fake_open_plain(object, flags);
}

static void next(void)
{
	object = adopt_next(object);
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
}

static void end(void)
{
	adopt_end((struct file *[]){file, NULL});
}

START_TEST(test_adopt_cluster_object_is_there_before_the_watch_tells)
{
	struct channel *found;
	struct stat before, after;

	open_queue(O_RDONLY);
	before = object_stat(&object->channel);
	next();
	ck_assert(object->is_named && object->is_adopted);
	ck_assert_str_eq(object->stream, "ipcfs-queues-news");
	ck_assert_uint_eq(object->entry.settings.maxmsg, 7);
	ck_assert_uint_eq(object->entry.settings.ack_wait, 5000000000);
	must(object_lookup(adopted_space(&cluster_queue_kind), "news", &found));
	ck_assert_ptr_eq(found, &object->channel);
	object_unref(found);
	fake_up();
	adopt_sweep(object->cluster, 1);
	ck_assert(object->is_named && !object->is_adopted);
	ck_assert_str_eq(object->entry.owner, "root");
	after = object_stat(&object->channel);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
	end();
}
END_TEST

/* Of `_i`: the watch does not tell of it, or tells of another one with its name. */
START_TEST(test_adopt_cluster_object_that_was_removed_is_gone)
{
	struct held held = {0};

	open_queue(O_RDONLY);
	next();
	held_read(&held, file, 100);
	fake_up();
	adopt_sweep(object->cluster, _i ? 2 : 0);
	loop_settle();
	held_expect_result(&held, -EIDRM);
	ck_assert(!object->is_named);
	ck_assert_ptr_ne(
		cluster_find(cluster_space_from(adopted_space(&cluster_queue_kind)), "news"),
		object);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_object_without_its_name_stays_gone)
{
	open_queue(O_RDWR);
	fake_remove_object(object);
	cluster_entry_gone(object->cluster, CLUSTER_QUEUES, "news", 10);
	next();
	ck_assert(!object->is_named);
	must_fail(file_try_read(file, 100), EIDRM);
	must_fail(channel_write(file, "x", 1, 0), EIDRM);
	must_fail(object_truncate(&object->channel, 0, &root), EIDRM);
	ck_assert_ptr_null(
		cluster_find(cluster_space_from(adopted_space(&cluster_queue_kind)), "news"));
	end();
}
END_TEST

/* The names of its owner and group are in the entry alone. */
START_TEST(test_adopt_cluster_object_is_changed_once_its_entry_is_known)
{
	const struct stat attr = {.st_mode = 0600};

	open_queue(O_RDONLY);
	next();
	must_fail(channel_change(&object->channel, NULL, &attr, CHANGE_MODE, &root), EAGAIN);
	ck_assert_ptr_null(fake_asked("$KV.ipcfs.*"));
	end();
}
END_TEST

/* Whatever the state says, `_i` says what is wrong. */
START_TEST(test_adopt_cluster_object_of_bad_record_is_lost)
{
	static const char *const names[] = {".", "..", "a/b"};
	struct object_record *record;

	open_queue(O_RDONLY);
	record = object->channel.record;
	if ((size_t)_i < sizeof(names) / sizeof(*names))
		strcpy(record->name, names[_i]);
	else if ((size_t)_i == sizeof(names) / sizeof(*names))
		memset(record->name, '.', sizeof(record->name)); /* too long as a key */
	else
		record->attributes.ino = 0;
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
	fake_fini();
}
END_TEST

START_TEST(test_adopt_cluster_object_of_bad_settings_is_tamed)
{
	open_queue(O_RDONLY);
	memset(object->channel.record->words, 0xff, sizeof(object->channel.record->words));
	object->channel.record->attributes.mode = S_IFDIR | 07777;
	next();
	ck_assert_uint_le(object->entry.settings.replicas, CLUSTER_REPLICAS_MAX);
	ck_assert_uint_le(object->entry.settings.maxmsg, INT64_MAX);
	ck_assert_uint_eq(object_stat(&object->channel).st_mode, S_IFREG | 0777);
	end();
}
END_TEST

static void write_as(struct held *held, uint64_t request, const char *text)
{
	held_write(held, file, text, strlen(text));
	held->transfer.request = request;
	loop_settle();
}

START_TEST(test_adopt_cluster_write_that_comes_again_has_the_same_id)
{
	struct held held[3] = {0};
	char id[64];

	open_queue(O_WRONLY);
	write_as(&held[0], REQUEST, "hello");
	strcpy(id, fake_wait_for(SUBJECT)->id);
	next();
	write_as(&held[1], REQUEST, "hello");
	fake_up();
	ck_assert_str_eq(fake_wait_for(SUBJECT)->id, id);
	fake_answer(fake_asked(SUBJECT), "{\"stream\":\"s\",\"seq\":1,\"duplicate\":true}", 0);
	held_expect_result(&held[1], 5);
	write_as(&held[2], REQUEST + 2, "hello");
	ck_assert_str_ne(fake_wait_for(SUBJECT)->id, id);
	transfer_cancel(&held[2].transfer);
	end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_adopt_cluster_object_is_there_before_the_watch_tells,
		test_adopt_cluster_object_without_its_name_stays_gone,
		test_adopt_cluster_object_is_changed_once_its_entry_is_known,
		test_adopt_cluster_object_of_bad_settings_is_tamed,
		test_adopt_cluster_write_that_comes_again_has_the_same_id,
		NULL,
	};
	const TTest *const gone_tests[] = {
		test_adopt_cluster_object_that_was_removed_is_gone,
		NULL,
	};
	const TTest *const bad_tests[] = {
		test_adopt_cluster_object_of_bad_record_is_lost,
		NULL,
	};
	Suite *suite = suite_create("adopt_cluster");

	suite_add(suite, "objects", tests);
	suite_add_loop(suite, "gone", gone_tests, 2);
	suite_add_loop(suite, "bad", bad_tests, 5);
	return suite_run(suite);
}
