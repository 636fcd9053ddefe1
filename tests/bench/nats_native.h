/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A nats-server of the benchmark's own, and what a program in C does with libnats alone.
 */
#ifndef TESTS_BENCH_NATS_NATIVE_H
#define TESTS_BENCH_NATS_NATIVE_H

#include <stdint.h>

#include "tests/bench/row.h"

/* How many messages are under way where it is more than one. */
#define NATS_WINDOW 64

/*
 * Starts the server, with JetStream in the tmpfs, at a free port of 127.0.0.1; it ends with the
 * side. Returns the port.
 */
uint16_t nats_start(struct ends *ends);
/* Removes what the server has stored, once it has ended. */
void nats_clear(const struct ends *ends);

struct nats;

/*
 * Connects to the server at this port, and waits for it to be there. is_prompt: each message is
 * sent at once, and not with those that follow.
 */
struct nats *nats_open(uint16_t port, bool is_prompt);
void nats_close(struct nats *nats);

/* Makes a queue as ipcfs does, of the same name: ipcfs-queues-NAME and its consumer. */
void nats_make_queue(struct nats *nats, const char *name);
/* Publishes to the queue from here on, and fetches from its consumer. */
void nats_use_queue(struct nats *nats, const char *name);
void nats_purge(struct nats *nats);

/* Each returns when the server has acknowledged all messages. */
void nats_publish_each(struct nats *nats, const void *data, size_t size, size_t n);
void nats_publish_window(struct nats *nats, const void *data, size_t size, size_t n);
/* Fetches `window` messages at a time, and acknowledges each. */
void nats_consume(struct nats *nats, size_t window, size_t n);

#endif
