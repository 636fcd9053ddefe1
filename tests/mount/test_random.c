/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thousands of random operations on pipes, queues and shared memory, each done on a native object
 * too: the results and errnos must be the same. And on a topic, beside a model of it. To repeat a
 * failure, set IPCFS_SEED to the seed that it printed.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/random.h"

START_TEST(test_random_pipes_as_native)
{
	struct walk walk;

	walk_init(&walk);
	random_pipes(&walk);
}
END_TEST

START_TEST(test_random_queues_as_native)
{
	struct walk walk;

	walk_init(&walk);
	random_queues(&walk);
}
END_TEST

START_TEST(test_random_shm_as_native)
{
	struct walk walk;

	walk_init(&walk);
	random_shm(&walk);
}
END_TEST

START_TEST(test_random_topics_as_the_model)
{
	struct walk walk;

	walk_init(&walk);
	random_topics(&walk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random");
	TCase *tcase = suite_case_served(suite, "random", 60);

	tcase_add_test(tcase, test_random_pipes_as_native);
	tcase_add_test(tcase, test_random_queues_as_native);
	tcase_add_test(tcase, test_random_topics_as_the_model);
	/* Without passthrough, a region does not behave like a native file in everything. */
	case_add_needing(tcase, test_random_shm_as_native, 0, "passthrough");
	return suite_run(suite);
}
