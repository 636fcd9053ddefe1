// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System V semaphore sets of the IPC namespace.
 *
 * A read returns the values, one on each line, and then end-of-file. A write is one list of pairs
 * "NUMBER OPERATION", performed atomically as by semop(2). A list that has to wait sleeps in that
 * call on a thread of its own, so that the kernel performs it when its turn comes. SEM_UNDO is
 * never used: it would undo operations when the daemon ends, not when the caller does.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/sysv/sysv.h"
#include "lib/kinds/sysv/sysv_disuse.h"
#include "lib/kinds/sysv/sysv_sem_list.h"
#include "lib/kinds/sysv/sysv_sem_values.h"

/* The largest set whose status counts sleepers: that takes two calls for each semaphore. */
#define COUNTED_MAX 256
/* The largest set whose status is not too expensive for each line of `ls -l`. */
#define CHEAP_MAX 8

enum { SET_COUNT, SET_VALUE };

static const struct parameter set_parameters[] = {
	[SET_COUNT] = {"count", PARAMETER_NUMBER, .min = 1, .max = USHRT_MAX, .is_fixed = true,
		       .told_as = "semaphores"},
	[SET_VALUE] = {"value", PARAMETER_NUMBER, .max = SHRT_MAX, .is_initial = true,
		       .is_passing = true},
	{.name = NULL},
};

static const struct channel_ops set_ops;

static struct sysv *set_from(struct channel *channel)
{
	assert(channel->ops == &set_ops);
	return sysv_from(channel);
}

static int set_control(int id, int command, union sysv_data *data)
{
	union sysv_sem_argument argument = {.buf = &data->set};
	int r = semctl(id, 0, command, argument);

	return r < 0 ? -errno : r;
}

static int set_get(key_t key, int flags, size_t size)
{
	int id = semget(key, (int)size, flags);

	return id < 0 ? -errno : id;
}

static int set_find(key_t key)
{
	return set_get(key, 0, 0);
}

static void set_fill(const union sysv_data *data, struct stat *attr)
{
	attr->st_atim.tv_sec = attr->st_mtim.tv_sec = data->set.sem_otime;
	attr->st_ctim.tv_sec = data->set.sem_ctime;
}

static void set_constants(const union sysv_data *data, struct sysv_identity *identity)
{
	identity->size = (long)data->set.sem_nsems;
}

const struct sysv_calls sysv_sem_calls = {
	.control = set_control,
	.find = set_find,
	.stat_any = SEM_STAT_ANY,
	.fill = set_fill,
	.constants = set_constants,
};

/* Returns the number of its semaphores, which never changes. */
static size_t set_count(const struct sysv *set)
{
	return (size_t)set->identity.size;
}

static void set_destroy(struct channel *channel)
{
	struct sysv *set = set_from(channel);

	sysv_fini(set);
	free(set);
}

static int set_open(struct file *file, struct caller *caller)
{
	union sysv_data data;
	int r = sysv_data(set_from(file->channel), &data);

	if (r < 0)
		return r == -EIDRM ? -ESTALE : r;
	file->channel->message_max = data.set.sem_nsems * SYSV_SEM_LINE;
	return sysv_open(file, caller);
}

/*
 * file::mark: the values have been read, and the file is at its end until it is written. The
 * journal is told first that they are in the reader's buffer: journal::word.
 */
static void note_read(struct file *file, size_t size)
{
	struct journal *journal = file->channel->space->host->journal;

	journal->size = size;
	STATE_ORDER();
	journal->word = 1;
	STATE_ORDER();
	file->record->mark = 1;
}

static ssize_t set_read(struct file *file, void *data, size_t size, off_t offset)
{
	CLEANUP_FREE unsigned short *values = NULL;
	struct sysv *set = set_from(file->channel);
	union sysv_data now;
	size_t n;
	int r;

	if (file->record->mark)
		return 0;
	r = sysv_data(set, &now);
	if (r == 0)
		r = sysv_enter(file, &now);
	if (r < 0)
		return r;
	r = sysv_sem_get(set->id, set_count(set), &values);
	caller_leave();
	if (r < 0)
		return r;
	n = sysv_sem_print_all(values, set_count(set), data, size);
	note_read(file, n);
	return (ssize_t)n;
}

static ssize_t set_recall(struct file *file, void *data)
{
	const struct journal *journal = file->channel->space->host->journal;

	if (!journal->word)
		return -EAGAIN;
	file->record->mark = 1;
	return (ssize_t)journal->size;
}

static ssize_t set_write(struct file *file, const void *data, size_t size, off_t offset)
{
	uint64_t mark = file->record->mark;
	int r;

	/* If the daemon ends as the list is performed, the next one rather shows values again. */
	file->record->mark = 0;
	r = sysv_sem_list_run(set_from(file->channel), file, data, size);
	if (r < 0 && r != -EINPROGRESS)
		file->record->mark = mark;
	return r < 0 ? r : (ssize_t)size;
}

static uint32_t set_poll(struct file *file)
{
	union sysv_data data;
	uint32_t events = 0;

	if (sysv_data(set_from(file->channel), &data) < 0)
		return EPOLLERR | EPOLLHUP;
	if (file_reads(file))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* Counts the sleepers in semop(2), native ones too. */
static unsigned count_sleeping(int id, size_t n_semaphores)
{
	unsigned n = 0;

	for (size_t i = 0; i < n_semaphores; i++) {
		int n_here = sysv_sem_sleepers(id, (int)i);

		n += n_here > 0 ? (unsigned)n_here : 0;
	}
	return n;
}

/* As the caller: adds what requires the right to read. */
static void add_values(int id, size_t n, struct row *row)
{
	CLEANUP_FREE uint64_t *numbers = calloc(n, sizeof(*numbers));
	CLEANUP_FREE unsigned short *values = NULL;

	if (!numbers || sysv_sem_get(id, n, &values) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		numbers[i] = values[i];
	row_add_list(row, "values", numbers, n);
	if (n <= COUNTED_MAX)
		row_add_number(row, "sleeping", count_sleeping(id, n));
}

/* SEM_STAT_ANY tells everybody the number of semaphores. The rest requires the right to read. */
static void set_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct sysv *set = set_from(channel);
	union sysv_data data;

	/* Each *_STAT of a set looks at all its semaphores: a row among many does without. */
	if (row->is_brief)
		row_add_signed(row, "id", set->id);
	else if (sysv_status(set, row, &data) < 0)
		return;
	row_add_number(row, "semaphores", set_count(set));
	if (row->is_brief || caller_enter(caller) < 0)
		return;
	add_values(set->id, set_count(set), row);
	caller_leave();
}

static int set_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	CLEANUP_FREE unsigned short *values = NULL;
	struct sysv *set = set_from(channel);
	char line[SYSV_SEM_LINE];
	union sysv_data data;
	int r = sysv_data(set, &data);

	if (r == 0)
		r = sysv_sem_get(set->id, set_count(set), &values);
	for (size_t i = 0; r == 0 && i < set_count(set); i++)
		fwrite(line, 1, sysv_sem_print(values[i], line), out);
	return r;
}

struct setting {
	struct sysv_identity set;
	long value;
};

/* On a thread: the kernel also clears that many undo values of each process that has any there. */
static int setting_act(void *data)
{
	const struct setting *setting = data;
	union sysv_data found;
	int r = sysv_verify(&sysv_sem_calls, &setting->set, &found);

	if (r < 0)
		return r;
	return sysv_sem_set((int)setting->set.id, found.set.sem_nsems,
			    (unsigned short)setting->value);
}

static int set_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	struct setting setting = {set_from(channel)->identity, (long)settings->values[SET_VALUE]};

	return job_run(channel->space->host, caller,
		       &(struct job_call){.place = JOB_THREAD,
					  .act = setting_act,
					  .data = &setting,
					  .size = sizeof(setting)});
}

/* The directory of the sets. */

/* The maker chooses the values, whatever rights the mode leaves it. */
static int set_create(struct space *space, const char *name, mode_t mode,
		      const struct settings *settings, struct caller *caller,
		      struct entry *ret_entry)
{
	size_t count = settings_has(settings, SET_COUNT) ? settings->values[SET_COUNT] : 1;
	struct sysv *set;
	int r = sysv_make(space, name, mode, caller, set_get, count, ret_entry);

	if (r < 0 || !settings_has(settings, SET_VALUE))
		return r;
	set = set_from(ret_entry->channel);
	r = sysv_sem_set(set->id, set_count(set), (unsigned short)settings->values[SET_VALUE]);
	if (r < 0)
		sysv_unmake(TAKE_PTR(ret_entry->channel), caller);
	return r;
}

static const struct channel_ops set_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_WRITES | CHANNEL_WRITES_BY_JOB,
	.destroy = set_destroy,
	.stat = sysv_stat,
	.change = sysv_change,
	.get_acl = sysv_get_acl,
	.open = set_open,
	.release = sysv_release,
	.read = set_read,
	.write = set_write,
	.poll = set_poll,
	.status = set_status,
	.check_read = sysv_check_read,
	.peek = set_peek,
	.set = set_set,
	.disuse = sysv_set_disuse,
	.reap = sysv_reap,
	.save = sysv_save,
	.adopt = sysv_adopt,
	.adopt_file = sysv_adopt_file,
	.recall = set_recall,
};

static const char *set_explain(struct channel *channel, const char *name,
			       const struct settings *settings, int error)
{
	if (channel || (error != -EINVAL && error != -ENOSPC))
		return NULL;
	return sysv_explain_name(name) ? sysv_explain_name(name)
				       : "above the limits in /proc/sys/kernel/sem";
}

static const struct space_ops set_space_ops = {
	.destroy = sysv_space_destroy,
	.list = sysv_list,
	.lookup = sysv_lookup,
	.create = set_create,
	.remove = sysv_remove,
	.room = sysv_room_for_sets,
	.count = sysv_count_sets,
};

static void set_init(struct sysv *set)
{
	if (set_count(set) > CHEAP_MAX)
		set->channel.traits |= CHANNEL_STATUS_IS_SLOW;
}

static int set_space_open(struct space **ret_space, struct host *host)
{
	CLEANUP_FREE struct sysv_space *space = calloc(1, sizeof(*space));
	int r;

	if (!space)
		return -ENOMEM;
	space->calls = &sysv_sem_calls;
	space->service = CHANNEL_STREAM;
	space->object_size = sizeof(struct sysv);
	space->init = set_init;
	r = sysv_space_init(space, &set_space_ops, host, &sysv_sem_kind);
	if (r == 0)
		*ret_space = &TAKE_PTR(space)->space;
	return r;
}

const struct kind sysv_sem_kind = {
	.path = "sysv/sems",
	.home = NAMESPACE_IPC,
	.parameters = set_parameters,
	.ino_bits = INO_UNIT_BITS,
	.ino_is_cut = true, /* see sysv.h */
	.channel = &set_ops,
	.canonical = sysv_canonical,
	.explain = set_explain,
	.open = set_space_open,
};
