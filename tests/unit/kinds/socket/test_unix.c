// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mirror of the real directories: what is in it, whose rights count, and where links lead.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/peer.h"
#include "tests/unit/sockets.h"

static struct space *space;

/* Follows the path as the caller. Returns 0 and *ret_entry, or -errno. */
static int walk(const char *path, struct caller *caller, struct entry *ret_entry)
{
	CLEANUP_FREE char *copy = strdup(path);
	char *rest;

	space = space ? space : fixture_open(&unix_kind);
	*ret_entry = (struct entry){.space = space_ref(space)};
	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		struct space *directory = ret_entry->space;
		int r = socket_find(directory, name, caller, ret_entry);

		space_unref(directory);
		if (r < 0)
			return r;
	}
	return 0;
}

static int try_walk(const char *path, struct caller *caller)
{
	struct entry entry;
	int r = walk(path, caller, &entry);

	if (r == 0)
		entry_unref(&entry);
	return r;
}

static void touch(const char *path)
{
	close((int)must_call(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
}

START_TEST(test_unix_shows_directories_and_sockets_only)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);
	struct entry entry;
	ino_t ino;
	mode_t mode;

	must_call(mkdir("/dev/shm/d", 0700));
	must_call(mkfifo("/dev/shm/fifo", 0600));
	touch("/dev/shm/file");
	must(walk("dev/shm", &root, &entry));
	ck_assert_int_eq(space_count(entry.space), 2);
	ck_assert_int_eq(space_list_find(entry.space, "d", &ino, &mode), 1);
	ck_assert_uint_eq(mode, S_IFDIR);
	ck_assert_int_eq(space_list_find(entry.space, "socket", &ino, &mode), 1);
	ck_assert_uint_eq(mode, S_IFREG); /* as stat(2) shows it */
	entry_unref(&entry);
	must_fail(try_walk("dev/shm/file", &root), ENOENT);
	must_fail(try_walk("dev/shm/fifo", &root), ENOENT);
	must_fail(try_walk("dev/shm/absent", &root), ENOENT);
}
END_TEST

START_TEST(test_unix_attributes_are_the_real_ones)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);
	struct entry entry;
	struct stat attr;

	must_call(chmod(SOCKET_PATH, 0640));
	must_call(chown(SOCKET_PATH, 1, 2));
	must(walk("dev/shm/socket", &root, &entry));
	attr = object_stat(entry.channel);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0640);
	ck_assert_uint_eq(attr.st_uid, 1);
	ck_assert_uint_eq(attr.st_gid, 2);
	must_fail(object_chmod(entry.channel, 0600, &root), EPERM);
	entry_unref(&entry);
	must_call(mkdir("/dev/shm/d", 0750));
	must_call(chown("/dev/shm/d", 3, 4));
	must(walk("dev/shm/d", &root, &entry));
	space_stat(entry.space, &attr);
	ck_assert_uint_eq(attr.st_mode, S_IFDIR | 0750);
	ck_assert_uint_eq(attr.st_uid, 3);
	ck_assert_uint_eq(attr.st_gid, 4);
	entry_unref(&entry);
}
END_TEST

/*
 * A sticky directory is shown without that bit. With it, the kernel would refuse the shell's `<>`,
 * because of fs.protected_regular.
 */
START_TEST(test_unix_sticky_directory_is_shown_without)
{
	struct entry entry;
	struct stat attr;

	must(walk("dev/shm", &root, &entry)); /* 01777 */
	space_stat(entry.space, &attr);
	ck_assert_uint_eq(attr.st_mode, S_IFDIR | 0777);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_unix_stranger_gets_no_further_than_natively)
{
	CLEANUP_FD int fd = -1;
	struct entry entry;
	struct file *file;

	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must_call(mkdir("/dev/shm/d", 0700));
	fd = native_unix(SOCK_STREAM);
	must_call(rename(SOCKET_PATH, "/dev/shm/d/socket"));
	must_call(chmod("/dev/shm/d/socket", 0777));
	must(walk("dev/shm/d", &stranger, &entry));
	must_fail(socket_find(entry.space, "socket", &stranger, &entry), EACCES);
	must_call(chmod("/dev/shm/d", 0711));
	must(walk("dev/shm/d/socket", &stranger, &entry));
	must(socket_open(entry.channel, O_RDWR, &stranger, &file));
	object_close(file);
	/* The lookup was allowed, but now the open no longer is. */
	must_call(chmod("/dev/shm/d", 0700));
	must_fail(socket_open(entry.channel, O_RDWR, &stranger, &file), EACCES);
	must_call(chmod("/dev/shm/d", 0711));
	must_call(chmod("/dev/shm/d/socket", 0700));
	must_fail(socket_open(entry.channel, O_RDWR, &stranger, &file), EACCES);
	entry_unref(&entry);
}
END_TEST

static int list_once(void *data)
{
	struct entry *entry = data;
	int n = 0;

	return space_list(entry->space, &stranger, NULL, &n);
}

START_TEST(test_unix_stranger_lists_no_more_than_natively)
{
	struct entry entry;

	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must_call(mkdir("/dev/shm/d", 0711));
	must(walk("dev/shm/d", &stranger, &entry));
	must_fail(loop_wait_for(&stranger, list_once, &entry), EACCES);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_unix_connection_is_the_callers)
{
	CLEANUP_FD int listening = native_unix(SOCK_STREAM);
	CLEANUP_FD int fd = -1;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct entry entry;
	struct file *file;

	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must_call(chmod(SOCKET_PATH, 0777));
	must(walk("dev/shm/socket", &stranger, &entry));
	must(socket_open(entry.channel, O_RDWR, &stranger, &file));
	fd = native_accept(listening);
	must_call(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
	ck_assert_uint_eq(peer.uid, STRANGER);
	ck_assert_uint_eq(peer.gid, STRANGER);
	object_close(file);
	entry_unref(&entry);
}
END_TEST

static const struct {
	const char *target, *path, *shown;
} links[] = {
	{"d", "dev/shm/link", "d"},
	{"../shm/socket", "dev/shm/link", "../shm/socket"},
	{"/dev/shm/d", "dev/shm/link", "../../dev/shm/d"},
	{"/", "dev/shm/link", "../../"},
	{"//dev/shm/socket", "dev/shm/link", "../../dev/shm/socket"},
};

START_TEST(test_unix_link_leads_to_the_same_place)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);
	struct entry entry;
	ino_t ino;
	mode_t mode;

	must_call(mkdir("/dev/shm/d", 0700));
	must_call(symlink(links[_i].target, "/dev/shm/link"));
	must(walk(links[_i].path, &root, &entry));
	ck_assert_int_eq(entry.channel->service, CHANNEL_LINK);
	ck_assert_str_eq(entry.channel->link, links[_i].shown);
	entry_unref(&entry);
	must(walk("dev/shm", &root, &entry));
	ck_assert_int_eq(space_list_find(entry.space, "link", &ino, &mode), 1);
	ck_assert_uint_eq(mode, S_IFLNK);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_unix_link_to_anything_else_is_not_there)
{
	struct entry entry;

	touch("/dev/shm/file");
	must_call(symlink("file", "/dev/shm/a"));
	must_call(symlink("absent", "/dev/shm/b"));
	must_call(symlink("c", "/dev/shm/c"));
	must_fail(try_walk("dev/shm/a", &root), ENOENT);
	must_fail(try_walk("dev/shm/b", &root), ENOENT);
	must_fail(try_walk("dev/shm/c", &root), ELOOP);
	must(walk("dev/shm", &root, &entry));
	ck_assert_int_eq(space_count(entry.space), 0);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_unix_leaves_out_proc_and_sys)
{
	mode_t mode;
	ino_t ino;

	must_fail(try_walk("proc", &root), ENOENT);
	must_fail(try_walk("sys", &root), ENOENT);
	ck_assert_int_eq(space_list_find(space, "proc", &ino, &mode), 0);
	ck_assert_int_eq(space_list_find(space, "sys", &ino, &mode), 0);
	ck_assert_int_eq(space_list_find(space, "dev", &ino, &mode), 1);
}
END_TEST

START_TEST(test_unix_directory_is_one_for_all_who_have_it)
{
	struct entry first, second;

	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must(walk("dev/shm", &root, &first));
	must(walk("dev/shm", &stranger, &second));
	ck_assert_ptr_eq(first.space, second.space);
	entry_unref(&first);
	entry_unref(&second);
}
END_TEST

START_TEST(test_unix_makes_and_removes_nothing)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);
	struct channel *channel;
	struct entry entry;

	must(walk("dev/shm", &root, &entry));
	must_fail(object_create(entry.space, "new", S_IFREG | 0600, &root, &channel), ENOENT);
	must_fail(object_create(entry.space, "new", S_IFDIR | 0700, &root, &channel), EPERM);
	must_fail(space_remove(entry.space, "socket", &root), EPERM);
	must_fail(space_rename(entry.space, "socket", "other", 0, &root), EPERM);
	entry_unref(&entry);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unix");

	suite_add(suite, "tree",
		  (const TTest *const[]){
			  test_unix_shows_directories_and_sockets_only,
			  test_unix_attributes_are_the_real_ones,
			  test_unix_sticky_directory_is_shown_without,
			  test_unix_link_to_anything_else_is_not_there,
			  test_unix_leaves_out_proc_and_sys,
			  test_unix_directory_is_one_for_all_who_have_it,
			  test_unix_makes_and_removes_nothing,
			  NULL,
		  });
	suite_add_loop(suite, "links",
		       (const TTest *const[]){test_unix_link_leads_to_the_same_place, NULL},
		       sizeof(links) / sizeof(links[0]));
	suite_add(suite, "rights",
		  (const TTest *const[]){
			  test_unix_stranger_gets_no_further_than_natively,
			  test_unix_stranger_lists_no_more_than_natively,
			  test_unix_connection_is_the_callers,
			  NULL,
		  });
	return suite_run(suite);
}
