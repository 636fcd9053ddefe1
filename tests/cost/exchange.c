// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exchange FILE N: writes N messages to a channel, and reads each before the next.
 * exchange THERE BACK N: sends N messages to a process that sends them back, and waits for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SIZE 64

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static int exchange(int out, int in, long n)
{
	char message[SIZE] = "message";

	for (long i = 0; i < n; i++)
		if (write(out, message, SIZE) != SIZE || read(in, message, SIZE) != SIZE) {
			fprintf(stderr, "exchange %ld of %ld: %s\n", i, n, strerror(errno));
			return 1;
		}
	return 0;
}

static void send_back(int in, int out)
{
	char message[SIZE];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, message, SIZE) == SIZE)
		if (write(out, message, SIZE) != SIZE)
			break;
	_exit(1);
}

int main(int argc, char **argv)
{
	int there, back;

	if (argc == 3) {
		there = open_file(argv[1], O_RDWR);
		return exchange(there, there, strtol(argv[2], NULL, 10));
	}
	if (argc != 4)
		return 2;
	there = open_file(argv[1], O_RDWR);
	back = open_file(argv[2], O_RDWR);
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		/*
		 * The child opens the file itself: processes that share an open file wait for each
		 * other.
		 */
		send_back(open_file(argv[1], O_RDONLY), open_file(argv[2], O_WRONLY));
		return 1;
	default:
		return exchange(there, back, strtol(argv[3], NULL, 10));
	}
}
