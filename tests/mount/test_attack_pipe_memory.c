/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kept FIFOs cost when someone fills as many as they can. The kernel charges users for the
 * memory of their pipes and makes further pipes small, and it counts a user's watches. The daemon
 * must not use up what others need, and a user who has used up their own share gets an errno.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WATCHES "/proc/sys/fs/inotify/max_user_watches"

enum { USER = 65534, OTHER = 4321, N_PIPES = 200, NATIVE_SIZE = 65536 };

static void fill_all(void)
{
	char name[32];

	for (int i = 0; i < N_PIPES; i++) {
		snprintf(name, sizeof(name), "pipes/%d", i);
		ck_assert_uint_ge(channel_fill(name), 4096);
	}
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	return (int)syscall(SYS_capset, &header, none);
}

/*
 * Makes 20 pipes of the usual size. If the FIFOs were charged to this user too, the pipes would
 * exceed what is left.
 */
static int make_pipes_run(void *arg)
{
	int ends[2];

	(void)arg;
	if (drop_capabilities() < 0)
		return errno;
	for (int i = 0; i < 20; i++)
		if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_GETPIPE_SZ) != NATIVE_SIZE)
			return EDQUOT;
	return 0;
}

START_TEST(test_memory_of_roots_fifos_leaves_root_its_pipes)
{
	kept_make_many(N_PIPES);
	fill_all();
	child_must(make_pipes_run, NULL);
	child_must_as(USER, make_pipes_run, NULL);
}
END_TEST

static int fill_run(void *arg)
{
	(void)arg;
	kept_make_many(N_PIPES);
	fill_all();
	return 0;
}

START_TEST(test_memory_of_a_users_fifos_leaves_the_user_pipes)
{
	child_must_as(USER, fill_run, NULL);
	child_must_as(USER, make_pipes_run, NULL);
	child_must(make_pipes_run, NULL);
}
END_TEST

/* The first FIFOs get a mebibyte each. Later ones still get the size of an ordinary pipe. */
START_TEST(test_memory_is_shared_out)
{
	char name[32];

	kept_make_many(N_PIPES);
	ck_assert_uint_eq(channel_fill("pipes/0"), KEPT_CAPACITY);
	for (int i = 1; i < N_PIPES - 1; i++) {
		snprintf(name, sizeof(name), "pipes/%d", i);
		channel_fill(name);
	}
	snprintf(name, sizeof(name), "pipes/%d", N_PIPES - 1);
	ck_assert_uint_eq(channel_fill(name), NATIVE_SIZE);
}
END_TEST

/* Makes and fills FIFOs until one is refused. That must fail with an errno that means a limit. */
static int take_all_run(void *arg)
{
	static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOSPC, EDQUOT};
	char name[64], data[4096] = {0};
	int error = 0;

	(void)arg;
	for (int i = 0; !error && i < 100000; i++) {
		int fd;

		snprintf(name, sizeof(name), "pipes/user%d", i);
		fd = open(ipc_path(name), O_WRONLY | O_CREAT | O_NONBLOCK, 0600);
		if (fd < 0 || (write(fd, data, sizeof(data)) < 0 && errno != EAGAIN))
			error = errno;
		close(fd);
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (error == errors[i])
			return 0;
	return error ? error : ERANGE;
}

static int use_run(void *arg)
{
	(void)arg;
	kept_make("pipes/other");
	channel_put("pipes/other", "aaa", 3);
	return kept_take_to_end(ipc_path("pipes/other"), 'a') == 3 ? 0 : EBADMSG;
}

START_TEST(test_memory_user_who_takes_all_is_refused_and_others_go_on)
{
	child_must_as(USER, take_all_run, NULL);
	child_must_as(OTHER, use_run, NULL);
	child_must(use_run, NULL);
}
END_TEST

static char watches_before[32];

static void watches_set(const char *text)
{
	int fd = open(WATCHES, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(WATCHES);
	close(fd);
}

/*
 * watches_save() and watches_restore() run in the parent of the tests' processes, before and after
 * them, so that the change to the machine is undone even if a test is killed.
 */
static void watches_save(void)
{
	int fd = open(WATCHES, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, watches_before, sizeof(watches_before) - 1) < 1)
		exit(1);
	close(fd);
}

static void watches_restore(void)
{
	watches_set(watches_before);
}

/*
 * Without a watch, the open may be refused. If bytes are accepted, they are not lost, and
 * end-of-file follows them.
 */
START_TEST(test_memory_no_watch_is_left)
{
	int fd, n_bytes = 0;

	kept_make("pipes/p");
	watches_set("0");
	for (int i = 0; i < 10; i++) {
		fd = open(ipc_path("pipes/p"), O_WRONLY | O_CLOEXEC);
		if (fd < 0) {
			ck_assert_msg(errno == ENOSPC || errno == EMFILE || errno == ENOBUFS, "%s",
				      strerror(errno));
			break;
		}
		ck_assert_int_eq(must(write(fd, "aa", 2)), 2);
		must(close(fd));
		n_bytes += 2;
	}
	watches_set(watches_before);
	if (n_bytes)
		ck_assert_uint_eq(kept_take_to_end(ipc_path("pipes/p"), 'a'), n_bytes);
	channel_put("pipes/p", "b", 1);
	ck_assert_uint_eq(kept_take_to_end(ipc_path("pipes/p"), 'b'), 1);
}
END_TEST

/* The reader comes while no watch is left, so nothing tells the daemon that the reader has read. */
START_TEST(test_memory_no_watch_is_left_for_the_reader)
{
	kept_make("pipes/p");
	watches_set("0");
	channel_put("pipes/p", "aaa", 3);
	ck_assert_uint_eq(kept_take_to_end(ipc_path("pipes/p"), 'a'), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_memory");
	TCase *tcase = suite_case(suite, "memory", 60);

	kept_add(tcase, test_memory_of_roots_fifos_leaves_root_its_pipes);
	kept_add(tcase, test_memory_of_a_users_fifos_leaves_the_user_pipes);
	kept_add(tcase, test_memory_is_shared_out);
	kept_add(tcase, test_memory_user_who_takes_all_is_refused_and_others_go_on);
	tcase = suite_case(suite, "watches", 60);
	tcase_add_unchecked_fixture(tcase, watches_save, watches_restore);
	kept_add(tcase, test_memory_no_watch_is_left);
	kept_add(tcase, test_memory_no_watch_is_left_for_the_reader);
	return suite_run(suite);
}
