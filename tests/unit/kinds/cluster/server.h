/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A nats-server with JetStream, for tests that want a real one. It listens in the test's own network
 * namespace, so each test has its own.
 */
#ifndef TESTS_UNIT_SERVER_H
#define TESTS_UNIT_SERVER_H

#include <stdbool.h>

#define SERVER_URL "nats://127.0.0.1:4222"

/* Whether nats-server is installed. */
bool server_is_here(void);

/* Starts the server, and returns when it accepts connections. */
void server_start(void);
/* Kills the server. What it has stored stays until the test ends. */
void server_stop(void);
/* For the end of a test: stops the server and removes what it has stored. */
void server_clear(void);

#endif
