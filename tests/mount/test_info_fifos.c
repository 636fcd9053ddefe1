/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What info/ says about FIFOs, which processes open without the daemon: who has them open, what is
 * in them, and what info/ leaves out while someone keeps a FIFO locked.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/hung.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEEPS "open_tree"

/*
 * LOOKS: how many processes look at the same time, more than there are workers. LETS_GO: within how
 * many milliseconds the daemon lets a FIFO go, with a margin for a busy machine.
 */
enum { OTHER = 4321, ATTACKER = 65534, LOOKS = 6, LETS_GO = 20000 };

static const char *const makes[] = {"create pipes/f", "create pipes/f keep=no"};
enum { KEPT_FIFO, PLAIN, N_MAKES };

static void make_fifo(int i)
{
	look_command(makes[i]);
	must(chmod(ipc_path("pipes/f"), 0666));
}

/* A process that has pipes/f open until the test ends it. */
struct user {
	int flags;
	pid_t pid;
};

static int ready[2];

static int user_run(void *arg)
{
	const struct user *user = arg;

	if (open(ipc_path("pipes/f"), user->flags | O_NONBLOCK) < 0 || write(ready[1], "", 1) != 1)
		return errno;
	for (;;)
		pause();
}

static void user_start(struct user *user, uid_t uid)
{
	char byte;

	user->pid = child_start_as(uid, user_run, user);
	ck_assert_int_eq(must(read(ready[0], &byte, 1)), 1);
}

static void user_end(struct user *user)
{
	must(kill(user->pid, SIGKILL));
	child_end(user->pid);
}

static void expect_users(long n_readers, long n_writers)
{
	ck_assert_int_eq(look_for("pipes/f", "readers"), n_readers);
	ck_assert_int_eq(look_for("pipes/f", "writers"), n_writers);
}

static struct user users[] = {{.flags = O_RDONLY}, {.flags = O_WRONLY}, {.flags = O_RDWR}};
enum { N_USERS = sizeof(users) / sizeof(users[0]) };

static void users_start(void)
{
	must(pipe(ready));
	for (int i = 0; i < N_USERS; i++)
		user_start(&users[i], OTHER + (uid_t)i);
}

static int counts_run(void *arg)
{
	expect_users(2, 2);
	ck_assert_str_eq(look_at("info/pipes/f/peers"), "others 3\n");
	return 0;
}

START_TEST(test_info_fifos_count_who_has_one_open)
{
	make_fifo(_i);
	expect_users(0, 0);
	users_start();
	expect_users(2, 2);
	/* A caller who may not see the others' processes learns only how many there are. */
	child_must_as(ATTACKER, counts_run, NULL);
	for (int i = 0; i < N_USERS; i++)
		user_end(&users[i]);
	expect_users(0, 0);
	ck_assert_str_eq(look_at("info/pipes/f/peers"), "");
}
END_TEST

/* The value of a series in info/metrics, or -1 if there is none. */
static long metric(const char *family, const char *name)
{
	char series[128];
	const char *found;

	snprintf(series, sizeof(series), "\nipcfs_%s{kind=\"pipes\",name=\"%s\",owner=\"root\"} ",
		 family, name);
	found = strstr(look_at("info/metrics"), series);
	return found ? strtol(found + strlen(series), NULL, 10) : -1;
}

START_TEST(test_info_fifos_tables_count_like_status)
{
	make_fifo(_i);
	look_command("create pipes/idle");
	users_start();
	ck_assert_int_eq(metric("readers", "f"), 2);
	ck_assert_int_eq(metric("writers", "f"), 2);
	ck_assert_int_eq(metric("readers", "idle"), 0);
	ck_assert_int_eq(metric("writers", "idle"), 0);
	ck_assert(strstr(look_at("info/inventory.json"), "\"readers\":2"));
	for (int i = 0; i < N_USERS; i++)
		user_end(&users[i]);
}
END_TEST

static bool is_let_go(void *arg)
{
	return strstr(look_at("info/pipes/f/status"), "\nheld no\n");
}

/*
 * When nobody has written for a while, the daemon lets the FIFO go, but a reader still has it open.
 */
START_TEST(test_info_fifos_reader_of_what_is_let_go_is_counted)
{
	make_fifo(KEPT_FIFO);
	must(pipe(ready));
	user_start(&users[0], OTHER);
	ck_assert(wait_until(is_let_go, NULL, LETS_GO));
	expect_users(1, 0);
	ck_assert_int_eq(metric("readers", "f"), 1);
	user_end(&users[0]);
	expect_users(0, 0);
}
END_TEST

START_TEST(test_info_fifos_daemon_is_no_peer)
{
	make_fifo(KEPT_FIFO);
	channel_put("pipes/f", "x", 1);
	kept_await_held("pipes/f", "both");
	expect_users(0, 0);
	ck_assert_str_eq(look_at("info/pipes/f/peers"), "");
	ck_assert(!strstr(look_at("info/graph.dot"), "->"));
}
END_TEST

/* O_EXCL opens the door, a regular file. What is written there goes into the FIFO. */
START_TEST(test_info_fifos_writer_who_has_made_it_is_counted)
{
	int fd = (int)must(open(ipc_path("pipes/f"), O_WRONLY | O_CREAT | O_EXCL, 0600));

	expect_users(0, 1);
	close(fd);
	expect_users(0, 0);
}
END_TEST

START_TEST(test_info_fifos_who_points_at_one_does_not_use_it)
{
	int fd;

	make_fifo(_i);
	fd = (int)must(open(ipc_path("pipes/f"), O_PATH | O_CLOEXEC));
	expect_users(0, 0);
	close(fd);
}
END_TEST

START_TEST(test_info_fifos_graph_shows_users)
{
	const char *graph;
	char line[64];

	make_fifo(_i);
	users_start();
	graph = look_at("info/graph.dot");
	snprintf(line, sizeof(line), "\t\"pipes/f\" -> \"%d\";\n", users[0].pid);
	ck_assert_msg(strstr(graph, line), "no '%s' in: %s", line, graph);
	snprintf(line, sizeof(line), "\t\"%d\" -> \"pipes/f\";\n", users[1].pid);
	ck_assert_msg(strstr(graph, line), "no '%s' in: %s", line, graph);
	for (int i = 0; i < N_USERS; i++)
		user_end(&users[i]);
}
END_TEST

START_TEST(test_info_fifos_peek_is_where_there_is_a_way)
{
	make_fifo(PLAIN);
	must_fail(open(ipc_path("info/pipes/f/peek"), O_RDONLY), ENOENT);
	look_command("set pipes/f keep=yes");
	ck_assert_str_eq(look_at("info/pipes/f/peek"), "");
	channel_put("pipes/f", "hello", 5);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(look_at("info/pipes/f/peek"), "hello");
	ck_assert_int_eq(look_for("pipes/f", "bytes"), 5);
	ck_assert_int_eq(metric("bytes", "f"), 5);
	look_command("set pipes/f keep=no");
	ck_assert(!channel_is_listed("info/pipes/f", "peek"));
}
END_TEST

static struct hung hung;

/* Locks the FIFO: the kernel holds its lock while it copies from a page that never comes. */
static int lock_run(void *arg)
{
	char path[128];
	int fd = open(ipc_path("pipes/locked"), O_RDWR | O_NONBLOCK), file;
	void *page;

	snprintf(path, sizeof(path), "%s/file", hung.dir);
	file = open(path, O_RDONLY);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	if (fd < 0 || file < 0 || page == MAP_FAILED)
		return errno;
	return write(fd, page, 1) == 1 ? 0 : errno;
}

static pid_t lock_fifo(void)
{
	pid_t pid;

	look_command("create pipes/locked mode=0666");
	channel_put("pipes/locked", "x", 1);
	hung_start(&hung);
	pid = child_start_as(ATTACKER, lock_run, NULL);
	task_must_block(pid, SYS_write);
	return pid;
}

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

static int tables_run(void *arg)
{
	static const char *const names[] = {"summary", "metrics", "inventory.json"};
	char path[64];
	int r = 0;

	for (int i = 0; r == 0 && i < 3; i++) {
		snprintf(path, sizeof(path), "info/%s", names[i]);
		r = read_text(path);
	}
	return r;
}

static bool is_measured(void *arg)
{
	return metric("bytes", "locked") == 1;
}

START_TEST(test_info_fifos_locked_one_is_left_out)
{
	pid_t pid;

	make_fifo(KEPT_FIFO);
	channel_put("pipes/f", "hello", 5);
	pid = lock_fifo();
	ck_assert_int_eq(metric("bytes", "f"), 5);
	ck_assert_int_eq(metric("bytes", "locked"), -1);
	ck_assert_int_eq(metric("capacity_bytes", "locked"), -1);
	ck_assert_int_eq(metric("writers", "locked"), 1);
	ck_assert(!strstr(look_at("info/pipes/locked/status"), "\nbytes "));
	hung_end(&hung);
	child_end(pid);
	ck_assert(wait_until(is_measured, NULL, 5000));
}
END_TEST

/* A locked FIFO costs few threads, however often someone looks. */
START_TEST(test_info_fifos_locked_one_costs_few_threads)
{
	pid_t looks[LOOKS], pid = lock_fifo();
	int n_threads;

	for (int i = 0; i < LOOKS; i++)
		looks[i] = child_start_as(OTHER, tables_run, NULL);
	for (int i = 0; i < LOOKS; i++)
		ck_assert_int_eq(child_end(looks[i]), 0);
	n_threads = look_threads();
	for (int i = 0; i < LOOKS; i++) {
		child_must(tables_run, NULL);
		ck_assert_int_eq(read_text("info/pipes/locked/status"), 0);
	}
	ck_assert_int_le(look_threads(), n_threads + 1);
	hung_end(&hung);
	child_end(pid);
	ck_assert(wait_until(look_is_at_rest, NULL, 5000));
}
END_TEST

static bool is_peeked(void *arg)
{
	return read_text("info/pipes/locked/peek") == 0;
}

START_TEST(test_info_fifos_peek_of_a_locked_one_fails)
{
	pid_t pid = lock_fifo();

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(read_text("info/pipes/locked/peek"), ETIMEDOUT);
	hung_end(&hung);
	child_end(pid);
	ck_assert(wait_until(is_peeked, NULL, 5000));
}
END_TEST

static void add_all(TCase *tcase, const TTest *const tests[], int n)
{
	for (; *tests; tests++)
		for (int i = 0; i < n; i++)
			case_add_needing(tcase, *tests, i, KEEPS);
}

int main(void)
{
	Suite *suite = suite_create("info_fifos");
	TCase *tcase = suite_case(suite, "fifos", 60);

	add_all(tcase,
		(const TTest *const[]){
			test_info_fifos_count_who_has_one_open,
			test_info_fifos_tables_count_like_status,
			test_info_fifos_who_points_at_one_does_not_use_it,
			test_info_fifos_graph_shows_users,
			NULL,
		},
		N_MAKES);
	add_all(tcase,
		(const TTest *const[]){
			test_info_fifos_reader_of_what_is_let_go_is_counted,
			test_info_fifos_daemon_is_no_peer,
			test_info_fifos_writer_who_has_made_it_is_counted,
			test_info_fifos_peek_is_where_there_is_a_way,
			test_info_fifos_locked_one_is_left_out,
			test_info_fifos_locked_one_costs_few_threads,
			test_info_fifos_peek_of_a_locked_one_fails,
			NULL,
		},
		1);
	return suite_run(suite);
}
