// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/bench.h"

#include <sys/stat.h>

#include "tests/bench/daemon.h"
#include "tests/bench/must.h"

static const char *join(const char *dir, const char *path)
{
	static char ring[8][256];
	static unsigned turn;
	char *joined = ring[turn++ % 8];

	snprintf(joined, sizeof(ring[0]), "%s/%s", dir, path);
	return joined;
}

const char *bench_mount(const struct bench *bench, const char *path)
{
	return join(bench->mount, path);
}

const char *bench_native(const struct bench *bench, const char *path)
{
	return join(bench->dir, path);
}

void bench_fresh(struct bench *ret_fresh, const struct bench *bench)
{
	*ret_fresh = *bench;
	snprintf(ret_fresh->mount, sizeof(ret_fresh->mount), "%s/fresh", bench->dir);
	must(mkdir(ret_fresh->mount, 0755));
	ret_fresh->daemon = daemon_start(bench, ret_fresh->mount);
}

void bench_end_fresh(struct bench *fresh)
{
	daemon_stop(fresh->daemon);
	must(rmdir(fresh->mount));
}

bool bench_has_kind(const struct bench *bench, const char *kind)
{
	return !kind || access(bench_mount(bench, kind), F_OK) == 0;
}
