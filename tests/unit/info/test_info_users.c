// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The processes that read and write FIFOs: the numbers in the rows of a table, as a scan finds
 * them. The unit tests have no mount, so a regular file stands for each FIFO.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_users.h"
#include "lib/info/info_row.h"
#include "tests/unit/fixture.h"
#include "tests/unit/look.h"

enum { N_ROWS = 3 };

static struct row rows[N_ROWS];

static void make_rows(void)
{
	for (int i = 0; i < N_ROWS; i++) {
		rows[i] = (struct row){.is_brief = i > 0};
		row_add_number(&rows[i], "readers", 0);
		row_add_number(&rows[i], "writers", 0);
	}
}

static void expect_row(int i, uint64_t n_readers, uint64_t n_writers)
{
	ck_assert_uint_eq(row_find(&rows[i], "readers")->number, n_readers);
	ck_assert_uint_eq(row_find(&rows[i], "writers")->number, n_writers);
}

static void free_rows(void)
{
	for (int i = 0; i < N_ROWS; i++)
		row_fini(&rows[i]);
}

static void open_some(const int *flags)
{
	for (; *flags >= 0; flags++)
		if (open(LOOK_PATH, *flags) < 0)
			_exit(1);
}

static void read_it(void)
{
	open_some((const int[]){O_RDONLY, O_RDONLY, -1});
}

static void write_it(void)
{
	open_some((const int[]){O_WRONLY, -1});
}

static void read_and_write_it(void)
{
	open_some((const int[]){O_RDONLY, O_RDWR, -1});
}

static void point_at_it(void)
{
	open_some((const int[]){O_PATH, -1});
}

/* A process counts once, however many descriptors it has, and not at all if they are O_PATH. */
START_TEST(test_info_users_of_fifos_are_counted)
{
	static void (*const ways[])(void) = {read_it, read_it, write_it, read_and_write_it,
					     point_at_it};
	enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };
	struct peer_target targets[N_ROWS];
	struct info_used used[] = {{2, true}, {0, true}, {1, false}};
	struct info_users users = {.targets = targets, .used = used, .n = N_ROWS};
	pid_t pids[N_WAYS];

	look_make();
	targets[0] = look_target(LOOK_PATH);
	targets[0].has_no_maps = true;
	targets[1] = targets[2] = targets[0];
	targets[1].ino += (ino_t)1 << 40; /* no file has this number */
	for (int i = 0; i < N_WAYS; i++)
		pids[i] = look_start(ways[i]);
	make_rows();
	look_find(targets, N_ROWS);
	users.scan = look_scan;
	info_users_fill(&users, rows);
	expect_row(0, 0, 0);
	expect_row(1, 0, 0);
	expect_row(2, 3, 2);
	ck_assert_ptr_null(row_find(&rows[2], "unseen"));
	free_rows();
	look_forget();
	for (int i = 0; i < N_WAYS; i++)
		look_end(pids[i]);
}
END_TEST

START_TEST(test_info_users_that_could_not_be_looked_for_have_no_number)
{
	struct info_used used[] = {{0, true}, {1, false}, {2, true}};
	struct info_users users = {.used = used, .n = N_ROWS, .error = -EIO};

	make_rows();
	info_users_fill(&users, rows);
	ck_assert_uint_eq(rows[0].n, 0);
	expect_row(1, 0, 0);
	ck_assert_uint_eq(rows[2].n, 0);
	free_rows();
}
END_TEST

START_TEST(test_info_users_of_an_empty_table_are_not_looked_for)
{
	struct info_users users = {0};

	must(info_users_look(&users, NULL, &root));
	make_rows();
	info_users_fill(&users, rows);
	expect_row(0, 0, 0);
	info_users_fini(&users);
	free_rows();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_users");

	suite_add(suite, "users",
		  (const TTest *const[]){
			  test_info_users_of_fifos_are_counted,
			  test_info_users_that_could_not_be_looked_for_have_no_number,
			  test_info_users_of_an_empty_table_are_not_looked_for,
			  NULL,
		  });
	return suite_run(suite);
}
