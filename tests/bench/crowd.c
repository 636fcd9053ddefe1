// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A reader counts as waiting once /proc/PID/syscall shows it in read(2).
 */
#include "tests/bench/crowd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/must.h"

#define N_TRIES 10000 /* one per millisecond */

static void read_for_ever(const char *path, int ready)
{
	char byte;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	must(write(ready, "", 1));
	if (read(fd, &byte, 1) >= 0)
		fail("%s: there was something to read", path);
	fail("%s: %s", path, strerror(errno));
}

static bool is_waiting(pid_t pid)
{
	char path[64], text[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 && text[0] >= '0' && text[0] <= '9' && strtol(text, NULL, 10) == SYS_read;
}

void crowd_start(struct crowd *crowd, const char *path)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int ready[2], n_tries = 0;
	char byte;

	crowd->group = 0;
	must(pipe2(ready, O_CLOEXEC));
	for (int i = 0; i < CROWD_SIZE; i++) {
		pid_t pid = must(fork());

		if (pid == 0)
			read_for_ever(path, ready[1]);
		must(setpgid(pid, crowd->group));
		crowd->pids[i] = pid;
		crowd->group = crowd->pids[0];
	}
	close(ready[1]);
	for (int i = 0; i < CROWD_SIZE; i++)
		if (!read_all(ready[0], &byte, 1))
			fail("%s: a reader has ended", path);
	close(ready[0]);
	for (int i = 0; i < CROWD_SIZE; i++)
		while (!is_waiting(crowd->pids[i])) {
			if (++n_tries > N_TRIES)
				fail("%s: a reader does not wait", path);
			nanosleep(&pause, NULL);
		}
}

double crowd_end(struct crowd *crowd)
{
	double start = clock_now();

	must(kill(-crowd->group, SIGINT));
	for (int i = 0; i < CROWD_SIZE; i++) {
		int status;

		must(waitpid(crowd->pids[i], &status, 0));
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGINT)
			fail("a reader ended with wait status %#x", (unsigned)status);
	}
	return clock_now() - start;
}
