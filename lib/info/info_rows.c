// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First the walk adds the rows, and then a scan finds who has the objects open: those that the
 * table asks for, and always the readers and writers of FIFOs, which it counts.
 */
#include "lib/info/info_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/job.h"
#include "lib/info/info_row.h"

/* How long to wait for FIFOs whose lock is held: in all, and for each when that is used up. */
#define PATIENCE       (30 * CLOCK_MS)
#define PATIENCE_LEAST (2 * CLOCK_MS)
/* How long to wait for a server, for the status of one object. */
#define PATIENCE_REMOTE (2 * CLOCK_S)

/* clang-format off */
const struct info_column info_columns[] = {
	{"bytes", "BYTES", "BYTES", "bytes", "What the object holds.", true},
	{"capacity", "CAPACITY", "CAP", "capacity_bytes", "What the object can hold.", true},
	{"messages", "MESSAGES", "MSGS", "messages", "Messages that wait.", false},
	{"value", "VALUE", "VALUE", "value", "The value of a semaphore or counter.", false},
	{"semaphores", "SEMS", "SEMS", "semaphores", "Semaphores in the set.", false},
	{"attached", "ATTACHED", "ATT", "attached", "How often the segment is attached.", false},
	{"readers", "READERS", "RD", "readers", "How often it is open for reading.", false},
	{"writers", "WRITERS", "WR", "writers", "How often it is open for writing.", false},
	{"waiting", "WAITING", "WAIT", "waiting", "Reads and writes that wait.", false},
	{.key = NULL},
};
/* clang-format on */

static int rows_grow(struct info_rows *rows)
{
	size_t n = 2 * rows->n_allocated + 16;
	struct row *grown;

	if (rows->n < rows->n_allocated)
		return 0;
	grown = reallocarray(rows->rows, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	rows->n_allocated = n;
	return 0;
}

/* Takes over what is in `row`. */
static int rows_add(struct info_rows *rows, struct row *row)
{
	int r = rows_grow(rows);

	if (r == 0)
		r = info_walk_charge(&rows->walk, sizeof(*row) + row->size);
	if (r < 0)
		row_fini(row);
	else
		rows->rows[rows->n++] = *row;
	return r;
}

/*
 * Measures the object. A process that holds the lock of a FIFO for ever keeps the table waiting
 * once. However many such FIFOs there are, all of them together don't keep it for much longer.
 */
static int rows_measure(struct info_rows *rows, struct channel *channel, struct caller *reader,
			struct row *row)
{
	int r;

	if (row->is_brief && channel->space->kind->is_remote) {
		row->has_no_measure = true; /* a question to a server for each object */
		return 0;
	}
	row->most = rows->patience > PATIENCE_LEAST ? rows->patience : PATIENCE_LEAST;
	if (channel->space->kind->is_remote)
		row->most = PATIENCE_REMOTE;
	r = channel_measure(channel, reader, row);
	if (job_is_awaited(r)) {
		rows->asked = rows->asked ? rows->asked : clock_now();
		return r;
	}
	if (r < 0 && rows->asked)
		rows->patience -= clock_now() - rows->asked;
	rows->asked = 0;
	row->has_no_measure = r < 0;
	return 0;
}

/*
 * Asks first whether the object is leaked, since only then may it need a row. That and measuring
 * may each be a job, but for no kind of object both.
 */
static int rows_visit(struct info_rows *rows, struct channel *channel, const char *name,
		      struct caller *reader)
{
	struct row row = {.is_brief = !rows->only};
	bool needs_users;
	int r = info_leaks_ask(&rows->leaks, channel, name, reader);

	if (r == 0 && rows->has_leaks_alone && !rows->leaks.disuse.why)
		rows->users.has_target = false;
	if (r < 0 || (rows->has_leaks_alone && !rows->leaks.disuse.why))
		return r;
	needs_users = rows->leaks.disuse.needs_scan;
	r = info_users_aim(&rows->users, channel, needs_users, reader);
	if (r == 0)
		r = rows_measure(rows, channel, reader, &row);
	if (r == 0)
		r = info_row(channel, name, reader, &row);
	if (r == 0)
		r = rows_add(rows, &row);
	if (r == 0)
		r = info_users_add(&rows->users, &rows->walk, channel, rows->n - 1, needs_users);
	if (r == 0)
		r = info_leaks_add(&rows->leaks, &rows->walk, rows->n - 1);
	if (!job_is_awaited(r))
		rows->users.has_target = false;
	return r;
}

static int visit(struct info_walk *walk, struct channel *channel, const char *name,
		 struct caller *reader)
{
	return rows_visit(CONTAINER_OF(walk, struct info_rows, walk), channel, name, reader);
}

static struct info_rows *rows_new(struct host *host, const struct caller *reader)
{
	struct info_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	info_walk_init(&rows->walk, host, reader);
	rows->walk.visit = visit;
	rows->patience = PATIENCE;
	if (host->remote.status)
		host->remote.status(host, &rows->link);
	return rows;
}

int info_rows_prepare(void *data, struct caller *reader, void **ret_rows)
{
	*ret_rows = rows_new(data, reader);
	return *ret_rows ? 0 : -ENOMEM;
}

struct info_rows *info_rows_of_leaks(struct host *host, const struct caller *reader,
				     const struct space *only, time_t idle)
{
	struct info_rows *rows = rows_new(host, reader);

	if (!rows)
		return NULL;
	rows->walk.only = only;
	rows->has_leaks_alone = true;
	info_leaks_want(&rows->leaks, idle);
	return rows;
}

int info_rows_prepare_with_users(void *data, struct caller *reader, void **ret_rows)
{
	struct info_rows *rows = rows_new(data, reader);

	if (!rows)
		return -ENOMEM;
	rows->users.is_for_all = true;
	info_leaks_want(&rows->leaks, rows->walk.host->idle);
	*ret_rows = rows;
	return 0;
}

int info_rows_of_one(struct channel *channel, const char *name, const struct caller *reader,
		     struct info_rows **ret_rows)
{
	struct info_rows *rows = rows_new(channel->space->host, reader);

	if (!rows) {
		channel_unref(channel);
		return -ENOMEM;
	}
	rows->only = channel;
	rows->only_name = strdup(name);
	if (!rows->only_name) {
		info_rows_finish(rows);
		return -ENOMEM;
	}
	*ret_rows = rows;
	return 0;
}

static int rows_step(struct info_rows *rows, struct caller *reader)
{
	if (!rows->only)
		return info_walk_step(&rows->walk, reader);
	return rows->n ? 0 : rows_visit(rows, rows->only, rows->only_name, reader);
}

/* Adds a row for a stray file, which is leaked by itself. */
static void add_stray(struct info_rows *rows, const char *name, const struct stat *attr,
		      const char *why)
{
	struct timespec since = disuse_last(attr);
	struct row row = {0};
	int r;

	row_add_word(&row, "kind", (*rows->strays)->kind->path);
	row_add_text(&row, "name", name);
	row_add_number(&row, "owner", attr->st_uid);
	row_add_number(&row, "group", attr->st_gid);
	row_add_mode(&row, "mode", attr->st_mode);
	row_add_time(&row, "changed", &attr->st_ctim);
	row_add_word(&row, "leaked", why);
	row_add_time(&row, "idle-since", &since);
	r = row.error ? row.error : rows_add(rows, &row);
	if (r < 0 && rows->error == 0)
		rows->error = r;
}

struct strays_table {
	struct info_rows *rows;
	struct caller *reader;
};

static void take_stray(void *data, const char *name, const struct stat *attr, const char *why)
{
	struct strays_table *strays = data;

	if (caller_owns(strays->reader, attr->st_uid) &&
	    disuse_last(attr).tv_sec <= strays->rows->leaks.before.tv_sec)
		add_stray(strays->rows, name, attr, why);
}

/* Does the stray files of one kind. Returns as text_ops::gather does. */
static int rows_find_strays(struct info_rows *rows, struct caller *reader)
{
	struct host *host = rows->walk.host;
	struct strays_table strays = {rows, reader};
	const struct space *space;
	int r = 0;

	if (!rows->strays)
		rows->strays = host->spaces;
	space = *rows->strays;
	if (!space || !rows->leaks.is_wanted)
		return 0;
	if (space->kind->find_strays && (!rows->walk.only || space == rows->walk.only))
		r = space->kind->find_strays(host, reader, take_stray, &strays);
	if (job_is_awaited(r))
		return r;
	rows->strays++;
	return rows->error < 0 ? rows->error : -EAGAIN;
}

int info_rows_gather(void *data, struct caller *reader)
{
	struct info_rows *rows = data;
	struct host *host = rows->walk.host;
	int r = rows->is_walked ? 0 : rows_step(rows, reader);

	rows->is_walked = r == 0;
	if (r == 0)
		r = rows_find_strays(rows, reader);
	if (r == 0)
		r = info_users_look(&rows->users, host->scanner, reader);
	return r < 0 ? r : info_leaks_settle(&rows->leaks, host, reader);
}

void info_rows_complete(struct info_rows *rows)
{
	info_users_fill(&rows->users, rows->rows);
	info_leaks_fill(&rows->leaks, &rows->users, rows->rows);
}

/* Keys of System V are hexadecimal and all equally long: byte order is their order. */
static int compare_names(const void *a_, const void *b_)
{
	const char *a = row_find(a_, "name")->text, *b = row_find(b_, "name")->text;
	bool are_keys = strncmp(a, "0x", 2) == 0 && strncmp(b, "0x", 2) == 0;

	return are_keys ? strcmp(a, b) : strverscmp(a, b);
}

/* The rows of a kind stand together, in the order of the tree. */
void info_rows_sort(struct info_rows *rows)
{
	struct row *first = rows->rows;

	for (size_t i = 1; i <= rows->n; i++) {
		struct row *row = rows->rows + i;

		if (i < rows->n && row_find(row, "kind")->word == row_find(first, "kind")->word)
			continue;
		qsort(first, (size_t)(row - first), sizeof(*row), compare_names);
		first = row;
	}
}

void info_rows_discard(void *data)
{
	struct info_rows *rows = data;

	for (size_t i = 0; i < rows->n; i++)
		row_fini(&rows->rows[i]);
	free(rows->rows);
	rows->rows = NULL;
	rows->n = 0;
	row_fini(&rows->link);
}

void info_rows_finish(void *data)
{
	struct info_rows *rows = data;

	info_rows_discard(rows);
	info_users_fini(&rows->users);
	info_leaks_fini(&rows->leaks);
	info_walk_fini(&rows->walk);
	channel_unref(rows->only);
	free(rows->only_name);
	free(rows->names);
	free(rows);
}
