// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that has an object open sees at once that the name has gone: fstat(2) reports no links,
 * which lsof +L1 relies on. This holds however the name was removed through the mount, and for
 * every open file of the object.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name, *settings;
	bool can_be_renamed;
	const char *needs; /* the kernel features that it needs */
} objects[] = {
	{"pipes/u", "", true, ""},
	{"pipes/u", "served=daemon", true, ""},
	{"events/u", "", true, ""},
	{"shm/u", "size=4096", true, ""},
	{"queues/u", "", false, ""},
	{"sems/u", "", false, ""},
	{"sysv/queues/0x000004d2", "", false, ""},
	/* Without this feature, the segment counts as attached, and keeps its number as a name. */
	{"sysv/shm/0x000004d2", "size=4096", false, "map_files"},
	{"sysv/sems/0x000004d2", "", false, ""},
};
enum { N_OBJECTS = sizeof(objects) / sizeof(objects[0]), N_FILES = 3, N_ROUNDS = 5 };

static void make(const char *name, const char *settings)
{
	char line[128];

	snprintf(line, sizeof(line), "create %s %s", name, settings);
	look_command(line);
}

static void unlink_it(const char *name)
{
	must(unlink(ipc_path(name)));
}

static void remove_it(const char *name)
{
	char line[128];

	snprintf(line, sizeof(line), "remove %s", name);
	look_command(line);
}

static void replace_it(const char *name)
{
	char other[64];

	snprintf(other, sizeof(other), "%s.2", name);
	make(other, "");
	must(rename(ipc_path(other), ipc_path(name)));
}

static void expect_links(const int fds[N_FILES], unsigned n)
{
	struct stat attr;

	for (int i = 0; i < N_FILES; i++) {
		must(fstat(fds[i], &attr));
		ck_assert_uint_eq(attr.st_nlink, n);
	}
}

static void try_removal(int number, void (*remove_name)(const char *name))
{
	const char *name = objects[number].name;
	int fds[N_FILES];

	for (int round = 0; round < N_ROUNDS; round++) {
		make(name, objects[number].settings);
		for (int i = 0; i < N_FILES; i++)
			fds[i] = channel_open(name, O_RDWR | O_NONBLOCK);
		expect_links(fds, 1);
		remove_name(name);
		expect_links(fds, 0);
		for (int i = 0; i < N_FILES; i++)
			must(close(fds[i]));
		if (access(ipc_path(name), F_OK) == 0)
			must(unlink(ipc_path(name)));
	}
}

START_TEST(test_unlinked_object_has_no_links)
{
	try_removal(_i, unlink_it);
}
END_TEST

START_TEST(test_unlinked_object_that_ctl_removed_has_no_links)
{
	try_removal(_i, remove_it);
}
END_TEST

START_TEST(test_unlinked_object_that_was_replaced_has_no_links)
{
	if (objects[_i].can_be_renamed)
		try_removal(_i, replace_it);
}
END_TEST

START_TEST(test_unlinked_server_has_no_links)
{
	struct stat attr;
	int fd;

	must(mkdir(ipc_path("sockets/servers/u"), 0700));
	fd = (int)must(open(ipc_path("sockets/servers/u"), O_RDONLY | O_DIRECTORY));
	must(rmdir(ipc_path("sockets/servers/u")));
	must(fstat(fd, &attr));
	ck_assert_uint_eq(attr.st_nlink, 0);
	must(close(fd));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unlinked");
	TCase *tcase = suite_case(suite, "unlinked", 20);

	for (int i = 0; i < N_OBJECTS; i++) {
		const char *needs = objects[i].needs;

		case_add_needing(tcase, test_unlinked_object_has_no_links, i, needs);
		case_add_needing(tcase, test_unlinked_object_that_ctl_removed_has_no_links, i,
				 needs);
		case_add_needing(tcase, test_unlinked_object_that_was_replaced_has_no_links, i,
				 needs);
	}
	tcase_add_test(tcase, test_unlinked_server_has_no_links);
	return suite_run(suite);
}
