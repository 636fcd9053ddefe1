/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * These functions ask the FIFO itself where they can. They read info/ only for the ends that the
 * daemon holds.
 */
#include "tests/mount/kept.h"

#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void kept_make(const char *name)
{
	struct stat st;

	channel_make(name);
	must(stat(ipc_path(name), &st));
	ck_assert_msg(S_ISFIFO(st.st_mode), "%s has mode %o", name, st.st_mode);
}

void kept_make_many(int n)
{
	char name[32];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "pipes/%d", i);
		channel_make(name);
	}
}

const char *kept_place(int place)
{
	if (place == NATIVE) {
		must(mkfifo(scratch_path("fifo"), 0666));
		return scratch_path("fifo");
	}
	kept_make("pipes/fifo");
	return ipc_path("pipes/fifo");
}

static int open_waiting(const char *path, int flags)
{
	int fd = (int)must(open(path, flags | O_NONBLOCK | O_CLOEXEC));

	must(fcntl(fd, F_SETFL, 0));
	return fd;
}

int kept_reader(const char *path)
{
	return open_waiting(path, O_RDONLY);
}

int kept_writer(const char *path)
{
	return open_waiting(path, O_WRONLY);
}

int kept_unread(int fd)
{
	int n = -1;

	must(ioctl(fd, FIONREAD, &n));
	return n;
}

struct unread {
	int fd, n;
};

static bool has_unread(void *arg)
{
	const struct unread *unread = arg;

	return kept_unread(unread->fd) == unread->n;
}

void kept_await_unread(int fd, int n)
{
	struct unread unread = {fd, n};

	ck_assert_msg(wait_until(has_unread, &unread, KEPT_HANGS), "%d bytes wait, not %d",
		      kept_unread(fd), n);
}

/* The status of a plain FIFO has no line "held", which counts as "no". */
bool kept_is_held(const char *name, const char *ends)
{
	char path[128], line[32];
	const char *text;

	snprintf(path, sizeof(path), "info/%s/status", name);
	snprintf(line, sizeof(line), "\nheld %s\n", ends);
	text = look_at(path);
	return strstr(text, line) || (!strcmp(ends, "no") && !strstr(text, "\nheld "));
}

struct held {
	const char *name, *ends;
};

static bool is_held(void *arg)
{
	const struct held *held = arg;

	return kept_is_held(held->name, held->ends);
}

void kept_await_held(const char *name, const char *ends)
{
	struct held held = {name, ends};

	ck_assert_msg(wait_until(is_held, &held, KEPT_LETS_GO), "%s does not come to be held %s",
		      name, ends);
}

size_t kept_read_to_end(int fd, char value)
{
	static char buf[1 << 16];
	size_t size = 0, n_bad = 0;
	ssize_t n;

	while ((n = must(read(fd, buf, sizeof(buf)))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			n_bad += buf[i] != value;
		size += (size_t)n;
	}
	ck_assert_uint_eq(n_bad, 0);
	return size;
}

size_t kept_take_to_end(const char *path, char value)
{
	int fd = (int)must(open(path, O_RDONLY | O_CLOEXEC));
	size_t size = kept_read_to_end(fd, value);

	must(close(fd));
	return size;
}

void kept_join(pthread_t thread, const char *who)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += KEPT_HANGS / 1000;
	ck_assert_msg(pthread_timedjoin_np(thread, NULL, &end) == 0, "the %s hangs", who);
}
