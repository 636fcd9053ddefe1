// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the mount's options deny its users. Programs in shared memory, which most machines do not
 * let run natively, do not run through the mount either unless an option allows it. Nor does the
 * mount lead out of a network or IPC namespace.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { OTHER = 65534 };

static const char *const segment = "sysv/shm/0x000004d2";

static struct mount extra;

static void setup(void)
{
	fixture_namespaces();
}

static void end_extra(void)
{
	must(kill(extra.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&extra), 0);
}

/* Makes a program that exits with 0, and that everybody may run. */
static void make_program(void)
{
	int from = (int)must(open("/bin/true", O_RDONLY | O_CLOEXEC));
	int to = (int)must(open("/dev/shm/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	struct stat attr;

	must(fstat(from, &attr));
	while (attr.st_size > 0)
		attr.st_size -= must(sendfile(to, from, NULL, (size_t)attr.st_size));
	must(fchmod(to, 0755));
	close(from);
	close(to);
}

static int run_program(void *arg)
{
	const char *path = mount_path(&extra, "shm/program");

	(void)arg;
	execl(path, path, NULL);
	return errno;
}

static const struct {
	const char *options;
	bool may_exec;
} cases[] = {
	{"allow_other", false},       {"defaults,nofail,user", false}, {"exec", true},
	{"allow_exec", true},         {"noexec,exec", true},           {"exec,noexec", false},
	{"allow_exec,noexec", false},
};
enum { N_CASES = sizeof(cases) / sizeof(*cases) };

START_TEST(test_attack_options_runs_a_program_in_shared_memory)
{
	const int code = cases[_i].may_exec ? 0 : EACCES;
	struct statvfs fs;

	make_program();
	mount_start(&extra, "extra", cases[_i].options);
	must(statvfs(extra.dir, &fs));
	ck_assert_uint_eq(fs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC),
			  ST_NOSUID | ST_NODEV | (cases[_i].may_exec ? 0 : ST_NOEXEC));
	ck_assert_int_eq(child_code_as(OTHER, run_program, NULL), code);
	ck_assert_int_eq(child_code_as(0, run_program, NULL), code);
	end_extra();
}
END_TEST

/*
 * Returns 0 if the file can be mapped for reading, but neither mmap(2) nor mprotect(2) makes the
 * mapping executable.
 */
static int map_run(void *name)
{
	int fd = open(mount_path(&extra, name), O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || map == MAP_FAILED)
		return errno;
	for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++)
		if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, flags, fd, 0) != MAP_FAILED ||
		    errno != EPERM)
			return EXFULL;
	if (mprotect(map, 4096, PROT_READ | PROT_EXEC) == 0)
		return EXDEV;
	return errno == EACCES ? 0 : errno;
}

START_TEST(test_attack_options_maps_a_region_as_a_program)
{
	static const char *const names[] = {"shm/region", segment};

	mount_start(&extra, "extra", "allow_other");
	for (size_t i = 0; i < 2; i++) {
		const char *path = mount_path(&extra, names[i]);

		int fd = (int)must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755));

		must(ftruncate(fd, 4096));
		must(chmod(path, 0755));
		close(fd);
		child_must_as(OTHER, map_run, (void *)names[i]);
		child_must(map_run, (void *)names[i]);
	}
	end_extra();
}
END_TEST

/* One name for each place, and the errno that a caller in the mount's own namespaces gets, or 0. */
static const struct {
	const char *name;
	int home; /* the namespace it belongs to, as CLONE_NEW*; 0: the mount alone */
	int error;
} places[] = {
	{"pipes/p", 0, 0},
	{"queues/q", CLONE_NEWIPC, 0},
	{"shm/s", CLONE_NEWIPC, 0},
	{"sysv/queues/0x000004d2", CLONE_NEWIPC, 0},
	{"sockets/tcp/127.0.0.1/1", CLONE_NEWNET, ECONNREFUSED},
	{"sockets/abstract/none", CLONE_NEWNET, ENOENT},
};
enum { N_PLACES = sizeof(places) / sizeof(*places) };

static void start_with_places(const char *options)
{
	mount_start(&extra, "extra", options);
	for (int i = 0; i < N_PLACES; i++) {
		if (places[i].error)
			continue;
		close((int)must(open(mount_path(&extra, places[i].name),
				     O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666)));
		must(chmod(mount_path(&extra, places[i].name), 0666));
	}
}

static int open_place(int place)
{
	int fd = open(mount_path(&extra, places[place].name), O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

/* Returns 0, or 1 plus the number of the first place that was not as expected. */
static int visit(int away)
{
	for (int i = 0; i < N_PLACES; i++)
		if (open_place(i) != (places[i].home & away ? EPERM : places[i].error))
			return 1 + i;
	return 0;
}

static const struct {
	const char *options;
	int leaves; /* the namespaces that the caller leaves, as CLONE_NEW* */
	int away;   /* the namespaces whose places are then refused */
} journeys[] = {
	{"allow_other", 0, 0},
	{"allow_other", CLONE_NEWNET, CLONE_NEWNET},
	{"allow_other", CLONE_NEWIPC, CLONE_NEWIPC},
	{"allow_other", CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWNET | CLONE_NEWIPC},
	{"foreign=net", CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWIPC},
	{"foreign=ipc", CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWNET},
	{"foreign=net:ipc", CLONE_NEWNET | CLONE_NEWIPC, 0},
};
enum { N_JOURNEYS = sizeof(journeys) / sizeof(*journeys) };

static int leave_run(void *arg)
{
	int journey = *(int *)arg;

	if (unshare(journeys[journey].leaves) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 ||
	    setresuid(OTHER, OTHER, OTHER) < 0)
		return errno;
	return visit(journeys[journey].away);
}

/* Leaves the namespaces as any user can: in a new user namespace, where it has all capabilities. */
static int leave_as_user_run(void *arg)
{
	int journey = *(int *)arg;

	if (unshare(CLONE_NEWUSER | journeys[journey].leaves) < 0)
		return errno == EPERM || errno == ENOSPC ? 0 : errno; /* this machine forbids it */
	return visit(journeys[journey].away);
}

START_TEST(test_attack_options_leaves_its_namespaces)
{
	start_with_places(journeys[_i].options);
	child_must(leave_run, &_i);
	child_must_as(OTHER, leave_as_user_run, &_i);
	end_extra();
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
/* The daemon is in a PID namespace below this process's, so to the daemon the caller has no PID. */
START_TEST(test_attack_options_is_not_seen_by_the_daemon)
{
	must(unshare(CLONE_NEWPID));
	mount_start(&extra, "extra", _i ? "foreign=pid" : "allow_other");
	for (int i = 0; i < N_PLACES; i++) {
		int error = open_place(i);

		if (_i || !places[i].home)
			ck_assert_int_ne(error, EPERM);
		else
			ck_assert_int_eq(error, EPERM);
	}
	end_extra();
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("attack_options");
	TCase *tcase = tcase_create("exec");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, NULL);
	for (int i = 0; i < N_CASES; i++)
		case_add_needing(tcase, test_attack_options_runs_a_program_in_shared_memory, i,
				 "passthrough");
	case_add_needing(tcase, test_attack_options_maps_a_region_as_a_program, 0,
			 "passthrough:map_files");
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("foreign");
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, test_attack_options_leaves_its_namespaces, 0, N_JOURNEYS);
#ifndef __SANITIZE_ADDRESS__
	/* At exit the sanitizer makes a thread, which fails after unshare(CLONE_NEWPID). */
	tcase_add_loop_test(tcase, test_attack_options_is_not_seen_by_the_daemon, 0, 2);
#endif
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
