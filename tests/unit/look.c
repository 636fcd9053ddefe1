// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steps a scan until it has a result. While the scan waits, the loop runs until the scan's waiter
 * is resumed.
 */
#include "tests/unit/look.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

struct scanner *look_scanner;
struct scan *look_scan;
struct peers look_found;

static void resume(struct waiter *waiter)
{
	loop_stop(loop);
}

void look_find(const struct peer_target *targets, size_t n)
{
	struct waiter waiter = {.resume = resume};
	int r;

	if (!look_scanner)
		must(scanner_new(&host, &look_scanner));
	must(scan_new(look_scanner, &root, targets, n, &look_scan));
	do {
		r = scan_step(look_scan, &waiter);
		if (r == -EINPROGRESS)
			must(loop_run(loop));
	} while (job_is_awaited(r));
	must(r);
	look_found = scan_result(look_scan);
}

void look_forget(void)
{
	scan_free(TAKE_PTR(look_scan));
	scanner_free(TAKE_PTR(look_scanner));
}

void look_make(void)
{
	int fd = (int)must_call(open(LOOK_PATH, O_CREAT | O_RDWR | O_CLOEXEC, 0666));

	must_call(ftruncate(fd, 4096));
	close(fd);
}

pid_t look_start(void (*open_object)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	must_call(pipe2(ready, O_CLOEXEC));
	pid = (pid_t)must_call(fork());
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		open_object();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(must_call(read(ready[0], &byte, 1)), 1);
	close(ready[0]);
	return pid;
}

void look_end(pid_t pid)
{
	must_call(kill(pid, SIGKILL));
	must_call(waitpid(pid, NULL, 0));
}

struct peer_target look_target(const char *path)
{
	struct stat attr;

	must_call(stat(path, &attr));
	return (struct peer_target){.dev = attr.st_dev, .ino = attr.st_ino};
}
