/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test has to know of a kind in order to try on it what holds for all of them: how its
 * objects are named and made, what can be written to one, and what a read then gives.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include "lib/channel/channel.h"

enum sample_trait {
	SAMPLE_KEYED = 1 << 0,        /* names are keys */
	SAMPLE_RENAMES = 1 << 1,      /* its objects can be renamed; else -EPERM */
	SAMPLE_BYTES = 1 << 2,        /* any bytes can be written; else only text of a form */
	SAMPLE_LATER = 1 << 3,        /* what is written can be read some time later */
	SAMPLE_REPLACED = 1 << 4,     /* what is written takes the place of what was not read yet */
	SAMPLE_ENDS = 1 << 5,         /* whoever has it open loses it when it is removed */
	SAMPLE_EMPTIED = 1 << 6,      /* truncate to 0 empties it; else -EINVAL */
	SAMPLE_SIZED = 1 << 7,        /* truncate sets its size */
	SAMPLE_UNTRUNCATED = 1 << 8,  /* truncate is -EINVAL, whoever asks */
	SAMPLE_TIMES = 1 << 9,        /* its times can be set */
	SAMPLE_DESCRIPTORS = 1 << 10, /* what is written to it takes a descriptor of the daemon's */
};

/* What a test may need of a kind: its traits and its sample say whether it has that. */
enum sample_need {
	NEED_WRITES = 1 << 0,   /* something can be written */
	NEED_WAITS = 1 << 1,    /* a read waits for what is not there */
	NEED_ORDER = 1 << 2,    /* what is written is read in turn */
	NEED_FULL = 1 << 3,     /* a write waits for room */
	NEED_BYTES = 1 << 4,    /* any bytes can be written */
	NEED_MESSAGES = 1 << 5, /* a write is a message */
	NEED_EMPTIED = 1 << 6,  /* truncate to 0 empties it */
	NEED_RENAMES = 1 << 7,  /* its objects can be renamed */
	NEED_SETTING = 1 << 8,  /* a parameter of theirs can be set: sample_setting() */
};

/* Bytes of the writes by which sample_fill() fills what takes any bytes. */
enum { SAMPLE_PIECE = 256 };

struct sample {
	const char *path; /* kind::path */
	size_t name_max;
	unsigned traits;
	int parameter; /* that has to be given when one is made, with `value`; -1: none */
	uint64_t value;
	off_t size; /* st_size of a new one */
	/* Three texts to write (NULL: none can be), and what a read then gives of each alone. */
	const char *put[3], *got[3];
	/*
	 * What a read of up to 10 bytes returns of a new one; and what one after the first does.
	 * -EAGAIN: it waits.
	 */
	ssize_t empty, again;
	/* What leaves no room for a further text; NULL: as many bytes as it takes. */
	const char *fill;
	const char *never_full; /* why nothing does; NULL: something does */
};

const struct sample *sample_of(const struct kind *kind);

/* Reads of a new object wait for what is written. */
bool sample_waits(const struct kind *kind);
/* A write is one message, which a read takes. */
bool sample_is_message(const struct kind *kind);
/* The kind's objects are not files that one makes, so there is no sample: see test_sockets.c. */
bool sample_is_socket(const struct kind *kind);

/* The kind's first parameter that can be set later, as its least value; false: there is none. */
bool sample_setting(const struct kind *kind, struct settings *ret_settings);

/* Why a test that needs these, of enum sample_need, does not fit the kind; NULL: it fits. */
const char *sample_lacks(const struct kind *kind, unsigned needs);

/*
 * As the functions of tests/unit/objects.h and lib/channel/space.h, with names that the kind can
 * have in the place of any that it can't, and with the settings that it needs.
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
/* Writes until no further text has room, and returns how many bytes were accepted. */
size_t sample_fill(struct file *file);
/* Returns when what was written can be read. */
void sample_await(struct file *file);
/* A read gives sample::got[i], once that can be read, and no more. */
void sample_expect(struct file *file, int i);

#endif
