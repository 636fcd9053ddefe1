// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has an object open: a child opens it in some way and waits, and the scan has to find it with
 * its access, user and name, and nobody else.
 */
#include <errno.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/info/peers.h"
#include "tests/unit/fixture.h"

#define PATH "/dev/shm/object" /* in the test's own namespace */

static struct peers found;

/* A process that does open_object() and waits. */
static pid_t start(void (*open_object)(void))
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

static void end(pid_t pid)
{
	must_call(kill(pid, SIGKILL));
	must_call(waitpid(pid, NULL, 0));
}

/* The file as the kernel has it. */
static struct peer_target target_of(const char *path)
{
	struct stat attr;

	must_call(stat(path, &attr));
	return (struct peer_target){.dev = attr.st_dev, .ino = attr.st_ino};
}

static void make_object(void)
{
	int fd = (int)must_call(open(PATH, O_CREAT | O_RDWR | O_CLOEXEC, 0666));

	must_call(ftruncate(fd, 4096));
	close(fd);
}

static void must_open(int flags)
{
	if (open(PATH, flags) < 0)
		_exit(1);
}

static void *map(int protection, int flags)
{
	int fd = open(PATH, O_RDWR);
	void *mapped = mmap(NULL, 4096, protection, flags, fd, 0);

	if (fd < 0 || mapped == MAP_FAILED)
		_exit(1);
	close(fd);
	return mapped;
}

static void open_read(void)
{
	must_open(O_RDONLY);
}

static void open_write(void)
{
	must_open(O_WRONLY);
}

static void open_both(void)
{
	must_open(O_RDWR);
}

static void open_read_and_write(void)
{
	must_open(O_RDONLY);
	must_open(O_WRONLY);
	must_open(O_RDONLY);
}

static void map_read(void)
{
	map(PROT_READ, MAP_SHARED);
}

static void map_shared(void)
{
	map(PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void map_private(void)
{
	map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static void map_and_open_write(void)
{
	map_read();
	open_write();
}

static const struct {
	void (*open_object)(void);
	const char *access;
} ways[] = {
	{open_read, "r"}, {open_write, "w"},   {open_both, "rw"},   {open_read_and_write, "rw"},
	{map_read, "rm"}, {map_shared, "rwm"}, {map_private, "rm"}, {map_and_open_write, "rwm"},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

START_TEST(test_peers_native_user_is_found_with_its_access)
{
	struct peer_target target;
	pid_t pid;

	make_object();
	target = target_of(PATH);
	pid = start(ways[_i].open_object);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 1);
	ck_assert_int_eq(found.peers[0].pid, pid);
	ck_assert_uint_eq(found.peers[0].target, 0);
	ck_assert_str_eq(peer_access_name(found.peers[0].access), ways[_i].access);
	peers_fini(&found);
	end(pid);
}
END_TEST

START_TEST(test_peers_nobody_is_nobody)
{
	struct peer_target target;

	make_object();
	target = target_of(PATH);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
}
END_TEST

START_TEST(test_peers_who_has_closed_it_is_none)
{
	struct peer_target target;
	pid_t pid;

	make_object();
	target = target_of(PATH);
	pid = start(open_both);
	end(pid);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
}
END_TEST

START_TEST(test_peers_the_daemon_itself_is_none)
{
	struct peer_target target;
	int fd;

	make_object();
	target = target_of(PATH);
	fd = (int)must_call(open(PATH, O_RDWR | O_CLOEXEC));
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
	close(fd);
}
END_TEST

START_TEST(test_peers_no_target_matches_nobody)
{
	const struct peer_target nothing = {0};
	pid_t pid;

	make_object();
	pid = start(open_both);
	must(peers_find(NULL, 0, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
	/* What the daemon keeps has no number of the kernel's, and others' 0 is not it. */
	must(peers_find(&nothing, 1, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
	end(pid);
}
END_TEST

static void become_another(void)
{
	open_both();
	prctl(PR_SET_NAME, "a (strange) one");
	if (setresgid(STRANGER, STRANGER, STRANGER) < 0 ||
	    setresuid(STRANGER, STRANGER, STRANGER) < 0)
		_exit(1);
}

START_TEST(test_peers_have_user_and_name)
{
	struct peer_target target;
	pid_t pid;

	make_object();
	target = target_of(PATH);
	pid = start(become_another);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 1);
	ck_assert_uint_eq(found.peers[0].uid, STRANGER);
	ck_assert_str_eq(found.peers[0].command, "a (strange) one");
	peers_fini(&found);
	end(pid);
}
END_TEST

static void name_with_newline(void)
{
	open_both();
	prctl(PR_SET_NAME, "two\nUid:\t65534");
}

/* A name must not pass for another line of /proc/PID/status. */
START_TEST(test_peers_name_cannot_feign_a_user)
{
	struct peer_target target;
	pid_t pid;

	make_object();
	target = target_of(PATH);
	pid = start(name_with_newline);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 1);
	ck_assert_uint_eq(found.peers[0].uid, 0);
	ck_assert_str_eq(found.peers[0].command, "two\nUid:\t65534");
	peers_fini(&found);
	end(pid);
}
END_TEST

START_TEST(test_peers_of_several_targets_are_told_apart)
{
	struct peer_target targets[3];
	unsigned seen = 0;
	pid_t first, second;

	make_object();
	first = start(open_read);
	targets[0] = target_of(PATH);
	must_call(rename(PATH, PATH ".old"));
	make_object();
	second = start(open_write);
	targets[1] = target_of(PATH);
	targets[2] = (struct peer_target){.dev = targets[0].dev, .ino = targets[0].ino + 1000};
	must(peers_find(targets, 3, &found));
	ck_assert_uint_eq(found.n_peers, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct peer *peer = &found.peers[i];

		ck_assert_int_eq(peer->pid, peer->target == 0 ? first : second);
		ck_assert_uint_eq(peer->access, peer->target == 0 ? PEER_READS : PEER_WRITES);
		seen |= 1U << peer->target;
	}
	ck_assert_uint_eq(seen, 3);
	peers_fini(&found);
	end(first);
	end(second);
}
END_TEST

START_TEST(test_peers_one_process_may_have_several)
{
	struct peer_target targets[2];
	pid_t pid;

	make_object();
	targets[0] = targets[1] = target_of(PATH);
	pid = start(open_both);
	must(peers_find(targets, 2, &found));
	ck_assert_uint_eq(found.n_peers, 2);
	ck_assert(found.peers[0].target != found.peers[1].target);
	ck_assert_int_eq(found.peers[1].pid, pid);
	peers_fini(&found);
	end(pid);
}
END_TEST

/* As the mount shows it: its own device, and a number with the kind in it. */
START_TEST(test_peers_are_found_by_what_the_mount_shows)
{
	struct peer_target kernel, shown = {0};
	pid_t pid;

	make_object();
	kernel = target_of(PATH);
	shown.shown_dev = kernel.dev;
	shown.shown_ino = kernel.ino;
	pid = start(open_read);
	must(peers_find(&shown, 1, &found));
	ck_assert_uint_eq(found.n_peers, 1);
	ck_assert_int_eq(found.peers[0].pid, pid);
	peers_fini(&found);
	shown.shown_dev++;
	must(peers_find(&shown, 1, &found));
	ck_assert_uint_eq(found.n_peers, 0);
	peers_fini(&found);
	end(pid);
}
END_TEST

static void open_queue(void)
{
	if (mq_open("/peers", O_RDONLY) < 0)
		_exit(1);
}

START_TEST(test_peers_of_a_native_queue)
{
	mqd_t queue = (mqd_t)must_call(mq_open("/peers", O_CREAT | O_RDWR, 0600, NULL));
	struct peer_target target;
	struct stat attr;
	pid_t pid;

	must_call(fstat(queue, &attr));
	target = (struct peer_target){.dev = attr.st_dev, .ino = attr.st_ino};
	close(queue);
	pid = start(open_queue);
	must(peers_find(&target, 1, &found));
	ck_assert_uint_eq(found.n_peers, 1);
	ck_assert_int_eq(found.peers[0].pid, pid);
	ck_assert_uint_eq(found.peers[0].access, PEER_READS);
	peers_fini(&found);
	end(pid);
	must_call(mq_unlink("/peers"));
}
END_TEST

START_TEST(test_peers_without_descriptors_fails)
{
	struct peer_target target;

	make_object();
	target = target_of(PATH);
	fixture_limit_descriptors(0);
	must_fail(peers_find(&target, 1, &found), EMFILE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peers");

	suite_add_loop(
		suite, "access",
		(const TTest *const[]){test_peers_native_user_is_found_with_its_access, NULL},
		N_WAYS);
	suite_add(suite, "peers",
		  (const TTest *const[]){
			  test_peers_nobody_is_nobody,
			  test_peers_who_has_closed_it_is_none,
			  test_peers_the_daemon_itself_is_none,
			  test_peers_no_target_matches_nobody,
			  test_peers_have_user_and_name,
			  test_peers_name_cannot_feign_a_user,
			  test_peers_of_several_targets_are_told_apart,
			  test_peers_one_process_may_have_several,
			  test_peers_are_found_by_what_the_mount_shows,
			  test_peers_of_a_native_queue,
			  test_peers_without_descriptors_fails,
			  NULL,
		  });
	return suite_run(suite);
}
