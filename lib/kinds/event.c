// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events: eventfd(2) counters that the daemon keeps.
 *
 * A read returns the counter as a line of text and clears it, or takes 1 from it (mode=semaphore).
 * It waits while the counter is 0. Writing N adds N, and waits while the counter can't hold that
 * much; several lines in one write are added together.
 *
 * The descriptor exists from the start, so that a native program can get it with pidfd_getfd(2).
 */
#include "lib/kinds/event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/number.h"
#include "lib/channel/journal.h"
#include "lib/kinds/kinds.h"

#define EVENT_MAX (UINT64_MAX - 1) /* eventfd(2) */
/* The length of a counter's longest text, with the newline. */
#define TEXT_MAX 21

enum { EVENT_VALUE, EVENT_MODE };

static const char *const mode_words[] = {"normal", "semaphore", NULL};

static const struct parameter event_parameters[] = {
	[EVENT_VALUE] = {"value", PARAMETER_NUMBER, .max = EVENT_MAX, .is_initial = true,
			 .is_passing = true},
	[EVENT_MODE] = {"mode", PARAMETER_WORD, .words = mode_words, .told_as = "type"},
	{.name = NULL},
};

static const struct channel_ops event_ops;

struct event *event_from(struct channel *channel)
{
	assert(channel->ops == &event_ops);
	return CONTAINER_OF(kept_from(channel), struct event, kept);
}

/* Opens a new counter. Returns its descriptor. */
static int open_counter(uint64_t value, bool is_semaphore)
{
	int flags = EFD_CLOEXEC | EFD_NONBLOCK | (is_semaphore ? EFD_SEMAPHORE : 0);
	int fd = eventfd(0, flags);

	if (fd < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	if (value && eventfd_write(fd, value) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* Opens a new counter, which replaces the old one. */
static int event_replace_counter(struct event *event, uint64_t value, bool is_semaphore)
{
	int fd = open_counter(value, is_semaphore);
	int old = event_fd(event);

	if (fd < 0)
		return fd;
	readiness_unwatch(&event->counter);
	event->counter.source.fd = fd;
	event->is_semaphore = is_semaphore;
	channel_save(&event->kept.channel);
	*event_word(event, EVENT_SUM) = value;
	close(old);
	return 0;
}

/* Only /proc shows this: proc_pid_fdinfo(5). The mode is there since Linux 6.5. */
int event_look(int fd, uint64_t *ret_value, bool *ret_is_semaphore)
{
	CLEANUP_FREE char *line = NULL;
	char path[40];
	size_t size = 0;
	int mode = 0, r = -EIO;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "eventfd-count: %" SCNx64, ret_value) == 1)
			r = 0;
		sscanf(line, "eventfd-semaphore: %d", &mode);
	}
	fclose(file);
	*ret_is_semaphore = mode;
	return r;
}

static int event_value(const struct event *event, uint64_t *ret_value)
{
	bool is_semaphore;

	return event_look(event_fd(event), ret_value, &is_semaphore);
}

static void event_destroy(struct channel *channel)
{
	struct event *event = event_from(channel);

	readiness_unwatch(&event->counter);
	close(event_fd(event));
	user_uncharge(&event->kept.channel.space->host->users, event->kept.channel.record->charged,
		      USER_DESCRIPTORS, 1);
	kept_fini(&event->kept);
	free(event);
}

static int event_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&event_from(channel)->kept, ret_attr);
	return 0;
}

/*
 * Sets the value and the mode. Opens a new eventfd if the old or the new mode is "semaphore",
 * because only a new one can have another mode. Otherwise the old eventfd stays, because native
 * programs may have it.
 */
static int event_reset(struct event *event, uint64_t value, bool is_semaphore)
{
	eventfd_t old;

	if (is_semaphore || event->is_semaphore)
		return event_replace_counter(event, value, is_semaphore);
	if (eventfd_read(event_fd(event), &old) < 0 && errno != EAGAIN)
		return -errno;
	if (value && eventfd_write(event_fd(event), value) < 0)
		return -errno;
	*event_word(event, EVENT_SUM) = value;
	return 0;
}

/* Clearing a counter is like reading it: the right to write is not enough. */
static int event_truncate(struct channel *channel, struct file *file, off_t size,
			  struct caller *caller)
{
	struct event *event = event_from(channel);
	struct stat now = {0};
	int r;

	if (size != 0)
		return -EINVAL;
	kept_stat(&event->kept, &now);
	if (!caller_may(caller, &now, R_OK))
		return -EACCES;
	r = event_reset(event, 0, event->is_semaphore);
	channel_wake(channel, EPOLLOUT);
	return r;
}

static int event_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	return attributes_change(event_from(channel)->kept.attributes, attr, changes, caller);
}

static int event_open(struct file *file, struct caller *caller)
{
	file->channel->message_max = TEXT_MAX;
	return 0;
}

ssize_t event_print(void *data, size_t size, uint64_t value)
{
	return snprintf(data, size, "%" PRIu64 "\n", value);
}

/* The kernel takes a value and gives it to the journal in one step. It is never 0. */
static ssize_t event_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct event *event = event_from(file->channel);
	uint64_t *sum = event_word(event, EVENT_SUM);
	eventfd_t *value = &event->kept.channel.space->host->journal->word;

	if (eventfd_read(event_fd(event), value) < 0)
		return readiness_failed(&event->counter, errno);
	*sum = event->is_semaphore && *sum ? *sum - 1 : 0;
	attributes_touch(&event->kept.attributes->atime);
	return event_print(data, size, *value);
}

static ssize_t event_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct event *event = event_from(file->channel);
	uint64_t value;
	int r = number_parse_lines(data, size, EVENT_MAX, &value);

	if (r < 0)
		return r == -ERANGE ? -EINVAL : r;
	if (r == 0)
		return (ssize_t)size;
	event->kept.channel.space->host->journal->place = value;
	STATE_ORDER();
	if (eventfd_write(event_fd(event), value) < 0)
		return readiness_failed(&event->counter, errno);
	++*event_word(event, EVENT_WRITTEN);
	STATE_ORDER();
	*event_word(event, EVENT_SUM) += value;
	attributes_touch(&event->kept.attributes->mtime);
	return (ssize_t)size;
}

static uint32_t event_poll(struct file *file)
{
	struct event *event = event_from(file->channel);
	struct pollfd ready = {.fd = event_fd(event), .events = POLLIN | POLLOUT};
	uint32_t events = 0;

	if (readiness_watch(&event->counter) < 0 || poll(&ready, 1, 0) < 0)
		return EPOLLERR;
	if (file_reads(file) && (ready.revents & POLLIN))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file) && (ready.revents & POLLOUT) && !file->channel->writers)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static void event_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct event *event = event_from(channel);
	struct stat attr = {0};
	uint64_t value;

	kept_stat(&event->kept, &attr);
	if (caller_may(caller, &attr, R_OK) && event_value(event, &value) == 0)
		row_add_number(row, "value", value);
	row_add_word(row, "type", mode_words[event->is_semaphore]);
	row_add_signed(row, "descriptor", event_fd(event));
}

static int event_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	uint64_t value;
	int r = event_value(event_from(channel), &value);

	if (r == 0 && value)
		fprintf(out, "%" PRIu64 "\n", value);
	return r;
}

static int event_set(struct channel *channel, const struct settings *settings,
		     struct caller *caller)
{
	struct event *event = event_from(channel);
	bool is_semaphore = event->is_semaphore;
	uint64_t value = 0;
	int r;

	if (!caller_owns(caller, event->kept.attributes->uid))
		return -EPERM;
	r = event_value(event, &value);
	if (settings_has(settings, EVENT_VALUE))
		value = settings->values[EVENT_VALUE];
	if (settings_has(settings, EVENT_MODE))
		is_semaphore = settings->values[EVENT_MODE];
	/* Without a new value, the old one must not be taken out of the counter for a moment. */
	if (r == 0 && (settings_has(settings, EVENT_VALUE) || is_semaphore != event->is_semaphore))
		r = event_reset(event, value, is_semaphore);
	channel_wake(channel, EPOLLIN | EPOLLOUT);
	return r;
}

/* Charges the descriptor before opening it. */
static int event_create(struct space *space, const char *name, mode_t mode,
			const struct settings *settings, struct caller *caller,
			struct entry *ret_entry)
{
	uint64_t value = settings_has(settings, EVENT_VALUE) ? settings->values[EVENT_VALUE] : 0;
	bool is_semaphore = settings_has(settings, EVENT_MODE) && settings->values[EVENT_MODE];
	struct user_table *users = &space->host->users;
	CLEANUP_FREE struct event *event = NULL;
	int r;

	if (!S_ISREG(mode))
		return -EPERM;
	event = calloc(1, sizeof(*event));
	if (!event)
		return -ENOMEM;
	r = user_charge(users, caller->uid, USER_DESCRIPTORS, 1);
	if (r < 0)
		return r;
	readiness_init(&event->counter, &event->kept.channel);
	event->is_semaphore = is_semaphore;
	event->counter.source.fd = r = open_counter(value, is_semaphore);
	if (r >= 0)
		r = kept_init(&event->kept, space, CHANNEL_STREAM, name, mode, caller);
	if (r < 0) {
		if (event_fd(event) >= 0)
			close(event_fd(event));
		user_uncharge(users, caller->uid, USER_DESCRIPTORS, 1);
		return r;
	}
	*event_word(event, EVENT_SUM) = value;
	channel_save(&event->kept.channel);
	ret_entry->channel = &TAKE_PTR(event)->kept.channel;
	return 0;
}

static int event_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	struct event *event = event_from(channel);
	uint64_t value = 0;

	if (event_value(event, &value) == 0 && value == 0)
		kept_disuse(&event->kept, disuse);
	return 0;
}

static const struct channel_ops event_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_HAS_TAP,
	.destroy = event_destroy,
	.stat = event_stat,
	.change = event_change,
	.truncate = event_truncate,
	.open = event_open,
	.read = event_read,
	.write = event_write,
	.poll = event_poll,
	.status = event_status,
	.peek = event_peek,
	.set = event_set,
	.disuse = event_disuse,
	.save = event_save,
	.adopt = event_adopt,
	.accepted = event_accepted,
	.recall = event_recall,
};

static const struct space_ops event_space_ops = {
	.destroy = kept_space_destroy,
	.list = kept_list,
	.lookup = kept_lookup,
	.create = event_create,
	.remove = kept_remove,
	.rename = kept_rename,
	.room = kept_room,
	.count = kept_count,
};

static int event_space_open(struct space **ret_space, struct host *host)
{
	return kept_space_open(ret_space, host, &event_kind, &event_space_ops);
}

const struct kind event_kind = {
	.path = "events",
	.parameters = event_parameters,
	.channel = &event_ops,
	.explain = kept_explain,
	.open = event_space_open,
};
