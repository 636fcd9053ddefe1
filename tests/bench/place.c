// SPDX-License-Identifier: GPL-2.0-or-later
/* A process is pinned thread by thread, as listed in /proc/PID/task. */
#include "tests/bench/place.h"

#include <dirent.h>
#include <sched.h>

#include "tests/bench/must.h"

static cpu_set_t all, first, second;

bool place_init(void)
{
	int n = 0;

	must(sched_getaffinity(0, sizeof(all), &all));
	for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, n++ == 0 ? &first : &second);
	return n == 2;
}

const char *placement_name(enum placement placement)
{
	static const char *const names[N_PLACEMENTS] = {"same", "other", "free"};

	return names[placement];
}

static const cpu_set_t *find_cpus(enum placement placement, enum role role)
{
	switch (placement) {
	case PLACED_SAME:
		return &first;
	case PLACED_OTHER:
		return role == ROLE_CLIENT ? &first : &second;
	default:
		return &all;
	}
}

void place_process(enum placement placement, pid_t pid, enum role role)
{
	const cpu_set_t *cpus = find_cpus(placement, role);
	char path[64];
	struct dirent *task;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		fail("%s: %s", path, strerror(errno));
	while ((task = readdir(tasks))) {
		pid_t tid = (pid_t)strtol(task->d_name, NULL, 10);

		if (tid > 0 && sched_setaffinity(tid, sizeof(*cpus), cpus) < 0 && errno != ESRCH)
			fail("sched_setaffinity: %s", strerror(errno));
	}
	closedir(tasks);
}

void place(enum placement placement, pid_t daemon, const struct ends ends[N_SIDES])
{
	place_process(placement, getpid(), ROLE_CLIENT);
	place_process(placement, daemon, ROLE_DAEMON);
	for (int side = 0; ends && side < N_SIDES; side++)
		for (size_t i = 0; i < ends[side].n_processes; i++)
			place_process(placement, ends[side].processes[i].pid,
				      ends[side].processes[i].role);
}
