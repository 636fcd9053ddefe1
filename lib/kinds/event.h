/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: counters of which the kernel keeps the value, and the daemon the name.
 */
#ifndef IPCFS_EVENT_H
#define IPCFS_EVENT_H

#include "lib/channel/kept_names.h"
#include "lib/channel/readiness.h"

/* object_record::words. The descriptor is the first of object_record::fds. */
enum event_word {
	EVENT_SUM,     /* what the counter should be, if no native program uses it */
	EVENT_WRITTEN, /* writes that were made until now */
};

struct event {
	struct kept kept;
	struct readiness counter; /* its descriptor is the eventfd */
	bool is_semaphore;
};

struct event *event_from(struct channel *channel);

static inline int event_fd(const struct event *event)
{
	return event->counter.source.fd;
}

static inline uint64_t *event_word(struct event *event, enum event_word word)
{
	return &event->kept.channel.record->words[word];
}

/*
 * Finds out the value and the mode of a counter, without taking anything. Fails with -EIO if the
 * descriptor is not that of a counter, or with the errors of open(2).
 */
int event_look(int fd, uint64_t *ret_value, bool *ret_is_semaphore);

/* Writes the text that a reader gets. Returns its length. */
ssize_t event_print(void *data, size_t size, uint64_t value);

/* For channel_ops. */
void event_save(struct channel *channel, struct object_record *record);
int event_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
ssize_t event_recall(struct file *file, void *data);
uint64_t event_accepted(struct channel *channel);

#endif
