/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel can't serve a region or a segment, the daemon writes to it for its users. While
 * someone holds the lock of the backing file, such a writer waits, and nobody else waits for it.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/hold.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, SIZE = 2 << 20 };

#define KEY 0x4d2
#define SHM "sysv/shm/0x000004d2"

struct place {
	const struct mount *mount;
	int fd, native; /* the same file, opened in the mount and natively */
};

static int open_run(void *arg)
{
	const struct place *place = arg;

	return open(mount_path(place->mount, "events/e"), O_RDWR) < 0 ? errno : 0;
}

static int write_run(void *arg)
{
	const struct place *place = arg;

	return pwrite(place->fd, "written", 7, SIZE - 7) == 7 ? 0 : errno;
}

static bool has_requests(void *mount)
{
	return mount_waiting(mount) > 0;
}

/* One process writes and waits for the lock. Another one is served meanwhile. */
static void write_behind_lock(struct place *place)
{
	char text[8] = "";
	struct hold hold;
	pid_t child;

	close((int)must(open(mount_path(place->mount, "events/e"), O_CREAT | O_RDWR, 0666)));
	must(chmod(mount_path(place->mount, "events/e"), 0666));
	hold_begin(&hold, place->native);
	child = child_start_as(NOBODY, write_run, place);
	ck_assert(wait_until(has_requests, (void *)place->mount, 10000));
	child_must_as(NOBODY, open_run, place);
	hold_end(&hold);
	ck_assert_int_eq(child_end(child), 0);
	ck_assert_int_eq(must(pread(place->native, text, 7, SIZE - 7)), 7);
	ck_assert_str_eq(text, "written");
	must(unlink(mount_path(place->mount, "events/e")));
	close(place->fd);
	close(place->native);
}

START_TEST(test_attack_data_region_is_locked_and_nobody_else_waits)
{
	struct mount mount;
	struct place place = {.mount = &mount};

	mount_start(&mount, "less", "without=passthrough");
	place.fd = (int)must(open(mount_path(&mount, "shm/x"), O_RDWR | O_CREAT | O_EXCL, 0600));
	place.native = (int)must(open("/dev/shm/x", O_RDWR));
	write_behind_lock(&place);
	must(kill(mount.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&mount), 0);
}
END_TEST

/* Attaches a new segment, opens the file behind it (proc_pid_map_files(5)), and detaches it. */
static int open_segment(void)
{
	int id = (int)must(shmget(KEY, SIZE, IPC_CREAT | 0600));
	char *memory = shmat(id, NULL, 0);
	char path[80];
	int fd;

	ck_assert_ptr_ne(memory, (void *)-1);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (uintptr_t)memory,
		 (uintptr_t)memory + SIZE);
	fd = (int)must(open(path, O_RDWR));
	must(shmdt(memory));
	return fd;
}

START_TEST(test_attack_data_segment_is_locked_and_nobody_else_waits)
{
	struct place place = {.mount = &ipc, .native = open_segment()};

	place.fd = (int)must(open(ipc_path(SHM), O_RDWR));
	write_behind_lock(&place);
}
END_TEST

START_TEST(test_attack_data_mount_ends_while_one_waits_for_a_lock)
{
	struct mount mount;
	struct place place = {.mount = &mount};
	struct hold hold;
	pid_t child;

	mount_start(&mount, "less", "without=passthrough");
	place.fd = (int)must(open(mount_path(&mount, "shm/x"), O_RDWR | O_CREAT | O_EXCL, 0600));
	place.native = (int)must(open("/dev/shm/x", O_RDWR));
	hold_begin(&hold, place.native);
	child = child_start_as(NOBODY, write_run, &place);
	ck_assert(wait_until(has_requests, &mount, 10000));
	must(kill(mount.daemon, SIGTERM));
	ck_assert_int_eq(WEXITSTATUS(child_end(child)), ENOTCONN);
	hold_end(&hold);
	ck_assert_int_eq(mount_wait(&mount), 0);
	close(place.fd);
	close(place.native);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_data");
	TCase *data = suite_case(suite, "data", 60);

	tcase_add_test(data, test_attack_data_region_is_locked_and_nobody_else_waits);
	tcase_add_test(data, test_attack_data_mount_ends_while_one_waits_for_a_lock);
	case_add_needing(data, test_attack_data_segment_is_locked_and_nobody_else_waits, 0,
			 "map_files");
	return suite_run(suite);
}
