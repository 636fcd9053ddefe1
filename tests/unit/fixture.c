/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setup and teardown run in the process that Check forks for the test, so the namespaces and the
 * descriptor count are the test's own. But a message queue counts against its user's limit in every
 * namespace, and other tests run at the same time. So the tests' queues are small.
 */
#include "tests/unit/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel/record.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/sample.h"

enum { SECONDS = 60, SPACES_MAX = 8 };

struct loop *loop;
struct state *host_state;
struct host host;
struct caller root;
struct caller stranger;

static struct space *spaces[SPACES_MAX];
static int n_spaces;
static int n_descriptors;
static struct rlimit descriptor_limit;

/* AddressSanitizer calls this. An allocation that fails returns NULL then, instead of aborting. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *error_name(long error)
{
	static char number[32];
	const char *name = error < 0 ? strerrorname_np((int)-error) : NULL;

	if (name)
		return name;
	snprintf(number, sizeof(number), "%ld", error);
	return number;
}

int fixture_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -3; /* ".", ".." and this directory itself */

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void fixture_limit_descriptors(int n)
{
	int next = (int)must_call(open("/", O_PATH | O_CLOEXEC));
	struct rlimit limit;

	close(next);
	must_call(getrlimit(RLIMIT_NOFILE, &descriptor_limit));
	limit = descriptor_limit;
	limit.rlim_cur = (rlim_t)next + (rlim_t)n;
	must_call(setrlimit(RLIMIT_NOFILE, &limit));
}

void fixture_unlimit_descriptors(void)
{
	must_call(setrlimit(RLIMIT_NOFILE, &descriptor_limit));
}

static void write_file(const char *path, int value)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file, "%s: %s", path, error_name(-errno));
	ck_assert_int_gt(fprintf(file, "%d", value), 0);
	ck_assert_msg(fclose(file) == 0, "%s: %s", path, error_name(-errno));
}

/*
 * Each test has a network namespace of its own, so that its abstract names and ports don't meet
 * those of other tests. The loopback interface of a new namespace is down.
 */
static void set_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = (int)must_call(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	must_call(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void setup(void)
{
	n_descriptors = fixture_descriptors();
	must_call(unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET));
	set_loopback_up();
	must_call(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must_call(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777"));
	/* As in tests/mount: systemd mounts the queues of the machine there. */
	while (umount2("/dev/mqueue", MNT_DETACH) == 0)
		;
	write_file("/proc/sys/fs/mqueue/msg_default", QUEUE_MESSAGES);
	write_file("/proc/sys/fs/mqueue/msgsize_default", QUEUE_MESSAGE_SIZE);
	umask(0);
	root = (struct caller){.pid = getpid()};
	/* The stranger has no process, only what host_know() would have read of one. */
	stranger = (struct caller){.uid = STRANGER,
				   .gid = STRANGER,
				   .has_queue_limit = true,
				   .queue_limit = RLIM_INFINITY};
	must(loop_new(&loop));
	must(state_new(false, &host_state));
	must(host_init(&host, loop, host_state));
	records_init(&host);
	/* Without a mount no FIFO can be opened, so the daemon serves the pipes itself. */
	host.pipes.by_daemon = true;
	/* Most callers in the tests have no process, and so no known PID namespace: serve any. */
	host.namespaces.foreign = 1U << NAMESPACE_PID;
}

struct space *fixture_open(const struct kind *kind)
{
	ck_assert_int_lt(n_spaces, SPACES_MAX);
	must(kind->open(&spaces[n_spaces], &host));
	return spaces[n_spaces++];
}

void fixture_replace(const struct space *space, struct space *next)
{
	for (int i = 0; i < n_spaces; i++)
		if (spaces[i] == space)
			spaces[i] = next;
}

void fixture_drop_privileges(void)
{
	must_call(setgroups(0, NULL));
	must_call(setresgid(STRANGER, STRANGER, STRANGER));
	must_call(setresuid(STRANGER, STRANGER, STRANGER));
	/* Otherwise /proc/self, which teardown() and LeakSanitizer read, would stay root's. */
	must_call(prctl(PR_SET_DUMPABLE, 1));
}

static bool keep_name(void *data, const char *name, ino_t ino, mode_t mode)
{
	*(char **)data = strdup(name);
	return false;
}

static void space_clear(struct space *space)
{
	char *name = NULL;

	/* Addresses, which no test has made; or what is elsewhere, when the link has ended. */
	if (!space_can_remove(space) || space->kind->is_remote)
		return;
	while (must(space_list(space, &root, keep_name, &name)) == 0 && name) {
		must(space_remove(space, name, &root));
		free(name);
		name = NULL;
	}
}

static void teardown(void)
{
	root.uid = geteuid(); /* an unprivileged daemon removes its own objects */
	host_stop(&host);
	host.is_serving = false; /* what is left is removed at once */
	loop_run_tasks(loop);
	while (n_spaces > 0) {
		space_clear(spaces[--n_spaces]);
		space_unref(spaces[n_spaces]);
	}
	caller_fini(&root);
	caller_fini(&stranger);
	host_fini(&host);
	loop_free(loop);
	state_free(host_state);
	ck_assert_msg(!host.users.users, "something is still charged to user %u",
		      host.users.users ? host.users.users->uid : 0);
	ck_assert_int_eq(fixture_descriptors(), n_descriptors);
}

static TCase *suite_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, SECONDS);
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

TCase *suite_add(Suite *suite, const char *name, const TTest *const tests[])
{
	TCase *tcase = suite_case(suite, name);

	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	return tcase;
}

TCase *suite_add_loop(Suite *suite, const char *name, const TTest *const tests[], int n)
{
	TCase *tcase = suite_case(suite, name);

	for (; *tests; tests++)
		tcase_add_loop_test(tcase, *tests, 0, n);
	return tcase;
}

static void case_add_kind(TCase *tcase, int i, const struct kind_test tests[])
{
	for (; tests->test; tests++) {
		const char *lack = sample_lacks(kinds[i], tests->needs);

		if (lack)
			printf("# left out: %s for %s: %s\n", tests->test->name, kinds[i]->path,
			       lack);
		else
			tcase_add_loop_test(tcase, tests->test, i, i + 1);
	}
}

/*
 * Turns FEATURE_MAP_FILES off, so that segments are attached. The tests on a mount don't try that.
 */
static void setup_kinds(void)
{
	host.features.off = 1U << FEATURE_MAP_FILES;
}

void suite_add_kinds(Suite *suite, const struct kind_test tests[])
{
	for (int i = 0; kinds[i]; i++) {
		TCase *tcase;
		const char *instead = sample_tested_in(kinds[i]);

		if (instead) {
			printf("# left out: all tests for %s: see %s\n", kinds[i]->path, instead);
			continue;
		}
		tcase = suite_case(suite, kinds[i]->path);
		tcase_add_checked_fixture(tcase, setup_kinds, NULL);
		case_add_kind(tcase, i, tests);
	}
	fflush(stdout); /* otherwise each test's process would print the same lines again */
}

int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int n_failed;

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed > 0;
}
