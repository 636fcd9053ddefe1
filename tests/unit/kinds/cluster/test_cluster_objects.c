// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects come and go with what the watch of the bucket tells, without a server: the tests tell.
 */
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/accounts.h"
#include "lib/kinds/cluster/bucket_state.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/kinds/cluster/plain.h"
#include "tests/unit/objects.h"

/* Two times at which an object may have been made. */
enum { THEN = 1000000, LATER = 1000001 };

/* What the watch does when it has told of all entries. */
static void know(void)
{
	plain_cluster()->bucket->is_known = true;
	cluster_sweep_end(plain_cluster());
}

/* A space whose names are known. There are none yet. */
static struct space *open_known(void)
{
	struct space *space = plain_open(NULL);

	know();
	return space;
}

START_TEST(test_cluster_objects_entry_makes_an_object)
{
	struct space *space = open_known();
	struct cluster_object *object;
	struct stat attr;
	ino_t ino;
	mode_t mode;

	plain_see("a b", 0640, THEN, 1);
	object = plain_find(space, "a b");
	ck_assert_ptr_nonnull(object);
	ck_assert_str_eq(object->key, "a=20b");
	ck_assert_str_eq(object->stream, "ipcfs-queues-a=20b");
	attr = object_stat(&object->channel);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0640);
	ck_assert_uint_eq(attr.st_nlink, 1);
	ck_assert_uint_eq(attr.st_uid, 0);
	ck_assert_int_eq(attr.st_mtim.tv_sec, THEN);
	ck_assert_int_eq(space_list_find(space, "a b", &ino, &mode), 1);
	ck_assert_uint_eq(ino, attr.st_ino);
	ck_assert_uint_eq(mode, attr.st_mode);
	ck_assert_uint_eq(space_count_objects(space, &root), 1);
	ck_assert_ptr_null(plain_find(space, "b"));
}
END_TEST

START_TEST(test_cluster_objects_changed_entry_changes_the_object)
{
	struct space *space = open_known();
	struct cluster_object *object;

	plain_see("a", 0600, THEN, 5);
	object = plain_find(space, "a");
	plain_see("a", 0644, THEN, 6);
	ck_assert_ptr_eq(plain_find(space, "a"), object);
	ck_assert_uint_eq(object_stat(&object->channel).st_mode, S_IFREG | 0644);
	plain_see("a", 0600, THEN, 5);
	ck_assert_uint_eq(object_stat(&object->channel).st_mode, S_IFREG | 0644);
	ck_assert_uint_eq(plain_counts.n_made, 1);
}
END_TEST

/* It was deleted and made anew while the link was down: only its time tells. */
START_TEST(test_cluster_objects_made_anew_is_another_object)
{
	struct space *space = open_known();
	struct cluster_object *object;
	struct channel *old;

	plain_see("a", 0600, THEN, 1);
	old = channel_ref(&plain_find(space, "a")->channel);
	plain_see("a", 0644, LATER, 3);
	object = plain_find(space, "a");
	ck_assert_ptr_ne(&object->channel, old);
	ck_assert_uint_ne(object_stat(&object->channel).st_ino, object_stat(old).st_ino);
	ck_assert_uint_eq(object_stat(old).st_nlink, 0);
	ck_assert_uint_eq(plain_counts.n_unnamed, 1);
	ck_assert_uint_eq(plain_counts.n_freed, 0);
	channel_unref(old);
	ck_assert_uint_eq(plain_counts.n_freed, 1);
}
END_TEST

START_TEST(test_cluster_objects_deleted_entry_takes_the_name)
{
	struct space *space = open_known();

	plain_see("a", 0600, THEN, 2);
	plain_miss("a", 1);
	ck_assert_ptr_nonnull(plain_find(space, "a"));
	plain_miss("a", 3);
	ck_assert_ptr_null(plain_find(space, "a"));
	ck_assert_int_eq(space_count(space), 0);
	ck_assert_uint_eq(plain_counts.n_unnamed, 1);
	ck_assert_uint_eq(plain_counts.n_freed, 1);
	plain_miss("never there", 4);
}
END_TEST

/* We have removed the object, and the watch is still to tell that it was made. */
START_TEST(test_cluster_objects_removed_one_does_not_come_back)
{
	struct space *space = open_known();

	plain_see("a", 0600, THEN, 2);
	plain_miss("a", 3);
	plain_see("a", 0600, THEN, 2);
	ck_assert_ptr_null(plain_find(space, "a"));
	cluster_passed(plain_cluster(), 3);
	plain_see("a", 0600, THEN, 4);
	ck_assert_ptr_nonnull(plain_find(space, "a"));
}
END_TEST

/* The memory of what was removed is bounded. */
START_TEST(test_cluster_objects_many_removed_are_survived)
{
	char name[16];

	open_known();
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		plain_miss(name, i + 1);
	}
	ck_assert_uint_lt(plain_cluster()->n_gone, 3000);
}
END_TEST

START_TEST(test_cluster_objects_not_told_of_after_a_break_are_gone)
{
	struct space *space = open_known();
	struct cluster_object *kept;

	plain_see("kept", 0600, THEN, 1);
	plain_see("gone", 0600, THEN, 2);
	plain_see("changed", 0600, THEN, 3);
	kept = plain_find(space, "kept");
	cluster_sweep_begin(plain_cluster());
	plain_see("kept", 0600, THEN, 1);
	plain_see("changed", 0640, THEN, 4);
	ck_assert_ptr_nonnull(plain_find(space, "gone"));
	cluster_sweep_end(plain_cluster());
	ck_assert_ptr_null(plain_find(space, "gone"));
	ck_assert_ptr_eq(plain_find(space, "kept"), kept);
	ck_assert_ptr_nonnull(plain_find(space, "changed"));
	ck_assert_uint_eq(plain_counts.n_unnamed, 1);
	ck_assert_uint_eq(plain_counts.n_known, 2);
}
END_TEST

/* What we have made during the break's end is newer than what is told. */
START_TEST(test_cluster_objects_made_during_a_sweep_stay)
{
	struct space *space = open_known();

	cluster_sweep_begin(plain_cluster());
	plain_see("new", 0600, THEN, 9);
	cluster_sweep_end(plain_cluster());
	ck_assert_ptr_nonnull(plain_find(space, "new"));
}
END_TEST

/* The bucket was deleted and made anew by somebody: its revisions are smaller. */
START_TEST(test_cluster_objects_of_another_bucket_are_taken)
{
	struct space *space = open_known();
	struct cluster_object *object;

	plain_see("a", 0600, THEN, 100);
	plain_miss("b", 101);
	cluster_sweep_begin(plain_cluster());
	plain_see("a", 0640, THEN, 1);
	plain_see("b", 0640, THEN, 2);
	cluster_sweep_end(plain_cluster());
	object = plain_find(space, "a");
	ck_assert_uint_eq(object->revision, 1);
	ck_assert_uint_eq(object_stat(&object->channel).st_mode, S_IFREG | 0640);
	ck_assert_ptr_nonnull(plain_find(space, "b"));
}
END_TEST

START_TEST(test_cluster_objects_absurd_entry_is_tamed)
{
	struct cluster_entry entry = plain_entry(~0U, INT64_MIN);
	struct space *space = open_known();
	struct cluster_object *object;
	struct stat attr;

	memset(&entry.settings, 0xff, sizeof(entry.settings));
	strcpy(entry.owner, "");
	strcpy(entry.group, "no-such-group");
	cluster_entry_seen(plain_cluster(), CLUSTER_QUEUES, "a", "a", &entry, 1);
	object = plain_find(space, "a");
	attr = object_stat(&object->channel);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0777);
	ck_assert_uint_eq(attr.st_uid, ACCOUNTS_UNKNOWN);
	ck_assert_uint_eq(attr.st_gid, ACCOUNTS_UNKNOWN);
	ck_assert_int_eq(attr.st_mtim.tv_sec, 0);
	ck_assert_uint_le(object->entry.settings.maxbytes, INT64_MAX);
	ck_assert_uint_le(object->entry.settings.msgsize, INT32_MAX);
	ck_assert_uint_le(object->entry.settings.replicas, CLUSTER_REPLICAS_MAX);
}
END_TEST

START_TEST(test_cluster_objects_too_many_are_left_out)
{
	struct space *space = open_known();
	struct statvfs room;

	plain_see("a", 0600, THEN, 1);
	space_room(space, &root, &room);
	ck_assert_uint_eq(room.f_files, CLUSTER_OBJECTS_MAX);
	ck_assert_uint_eq(room.f_ffree, CLUSTER_OBJECTS_MAX - 1);
	plain_cluster()->n_objects += CLUSTER_OBJECTS_MAX - 1;
	ck_assert(!cluster_has_room(plain_cluster()));
	plain_see("b", 0600, THEN, 2);
	plain_see("c", 0600, THEN, 3);
	plain_see("a", 0640, THEN, 4);
	plain_cluster()->n_objects -= CLUSTER_OBJECTS_MAX - 1;
	ck_assert_ptr_null(plain_find(space, "b"));
	ck_assert_uint_eq(plain_find(space, "a")->revision, 4);
	ck_assert_uint_eq(plain_counts.n_logged, 1);
}
END_TEST

/* Nobody listens to entries of kinds that are not in this build. */
START_TEST(test_cluster_objects_of_a_sort_without_a_space_are_left_out)
{
	struct cluster_entry entry = plain_entry(0600, THEN);

	open_known();
	cluster_entry_seen(plain_cluster(), CLUSTER_VALUES, "a", "a", &entry, 1);
	cluster_entry_gone(plain_cluster(), CLUSTER_VALUES, "a", 2);
	ck_assert_uint_eq(plain_cluster()->n_objects, 0);
}
END_TEST

/* Names that are not known yet. */

struct looker {
	struct waiter waiter;
	struct space *space;
	struct entry entry;
	int result;
	unsigned n;
};

static void look(struct looker *looker)
{
	root.waiter = &looker->waiter;
	looker->result = space_find(looker->space, "a", &root, &looker->entry);
	root.waiter = NULL;
	looker->n++;
	if (!job_is_awaited(looker->result))
		loop_end();
}

static void look_again(struct waiter *waiter)
{
	look(CONTAINER_OF(waiter, struct looker, waiter));
}

static int list_nothing(void *data)
{
	return space_list(data, &root, NULL, NULL);
}

START_TEST(test_cluster_objects_lookup_waits_until_names_are_known)
{
	struct space *space = plain_open(NULL);
	struct looker there = {.waiter.resume = look_again, .space = space};
	struct looker missing = there;

	look(&missing);
	ck_assert_int_eq(missing.result, -EINPROGRESS);
	plain_see("a", 0600, THEN, 1);
	look(&there);
	ck_assert_int_eq(there.result, -EINPROGRESS);
	plain_miss("a", 2);
	plain_see("a", 0600, THEN, 3);
	know();
	ck_assert_int_eq(there.result, 0);
	ck_assert_int_eq(missing.result, 0);
	ck_assert_uint_eq(there.n, 2);
	channel_unref(there.entry.channel);
	channel_unref(missing.entry.channel);
	ck_assert_uint_eq(plain_counts.n_known, 1);
}
END_TEST

START_TEST(test_cluster_objects_lookup_without_a_waiter_does_not_wait)
{
	struct space *space = plain_open(NULL);
	struct entry entry;

	must_fail(space_find(space, "a", &root, &entry), EAGAIN);
}
END_TEST

START_TEST(test_cluster_objects_waiter_may_give_up)
{
	struct looker looker = {.waiter.resume = look_again, .space = plain_open(NULL)};

	look(&looker);
	ck_assert_int_eq(looker.result, -EINPROGRESS);
	waiter_fini(&looker.waiter);
	ck_assert_ptr_null(plain_cluster()->waits);
	know();
	ck_assert_uint_eq(looker.n, 1);
}
END_TEST

/* When one moment is over, nobody waits any more, however often and wherever they look. */
START_TEST(test_cluster_objects_wait_for_names_ends_once_and_for_all)
{
	struct looker looker = {.waiter.resume = look_again, .space = plain_open(NULL)};

	must_fail(loop_wait_for(&root, list_nothing, looker.space), EHOSTDOWN);
	look(&looker);
	ck_assert_int_eq(looker.result, -EHOSTDOWN);
	waiter_fini(&looker.waiter);
	must_fail(space_list(looker.space, &root, NULL, NULL), EHOSTDOWN);
	know();
	ck_assert_int_eq(space_count(looker.space), 0);
}
END_TEST

/* A lookup shows the owner as it is, not as it is before the name service has answered. */
START_TEST(test_cluster_objects_lookup_waits_for_a_new_owner)
{
	struct cluster_entry entry = plain_entry(0600, THEN);
	struct space *space = open_known();
	struct looker looker = {.waiter.resume = look_again, .space = space};
	struct cluster_object *object;

	strcpy(entry.owner, "3999999990"); /* no machine has a name for that */
	cluster_entry_seen(plain_cluster(), CLUSTER_QUEUES, "a", "a", &entry, 1);
	look(&looker);
	ck_assert_int_eq(looker.result, -EINPROGRESS);
	waiter_fini(&looker.waiter);
	object = plain_find(space, "a");
	ck_assert_uint_eq(object_stat(&object->channel).st_uid, 3999999990U);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_objects");

	suite_add(suite, "entries",
		  (const TTest *const[]){
			  test_cluster_objects_entry_makes_an_object,
			  test_cluster_objects_changed_entry_changes_the_object,
			  test_cluster_objects_made_anew_is_another_object,
			  test_cluster_objects_deleted_entry_takes_the_name,
			  test_cluster_objects_removed_one_does_not_come_back,
			  test_cluster_objects_many_removed_are_survived,
			  test_cluster_objects_not_told_of_after_a_break_are_gone,
			  test_cluster_objects_made_during_a_sweep_stay,
			  test_cluster_objects_of_another_bucket_are_taken,
			  test_cluster_objects_absurd_entry_is_tamed,
			  test_cluster_objects_too_many_are_left_out,
			  test_cluster_objects_of_a_sort_without_a_space_are_left_out,
			  NULL,
		  });
	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_cluster_objects_lookup_waits_until_names_are_known,
			  test_cluster_objects_lookup_without_a_waiter_does_not_wait,
			  test_cluster_objects_waiter_may_give_up,
			  test_cluster_objects_wait_for_names_ends_once_and_for_all,
			  test_cluster_objects_lookup_waits_for_a_new_owner,
			  NULL,
		  });
	return suite_run(suite);
}
