// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 10,000 kept FIFOs: how long ls(1) takes, and what they cost the daemon. A lookup makes the daemon
 * hold the FIFO until it has been unused for some seconds, so a second `ls -l` differs from the
 * first.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"
#include "tests/bench/must.h"

enum { N_PIPES = 10000, LET_GO_SECONDS = 60, N_SPARE = 8 };

static int n_idle; /* the daemon's descriptors while it holds nothing */

static void name_pipe(char *ret_path, size_t size, const char *dir, int i)
{
	snprintf(ret_path, size, "%s/pipe-%05d", dir, i);
}

static void make_fifos(const char *dir)
{
	char path[128];

	for (int i = 0; i < N_PIPES; i++) {
		name_pipe(path, sizeof(path), dir, i);
		must(mkfifo(path, 0600));
	}
}

/* As touch(1) does. */
static void make_pipes(const char *dir)
{
	char path[128];

	for (int i = 0; i < N_PIPES; i++) {
		name_pipe(path, sizeof(path), dir, i);
		close(must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	}
}

static void remove_pipes(const char *dir)
{
	char path[128];

	for (int i = 0; i < N_PIPES; i++) {
		name_pipe(path, sizeof(path), dir, i);
		must(unlink(path));
	}
}

static void native_open(struct ends *ends)
{
	const char *dir = bench_native(ends->bench, "pipes");

	must(mkdir(dir, 0700));
	make_fifos(dir);
}

static void native_close(struct ends *ends)
{
	const char *dir = bench_native(ends->bench, "pipes");

	remove_pipes(dir);
	must(rmdir(dir));
}

static void ipcfs_open(struct ends *ends)
{
	n_idle = daemon_descriptors(ends->bench->daemon);
	make_pipes(bench_mount(ends->bench, "pipes"));
}

static void ipcfs_close(struct ends *ends)
{
	remove_pipes(bench_mount(ends->bench, "pipes"));
}

/*
 * Waits until the daemon has no more descriptors than before, give or take a few that come and go.
 */
static void await_let_go(pid_t daemon, int n_before)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	double end = clock_now() + LET_GO_SECONDS;

	while (daemon_descriptors(daemon) > n_before + N_SPARE) {
		if (clock_now() > end)
			fail("the daemon still has %d descriptors", daemon_descriptors(daemon));
		nanosleep(&pause, NULL);
	}
}

static void run_ls(const char *options, const char *dir)
{
	pid_t pid = must(fork());
	int status;

	if (pid == 0) {
		int null = must(open("/dev/null", O_WRONLY | O_CLOEXEC));

		must(dup2(null, STDOUT_FILENO));
		execlp("ls", "ls", options, dir, NULL);
		fail("ls: %s", strerror(errno));
	}
	must(waitpid(pid, &status, 0));
	if (status != 0)
		fail("ls %s %s ended with wait status %#x", options, dir, (unsigned)status);
}

static const char *find_dir(const struct ends *ends, bool is_native)
{
	return is_native ? bench_native(ends->bench, "pipes") : bench_mount(ends->bench, "pipes");
}

static void native_ls(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_ls("--", find_dir(ends, true));
}

static void ipcfs_ls(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_ls("--", find_dir(ends, false));
}

static double time_ls_long(const struct ends *ends, bool is_native)
{
	double start = clock_now();

	run_ls("-l", find_dir(ends, is_native));
	return clock_now() - start;
}

static double native_ls_long(struct ends *ends)
{
	return time_ls_long(ends, true);
}

static double ipcfs_ls_first(struct ends *ends)
{
	await_let_go(ends->bench->daemon, n_idle);
	return time_ls_long(ends, false);
}

static double ipcfs_ls_again(struct ends *ends)
{
	run_ls("-l", find_dir(ends, false));
	return time_ls_long(ends, false);
}

static double measure_memory(struct ends *ends)
{
	struct bench fresh;
	double before, after;
	int n_before;

	bench_fresh(&fresh, ends->bench);
	daemon_settle(&fresh);
	before = daemon_memory(fresh.daemon);
	n_before = daemon_descriptors(fresh.daemon);
	make_pipes(bench_mount(&fresh, "pipes"));
	await_let_go(fresh.daemon, n_before);
	after = daemon_memory(fresh.daemon);
	bench_end_fresh(&fresh);
	return (after - before) / N_PIPES;
}

#define LONG(sample_)                                                                           \
	.unit = UNIT_MILLISECONDS, .is_kept = true, .bound = BOUND_SPEED,                       \
	.targets = {0.9, 0.9, 0.9},                                                             \
	.sides = {                                                                              \
		{"FIFOs, tmpfs", native_open, .sample = native_ls_long, .close = native_close}, \
		{"ipcfs", ipcfs_open, .sample = (sample_), .close = ipcfs_close},               \
	}

static const struct row rows[] = {
	{"ls", "pipes", .unit = UNIT_MILLISECONDS, .n_max = 1, .is_kept = true,
	 .bound = BOUND_SPEED, .targets = {1, 1, 1},
	 .sides = {{"FIFOs, tmpfs", native_open, native_ls, .close = native_close},
		   {"ipcfs", ipcfs_open, ipcfs_ls, .close = ipcfs_close}}},
	/* The first `ls -l` starts when the daemon has let go of all FIFOs, which takes seconds. */
	{"ls -l, the first", "pipes", .n_batches = 3, LONG(ipcfs_ls_first)},
	{"ls -l, the second", "pipes", .n_batches = 3, LONG(ipcfs_ls_again)},
	{"daemon memory per FIFO", "pipes", .unit = UNIT_KIB, .n_batches = 1,
	 .placements = ONLY_FREE, .is_kept = true, .bound = BOUND_MOST,
	 .targets = {[PLACED_FREE] = 1.5},
	 .sides = {[IPCFS] = {"ipcfs", .sample = measure_memory}}},
	{.work = NULL},
};

const struct group folder_group = {"folders", "10,000 kept FIFOs", rows};
