/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics: every reader gets every message that is written while it has the topic open.
 */
#ifndef IPCFS_TOPIC_H
#define IPCFS_TOPIC_H

#include "lib/channel/ending.h"
#include "lib/channel/kept_names.h"
#include "lib/channel/record.h"
#include "lib/channel/ring.h"

enum topic_parameter { TOPIC_CAPACITY, TOPIC_KEEP, TOPIC_FULL, TOPIC_EOF };

/* What happens to a message that finds no room; the index into topic_full_words. */
enum topic_full { FULL_DROP_OLDEST, FULL_WAIT, FULL_DROP_NEWEST };
/* The index into topic_eof_words. */
enum topic_eof { EOF_NEVER, EOF_AUTO };

extern const char *const topic_full_words[];
extern const char *const topic_eof_words[];

/* What outlives the daemon of a topic: object_record::words. */
struct topic_record {
	struct ring_record ring;
	struct ending_record ending;
	uint64_t n_dropped; /* messages dropped by full=drop-newest, which the ring never had */
	/* Settings; the capacity is written last. */
	uint64_t keep;  /* as PARAMETER_AMOUNT */
	uint64_t modes; /* topic::full, and topic::eof << 8 */
	uint64_t capacity;
};

/* The same of an open for reading: file_record::words. */
struct topic_reader_record {
	struct ring_reader_record place;
	uint64_t n_dropped; /* topic_record::n_dropped when it opened */
	uint64_t pid;       /* the process that opened it; 0: unknown */
};

/* An open for reading: file::state. */
struct topic_reader {
	struct ring_reader place;
	struct topic_reader_record *record;
	struct file *file;
	struct topic_reader *prev, *next; /* topic::readers */
};

struct topic {
	struct kept kept;
	struct topic_record *record;
	struct ring ring;
	enum topic_full full;
	enum topic_eof eof;
	struct topic_reader *readers;
	uint64_t writer; /* the request that the ring's unfinished message is from; 0: unknown */
};

struct topic *topic_from(struct channel *channel);

/* NULL: the file is open for writing only. */
static inline struct topic_reader *topic_reader_of(const struct file *file)
{
	return file->state;
}

/* Adds a reader, which is in the ring already, to the topic's. */
void topic_add_reader(struct topic *topic, struct topic_reader *reader, struct file *file);

/* The reader has its next message. */
void topic_note_read(struct topic *topic, struct file *file);
/*
 * Sends a message that is not longer than the capacity allows. Fails with -EAGAIN if it has to wait
 * for room, or with -ENOBUFS or -ENOMEM.
 */
int topic_publish(struct topic *topic, const void *data, size_t size);

/* For channel_ops. */
void topic_save(struct channel *channel, struct object_record *record);
int topic_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
int topic_adopt_file(struct file *file);
uint64_t topic_position(struct file *file);
uint64_t topic_accepted(struct channel *channel);
void topic_status(struct channel *channel, struct caller *caller, struct row *row);
int topic_peek(struct channel *channel, struct caller *caller, FILE *out);

extern const struct parameter topic_parameters[];

/* Fails with -EINVAL if more would be kept than the capacity has room for. */
int topic_check(const struct settings *settings, size_t capacity, const struct ring_keep *keep);
/* What topic_record::keep says. */
struct ring_keep topic_keep_from(uint64_t amount);
uint64_t topic_keep_amount(const struct ring_keep *keep);
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
