/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits. An ordinary user gets as many queues through the mount as natively, a user who takes all
 * they can does not spoil the mount for others, and a full /dev/shm gives ENOSPC.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHER = 65534 };

struct count {
	int n_native, native_error;
	int n_mount, mount_error;
	struct rlimit limit;
};

static struct count *count_new(rlim_t limit)
{
	struct count *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(count, MAP_FAILED);
	count->limit = (struct rlimit){limit, limit};
	return count;
}

/* Returns a user with no queues in any namespace: the kernel charges a user for all of them. */
static unsigned int fresh_user(void)
{
	return 100000 + (unsigned int)getpid();
}

/* Makes queues, natively and then through the mount, until one is refused. */
static int count_run(void *arg)
{
	struct count *count = arg;
	char name[32];
	mqd_t queue;
	int fd;

	if (setrlimit(RLIMIT_MSGQUEUE, &count->limit) < 0)
		return errno;
	for (count->n_native = 0; count->n_native < 1000; count->n_native++) {
		snprintf(name, sizeof(name), "/n%d", count->n_native);
		queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
		if (queue == (mqd_t)-1)
			break;
		mq_close(queue);
	}
	count->native_error = errno;
	for (int i = 0; i < count->n_native; i++) {
		snprintf(name, sizeof(name), "/n%d", i);
		mq_unlink(name);
	}
	for (count->n_mount = 0; count->n_mount < 1000; count->n_mount++) {
		snprintf(name, sizeof(name), "queues/n%d", count->n_mount);
		fd = open(ipc_path(name), O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	count->mount_error = errno;
	return 0;
}

START_TEST(test_limits_queue_memory_limit_as_native)
{
	static const rlim_t limits[] = {819200, 200000, 1000};
	struct count *count = count_new(limits[_i]);

	child_must_as(fresh_user(), count_run, count);
	ck_assert_int_eq(count->native_error, EMFILE);
	ck_assert_int_eq(count->n_mount, count->n_native);
	ck_assert_int_eq(count->mount_error, EMFILE);
}
END_TEST

START_TEST(test_limits_queue_number_limit_as_native)
{
	struct count *count = count_new(819200);

	ck_assert_int_eq(system("echo 3 > /proc/sys/fs/mqueue/queues_max"), 0);
	child_must_as(fresh_user(), count_run, count);
	ck_assert_int_eq(count->native_error, ENOSPC);
	ck_assert_int_eq(count->mount_error, ENOSPC);
	ck_assert_int_eq(count->n_mount, count->n_native);
}
END_TEST

static bool is_limit(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS;
}

enum { N_GREEDY = 3, N_GREEDY_OPENS = 900 };

/* Makes pipes with a byte in each, and keeps them open, until one is refused. */
static int make_many_run(void *arg)
{
	char name[32];

	(void)arg;
	for (int i = 0; i < N_GREEDY_OPENS; i++) {
		snprintf(name, sizeof(name), "pipes/n%d-%d", getpid(), i);
		int fd = open(ipc_path(name), O_RDWR | O_CREAT, 0600);
		if (fd < 0 || write(fd, "x", 1) != 1)
			return is_limit(errno) ? 0 : errno ? errno : EIO;
	}
	return 0;
}

/* Opens one channel over and over, until an open is refused. */
static int open_many_run(void *arg)
{
	for (int i = 0; i < N_GREEDY_OPENS; i++)
		if (open(ipc_path(arg), O_RDWR) < 0)
			return is_limit(errno) ? 0 : errno;
	return 0;
}

struct greedy {
	int (*body)(void *);
	void *arg;
};

/* Takes all that it can get, then stops itself and so keeps it. */
static int greedy_run(void *arg)
{
	struct greedy *greedy = arg;
	int ret = greedy->body(greedy->arg);

	raise(SIGSTOP);
	return ret;
}

/* Limits the daemon to 1,000 descriptors. Each of its users' processes may have as many. */
static void limit_descriptors(void)
{
	const struct rlimit small = {1000, 1000};

	must(setrlimit(RLIMIT_NOFILE, &small));
}

static void small_setup(void)
{
	limit_descriptors();
	fixture_setup();
	channel_make("pipes/mine");
}

static void small_setup_served(void)
{
	limit_descriptors();
	fixture_setup_served();
	channel_make("pipes/mine");
}

static void others_go_on(int (*body)(void *), const void *arg)
{
	struct greedy greedy = {.body = body, .arg = (void *)arg};
	pid_t pids[N_GREEDY];
	char buf[16];
	int status;

	for (int i = 0; i < N_GREEDY; i++) {
		pids[i] = child_start_as(OTHER, greedy_run, &greedy);
		must(waitpid(pids[i], &status, WUNTRACED));
		ck_assert(WIFSTOPPED(status));
	}
	channel_make("queues/mine");
	channel_put("queues/mine", "fine", 4);
	ck_assert_int_eq(must(channel_take("queues/mine", buf, sizeof(buf))), 4);
	channel_put("pipes/mine", "fine", 4);
	ck_assert_int_eq(must(channel_take("pipes/mine", buf, sizeof(buf))), 4);
	for (int i = 0; i < N_GREEDY; i++) {
		must(kill(pids[i], SIGCONT));
		ck_assert_int_eq(WEXITSTATUS(child_end(pids[i])), 0);
	}
}

START_TEST(test_limits_user_makes_all_it_can_others_go_on)
{
	others_go_on(make_many_run, NULL);
}
END_TEST

START_TEST(test_limits_user_opens_all_it_can_others_go_on)
{
	channel_make(channel_names[_i]);
	must(chmod(ipc_path(channel_names[_i]), 0666));
	others_go_on(open_many_run, channel_names[_i]);
}
END_TEST

/* Makes and removes a queue, over and over, until one is not made in time. */
static int make_late_run(void *arg)
{
	for (;;) {
		int fd = open(ipc_path("queues/late"), O_RDWR | O_CREAT | O_EXCL, 0600);

		if (fd < 0)
			return errno == EINTR ? 0 : errno;
		close(fd);
		if (unlink(ipc_path("queues/late")) < 0)
			return errno;
	}
}

/*
 * A user can stop the daemon's process that acts in their name, while the kernel has the directory
 * locked for it. The creation then ends, as if by a signal.
 */
START_TEST(test_limits_user_stops_a_creation_others_go_on)
{
	pid_t user = child_start_as(OTHER, make_late_run, NULL);
	pid_t maker = 0;

	while (!child_has_ended(user, 0) && task_state(maker) != 'T') {
		maker = task_find_child(ipc.daemon, OTHER);
		if (maker)
			kill(maker, SIGSTOP);
	}
	ck_assert_int_eq(WEXITSTATUS(child_end(user)), 0);
	channel_make("queues/mine");
}
END_TEST

/* Limits shared memory to 64 KiB for the whole test. */
static void shrink_shm(void)
{
	must(mount(NULL, "/dev/shm", NULL, MS_REMOUNT, "size=64k"));
}

START_TEST(test_limits_shm_full_write_enospc)
{
	static char data[128 * 1024];
	int fd;

	shrink_shm();
	channel_make("shm/s");
	fd = channel_open("shm/s", O_RDWR);
	ck_assert_int_eq(must(write(fd, data, sizeof(data))), 64 * 1024);
	must_fail(write(fd, data, sizeof(data)), ENOSPC);
	must_fail(fallocate(fd, 0, 0, 256 * 1024), ENOSPC);
}
END_TEST

START_TEST(test_limits_shm_emptied_write_works_again)
{
	static char data[64 * 1024];
	int fd;

	shrink_shm();
	channel_make("shm/s");
	fd = channel_open("shm/s", O_RDWR);
	ck_assert_int_eq(must(write(fd, data, sizeof(data))), sizeof(data));
	must_fail(pwrite(fd, data, 1, sizeof(data)), ENOSPC);
	must(ftruncate(fd, 0));
	ck_assert_int_eq(must(pwrite(fd, data, sizeof(data), 0)), sizeof(data));
}
END_TEST

START_TEST(test_limits_shm_no_inode_left_create_enospc)
{
	must(mount(NULL, "/dev/shm", NULL, MS_REMOUNT, "nr_inodes=2"));
	channel_make("shm/s");
	must_fail(open(ipc_path("shm/t"), O_RDWR | O_CREAT, 0600), ENOSPC);
}
END_TEST

static void add_small_tests(Suite *suite, const char *name, SFun setup)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, fixture_teardown);
	tcase_add_test(tcase, test_limits_user_makes_all_it_can_others_go_on);
	tcase_add_loop_test(tcase, test_limits_user_opens_all_it_can_others_go_on, 0, N_CHANNELS);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tcase = suite_case(suite, "limits", 30);

	tcase_add_loop_test(tcase, test_limits_queue_memory_limit_as_native, 0, 3);
	tcase_add_test(tcase, test_limits_queue_number_limit_as_native);
	tcase_add_test(tcase, test_limits_shm_full_write_enospc);
	tcase_add_test(tcase, test_limits_shm_emptied_write_works_again);
	tcase_add_test(tcase, test_limits_shm_no_inode_left_create_enospc);
	tcase_add_test(tcase, test_limits_user_stops_a_creation_others_go_on);
	add_small_tests(suite, "small", small_setup);
	add_small_tests(suite, "small_served", small_setup_served);
	return suite_run(suite);
}
