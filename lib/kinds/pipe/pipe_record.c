// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of a pipe. The bytes of a served pipe are in the state (store.h); those
 * of a FIFO are the kernel's, which keeps them for as long as the ends in the record are open.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/kinds/pipe/door.h"
#include "lib/kinds/pipe/pipe.h"

struct pipe_record *pipe_record(struct object_record *record)
{
	return (void *)record->words;
}

void pipe_save(struct channel *channel, struct object_record *record)
{
	struct pipe *pipe = pipe_from(channel);
	struct pipe_record *words = pipe_record(record);

	words->has_no_end = pipe->has_no_end;
	words->is_kept = pipe->is_kept;
	words->node = pipe->node;
	hold_save(&pipe->hold, record);
	words->charged = pipe->hold.charged;
	STATE_ORDER();
	words->capacity = pipe->capacity;
}

/* Takes over what the words tell of, and sets the sort of the pipe. */
static void take_words(struct pipe *pipe, struct space *space, struct object_record *record)
{
	const struct pipe_record *words = pipe_record(record);
	bool is_served = S_ISREG(record->attributes.mode);
	struct channel *channel = &pipe->kept.channel;

	channel->ops = is_served ? &served_ops : &fifo_ops;
	channel->traits = channel->ops->traits;
	pipe->capacity = pipe->store.capacity = words->capacity;
	pipe->has_no_end = words->has_no_end;
	pipe->size = -1;
	pipe->node = words->node;
	hold_init(&pipe->hold, pipe_keeper(space), channel, record->charged);
	if (!is_served)
		pipe_set_kept(pipe, words->is_kept && pipe->hold.keeper);
	pipe->hold.has_no_end = pipe->is_kept && pipe->has_no_end;
}

int pipe_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	struct pipe_record *words = pipe_record(record);
	mode_t mode = record->attributes.mode;
	CLEANUP_FREE struct pipe *pipe = NULL;
	int r;

	if (!mode)
		return door_adopt(space, record, ret_channel);
	if (!words->capacity || words->capacity > INT_MAX || words->charged > INT_MAX ||
	    (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode)))
		return -EPROTO;
	pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		return -ENOMEM;
	r = ending_adopt(&words->ending, space->host);
	if (r == 0)
		r = store_adopt(&pipe->store, space->host, record->charged, &words->store);
	if (r < 0)
		return r;
	r = kept_adopt(&pipe->kept, space, S_ISREG(mode) ? CHANNEL_STREAM : CHANNEL_NODE, record);
	if (r < 0) {
		store_abandon(&pipe->store, r);
		return r;
	}
	take_words(pipe, space, record);
	hold_adopt(&pipe->hold, record, words->charged);
	/* A thread was to let go of it when the daemon was killed. */
	pipe->hold.is_ended = pipe->hold.is_held && !pipe->is_kept;
	if (!pipe->kept.name)
		hold_doom(&pipe->hold);
	*ret_channel = &TAKE_PTR(pipe)->kept.channel;
	return 0;
}
