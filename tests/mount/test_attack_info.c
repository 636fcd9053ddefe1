/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads `peers` while the /proc/PID/maps of some of a user's processes can't be read: each attempt
 * hangs.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/hung.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* LOOKS: how many processes read `peers` at the same time, more than there are workers. */
enum { ATTACKER = 65534, OTHER = 4321, VICTIMS = 2, LOOKS = 6 };

static struct hung hung;
static pid_t victims[VICTIMS];

static int open_region(void *name)
{
	return open(ipc_path(name), O_RDWR) < 0 ? errno : 0;
}

static void attack(void)
{
	channel_make("shm/p");
	must(chmod(ipc_path("shm/p"), 0666));
	hung_start(&hung);
	for (int i = 0; i < VICTIMS; i++)
		victims[i] = hung_victim(&hung, ATTACKER, open_region, "shm/p");
}

static void attack_end(void)
{
	hung_end(&hung);
	for (int i = 0; i < VICTIMS; i++)
		child_end(victims[i]);
}

/* Reads a text to its end. Returns 0 or an errno. */
static int read_text(const char *name)
{
	int fd = open(ipc_path(name), O_RDONLY);
	char text[4096];
	ssize_t n = 1;

	if (fd < 0)
		return errno;
	while (n > 0)
		n = read(fd, text, sizeof(text));
	return n < 0 ? errno : 0;
}

static int peers_run(void *arg)
{
	return read_text("info/shm/p/peers");
}

static bool has_line(const char *text, const char *line)
{
	char within[128];

	snprintf(within, sizeof(within), "\n%s\n", line);
	return strncmp(text, line, strlen(line)) == 0 || strstr(text, within);
}

static int change_region_run(void *arg)
{
	int fd = open(ipc_path("shm/x"), O_CREAT | O_RDWR | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, 1 << 20) < 0 || write(fd, "x", 1) != 1)
		return errno;
	return unlink(ipc_path("shm/x")) < 0 ? errno : 0;
}

START_TEST(test_attack_maps_that_block_leave_others_alone)
{
	pid_t looks[LOOKS];

	attack();
	for (int i = 0; i < LOOKS; i++)
		looks[i] = child_start_as(ATTACKER, peers_run, NULL);
	for (int i = 0; i < LOOKS; i++)
		child_must_as(OTHER, change_region_run, NULL);
	child_must_as(OTHER, peers_run, NULL);
	for (int i = 0; i < LOOKS; i++)
		ck_assert_int_eq(child_end(looks[i]), 0);
	attack_end();
}
END_TEST

/*
 * The victims' descriptors are still found, and so are processes that are looked at after a victim.
 */
START_TEST(test_attack_maps_that_block_hide_nobody_else)
{
	int fd = (int)must(open(ipc_path("shm/p"), O_CREAT | O_RDWR, 0666));
	const char *text;
	char line[64];

	attack();
	text = look_at("info/shm/p/peers");
	for (int i = 0; i < VICTIMS; i++) {
		snprintf(line, sizeof(line), "%d %d rw test_attack_inf", victims[i], ATTACKER);
		ck_assert_msg(has_line(text, line), "no '%s' in: %s", line, text);
	}
	snprintf(line, sizeof(line), "%d 0 rw test_attack_inf", getpid());
	ck_assert_msg(has_line(text, line), "no '%s' in: %s", line, text);
	ck_assert_msg(strstr(text, "\nunseen "), "%s", text);
	text = look_at("info/graph.dot");
	ck_assert_msg(strstr(text, "\n\t// unseen "), "%s", text);
	close(fd);
	attack_end();
	text = look_at("info/shm/p/peers");
	ck_assert_msg(!strstr(text, "unseen"), "%s", text);
}
END_TEST

START_TEST(test_attack_maps_that_block_do_not_keep_the_reader)
{
	pid_t reader;

	attack();
	reader = child_start_as(OTHER, peers_run, NULL);
	task_must_block(reader, SYS_openat);
	must(kill(reader, SIGINT));
	ck_assert_int_eq(child_end(reader), SIGINT);
	attack_end();
}
END_TEST

/* The first child of a process, or 0 if it has none. */
static pid_t child_of(pid_t parent)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "re");
	if (file && fscanf(file, "%d", &child) != 1)
		child = 0;
	if (file)
		fclose(file);
	return child;
}

static bool has_children(void *pid)
{
	return child_of(*(pid_t *)pid) != 0;
}

static bool is_alone(void *pid)
{
	return child_of(*(pid_t *)pid) == 0;
}

START_TEST(test_attack_maps_that_block_keep_no_process)
{
	pid_t helper = child_of(ipc.daemon);
	pid_t reader;

	attack();
	ck_assert_int_gt(helper, 0);
	reader = child_start(peers_run, NULL);
	ck_assert(wait_until(has_children, &helper, 5000));
	must(kill(reader, SIGKILL));
	ck_assert_int_eq(child_end(reader), SIGKILL);
	ck_assert(wait_until(is_alone, &helper, 5000));
	attack_end();
}
END_TEST

START_TEST(test_attack_look_that_is_killed_fails)
{
	pid_t helper = child_of(ipc.daemon);
	pid_t reader;

	attack();
	reader = child_start_as(OTHER, peers_run, NULL);
	ck_assert(wait_until(has_children, &helper, 5000));
	must(kill(_i ? helper : child_of(helper), SIGKILL));
	ck_assert_int_eq(WEXITSTATUS(child_end(reader)), EIO);
	child_must_as(OTHER, peers_run, NULL);
	attack_end();
}
END_TEST

START_TEST(test_attack_maps_that_block_do_not_keep_the_daemon)
{
	pid_t reader;

	attack();
	reader = child_start_as(OTHER, peers_run, NULL);
	task_must_block(reader, SYS_openat);
	must(kill(ipc.daemon, SIGTERM));
	ck_assert_int_eq(WEXITSTATUS(child_end(reader)), ENOTCONN);
	ck_assert_int_eq(mount_wait(&ipc), 0);
	attack_end();
	mount_start(&ipc, "ipc", "allow_other"); /* for the teardown, which expects a daemon */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_info");
	TCase *tcase = suite_case(suite, "peers", 60);

	tcase_add_test(tcase, test_attack_maps_that_block_leave_others_alone);
	tcase_add_test(tcase, test_attack_maps_that_block_hide_nobody_else);
	tcase_add_test(tcase, test_attack_maps_that_block_do_not_keep_the_reader);
	tcase_add_test(tcase, test_attack_maps_that_block_keep_no_process);
	tcase_add_loop_test(tcase, test_attack_look_that_is_killed_fails, 0, 2);
	tcase_add_test(tcase, test_attack_maps_that_block_do_not_keep_the_daemon);
	return suite_run(suite);
}
