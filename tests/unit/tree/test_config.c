// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration files: every line is a command, every fault is reported with its file and line, and
 * the other lines take effect.
 */
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/tree/config.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

#define DIRECTORY "/dev/shm/" /* the test's own */
#define PATH      DIRECTORY "config"

static struct space *pipes, *shm;
static struct space *spaces[3];
static char faults[4096]; /* PATH:LINE: TEXT, one per line */

static void fault(const char *path, unsigned line, const char *text)
{
	size_t length = strlen(faults);

	snprintf(faults + length, sizeof(faults) - length, "%s:%u: %s\n", path, line, text);
}

static void write_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file, "%s: %s", path, error_name(-errno));
	ck_assert_int_ge(fputs(text, file), 0);
	must_call(fchmod(fileno(file), 0644));
	ck_assert_int_eq(fclose(file), 0);
}

static int read_config(const char *text)
{
	if (!pipes) {
		spaces[0] = pipes = fixture_open(&pipe_kind);
		spaces[1] = shm = fixture_open(&shm_kind);
		host.spaces = spaces;
	}
	if (text)
		write_to(PATH, text);
	faults[0] = '\0';
	return config_read(&host, PATH, fault);
}

static mode_t mode_of(struct space *space, const char *name)
{
	struct channel *channel = object_find(space, name);
	struct stat attr = object_stat(channel);

	channel_unref(channel);
	return attr.st_mode & 07777;
}

START_TEST(test_config_every_line_takes_effect)
{
	ck_assert_int_eq(read_config("# channels\n\ncreate pipes/a mode=0600\n"
				     "create shm/b size=4K mode=0640 # a region\n"
				     "set pipes/a mode=0620\ncreate pipes/c\nremove pipes/c\n"),
			 0);
	ck_assert_str_eq(faults, "");
	ck_assert_uint_eq(mode_of(pipes, "a"), 0620);
	ck_assert_uint_eq(mode_of(shm, "b"), 0640);
	ck_assert_int_eq(space_count(pipes), 1);
}
END_TEST

START_TEST(test_config_last_line_needs_no_newline)
{
	ck_assert_int_eq(read_config("create pipes/a\ncreate pipes/b"), 0);
	must(object_lookup(pipes, "b", NULL));
}
END_TEST

START_TEST(test_config_empty_file_is_no_fault)
{
	ck_assert_int_eq(read_config(""), 0);
}
END_TEST

START_TEST(test_config_faults_are_told_with_line_and_the_rest_is_done)
{
	ck_assert_int_eq(read_config("create pipes/a\ncrate pipes/b\n# x\ncreate pipes/c bad=1\n"
				     "create pipes/d\nset pipes/e mode=0600\n"),
			 3);
	ck_assert_str_eq(faults,
			 PATH ":2: crate: not one of create, set, remove, empty, reap\n" PATH
			      ":4: bad: no such key for pipes (mode, owner, group, "
			      "capacity, eof, keep, served)\n" PATH
			      ":6: set pipes/e: No such file or directory\n");
	must(object_lookup(pipes, "a", NULL));
	must(object_lookup(pipes, "d", NULL));
	ck_assert_int_eq(space_count(pipes), 2);
}
END_TEST

START_TEST(test_config_line_that_is_too_long_is_one_fault)
{
	char text[10000];

	memset(text, 'x', sizeof(text));
	strcpy(text + 9000, "\ncreate pipes/a\n");
	ck_assert_int_eq(read_config(text), 1);
	ck_assert_str_eq(faults, PATH ":1: longer than 4095 bytes\n");
	must(object_lookup(pipes, "a", NULL));
}
END_TEST

START_TEST(test_config_without_mode_has_the_usual_umask)
{
	umask(0); /* as in the daemon */
	ck_assert_int_eq(read_config("create pipes/a\n"), 0);
	ck_assert_uint_eq(mode_of(pipes, "a"), 0644);
}
END_TEST

START_TEST(test_config_read_again_keeps_and_adjusts)
{
	const char *text = "create pipes/a mode=0600\ncreate shm/b size=8K mode=0600\n";
	struct channel *channel;
	struct file *file;

	ck_assert_int_eq(read_config(text), 0);
	channel = object_find(pipes, "a");
	file = object_open(channel, O_RDWR);
	file_put(file, "data");
	ck_assert_int_eq(read_config(NULL), 0);
	ck_assert_int_eq(read_config("create pipes/a mode=0640\ncreate shm/b size=4K mode=0640\n"),
			 1);
	ck_assert_str_eq(faults, PATH ":2: create shm/b: already exists with size=8192, "
				      "not size=4K\n");
	ck_assert_uint_eq(mode_of(pipes, "a"), 0640);
	ck_assert_uint_eq(mode_of(shm, "b"), 0640);
	ck_assert_uint_eq(object_stat(channel).st_mode & 07777, 0640);
	file_expect(file, 100, "data");
	channel_unref(channel);
	channel = object_find(shm, "b");
	ck_assert_int_eq(object_stat(channel).st_size, 8192);
	channel_unref(channel);
	channel_release(file);
}
END_TEST

START_TEST(test_config_file_that_cannot_be_read_is_one_fault)
{
	ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_str_eq(faults, PATH ":0: No such file or directory\n");
	must_call(mkdir(PATH, 0755));
	ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_str_eq(faults, PATH ":0: Is a directory\n");
	must_call(rmdir(PATH));
}
END_TEST

/* What the daemon of user `self` reports about a file with this owner and mode. */
static const struct {
	uid_t self, owner;
	mode_t mode;
	const char *fault; /* NULL: the file is read */
} owners[] = {
	{0, 0, 0644, NULL},
	{0, 0, 0600, NULL},
	{0, 0, 0775, "refused: writable by others (mode 0775); chmod go-w"},
	{0, 0, 0646, "refused: writable by others (mode 0646); chmod go-w"},
	{0, 1234, 0600, "refused: owned by user 1234; chown it to root"},
	{1234, 0, 0644, NULL},
	{1234, 1234, 0664, NULL},
	{1234, 1234, 0666, "refused: writable by others (mode 0666); chmod o-w"},
	{1234, 4321, 0644, "refused: owned by user 4321; chown it to yourself"},
};
enum { N_OWNERS = sizeof(owners) / sizeof(*owners) };

START_TEST(test_config_file_of_others_is_refused)
{
	char expected[256] = "";

	if (owners[_i].fault)
		snprintf(expected, sizeof(expected), PATH ":0: %s\n", owners[_i].fault);
	read_config("# nothing\n");
	must_call(chown(PATH, owners[_i].owner, 0));
	must_call(chmod(PATH, owners[_i].mode));
	must_call(seteuid(owners[_i].self));
	ck_assert_int_eq(read_config(NULL), owners[_i].fault != NULL);
	ck_assert_str_eq(faults, expected);
	must_call(seteuid(0));
}
END_TEST

START_TEST(test_config_link_is_as_good_as_what_it_leads_to)
{
	write_to(DIRECTORY "real", "create pipes/a\n");
	must_call(symlink("real", PATH));
	must_call(lchown(PATH, 1234, 1234));
	ck_assert_int_eq(read_config(NULL), 0);
	must(object_lookup(pipes, "a", NULL));
	must_call(chown(DIRECTORY "real", 1234, 0));
	ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_str_eq(faults, PATH ":0: refused: owned by user 1234; chown it to root\n");
}
END_TEST

START_TEST(test_config_fifo_or_device_is_refused_at_once)
{
	const char *expected = PATH ":0: refused: not a regular file\n";

	must_call(mkfifo(PATH, 0600));
	ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_str_eq(faults, expected);
	must_call(unlink(PATH));
	must_call(symlink("/dev/zero", PATH));
	ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_str_eq(faults, expected);
	must_call(unlink(PATH));
	must_call(symlink("/dev/null", PATH));
	ck_assert_int_eq(read_config(NULL), 0);
}
END_TEST

/*
 * Here the daemon can't read /proc about itself. That must not hide why the file could not be
 * opened.
 */
START_TEST(test_config_fault_of_the_file_is_told_as_it_is)
{
	must_call(mount("tmpfs", "/proc", "tmpfs", 0, NULL));
	faults[0] = '\0';
	write_to(PATH, "");
	ck_assert_int_eq(config_read(&host, PATH "/nothing", fault), 1);
	must_call(umount("/proc"));
	ck_assert_str_eq(faults, PATH "/nothing:0: Not a directory\n");
}
END_TEST

/* Under AddressSanitizer mallinfo2() reports nothing, but LeakSanitizer reports leaks. */
START_TEST(test_config_file_that_cannot_be_read_leaks_nothing)
{
	const gid_t groups[] = {1, 2, 3, 4, 5, 6, 7, 8};
	size_t before;

	must_call(setgroups(sizeof(groups) / sizeof(groups[0]), groups));
	ck_assert_int_eq(read_config(NULL), 1);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(read_config(NULL), 1);
	ck_assert_uint_eq(mallinfo2().uordblks, before);
}
END_TEST

/* The test has its own /etc, in its mount namespace. */
START_TEST(test_config_system_reads_the_file_and_then_the_directory)
{
	must_call(mount("tmpfs", "/etc", "tmpfs", 0, NULL));
	read_config("");
	ck_assert_int_eq(config_read_system(&host, fault), 0);
	must_call(mkdir(CONFIG_DIRECTORY, 0755));
	ck_assert_int_eq(config_read_system(&host, fault), 0);
	write_to(CONFIG_FILE, "create pipes/a mode=0600\nbad\n");
	write_to(CONFIG_DIRECTORY "/20-b.conf", "set pipes/a mode=0622\nworse\n");
	write_to(CONFIG_DIRECTORY "/10-a.conf", "set pipes/a mode=0611\ncreate pipes/b\n");
	write_to(CONFIG_DIRECTORY "/30-c.conf.old", "create pipes/c\n");
	ck_assert_int_eq(config_read_system(&host, fault), 2);
	ck_assert_str_eq(faults, CONFIG_FILE
			 ":2: bad: not one of create, set, remove, empty, reap\n" CONFIG_DIRECTORY
			 "/20-b.conf:2: worse: not one of create, set, remove, empty, reap\n");
	ck_assert_uint_eq(mode_of(pipes, "a"), 0622);
	ck_assert_int_eq(space_count(pipes), 2);
}
END_TEST

START_TEST(test_config_system_directory_of_others_is_refused_whole)
{
	must_call(mount("tmpfs", "/etc", "tmpfs", 0, NULL));
	read_config("");
	must_call(mkdir(CONFIG_DIRECTORY, 0755));
	write_to(CONFIG_FILE, "create pipes/a\n");
	write_to(CONFIG_DIRECTORY "/10-a.conf", "create pipes/b\n");
	write_to(CONFIG_DIRECTORY "/20-b.conf", "create pipes/c\n");
	must_call(chown(CONFIG_DIRECTORY "/10-a.conf", 1234, 0));
	ck_assert_int_eq(config_read_system(&host, fault), 1);
	ck_assert_str_eq(faults, CONFIG_DIRECTORY
			 "/10-a.conf:0: refused: owned by user 1234; chown it to root\n");
	ck_assert_int_eq(space_count(pipes), 2); /* the pipes a and c */

	must_call(chmod(CONFIG_DIRECTORY, 0775));
	write_to(CONFIG_FILE, "create pipes/d\n");
	write_to(CONFIG_DIRECTORY "/20-b.conf", "create pipes/e\n");
	faults[0] = '\0';
	ck_assert_int_eq(config_read_system(&host, fault), 1);
	ck_assert_str_eq(faults, CONFIG_DIRECTORY
			 ":0: refused: writable by others (mode 0775); chmod go-w\n");
	ck_assert_int_eq(space_count(pipes), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");

	suite_add(suite, "file",
		  (const TTest *const[]){
			  test_config_every_line_takes_effect,
			  test_config_last_line_needs_no_newline,
			  test_config_empty_file_is_no_fault,
			  test_config_faults_are_told_with_line_and_the_rest_is_done,
			  test_config_line_that_is_too_long_is_one_fault,
			  test_config_without_mode_has_the_usual_umask,
			  test_config_read_again_keeps_and_adjusts,
			  test_config_file_that_cannot_be_read_is_one_fault,
			  test_config_link_is_as_good_as_what_it_leads_to,
			  test_config_fifo_or_device_is_refused_at_once,
			  test_config_fault_of_the_file_is_told_as_it_is,
			  test_config_file_that_cannot_be_read_leaks_nothing,
			  NULL,
		  });
	suite_add_loop(suite, "owners",
		       (const TTest *const[]){test_config_file_of_others_is_refused, NULL},
		       N_OWNERS);
	suite_add(suite, "system",
		  (const TTest *const[]){
			  test_config_system_reads_the_file_and_then_the_directory,
			  test_config_system_directory_of_others_is_refused_whole,
			  NULL,
		  });
	return suite_run(suite);
}
