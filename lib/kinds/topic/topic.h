/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics: every reader gets every message that is written while it has the topic open.
 */
#ifndef IPCFS_TOPIC_H
#define IPCFS_TOPIC_H

#include "lib/channel/kept_names.h"
#include "lib/channel/ring.h"

enum topic_parameter { TOPIC_CAPACITY, TOPIC_KEEP, TOPIC_FULL, TOPIC_EOF };

/* What happens to a message that finds no room; the index into topic_full_words. */
enum topic_full { FULL_DROP_OLDEST, FULL_WAIT, FULL_DROP_NEWEST };
/* The index into topic_eof_words. */
enum topic_eof { EOF_NEVER, EOF_AUTO };

extern const char *const topic_full_words[];
extern const char *const topic_eof_words[];

/* An open for reading: file::state. */
struct topic_reader {
	struct ring_reader place;
	struct file *file;
	pid_t pid;                        /* the process that opened it; 0: unknown */
	uint64_t n_dropped;               /* topic::n_dropped when it opened */
	struct topic_reader *prev, *next; /* topic::readers */
};

struct topic {
	struct kept kept;
	struct ring ring;
	enum topic_full full;
	enum topic_eof eof;
	uint64_t n_opened;  /* opens for writing, counted from 1 */
	uint64_t n_dropped; /* messages dropped by full=drop-newest, which the ring never had */
	struct topic_reader *readers;
};

struct topic *topic_from(struct channel *channel);

/* For channel_ops. */
void topic_status(struct channel *channel, struct caller *caller, struct row *row);
int topic_peek(struct channel *channel, struct caller *caller, FILE *out);

extern const struct parameter topic_parameters[];

/* Fails with -EINVAL if more would be kept than the capacity has room for. */
int topic_check(const struct settings *settings, size_t capacity, const struct ring_keep *keep);
/* Takes over settings that have been checked. */
void topic_apply(struct topic *topic, const struct settings *settings);
/* For kind::explain. */
const char *topic_explain(struct channel *channel, const char *name,
			  const struct settings *settings, int error);

/* The longest text of a keep= value, with its end. */
#define TOPIC_KEEP_TEXT 24
/* Writes what is kept in the way it is typed: a number of messages, or a size in K. */
void topic_keep_text(const struct ring_keep *keep, char ret_text[TOPIC_KEEP_TEXT]);

#endif
