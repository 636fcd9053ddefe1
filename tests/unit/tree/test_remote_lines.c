// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of the configuration about what lies on other machines: they wait until it is known there,
 * and no other line waits for them. Here pipes are called remote, and some cannot be reached.
 */
#include <stdlib.h>

#include "lib/kinds/kinds.h"
#include "lib/tree/config.h"
#include "lib/tree/remote_lines.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

static struct space *local, *remote;
static struct space *spaces[3];
static struct kind remote_kind;
static struct space_ops remote_ops;
static const struct space_ops *pipe_ops;
static int create_error; /* what the next create of a remote object returns; 0: nothing */
static char made[256];   /* what a remote create was asked for, each followed by a blank */
static char faults[1024];

static void fault(const char *path, unsigned line, const char *text)
{
	size_t length = strlen(faults);

	snprintf(faults + length, sizeof(faults) - length, "%s:%u: %s\n", path, line, text);
}

static int create(struct space *space, const char *name, mode_t mode,
		  const struct settings *settings, struct caller *caller, struct entry *ret_entry)
{
	size_t length = strlen(made);
	int r;

	snprintf(made + length, sizeof(made) - length, "%s ", name);
	if (create_error)
		return create_error;
	space->ops = pipe_ops;
	r = pipe_ops->create(space, name, mode, settings, caller, ret_entry);
	space->ops = &remote_ops;
	return r;
}

/* Pipes whose space can be told to fail. */
static struct space *open_remote(void)
{
	struct space *space = fixture_open(&pipe_kind);

	remote_kind = pipe_kind;
	remote_kind.path = "cluster/pipes";
	remote_kind.is_remote = true;
	space->kind = &remote_kind;
	pipe_ops = space->ops;
	remote_ops = *pipe_ops;
	remote_ops.create = create;
	space->ops = &remote_ops;
	return space;
}

static void open_spaces(void)
{
	host.remote.servers = "nats://localhost:4222";
	must(remote_lines_init(&host));
	spaces[0] = local = fixture_open(&shm_kind);
	spaces[1] = remote = open_remote();
	host.spaces = spaces;
}

static void close_spaces(void)
{
	remote_lines_fini(&host);
	remote->ops = pipe_ops;
	remote->kind = &pipe_kind;
	host.spaces = NULL;
}

static int read_config(const char *text)
{
	const char *path = "/dev/shm/config";
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	must_call(fchmod(fileno(file), 0644));
	ck_assert_int_eq(fclose(file), 0);
	return config_read(&host, path, fault);
}

/* As the cluster does when it is connected. */
static void be_known(void)
{
	host.remote.known(&host);
	loop_settle();
}

START_TEST(test_remote_lines_wait_and_the_others_do_not)
{
	open_spaces();
	ck_assert_int_eq(read_config("create cluster/pipes/a\ncreate shm/s size=1\n"
				     "create 'cluster/pipes/b' mode=0640\n"),
			 0);
	loop_settle();
	must(object_lookup(local, "s", NULL));
	ck_assert_str_eq(made, "");
	be_known();
	ck_assert_str_eq(made, "a b ");
	ck_assert_str_eq(faults, "");
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_run_once)
{
	open_spaces();
	read_config("create cluster/pipes/a\n");
	be_known();
	be_known();
	ck_assert_str_eq(made, "a ");
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_that_come_later_run_at_once)
{
	open_spaces();
	be_known();
	read_config("create cluster/pipes/a\nset cluster/pipes/a mode=0604\n");
	loop_settle();
	ck_assert_str_eq(made, "a ");
	ck_assert_str_eq(faults, "");
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_faults_are_told_with_line_and_the_rest_is_done)
{
	open_spaces();
	ck_assert_int_eq(read_config("# x\ncreate cluster/pipes/a bad=1\ncreate cluster/pipes/b\n"
				     "crate cluster/pipes/c\n"),
			 0);
	be_known();
	ck_assert_str_eq(made, "b ");
	ck_assert(strstr(faults, "/dev/shm/config:2: bad: no such key for cluster/pipes"));
	ck_assert(strstr(faults, "/dev/shm/config:4: crate: not one of"));
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_run_again_if_the_connection_fails)
{
	open_spaces();
	create_error = -ENOTCONN;
	read_config("create cluster/pipes/a\ncreate cluster/pipes/b\n");
	be_known();
	be_known();
	ck_assert_str_eq(made, "a a ");
	ck_assert_str_eq(faults, "/dev/shm/config:1: create cluster/pipes/a: "
				 "Transport endpoint is not connected\n");
	create_error = -EHOSTDOWN;
	be_known();
	create_error = 0;
	be_known();
	ck_assert_str_eq(made, "a a a a b ");
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_forgotten_do_not_run)
{
	open_spaces();
	read_config("create cluster/pipes/a\n");
	remote_lines_forget(&host);
	read_config("create cluster/pipes/b\n");
	be_known();
	ck_assert_str_eq(made, "b ");
	close_spaces();
}
END_TEST

START_TEST(test_remote_lines_are_freed_with_the_host)
{
	open_spaces();
	read_config("create cluster/pipes/a\ncreate cluster/pipes/b\n");
	close_spaces();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("remote_lines");

	suite_add(suite, "lines",
		  (const TTest *const[]){
			  test_remote_lines_wait_and_the_others_do_not,
			  test_remote_lines_run_once,
			  test_remote_lines_that_come_later_run_at_once,
			  test_remote_lines_faults_are_told_with_line_and_the_rest_is_done,
			  test_remote_lines_run_again_if_the_connection_fails,
			  test_remote_lines_forgotten_do_not_run,
			  test_remote_lines_are_freed_with_the_host,
			  NULL,
		  });
	return suite_run(suite);
}
