/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users who take all that topics give, and users who want more of a topic than its mode lets them
 * have. The others go on, and at a limit there is an errno.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/topics.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	USER = 65534,
	OTHER = 4321,
	MIB = 1 << 20,
	LARGE = MIB / 2,
	N_LARGE = 6, /* topics of 64 MiB: more than one user may store */
	STORED_MIB = 256,
	MOST_OPENS = 20000,
};

static char large[LARGE];

static bool is_limit(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS;
}

/* Opens the topic until that is refused, and keeps all open until it is killed. */
static int open_all_run(void *arg)
{
	int done = *(int *)arg;
	int n = 0, result[2];

	while (n < MOST_OPENS && open(ipc_path(TOPIC), O_RDONLY | O_NONBLOCK) >= 0)
		n++;
	result[0] = n;
	result[1] = errno;
	if (write(done, result, sizeof(result)) != sizeof(result))
		return errno;
	pause();
	return 0;
}

static int use_run(void *arg)
{
	char text[16] = "";
	int in = open(ipc_path(TOPIC), O_RDONLY | O_NONBLOCK);
	int out = open(ipc_path(TOPIC), O_WRONLY);

	(void)arg;
	if (in < 0 || out < 0 || write(out, "other", 5) != 5)
		return errno;
	if (read(in, text, sizeof(text)) != 5)
		return errno ? errno : EIO;
	return strcmp(text, "other") == 0 ? 0 : EBADMSG;
}

START_TEST(test_attack_topics_user_with_all_readers_stops_nobody)
{
	struct rlimit limit;
	int ends[2], result[2];
	long long start;
	pid_t child;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	topic_make("");
	must(pipe(ends));
	child = child_start_as(USER, open_all_run, &ends[1]);
	ck_assert_int_eq(must(read(ends[0], result, sizeof(result))), sizeof(result));
	ck_assert_msg(is_limit(result[1]), "%d opens, then %s", result[0], strerror(result[1]));
	ck_assert_int_gt(result[0], 1000);
	start = now_us();
	for (int i = 0; i < 100; i++)
		child_must_as(OTHER, use_run, NULL);
	ck_assert_int_lt(now_us() - start, 5000000);
	ck_assert_int_eq(look_for(TOPIC, "sent"), 100);
	ck_assert_int_eq(look_for(TOPIC, "behind"), 100);
	start = now_us();
	must(kill(child, SIGKILL));
	child_end(child);
	child_must_as(OTHER, use_run, NULL);
	ck_assert_int_lt(now_us() - start, 5000000);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static int command(const char *line)
{
	int fd = open(ipc_path("ctl"), O_WRONLY | O_CLOEXEC);
	int error = write(fd, line, strlen(line)) < 0 ? errno : 0;

	close(fd);
	return error;
}

/* Fills topics of the greatest capacity, all of which is kept. */
static int keep_all_run(void *arg)
{
	char line[80], name[32];

	(void)arg;
	for (int i = 0; i < N_LARGE; i++) {
		int fd, error;

		snprintf(line, sizeof(line), "create topics/l%d capacity=64M keep=64M\n", i);
		error = command(line);
		if (error)
			return error;
		snprintf(name, sizeof(name), "topics/l%d", i);
		fd = open(ipc_path(name), O_WRONLY);
		for (int k = 0; k < 64 * MIB / LARGE; k++)
			if (write(fd, large, LARGE) != LARGE && errno != ENOBUFS)
				return errno;
		close(fd);
	}
	return 0;
}

/* Has a topic of 16 MiB, all of which is kept, and reads it. */
static int keep_some_run(void *arg)
{
	int error = command("create topics/some capacity=16M keep=16M\n");
	int fd = open(ipc_path("topics/some"), O_WRONLY), n = 0;

	(void)arg;
	if (error)
		return error;
	for (int i = 0; i < 20; i++)
		if (write(fd, large, LARGE) != LARGE)
			return errno;
	close(fd);
	fd = open(ipc_path("topics/some"), O_RDONLY | O_NONBLOCK);
	while (read(fd, large, LARGE) == LARGE)
		n++;
	return n == 20 && errno == EAGAIN ? 0 : EBADMSG;
}

START_TEST(test_attack_topics_user_who_keeps_all_leaves_others_theirs)
{
	long before;

	memset(large, 'x', sizeof(large));
	before = mount_memory(&ipc);
	child_must_as(USER, keep_all_run, NULL);
	if (!program_is_sanitized())
		ck_assert_int_lt(mount_memory(&ipc) - before, (STORED_MIB + 32) * 1024);
	child_must_as(OTHER, keep_some_run, NULL);
	for (int i = 0; i < N_LARGE; i++) {
		char name[32];

		snprintf(name, sizeof(name), "topics/l%d", i);
		must(unlink(ipc_path(name)));
	}
	must(unlink(ipc_path("topics/some")));
	if (!program_is_sanitized())
		ck_assert_int_lt(mount_memory(&ipc) - before, 32 * 1024);
	child_must_as(USER, keep_some_run, NULL);
}
END_TEST

/* Makes topics, each with a large message, until one has no memory for it. */
static int use_up_run(void *arg)
{
	int error = keep_all_run(arg);
	char line[80], name[32];

	for (int i = 0; !error && i < 1000; i++) {
		snprintf(line, sizeof(line), "create topics/m%d keep=1M\n", i);
		error = command(line);
		snprintf(name, sizeof(name), "topics/m%d", i);
		if (!error && write(open(ipc_path(name), O_WRONLY), large, LARGE) < 0)
			return errno == ENOBUFS ? 0 : errno;
	}
	return error ? error : ERANGE;
}

/* A user who has used up the memory still gets small messages through, and an errno for others. */
static int use_without_memory_run(void *arg)
{
	int in, out, error;

	error = use_up_run(arg);
	if (!error)
		error = command("create topics/last\n");
	in = open(ipc_path("topics/last"), O_RDONLY | O_NONBLOCK);
	out = open(ipc_path("topics/last"), O_WRONLY);
	if (error || in < 0 || out < 0)
		return error ? error : errno;
	if (write(out, large, LARGE) != -1 || errno != ENOBUFS)
		return ENODATA;
	if (read(in, large, LARGE) != -1 || errno != EAGAIN)
		return EBADMSG;
	return write(out, "small", 5) == 5 && read(in, large, LARGE) == 5 ? 0 : EIO;
}

START_TEST(test_attack_topics_without_memory_enobufs_and_small_ones_pass)
{
	child_must_as(USER, use_without_memory_run, NULL);
}
END_TEST

static int error_of_open(const char *name, int flags)
{
	int fd = open(ipc_path(name), flags | O_NONBLOCK);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Tries all on a topic that is another one's. */
static int try_all_run(void *arg)
{
	mode_t mode = *(mode_t *)arg;
	int error;

	if (error_of_open(TOPIC, O_RDONLY) != (mode & 4 ? 0 : EACCES) ||
	    error_of_open(TOPIC ":1", O_RDONLY) != (mode & 4 ? 0 : EACCES) ||
	    error_of_open(TOPIC, O_WRONLY) != (mode & 2 ? 0 : EACCES) ||
	    error_of_open(TOPIC, O_RDWR) != ((mode & 6) == 6 ? 0 : EACCES))
		return 101;
	if (error_of_open("info/" TOPIC "/peek", O_RDONLY) != (mode & 4 ? 0 : ENOENT))
		return 102;
	error = truncate(ipc_path(TOPIC), 0) < 0 ? errno : 0;
	if ((mode & 6) != 6 && error != EACCES)
		return 103;
	if ((mode & 6) != 6 && command("empty " TOPIC "\n") != EACCES)
		return 104;
	error = command("set " TOPIC " keep=0\n");
	if (error != EPERM)
		return 105;
	if (unlink(ipc_path(TOPIC)) == 0 || chmod(ipc_path(TOPIC), 0777) == 0)
		return 106;
	if ((strstr(look_at("info/" TOPIC "/status"), "\nsent ") != NULL) != ((mode & 4) != 0))
		return 107;
	return strstr(look_at("info/" TOPIC "/status"), "\nreader-pids ") ? 108 : 0;
}

START_TEST(test_attack_topics_of_another_give_what_the_mode_says)
{
	static mode_t modes[] = {0600, 0602, 0604};
	int fd, code;

	topic_make("keep=10");
	must(chmod(ipc_path(TOPIC), modes[_i]));
	channel_put(TOPIC, "secret", 6);
	fd = topic_reader();
	code = child_code_as(USER, try_all_run, &modes[_i]);
	ck_assert_msg(!code, "mode %o: %d", modes[_i], code);
	topic_expect(fd, "secret");
	ck_assert_int_eq(look_for(TOPIC, "kept"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_topics");
	TCase *tcase = suite_case(suite, "topics", 60);

	tcase_add_test(tcase, test_attack_topics_user_with_all_readers_stops_nobody);
	tcase_add_test(tcase, test_attack_topics_user_who_keeps_all_leaves_others_theirs);
	tcase_add_test(tcase, test_attack_topics_without_memory_enobufs_and_small_ones_pass);
	tcase_add_loop_test(tcase, test_attack_topics_of_another_give_what_the_mode_says, 0, 3);
	return suite_run(suite);
}
