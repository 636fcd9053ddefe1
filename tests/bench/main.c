// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench: measures a mount of its own against what a program would use instead. scripts/bench runs
 * it in namespaces of its own, as their first process. So everything that it has started ends with
 * it.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/bench/daemon.h"
#include "tests/bench/must.h"
#include "tests/bench/place.h"
#include "tests/bench/run.h"

static const struct option options[] = {
	{"quick", no_argument, NULL, 'q'},         {"csv", required_argument, NULL, 'c'},
	{"attacks", required_argument, NULL, 'a'}, {"only", required_argument, NULL, 'O'},
	{"options", required_argument, NULL, 'o'}, {NULL},
};

static int usage(void)
{
	fputs("usage: bench [--quick] [--csv FILE] [--attacks FILE] [--only TEXT]\n"
	      "             [--options MOUNT-OPTIONS] IPCFS DIRECTORY\n"
	      "In mount, IPC and PID namespaces that it has to itself; see scripts/bench.\n",
	      stderr);
	return 2;
}

/*
 * The first process of a pid namespace is not ended by SIGTERM and the like unless it handles them.
 */
static void on_signal(int signal)
{
	static const char hang[] = "\nbench: this row does not end\n";

	if (signal == SIGALRM && write(STDERR_FILENO, hang, sizeof(hang) - 1) < 0)
		_exit(1);
	_exit(128 + signal);
}

/* Raises the limit of messages in a queue to n: a setting of this IPC namespace. */
static void allow_messages(int n)
{
	FILE *file = fopen("/proc/sys/fs/mqueue/msg_max", "we");

	if (!file || fprintf(file, "%d", n) < 0 || fclose(file) != 0)
		fail("/proc/sys/fs/mqueue/msg_max: %s", strerror(errno));
}

static void prepare(struct bench *bench, const char *dir)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGALRM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	must(setenv("LC_ALL", "C", 1));
	must(mount("bench", dir, "tmpfs", 0, "mode=0755"));
	must(mount("bench", "/dev/shm", "tmpfs", 0, "mode=1777"));
	snprintf(bench->dir, sizeof(bench->dir), "%s", dir);
	snprintf(bench->mount, sizeof(bench->mount), "%s/ipc", dir);
	must(mkdir(bench->mount, 0755));
	allow_messages(QUEUE_MESSAGES);
	if (!place_init())
		fail("bench: two CPUs are needed");
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fail("%s: %s", path, strerror(errno));
	return file;
}

int main(int argc, char **argv)
{
	struct bench bench = {.csv = NULL};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'q':
			bench.is_quick = true;
			break;
		case 'c':
			bench.csv = open_file(optarg);
			break;
		case 'a':
			bench.attacks_csv = open_file(optarg);
			break;
		case 'O':
			bench.filter = optarg;
			break;
		case 'o':
			bench.options = optarg;
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 2)
		return usage();
	bench.program = argv[optind];
	prepare(&bench, argv[optind + 1]);
	bench.started = daemon_start(&bench, bench.mount);
	bench.daemon = daemon_find(bench.started);
	run_all(&bench);
	daemon_stop(bench.started);
	return 0;
}
