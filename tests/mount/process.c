/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children and task states. A task counts as blocked when it sleeps in the expected system call in
 * state S. State D, which no signal ends, is what these tests look for.
 */
#include "tests/mount/process.h"

#include "tests/mount/fixture.h"

#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

bool wait_until(bool (*predicate)(void *), void *arg, int milliseconds)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	long long end = now_us() + milliseconds * 1000LL;

	while (!predicate(arg)) {
		if (now_us() > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void become(unsigned int id)
{
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		_exit(99);
}

static pid_t start(unsigned int id, int (*body)(void *), void *arg)
{
	pid_t pid = (pid_t)must(fork());

	if (pid)
		return pid;
	/* The Check library's handlers would kill the whole test. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (id)
		become(id);
	_exit(body(arg));
}

pid_t child_start(int (*body)(void *), void *arg)
{
	return start(0, body, arg);
}

pid_t child_start_as(unsigned int id, int (*body)(void *), void *arg)
{
	return start(id, body, arg);
}

bool child_has_ended(pid_t pid, int milliseconds)
{
	struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	bool has_ended;

	if (end.fd < 0)
		return errno == ESRCH;
	has_ended = poll(&end, 1, milliseconds) > 0;
	close(end.fd);
	return has_ended;
}

int child_end(pid_t pid)
{
	int status;

	ck_assert_msg(child_has_ended(pid, 20000), "a child hangs, in state %c", task_state(pid));
	must(waitpid(pid, &status, 0));
	return status;
}

static void must_succeed(int status)
{
	int code = WEXITSTATUS(status);

	ck_assert_msg(WIFEXITED(status), "a child died of signal %d", WTERMSIG(status));
	ck_assert_msg(!code, "a child returned %d (%s)", code, strerror(code));
}

void child_must(int (*body)(void *), void *arg)
{
	must_succeed(child_end(child_start(body, arg)));
}

void child_must_as(unsigned int id, int (*body)(void *), void *arg)
{
	must_succeed(child_end(child_start_as(id, body, arg)));
}

int child_code_as(unsigned int id, int (*body)(void *), void *arg)
{
	int status = child_end(child_start_as(id, body, arg));

	ck_assert_msg(WIFEXITED(status), "a child died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static bool task_is_users(pid_t pid, unsigned int uid)
{
	char path[64], line[256];
	unsigned int found = uid + 1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file) && sscanf(line, "Uid: %u", &found) != 1)
		;
	if (file)
		fclose(file);
	return found == uid;
}

pid_t task_find_child(pid_t parent, unsigned int uid)
{
	char path[64];
	pid_t pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1 && !task_is_users(pid, uid))
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

char task_state(pid_t tid)
{
	char path[64], line[512], *name_end;
	char state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && (name_end = strrchr(line, ')')))
		state = name_end[2];
	fclose(file);
	return state;
}

long task_syscall(pid_t tid)
{
	char path[64];
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

struct sleeper {
	pid_t tid;
	long syscall;
};

static bool is_blocked(void *arg)
{
	const struct sleeper *sleeper = arg;

	return task_syscall(sleeper->tid) == sleeper->syscall && task_state(sleeper->tid) == 'S';
}

void task_must_block(pid_t tid, long syscall)
{
	struct sleeper sleeper = {.tid = tid, .syscall = syscall};

	ck_assert_msg(wait_until(is_blocked, &sleeper, 5000),
		      "task %d does not sleep in call %ld: state %c, call %ld", tid, syscall,
		      task_state(tid), task_syscall(tid));
}

static bool is_in_fifo(void *arg)
{
	char path[64], where[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", *(pid_t *)arg);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(where, sizeof(where), file))
		where[0] = '\0';
	fclose(file);
	return strcmp(where, "wait_for_partner") == 0;
}

void task_must_wait_for_partner(pid_t tid)
{
	ck_assert_msg(wait_until(is_in_fifo, &tid, 5000),
		      "task %d does not wait for the other end of a FIFO: state %c, call %ld", tid,
		      task_state(tid), task_syscall(tid));
}

static bool is_not_stuck(void *arg)
{
	return task_state(*(pid_t *)arg) != 'D';
}

bool task_is_stuck(pid_t tid)
{
	return !wait_until(is_not_stuck, &tid, 2000);
}

static void on_signal(int signal)
{
	(void)signal;
}

void signal_interrupts(int signal)
{
	struct sigaction action = {.sa_handler = on_signal};

	must(sigaction(signal, &action, NULL));
}
