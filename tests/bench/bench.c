// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paths below the mount and the tmpfs, and lines written to ctl.
 */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <stdarg.h>
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
	ret_fresh->started = daemon_start(bench, ret_fresh->mount);
	ret_fresh->daemon = daemon_find(ret_fresh->started);
}

void bench_end_fresh(struct bench *fresh)
{
	daemon_stop(fresh->started);
	must(rmdir(fresh->mount));
}

bool bench_has_kind(const struct bench *bench, const char *kind)
{
	return !kind || access(bench_mount(bench, kind), F_OK) == 0;
}

static bool command(const struct bench *bench, const char *line)
{
	int fd = must(open(bench_mount(bench, "ctl"), O_WRONLY | O_CLOEXEC));
	ssize_t size = (ssize_t)strlen(line);
	bool is_done = write(fd, line, (size_t)size) == size;
	int error = errno;

	close(fd);
	errno = error;
	return is_done;
}

bool bench_keeps_fifos(const struct bench *bench)
{
	if (!command(bench, "create pipes/try served=kernel"))
		return false;
	return command(bench, "remove pipes/try");
}

void bench_command(const struct bench *bench, const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (!command(bench, line))
		fail("ctl: %s: %s", line, strerror(errno));
}
