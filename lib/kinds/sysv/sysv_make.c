// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes objects. One that the former daemon has made, but not told of, is found again.
 */
#include <errno.h>
#include <time.h>

#include "lib/channel/journal.h"
#include "lib/kinds/sysv/sysv.h"

/* The longest that the next daemon takes until it has the requests of the former one. */
#define MADE_SECONDS 10

/*
 * The kernel has an object of this key, and the request to make one has come again. Returns the
 * object's id if it can be what the former daemon has made for it: just now, by this caller, and
 * not used since. Else -EEXIST.
 */
static int find_made(struct space *space_, key_t key, const struct caller *caller)
{
	const struct sysv_space *space = sysv_space_from(space_);
	const struct journal *journal = space_->host->journal;
	struct stat attr = {0};
	union sysv_data data;
	int id = journal_is_again(space_->host, journal->request) ? space->calls->find(key)
								  : -EEXIST;

	if (id < 0 || sysv_stat_id(space->calls, id, &data) < 0)
		return -EEXIST;
	space->calls->fill(&data, &attr);
	return data.perm.cuid == caller->uid && data.perm.cgid == caller->gid &&
			       attr.st_atim.tv_sec == 0 && attr.st_mtim.tv_sec == 0 &&
			       attr.st_ctim.tv_sec >= time(NULL) - MADE_SECONDS
		       ? id
		       : -EEXIST;
}

int sysv_make(struct space *space, const char *name, mode_t mode, struct caller *caller,
	      int (*get)(key_t key, int flags, size_t size), size_t size, struct entry *ret_entry)
{
	key_t key;
	int id;

	if (!S_ISREG(mode))
		return -EPERM;
	if (!sysv_parse_key(name, &key))
		return -EINVAL;
	id = caller_enter(caller);
	if (id < 0)
		return id;
	id = get(key, IPC_CREAT | IPC_EXCL | (int)(mode & 0777), size);
	caller_leave();
	if (id == -EEXIST)
		id = find_made(space, key, caller);
	return id < 0 ? id : sysv_channel(sysv_space_from(space), id, &ret_entry->channel);
}

void sysv_unmake(struct channel *channel, struct caller *caller)
{
	const struct sysv_calls *calls = sysv_space_from(channel->space)->calls;
	struct sysv *sysv = sysv_from(channel);
	union sysv_data data;

	if (sysv_data(sysv, &data) == 0 && caller_enter(caller) == 0) {
		calls->control(sysv->id, IPC_RMID, &data);
		caller_leave();
	}
	channel_unref(channel);
}
