// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many processes read and write FIFOs: the numbers in the rows of a table, as a scan finds
 * them. The unit tests have no mount, so a regular file stands for each FIFO.
 */
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_fifos.h"
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
START_TEST(test_info_fifos_count_processes)
{
	static void (*const ways[])(void) = {read_it, read_it, write_it, read_and_write_it,
					     point_at_it};
	enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };
	struct peer_target targets[2];
	size_t numbers[] = {2, 0};
	struct info_fifos fifos = {.targets = targets, .rows = numbers, .n = 2};
	pid_t pids[N_WAYS];

	look_make();
	targets[0] = targets[1] = look_target(LOOK_PATH);
	targets[0].has_no_maps = targets[1].has_no_maps = true;
	targets[1].ino += (ino_t)1 << 40; /* no file has this number */
	for (int i = 0; i < N_WAYS; i++)
		pids[i] = look_start(ways[i]);
	make_rows();
	look_find(targets, 2);
	fifos.scan = look_scan;
	info_fifos_fill(&fifos, rows);
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

START_TEST(test_info_fifos_that_could_not_be_looked_for_have_no_number)
{
	size_t numbers[] = {0, 2};
	struct info_fifos fifos = {.rows = numbers, .n = 2, .has_failed = true};

	make_rows();
	info_fifos_fill(&fifos, rows);
	ck_assert_uint_eq(rows[0].n, 0);
	expect_row(1, 0, 0);
	ck_assert_uint_eq(rows[2].n, 0);
	free_rows();
}
END_TEST

START_TEST(test_info_fifos_of_a_table_without_any_are_not_looked_for)
{
	struct info_fifos fifos = {0};

	must(info_fifos_count(&fifos, NULL, &root));
	make_rows();
	info_fifos_fill(&fifos, rows);
	expect_row(0, 0, 0);
	info_fifos_fini(&fifos);
	free_rows();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_fifos");

	suite_add(suite, "fifos",
		  (const TTest *const[]){
			  test_info_fifos_count_processes,
			  test_info_fifos_that_could_not_be_looked_for_have_no_number,
			  test_info_fifos_of_a_table_without_any_are_not_looked_for,
			  NULL,
		  });
	return suite_run(suite);
}
