// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server's log says when it is ready, so nobody has to try whether it answers.
 */
#include "tests/unit/kinds/cluster/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture.h"

enum { PORT = 4222, LOG_MAX = 1 << 20 };

bool server_is_installed(void)
{
	if (system("command -v nats-server > /dev/null") == 0)
		return true;
	printf("1..0 # SKIP nats-server is not installed\n");
	return false;
}

static void path_in(const struct server *server, const char *name, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%s/%s", server->dir, name);
}

static void exec_server(const struct server *server, int log_fd)
{
	char config[64];

	path_in(server, "config", config, sizeof(config));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log_fd, STDERR_FILENO);
	execlp("nats-server", "nats-server", "-c", config, NULL);
	_exit(127);
}

/* The log is also how the server says that it is ready. */
static void await_ready(int fd)
{
	static char text[16384];
	size_t length = 0;

	memset(text, 0, sizeof(text));
	while (!strstr(text, "Server is ready")) {
		ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);

		ck_assert_msg(n > 0, "nats-server has not started: %s", text);
		length += (size_t)n;
	}
}

void server_restart(struct server *server)
{
	int ends[2];

	must_call(pipe2(ends, O_CLOEXEC));
	/* Nobody reads on, and a server whose log is full stands still. */
	must_call(fcntl(ends[1], F_SETPIPE_SZ, LOG_MAX));
	server->pid = (pid_t)must_call(fork());
	if (server->pid == 0)
		exec_server(server, ends[1]);
	close(ends[1]);
	server->log_fd = ends[0];
	await_ready(server->log_fd);
}

void server_start(struct server *server, const char *config)
{
	char path[64];
	FILE *file;

	snprintf(server->dir, sizeof(server->dir), "/tmp/ipcfs-nats-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(server->dir));
	path_in(server, "config", path, sizeof(path));
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "listen: 127.0.0.1:%d\njetstream { store_dir: \"%s/js\" }\n%s\n", PORT,
		server->dir, config ? config : "");
	ck_assert_int_eq(fclose(file), 0);
	server_restart(server);
}

void server_kill(struct server *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGKILL);
	must_call(waitpid(server->pid, NULL, 0));
	server->pid = 0;
	close(server->log_fd);
}

static int remove_one(const char *path, const struct stat *attr, int type, struct FTW *walk)
{
	(void)attr;
	(void)type;
	(void)walk;
	return remove(path);
}

void server_fini(struct server *server)
{
	server_kill(server);
	nftw(server->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Reads lines until one that begins so. */
static void await_line(int fd, const char *start)
{
	char line[65536];
	size_t length;

	do {
		for (length = 0; length < sizeof(line) - 1; length++) {
			ck_assert_int_eq(read(fd, line + length, 1), 1);
			if (line[length] == '\n')
				break;
		}
		line[length] = '\0';
	} while (strncmp(line, start, strlen(start)) != 0);
}

int server_dial(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = (int)must_call(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int on = 1;

	must_call(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	must_call(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
	await_line(fd, "INFO");
	server_say(fd, "CONNECT {\"verbose\":false,\"headers\":true}\r\n");
	return fd;
}

void server_say_bytes(int fd, const void *data, size_t size)
{
	static const char ping[] = "PING\r\n";

	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	must_call(write(fd, ping, strlen(ping)));
	await_line(fd, "PONG");
}

void server_say(int fd, const char *text)
{
	server_say_bytes(fd, text, strlen(text));
}
