// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first line of the list is the one that runs. It leaves the list when it is done; until then
 * nothing else of the list runs, so that a `set` behind a `create` finds the object.
 */
#include "lib/tree/remote_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/host/host.h"
#include "lib/host/job.h"
#include "lib/tree/command.h"
#include "lib/tree/line.h"

/* Seconds until a line is tried again that failed because of the connection. */
#define PAUSE 5

struct remote_line {
	char *path;
	unsigned line;
	config_fault_fn *fault;
	int told; /* the error that was told last: not every attempt has to say the same */
	struct remote_line *next;
	size_t length;
	char text[];
};

struct remote_lines {
	struct host *host;
	struct remote_line *first;
	bool is_known;   /* the servers have answered */
	bool is_running; /* the first line is under way */
	bool is_ended;   /* to be freed when it is done */
	struct loop_task turn;
	struct loop_source timer; /* runs the first line again */
};

static void line_free(struct remote_line *line)
{
	free(line->path);
	free(line);
}

static void drop_first(struct remote_lines *lines)
{
	struct remote_line *line = lines->first;

	LL_DELETE(lines->first, line);
	line_free(line);
}

/* Whether the line itself may be right. */
static bool is_passing(int error)
{
	return error == -ENOTCONN || error == -EHOSTDOWN || error == -ETIMEDOUT || error == -EBUSY;
}

static void tell(struct remote_line *line, int result, const char *error)
{
	if (result != line->told)
		line->fault(line->path, line->line, error);
	line->told = result;
}

static void go_on(struct remote_lines *lines, int64_t seconds)
{
	const struct itimerspec at = {.it_value = {.tv_sec = seconds}};

	timerfd_settime(lines->timer.fd, 0, &at, NULL);
	if (seconds == 0)
		loop_yield(lines->host->loop, &lines->turn);
}

static void lines_free(struct remote_lines *lines)
{
	loop_cancel(lines->host->loop, &lines->turn);
	loop_remove(lines->host->loop, &lines->timer);
	if (lines->timer.fd >= 0)
		close(lines->timer.fd);
	free(lines);
}

/* Continues after the first line. When the mount ends, nobody wants to know of faults. */
static void line_done(void *data, int result, const char *error)
{
	struct remote_lines *lines = data;

	lines->is_running = false;
	if (result < 0 && !lines->host->is_ending)
		tell(lines->first, result, error);
	if (!is_passing(result))
		drop_first(lines);
	if (lines->is_ended) {
		while (lines->first)
			drop_first(lines);
		lines_free(lines);
	} else if (lines->first && !lines->host->is_ending) {
		go_on(lines, is_passing(result) ? PAUSE : 0);
	} else {
		config_settle(lines->host);
	}
}

static int run_first(struct remote_lines *lines)
{
	struct remote_line *line = lines->first;
	struct command *command = NULL;
	struct caller self;
	int r = config_caller(&self);

	if (r < 0)
		return r;
	r = command_new(lines->host, line->text, line->length, COMMAND_KEEP, &self, &command);
	caller_fini(&self);
	return r < 0 ? r : command_run_alone(command, line_done, lines);
}

static void run(struct remote_lines *lines)
{
	int r;

	if (!lines->first || !lines->is_known || lines->is_running || lines->host->is_ending)
		return;
	lines->is_running = true;
	r = run_first(lines);
	if (r < 0)
		line_done(lines, r, strerror(-r));
}

static void turn(struct loop_task *task)
{
	run(CONTAINER_OF(task, struct remote_lines, turn));
}

static void tick(struct loop_source *source, uint32_t events)
{
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) == sizeof(n))
		run(CONTAINER_OF(source, struct remote_lines, timer));
}

static void known(struct host *host)
{
	host->remote.lines->is_known = true;
	go_on(host->remote.lines, 0);
}

int remote_lines_init(struct host *host)
{
	struct remote_lines *lines = calloc(1, sizeof(*lines));
	int r;

	if (!lines)
		return -ENOMEM;
	lines->host = host;
	lines->turn.run = turn;
	lines->timer.dispatch = tick;
	lines->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	r = lines->timer.fd < 0 ? -errno : loop_add(host->loop, &lines->timer, EPOLLIN);
	if (r < 0) {
		lines_free(lines);
		return r;
	}
	host->remote.lines = lines;
	host->remote.known = known;
	return 0;
}

void remote_lines_fini(struct host *host)
{
	struct remote_lines *lines = TAKE_PTR(host->remote.lines);

	if (!lines)
		return;
	host->remote.known = NULL;
	/* A line that is under way ends with its job, which the end of the mount cuts short. */
	if (lines->is_running) {
		lines->is_ended = true;
		return;
	}
	while (lines->first)
		drop_first(lines);
	lines_free(lines);
}

/* Whether `word` is the path of the kind, or of one of its objects. */
static bool is_of(const char *word, const struct kind *kind)
{
	size_t length = strlen(kind->path);

	return strncmp(word, kind->path, length) == 0 &&
	       (word[length] == '/' || word[length] == '\0');
}

bool remote_lines_wants(const struct host *host, const char *text, size_t length)
{
	CLEANUP_FREE struct line *line = host->remote.lines ? malloc(sizeof(*line)) : NULL;

	if (!line)
		return false;
	line_init(line, text, length);
	if (line_split(line) < 0 || line->n_words < 2)
		return false;
	for (struct space *const *space = host->spaces; *space; space++)
		if ((*space)->kind->is_remote && is_of(line->words[1], (*space)->kind))
			return true;
	return false;
}

int remote_lines_add(struct host *host, const struct remote_place *place, const char *text,
		     size_t length)
{
	struct remote_lines *lines = host->remote.lines;
	struct remote_line *line = calloc(1, sizeof(*line) + length);

	if (!line)
		return -ENOMEM;
	line->path = strdup(place->path);
	if (!line->path) {
		free(line);
		return -ENOMEM;
	}
	line->line = place->line;
	line->fault = place->fault;
	line->length = length;
	memcpy(line->text, text, length);
	LL_APPEND(lines->first, line);
	go_on(lines, 0);
	return 0;
}

bool remote_lines_are_left(const struct host *host)
{
	return host->remote.lines && host->remote.lines->first;
}

void remote_lines_forget(struct host *host)
{
	struct remote_lines *lines = host->remote.lines;
	struct remote_line *line, *next;

	if (!lines)
		return;
	LL_FOREACH_SAFE(lines->first, line, next) {
		if (line == lines->first && lines->is_running)
			continue;
		LL_DELETE(lines->first, line);
		line_free(line);
	}
}
