/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds as sources of a loop, and tasks. A probe counts its calls, and then calls a function of
 * the test's choice.
 */
#ifndef TESTS_UNIT_PROBE_H
#define TESTS_UNIT_PROBE_H

#include "lib/base/loop.h"

struct probe {
	struct loop_source source;
	struct loop_task task;
	unsigned n;      /* dispatches, or runs of the task */
	uint32_t events; /* of the last dispatch */
	void (*then)(struct probe *probe);
	struct probe *other;
	unsigned limit; /* for probe_then_stop_at_limit(): stops the loop when `n` reaches this */
};

/* What ran, in order: 's' for each dispatch, 't' for each run of a task. */
extern char probe_trace[32];

/* Makes a source whose eventfd is ready if `value` is not 0. */
struct probe probe_source(unsigned value, void (*then)(struct probe *probe));
/* Makes a task. */
struct probe probe_task(void (*then)(struct probe *probe));

void probe_add(struct probe *probe, uint32_t events);
/* Removes the source and closes its descriptor. */
void probe_fini(struct probe *probe);

/* These are for probe::then. */
void probe_then_stop(struct probe *probe);
void probe_then_stop_at_limit(struct probe *probe);
void probe_then_defer_other(struct probe *probe);

#endif
