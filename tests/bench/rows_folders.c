// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 10,000 pipes: how long ls(1) takes, and what they cost the daemon.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"
#include "tests/bench/must.h"

#define N_PIPES 10000

static void name_pipe(char *ret_path, size_t size, const char *dir, int i)
{
	snprintf(ret_path, size, "%s/pipe-%05d", dir, i);
}

static void make_pipes(const char *dir)
{
	char path[128];

	for (int i = 0; i < N_PIPES; i++) {
		name_pipe(path, sizeof(path), dir, i);
		close(must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
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
	make_pipes(dir);
	ends->state = (void *)dir;
}

static void native_close(struct ends *ends)
{
	const char *dir = bench_native(ends->bench, "pipes");

	remove_pipes(dir);
	must(rmdir(dir));
}

static void ipcfs_open(struct ends *ends)
{
	const char *dir = bench_mount(ends->bench, "pipes");

	make_pipes(dir);
	ends->state = (void *)dir;
}

static void ipcfs_close(struct ends *ends)
{
	remove_pipes(bench_mount(ends->bench, "pipes"));
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

static void work_ls(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_ls("--", ends->state);
}

static void work_ls_long(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_ls("-l", ends->state);
}

static double measure_memory(struct ends *ends)
{
	struct bench fresh;
	double before, after;

	bench_fresh(&fresh, ends->bench);
	daemon_settle(&fresh);
	before = daemon_memory(fresh.daemon);
	make_pipes(bench_mount(&fresh, "pipes"));
	daemon_settle(&fresh);
	after = daemon_memory(fresh.daemon);
	bench_end_fresh(&fresh);
	return (after - before) / N_PIPES;
}

static const struct row rows[] = {
	{"ls", "pipes", .unit = UNIT_MILLISECONDS, .n_max = 1, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1},
	 .sides = {{"tmpfs", native_open, work_ls, .close = native_close},
		   {"ipcfs", ipcfs_open, work_ls, .close = ipcfs_close}}},
	{"ls -l", "pipes", .unit = UNIT_MILLISECONDS, .n_max = 1, .is_slow = true,
	 .bound = BOUND_SPEED, .targets = {0.25, 0.25, 0.25},
	 .sides = {{"tmpfs", native_open, work_ls_long, .close = native_close},
		   {"ipcfs", ipcfs_open, work_ls_long, .close = ipcfs_close}}},
	{"memory of each in the daemon", "pipes", .unit = UNIT_KIB, .n_batches = 1,
	 .placements = ONLY_FREE, .bound = BOUND_MOST, .targets = {[PLACED_FREE] = 1.5},
	 .sides = {[IPCFS] = {"ipcfs", .sample = measure_memory}}},
	{.work = NULL},
};

const struct group folder_group = {"folders", "10,000 pipes", rows};
