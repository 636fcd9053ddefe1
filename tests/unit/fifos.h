/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept FIFOs on tmpfs. The daemon opens them by number, as it opens the FIFOs of a mount.
 */
#ifndef TESTS_UNIT_FIFOS_H
#define TESTS_UNIT_FIFOS_H

#include "lib/channel/channel.h"

enum { FIFO_NODE = 7, FIFO_OTHER = 8, FIFO_N_DESCRIPTORS = 2 };
/* The indexes of the parameters eof= and keep=, and the value of eof=never. */
enum { FIFO_EOF = 1, FIFO_EOF_NEVER = 1, FIFO_KEEP = 2 };

/* From now on `host` makes FIFOs, and can open the two nodes. */
void fifos_serve(void);
/* Makes the two nodes on tmpfs. */
void fifos_make_nodes(void);
/* Does both, and opens the space of pipes, which are FIFOs here. */
struct space *fifos_open(void);

const char *fifo_path(uint64_t node);

/* Does what a LOOKUP does, and runs the loop until it has a result. */
int fifo_look_up(struct channel *channel, uint64_t node);

/* Returns the value of this key in the FIFO's status. Valid until the next call. */
const char *fifo_status(struct channel *channel, const char *key);

/* Runs the loop until the FIFO's status has this word for `held`. */
void fifo_await_held(struct channel *channel, const char *word);
/* Runs the loop until no more descriptors are charged than `n_others` FIFOs need. */
void fifos_await_charged(size_t n_others);
/* Runs the loop until the FIFO is not held, and only `n_others` other FIFOs are charged. */
void fifo_await_gone(struct channel *channel, size_t n_others);
/* Returns how many descriptors are charged to root. */
size_t fifos_held_descriptors(void);

void fifo_put(uint64_t node, const char *text);
void fifo_expect(uint64_t node, const char *text);

#endif
