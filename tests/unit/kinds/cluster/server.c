// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server dies with the test, even if the test is killed.
 */
#include "tests/unit/kinds/cluster/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/fixture.h"

#define PROGRAM "nats-server"
/* How often to look whether the server is there, and for how long. */
enum { LOOKS = 3000, LOOK_NS = 10000000 };

static char directory[] = "/tmp/ipcfs-server-XXXXXX";
static bool has_directory;
static pid_t server;

bool server_is_here(void)
{
	return system("command -v " PROGRAM " >/dev/null") == 0;
}

static void run(void)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execlp(PROGRAM, PROGRAM, "-js", "-sd", directory, "-a", "127.0.0.1", "-p", "4222", NULL);
	_exit(127);
}

static bool accepts(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(4222),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = (int)must_call(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	bool is_connected = connect(fd, (const void *)&address, sizeof(address)) == 0;

	close(fd);
	return is_connected;
}

void server_start(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	int n = 0;

	if (!has_directory)
		ck_assert_ptr_nonnull(mkdtemp(directory));
	has_directory = true;
	server = (pid_t)must_call(fork());
	if (server == 0)
		run();
	while (!accepts()) {
		ck_assert_int_lt(n++, LOOKS);
		ck_assert_int_eq(waitpid(server, NULL, WNOHANG), 0);
		nanosleep(&pause, NULL);
	}
}

void server_stop(void)
{
	if (server <= 0)
		return;
	must_call(kill(server, SIGKILL));
	must_call(waitpid(server, NULL, 0));
	server = 0;
}

static int remove_entry(const char *path, const struct stat *attr, int type, struct FTW *ftw)
{
	return remove(path);
}

void server_clear(void)
{
	server_stop();
	if (has_directory)
		nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	has_directory = false;
}
