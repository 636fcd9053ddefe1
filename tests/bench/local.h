/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets of this machine, and socat(1) between them.
 */
#ifndef TESTS_BENCH_LOCAL_H
#define TESTS_BENCH_LOCAL_H

#include <stdint.h>

#include "tests/bench/row.h"

int local_listen(const char *path);
/* Waits for the socket to appear if it is not there yet. */
int local_connect(const char *path);

/* Listens at a port of 127.0.0.1 that is free. */
int local_listen_tcp(uint16_t *ret_port);

/* ends->out to ends->peer_in through `socat UNIX-LISTEN:… UNIX-CONNECT:…`, the daemon's rival. */
void local_open_between(struct ends *ends);

/* ends->out to ends->peer_in through `socat - ADDRESS`, which connects to the listener. */
void local_open_stdin(struct ends *ends, const char *address, int listener);

#endif
