// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scan first takes its targets over in steps, and then waits until fewer than SCANS_MOST others
 * run. Then a watcher is started for it, and it ends when the watcher closes its socket.
 */
#include "lib/info/scanner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/info/scan.h"
#include "lib/info/scan_helper.h"

/* Scans at a time, for all users together. */
#define SCANS_MOST 8
/* Targets that are taken over in one step. */
#define TARGETS_STEP 4096

/* A watcher, from its start until it has ended, which may take a moment. */
struct run {
	struct loop_source end; /* a socket, which the watcher closes by ending */
	struct scanner *scanner;
	struct scan *scan;       /* NULL once that is given up */
	struct run *prev, *next; /* scanner::runs */
};

struct scanner {
	struct host *host;
	struct scan_helper helper;
	struct run *runs;
	unsigned n_runs;
	struct scan *waiting; /* for one of the runs to end */
};

enum scan_state {
	SCAN_FILLING,
	SCAN_WAITING,
	SCAN_RUNNING,
	SCAN_DONE,
};

struct scan {
	struct scanner *scanner;
	struct waiter *waiter;
	enum scan_state state;
	int result;
	uid_t uid; /* the user who is charged */
	const struct peer_target *targets;
	size_t n_targets, n_taken;
	struct scan_area *area;
	size_t size;
	int memory;
	struct run *run;          /* while it is running */
	struct scan *prev, *next; /* scanner::waiting */
};

int scanner_new(struct host *host, struct scanner **ret_scanner)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));

	if (!scanner)
		return -ENOMEM;
	scanner->host = host;
	scan_helper_start(&scanner->helper); /* if this fails, it is started when needed */
	*ret_scanner = scanner;
	return 0;
}

static void run_free(struct run *run)
{
	struct scanner *scanner = run->scanner;

	loop_remove(scanner->host->loop, &run->end);
	close(run->end.fd);
	DL_DELETE(scanner->runs, run);
	scanner->n_runs--;
	free(run);
}

void scanner_free(struct scanner *scanner)
{
	if (!scanner)
		return;
	while (scanner->runs)
		run_free(scanner->runs);
	scan_helper_end(&scanner->helper);
	free(scanner);
}

static void scan_end(struct scan *scan, int result)
{
	scan->state = SCAN_DONE;
	scan->result = result;
	if (scan->waiter)
		scan->waiter->resume(scan->waiter);
}

static void start_next(struct scanner *scanner);

static void run_dispatch(struct loop_source *source, uint32_t events)
{
	struct run *run = CONTAINER_OF(source, struct run, end);
	struct scanner *scanner = run->scanner;
	struct scan *scan = run->scan;

	run_free(run);
	if (scan) {
		scan->run = NULL;
		scan_end(scan, scan->area->is_done ? 0 : -EIO);
	}
	start_next(scanner);
}

static int run_new(struct scanner *scanner, int fd, struct run **ret_run)
{
	struct run *run = malloc(sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	*run = (struct run){.end = {.fd = fd, .dispatch = run_dispatch}, .scanner = scanner};
	r = loop_add(scanner->host->loop, &run->end, EPOLLIN);
	if (r < 0) {
		free(run);
		return r;
	}
	DL_APPEND(scanner->runs, run);
	scanner->n_runs++;
	*ret_run = run;
	return 0;
}

/* Has the helper start a watcher for the scan. */
static int scan_send(struct scan *scan)
{
	CLEANUP_FD int ours = -1, theirs = -1;
	struct run *run;
	int ends[2];
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	r = run_new(scan->scanner, ours, &run);
	if (r < 0)
		return r;
	TAKE_FD(ours);
	r = scan_helper_send(&scan->scanner->helper, theirs, scan->memory);
	if (r < 0) {
		run_free(run);
		return r == -EAGAIN ? -EBUSY : r; /* -EAGAIN would mean: call again */
	}
	run->scan = scan;
	scan->run = run;
	return 0;
}

static void scan_start(struct scan *scan)
{
	int r = scan_send(scan);

	if (r < 0)
		scan_end(scan, r);
	else
		scan->state = SCAN_RUNNING;
}

static void start_next(struct scanner *scanner)
{
	while (scanner->waiting && scanner->n_runs < SCANS_MOST) {
		struct scan *scan = scanner->waiting;

		DL_DELETE(scanner->waiting, scan);
		scan_start(scan);
	}
}

static int make_area(struct scan *scan, uid_t reader)
{
	void *mapped;

	scan->memory = memfd_create("ipcfs-peers", MFD_CLOEXEC);
	if (scan->memory < 0 || ftruncate(scan->memory, (off_t)scan->size) < 0)
		return -errno;
	mapped = mmap(NULL, scan->size, PROT_READ | PROT_WRITE, MAP_SHARED, scan->memory, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	scan->area = mapped;
	scan->area->n_keys_max = 2 * scan->n_targets;
	scan->area->n_targets = scan->n_targets;
	scan->area->n_passes = SCAN_DESCRIPTORS + 1;
	scan->area->daemon = getpid();
	scan->area->supervisor = scan->scanner->host->supervisor;
	scan->area->reader = reader;
	return 0;
}

int scan_new(struct scanner *scanner, const struct caller *reader,
	     const struct peer_target *targets, size_t n_targets, struct scan **ret_scan)
{
	struct user_table *users = &scanner->host->users;
	size_t size = scan_area_size(2 * n_targets);
	struct scan *scan = calloc(1, sizeof(*scan));
	int r = scan ? user_charge(users, reader->uid, USER_BYTES, size) : -ENOMEM;

	if (r < 0) {
		free(scan);
		return r;
	}
	scan->scanner = scanner;
	scan->uid = reader->uid;
	scan->targets = targets;
	scan->n_targets = n_targets;
	scan->size = size;
	scan->memory = -1;
	r = make_area(scan, reader->uid);
	if (r < 0)
		scan_free(scan);
	else
		*ret_scan = scan;
	return r;
}

void scan_free(struct scan *scan)
{
	struct scanner *scanner;

	if (!scan)
		return;
	scanner = scan->scanner;
	if (scan->state == SCAN_WAITING)
		DL_DELETE(scanner->waiting, scan);
	/* The watcher sees end-of-file, and ends. */
	if (scan->run) {
		shutdown(scan->run->end.fd, SHUT_WR);
		scan->run->scan = NULL;
	}
	if (scan->memory >= 0)
		close(scan->memory);
	if (scan->area)
		munmap(scan->area, scan->size);
	user_uncharge(&scanner->host->users, scan->uid, USER_BYTES, scan->size);
	free(scan);
}

static void add_key(struct scan *scan, dev_t dev, ino_t ino, const char *map_path)
{
	struct scan_area *area = scan->area;
	struct scan_key *key = &area->keys[area->n_keys];

	/*
	 * No device: the kernel does not have the object. A file with device 0 is a different one.
	 */
	if (!dev)
		return;
	key->dev = dev;
	key->ino = ino;
	key->target = (uint32_t)scan->n_taken;
	if (map_path)
		strncpy(key->map_path, map_path, sizeof(key->map_path) - 1);
	area->n_keys++;
}

static void take_targets(struct scan *scan)
{
	for (int i = 0; i < TARGETS_STEP && scan->n_taken < scan->n_targets; i++) {
		const struct peer_target *target = &scan->targets[scan->n_taken];

		add_key(scan, target->shown_dev, target->shown_ino, NULL);
		add_key(scan, target->dev, target->ino, target->map_path);
		if (!target->has_no_maps)
			scan->area->n_passes = SCAN_PASSES;
		scan->n_taken++;
	}
}

int scan_step(struct scan *scan, struct waiter *waiter)
{
	scan->waiter = waiter;
	if (scan->state == SCAN_DONE)
		return scan->result;
	if (scan->state != SCAN_FILLING)
		return -EINPROGRESS;
	take_targets(scan);
	if (scan->n_taken < scan->n_targets)
		return -EAGAIN;
	scan->state = SCAN_WAITING;
	DL_APPEND(scan->scanner->waiting, scan);
	scan->waiter = NULL; /* it is still here, so it need not be resumed */
	start_next(scan->scanner);
	scan->waiter = waiter;
	return scan->state == SCAN_DONE ? scan->result : -EINPROGRESS;
}

static int compare_peers(const void *a_, const void *b_)
{
	const struct peer *a = a_, *b = b_;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->target > b->target) - (a->target < b->target);
}

struct peers scan_result(struct scan *scan)
{
	struct peer *peers = scan_area_peers(scan->area);
	size_t n = scan->area->n_peers;

	qsort(peers, n, sizeof(*peers), compare_peers);
	return (struct peers){
		.peers = peers,
		.n_peers = n,
		.n_unseen = scan->area->n_unseen,
		.n_hidden = scan->area->n_hidden,
	};
}
