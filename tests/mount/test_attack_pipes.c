/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users hold a FIFO's lock for ever: the kernel has the lock while it copies from or to their
 * memory, and a page of that memory may never come. Other users can still use their own FIFOs, and
 * the mount ends when it has to.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/hung.h"
#include "tests/mount/kept.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * N_LOCKED: the number of locked FIFOs, more than there are workers. OTHERS_MOST: how long others
 * may wait, in milliseconds.
 */
enum { ATTACKER = 65534, OTHER = 4321, N_LOCKED = 12, OTHERS_MOST = 8000 };

static struct hung hung;

struct lock {
	int fifo; /* O_PATH: reopening it sends the daemon no request */
	bool by_read;
	pid_t holder, probe;
};

static struct lock locks[N_LOCKED];

static int open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK);
}

static int hold_run(void *arg)
{
	const struct lock *lock = arg;
	char path[128];
	int fd = open_again(lock->fifo, O_RDWR), file;
	void *page;

	snprintf(path, sizeof(path), "%s/file", hung.dir);
	file = open(path, O_RDONLY);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (fd < 0 || file < 0 || page == MAP_FAILED)
		return errno;
	if (!lock->by_read)
		return write(fd, page, 1) == 1 ? 0 : errno;
	return write(fd, "x", 1) != 1 || read(fd, page, 1) != 1 ? errno : 0;
}

static int probe_run(void *arg)
{
	return open_again(((struct lock *)arg)->fifo, O_RDONLY) < 0 ? errno : 0;
}

static bool is_stuck(void *arg)
{
	return task_state(*(pid_t *)arg) == 'D';
}

/*
 * The holder sleeps until the page comes, or behind another holder that asked for the page first.
 */
static bool is_holding(void *arg)
{
	const struct lock *lock = arg;

	return task_syscall(lock->holder) == (lock->by_read ? SYS_read : SYS_write) &&
	       strchr("SD", task_state(lock->holder));
}

/* Locks the FIFO as the attacker. Whoever then opens the FIFO is stuck. */
static void lock_begin(struct lock *lock, bool by_read)
{
	lock->by_read = by_read;
	lock->holder = child_start_as(ATTACKER, hold_run, lock);
	ck_assert_msg(wait_until(is_holding, lock, 5000), "the holder is in state %c, call %ld",
		      task_state(lock->holder), task_syscall(lock->holder));
	lock->probe = child_start_as(ATTACKER, probe_run, lock);
	ck_assert_msg(wait_until(is_stuck, &lock->probe, 5000), "the FIFO is not locked");
	must(close(lock->fifo));
}

static void locks_end(void)
{
	hung_end(&hung);
	for (int i = 0; i < N_LOCKED; i++) {
		child_end(locks[i].holder);
		child_end(locks[i].probe);
	}
}

static int make_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY | O_CREAT, 0600);

	return fd < 0 ? errno : 0;
}

static const char *locked_name(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "pipes/locked%d", i);
	return name;
}

/*
 * Makes the FIFOs and locks them. Half of them belong to the attacker, half to root, and everybody
 * may use them all. With are_let_go, the daemon has let each FIFO go before the attacker opens it;
 * it holds the FIFO again when someone looks at it.
 */
static void lock_all(bool are_let_go)
{
	hung_start(&hung);
	for (int i = 0; i < N_LOCKED; i++) {
		const char *name = locked_name(i);

		if (i % 2)
			child_must_as(ATTACKER, make_run, (void *)name);
		else
			kept_make(name);
		must(chmod(ipc_path(name), 0666));
		locks[i].fifo = (int)must(open(ipc_path(name), O_PATH | O_CLOEXEC));
	}
	for (int i = 0; i < N_LOCKED; i++) {
		if (are_let_go)
			kept_await_held(locked_name(i), "no");
		lock_begin(&locks[i], i % 4 < 2);
	}
}

static int read_all(const char *name)
{
	char text[4096];
	int fd = open(ipc_path(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0)
		n = read(fd, text, sizeof(text));
	return n < 0 ? errno : 0;
}

static int list_run(void *arg)
{
	DIR *dir = opendir(ipc_path("pipes"));
	struct dirent *entry;
	struct stat st;

	(void)arg;
	if (!dir)
		return errno;
	/* A stat of a locked FIFO may fail, but it must not wait for ever. */
	while ((entry = readdir(dir)))
		(void)fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int use_run(void *arg)
{
	const char *path = ipc_path("pipes/mine");
	char buf[8];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	(void)arg;
	if (fd < 0 || write(fd, "mine", 4) != 4 || close(fd) < 0)
		return errno;
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, buf, sizeof(buf)) != 4 || read(fd, buf, sizeof(buf)) != 0)
		return errno ? errno : EBADMSG;
	return unlink(path) < 0 ? errno : 0;
}

static int look_run(void *arg)
{
	static const char *const names[] = {"info/summary", "info/metrics", "info/inventory.json"};

	(void)arg;
	for (int i = 0; i < 3; i++)
		if (read_all(names[i]) != 0)
			return errno;
	return 0;
}

static void others_go_on(void)
{
	static int (*const runs[])(void *arg) = {list_run, use_run, look_run};

	for (int i = 0; i < 9; i++) {
		pid_t other = child_start_as(OTHER, runs[i % 3], NULL);

		ck_assert_msg(child_has_ended(other, OTHERS_MOST), "others wait: %d", i % 3);
		ck_assert_int_eq(child_end(other), 0);
	}
}

START_TEST(test_attack_locks_fifos_and_others_go_on)
{
	lock_all(_i);
	others_go_on();
	locks_end();
	others_go_on();
}
END_TEST

/*
 * Removes a FIFO. If the FIFO can't be looked at within a second, unlink(2) fails with EAGAIN, and
 * only ctl can remove it.
 */
static int remove_one(const char *name)
{
	char line[64];
	int fd, n = snprintf(line, sizeof(line), "remove %s", name);

	if (unlink(ipc_path(name)) == 0)
		return 0;
	if (errno != EAGAIN)
		return errno;
	fd = open(ipc_path("ctl"), O_WRONLY);
	return write(fd, line, (size_t)n) == n ? 0 : errno;
}

static int remove_run(void *arg)
{
	int error = 0;

	(void)arg;
	for (int i = 0; !error && i < N_LOCKED; i++)
		error = remove_one(locked_name(i));
	return error;
}

START_TEST(test_attack_locks_fifos_and_root_removes_them)
{
	pid_t root;

	lock_all(_i);
	root = child_start(remove_run, NULL);
	ck_assert_msg(child_has_ended(root, 2 * OTHERS_MOST), "root waits");
	ck_assert_int_eq(child_end(root), 0);
	others_go_on();
	locks_end();
}
END_TEST

/*
 * The three requests below ask for what is in a locked FIFO, and may wait for its lock. Ctrl-C ends
 * that wait.
 */
static int ask_run(void *arg)
{
	static const char line[] = "empty pipes/locked0";
	int fd = open(ipc_path("ctl"), O_WRONLY);

	(void)arg;
	return fd < 0 || write(fd, line, sizeof(line) - 1) < 0 ? errno : 0;
}

static int peek_run(void *arg)
{
	(void)arg;
	return read_all("info/pipes/locked0/peek");
}

static int status_run(void *arg)
{
	(void)arg;
	return read_all("info/pipes/locked0/status");
}

START_TEST(test_attack_locks_fifos_and_who_asks_is_interruptible)
{
	static int (*const runs[])(void *arg) = {ask_run, peek_run, status_run};
	pid_t pids[3];

	lock_all(false);
	for (int i = 0; i < 3; i++)
		pids[i] = child_start(runs[i], NULL);
	others_go_on();
	for (int i = 0; i < 3; i++) {
		must(kill(pids[i], SIGINT));
		ck_assert_msg(child_has_ended(pids[i], 2000), "%d can't be ended: state %c", i,
			      task_state(pids[i]));
		child_end(pids[i]);
	}
	locks_end();
}
END_TEST

static bool is_unmounted(void *arg)
{
	struct statfs fs;

	(void)arg;
	return statfs(ipc.dir, &fs) == 0 && fs.f_type != FUSE_SUPER_MAGIC;
}

/*
 * Not even a signal ends a wait for such a lock, so the daemon may live until the lock is released.
 * But the mount ends before that.
 */
START_TEST(test_attack_locks_fifos_and_the_mount_ends)
{
	struct mount old;

	lock_all(_i);
	old = ipc;
	must(kill(old.daemon, SIGTERM));
	ck_assert_msg(wait_until(is_unmounted, NULL, OTHERS_MOST), "it is still mounted");
	mount_start(&ipc, "ipc", "allow_other");
	others_go_on();
	locks_end();
	ck_assert_int_eq(mount_wait(&old), 0);
	must(umount2(ipc.dir, 0));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_pipes");
	TCase *tcase = suite_case(suite, "locks", 60);

	kept_add_loop(tcase, test_attack_locks_fifos_and_others_go_on, 2);
	kept_add_loop(tcase, test_attack_locks_fifos_and_root_removes_them, 2);
	kept_add(tcase, test_attack_locks_fifos_and_who_asks_is_interruptible);
	tcase = tcase_create("end");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_setup, NULL);
	suite_add_tcase(suite, tcase);
	kept_add_loop(tcase, test_attack_locks_fifos_and_the_mount_ends, 2);
	return suite_run(suite);
}
