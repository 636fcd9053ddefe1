/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test has to know of a kind in order to try on it what holds for all of them: how its
 * objects are named and made, what can be written to one, and what a read then gives.
 */
#ifndef TESTS_UNIT_SAMPLE_H
#define TESTS_UNIT_SAMPLE_H

#include "lib/channel/channel.h"

enum sample_trait {
	SAMPLE_KEYED = 1 << 0,       /* names are keys */
	SAMPLE_BYTES = 1 << 1,       /* any bytes can be written; else only text of a form */
	SAMPLE_KEEPS = 1 << 2,       /* a read takes nothing away, and never waits */
	SAMPLE_ENDS = 1 << 3,        /* whoever has it open loses it when it is removed */
	SAMPLE_EMPTIED = 1 << 4,     /* truncate to 0 empties it; else -EINVAL */
	SAMPLE_SIZED = 1 << 5,       /* truncate sets its size */
	SAMPLE_TIMES = 1 << 6,       /* its times can be set */
	SAMPLE_DESCRIPTORS = 1 << 7, /* what is written to it takes a descriptor of the daemon's */
};

struct sample {
	const char *path; /* kind::path */
	size_t name_max;
	unsigned traits;
	int parameter; /* that has to be given when one is made, with `value`; -1: none */
	uint64_t value;
	off_t size; /* st_size of a new one */
	/* Three texts to write; what reads then give of them, each for itself. */
	const char *put[3], *got[3];
	/* What a read of up to 10 bytes returns of a new one; and what one after the first does. */
	ssize_t empty, again;
};

const struct sample *sample_of(const struct kind *kind);

/*
 * As the functions of tests/unit/objects.h and lib/channel/space.h, with names that the kind can have in
 * the place of any that it can't, and with the settings that it needs.
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
/* A read gives sample::got[i], and no more. */
void sample_expect(struct file *file, int i);

#endif
