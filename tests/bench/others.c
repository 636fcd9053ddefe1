// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each attack runs in a process of its own, which leaves its result in shared memory.
 */
#include "tests/bench/others.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/bench/must.h"
#include "tests/bench/report.h"
#include "tests/bench/stage.h"

enum { TARGET_MS = 50, SECONDS_HANG = 180 };

static const struct attack attacks[] = {
	{"no attack", NULL, NULL},
	{"a lingering socket is sent to the daemon", attack_linger, NULL},
	{"chmod of a region being filled", attack_region, NULL},
	{"metrics of 100 sets of 32,000 semaphores", attack_sets, NULL},
	{"16 files fallocated through the mount", attack_files, NULL},
	{"the process that makes a queue is stopped", attack_child, NULL},
	{"peers, one of them stuck in a fault", attack_fault, NULL},
	{"12 FIFOs are kept locked for ever", attack_locks, attack_locks_prepare},
	{"names below sockets/tcp, each looked up once", attack_stats, NULL},
	{"120 listings of 60,000 names", attack_listings, NULL},
	{"400 blocked System V waits", attack_waits, NULL},
};

/* The result of one attack, in memory that its process shares with this one. */
struct act {
	struct scene scene;
	struct outcome outcome;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Prints the times of one deed: the median and the worst, or that the deed hung or failed. Returns
 * false if the deed misses the target.
 */
static bool print_deed(const struct bench *bench, const struct attack *attack, struct act *act,
		       int deed)
{
	unsigned n = act->scene.testimony.notes[deed].n;
	unsigned n_failed = act->scene.testimony.notes[deed].n_failed;
	double *seconds = act->scene.testimony.notes[deed].seconds;
	bool is_hung = act->outcome.hung == deed;
	double median, worst;
	const char *verdict;

	qsort(seconds, n, sizeof(*seconds), compare);
	median = n ? seconds[n / 2] * 1e3 : 0;
	worst = n ? seconds[n - 1] * 1e3 : 0;
	if (is_hung)
		verdict = "hung";
	else if (n_failed)
		verdict = strerrorname_np(act->scene.testimony.notes[deed].error);
	else if (n == 0)
		verdict = "none";
	else
		verdict = worst < TARGET_MS ? "met" : "missed";
	printf("    %-20s %8u times %10.3f ms %10.3f ms", witness_deed(deed), n, median, worst);
	if (n_failed)
		printf("  %u failed", n_failed);
	printf("  %s\n", strcmp(verdict, "met") ? verdict : "");
	if (bench->attacks_csv)
		fprintf(bench->attacks_csv, "\"%s\",\"%s\",%u,%u,%.6g,%.6g,%s\n", attack->name,
			witness_deed(deed), n, n_failed, median, worst, verdict);
	return !strcmp(verdict, "met");
}

static void print_act(const struct bench *bench, const struct attack *attack, struct act *act)
{
	printf("  %s", attack->name);
	if (attack->run)
		printf(" (%lu times)", act->outcome.n_blows);
	if (!act->outcome.has_begun)
		printf(": it did not begin");
	if (act->outcome.is_stuck)
		printf(": the daemon did not end, and was killed");
	putchar('\n');
	if (!act->outcome.has_begun || act->outcome.is_stuck)
		report_target(attack->name, false);
	for (int deed = 0; act->outcome.has_begun && deed < N_DEEDS; deed++) {
		char what[128];

		snprintf(what, sizeof(what), "%s: %s", attack->name, witness_deed(deed));
		report_target(what, print_deed(bench, attack, act, deed));
	}
	fflush(stdout);
	if (bench->attacks_csv)
		fflush(bench->attacks_csv);
}

static void run_attack(const struct bench *bench, const struct attack *attack)
{
	struct act *act = must(mmap(NULL, sizeof(*act), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid_t pid;

	act->scene.dir = bench_native(bench, "others");
	act->scene.mount = bench_native(bench, "others/ipc");
	if (mkdir(act->scene.dir, 0755) < 0 && errno != EEXIST)
		fail("%s: %s", act->scene.dir, strerror(errno));
	fflush(stdout);
	pid = must(fork());
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stage_run(bench, attack, bench->is_quick ? 1.5 : 5, &act->scene, &act->outcome);
		_exit(0);
	}
	alarm(SECONDS_HANG);
	must(waitpid(pid, NULL, 0));
	alarm(0);
	print_act(bench, attack, act);
	must(munmap(act, sizeof(*act)));
}

void others_run(const struct bench *bench)
{
	bool is_told = false;

	if (bench->attacks_csv)
		fprintf(bench->attacks_csv, "attack,deed,times,failed,median,worst,verdict\n");
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (bench->filter && !strstr("others", bench->filter) &&
		    !strstr(attacks[i].name, bench->filter))
			continue;
		if (!is_told)
			printf("\nOthers, while attacked %31s %13s\n", "median", "worst");
		is_told = true;
		run_attack(bench, &attacks[i]);
	}
}
