/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kind whose objects do what the test tells them. The test sets what there is to read, how much
 * room there is to write, and which error comes next. A toy counts the calls, and never wakes by
 * itself.
 */
#ifndef TESTS_UNIT_TOY_H
#define TESTS_UNIT_TOY_H

#include "lib/channel/channel.h"

struct toy {
	struct channel channel;
	struct space space;
	/* What there is to read: pieces of a stream, or messages. Ends with NULL. */
	const char *pieces[8];
	bool has_end;      /* reads return 0 after the last piece, instead of -EAGAIN */
	size_t room;       /* bytes that writes still accept, also of messages */
	char written[256]; /* all that was accepted, in order */
	int error;         /* what the next calls return, -errno; 0: no error */
	uint32_t ready;    /* what poll returns */
	struct stat attr;  /* what stat returns; change writes to it */
	bool is_hidden;    /* its data can't be lent */
	unsigned n_reads, n_writes, n_opens, n_releases, n_takes;
	unsigned n_given, n_lost; /* messages that were finished, or not */
};

/* A kind, and the ops of its objects. */
struct toy_kind {
	struct kind kind;
	const struct channel_ops *ops;
};

/* A stream of bytes. */
extern const struct toy_kind toy_stream;
/* A stream whose bytes can be lent in place. */
extern const struct toy_kind toy_lending;
extern const struct toy_kind toy_message;
/* Messages that have to be acknowledged. */
extern const struct toy_kind toy_acknowledged;
/* Messages; a file with a selector takes only those that begin with that character. */
extern const struct toy_kind toy_selective;

/* The number of toys destroyed. */
extern unsigned toy_n_destroyed;

/* Makes a toy, with one reference. */
struct toy *toy_new(const struct toy_kind *kind);
/* Opens the toy as root for reading and writing. */
struct file *toy_open(struct toy *toy);
/* Releases the files, up to NULL, and the toy, and expects that to destroy the toy. */
void toy_close(struct toy *toy, struct file *const files[]);

#endif
