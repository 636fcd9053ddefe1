// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Refused commands, each with the exact words of the refusal. A wrong line fails with EINVAL. A
 * line that its caller has no right to fails as the underlying call does. Neither has any effect.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/host/job.h"
#include "tests/unit/commands.h"
#include "tests/unit/objects.h"

/* Makes one object of each kind, owned by root, which only root may use. */
static void make(void)
{
	commands_open();
	must(command("create pipes/old mode=0600"));
	must(command("create queues/old mode=0600 maxmsg=1 msgsize=1"));
	must(command("create shm/old mode=0600 size=4K"));
}

static void expect_nothing_changed(void)
{
	for (int i = 0; i < 3; i++) {
		struct stat attr = command_stat(i, "old");

		ck_assert_int_eq(space_count(host.spaces[i]), 1);
		ck_assert_uint_eq(attr.st_mode & 07777, 0600);
		ck_assert_uint_eq(attr.st_uid, 0);
		ck_assert_uint_eq(attr.st_gid, 0);
	}
	ck_assert_int_eq(command_stat(SHM, "old").st_size, 4096);
}

struct refused {
	const char *line;
	int error;
	const char *text;
};

static void expect_refused(struct caller *caller, const struct refused *refused)
{
	int r;

	make();
	r = command_as(caller, COMMAND_STRICT, refused->line);
	ck_assert_msg(r == -refused->error, "%s: '%s'", error_name(r), command_fault);
	ck_assert_str_eq(command_fault, refused->text);
	expect_nothing_changed();
}

#define BAD_ESCAPE                                                                     \
	"invalid escape (a backslash takes NNN in octal, xNN, or a character that is " \
	"not a letter or digit)"

#define NOT_A_KIND ": not a kind, such as sysv/shm; to remove one object: remove KIND/NAME"

static const struct refused wrong[] = {
	{"crate pipes/x", EINVAL, "crate: not one of create, set, remove, empty, reap"},
	{"CREATE pipes/x", EINVAL, "CREATE: not one of create, set, remove, empty, reap"},
	{"pipes/x", EINVAL, "pipes/x: not one of create, set, remove, empty, reap"},
	{"create", EINVAL, "create: KIND/NAME is missing"},
	{"create # pipes/x", EINVAL, "create: KIND/NAME is missing"},
	{"set", EINVAL, "set: KIND/NAME is missing"},
	{"remove", EINVAL, "remove: KIND/NAME is missing"},
	{"reap", EINVAL, "reap: KIND is missing"},
	{"reap shm/old", EINVAL, "shm/old" NOT_A_KIND},
	{"reap Shm", EINVAL, "Shm" NOT_A_KIND},
	{"reap shm idle", EINVAL, "idle: not of the form KEY=VALUE"},
	{"reap shm =1", EINVAL, "=1: not of the form KEY=VALUE"},
	{"reap shm idle=1w", EINVAL, "idle=1w: not a time; 90, 10m, 1h and 7d are"},
	{"reap shm idle=", EINVAL, "idle=: not a time; 90, 10m, 1h and 7d are"},
	{"reap shm dry=1", EINVAL, "dry=1: neither yes nor no"},
	{"reap shm every=0", EINVAL, "every=0: must not be 0"},
	{"reap shm every=1h", EINVAL, "every=: only in the configuration; leave it out"},
	{"reap shm owner=nosuchuser", EINVAL, "owner=nosuchuser: no such user"},
	{"reap shm group=0", EINVAL, "group: no such key for reap (idle, owner, dry, every)"},
	{"create pipe/x", EINVAL, "pipe/x: no such kind"},
	{"create pipes", EINVAL, "pipes: not of the form KIND/NAME"},
	{"create x", EINVAL, "x: not of the form KIND/NAME"},
	{"create /pipes/x", EINVAL, "/pipes/x: not of the form KIND/NAME"},
	{"create pipes2/x", EINVAL, "pipes2/x: no such kind"},
	{"create info/x", EINVAL, "info/x: no such kind"},
	{"create pipes/", EINVAL, "pipes/: not a valid name"},
	{"create pipes/.", EINVAL, "pipes/.: not a valid name"},
	{"create pipes/..", EINVAL, "pipes/..: not a valid name"},
	{"create pipes/a/b", EINVAL, "pipes/a/b: not a valid name"},
	{"create shm/../x", EINVAL, "shm/../x: not a valid name"},
	{"remove shm/../../etc/passwd", EINVAL, "shm/../../etc/passwd: not a valid name"},
	{"create pipes/x capacity", EINVAL, "capacity: not of the form KEY=VALUE"},
	{"create pipes/x pipes/y", EINVAL, "pipes/y: not of the form KEY=VALUE"},
	{"create pipes/x color=red", EINVAL,
	 "color: no such key for pipes (mode, owner, group, capacity, eof, keep, served)"},
	{"create pipes/x =1", EINVAL, "=1: not of the form KEY=VALUE"},
	{"create pipes/x maxmsg=1", EINVAL,
	 "maxmsg: no such key for pipes (mode, owner, group, capacity, eof, keep, served)"},
	{"create queues/x size=1", EINVAL,
	 "size: no such key for queues (mode, owner, group, maxmsg, msgsize)"},
	{"create shm/x capacity=1M", EINVAL,
	 "capacity: no such key for shm (mode, owner, group, size)"},
	{"create pipes/x capacity=", EINVAL,
	 "capacity=: not a size (a number, optionally followed by K, M or G)"},
	{"create pipes/x capacity=big", EINVAL,
	 "capacity=big: not a size (a number, optionally followed by K, M or G)"},
	{"create pipes/x capacity=1m", EINVAL,
	 "capacity=1m: not a size (a number, optionally followed by K, M or G)"},
	{"create pipes/x capacity=4095", EINVAL,
	 "capacity=4095: out of range (4096 to 2147483647)"},
	{"create pipes/x capacity=2G", EINVAL, "capacity=2G: out of range (4096 to 2147483647)"},
	{"create pipes/x eof=maybe", EINVAL, "eof=maybe: not one of auto, never"},
	{"create queues/x maxmsg=1K", EINVAL, "maxmsg=1K: not a number"},
	{"create queues/x maxmsg=0", EINVAL, "maxmsg=0: out of range (1 to 65536)"},
	{"create queues/x msgsize=0", EINVAL, "msgsize=0: out of range (1 to 16777216)"},
	{"create pipes/x mode=888", EINVAL, "mode=888: not an octal mode (0 to 777)"},
	{"create pipes/x mode=1777", EINVAL, "mode=1777: not an octal mode (0 to 777)"},
	{"create pipes/x mode=-1", EINVAL, "mode=-1: not an octal mode (0 to 777)"},
	{"create pipes/x mode=u+r", EINVAL, "mode=u+r: not an octal mode (0 to 777)"},
	{"create pipes/x mode=", EINVAL, "mode=: not an octal mode (0 to 777)"},
	{"create pipes/x owner=nosuchuser", EINVAL, "owner=nosuchuser: no such user"},
	{"create pipes/x owner=", EINVAL, "owner=: no such user"},
	{"create pipes/x owner=-1", EINVAL, "owner=-1: no such user"},
	{"create pipes/x owner=4294967295", EINVAL, "owner=4294967295: no such user"},
	{"create pipes/x owner=4294967296", EINVAL, "owner=4294967296: no such user"},
	{"create pipes/x group=nosuchgroup", EINVAL, "group=nosuchgroup: no such group"},
	{"create pipes/x group=4294967295", EINVAL, "group=4294967295: no such group"},
	{"create pipes/x =", EINVAL, "=: not of the form KEY=VALUE"},
	{"create pipes/x mode=semaphore", EINVAL, "mode=semaphore: not an octal mode (0 to 777)"},
	{"create pipes/x served=daemon keep=yes", EINVAL,
	 "create pipes/x: keep= is only for FIFOs (served=kernel)"},
	{"set pipes/old", EINVAL, "set: KEY=VALUE is missing"},
	{"set queues/old maxmsg=3", EINVAL, "maxmsg: can only be set by create"},
	{"set queues/old mode=0640 msgsize=3", EINVAL, "msgsize: can only be set by create"},
	{"remove pipes/old mode=0600", EINVAL, "mode: remove takes no keys"},
	{"remove pipes/old now", EINVAL, "now: not of the form KEY=VALUE"},
	{"create 'pipes/x", EINVAL, "unterminated quote"},
	{"create \"pipes/x'", EINVAL, "unterminated quote"},
	{"create \"pipes/x\\\"", EINVAL, "unterminated quote"},
	{"create pipes/x\\", EINVAL, BAD_ESCAPE},
	{"create \"pipes/x\\", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\04", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\049", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\400", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\000", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\x00", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\x4", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\xg0", EINVAL, BAD_ESCAPE},
	{"create pipes/x\\n", EINVAL, BAD_ESCAPE},
	{"create 'pipes/a b' c", EINVAL, "c: not of the form KEY=VALUE"},
	{"create pipes/\\056\\056", EINVAL, "pipes/..: not a valid name"},
	{"create ''", EINVAL, ": not of the form KIND/NAME"},
	{"'' pipes/x", EINVAL, ": not one of create, set, remove, empty, reap"},
	{"create pipes/old", EEXIST, "create pipes/old: already exists"},
	{"create queues/old", EEXIST, "create queues/old: already exists"},
	{"create queues/old maxmsg=9", EEXIST,
	 "create queues/old: already exists with maxmsg=1, not maxmsg=9"},
	{"create shm/old size=1M", EEXIST,
	 "create shm/old: already exists with size=4096, not size=1M"},
	{"set pipes/x mode=0600", ENOENT, "set pipes/x: No such file or directory"},
	{"set queues/x mode=0600", ENOENT, "set queues/x: No such file or directory"},
	{"set shm/x size=1", ENOENT, "set shm/x: No such file or directory"},
	{"remove pipes/x", ENOENT, "remove pipes/x: No such file or directory"},
	{"remove queues/x", ENOENT, "remove queues/x: No such file or directory"},
	{"remove shm/x", ENOENT, "remove shm/x: No such file or directory"},
	{"create shm/sem.x", EPERM,
	 "create shm/sem.x: names a semaphore (sem.*); create it in sems"},
	{"create shm/x size=8589934592G", EINVAL,
	 "size=8589934592G: out of range (0 to 9223372036854775807)"},
};
#define N_WRONG (sizeof(wrong) / sizeof(wrong[0]))

START_TEST(test_command_wrong_line_is_explained)
{
	expect_refused(&root, &wrong[_i]);
}
END_TEST

/* What another user must not do to root's objects, and must not give away of its own. */
static const struct refused forbidden[] = {
	{"remove pipes/old", EPERM, "remove pipes/old: Operation not permitted"},
	{"remove queues/old", EPERM, "remove queues/old: Operation not permitted"},
	{"remove shm/old", EPERM, "remove shm/old: Operation not permitted"},
	{"set pipes/old mode=0666", EPERM, "set pipes/old: Operation not permitted"},
	{"set queues/old mode=0666", EPERM, "set queues/old: Operation not permitted"},
	{"set shm/old mode=0666", EPERM, "set shm/old: Operation not permitted"},
	{"set pipes/old capacity=64K", EPERM, "set pipes/old: Operation not permitted"},
	{"set pipes/old eof=never", EPERM, "set pipes/old: Operation not permitted"},
	{"set shm/old size=0", EACCES, "set shm/old: Permission denied"},
	{"set pipes/old owner=65534", EPERM, "set pipes/old: Operation not permitted"},
	{"set queues/old owner=65534", EPERM, "set queues/old: Operation not permitted"},
	{"set shm/old owner=65534", EPERM, "set shm/old: Operation not permitted"},
	{"set pipes/old group=65534", EPERM, "set pipes/old: Operation not permitted"},
	{"set queues/old group=65534", EPERM, "set queues/old: Operation not permitted"},
	{"set shm/old group=65534", EPERM, "set shm/old: Operation not permitted"},
	{"create pipes/x owner=0", EPERM, "owner=0: only root can give an object away"},
	{"create queues/x owner=root", EPERM, "owner=root: only root can give an object away"},
	{"create shm/x owner=1000", EPERM, "owner=1000: only root can give an object away"},
	{"create pipes/x group=0", EPERM, "group=0: you are not in this group"},
	{"create queues/x group=4", EPERM, "group=4: you are not in this group"},
	{"create shm/x group=root", EPERM, "group=root: you are not in this group"},
	{"create pipes/old", EEXIST, "create pipes/old: already exists"},
	{"create queues/x maxmsg=65536 msgsize=1", EINVAL,
	 "create queues/x: maxmsg= or msgsize= is above the limit in /proc/sys/fs/mqueue"},
};
#define N_FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))

START_TEST(test_command_of_another_user_is_refused)
{
	expect_refused(&stranger, &forbidden[_i]);
}
END_TEST

/* Settings that would give a user's own object away. They are refused, as by chown(2). */
static const char *const gifts[] = {"owner=0", "owner=1000", "group=0", "mode=0600 group=4"};
#define N_GIFTS (sizeof(gifts) / sizeof(gifts[0]))

START_TEST(test_command_set_gives_nothing_away)
{
	static const char *const objects[] = {"pipes/x", "queues/x", "shm/x"};
	char line[100];

	make();
	for (int i = 0; i < 3; i++) {
		struct stat attr;

		snprintf(line, sizeof(line), "create %s mode=0644", objects[i]);
		must(command_as(&stranger, COMMAND_STRICT, line));
		snprintf(line, sizeof(line), "set %s %s", objects[i], gifts[_i]);
		must_fail(command_as(&stranger, COMMAND_STRICT, line), EPERM);
		snprintf(line, sizeof(line), "set %s: Operation not permitted", objects[i]);
		ck_assert_str_eq(command_fault, line);
		attr = command_stat(i, "x");
		ck_assert_uint_eq(attr.st_mode & 07777, 0644);
		ck_assert_uint_eq(attr.st_uid, STRANGER);
		ck_assert_uint_eq(attr.st_gid, STRANGER);
	}
}
END_TEST

START_TEST(test_command_user_does_what_it_may)
{
	gid_t *groups = malloc(sizeof(*groups));

	make();
	groups[0] = 4;
	stranger.is_loaded = true;
	stranger.groups = groups;
	stranger.n_groups = 1;
	must(command_as(&stranger, COMMAND_STRICT, "create pipes/x owner=65534 group=4 mode=0640"));
	must(command_as(&stranger, COMMAND_STRICT, "create queues/x maxmsg=1 msgsize=1 group=4"));
	must(command_as(&stranger, COMMAND_STRICT, "create shm/x size=1K group=65534"));
	must(command_as(&stranger, COMMAND_STRICT,
			"set pipes/x group=65534 mode=0600 capacity=64K"));
	must(command_as(&stranger, COMMAND_STRICT, "set shm/x group=4 size=2K"));
	ck_assert_uint_eq(command_stat(QUEUES, "x").st_gid, 4);
	ck_assert_uint_eq(command_stat(SHM, "x").st_gid, 4);
	ck_assert_int_eq(command_stat(SHM, "x").st_size, 2048);
	must(command_as(&stranger, COMMAND_STRICT, "remove pipes/x"));
	must(command_as(&stranger, COMMAND_STRICT, "remove queues/x"));
	must(command_as(&stranger, COMMAND_STRICT, "remove shm/x"));
	expect_nothing_changed();
}
END_TEST

/* fs.pipe-max-size limits all users except root. */
START_TEST(test_command_capacity_beyond_the_callers_limit_eperm)
{
	make();
	must(command_as(&stranger, COMMAND_STRICT, "create pipes/y capacity=64K"));
	must(command_as(&stranger, COMMAND_STRICT, "remove pipes/y"));
	must_fail(command_as(&stranger, COMMAND_STRICT, "create pipes/x capacity=1G"), EPERM);
	ck_assert_str_eq(
		command_fault,
		"create pipes/x: capacity= is above the limit in /proc/sys/fs/pipe-max-size");
	must_fail(object_lookup(host.spaces[PIPES], "x", NULL), ENOENT);
}
END_TEST

/* An error text names the wrong word, but has room for the reason even if the word is long. */
START_TEST(test_command_long_word_does_not_hide_the_reason)
{
	char line[COMMAND_MAX] = "create pipes/p ";

	make();
	memset(line + strlen(line), 'w', 2000);
	must_fail(command(line), EINVAL);
	ck_assert_msg(strstr(command_fault, "KEY=VALUE"), "%s", command_fault);
	line[strlen("create pipes/p wwww")] = '=';
	must_fail(command(line), EINVAL);
	ck_assert_msg(strstr(command_fault, "no such key"), "%s", command_fault);
}
END_TEST

static int busy_create(struct space *space, const char *name, mode_t mode,
		       const struct settings *settings, struct caller *caller,
		       struct entry *ret_entry)
{
	return -EAGAIN;
}

static void resume(struct waiter *waiter)
{
}

/*
 * -EAGAIN asks for the request to be held. A command with a waiter is held already, and fails with
 * EBUSY.
 */
START_TEST(test_command_that_would_wait_again_is_busy)
{
	static const struct parameter none[] = {{.name = NULL}};
	static const struct kind busy_kind = {.path = "busy", .parameters = none};
	static const struct space_ops ops = {.create = busy_create};
	struct waiter waiter = {.resume = resume};
	struct space busy = {0}, *spaces[] = {&busy, NULL};
	struct command *command;

	space_init(&busy, &ops, &host, "busy");
	busy.kind = &busy_kind;
	host.spaces = spaces;
	must(command_new(&host, "create busy/x", 13, COMMAND_STRICT, &root, &command));
	must_fail(command_run(command, &waiter), EBUSY);
	ck_assert_str_eq(command_error(command), "create busy/x: busy; try again");
	command_free(command);
	host.spaces = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refused commands");

	suite_add_loop(suite, "wrong",
		       (const TTest *const[]){test_command_wrong_line_is_explained, NULL}, N_WRONG);
	suite_add_loop(suite, "forbidden",
		       (const TTest *const[]){test_command_of_another_user_is_refused, NULL},
		       N_FORBIDDEN);
	suite_add_loop(suite, "gifts",
		       (const TTest *const[]){test_command_set_gives_nothing_away, NULL}, N_GIFTS);
	suite_add(suite, "rights",
		  (const TTest *const[]){
			  test_command_user_does_what_it_may,
			  test_command_capacity_beyond_the_callers_limit_eperm,
			  test_command_long_word_does_not_hide_the_reason,
			  test_command_that_would_wait_again_is_busy,
			  NULL,
		  });
	return suite_run(suite);
}
