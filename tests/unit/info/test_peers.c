// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has an object open: a child opens it in some way and waits, and the scan has to find the
 * child, with its access, user and name, and nobody else.
 */
#include <errno.h>
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/look.h"

static void must_open(int flags)
{
	if (open(LOOK_PATH, flags) < 0)
		_exit(1);
}

static void open_path(void)
{
	must_open(O_PATH);
}

static void *map(int protection, int flags)
{
	int fd = open(LOOK_PATH, O_RDWR);
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
	{open_path, "-"},
	{open_read, "r"},
	{open_write, "w"},
	{open_both, "rw"},
	{open_read_and_write, "rw"},
	{map_read, "rm"},
	{map_shared, "rwm"},
	{map_private, "rm"},
	{map_and_open_write, "rwm"},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

START_TEST(test_peers_native_user_is_found_with_its_access)
{
	struct peer_target target;
	pid_t pid;

	look_make();
	target = look_target(LOOK_PATH);
	pid = look_start(ways[_i].open_object);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_int_eq(look_found.peers[0].pid, pid);
	ck_assert_uint_eq(look_found.peers[0].target, 0);
	ck_assert_str_eq(peer_access_name(look_found.peers[0].access), ways[_i].access);
	look_forget();
	look_end(pid);
}
END_TEST

START_TEST(test_peers_nobody_is_nobody)
{
	struct peer_target target;

	look_make();
	target = look_target(LOOK_PATH);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
}
END_TEST

START_TEST(test_peers_who_has_closed_it_is_none)
{
	struct peer_target target;
	pid_t pid;

	look_make();
	target = look_target(LOOK_PATH);
	pid = look_start(open_both);
	look_end(pid);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
}
END_TEST

START_TEST(test_peers_the_daemon_itself_is_none)
{
	struct peer_target target;
	int fd;

	look_make();
	target = look_target(LOOK_PATH);
	fd = (int)must_call(open(LOOK_PATH, O_RDWR | O_CLOEXEC));
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
	close(fd);
}
END_TEST

START_TEST(test_peers_no_target_matches_nobody)
{
	const struct peer_target nothing = {0};
	pid_t pid;

	look_make();
	pid = look_start(open_both);
	look_find(NULL, 0);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
	/*
	 * An object that the daemon keeps has no inode in the kernel. Its device is 0, which must
	 * match no file.
	 */
	look_find(&nothing, 1);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
	look_end(pid);
}
END_TEST

/* A FIFO can't be mapped, so nobody's maps are searched for it. */
START_TEST(test_peers_of_what_has_no_maps_have_it_open)
{
	struct peer_target target;
	pid_t opens, maps;

	look_make();
	target = look_target(LOOK_PATH);
	target.has_no_maps = true;
	opens = look_start(open_read);
	maps = look_start(map_read);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_int_eq(look_found.peers[0].pid, opens);
	ck_assert_uint_eq(look_found.n_unseen, 0);
	look_forget();
	look_end(opens);
	look_end(maps);
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

	look_make();
	target = look_target(LOOK_PATH);
	pid = look_start(become_another);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_uint_eq(look_found.peers[0].uid, STRANGER);
	ck_assert_str_eq(look_found.peers[0].command, "a (strange) one");
	look_forget();
	look_end(pid);
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

	look_make();
	target = look_target(LOOK_PATH);
	pid = look_start(name_with_newline);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_uint_eq(look_found.peers[0].uid, 0);
	ck_assert_str_eq(look_found.peers[0].command, "two\nUid:\t65534");
	look_forget();
	look_end(pid);
}
END_TEST

START_TEST(test_peers_of_several_targets_are_told_apart)
{
	struct peer_target targets[3];
	unsigned seen = 0;
	pid_t first, second;

	look_make();
	first = look_start(open_read);
	targets[0] = look_target(LOOK_PATH);
	must_call(rename(LOOK_PATH, LOOK_PATH ".old"));
	look_make();
	second = look_start(open_write);
	targets[1] = look_target(LOOK_PATH);
	targets[2] = (struct peer_target){.dev = targets[0].dev, .ino = targets[0].ino + 1000};
	look_find(targets, 3);
	ck_assert_uint_eq(look_found.n_peers, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct peer *peer = &look_found.peers[i];

		ck_assert_int_eq(peer->pid, peer->target == 0 ? first : second);
		ck_assert_uint_eq(peer->access, peer->target == 0 ? PEER_READS : PEER_WRITES);
		seen |= 1U << peer->target;
	}
	ck_assert_uint_eq(seen, 3);
	look_forget();
	look_end(first);
	look_end(second);
}
END_TEST

START_TEST(test_peers_one_process_may_have_several)
{
	struct peer_target targets[2];
	pid_t pid;

	look_make();
	targets[0] = targets[1] = look_target(LOOK_PATH);
	pid = look_start(open_both);
	look_find(targets, 2);
	ck_assert_uint_eq(look_found.n_peers, 2);
	ck_assert(look_found.peers[0].target != look_found.peers[1].target);
	ck_assert_int_eq(look_found.peers[1].pid, pid);
	look_forget();
	look_end(pid);
}
END_TEST

/*
 * A file of the mount is found by the numbers that the mount shows: the mount's device, and an
 * inode number that contains the kind.
 */
START_TEST(test_peers_are_found_by_what_the_mount_shows)
{
	struct peer_target kernel, shown = {0};
	pid_t pid;

	look_make();
	kernel = look_target(LOOK_PATH);
	shown.shown_dev = kernel.dev;
	shown.shown_ino = kernel.ino;
	pid = look_start(open_read);
	look_find(&shown, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_int_eq(look_found.peers[0].pid, pid);
	look_forget();
	shown.shown_dev = (dev_t)-1; /* not the next device, which another running test may have */
	look_find(&shown, 1);
	ck_assert_uint_eq(look_found.n_peers, 0);
	look_forget();
	look_end(pid);
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
	pid = look_start(open_queue);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_int_eq(look_found.peers[0].pid, pid);
	ck_assert_uint_eq(look_found.peers[0].access, PEER_READS);
	look_forget();
	look_end(pid);
	must_call(mq_unlink("/peers"));
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
			  test_peers_of_what_has_no_maps_have_it_open,
			  test_peers_have_user_and_name,
			  test_peers_name_cannot_feign_a_user,
			  test_peers_of_several_targets_are_told_apart,
			  test_peers_one_process_may_have_several,
			  test_peers_are_found_by_what_the_mount_shows,
			  test_peers_of_a_native_queue,
			  NULL,
		  });
	return suite_run(suite);
}
