/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks while the daemon is killed, what many kills cost, and how a supervised mount ends.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/locking.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { N_KILLS = 20, PIPE_MOST = 65536 };

/* By target and call. */
START_TEST(test_takeover_a_lock)
{
	struct locking locking = locking_begin(_i);
	pid_t waiter;

	ck_assert_int_eq(locking_set(&locking, F_WRLCK, false), 0);
	takeover_kill();
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), EAGAIN);
	waiter = locking_start_waiter(&locking, F_WRLCK);
	mount_settle(&ipc);
	takeover_kill();
	mount_settle(&ipc);
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), EAGAIN);
	ck_assert(!child_has_ended(waiter, 0));
	ck_assert_int_eq(locking_set(&locking, F_UNLCK, false), 0);
	ck_assert_int_eq(locking_end_waiter(waiter), 0);
	takeover_kill();
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), 0);
	ck_assert_int_eq(locking_set(&locking, F_RDLCK, false), 0);
	takeover_kill();
	ck_assert_int_eq(locking_try(&locking, F_RDLCK), 0);
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), EAGAIN);
	waiter = locking_start_waiter(&locking, F_WRLCK);
	mount_settle(&ipc);
	takeover_kill();
	must(kill(waiter, SIGUSR1));
	ck_assert_int_eq(locking_end_waiter(waiter), EINTR);
	must(close(locking.fd));
	takeover_kill();
	ck_assert_int_eq(locking_try(&locking, F_WRLCK), 0);
	locking_remove();
}
END_TEST

static void put(int fd, const char *text)
{
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text));
}

/* With O_EXCL, what opens the FIFO is a regular file that leads into it. */
START_TEST(test_takeover_a_file_that_has_made_its_fifo)
{
	static char buf[PIPE_MOST];
	struct call call;
	struct stat st;
	ssize_t n, size = 0;
	int in, out,
		door = (int)must(
			open(ipc_path("pipes/d"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

	put(door, "one");
	mount_settle(&ipc);
	takeover_kill();
	must(fstat(door, &st));
	ck_assert(S_ISREG(st.st_mode));
	put(door, "two");
	takeover_kill();
	must_fail(pwrite(door, "!", 1, 0), ESPIPE);
	in = channel_open("pipes/d", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(must(read(in, buf, sizeof(buf))), 6);
	ck_assert(memcmp(buf, "onetwo", 6) == 0);
	out = channel_open("pipes/d", O_WRONLY | O_NONBLOCK);
	while ((n = write(out, buf, sizeof(buf))) > 0)
		size += n;
	call_write(&call, door, "late");
	takeover_kill();
	ck_assert(call_waits(&call));
	while (size > 0)
		size -= must(read(in, buf, sizeof(buf)));
	call_end_result(&call, 4);
	ck_assert_int_eq(size ? -size : must(read(in, buf, sizeof(buf))), 4);
	must(close(out));
	must(close(door));
	takeover_kill();
	mount_settle(&ipc);
	/* The end of what the former daemon has forked may take a moment. */
	while ((n = read(in, buf, 1)) < 0 && errno == EAGAIN)
		poll(NULL, 0, 1);
	ck_assert_int_eq(n, 0);
}
END_TEST

/* The memory of the daemon and the state in KiB. */
static long memory(void)
{
	char path[64], line[256];
	long kib, sum = 0;
	FILE *file;

	mount_settle(&ipc);
	snprintf(path, sizeof(path), "/proc/%d/status", takeover_daemon(&ipc));
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &kib) == 1 ||
		    sscanf(line, "RssShmem: %ld", &kib) == 1)
			sum += kib;
	fclose(file);
	return sum;
}

static int n_descriptors;

static bool are_as_many(void *unused)
{
	return mount_descriptors(&ipc) <= n_descriptors;
}

/* Has files of all sorts open, so that there is something to leak. */
START_TEST(test_takeover_costs_nothing_that_stays)
{
	static const char *const names[] = {"pipes/p", "topics/t", "queues/q", "sysv/queues/0x11",
					    "shm/r",   "sems/s",   "events/e", "pipes/k"};
	long before;

	look_command("create pipes/p served=daemon\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		channel_make(names[i]);
		channel_open(names[i], O_RDWR);
	}
	channel_open("info/summary", O_RDONLY);
	channel_open("info/queues/q/status", O_RDONLY);
	channel_open("queues", O_RDONLY | O_DIRECTORY);
	takeover_kill();
	takeover_kill();
	n_descriptors = mount_descriptors(&ipc);
	before = memory();
	for (int i = 0; i < N_KILLS; i++) {
		takeover_kill();
		look_at("info/summary");
		close(channel_open("queues/q", O_RDWR));
	}
	ck_assert_msg(wait_until(are_as_many, NULL, 5000), "%d descriptors, before it were %d",
		      mount_descriptors(&ipc), n_descriptors);
	if (!program_is_sanitized())
		ck_assert_int_lt(memory() - before, 512);
}
END_TEST

/* stat(2), open(2) and readdir(3) of everything, for as long as *arg is not set. */
static int look_around(void *arg)
{
	static const char *const dirs[] = {"queues", "topics", "info/queues", "sockets", "."};
	_Atomic bool *is_over = arg;
	struct stat st;

	for (int i = 0; !*is_over; i++) {
		if (stat(ipc_path("queues/q"), &st) < 0)
			return errno;
		if (!channel_is_listed(dirs[i % 5], i % 5 == 0 || i % 5 == 2 ? "q" : ".."))
			return ENOENT;
		close(channel_open("queues/q", O_RDWR));
	}
	return 0;
}

START_TEST(test_takeover_fails_no_stat_nor_open_nor_list)
{
	_Atomic bool *is_over = mmap(NULL, sizeof(*is_over), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[4];

	ck_assert_ptr_ne(is_over, MAP_FAILED);
	look_command("create queues/q\n");
	for (int i = 0; i < 4; i++)
		pids[i] = child_start(look_around, is_over);
	for (int i = 0; i < N_KILLS; i++)
		takeover_kill();
	*is_over = true;
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}
END_TEST

static bool is_gone(void *mount)
{
	struct statfs fs;

	return statfs(((struct mount *)mount)->dir, &fs) < 0 || fs.f_type != FUSE_SUPER_MAGIC;
}

/* By whether a daemon has been killed before. */
START_TEST(test_takeover_the_mount_ends_with_its_supervisor)
{
	struct call call;
	pid_t daemon;
	int fd;

	fixture_namespaces();
	mount_start(&ipc, "ipc", "supervise=yes");
	look_command("create queues/q\n");
	fd = channel_open("queues/q", O_RDWR);
	if (_i)
		takeover_kill();
	call_read(&call, fd);
	daemon = takeover_daemon(&ipc);
	must(kill(ipc.daemon, SIGKILL));
	call_end(&call);
	ck_assert_int_eq(call.result, -1);
	ck_assert(call.error == ENOTCONN || call.error == ECONNABORTED);
	ck_assert(wait_until(is_gone, &ipc, 20000));
	ck_assert(child_has_ended(daemon, 20000));
	mount_wait(&ipc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_ends");
	TCase *tcase = takeover_case(suite, "ends", 60);
	TCase *killed = tcase_create("killed");

	tcase_add_loop_test(tcase, test_takeover_a_lock, REGION * N_CALLS, N_TARGETS * N_CALLS);
	tcase_add_test(tcase, test_takeover_a_file_that_has_made_its_fifo);
	tcase_add_test(tcase, test_takeover_costs_nothing_that_stays);
	tcase_add_test(tcase, test_takeover_fails_no_stat_nor_open_nor_list);
	tcase_set_timeout(killed, 60);
	tcase_add_loop_test(killed, test_takeover_the_mount_ends_with_its_supervisor, 0, 2);
	suite_add_tcase(suite, killed);
	return suite_run(suite);
}
