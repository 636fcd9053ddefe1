/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record's line is read byte by byte, so that no more of a tap is read than a test expects.
 */
#include "tests/mount/taps.h"

#include "tests/mount/channels.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

const char *const tap_names[TAP_N] = {"pipes/p", "queues/q", "sysv/queues/0x000004d2", "events/e"};

int tap_try(const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "info/%s/tap", name);
	return open(ipc_path(path), flags | O_CLOEXEC);
}

int tap_open(const char *name)
{
	return (int)must(tap_try(name, O_RDONLY));
}

void tap_take(int tap, char *buf, size_t size)
{
	struct pollfd item = {.fd = tap, .events = POLLIN};

	for (ssize_t n; size; size -= (size_t)n, buf += n) {
		ck_assert_int_eq(must(poll(&item, 1, 5000)), 1);
		n = must(read(tap, buf, size));
		ck_assert_int_gt(n, 0);
	}
}

void tap_take_line(int tap, char *line, size_t size)
{
	size_t n = 0;

	do {
		ck_assert_uint_lt(n + 1, size);
		tap_take(tap, line + n, 1);
	} while (line[n++] != '\n');
	line[n - 1] = '\0';
}

size_t tap_take_header(int tap, const char *pid, char way)
{
	char line[128], found_pid[32], found_way;
	long long seconds;
	long nanoseconds;
	size_t size;

	tap_take_line(tap, line, sizeof(line));
	ck_assert_msg(sscanf(line, "%lld.%9ld %31s %c %zu", &seconds, &nanoseconds, found_pid,
			     &found_way, &size) == 5,
		      "no header: %s", line);
	ck_assert_msg(!strcmp(found_pid, pid) && found_way == way, "not %s %c: %s", pid, way, line);
	return size;
}

void tap_expect_by(int tap, const char *pid, char way, const char *bytes)
{
	size_t size = tap_take_header(tap, pid, way);
	char found[256];

	ck_assert_uint_eq(size, strlen(bytes));
	tap_take(tap, found, size + 1);
	ck_assert_mem_eq(found, bytes, size);
	ck_assert_int_eq(found[size], '\n');
}

void tap_expect(int tap, pid_t pid, char way, const char *bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	tap_expect_by(tap, text, way, bytes);
}

void tap_expect_end(int tap)
{
	struct pollfd item = {.fd = tap, .events = POLLIN};
	char byte;

	ck_assert_int_eq(must(poll(&item, 1, 5000)), 1);
	ck_assert_int_eq(must(read(tap, &byte, 1)), 0);
}

void tap_expect_nothing(int tap)
{
	char byte;

	must(fcntl(tap, F_SETFL, O_NONBLOCK));
	must_fail(read(tap, &byte, 1), EAGAIN);
	must(fcntl(tap, F_SETFL, 0));
}

int tap_put_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return fd < 0 || write(fd, "42\n", 3) != 3 ? errno : 0;
}

int tap_take_run(void *name)
{
	char buf[MESSAGE_MAX];
	int fd = open(ipc_path(name), O_RDONLY);

	return fd < 0 || read(fd, buf, sizeof(buf)) != 3 ? errno : 0;
}

pid_t tap_run(int (*body)(void *), const char *name)
{
	pid_t pid = child_start(body, (void *)name);

	ck_assert_int_eq(child_end(pid), 0);
	return pid;
}

int tap_missing_run(void *name)
{
	int fd = tap_try(name, O_RDONLY);

	return fd >= 0 ? EEXIST : errno;
}

/* An event keeps a descriptor of the daemon. */
static void remove_event(void)
{
	unlink(ipc_path("events/e"));
}

TCase *tap_case(Suite *suite, const char *name)
{
	TCase *tcase = suite_case_served(suite, name, 60);

	tcase_add_checked_fixture(tcase, NULL, remove_event);
	return tcase;
}
