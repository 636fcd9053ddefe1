/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A nats-server with JetStream, in the network namespace of the test, which so has all ports to
 * itself. Its files are in a temporary directory. It ends with the test, however that ends.
 */
#ifndef TESTS_UNIT_SERVER_H
#define TESTS_UNIT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SERVER_URL "nats://127.0.0.1:4222"

struct server {
	pid_t pid; /* 0: it does not run */
	int log_fd;
	char dir[32];
};

/* If nats-server is not installed, prints a plan that says so, in TAP, and returns false. */
bool server_is_installed(void);

/*
 * Makes a directory for the server and starts it. `config` (NULL: none) is what its configuration
 * file says beyond JetStream and the port.
 */
void server_start(struct server *server, const char *config);
/* Kills it with SIGKILL. Its files stay. */
void server_kill(struct server *server);
/* Starts it again, with the same files. */
void server_restart(struct server *server);
/* Kills it, and removes its files. */
void server_fini(struct server *server);

/* Connects as a client that knows the protocol by heart. Returns a descriptor. */
int server_dial(void);
/* Sends `size` bytes, and waits until the server has read them. */
void server_say_bytes(int fd, const void *data, size_t size);
void server_say(int fd, const char *text);

#endif
