/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test has to know of a kind in order to try what holds for all kinds: how its objects are
 * named and made, what can be written to one, and what a read then gives.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include "lib/channel/channel.h"

enum sample_trait {
	SAMPLE_KEYED = 1 << 0,        /* names are keys */
	SAMPLE_RENAMES = 1 << 1,      /* its objects can be renamed; else -EPERM */
	SAMPLE_BYTES = 1 << 2,        /* any bytes can be written; else only text of a form */
	SAMPLE_LATER = 1 << 3,        /* what is written can be read only some time later */
	SAMPLE_REPLACED = 1 << 4,     /* a write replaces what has not been read yet */
	SAMPLE_ENDS = 1 << 5,         /* an open file is useless once the object is removed */
	SAMPLE_EMPTIED = 1 << 6,      /* truncate to 0 empties it; else -EINVAL */
	SAMPLE_SIZED = 1 << 7,        /* truncate sets its size */
	SAMPLE_UNTRUNCATED = 1 << 8,  /* truncate gives -EINVAL, whoever calls */
	SAMPLE_TIMES = 1 << 9,        /* its times can be set */
	SAMPLE_DESCRIPTORS = 1 << 10, /* a write takes one of the daemon's descriptors */
};

/* What a test may need of a kind. Its traits and its sample say whether the kind has that. */
enum sample_need {
	NEED_WRITES = 1 << 0,   /* something can be written */
	NEED_WAITS = 1 << 1,    /* a read waits for what is not there */
	NEED_ORDER = 1 << 2,    /* what is written is read in turn */
	NEED_FULL = 1 << 3,     /* a write waits for room */
	NEED_BYTES = 1 << 4,    /* any bytes can be written */
	NEED_MESSAGES = 1 << 5, /* a write is a message */
	NEED_EMPTIED = 1 << 6,  /* truncate to 0 empties it */
	NEED_RENAMES = 1 << 7,  /* its objects can be renamed */
	NEED_SETTING = 1 << 8,  /* a parameter of its objects can be set: sample_setting() */
};

/* The size of the writes with which sample_fill() fills what takes any bytes. */
enum { SAMPLE_PIECE = 256 };

struct sample {
	const char *path; /* kind::path */
	size_t name_max;
	unsigned traits;
	int parameter; /* must be given to create one, with `value`; -1: none */
	uint64_t value;
	off_t size; /* st_size of a new one */
	/*
	 * Three texts to write (NULL: nothing can be written), and what a read then gives of each
	 * alone.
	 */
	const char *put[3], *got[3];
	/*
	 * What a read of up to 10 bytes of a new object returns, and what the next read returns.
	 * -EAGAIN: it waits.
	 */
	ssize_t empty, again;
	/* What leaves no room for another text. NULL: as many bytes as it takes. */
	const char *fill;
	const char *never_full; /* why nothing fills it; NULL: something does */
};

const struct sample *sample_of(const struct kind *kind);

/* Whether reads of a new object wait for something to be written. */
bool sample_waits(const struct kind *kind);
/* Whether a write is one message, and a read takes one. */
bool sample_is_message(const struct kind *kind);
/*
 * Whether the kind's objects are not files that a user makes. It has no sample: see test_sockets.c.
 */
bool sample_is_socket(const struct kind *kind);

/*
 * The kind's first parameter that can be set later, at its least value. Returns false if it has
 * none.
 */
bool sample_setting(const struct kind *kind, struct settings *ret_settings);

/* Returns why a test that needs these (enum sample_need) does not fit the kind. NULL: it fits. */
const char *sample_lacks(const struct kind *kind, unsigned needs);

/*
 * As the functions of tests/unit/objects.h and lib/channel/space.h, with names that the kind can
 * have in place of those that it can't, and with the settings that it needs.
 */
int sample_create(struct space *space, const char *name, mode_t mode, struct caller *caller,
		  struct channel **ret_channel);
int sample_lookup(struct space *space, const char *name, struct channel **ret_channel);
struct channel *sample_make(struct space *space, const char *name);
struct channel *sample_find(struct space *space, const char *name);
struct file *sample_make_open(struct space *space, const char *name, int flags);
int sample_remove(struct space *space, const char *name, struct caller *caller);
int sample_rename(struct space *space, const char *from, const char *to, unsigned flags,
		  struct caller *caller);
int sample_list_find(struct space *space, const char *name, ino_t *ret_ino, mode_t *ret_mode);

/* Writes sample::put[i], whole. */
void sample_put(struct file *file, int i);
/* Tries to, and returns what the write did. */
ssize_t sample_try_put(struct file *file, int i);
/* Writes until no further text has room. Returns how many bytes were accepted. */
size_t sample_fill(struct file *file);
/* Returns when what was written can be read. */
void sample_await(struct file *file);
/* Expects a read to give sample::got[i] and no more, once that can be read. */
void sample_expect(struct file *file, int i);

#endif
