/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is the newest child of the supervisor with the daemon's name: a child of a former
 * daemon may have been left to the supervisor, too.
 */
#include "tests/mount/takeover.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

enum { LONG = 20000 }; /* milliseconds */

TCase *takeover_case(Suite *suite, const char *name, int seconds)
{
	return suite_case_supervised(suite, name, seconds);
}

static bool is_named(pid_t pid, const char *name)
{
	char path[64], found[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(found, sizeof(found), file))
		found[0] = '\0';
	fclose(file);
	found[strcspn(found, "\n")] = '\0';
	return !strcmp(found, name);
}

pid_t takeover_daemon(const struct mount *mount)
{
	char path[64];
	pid_t pid, found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", mount->daemon, mount->daemon);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fscanf(file, "%d", &pid) == 1)
		if (is_named(pid, "ipcfs") && task_state(pid) != 'Z')
			found = pid;
	fclose(file);
	return found;
}

static bool is_followed(void *former)
{
	pid_t pid = takeover_daemon(&ipc);

	return pid && pid != *(pid_t *)former;
}

static bool is_there(void *unused)
{
	return takeover_daemon(&ipc) != 0;
}

void takeover_kill(void)
{
	pid_t pid;

	ck_assert_msg(wait_until(is_there, NULL, LONG), "no daemon serves");
	pid = takeover_daemon(&ipc);
	must(kill(pid, SIGKILL));
	ck_assert_msg(wait_until(is_followed, &pid, LONG), "no daemon follows the former");
	mount_settle(&ipc);
}

static void *run(void *arg)
{
	struct call *call = arg;

	call->tid = gettid();
	if (call->call == CALL_READ)
		call->result = read(call->fd, call->buf, call->size);
	else if (call->call == CALL_WRITE)
		call->result = write(call->fd, call->buf, call->size);
	else
		call->result = open(call->path, call->fd);
	call->error = call->result < 0 ? errno : 0;
	call->tid = 0;
	return NULL;
}

static bool has_begun(void *arg)
{
	return ((struct call *)arg)->tid != 0;
}

static void start(struct call *call)
{
	static const long numbers[] = {SYS_read, SYS_write, SYS_openat};

	signal_interrupts(SIGUSR1);
	call->tid = 0;
	ck_assert_int_eq(pthread_create(&call->thread, NULL, run, call), 0);
	ck_assert_msg(wait_until(has_begun, call, LONG), "the call did not wait");
	task_must_block(call->tid, numbers[call->call]);
	mount_settle(&ipc);
}

void call_read(struct call *call, int fd)
{
	call->call = CALL_READ;
	call->fd = fd;
	call->size = sizeof(call->buf);
	start(call);
}

void call_write(struct call *call, int fd, const char *text)
{
	call->call = CALL_WRITE;
	call->fd = fd;
	call->size = strlen(text);
	ck_assert_uint_le(call->size, sizeof(call->buf));
	memcpy(call->buf, text, call->size);
	start(call);
}

void call_open(struct call *call, const char *name, int flags)
{
	call->call = CALL_OPEN;
	call->path = ipc_path(name);
	call->fd = flags;
	start(call);
}

void call_interrupt(const struct call *call)
{
	ck_assert_int_eq(pthread_kill(call->thread, SIGUSR1), 0);
}

bool call_waits(const struct call *call)
{
	mount_settle(&ipc);
	return call->tid != 0;
}

void call_end(struct call *call)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LONG / 1000;
	ck_assert_msg(pthread_timedjoin_np(call->thread, NULL, &end) == 0, "a call hangs");
}

void call_end_text(struct call *call, const char *text)
{
	call_end_result(call, (ssize_t)strlen(text));
	ck_assert_mem_eq(call->buf, text, strlen(text));
}

void call_end_result(struct call *call, ssize_t result)
{
	call_end(call);
	ck_assert_msg(call->result == result, "a call returned %zd (%s), not %zd", call->result,
		      strerror(call->error), result);
}

void call_end_error(struct call *call, int error)
{
	call_end(call);
	ck_assert_msg(call->result == -1 && call->error == error, "a call returned %zd (%s)",
		      call->result, strerror(call->error));
}
