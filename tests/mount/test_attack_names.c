/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user does who wants the daemon's memory for himself: he invents names, and keeps them.
 * Others go on meanwhile, and so does he with what he has open.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTACKER = 65534, OTHER = 4321 };

/* Names that are looked up, and how many of them the mount remembers for one user. */
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

static int write_one(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : errno;
}

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : errno;
}

/* Has a file open, and looks up names that need not exist. */
static int invent_names_run(void *arg)
{
	int fd = open(mount_path(&few, "pipes/attacker"), O_RDWR | O_CREAT, 0600);
	int r = fd < 0 ? errno : write_one(fd);

	for (int i = 0; i < N_NAMES && r == 0; i++)
		r = look_up(i);
	return r ? r : read_one(fd);
}

/* Between two processes: the one says that it is ready, and goes on when the other says so. */
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

/* Has a file open and a working directory, and goes on with both. */
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

/* Keeps what he has looked up in use, so that none of it can be dropped. */
static int keep_names_run(void *arg)
{
	int fds[NAMES_MOST + 1], n, r;
	char name[64];

	for (n = 0; n <= NAMES_MOST; n++) {
		snprintf(name, sizeof(name), "sockets/tcp/k/%d", n + 1);
		fds[n] = open(mount_path(&few, name), O_PATH);
		if (fds[n] < 0)
			break;
	}
	if (n > NAMES_MOST || errno != ENOBUFS)
		return n > NAMES_MOST ? E2BIG : errno;
	if (turns_wait(arg) != 0)
		return EIO;
	while (n > 0)
		close(fds[--n]);
	/* The first may be refused still: they make room for those that follow. */
	for (r = ENOBUFS, n = 0; r == ENOBUFS && n < NAMES_MOST; n++)
		r = look_up(0);
	return r;
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
	ck_assert_int_eq(write_one(turns.go[1]), 0);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_names");
	TCase *tcase = tcase_create("names");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, few_start, few_end);
	case_add_needing(tcase, test_attack_invents_names_and_memory_stays_bounded, 0, "prune");
	case_add_needing(tcase, test_attack_keeps_names_and_is_refused_alone, 0, "prune");
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
