// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verb reap: finds what is leaked in a directory, as info/leaks does, and removes it, one
 * object after another. Whatever has come into use meanwhile stays.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/job.h"
#include "lib/info/info_row.h"
#include "lib/info/info_rows.h"
#include "lib/tree/command_steps.h"
#include "lib/tree/log_lines.h"
#include "lib/tree/reaper.h"
#include "lib/tree/sightings.h"

/* How long one reap runs before others are served, ns. There may be many of them. */
#define STRETCH (100 * CLOCK_US)
/* The most objects that a report names. */
#define NAMED_MOST 100

struct reap {
	struct host *host;
	/*
	 * The jobs of this verb have a waiter of their own, because what they remember in it would
	 * be in the way of whatever else the command's waiter remembers.
	 */
	struct waiter waiter;
	struct waiter *outer; /* the command's, borrowed while that waits */
	bool is_waiting;      /* until resume(): trying again is no use */
	struct loop_task turn;
	struct info_rows *rows;
	size_t next;         /* the row whose turn it is */
	bool is_checked;     /* its object is still unused */
	size_t n, n_refused; /* objects removed, or for dry=yes to be removed; those that failed */
	uint64_t bytes;
	int error; /* of the first that failed */
	/* Complete once `out` and `log_out`, which write them, are closed. */
	char *report, *log;
	size_t report_size, log_size;
	FILE *out, *log_out;
};

void command_reap_free(struct reap *reap)
{
	if (!reap)
		return;
	loop_cancel(reap->host->loop, &reap->turn);
	waiter_fini(&reap->waiter);
	if (reap->rows)
		info_rows_finish(reap->rows);
	if (reap->out)
		fclose(reap->out);
	if (reap->log_out)
		fclose(reap->log_out);
	free(reap->report);
	free(reap->log);
	free(reap);
}

const char *command_reap_report(const struct reap *reap)
{
	return reap && !reap->out ? reap->report : NULL;
}

static void resume(struct waiter *waiter)
{
	struct reap *reap = CONTAINER_OF(waiter, struct reap, waiter);

	reap->is_waiting = false;
	reap->outer->resume(reap->outer);
}

static void take_turn(struct loop_task *task)
{
	resume(&CONTAINER_OF(task, struct reap, turn)->waiter);
}

/*
 * Takes one piece of work after another, until there is no more (0), one has to wait, or others
 * must have their turn. Without a waiter nothing can wait, and nothing is done.
 */
static int work(struct command *command, int (*piece)(struct command *command))
{
	struct reap *reap = command->reap;
	int64_t end = clock_now() + STRETCH;
	int r;

	reap->outer = command->caller.waiter;
	if (!reap->outer)
		return -EAGAIN;
	if (reap->is_waiting)
		return -EINPROGRESS;
	command->caller.waiter = &reap->waiter;
	do
		r = piece(command);
	while (r == -EAGAIN && clock_now() < end);
	command->caller.waiter = reap->outer;
	if (r == -EAGAIN) {
		loop_yield(reap->host->loop, &reap->turn);
		r = -EINPROGRESS;
	}
	reap->is_waiting = r == -EINPROGRESS;
	return r;
}

static const char *text_of(const struct row *row, const char *key)
{
	return row_find(row, key) ? row_find(row, key)->text : "";
}

static uint64_t number_of(const struct row *row, const char *key)
{
	return row_find(row, key) ? row_find(row, key)->number : 0;
}

/*
 * Whether the log is told: of what the daemon or its user has removed. Others remove only what is
 * their own, and must not be able to fill the log.
 */
static bool is_logged(const struct command *command)
{
	return command->host->log && !command->line.reaping.is_dry &&
	       command->caller.uid == geteuid();
}

/* Writes a line about an object to the report, and for the log. -ENOMEM */
static int tell(struct command *command, const struct row *row, const char *what)
{
	CLEANUP_FREE char *name = info_value_text(row_find(row, "name"));
	const char *kind = command->line.space->kind->path;
	struct reap *reap = command->reap;

	if (!name)
		return -ENOMEM;
	if (reap->n + reap->n_refused <= NAMED_MOST)
		fprintf(reap->out, "  %s/%s, owner %" PRIu64 ": %s\n", kind, name,
			number_of(row, "owner"), what);
	if (is_logged(command))
		fprintf(reap->log_out, "reap: %s/%s, owner %" PRIu64 ", %" PRIu64 " bytes: %s\n",
			kind, name, number_of(row, "owner"), number_of(row, "bytes"), what);
	return 0;
}

/* Whether the object has gone, or come into use: nothing to complain about. */
static bool is_no_fault(int r)
{
	return r == -EBUSY || r == -ENOENT || r == -ESTALE || r == -EIDRM;
}

static int count(struct command *command, const struct row *row, int r)
{
	struct reap *reap = command->reap;

	if (is_no_fault(r))
		return 0;
	if (r < 0) {
		reap->n_refused++;
		reap->error = reap->error ? reap->error : r;
		return tell(command, row, strerror(-r));
	}
	reap->n++;
	reap->bytes += number_of(row, "bytes");
	return tell(command, row, row_find(row, "leaked")->word);
}

static int remove_object(struct command *command, const struct row *row)
{
	const struct kind *kind = command->line.space->kind;
	const char *name = text_of(row, "name");
	const struct timespec *before = &command->reap->rows->leaks.before;
	bool *is_checked = &command->reap->is_checked;
	struct entry *entry = &command->entry;
	int r = 0;

	if (kind->remove_stray) /* whose objects are never leaked themselves */
		return kind->remove_stray(command->host, name, before, &command->caller);
	if (!entry->channel)
		r = space_find(command->line.space, name, &command->caller, entry);
	if (r == 0 && !*is_checked)
		r = channel_check_disuse(entry->channel, before, &command->caller);
	if (r == 0) {
		*is_checked = true;
		r = channel_reap(entry->channel, name, before, &command->caller);
	}
	if (job_is_awaited(r))
		return r;
	*is_checked = false;
	entry_unref(entry);
	*entry = (struct entry){0};
	return r;
}

static bool is_meant(const struct line *line, const struct row *row)
{
	return row_find(row, "leaked") &&
	       (!(line->changes & CHANGE_UID) || number_of(row, "owner") == line->attr.st_uid);
}

/* Does one object. Returns -EAGAIN if there are more. */
static int reap_next(struct command *command)
{
	struct reap *reap = command->reap;
	const struct row *row = &reap->rows->rows[reap->next];
	int r = 0;

	if (reap->next == reap->rows->n)
		return 0;
	if (is_meant(&command->line, row)) {
		r = command->line.reaping.is_dry ? 0 : remove_object(command, row);
		if (job_is_awaited(r))
			return r;
		r = count(command, row, r);
	}
	reap->next++;
	return r < 0 ? r : -EAGAIN;
}

static time_t idle_of(const struct command *command)
{
	const struct line *line = &command->line;

	return line->reaping.idle >= 0 ? line->reaping.idle : command->host->idle;
}

/* Completes the report: the sum, and the lines about objects. -ENOMEM */
static int report(struct command *command)
{
	struct reap *reap = command->reap;
	size_t n_told = reap->n + reap->n_refused;
	CLEANUP_FREE char *lines = NULL;

	if (n_told == 0)
		fprintf(reap->out, "  nothing unused for %lld seconds is yours to remove\n",
			(long long)idle_of(command));
	if (n_told > NAMED_MOST)
		fprintf(reap->out, "  and %zu more\n", n_told - NAMED_MOST);
	if (fclose(TAKE_PTR(reap->out)) != 0 || fclose(TAKE_PTR(reap->log_out)) != 0)
		return -ENOMEM;
	lines = TAKE_PTR(reap->report);
	return asprintf(&reap->report, "reap %s: %zu %s, %" PRIu64 " bytes\n%s",
			command->line.space->kind->path, reap->n,
			command->line.reaping.is_dry ? "would be removed" : "removed", reap->bytes,
			lines) < 0
		       ? -ENOMEM
		       : 0;
}

static int fail(struct command *command, int r)
{
	return job_is_awaited(r) ? r
				 : line_complain(&command->line, r, "reap %s: %s",
						 command->line.space->kind->path, strerror(-r));
}

static int step_log(struct command *command)
{
	struct reap *reap = command->reap;
	int r = log_lines(command->host, &command->caller, reap->log);

	if (job_is_awaited(r))
		return r;
	command->step = NULL;
	return 0;
}

static int step_remove(struct command *command)
{
	struct reap *reap = command->reap;
	int r = work(command, reap_next);

	if (r == 0)
		r = report(command);
	if (r == 0 && reap->n == 0)
		r = reap->error;
	if (r < 0)
		return fail(command, r);
	command->step = *reap->log ? step_log : NULL;
	return 0;
}

/* A line that is repeated leaves what it has not found in its last run as well. */
static void leave_new(struct command *command)
{
	const struct info_rows *rows = command->reap->rows;

	for (size_t i = 0; i < rows->n; i++)
		if (row_find(&rows->rows[i], "leaked") &&
		    !sightings_note(command->sightings, text_of(&rows->rows[i], "name")))
			row_remove(&rows->rows[i], "leaked");
	sightings_turn(command->sightings);
}

static int gather(struct command *command)
{
	return info_rows_gather(command->reap->rows, &command->caller);
}

static int step_gather(struct command *command)
{
	int r = work(command, gather);

	if (r < 0)
		return fail(command, r);
	info_rows_complete(command->reap->rows);
	if (command->sightings)
		leave_new(command);
	command->step = step_remove;
	return 0;
}

static int begin(struct command *command)
{
	const struct line *line = &command->line;
	struct reap *reap = command->reap = calloc(1, sizeof(*reap));

	if (!reap)
		return -ENOMEM;
	reap->host = command->host;
	reap->waiter.resume = resume;
	reap->turn.run = take_turn;
	reap->out = open_memstream(&reap->report, &reap->report_size);
	reap->log_out = open_memstream(&reap->log, &reap->log_size);
	reap->rows =
		info_rows_of_leaks(command->host, &command->caller, line->space, idle_of(command));
	return reap->out && reap->log_out && reap->rows ? 0 : -ENOMEM;
}

/* Writes the line anew, as it is to be repeated, since its words have been cut out of it. */
static int repeat(struct command *command)
{
	const struct line *line = &command->line;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return -ENOMEM;
	fprintf(out, "reap %s", line->space->kind->path);
	if (line->reaping.idle >= 0)
		fprintf(out, " idle=%" PRId64, line->reaping.idle);
	if (line->changes & CHANGE_UID)
		fprintf(out, " owner=%u", line->attr.st_uid);
	r = fclose(out) == 0 ? 0 : -ENOMEM;
	return r < 0 ? r : reaper_add(command->host, text, size, line->reaping.every);
}

int command_step_reap(struct command *command)
{
	const struct line *line = &command->line;
	int r;

	if (line->reaping.every && command->mode == COMMAND_STRICT)
		return line_complain(&command->line, -EINVAL,
				     "every=: only in the configuration; leave it out");
	if (line->reaping.every && line->reaping.is_dry)
		return line_complain(&command->line, -EINVAL,
				     "every=: nobody would read what dry=yes finds");
	if (line->reaping.every && command->mode == COMMAND_KEEP) {
		command->step = NULL;
		r = repeat(command);
		return r < 0 ? fail(command, r) : 0;
	}
	r = begin(command);
	if (r < 0)
		return fail(command, r);
	command->step = step_gather;
	return 0;
}
