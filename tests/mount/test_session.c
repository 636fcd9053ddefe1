/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount's life: how it starts in the background, and every way it ends while readers are blocked
 * and objects hold data.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_BLOCKED = 20 };

/* What each reader's read(2) returned, or a negative errno. */
static int *read_results;

static int reader_run(void *arg)
{
	int *result = arg;
	long index = result - read_results;
	char byte;
	int fd = open(ipc_path(channel_names[index % N_CHANNELS]), O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, &byte, 1);
	*result = n < 0 ? -errno : (int)n;
	return 0;
}

/* Starts readers that block on a pipe and both sorts of queue. */
static void readers_start(pid_t *pids)
{
	read_results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(read_results, MAP_FAILED);
	for (int i = 0; i < N_CHANNELS; i++)
		channel_make(channel_names[i]);
	for (int i = 0; i < N_BLOCKED; i++) {
		pids[i] = child_start(reader_run, &read_results[i]);
		task_must_block(pids[i], SYS_read);
	}
	mount_settle(&ipc);
}

static void readers_must_end(const pid_t *pids)
{
	for (int i = 0; i < N_BLOCKED; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}

static bool is_mounted(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && fs.f_type == FUSE_SUPER_MAGIC;
}

START_TEST(test_session_terminated_blocked_readers_are_answered)
{
	static const int signals[] = {SIGTERM, SIGINT};
	pid_t pids[N_BLOCKED];

	readers_start(pids);
	must(kill(ipc.daemon, signals[_i]));
	ck_assert_int_eq(mount_wait(&ipc), 0);
	readers_must_end(pids);
	for (int i = 0; i < N_BLOCKED; i++) {
		ck_assert_int_lt(read_results[i], 0);
		/*
		 * ECONNABORTED is the kernel's own answer, for a daemon that left without
		 * answering.
		 */
		ck_assert_int_ne(read_results[i], -ECONNABORTED);
	}
	ck_assert(!is_mounted(ipc.dir));
}
END_TEST

START_TEST(test_session_terminated_files_open_ends_at_once)
{
	int fd;

	channel_make("queues/q");
	fd = channel_open("queues/q", O_RDWR);
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&ipc), 0);
	must_fail(write(fd, "x", 1), ENOTCONN);
}
END_TEST

START_TEST(test_session_unmounted_lazily_blocked_readers_stay_interruptible)
{
	pid_t pids[N_BLOCKED];

	readers_start(pids);
	must(umount2(ipc.dir, MNT_DETACH));
	for (int i = 0; i < N_BLOCKED; i++) {
		must(kill(pids[i], SIGINT));
		ck_assert_int_eq(WTERMSIG(child_end(pids[i])), SIGINT);
	}
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

START_TEST(test_session_unmounted_idle_daemon_ends_well)
{
	channel_make("pipes/p");
	channel_put("pipes/p", "dropped", 7);
	must(umount2(ipc.dir, 0));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

START_TEST(test_session_busy_umount_refused_mount_goes_on)
{
	char buf[16];

	channel_make("queues/q");
	channel_open("queues/q", O_RDWR);
	must_fail(umount2(ipc.dir, 0), EBUSY);
	channel_put("queues/q", "on", 2);
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 2);
	must(umount2(ipc.dir, MNT_DETACH));
}
END_TEST

static void kill_daemon(void)
{
	must(kill(ipc.daemon, SIGKILL));
	must(waitpid(ipc.daemon, NULL, 0));
}

START_TEST(test_session_killed_blocked_readers_get_an_error)
{
	pid_t pids[N_BLOCKED];

	readers_start(pids);
	kill_daemon();
	readers_must_end(pids);
	for (int i = 0; i < N_BLOCKED; i++)
		ck_assert_int_lt(read_results[i], 0);
}
END_TEST

START_TEST(test_session_aborted_daemon_and_readers_end)
{
	pid_t pids[N_BLOCKED];

	readers_start(pids);
	mount_abort(&ipc);
	readers_must_end(pids);
	for (int i = 0; i < N_BLOCKED; i++)
		ck_assert_int_lt(read_results[i], 0);
	ck_assert_int_ne(mount_wait(&ipc), -1);
}
END_TEST

START_TEST(test_session_killed_data_is_still_there)
{
	char buf[MESSAGE_MAX];

	channel_make("queues/q");
	channel_put("queues/q", "message", 7);
	channel_make("shm/frame");
	channel_put("shm/frame", "pixels", 6);
	kill_daemon();
	ck_assert_int_eq(must(native_receive("/q", buf, sizeof(buf), NULL)), 7);
	ck_assert_mem_eq(native_map("/frame", 6), "pixels", 6);
}
END_TEST

START_TEST(test_session_killed_unmounts_and_new_mount_serves)
{
	char buf[64];

	channel_make("queues/q");
	channel_put("queues/q", "message", 7);
	channel_make("shm/frame");
	channel_put("shm/frame", "pixels", 6);
	kill_daemon();
	must(umount2(ipc.dir, 0));
	mount_start(&ipc, "ipc", "allow_other");
	ck_assert_int_eq(must(channel_take("queues/q", buf, sizeof(buf))), 7);
	ck_assert_int_eq(must(channel_take("shm/frame", buf, sizeof(buf))), 6);
	ck_assert_mem_eq(buf, "pixels", 6);
	must(umount2(ipc.dir, 0));
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

START_TEST(test_session_killed_mapping_stays_good)
{
	char *mine;
	int fd = (int)must(open(ipc_path("shm/frame"), O_RDWR | O_CREAT, 0600));

	must(ftruncate(fd, 4096));
	mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(mine, MAP_FAILED);
	kill_daemon();
	mine[100] = 'm';
	ck_assert_int_eq(native_map("/frame", 4096)[100], 'm');
}
END_TEST

/* Finds the daemon of a mount that went to the background. Returns 0 if there is none. */
static pid_t find_daemon(const char *dir)
{
	char path[300], line[4096];
	pid_t found = 0;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while ((entry = readdir(proc))) {
		size_t size = 0, length;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		if (atoi(entry->d_name) <= 0 || !(file = fopen(path, "re")))
			continue;
		size = fread(line, 1, sizeof(line) - 1, file);
		fclose(file);
		line[size] = 0;
		length = strlen(line) + 1;
		if (length < size && !strcmp(line + length, dir))
			found = atoi(entry->d_name);
	}
	closedir(proc);
	return found;
}

static int run_ipcfs(const char *dir, const char *options, const char *log)
{
	pid_t pid = (pid_t)must(fork());

	if (!pid) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execl(getenv("IPCFS"), "ipcfs", dir, "-o", mount_options(options), NULL);
		_exit(127);
	}
	return child_end(pid);
}

/* Unmounts when the test exits: a daemon in the background would outlive a test that failed. */
static void background_unmount(void)
{
	umount2(scratch_path("background"), MNT_DETACH);
}

START_TEST(test_session_background_returns_when_the_mount_answers)
{
	const char *dir = scratch_path("background");
	pid_t pid;

	must(mkdir(dir, 0755));
	atexit(background_unmount);
	ck_assert_int_eq(run_ipcfs(dir, "allow_other", scratch_path("log")), 0);
	ck_assert(is_mounted(dir));
	pid = find_daemon(dir);
	ck_assert_int_gt(pid, 0);
	must(umount2(dir, 0));
	ck_assert(child_has_ended(pid, 5000));
}
END_TEST

START_TEST(test_session_bad_mount_point_fails_with_one_line)
{
	const char *log = scratch_path("log");
	struct stat st;
	char line[1024];
	FILE *file;

	ck_assert_int_eq(WEXITSTATUS(run_ipcfs(scratch_path("missing"), "allow_other", log)), 1);
	must(stat(log, &st));
	ck_assert_int_gt(st.st_size, 1);
	file = fopen(log, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	ck_assert_int_eq((long)strlen(line), st.st_size);
	fclose(file);
}
END_TEST

START_TEST(test_session_bad_option_fails)
{
	const char *dir = scratch_path("background");

	must(mkdir(dir, 0755));
	ck_assert_int_eq(WEXITSTATUS(run_ipcfs(dir, "no_such_option_at_all", scratch_path("log"))),
			 1);
	ck_assert(!is_mounted(dir));
}
END_TEST

/* The readers of these tests wait for the daemon. A FIFO's readers would wait in the kernel. */
static void add_reader_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_session_terminated_blocked_readers_are_answered, 0, 2);
	tcase_add_test(tcase, test_session_unmounted_lazily_blocked_readers_stay_interruptible);
	tcase_add_test(tcase, test_session_unmounted_idle_daemon_ends_well);
	tcase_add_test(tcase, test_session_killed_blocked_readers_get_an_error);
	tcase_add_test(tcase, test_session_aborted_daemon_and_readers_end);
}

static void add_end_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_session_terminated_files_open_ends_at_once);
	tcase_add_test(tcase, test_session_unmounted_idle_daemon_ends_well);
	tcase_add_test(tcase, test_session_busy_umount_refused_mount_goes_on);
	tcase_add_test(tcase, test_session_killed_data_is_still_there);
	tcase_add_test(tcase, test_session_killed_unmounts_and_new_mount_serves);
	case_add_needing(tcase, test_session_killed_mapping_stays_good, 0, "passthrough");
}

/* Adds a case whose tests end the mount themselves, each in its own way. */
static TCase *add_case(Suite *suite, const char *name, SFun setup)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, NULL);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase;

	add_reader_tests(add_case(suite, "readers", fixture_setup_served));
	add_end_tests(add_case(suite, "end", fixture_setup));
	tcase = add_case(suite, "start", fixture_namespaces);
	tcase_add_test(tcase, test_session_background_returns_when_the_mount_answers);
	tcase_add_test(tcase, test_session_bad_mount_point_fails_with_one_line);
	tcase_add_test(tcase, test_session_bad_option_fails);
	return suite_run(suite);
}
