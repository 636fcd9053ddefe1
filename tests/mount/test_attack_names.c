/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user tries to fill the daemon's memory by inventing names and keeping them. Other users are
 * served meanwhile, and the user's own open files keep working.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ATTACKER = 65534, OTHER = 4321 };

/*
 * N_NAMES are looked up. The mount remembers up to NAMES_MOST of them for one user, and its daemon
 * grows by less than MEMORY_MOST.
 */
enum { N_NAMES = 20000, NAMES_MOST = 500, MEMORY_MOST = 4096 /* KiB */ };

static struct mount few;

static void few_start(void)
{
	char options[64];

	fixture_namespaces();
	snprintf(options, sizeof(options), "allow_other,max_names=%d", NAMES_MOST);
	mount_start(&few, "few", options);
}

static void few_end(void)
{
	must(kill(few.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&few), 0);
}

static int look_up(int i)
{
	struct stat attr;
	char name[64];

	snprintf(name, sizeof(name), "sockets/tcp/h%d/%d", i / 100, i % 100 + 1);
	return stat(mount_path(&few, name), &attr) < 0 ? errno : 0;
}

/*
 * Looks a name up, and retries while there is no room. Where a thread of the daemon has to make
 * room, that takes time.
 */
static int look_up_patiently(int i)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int r = look_up(i);

	for (int n = 0; r == ENOBUFS && n < 5000; n++) {
		nanosleep(&pause, NULL);
		r = look_up(i);
	}
	return r;
}

static int write_one(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : errno;
}

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : errno;
}

/* Keeps a file open while it looks up names that need not exist, and then reads the file. */
static int invent_names_run(void *arg)
{
	int fd = open(mount_path(&few, "pipes/attacker"), O_RDWR | O_CREAT, 0600);
	int r = fd < 0 ? errno : write_one(fd);

	for (int i = 0; i < N_NAMES && r == 0; i++)
		r = mount_is_without("prune") ? look_up_patiently(i) : look_up(i);
	return r ? r : read_one(fd);
}

/*
 * Two processes take turns: one reports that it is ready, and continues when the other allows it.
 */
struct turns {
	int ready[2], go[2];
};

static void turns_make(struct turns *turns)
{
	must(pipe(turns->ready));
	must(pipe(turns->go));
}

static int turns_wait(const struct turns *turns)
{
	int r = write_one(turns->ready[1]);

	return r ? r : read_one(turns->go[0]);
}

/* Opens a file, changes its working directory, waits for its turn, and then uses both. */
static int go_on_run(void *arg)
{
	int fd = open(mount_path(&few, "events/other"), O_RDWR | O_CREAT, 0600);
	struct stat before, after;

	if (fd < 0 || chdir(mount_path(&few, "sockets/tcp/h1")) < 0 || stat(".", &before) < 0)
		return errno;
	if (turns_wait(arg) != 0)
		return EIO;
	if (stat(".", &after) < 0 || before.st_ino != after.st_ino)
		return ESTALE;
	if (stat("80", &after) < 0 || write(fd, "3", 1) != 1)
		return errno;
	return read_one(fd);
}

START_TEST(test_attack_invents_names_and_memory_stays_bounded)
{
	struct turns turns;
	long before;
	pid_t pid;

	turns_make(&turns);
	pid = child_start_as(OTHER, go_on_run, &turns);
	ck_assert_int_eq(read_one(turns.ready[0]), 0);
	before = mount_memory(&few);
	child_must_as(ATTACKER, invent_names_run, NULL);
	if (!program_is_sanitized())
		ck_assert_int_lt(mount_memory(&few) - before, MEMORY_MOST);
	ck_assert_int_eq(write_one(turns.go[1]), 0);
	ck_assert_int_eq(child_end(pid), 0);
	must(unlink(mount_path(&few, "pipes/attacker")));
	must(unlink(mount_path(&few, "events/other")));
}
END_TEST

/* Keeps everything that it has looked up in use, so that none of the names can be dropped. */
static int keep_names_run(void *arg)
{
	int fds[NAMES_MOST + 1], n;
	char name[64];

	for (n = 0; n <= NAMES_MOST; n++) {
		snprintf(name, sizeof(name), "sockets/tcp/k/%d", n + 1);
		fds[n] = open(mount_path(&few, name), O_PATH);
		if (fds[n] < 0)
			break;
	}
	if (n > NAMES_MOST || errno != ENOBUFS)
		return n > NAMES_MOST ? E2BIG : errno;
	/* Where there is no room for its name, an object is not made either. */
	if (open(mount_path(&few, "queues/unnamed"), O_RDWR | O_CREAT, 0600) >= 0)
		return EEXIST;
	if (errno != ENOBUFS)
		return errno;
	if (turns_wait(arg) != 0)
		return EIO;
	while (n > 0)
		close(fds[--n]);
	return look_up_patiently(0);
}

static int look_up_run(void *arg)
{
	return look_up(*(int *)arg);
}

START_TEST(test_attack_keeps_names_and_is_refused_alone)
{
	struct turns turns;
	int number = 0;
	pid_t pid;

	turns_make(&turns);
	pid = child_start_as(ATTACKER, keep_names_run, &turns);
	ck_assert_int_eq(read_one(turns.ready[0]), 0);
	child_must_as(OTHER, look_up_run, &number);
	must_fail(access(mount_path(&few, "queues/unnamed"), F_OK), ENOENT);
	ck_assert_int_eq(write_one(turns.go[1]), 0);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

/*
 * The entries of a directory, the processes that list it at the same time, and the KiB that the
 * lists of one user may take.
 */
enum { N_ENTRIES = 20000, N_LISTERS = 60, LISTS_MOST = 128 * 1024 };

static void make_long_directory(void)
{
	char name[NAME_MAX + 32];

	must(mkdir(scratch_path("long"), 0755));
	for (int i = 0; i < N_ENTRIES; i++) {
		snprintf(name, sizeof(name), "long/%0200d", i);
		must(mknod(scratch_path(name), S_IFSOCK | 0666, 0));
	}
}

/* The most memory that the daemon has ever had, in KiB. */
static long memory_peak(void)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", ipc.daemon);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "VmHWM: %ld", &kib);
	fclose(file);
	return kib;
}

static int list_run(void *arg)
{
	DIR *dir = opendir(arg);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return errno == ENOBUFS ? 0 : errno;
	errno = 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (errno == ENOBUFS || (errno == 0 && n == N_ENTRIES))
		return 0;
	return errno ? errno : EIO;
}

START_TEST(test_attack_lists_a_long_directory_many_times_at_once)
{
	pid_t pids[N_LISTERS];
	char path[512];
	long before;

	make_long_directory();
	snprintf(path, sizeof(path), "%s", ipc_path(unix_name("long")));
	before = memory_peak();
	for (int i = 0; i < N_LISTERS; i++)
		pids[i] = child_start_as(ATTACKER, list_run, path);
	for (int i = 0; i < N_LISTERS; i++)
		ck_assert_int_eq(WEXITSTATUS(child_end(pids[i])), 0);
	if (!program_is_sanitized())
		ck_assert_int_lt(memory_peak() - before, LISTS_MOST);
	child_must_as(OTHER, list_run, path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_names");
	TCase *tcase = tcase_create("names");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, few_start, few_end);
	tcase_add_test(tcase, test_attack_invents_names_and_memory_stays_bounded);
	tcase_add_test(tcase, test_attack_keeps_names_and_is_refused_alone);
	suite_add_tcase(suite, tcase);
	tcase = suite_case(suite, "lists", 60);
	tcase_add_test(tcase, test_attack_lists_a_long_directory_many_times_at_once);
	return suite_run(suite);
}
