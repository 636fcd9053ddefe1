// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_calls: random system calls by unprivileged users on a mount of its own, alongside native
 * churn.
 *
 * After each round the daemon has to be alive and answer another user. At the end it has to exit
 * cleanly and without a sanitizer's report. A failure prints the seed of its round, and --seed with
 * that number begins with that round. Threads race, so the same seed makes the same calls, but not
 * the same run.
 *
 * There are three levels of processes. This process keeps the time, and aborts the connection if
 * nothing else helps. Its child is the first process of the namespaces, in which everything ends
 * with that child. That child's children are the daemon and a leader for each round.
 */
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls/herd.h"
#include "tests/fuzz/calls/user.h"

enum { ROUND_SECONDS = 5, GRACE_SECONDS = 240, KEEPER_MS = 10000 };

static const struct option options[] = {
	{"seconds", required_argument, NULL, 's'},
	{"seed", required_argument, NULL, 'S'},
	{"options", required_argument, NULL, 'o'},
	{NULL},
};

struct run {
	struct place place;
	uint64_t seed;
	long seconds;
};

static int usage(void)
{
	fputs("usage: fuzz_calls [--seconds N] [--seed N] [--options MOUNT-OPTIONS] IPCFS\n"
	      "As root. Makes a mount in namespaces of its own; the output is TAP.\n",
	      stderr);
	return 2;
}

static void print_calls(const struct board *board)
{
	unsigned long total = 0;

	for (unsigned i = 0; user_call_at(i); i++)
		total += board->n_calls[i];
	printf("# %lu calls; so many of each, and how many of these succeeded:\n", total);
	for (unsigned i = 0; user_call_at(i); i++)
		printf("# %24s %9lu %9lu\n", user_call_at(i)->name, board->n_calls[i],
		       board->n_good[i]);
}

static bool run_rounds(struct run *run)
{
	time_t end = time(NULL) + run->seconds;
	uint64_t seed = run->seed;

	for (long left; (left = end - time(NULL)) > 0; seed++)
		if (!herd_run(&run->place, seed,
			      (double)(left < ROUND_SECONDS ? left : ROUND_SECONDS)) ||
		    !place_is_well(&run->place)) {
			printf("# it happened in the round of --seed %llu\n",
			       (unsigned long long)seed);
			return false;
		}
	return true;
}

/* Runs in the first process of the namespaces. */
static _Noreturn void run_all(struct run *run)
{
	struct place *place = &run->place;
	bool is_good = place_open(place) && run_rounds(run);

	if (!place_close(place, run->seed % 2 == 0))
		is_good = false;
	print_calls(place->board);
	fflush(stdout);
	/* This ends all processes that may still be there. */
	_exit(!is_good);
}

static bool keep_time(const struct run *run, pid_t first, int *ret_status)
{
	if (await_end(first, (int)(run->seconds + GRACE_SECONDS) * 1000, ret_status))
		return *ret_status == 0;
	puts("# no end: the connection is aborted");
	place_abort(run->place.board);
	kill(first, SIGKILL);
	await_end(first, KEEPER_MS, ret_status);
	return false;
}

static bool prepare(struct run *run)
{
	struct place *place = &run->place;

	place->board = mmap(NULL, sizeof(*place->board), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	place->log = memfd_create("log", MFD_CLOEXEC);
	strcpy(place->dir, "/tmp/ipcfs-fuzz-XXXXXX");
	if (place->board == MAP_FAILED || place->log < 0 || !mkdtemp(place->dir))
		return false;
	return unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID) == 0;
}

static int run_in_place(struct run *run)
{
	bool is_good = false;
	int status = 0;
	pid_t first;

	printf("1..1\n# seed %llu\n", (unsigned long long)run->seed);
	fflush(stdout);
	first = fork();
	if (first == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_all(run);
	}
	if (first > 0)
		is_good = keep_time(run, first, &status);
	if (place_print_log(&run->place, !is_good))
		is_good = false;
	printf("%s 1 every call was survived\n", is_good ? "ok" : "not ok");
	umount2(run->place.dir, MNT_DETACH);
	rmdir(run->place.dir);
	return !is_good;
}

int main(int argc, char **argv)
{
	struct run run = {.seed = (uint64_t)time(NULL), .seconds = 10};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 's')
			run.seconds = strtol(optarg, NULL, 10);
		else if (option == 'S')
			run.seed = strtoull(optarg, NULL, 10);
		else if (option == 'o')
			run.place.options = optarg;
		else
			return usage();
	}
	if (argc - optind != 1 || run.seconds <= 0)
		return usage();
	run.place.program = argv[optind];
	if (!prepare(&run)) {
		perror("fuzz_calls");
		return 1;
	}
	option = run_in_place(&run);
	fflush(stdout);
	/*
	 * Exits without the leak checker. That would start a process, but the namespace has ended,
	 * so none can start in it.
	 */
	_exit(option);
}
