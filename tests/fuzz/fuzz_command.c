// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs any bytes as commands of ctl. The bits of the first byte say how: 1 as another user, 2 as a
 * configuration. The objects that the lines make are removed again, and after that nothing may be
 * charged to anyone.
 *
 * Pipes are served by the daemon. Regions are made only where the fuzzer can have its own /dev/shm.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/channel/record.h"
#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/command.h"
#include "lib/tree/reaper.h"
#include "tests/fuzz/fuzz.h"

enum { AS_STRANGER = 1, KEEP = 2, STRANGER = 65534, CHANNELS_MAX = 64 };

static struct loop *loop;
static struct state *state;
static struct host host;
static struct space *spaces[3];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool has_own_shm(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777,size=1M") == 0;
}

static void init(void)
{
	must(loop_new(&loop) == 0 && state_new(false, &state) == 0 &&
	     host_init(&host, loop, state) == 0);
	records_init(&host);
	host.users.limits[USER_CHANNELS] = CHANNELS_MAX;
	host.namespaces.foreign = 1U << NAMESPACE_PID; /* the stranger has no process */
	must(pipe_kind.open(&spaces[0], &host) == 0);
	if (has_own_shm())
		must(shm_kind.open(&spaces[1], &host) == 0);
	host.spaces = spaces;
}

static void fini(void)
{
	reapers_end(&host);
	for (size_t i = 0; spaces[i]; i++)
		space_unref(spaces[i]);
	host_fini(&host);
	loop_free(loop);
	state_free(state);
}

static bool keep_name(void *data, const char *name, ino_t ino, mode_t mode)
{
	strcpy(data, name);
	return false;
}

static void clear(struct space *space)
{
	struct caller root = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	char name[NAME_MAX + 1] = "";

	while (space_list(space, &root, keep_name, name) == 0 && *name) {
		must(space_remove(space, name, &root) == 0);
		*name = '\0';
	}
	caller_fini(&root);
}

/* A command that is run until it is done. */
struct attempt {
	struct waiter waiter;
	struct command *command;
	int result;
};

static void resume(struct waiter *waiter)
{
	struct attempt *attempt = CONTAINER_OF(waiter, struct attempt, waiter);

	attempt->result = command_run(attempt->command, waiter);
	if (attempt->result != -EINPROGRESS)
		loop_stop(loop);
}

static void run(const char *line, size_t length, enum command_mode mode, struct caller *caller)
{
	struct attempt attempt = {.waiter.resume = resume};
	const char *error;

	must(command_new(&host, line, length, mode, caller, &attempt.command) == 0);
	resume(&attempt.waiter);
	if (attempt.result == -EINPROGRESS)
		must(loop_run(loop) == 0);
	error = command_error(attempt.command);
	must(attempt.result <= 0 && memchr(error, '\0', COMMAND_ERROR_MAX));
	/* There must be an explanation if the command was refused, and only then. */
	must((attempt.result < 0) == (*error != '\0'));
	waiter_fini(&attempt.waiter);
	command_free(attempt.command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data + 1;
	const char *end = (const char *)data + size;
	struct caller caller = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};

	if (size == 0)
		return 0;
	if (!host.spaces) {
		init();
		atexit(fini);
	}
	if ((*data & AS_STRANGER) && geteuid() == 0)
		caller = (struct caller){.uid = STRANGER, .gid = STRANGER, .is_loaded = true};
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *next = newline ? newline : end;

		run(line, (size_t)(next - line), *data & KEEP ? COMMAND_KEEP : COMMAND_STRICT,
		    &caller);
		line = next + 1;
	}
	caller_fini(&caller);
	for (size_t i = 0; spaces[i]; i++)
		clear(spaces[i]);
	loop_run_tasks(loop);
	must(!host.users.users);
	return 0;
}
