/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alarms: something to do on the loop at a time to come. All that one cluster sets share a single
 * descriptor.
 */
#ifndef IPCFS_CLUSTER_ALARM_H
#define IPCFS_CLUSTER_ALARM_H

#include <stdbool.h>
#include <stdint.h>

struct alarms;
struct loop;

/* Part of its owner's memory. All zeroes, except ring(): not set. */
struct alarm {
	void (*ring)(struct alarm *alarm); /* called once, on the loop; may set the alarm again */
	int64_t at;                        /* as clock_now() */
	struct alarms *alarms;             /* NULL: not set */
	struct alarm *prev, *next;         /* alarms::set, the earliest first */
};

/* Fails with -ENOMEM, or as timerfd_create(2) does. */
int alarms_new(struct loop *loop, struct alarms **ret_alarms);
void alarms_free(struct alarms *alarms); /* NULL: does nothing */

/* Sets the alarm, or sets it to another time. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at);
void alarm_cancel(struct alarm *alarm); /* does nothing if it is not set */

static inline bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->alarms;
}

#endif
