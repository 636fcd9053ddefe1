/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that make or remove an object of the kernel's, and come again because the daemon was
 * killed before it had answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

enum { N_MADE = 3, N_REMOVED = 4, REQUEST = 78, OTHER = 80 };

/* Of those that are only removed here, lib/kinds/sysv/sysv_make.c finds again what was made. */
static const struct kind *const list[] = {&queue_kind, &shm_kind, &sem_kind, &sysv_queue_kind};
static const char name[] = "0x4d2";

static struct channel *make(struct space *space, uint64_t request)
{
	struct channel *channel = NULL;

	journal_take_up(&host, request);
	must(object_create(space, name, S_IFREG | 0600, &root, &channel));
	journal_take_up(&host, 0);
	return channel;
}

/* The next daemon, where the request has come again and is in hand. */
static struct space *restart(int i)
{
	adopt_again(REQUEST);
	adopt_restart();
	journal_take_up(&host, REQUEST);
	return adopted_space(list[i]);
}

START_TEST(test_adopt_names_what_the_request_has_made_is_its_own)
{
	struct channel *channel = make(adopt_open(list[_i]), REQUEST);
	ino_t ino = object_stat(channel).st_ino;

	for (int i = 0; i < 2; i++) {
		struct space *space = restart(_i);

		must(object_create(space, name, S_IFREG | 0600, &root, &channel));
		ck_assert_uint_eq(object_stat(channel).st_ino, ino);
		if (i)
			object_unref(channel);
	}
	must(space_remove(adopted_space(list[_i]), name, &root));
}
END_TEST

START_TEST(test_adopt_names_what_another_has_made_exists)
{
	struct space *space = adopt_open(list[_i]);
	struct channel *channel;

	object_unref(make(space, OTHER));
	space = restart(_i);
	must_fail(object_create(space, name, S_IFREG | 0600, &root, &channel), EEXIST);
	journal_take_up(&host, 0);
	must(space_remove(space, name, &root));
}
END_TEST

START_TEST(test_adopt_names_what_another_has_made_in_its_place_exists)
{
	struct space *space = adopt_open(list[_i]);
	struct channel *channel = make(space, REQUEST);
	struct file *file = object_open(channel, O_RDWR); /* so that no other gets its number */

	object_unref(channel);
	must(space_remove(space, name, &root));
	object_unref(make(space, OTHER));
	space = restart(_i);
	must_fail(object_create(space, name, S_IFREG | 0600, &root, &channel), EEXIST);
	journal_take_up(&host, 0);
	must(space_remove(space, name, &root));
	object_close(adopted_file(file));
}
END_TEST

START_TEST(test_adopt_names_what_the_request_has_removed_is_removed)
{
	struct space *space = adopt_open(list[_i]);

	object_unref(make(space, OTHER));
	journal_take_up(&host, REQUEST);
	must(space_remove(space, name, &root));
	space = restart(_i);
	must(space_remove(space, name, &root));
	journal_take_up(&host, OTHER);
	must_fail(space_remove(space, name, &root), ENOENT);
}
END_TEST

START_TEST(test_adopt_names_what_another_has_made_in_place_of_the_removed_stays)
{
	struct space *space = adopt_open(list[_i]);
	struct channel *channel;
	ino_t ino;

	object_unref(make(space, OTHER));
	journal_take_up(&host, REQUEST);
	must(space_remove(space, name, &root));
	channel = make(space, OTHER + 2);
	ino = object_stat(channel).st_ino;
	object_unref(channel);
	space = restart(_i);
	must(space_remove(space, name, &root));
	journal_take_up(&host, OTHER + 4);
	channel = object_find(space, name);
	ck_assert_uint_eq(object_stat(channel).st_ino, ino);
	object_unref(channel);
	must(space_remove(space, name, &root));
}
END_TEST

/* Of one request: a line of ctl that is undone, or that reaps. */
START_TEST(test_adopt_names_a_step_of_its_own_removes_what_is_there)
{
	struct space *space = adopt_open(list[_i]);

	object_unref(make(space, OTHER));
	journal_take_up(&host, REQUEST);
	must(space_remove(space, name, &root));
	object_unref(make(space, OTHER + 2));
	space = restart(_i);
	journal_unnote(&host);
	must(space_remove(space, name, &root));
	journal_take_up(&host, OTHER + 4);
	must_fail(space_remove(space, name, &root), ENOENT);
}
END_TEST

START_TEST(test_adopt_names_what_another_has_made_in_place_of_the_renamed_stays)
{
	struct space *space = adopt_open(&shm_kind);
	struct channel *channel = make(space, OTHER);
	ino_t ino = object_stat(channel).st_ino;

	object_unref(channel);
	journal_take_up(&host, REQUEST);
	must(space_rename(space, name, "0x4d3", 0, &root));
	object_unref(make(space, OTHER + 2));
	adopt_again(REQUEST);
	adopt_restart();
	journal_take_up(&host, REQUEST);
	space = adopted_space(&shm_kind);
	must(space_rename(space, name, "0x4d3", 0, &root));
	journal_take_up(&host, OTHER + 4);
	channel = object_find(space, "0x4d3");
	ck_assert_uint_eq(object_stat(channel).st_ino, ino);
	object_unref(channel);
	must(space_remove(space, name, &root));
	must(space_remove(space, "0x4d3", &root));
}
END_TEST

START_TEST(test_adopt_names_what_another_has_removed_is_missing)
{
	struct space *space = adopt_open(list[_i]);

	object_unref(make(space, OTHER));
	journal_take_up(&host, OTHER + 2);
	must(space_remove(space, name, &root));
	space = restart(_i);
	must_fail(space_remove(space, name, &root), ENOENT);
	must_fail(space_remove(space, name, &root), ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_names");

	suite_add_loop(suite, "made",
		       (const TTest *const[]){
			       test_adopt_names_what_the_request_has_made_is_its_own,
			       test_adopt_names_what_another_has_made_exists,
			       test_adopt_names_what_another_has_made_in_its_place_exists,
			       NULL,
		       },
		       N_MADE);
	suite_add_loop(suite, "removed",
		       (const TTest *const[]){
			       test_adopt_names_what_the_request_has_removed_is_removed,
			       test_adopt_names_what_another_has_removed_is_missing,
			       test_adopt_names_what_another_has_made_in_place_of_the_removed_stays,
			       test_adopt_names_a_step_of_its_own_removes_what_is_there,
			       NULL,
		       },
		       N_REMOVED);
	suite_add(suite, "renamed",
		  (const TTest *const[]){
			  test_adopt_names_what_another_has_made_in_place_of_the_renamed_stays,
			  NULL,
		  });
	return suite_run(suite);
}
