// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths of a scene, and helpers that several attacks use. */
#include "tests/bench/attack.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <signal.h>

#include "tests/bench/must.h"

static const char *join(const char *dir, const char *format, va_list arguments)
{
	static char ring[8][1024];
	static unsigned turn;
	char *path = ring[turn++ % 8];
	int length = snprintf(path, sizeof(ring[0]), "%s/", dir);

	vsnprintf(path + length, sizeof(ring[0]) - (size_t)length, format, arguments);
	return path;
}

const char *scene_mount(const struct scene *scene, const char *format, ...)
{
	const char *path;
	va_list arguments;

	va_start(arguments, format);
	path = join(scene->mount, format, arguments);
	va_end(arguments);
	return path;
}

const char *scene_path(const struct scene *scene, const char *format, ...)
{
	const char *path;
	va_list arguments;

	va_start(arguments, format);
	path = join(scene->dir, format, arguments);
	va_end(arguments);
	return path;
}

bool attack_split(int n, int *ret_i)
{
	for (int i = 0; i < n; i++)
		if (must(fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			*ret_i = i;
			return true;
		}
	return false;
}

void attack_strike(struct scene *scene)
{
	scene->n_blows++;
	scene->has_begun = true;
}

bool attack_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (n < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	close(fd);
	return true;
}

size_t attack_memory(size_t most, size_t part)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib / part * 1024 < most ? kib / part * 1024 : most;
}
