// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kind `pipes`: which sort a new pipe is, and what both sorts have in common.
 */
#include "lib/kinds/pipe/pipe.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/keeper.h"

const char *const pipe_eof_words[] = {[EOF_AUTO] = "auto", [EOF_NEVER] = "never", NULL};
const char *const pipe_keep_words[] = {[KEEP_NO] = "no", [KEEP_YES] = "yes", NULL};
const char *const pipe_served_words[] = {
	[SERVED_KERNEL] = "kernel", [SERVED_DAEMON] = "daemon", NULL};

static const struct parameter pipe_parameters[] = {
	[PIPE_CAPACITY] = {"capacity", PARAMETER_SIZE, .min = 4096, .max = INT_MAX},
	[PIPE_EOF] = {"eof", PARAMETER_WORD, .words = pipe_eof_words},
	[PIPE_KEEP] = {"keep", PARAMETER_WORD, .words = pipe_keep_words},
	[PIPE_SERVED] = {"served", PARAMETER_WORD, .is_fixed = true, .words = pipe_served_words},
	{.name = NULL},
};

struct pipe *pipe_from(struct channel *channel)
{
	assert(channel->ops == &served_ops || channel->ops == &fifo_ops);
	return CONTAINER_OF(kept_from(channel), struct pipe, kept);
}

void pipe_destroy(struct channel *channel)
{
	struct pipe *pipe = pipe_from(channel);

	hold_fini(&pipe->hold);
	store_empty(&pipe->store);
	kept_fini(&pipe->kept);
	free(pipe);
}

int pipe_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&pipe_from(channel)->kept, ret_attr);
	return 0;
}

int pipe_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller)
{
	return attributes_change(pipe_from(channel)->kept.attributes, attr, changes, caller);
}

static int pipe_check(const struct settings *settings, struct caller *caller)
{
	if (!settings_has(settings, PIPE_CAPACITY))
		return 0;
	return store_check(settings->values[PIPE_CAPACITY], caller);
}

void pipe_take(struct pipe *pipe, const struct settings *settings)
{
	if (settings_has(settings, PIPE_CAPACITY))
		pipe->capacity = settings->values[PIPE_CAPACITY];
	if (settings_has(settings, PIPE_EOF))
		pipe->has_no_end = settings->values[PIPE_EOF] == EOF_NEVER;
}

void pipe_set_kept(struct pipe *pipe, bool is_kept)
{
	pipe->is_kept = is_kept;
	if (is_kept)
		pipe->kept.channel.traits &= ~(unsigned)CHANNEL_HAS_NO_PEEK;
	else
		pipe->kept.channel.traits |= CHANNEL_HAS_NO_PEEK;
}

int pipe_check_set(struct pipe *pipe, const struct settings *settings, struct caller *caller)
{
	int r = pipe_check(settings, caller);

	return r == 0 && !caller_owns(caller, pipe->kept.attributes->uid) ? -EPERM : r;
}

struct keeper *pipe_keeper(const struct space *space)
{
	return CONTAINER_OF(space, struct kept_space, space)->state;
}

/* Chooses the sort of a new object. Fails with -EPERM, -EINVAL or -EOPNOTSUPP. */
static int choose(const struct space *space, mode_t mode, const struct settings *settings,
		  const struct channel_ops **ret_ops)
{
	const struct host_pipes *defaults = &space->host->pipes;
	bool by_daemon = defaults->by_daemon || !pipe_keeper(space);

	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EPERM;
	if (settings_has(settings, PIPE_SERVED))
		by_daemon = settings->values[PIPE_SERVED] == SERVED_DAEMON;
	if (by_daemon && settings_has(settings, PIPE_KEEP))
		return -EINVAL;
	if (!by_daemon && S_ISREG(mode) && !pipe_keeper(space))
		return -EOPNOTSUPP;
	*ret_ops = by_daemon && S_ISREG(mode) ? &served_ops : &fifo_ops;
	return 0;
}

static void pipe_init(struct pipe *pipe, mode_t mode, const struct settings *settings,
		      struct caller *caller)
{
	struct space *space = pipe->kept.channel.space;
	const struct host_pipes *defaults = &space->host->pipes;

	pipe->capacity = defaults->capacity ? defaults->capacity : PIPE_CAPACITY_DEFAULT;
	pipe->has_no_end = defaults->has_no_end;
	pipe_take(pipe, settings);
	ending_init(&pipe_record(pipe->kept.channel.record)->ending);
	pipe->size = -1; /* not asked yet */
	store_init(&pipe->store, space->host, caller->uid,
		   &pipe_record(pipe->kept.channel.record)->store);
	pipe->store.capacity = pipe->capacity;
	hold_init(&pipe->hold, pipe_keeper(space), &pipe->kept.channel, caller->uid);
	/* A FIFO made by mkfifo(3) is a plain one, as everywhere else. */
	if (pipe->kept.channel.ops == &fifo_ops)
		pipe_set_kept(pipe, S_ISREG(mode) && !(settings_has(settings, PIPE_KEEP) &&
						       settings->values[PIPE_KEEP] == KEEP_NO));
	pipe->hold.has_no_end = pipe->is_kept && pipe->has_no_end;
}

/*
 * Fails with -ENFILE if a new FIFO could not be held. Otherwise the open that makes it would fail,
 * and yet leave the FIFO there.
 */
static int check_room(const struct space *space, const struct caller *caller)
{
	struct fifo_hold hold = {.keeper = pipe_keeper(space), .uid = caller->uid};

	return hold_room(&hold) == -ENFILE ? -ENFILE : 0;
}

static int pipe_create(struct space *space, const char *name, mode_t mode,
		       const struct settings *settings, struct caller *caller,
		       struct entry *ret_entry)
{
	CLEANUP_FREE struct pipe *pipe = NULL;
	const struct channel_ops *ops;
	mode_t shown = mode;
	int r = choose(space, mode, settings, &ops);

	if (r == 0)
		r = pipe_check(settings, caller);
	if (r == 0 && !settings && ops == &fifo_ops && S_ISREG(mode))
		r = check_room(space, caller);
	if (r < 0)
		return r;
	pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		return -ENOMEM;
	if (ops == &fifo_ops && S_ISREG(mode))
		shown = S_IFIFO | (mode & 07777);
	r = kept_init(&pipe->kept, space, ops == &fifo_ops ? CHANNEL_NODE : CHANNEL_STREAM, name,
		      shown, caller);
	if (r < 0)
		return r;
	pipe->kept.channel.ops = ops;
	pipe->kept.channel.traits = ops->traits;
	pipe_init(pipe, mode, settings, caller);
	channel_save(&pipe->kept.channel);
	ret_entry->channel = &TAKE_PTR(pipe)->kept.channel;
	return 0;
}

/* The mount has left the file tree, and only files that are open in it remain: ends all holds. */
static void pipe_let_go(struct space *space_)
{
	struct kept_space *space = CONTAINER_OF(space_, struct kept_space, space);
	struct keeper *keeper = space->state;
	struct kept *kept, *next;

	if (!keeper)
		return;
	keeper->has_gone = true;
	HASH_ITER(hh, space->kept, kept, next) {
		hold_end(&pipe_from(&kept->channel)->hold);
	}
}

static void pipe_unnamed(struct kept *kept)
{
	struct pipe *pipe = pipe_from(&kept->channel);

	if (pipe->hold.keeper)
		hold_doom(&pipe->hold);
}

static void pipe_space_destroy(struct space *space)
{
	struct keeper *keeper = pipe_keeper(space);

	kept_space_destroy(space);
	keeper_free(keeper);
}

static const struct space_ops pipe_space_ops = {
	.destroy = pipe_space_destroy,
	.list = kept_list,
	.lookup = kept_lookup,
	.create = pipe_create,
	.remove = kept_remove,
	.rename = kept_rename,
	.let_go = pipe_let_go,
	.room = kept_room,
	.count = kept_count,
};

static bool is_beyond_share(struct channel *channel, size_t capacity)
{
	struct pipe *pipe = channel && channel->ops == &fifo_ops ? pipe_from(channel) : NULL;

	return pipe && pipe->is_kept && !hold_may_resize(&pipe->hold, capacity);
}

static const char *explain_invalid(struct channel *channel, const struct settings *settings)
{
	if (channel && S_ISSOCK(pipe_from(channel)->kept.attributes->mode))
		return "a socket has nothing to set";
	if (settings_has(settings, PIPE_KEEP) && (!channel || channel->ops != &fifo_ops))
		return "keep= is only for FIFOs (served=kernel)";
	return channel ? "not a kept FIFO; set keep=yes" : NULL;
}

/* Says which limit was reached, or which setting does not go with the pipe. */
static const char *pipe_explain(struct channel *channel, const char *name,
				const struct settings *settings, int error)
{
	bool has_capacity = settings_has(settings, PIPE_CAPACITY);
	size_t capacity = has_capacity ? settings->values[PIPE_CAPACITY] : 0;

	switch (error) {
	case -EPERM:
		if (is_beyond_share(channel, capacity))
			return "capacity= is above the owner's share (see PIPES in ipcfs(5))";
		return capacity > store_max()
			       ? "capacity= is above the limit in /proc/sys/fs/pipe-max-size"
			       : NULL;
	case -EBUSY:
		return has_capacity ? "what waits does not fit into capacity=" : NULL;
	case -EINVAL:
		return explain_invalid(channel, settings);
	case -EOPNOTSUPP:
		return "FIFOs cannot be kept on this mount";
	default:
		return kept_explain(channel, name, settings, error);
	}
}

static int pipe_space_open(struct space **ret_space, struct host *host)
{
	struct kept_space *space;
	struct keeper *keeper = NULL;
	int r = 0;

	if (features_has(&host->features, FEATURE_OPEN_TREE))
		r = keeper_new(host, &keeper);
	if (r == 0)
		r = kept_space_open(ret_space, host, &pipe_kind, &pipe_space_ops);
	if (r < 0) {
		keeper_free(keeper);
		return r;
	}
	space = CONTAINER_OF(*ret_space, struct kept_space, space);
	space->state = keeper;
	space->unnamed = pipe_unnamed;
	return 0;
}

const struct kind pipe_kind = {
	.path = "pipes",
	.parameters = pipe_parameters,
	.channel = &served_ops,
	.explain = pipe_explain,
	.open = pipe_space_open,
};
