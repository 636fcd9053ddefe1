/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that use a mount while its daemon is killed over and over, and what they saw, in memory
 * that all share. Nobody fails by himself: a process reports a fault, and the test reads it.
 */
#ifndef TESTS_MOUNT_TAKEOVER_LOAD_H
#define TESTS_MOUNT_TAKEOVER_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	LOAD_WRITERS = 2, /* of each channel */
	LOAD_READERS = 2,
	LOAD_NUMBERS = 1 << 20, /* the most messages that one writer sends */
};

/* A message: 8 bytes, which every channel moves as one piece. */
struct load_message {
	unsigned int writer, number; /* number: from 1 */
};

/* What one channel promises, and what it did. */
struct load_model {
	const char *name, *command;
	/* Its writers and readers. A reader ends at the message of writer LOAD_WRITERS. */
	int (*write)(void *role);
	int (*read)(void *role);

	_Atomic long long given, taken;            /* sums, units */
	_Atomic unsigned char *seen;               /* by reader if to_all, writer and number */
	const char *failed;                        /* the call that failed with `error` */
	_Atomic unsigned int n_sent[LOAD_WRITERS]; /* messages that were accepted */
	_Atomic unsigned int n_read, n_twice;
	_Atomic int inside; /* a critical section */
	_Atomic int error;  /* 0: none */

	/* Whether all readers get each message; and whether a message may come twice. */
	bool to_all, may_double;
	bool is_fast; /* its writers pause, or they would be done before the kills */
};

/* What a process does: its body's argument. */
struct load_role {
	struct load_model *model;
	int which;
};

/* Set when the writers are to end, and when everybody is. */
struct load_state {
	_Atomic bool is_over, is_ended;
};
extern struct load_state *load_state;

/* Returns shared memory of zeroes. */
void *load_share(size_t size);
/* Notes that a call has failed, by errno. Returns errno. */
int load_fail(struct load_model *model, const char *call);

/* For each model, with the fields that say what it is. Ends with one without a name. */
extern const struct load_model load_models[];

/* Bodies: they open, close, list, poll, read texts, write lines; and wait to be interrupted. */
int load_look_around(void *role);
int load_command(void *role);
int load_be_interrupted(void *role);

#endif
