/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test must know of a kind in order to try what holds for all kinds: how the kind's objects
 * are named and made, what can be written to them, and what a read then gives.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include "lib/channel/channel.h"

enum sample_trait {
	SAMPLE_KEYED = 1 << 0,        /* names are keys */
	SAMPLE_RENAMES = 1 << 1,      /* its objects can be renamed; else -EPERM */
	SAMPLE_BYTES = 1 << 2,        /* any bytes can be written; else only formatted text */
	SAMPLE_LATER = 1 << 3,        /* written data can be read only some time later */
	SAMPLE_REPLACED = 1 << 4,     /* a write replaces what has not been read yet */
	SAMPLE_ENDS = 1 << 5,         /* an open file is useless once the object is removed */
	SAMPLE_EMPTIED = 1 << 6,      /* truncate to 0 empties an object; else -EINVAL */
	SAMPLE_SIZED = 1 << 7,        /* truncate sets an object's size */
	SAMPLE_UNTRUNCATED = 1 << 8,  /* truncate gives -EINVAL, whoever calls */
	SAMPLE_TIMES = 1 << 9,        /* an object's times can be set */
	SAMPLE_DESCRIPTORS = 1 << 10, /* a write takes one of the daemon's descriptors */
};

/* What a test may need of a kind. The kind's traits and its sample tell whether it has that. */
enum sample_need {
	NEED_WRITES = 1 << 0,   /* something can be written */
	NEED_WAITS = 1 << 1,    /* a read of a new object waits for a write */
	NEED_ORDER = 1 << 2,    /* written texts are read one after another */
	NEED_FULL = 1 << 3,     /* a write waits for room */
	NEED_BYTES = 1 << 4,    /* any bytes can be written */
	NEED_MESSAGES = 1 << 5, /* a write is a message */
	NEED_EMPTIED = 1 << 6,  /* truncate to 0 empties an object */
	NEED_RENAMES = 1 << 7,  /* its objects can be renamed */
	NEED_SETTING = 1 << 8,  /* a parameter of an object can be set: sample_setting() */
};

/* Without sample::fill, sample_fill() writes this many bytes at a time. */
enum { SAMPLE_PIECE = 256 };

struct sample {
	const char *path; /* kind::path */
	size_t name_max;
	unsigned traits;
	struct settings settings; /* what create needs */
	off_t size;               /* st_size of a new object */
	size_t message_max;       /* the longest message; 0: as channel::message_max says */
	/*
	 * put: three texts to write; NULL if nothing can be written. got: what a read gives for
	 * each text, if it is read before the next write.
	 */
	const char *put[3], *got[3];
	/*
	 * empty: what a read of up to 10 bytes of a new object returns. again: what the next such
	 * read returns. -EAGAIN: the read waits.
	 */
	ssize_t empty, again;
	/* A text that leaves no room for another. NULL: the object is filled with zeroes. */
	const char *fill;
	const char *never_full; /* why the object can't be filled; NULL: it can */
};

const struct sample *sample_of(const struct kind *kind);

/* Whether reads of a new object wait for something to be written. */
bool sample_waits(const struct kind *kind);
/* Whether a write is one message, and a read takes one. */
bool sample_is_message(const struct kind *kind);
/* Whether this is a kind of sockets. */
bool sample_is_socket(const struct kind *kind);

/*
 * Returns the file with the tests of a kind without a sample, because its objects are not files
 * that a user makes (sockets, processes), or because they need a server. NULL: the kind has a
 * sample.
 */
const char *sample_tested_in(const struct kind *kind);

/*
 * Sets *ret_settings to the least value of the kind's first parameter that can be set later.
 * Returns false if the kind has no such parameter.
 */
bool sample_setting(const struct kind *kind, struct settings *ret_settings);

/* Returns why a test that needs these (enum sample_need) does not fit the kind. NULL: it fits. */
const char *sample_lacks(const struct kind *kind, unsigned needs);

/*
 * Like the functions in tests/unit/objects.h and lib/channel/space.h. If the kind's names are keys,
 * a key stands for the name. sample_create() gives the settings that the kind needs.
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
/* Writes sample::put[i], and returns the result of the write. */
ssize_t sample_try_put(struct file *file, int i);
/* Writes until no further text has room. Returns how many bytes were accepted. */
size_t sample_fill(struct file *file);
/* Waits until what was written can be read. */
void sample_await(struct file *file);
/* Waits until what was written can be read, and expects sample::got[i] and no more. */
void sample_expect(struct file *file, int i);

#endif
