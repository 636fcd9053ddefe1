// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Alarms: each rings once, the earliest first, and may be set or cancelled while others ring.
 */
#include "lib/kinds/cluster/cluster_alarm.h"

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

struct bell {
	struct alarm alarm;
	unsigned n;           /* how often it rang */
	unsigned order;       /* the place among all that rang, from 1 */
	struct bell *cancels; /* when it rings */
	int64_t again;        /* when it rings: sets it again, after this time */
	struct alarms **alarms;
};

static unsigned n_rung;
static bool is_over;

static void ring(struct alarm *alarm)
{
	struct bell *bell = CONTAINER_OF(alarm, struct bell, alarm);

	bell->n++;
	bell->order = ++n_rung;
	if (bell->cancels)
		alarm_cancel(&bell->cancels->alarm);
	if (bell->n == 1 && bell->again)
		alarm_set(*bell->alarms, alarm, clock_now() + bell->again);
}

static void ring_last(struct alarm *alarm)
{
	is_over = true;
	loop_end();
}

/* Runs the loop until all alarms up to this time have rung. */
static void pass(struct alarms *alarms, int64_t time)
{
	struct alarm last = {.ring = ring_last};

	is_over = false;
	alarm_set(alarms, &last, time);
	loop_wait(&is_over);
}

START_TEST(test_cluster_alarm_earliest_rings_first)
{
	struct alarms *alarms;
	struct bell bells[3] = {0};
	int64_t now = clock_now();

	must(alarms_new(loop, &alarms));
	for (int i = 0; i < 3; i++)
		bells[i].alarm.ring = ring;
	alarm_set(alarms, &bells[0].alarm, now + 3 * CLOCK_MS);
	alarm_set(alarms, &bells[1].alarm, now + CLOCK_MS);
	alarm_set(alarms, &bells[2].alarm, now + 2 * CLOCK_MS);
	pass(alarms, now + 4 * CLOCK_MS);
	ck_assert_uint_eq(bells[1].order, 1);
	ck_assert_uint_eq(bells[2].order, 2);
	ck_assert_uint_eq(bells[0].order, 3);
	ck_assert(!alarm_is_set(&bells[0].alarm));
	alarms_free(alarms);
}
END_TEST

START_TEST(test_cluster_alarm_is_set_to_another_time)
{
	struct alarms *alarms;
	struct bell bells[2] = {{.alarm.ring = ring}, {.alarm.ring = ring}};
	int64_t now = clock_now();

	must(alarms_new(loop, &alarms));
	alarm_set(alarms, &bells[0].alarm, now + 3600 * CLOCK_S);
	alarm_set(alarms, &bells[1].alarm, now + CLOCK_MS);
	alarm_set(alarms, &bells[0].alarm, now + CLOCK_MS);
	alarm_set(alarms, &bells[1].alarm, now + 3600 * CLOCK_S);
	pass(alarms, now + 2 * CLOCK_MS);
	ck_assert_uint_eq(bells[0].n, 1);
	ck_assert_uint_eq(bells[1].n, 0);
	alarm_cancel(&bells[1].alarm);
	alarms_free(alarms);
}
END_TEST

START_TEST(test_cluster_alarm_that_rings_cancels_and_sets_others)
{
	struct alarms *alarms;
	struct bell bells[2] = {{.alarm.ring = ring}, {.alarm.ring = ring}};
	int64_t now = clock_now();

	must(alarms_new(loop, &alarms));
	bells[0].cancels = &bells[1];
	bells[0].again = CLOCK_MS;
	bells[0].alarms = &alarms;
	/* Both are due when the first rings. */
	alarm_set(alarms, &bells[0].alarm, now);
	alarm_set(alarms, &bells[1].alarm, now);
	while (bells[0].n < 2)
		loop_settle();
	ck_assert_uint_eq(bells[1].n, 0);
	alarms_free(alarms);
}
END_TEST

START_TEST(test_cluster_alarm_is_cancelled_with_all)
{
	struct alarms *alarms;
	struct bell bell = {.alarm.ring = ring};

	must(alarms_new(loop, &alarms));
	alarm_set(alarms, &bell.alarm, clock_now() + CLOCK_S);
	alarms_free(alarms);
	ck_assert(!alarm_is_set(&bell.alarm));
	alarm_cancel(&bell.alarm);
	alarms_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster_alarm");

	suite_add(suite, "alarms",
		  (const TTest *const[]){
			  test_cluster_alarm_earliest_rings_first,
			  test_cluster_alarm_is_set_to_another_time,
			  test_cluster_alarm_that_rings_cancels_and_sets_others,
			  test_cluster_alarm_is_cancelled_with_all,
			  NULL,
		  });
	return suite_run(suite);
}
