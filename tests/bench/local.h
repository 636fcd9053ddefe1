/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local sockets, and socat(1) between them.
 */
#ifndef TESTS_BENCH_LOCAL_H
#define TESTS_BENCH_LOCAL_H

#include <stdint.h>

#include "tests/bench/row.h"

int local_listen(const char *path);
/* Connects to the socket. If it is not there yet, waits for it to appear. */
int local_connect(const char *path);

/* Listens at a free port of 127.0.0.1. */
int local_listen_tcp(uint16_t *ret_port);

/*
 * Connects ends->out to ends->peer_in by `socat UNIX-LISTEN:… UNIX-CONNECT:…`, the daemon's rival.
 */
void local_open_between(struct ends *ends);

/* Connects ends->out to ends->peer_in by `socat - ADDRESS`, which connects to the listener. */
void local_open_stdin(struct ends *ends, const char *address, int listener);

#endif
