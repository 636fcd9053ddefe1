// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the next daemon knows of directories and of the configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/host/configured.h"
#include "lib/host/tree_record.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/config.h"
#include "lib/tree/reaper.h"
#include "lib/tree/root.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

static struct space *tree;
static char path[] = "/dev/shm/ipcfs.conf";
static unsigned n_faults;

static void ignore_missing(const char *name, int error)
{
}

static void count_fault(const char *name, unsigned line, const char *text)
{
	n_faults++;
}

static void begin(void)
{
	must(root_new(&host, ignore_missing, &tree));
}

/* The first daemon, with the whole tree. */
static void make(void)
{
	adopt_open(&event_kind); /* notes which descriptors are the test's */
	adopt_prepare = begin;
	begin();
}

static struct space *find_space(const char *kind)
{
	struct space **space = host.spaces;

	while (*space && strcmp((*space)->kind->path, kind) != 0)
		space++;
	ck_assert_ptr_nonnull(*space);
	return *space;
}

static void write_config(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	must_call(chmod(path, 0600));
}

static unsigned count_reapers(void)
{
	uint64_t offset = host.tree->reapers;
	unsigned n = 0;

	/* Each begins with the offset of the next one. */
	while (offset) {
		const uint64_t *next = state_block(host.state, offset, sizeof(*next));

		ck_assert_ptr_nonnull(next);
		offset = *next;
		n++;
	}
	return n;
}

START_TEST(test_tree_directories_keep_what_was_set)
{
	struct stat attr = {.st_mode = 0750, .st_uid = STRANGER, .st_gid = STRANGER}, before, after;
	struct timespec started;

	make();
	started = host.started;
	must(space_change(find_space("events"), &attr, CHANGE_MODE | CHANGE_UID | CHANGE_GID,
			  &root));
	attr.st_mtim = (struct timespec){1000, 1};
	must(space_change(tree, &attr, CHANGE_MTIME, &root));
	channel_unref(object_make(find_space("pipes"), "p"));
	for (int i = 0; i < 3; i++) {
		space_stat(find_space("pipes"), &before);
		adopt_restart();
		space_stat(find_space("pipes"), &after);
		ck_assert_mem_eq(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
		ck_assert_mem_eq(&host.started, &started, sizeof(started));
		space_stat(find_space("events"), &after);
		ck_assert_uint_eq(after.st_mode, S_IFDIR | 0750);
		ck_assert_uint_eq(after.st_uid, STRANGER);
		ck_assert_uint_eq(after.st_gid, STRANGER);
		space_stat(tree, &after);
		ck_assert_int_eq(after.st_mtim.tv_sec, 1000);
	}
	must(space_check_access(find_space("events"), &stranger, R_OK | W_OK));
	must(space_remove(find_space("pipes"), "p", &root));
	root_free(&host, tree);
}
END_TEST

START_TEST(test_tree_configuration_counts_without_being_read)
{
	make();
	write_config("create events/meant\nreap shm idle=1h every=10m\nreap sysv/shm every=1h\n");
	ck_assert_int_eq(config_read(&host, path, count_fault), 0);
	must(space_remove(find_space("events"), "meant", &root));
	write_config("nonsense\n");
	for (int i = 0; i < 3; i++) {
		adopt_restart();
		ck_assert_int_eq(config_read_left(&host, path, count_fault), 0);
		ck_assert(configured_has(&host, "events", "meant"));
		ck_assert(!configured_has(&host, "events", "nonsense"));
		ck_assert_uint_eq(count_reapers(), 2);
		ck_assert_int_eq(space_count(find_space("events")), 0);
	}
	reapers_end(&host);
	ck_assert_uint_eq(count_reapers(), 0);
	adopt_restart();
	ck_assert_ptr_null(host.reapers);
	ck_assert_uint_eq(n_faults, 0);
	unlink(path);
	root_free(&host, tree);
}
END_TEST

/* The former daemon was killed while it was reading. */
START_TEST(test_tree_configuration_is_read_to_its_end)
{
	make();
	write_config("create events/a\ncreate events/b\n");
	ck_assert_int_eq(config_read(&host, path, count_fault), 0);
	ck_assert_uint_eq(host.tree->config_left, 0);
	must(space_remove(find_space("events"), "b", &root));
	host.tree->config_left = CONFIG_LOCAL;
	adopt_restart();
	ck_assert_int_eq(config_read_left(&host, path, count_fault), 0);
	ck_assert_int_eq(space_count(find_space("events")), 2);
	ck_assert_uint_eq(host.tree->config_left, 0);
	/* Only lines for other machines were left, and there are none. */
	must(space_remove(find_space("events"), "b", &root));
	host.tree->config_left = CONFIG_REMOTE;
	adopt_restart();
	ck_assert_int_eq(config_read_left(&host, path, count_fault), 0);
	ck_assert_int_eq(space_count(find_space("events")), 1);
	must(space_remove(find_space("events"), "a", &root));
	unlink(path);
	root_free(&host, tree);
}
END_TEST

START_TEST(test_tree_reaper_runs_when_it_was_due)
{
	int64_t due;

	make();
	must(reaper_add(&host, "reap shm", 8, 600));
	/* The record: the next one, the interval, the length, the time. */
	due = ((int64_t *)state_block(host.state, host.tree->reapers, 64))[3] - 500;
	((int64_t *)state_block(host.state, host.tree->reapers, 64))[3] = due;
	adopt_restart();
	ck_assert_int_eq(((int64_t *)state_block(host.state, host.tree->reapers, 64))[3], due);
	ck_assert_ptr_nonnull(host.reapers);
	root_free(&host, tree);
}
END_TEST

static struct reaper_record *first_reaper(void)
{
	return state_block(host.state, host.tree->reapers, sizeof(struct reaper_record));
}

/* Kills the daemon. In the next one, the line runs at once; returns when it has. */
static void restart_and_reap(void)
{
	first_reaper()->due = (struct timespec){.tv_sec = 1};
	adopt_restart();
	while (first_reaper()->due.tv_sec == 1 || !first_reaper()->seen.offset) {
		loop_settle();
		usleep(1000);
	}
}

/* A run removes what the run before it has seen, in whichever daemon that was. */
START_TEST(test_tree_reaper_knows_what_was_seen)
{
	static const char line[] = "reap shm idle=0 every=10m", file[] = "/dev/shm/leaked";

	make();
	native_file_make("leaked", "hello");
	sleep(3); /* what is younger than that is not unused */
	must(reaper_add(&host, line, strlen(line), 600));
	restart_and_reap();
	must_call(access(file, F_OK));
	adopt_restart();
	restart_and_reap();
	ck_assert_int_eq(access(file, F_OK), -1);
	/* A text that can't be right is forgotten. */
	first_reaper()->seen.size = 3;
	adopt_restart();
	ck_assert_uint_eq(first_reaper()->seen.offset, 0);
	root_free(&host, tree);
}
END_TEST

/* Lists in the state that can't be right are cut off, not followed. */
START_TEST(test_tree_lists_that_are_wrong_are_cut)
{
	make();
	must(configured_add(&host, "events", "a"));
	must(configured_add(&host, "events", "b"));
	*(uint64_t *)state_block(host.state, host.tree->configured, 8) = host.tree->configured;
	must(reaper_add(&host, "reap shm", 8, 600));
	*(uint64_t *)state_block(host.state, host.tree->reapers, 8) = 12345;
	adopt_restart();
	ck_assert(configured_has(&host, "events", "b"));
	ck_assert(!configured_has(&host, "events", "a"));
	ck_assert_uint_eq(count_reapers(), 1);
	root_free(&host, tree);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_tree");

	suite_add(suite, "tree",
		  (const TTest *const[]){
			  test_tree_directories_keep_what_was_set,
			  test_tree_configuration_counts_without_being_read,
			  test_tree_configuration_is_read_to_its_end,
			  test_tree_reaper_runs_when_it_was_due,
			  test_tree_reaper_knows_what_was_seen,
			  test_tree_lists_that_are_wrong_are_cut,
			  NULL,
		  });
	return suite_run(suite);
}
