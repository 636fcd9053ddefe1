// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A separate process leads the herd. Orphans become its children, so it knows when all processes
 * are gone.
 */
#include "tests/fuzz/calls/herd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls/native.h"
#include "tests/fuzz/calls/user.h"

enum { N_NATIVES = 3, N_USERS = 4, N_MEMBERS = N_NATIVES + N_USERS, END_MS = 40000 };

struct herd {
	const struct place *place;
	struct dice dice;
	pid_t members[N_MEMBERS];
};

static void begin(struct herd *herd, int i)
{
	static const uid_t natives[N_NATIVES] = {0, FIRST_USER, SECOND_USER};
	uint64_t seed = dice_next(&herd->dice);
	pid_t pid = fork();

	if (pid == 0 && i < N_NATIVES)
		native_run(herd->place, seed, natives[i]);
	if (pid == 0)
		user_run(herd->place, seed, i % 4 == 3 ? SECOND_USER : FIRST_USER);
	herd->members[i] = pid;
}

/*
 * Fails the round if the member ended by itself: only our own signals end a member. A member that
 * is blocked in a page fault on the mount may get SIGBUS there.
 */
static void judge(struct herd *herd, int i, int status)
{
	if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNT))
		return;
	printf("# member %d of this round ended by itself, wait status %#x\n", i, (unsigned)status);
	fflush(stdout);
	_exit(2);
}

static void tend(struct herd *herd)
{
	const struct timespec moment = {.tv_nsec = (long)dice_roll(&herd->dice, 30000000)};
	int i = (int)dice_roll(&herd->dice, N_MEMBERS), status;
	bool is_stopped = dice_once_in(&herd->dice, 3);

	kill(herd->members[i], is_stopped ? SIGSTOP : SIGKILL);
	nanosleep(&moment, NULL);
	if (is_stopped) {
		kill(herd->members[i], SIGCONT);
		return;
	}
	while (waitpid(herd->members[i], &status, 0) < 0)
		;
	judge(herd, i, status);
	begin(herd, i);
}

static void check(struct herd *herd)
{
	int status;

	for (int i = 0; i < N_MEMBERS; i++)
		if (waitpid(herd->members[i], &status, WNOHANG) == herd->members[i]) {
			judge(herd, i, status);
			begin(herd, i);
		}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void lead(const struct place *place, uint64_t seed, double seconds)
{
	struct herd herd = {.place = place, .dice = {seed}};
	double end = now() + seconds;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < N_MEMBERS; i++)
		begin(&herd, i);
	while (now() < end) {
		const struct timespec pause = {.tv_nsec = 20000000 +
							  (long)dice_roll(&herd.dice, 100000000)};

		nanosleep(&pause, NULL);
		check(&herd);
		tend(&herd);
	}
	for (int i = 0; i < N_MEMBERS; i++)
		kill(herd.members[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	_exit(0);
}

bool herd_run(const struct place *place, uint64_t seed, double seconds)
{
	pid_t leader;
	int status;

	fflush(stdout);
	leader = fork();
	if (leader == 0)
		lead(place, seed, seconds);
	if (await_end(leader, (int)(seconds * 1000) + END_MS, &status))
		return status == 0;
	puts("# a killed process has not ended");
	place_print_processes();
	place_abort(place->board);
	kill(leader, SIGKILL);
	return false;
}
