/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One open file that reads a value: what the server has answered, and how much of it was given.
 */
#ifndef IPCFS_VALUE_READER_H
#define IPCFS_VALUE_READER_H

#include "lib/kinds/cluster/cluster_value.h"

enum value_phase {
	VALUE_IDLE,   /* the next read asks */
	VALUE_ASKING, /* an answer will come, or a failure */
	VALUE_THERE,  /* the answer has come */
	VALUE_END,    /* the value was given; the next read gives its end */
};

struct value_reader {
	struct file *file;
	struct cluster_value *value;
	enum value_phase phase;
	struct stored_message message; /* VALUE_THERE */
	size_t charged;                /* for it */
	int64_t came;                  /* when it came, as clock_now() */
	bool has_given;
	uint64_t given;        /* the revision that was given last; 0: there was no value */
	uint64_t seen;         /* cluster_value::newest when the question was asked */
	bool is_read, is_held; /* a read wants the answer; it is held */
	bool is_waiting;       /* value_watch_attend()'s own */
	int error;             /* for the next read; 0: none */
	/* VALUE_ASKING */
	struct nats_ask ask;
	struct alarm again;               /* when to ask again, or to end */
	struct repair repair;             /* of a stream that is not there */
	int64_t until;                    /* when the question ends with -ETIMEDOUT; 0: never */
	int64_t pause;                    /* before the next try */
	struct value_reader *prev, *next; /* cluster_value::readers */
};

int value_reader_new(struct file *file, struct value_reader **ret_reader);
void value_reader_free(struct value_reader *reader); /* NULL: does nothing */

/*
 * Finds what to give: the whole value, or NULL for its end. Fails with -EAGAIN if the answer has
 * not come: the channel is woken then; -EIDRM, -ETIMEDOUT, -ENOBUFS or the server's error.
 */
int value_reader_next(struct value_reader *reader, const struct stored_message **ret_message);
void value_reader_take(struct value_reader *reader);   /* the value was given */
void value_reader_untake(struct value_reader *reader); /* it was not, after all */

/*
 * What outlives the daemon, in cluster_value_adopt.c: next() notes the revision that the file will
 * be given, take() that it has been, in one store, and untake() takes that back; end() notes that
 * it was given the end.
 */
void value_note_next(const struct file *file, uint64_t revision);
void value_note_take(const struct file *file);
void value_note_untake(const struct file *file);
void value_note_end(const struct file *file);

/* Whether a read would not wait. If there may be a new value, asks for it. */
bool value_reader_poll(struct value_reader *reader);
/* The waiters of the channel have changed, or the link, or the object's name is gone. */
void value_reader_attend(struct value_reader *reader, bool is_held);
void value_reader_link_changed(struct value_reader *reader, bool is_up);
void value_reader_end(struct value_reader *reader);

#endif
