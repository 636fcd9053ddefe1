// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon may be killed at any moment, and the semaphore can't tell who took a unit of it. So each
 * unit that is taken is noted, in memory that outlives the daemon, by the instruction that follows
 * the taking; and a unit that moves on does so in one store. The next daemon gives it to the reader
 * whom it was meant for, or back.
 *
 * What remains is a daemon killed exactly between the two instructions: the unit is lost, as it is
 * with any program that is killed after sem_wait(3). No unit is ever granted twice.
 */
#include "lib/kinds/posix/sem_units.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/number.h"
#include "lib/channel/journal.h"
#include "lib/kinds/posix/region.h"

/* Words of object_record::words. */
enum {
	SEM_UNITS = NAMED_WORDS, /* union units */
	SEM_N_POSTS,             /* how many writes have added units */
};

/* The loop changes both halves in one store, while there is no thread. */
union units {
	uint64_t word;
	struct {
		uint32_t n;    /* taken for waiters, and not yet given to them */
		uint32_t step; /* enum semaphore_step of the thread */
	};
};

/* journal::word: a unit was taken from the semaphore; or, above that, how many there were. */
enum { WORD_TAKEN = 1, WORD_UNITS = 2 };

static union units *units_in(struct object_record *record)
{
	return (union units *)&record->words[SEM_UNITS];
}

static union units *units_of(const struct sem *sem)
{
	return units_in(sem->named.channel.record);
}

unsigned sem_n_units(const struct sem *sem)
{
	return sem->named.channel.record ? units_of(sem)->n : 0;
}

uint32_t *sem_step(const struct sem *sem)
{
	return &units_of(sem)->step;
}

bool sem_settle(struct sem *sem)
{
	union units *units = units_of(sem), next = {.n = units->n + 1};

	if (units->step != SEMAPHORE_TAKEN)
		return false;
	__atomic_store_n(&units->word, next.word, __ATOMIC_RELAXED);
	return true;
}

bool sem_put_back(struct sem *sem)
{
	unsigned n = sem_n_units(sem);

	if (n == 0)
		return false;
	units_of(sem)->n = 0;
	STATE_ORDER();
	semaphore_post(sem->semaphore, n, NULL);
	return true;
}

static ssize_t unit_text(void *data)
{
	memcpy(data, SEM_UNIT_TEXT, strlen(SEM_UNIT_TEXT));
	return (ssize_t)strlen(SEM_UNIT_TEXT);
}

ssize_t sem_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct sem *sem = sem_from(file->channel);
	struct journal *journal = file->channel->space->host->journal;
	unsigned n = sem_n_units(sem);
	int r = 0;

	if (n) {
		journal->word = WORD_UNITS + (uint64_t)n;
		STATE_ORDER();
		units_of(sem)->n = n - 1;
		STATE_ORDER();
	} else {
		r = semaphore_take(sem->semaphore, &journal->word);
	}
	return r < 0 ? r : unit_text(data);
}

ssize_t sem_recall(struct file *file, void *data)
{
	const struct sem *sem = sem_from(file->channel);
	uint64_t word = file->channel->space->host->journal->word;

	if (word == WORD_TAKEN || (word > WORD_UNITS && sem_n_units(sem) + WORD_UNITS + 1 == word))
		return unit_text(data);
	return -EAGAIN;
}

ssize_t sem_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct sem *sem = sem_from(file->channel);
	uint64_t *n_posts = &file->channel->record->words[SEM_N_POSTS];
	uint64_t n;
	int r = number_parse_lines(data, size, SEM_VALUE_MAX, &n);

	if (r > 0)
		r = semaphore_post(sem->semaphore, (unsigned)n, n_posts);
	if (r == -EIO) /* the memory is gone, and that by itself wakes nobody */
		channel_wake(file->channel, EPOLLIN);
	return r < 0 ? (r == -ERANGE ? -EOVERFLOW : r) : (ssize_t)size;
}

uint64_t sem_accepted(struct channel *channel)
{
	return channel->record->words[SEM_N_POSTS];
}

void sem_save(struct channel *channel, struct object_record *record)
{
	struct sem *sem = sem_from(channel);

	named_save(&sem->named, record);
	record->fds[0] = sem->fd;
}

/* Maps the semaphore again, and ends what the former daemon's thread was about to do. */
static int adopt_semaphore(struct sem *sem, struct object_record *record)
{
	union units *units = units_in(record);
	bool is_counted = units->step == SEMAPHORE_COUNTED;
	int fd = record->fds[0], r;

	if (!region_is(&sem->named, fd))
		return -EPROTO;
	r = semaphore_map(fd, &sem->semaphore);
	if (r < 0)
		return r;
	sem->fd = fd;
	named_charge(&sem->named, record, 1);
	if (is_counted)
		units->step = SEMAPHORE_NOTHING;
	STATE_ORDER();
	semaphore_mend(sem->semaphore, is_counted);
	return 0;
}

int sem_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	int r = named_adopt(space, record, ret_channel);

	if (r < 0 || record->fds[0] < 0)
		return r;
	r = adopt_semaphore(sem_from(*ret_channel), record);
	if (r < 0)
		channel_unref(*ret_channel);
	else
		channel_attend(*ret_channel); /* when the journal is settled */
	return r;
}

int sem_adopt_file(struct file *file)
{
	return sem_from(file->channel)->semaphore ? 0 : -EPROTO;
}
