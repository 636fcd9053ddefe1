// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each line has a timer of its own. A run that takes longer than the interval is not doubled.
 */
#include "lib/tree/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/host/host.h"
#include "lib/tree/command.h"
#include "lib/tree/config.h"
#include "lib/tree/sightings.h"

struct reaper {
	struct host *host;
	struct loop_source timer;
	bool is_running, is_ended;
	struct sightings sightings;
	struct reaper *next; /* host::reapers */
	size_t length;
	char line[];
};

static void reaper_free(struct reaper *reaper)
{
	loop_remove(reaper->host->loop, &reaper->timer);
	close(reaper->timer.fd);
	sightings_forget(&reaper->sightings);
	free(reaper);
}

/* Quoted: the error contains words of the line. */
static void complain(const struct reaper *reaper, const char *error)
{
	CLEANUP_FREE char *text = quote_text(error);

	if (text && reaper->host->log)
		reaper->host->log(LOG_WARNING, text);
}

static void run_done(void *data, int result, const char *error)
{
	struct reaper *reaper = data;

	reaper->is_running = false;
	if (reaper->is_ended)
		reaper_free(reaper);
	else if (result < 0)
		complain(reaper, error);
}

static void run(struct reaper *reaper)
{
	struct command *command = NULL;
	struct caller self;
	int r = config_caller(&self);

	if (r == 0) {
		r = command_new(reaper->host, reaper->line, reaper->length, COMMAND_AGAIN, &self,
				&command);
		caller_fini(&self);
	}
	if (r == 0) {
		command_remember(command, &reaper->sightings);
		reaper->is_running = true;
		r = command_run_alone(command, run_done, reaper);
	}
	if (r < 0) {
		reaper->is_running = false;
		complain(reaper, strerror(-r));
	}
}

static void tick(struct loop_source *source, uint32_t events)
{
	struct reaper *reaper = CONTAINER_OF(source, struct reaper, timer);
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) < 0)
		return;
	if (!reaper->is_running && !reaper->host->is_ending)
		run(reaper);
}

static int start_timer(struct reaper *reaper, int64_t seconds)
{
	const struct itimerspec times = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	reaper->timer = (struct loop_source){.fd = fd, .dispatch = tick};
	r = timerfd_settime(fd, 0, &times, NULL) < 0
		    ? -errno
		    : loop_add(reaper->host->loop, &reaper->timer, EPOLLIN);
	if (r < 0)
		close(fd);
	return r;
}

static void reaper_end(struct reaper *reaper)
{
	LL_DELETE(reaper->host->reapers, reaper);
	/* A run that is under way ends with its job, which the end of the mount cuts short. */
	if (reaper->is_running)
		reaper->is_ended = true;
	else
		reaper_free(reaper);
}

/* An equal line replaces the earlier one: the configuration may be read again. */
static void forget_equal(struct host *host, const char *line, size_t length)
{
	struct reaper *reaper, *next;

	LL_FOREACH_SAFE(host->reapers, reaper, next) {
		if (reaper->length == length && memcmp(reaper->line, line, length) == 0)
			reaper_end(reaper);
	}
}

int reaper_add(struct host *host, const char *line, size_t length, int64_t seconds)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper) + length);
	int r;

	if (!reaper)
		return -ENOMEM;
	reaper->host = host;
	reaper->length = length;
	memcpy(reaper->line, line, length);
	forget_equal(host, line, length);
	r = start_timer(reaper, seconds);
	if (r < 0)
		free(reaper);
	else
		LL_APPEND(host->reapers, reaper);
	return r;
}

void reapers_end(struct host *host)
{
	while (host->reapers)
		reaper_end(host->reapers);
}
