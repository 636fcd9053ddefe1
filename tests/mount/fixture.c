/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Namespaces, mounts and figures about the daemon. The runner makes the base directory, and each
 * test covers it with a tmpfs in its own mount namespace, so nothing of a test outlives it. The
 * device number of a mount comes from mountinfo, so that a mount that hangs need not be asked.
 */
#include "tests/mount/fixture.h"

#include "tests/mount/path.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

struct mount ipc;

/* The number of descriptors that the daemon had before the test. */
static int n_before;

static char base[] = "/tmp/ipcfs-test-XXXXXX";

const char *mount_path(const struct mount *mount, const char *name)
{
	return path_join(mount->dir, name);
}

const char *ipc_path(const char *name)
{
	return path_join(ipc.dir, name);
}

const char *scratch_path(const char *name)
{
	return path_join(base, name);
}

static const char *connection_path(const struct mount *mount, const char *file)
{
	char name[64];

	snprintf(name, sizeof(name), "%u/%s", mount->minor, file);
	return path_join("/sys/fs/fuse/connections", name);
}

void fixture_namespaces(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWIPC));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("tmpfs", base, "tmpfs", 0, "mode=0755"));
	must(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777"));
	/* /dev/mqueue would show the machine's queues, not those of this namespace. */
	while (umount2("/dev/mqueue", MNT_DETACH) == 0)
		;
	if (access("/sys/fs/fuse/connections/0", F_OK) < 0)
		(void)mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static unsigned int mount_find_minor(const char *dir)
{
	char line[4096], point[1024];
	unsigned int found = 0, major, minor;
	FILE *info = fopen("/proc/self/mountinfo", "re");

	ck_assert_ptr_nonnull(info);
	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "%*u %*u %u:%u %*s %1023s", &major, &minor, point) == 3 &&
		    !strcmp(point, dir))
			found = minor;
	fclose(info);
	return found;
}

static bool mount_is_ready(void *arg)
{
	struct mount *mount = arg;
	struct statfs fs;

	if (waitpid(mount->daemon, NULL, WNOHANG) != 0)
		ck_abort_msg("ipcfs ended before its mount answered");
	if (!mount->minor)
		mount->minor = mount_find_minor(mount->dir);
	return mount->minor && !statfs(mount->dir, &fs) && fs.f_type == FUSE_SUPER_MAGIC;
}

const char *mount_options(const char *options)
{
	static char list[4096];
	const char *extra = getenv("IPCFS_TEST_OPTIONS");

	if (!extra || !*extra)
		return options;
	ck_assert_int_lt(snprintf(list, sizeof(list), "%s,%s", extra, options), sizeof(list));
	return list;
}

void mount_start(struct mount *mount, const char *name, const char *options)
{
	const char *program = getenv("IPCFS");

	mount->minor = 0;
	snprintf(mount->dir, sizeof(mount->dir), "%s", scratch_path(name));
	if (mkdir(mount->dir, 0755) < 0)
		ck_assert_int_eq(errno, EEXIST);
	mount->daemon = (pid_t)must(fork());
	if (!mount->daemon) {
		signal(SIGPIPE, SIG_DFL);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl(program, program, mount->dir, "-f", "-o", mount_options(options), NULL);
		_exit(127);
	}
	ck_assert_msg(wait_until(mount_is_ready, mount, 10000), "the mount does not answer");
}

void mount_abort(const struct mount *mount)
{
	int fd = open(connection_path(mount, "abort"), O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		perror("abort");
	if (fd >= 0)
		close(fd);
}

int mount_wait(struct mount *mount)
{
	int status = 0;

	if (child_has_ended(mount->daemon, 10000)) {
		waitpid(mount->daemon, &status, 0);
		return status;
	}
	mount_abort(mount);
	kill(mount->daemon, SIGKILL);
	waitpid(mount->daemon, &status, 0);
	return -1;
}

void fixture_mount(const char *options)
{
	mount_start(&ipc, "ipc", options);
	n_before = mount_descriptors(&ipc);
}

static void start(const char *options)
{
	fixture_namespaces();
	fixture_mount(options);
}

void fixture_setup(void)
{
	start("allow_other");
}

void fixture_setup_served(void)
{
	start("allow_other,pipe_served=daemon");
}

void fixture_setup_supervised(void)
{
	start("allow_other,supervise=yes");
}

/*
 * Closes the test's open files in the mount. Finds them in /proc, without a request to the mount.
 */
static void close_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	char target[512];
	struct dirent *entry;
	ssize_t n;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		if (!strncmp(target, ipc.dir, strlen(ipc.dir)))
			close(atoi(entry->d_name));
	}
	closedir(dir);
}

static void remove_pipes(void)
{
	DIR *dir = opendir(ipc_path("pipes"));
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		/* The socket of a server may go by itself meanwhile. */
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			ck_assert_int_eq(errno, ENOENT);
	closedir(dir);
}

static bool has_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	bool found = false;

	ck_assert_ptr_nonnull(maps);
	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, ipc.dir) != NULL;
	fclose(maps);
	return found;
}

static bool has_leaked_nothing(void *arg)
{
	(void)arg;
	return mount_descriptors(&ipc) <= n_before;
}

void fixture_teardown(void)
{
	int status;

	close_files();
	remove_pipes();
	if (!has_maps())
		ck_assert_msg(wait_until(has_leaked_nothing, NULL, 2000),
			      "ipcfs leaks: %d descriptors, before the test %d",
			      mount_descriptors(&ipc), n_before);
	must(kill(ipc.daemon, SIGTERM));
	status = mount_wait(&ipc);
	ck_assert_msg(status == 0, "ipcfs ended with wait status %#x after SIGTERM", status);
}

int mount_waiting(const struct mount *mount)
{
	int n = -1;
	FILE *file = fopen(connection_path(mount, "waiting"), "re");

	if (file && fscanf(file, "%d", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

void mount_settle(const struct mount *mount)
{
	struct statfs fs;

	must(statfs(mount->dir, &fs));
}

int mount_descriptors(const struct mount *mount)
{
	char path[64];
	int n = 0;
	DIR *dir;

	mount_settle(mount);
	snprintf(path, sizeof(path), "/proc/%d/fd", mount->daemon);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

long mount_memory(const struct mount *mount)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	mount_settle(mount);
	snprintf(path, sizeof(path), "/proc/%d/status", mount->daemon);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "RssAnon: %ld", &kib);
	fclose(file);
	ck_assert_int_ge(kib, 0);
	return kib;
}

bool program_is_sanitized(void)
{
	const char *program = getenv("IPCFS");
	char line[4096];
	bool found = false;
	FILE *file = program ? fopen(program, "re") : NULL;
	size_t n;

	while (file && !found && (n = fread(line, 1, sizeof(line), file)) > 0) {
		found = memmem(line, n, "libasan", 7) != NULL;
		/* The name may lie across two pieces of the file, so read the last bytes again. */
		if (n == sizeof(line))
			fseek(file, -7, SEEK_CUR);
	}
	if (file)
		fclose(file);
	return found;
}

bool mount_is_without(const char *feature)
{
	const char *set = getenv("IPCFS_TEST_OPTIONS");
	char options[4096], *rest = options, *option, *name;
	bool found = false;

	snprintf(options, sizeof(options), "%s", set ? set : "");
	while ((option = strsep(&rest, ","))) {
		if (strncmp(option, "without=", 8) != 0)
			continue;
		option += 8;
		while ((name = strsep(&option, ":")))
			found = found || !strcmp(name, feature);
	}
	return found;
}

void case_add_needing(TCase *tcase, const TTest *test, int i, const char *needs)
{
	char list[128], *rest = list, *name;

	snprintf(list, sizeof(list), "%s", needs);
	while ((name = strsep(&rest, ":")) && !mount_is_without(name))
		;
	if (name)
		printf("# left out: %s for %d: without %s\n", test->name, i, name);
	else
		tcase_add_loop_test(tcase, test, i, i + 1);
	fflush(stdout); /* otherwise each test's process would print it again */
}

TCase *suite_case_set_up(Suite *suite, const char *name, int seconds, SFun setup)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, seconds);
	tcase_add_checked_fixture(tcase, setup, fixture_teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

TCase *suite_case(Suite *suite, const char *name, int seconds)
{
	return suite_case_set_up(suite, name, seconds, fixture_setup);
}

TCase *suite_case_served(Suite *suite, const char *name, int seconds)
{
	return suite_case_set_up(suite, name, seconds, fixture_setup_served);
}

TCase *suite_case_supervised(Suite *suite, const char *name, int seconds)
{
	return suite_case_set_up(suite, name, seconds, fixture_setup_supervised);
}

int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int n_failed;

	if (!getenv("IPCFS") || access(getenv("IPCFS"), X_OK) < 0 || !mkdtemp(base)) {
		fprintf(stderr, "IPCFS has to name the ipcfs program: %s\n", strerror(errno));
		srunner_free(runner);
		return 1;
	}
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	rmdir(base);
	return n_failed > 0;
}
