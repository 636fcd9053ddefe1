/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call for which probe_trace has no room is counted, but not traced.
 */
#include "tests/unit/probe.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

char probe_trace[32];

static void probe_tell(struct probe *probe, char what)
{
	size_t n = strlen(probe_trace);

	probe->n++;
	if (n + 1 < sizeof(probe_trace))
		probe_trace[n] = what;
	if (probe->then)
		probe->then(probe);
}

static void probe_dispatch(struct loop_source *source, uint32_t events)
{
	struct probe *probe = CONTAINER_OF(source, struct probe, source);

	probe->events = events;
	probe_tell(probe, 's');
}

static void probe_run(struct loop_task *task)
{
	probe_tell(CONTAINER_OF(task, struct probe, task), 't');
}

struct probe probe_source(unsigned value, void (*then)(struct probe *probe))
{
	int fd = (int)must_call(eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK));

	return (struct probe){.source = {.fd = fd, .dispatch = probe_dispatch}, .then = then};
}

struct probe probe_task(void (*then)(struct probe *probe))
{
	return (struct probe){.task.run = probe_run, .then = then};
}

void probe_add(struct probe *probe, uint32_t events)
{
	must(loop_add(loop, &probe->source, events));
}

void probe_fini(struct probe *probe)
{
	loop_remove(loop, &probe->source);
	close(probe->source.fd);
}

void probe_then_stop(struct probe *probe)
{
	loop_stop(loop);
}

void probe_then_stop_at_limit(struct probe *probe)
{
	if (probe->n >= probe->limit)
		loop_stop(loop);
}

void probe_then_defer_other(struct probe *probe)
{
	loop_defer(loop, &probe->other->task);
}
