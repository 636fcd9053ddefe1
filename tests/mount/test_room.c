// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * statfs(2): how much room there is, of what, and for whom.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SOMEBODY = 4321 };

static struct statvfs room_of(const char *path)
{
	struct statvfs room;

	must(statvfs(path, &room));
	ck_assert_uint_eq(room.f_namemax, 255);
	return room;
}

struct awaited {
	const char *dir;
	unsigned long n_free;
};

static bool has_free(void *awaited_)
{
	const struct awaited *awaited = awaited_;

	return room_of(awaited->dir).f_ffree == awaited->n_free;
}

/*
 * Waits until there is room for this many objects. An object that the daemon keeps goes only when
 * the kernel has forgotten it, which is later.
 */
static void must_become_free(const char *dir, unsigned long n_free)
{
	ck_assert(wait_until(has_free, &(struct awaited){dir, n_free}, 10000));
}

static void file_write(const char *path, const char *text)
{
	int fd = (int)must(open(path, O_WRONLY));

	must(write(fd, text, strlen(text)));
	close(fd);
}

static void must_match(const char *name)
{
	struct statvfs room = room_of(ipc_path(name)), native = room_of("/dev/shm");

	ck_assert_uint_eq(room.f_bsize, native.f_bsize);
	ck_assert_uint_eq(room.f_frsize, native.f_frsize);
	ck_assert_uint_eq(room.f_blocks, native.f_blocks);
	ck_assert_uint_eq(room.f_bfree, native.f_bfree);
	ck_assert_uint_eq(room.f_bavail, native.f_bavail);
	ck_assert_uint_eq(room.f_files, native.f_files);
	ck_assert_uint_eq(room.f_ffree, native.f_ffree);
}

START_TEST(test_room_for_regions_is_that_of_the_kernels_directory)
{
	int fd;

	must(mount(NULL, "/dev/shm", NULL, MS_REMOUNT, "size=64m,nr_inodes=1000"));
	must_match("shm");
	fd = (int)must(open(ipc_path("shm/x"), O_RDWR | O_CREAT, 0666));
	must(posix_fallocate(fd, 0, 16 << 20));
	close(fd);
	must_match("shm");
	must_match("shm/x");
	must_match("sems");
	ck_assert_uint_eq(room_of(ipc_path("shm")).f_blocks, (64 << 20) / 4096);
	ck_assert_uint_le(room_of(ipc_path("shm")).f_bfree, (48 << 20) / 4096);
}
END_TEST

/*
 * A directory, one of its objects, the file that says how many objects there may be (or NULL), and
 * the features that the test needs.
 */
static const struct {
	const char *dir, *name, *most, *needs;
} kinds[] = {
	{"queues", "queues/r", "/proc/sys/fs/mqueue/queues_max", "mqueue_mount"},
	{"sysv/queues", "sysv/queues/0x4d2", "/proc/sys/kernel/msgmni", ""},
	{"sysv/sems", "sysv/sems/0x4d2", NULL, ""},
	{"pipes", "pipes/r", NULL, ""},
	{"events", "events/r", NULL, ""},
};

START_TEST(test_room_for_objects_is_less_by_each)
{
	const char *dir = ipc_path(kinds[_i].dir);
	struct statvfs before = room_of(dir), after;
	unsigned long most = 0;
	FILE *file;

	channel_make(kinds[_i].name);
	after = room_of(dir);
	ck_assert_uint_gt(after.f_files, 0);
	ck_assert_uint_eq(after.f_files, before.f_files);
	ck_assert_uint_eq(after.f_ffree, before.f_ffree - 1);
	ck_assert_uint_eq(after.f_favail, after.f_ffree);
	ck_assert_uint_eq(after.f_blocks, 0);
	must(unlink(ipc_path(kinds[_i].name)));
	must_become_free(dir, before.f_ffree);
	if (!kinds[_i].most)
		return;
	file = fopen(kinds[_i].most, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu", &most), 1);
	fclose(file);
	ck_assert_uint_eq(after.f_files, most);
}
END_TEST

static int make_and_look_run(void *arg)
{
	struct statvfs before, after;

	if (statvfs(ipc_path("events"), &before) < 0)
		return errno;
	close(open(ipc_path("events/mine"), O_CREAT | O_WRONLY, 0666));
	if (statvfs(ipc_path("pipes"), &after) < 0 || unlink(ipc_path("events/mine")) < 0)
		return errno;
	return after.f_files == before.f_files && after.f_ffree == before.f_ffree - 1 ? 0 : EDOM;
}

START_TEST(test_room_for_what_the_daemon_keeps_is_each_users)
{
	struct statvfs before = room_of(ipc_path("pipes"));

	channel_make("pipes/r");
	child_must_as(SOMEBODY, make_and_look_run, NULL);
	must(unlink(ipc_path("pipes/r")));
	must_become_free(ipc_path("pipes"), before.f_ffree);
}
END_TEST

START_TEST(test_room_for_segments_is_the_namespaces)
{
	struct statvfs before = room_of(ipc_path("sysv/shm")), after;
	int id = (int)must(shmget(IPC_PRIVATE, 65536, 0600));

	after = room_of(ipc_path("sysv/shm"));
	ck_assert_uint_eq(after.f_ffree, before.f_ffree - 1);
	ck_assert_uint_eq(after.f_files, before.f_files);
	ck_assert_uint_eq(after.f_blocks, 0); /* 0: there is no limit */
	file_write("/proc/sys/kernel/shmall", "100000");
	after = room_of(ipc_path("sysv/shm"));
	ck_assert_uint_eq(after.f_blocks, 100000);
	ck_assert_uint_eq(after.f_bfree, 100000 - 16);
	must(shmctl(id, IPC_RMID, NULL));
}
END_TEST

START_TEST(test_room_of_what_holds_nothing_is_none)
{
	static const char *const names[] = {"", "sysv", "sockets", "info", "info/shm", "ctl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct statvfs room = room_of(ipc_path(names[i]));

		ck_assert_uint_eq(room.f_blocks, 0);
		ck_assert_uint_eq(room.f_files, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("room");
	TCase *tcase = suite_case(suite, "room", 30);

	tcase_add_test(tcase, test_room_for_regions_is_that_of_the_kernels_directory);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		case_add_needing(tcase, test_room_for_objects_is_less_by_each, (int)i,
				 kinds[i].needs);
	tcase_add_test(tcase, test_room_for_what_the_daemon_keeps_is_each_users);
	tcase_add_test(tcase, test_room_for_segments_is_the_namespaces);
	tcase_add_test(tcase, test_room_of_what_holds_nothing_is_none);
	return suite_run(suite);
}
