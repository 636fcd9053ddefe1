/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kept FIFOs on tmpfs, where the daemon opens them by number as it would those of the mount.
 */
#ifndef TESTS_UNIT_FIFOS_H
#define TESTS_UNIT_FIFOS_H

#include "lib/channel/channel.h"

enum { FIFO_NODE = 7, FIFO_OTHER = 8, FIFO_N_DESCRIPTORS = 2 };
/* The kind's parameters by index, and a value of the first. */
enum { FIFO_EOF = 1, FIFO_EOF_NEVER = 1, FIFO_KEEP = 2 };

/* Opens the space of pipes, which are FIFOs. The two nodes exist. */
struct space *fifos_open(void);

const char *fifo_path(uint64_t node);

/* Does what a LOOKUP does, to its end. */
int fifo_look_up(struct channel *channel, uint64_t node);

/* Returns the value of a line of its status. */
const char *fifo_status(struct channel *channel, const char *key);

/* Each runs the loop: until the daemon holds `word`, until only `n_others` are charged, or both. */
void fifo_await_held(struct channel *channel, const char *word);
void fifos_await_charged(size_t n_others);
void fifo_await_gone(struct channel *channel, size_t n_others);
size_t fifos_held_descriptors(void);

void fifo_put(uint64_t node, const char *text);
void fifo_expect(uint64_t node, const char *text);

#endif
