// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each line has a timer of its own. A run that takes longer than the interval is not doubled. The
 * next daemon does not begin it again: it may be what has killed the former.
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
#include "lib/host/tree_record.h"
#include "lib/tree/command.h"
#include "lib/tree/config.h"
#include "lib/tree/sightings.h"

/* The longest line that can be right, bytes. */
#define LENGTH_MOST COMMAND_MAX

struct reaper {
	struct host *host;
	struct reaper_record *record;
	struct loop_source timer;
	bool is_running, is_ended;
	struct sightings sightings;
	struct reaper *next; /* host::reapers */
};

static struct reaper_record *record_at(const struct host *host, uint64_t offset)
{
	return state_block(host->state, offset, sizeof(struct reaper_record));
}

static void record_free(struct host *host, struct reaper_record *record)
{
	sightings_drop(host->state, &record->seen);
	state_release(host->state, record, sizeof(*record) + record->length);
}

/* Takes the record out of the list. */
static void record_unlink(struct host *host, struct reaper_record *record)
{
	uint64_t *link = &host->tree->reapers;

	while (record_at(host, *link) && record_at(host, *link) != record)
		link = &record_at(host, *link)->next;
	if (*link)
		*link = record->next;
}

static void reaper_free(struct reaper *reaper)
{
	record_free(reaper->host, reaper->record);
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
	if (!reaper->is_ended)
		sightings_save(&reaper->sightings, reaper->host->state, &reaper->record->seen);
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

	sightings_drop(reaper->host->state, &reaper->record->seen);
	if (r == 0) {
		r = command_new(reaper->host, reaper->record->line, reaper->record->length,
				COMMAND_AGAIN, &self, &command);
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

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	reaper->record->due.tv_sec += (int64_t)n * reaper->record->every;
	if (!reaper->is_running && !reaper->host->is_ending)
		run(reaper);
}

static int start_timer(struct reaper *reaper)
{
	const struct itimerspec times = {
		.it_interval = {.tv_sec = reaper->record->every},
		.it_value = reaper->record->due,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	reaper->timer = (struct loop_source){.fd = fd, .dispatch = tick};
	r = timerfd_settime(fd, TFD_TIMER_ABSTIME, &times, NULL) < 0
		    ? -errno
		    : loop_add(reaper->host->loop, &reaper->timer, EPOLLIN);
	if (r < 0)
		close(fd);
	return r;
}

static void reaper_end(struct reaper *reaper)
{
	LL_DELETE(reaper->host->reapers, reaper);
	record_unlink(reaper->host, reaper->record);
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
		if (reaper->record->length == length &&
		    memcmp(reaper->record->line, line, length) == 0)
			reaper_end(reaper);
	}
}

/* Begins to repeat the line of a record. */
static int start(struct host *host, struct reaper_record *record)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper));
	int r;

	if (!reaper)
		return -ENOMEM;
	reaper->host = host;
	reaper->record = record;
	r = start_timer(reaper);
	if (r < 0) {
		free(reaper);
		return r;
	}
	LL_APPEND(host->reapers, reaper);
	sightings_adopt(&reaper->sightings, host->state, &record->seen);
	return 0;
}

int reaper_add(struct host *host, const char *line, size_t length, int64_t seconds)
{
	struct reaper_record *record = state_alloc(host->state, sizeof(*record) + length);
	int r;

	if (!record)
		return -ENOMEM;
	*record = (struct reaper_record){.every = seconds, .length = length};
	clock_gettime(CLOCK_MONOTONIC, &record->due);
	record->due.tv_sec += seconds;
	memcpy(record->line, line, length);
	forget_equal(host, line, length);
	r = start(host, record);
	if (r < 0) {
		record_free(host, record);
		return r;
	}
	record->next = host->tree->reapers;
	STATE_ORDER();
	host->tree->reapers = state_offset(host->state, record);
	return 0;
}

/* Takes over the record at an offset. NULL: there can be none. */
static struct reaper_record *claim(struct host *host, uint64_t offset)
{
	struct reaper_record *record = record_at(host, offset);

	if (!record || record->length > LENGTH_MOST || record->every <= 0 ||
	    !state_claim(host->state, offset, sizeof(*record) + record->length))
		return NULL;
	return record;
}

void reapers_adopt(struct host *host)
{
	uint64_t *link = &host->tree->reapers;

	while (*link) {
		struct reaper_record *record = claim(host, *link);

		if (!record || start(host, record) < 0)
			*link = 0;
		else
			link = &record->next;
	}
}

void reapers_end(struct host *host)
{
	while (host->reapers)
		reaper_end(host->reapers);
}
