// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inode numbers: no two things in the mount have the same number, directories list the numbers that
 * stat(2) gives, and 32-bit programs without large file support can handle them all.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBERS_MAX = 4096, N_EACH = 20, N_CYCLES = 9000 };

static struct {
	ino_t ino;
	char path[256];
} seen[NUMBERS_MAX];
static size_t n_seen;

/*
 * Whether the names in a directory are addresses. There the inode number is a hash, and each
 * stat(2) is of another connection.
 */
static bool is_of_addresses(const char *name)
{
	return strcmp(name, "sockets/unix") == 0 || strcmp(name, "sockets/tcp") == 0 ||
	       strcmp(name, "sockets/udp") == 0 || strcmp(name, "sockets/abstract") == 0 ||
	       (strncmp(name, "sockets/servers/", 16) == 0 && !strstr(name, "address"));
}

static void note(const char *name, ino_t ino)
{
	ck_assert_msg(ino > 0 && ino <= UINT32_MAX, "%s: %ju", name, (uintmax_t)ino);
	for (size_t i = 0; i < n_seen; i++)
		ck_assert_msg(seen[i].ino != ino, "%s and %s: %ju", seen[i].path, name,
			      (uintmax_t)ino);
	ck_assert_uint_lt(n_seen, NUMBERS_MAX);
	seen[n_seen].ino = ino;
	snprintf(seen[n_seen++].path, sizeof(seen[0].path), "%s", name);
}

/* Calls `look` for everything below a directory, except where names are addresses. */
static void walk(const char *name, void (*look)(const char *name, const struct stat *attr,
						const struct dirent *entry))
{
	DIR *dir = opendir(ipc_path(name));
	struct dirent *entry;

	ck_assert_msg(dir, "%s: %s", name, strerror(errno));
	while ((entry = readdir(dir))) {
		char path[PATH_MAX];
		struct stat attr;
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", name, *name ? "/" : "", entry->d_name);
		r = lstat(ipc_path(path), &attr);
		if (r < 0 && strcmp(name, "signals") == 0) /* the process has ended */
			continue;
		must(r);
		look(path, &attr, entry);
		if (S_ISDIR(attr.st_mode) && !is_of_addresses(path))
			walk(path, look);
	}
	closedir(dir);
}

static void look_at_number(const char *name, const struct stat *attr, const struct dirent *entry)
{
	ck_assert_msg(entry->d_ino == attr->st_ino, "%s: %ju, not %ju", name,
		      (uintmax_t)entry->d_ino, (uintmax_t)attr->st_ino);
	note(name, attr->st_ino);
}

static void command(const char *format, const char *name, int number)
{
	char line[200];
	int fd = (int)must(open(ipc_path("ctl"), O_WRONLY));

	snprintf(line, sizeof(line), format, name, number);
	must(write(fd, line, strlen(line)));
	must(close(fd));
}

static void make_objects(void)
{
	static const char *const kinds[] = {"pipes", "shm", "sems", "events"};

	for (int i = 0; i < N_EACH; i++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			command("create %s/x%d", kinds[k], i);
		command("create %s/x%d maxmsg=1 msgsize=1", "queues", i);
		command("create %s/0x%d", "sysv/queues", 1000 + i);
		command("create %s/0x%d size=1", "sysv/shm", 1000 + i);
		command("create %s/0x%d", "sysv/sems", 1000 + i);
	}
	command("create pipes/%s%d served=daemon", "served", 1);
	command("create sockets/servers/%s%d listen=abstract:inodes", "s", 1);
	command("create sockets/servers/%s%d listen=tcp:localhost:0", "s", 2);
}

/* Removes the objects that the daemon keeps and has open. */
static void remove_objects(void)
{
	for (int i = 0; i < N_EACH; i++) {
		char name[64];

		snprintf(name, sizeof(name), "pipes/x%d", i);
		must(unlink(ipc_path(name)));
		snprintf(name, sizeof(name), "events/x%d", i);
		must(unlink(ipc_path(name)));
	}
	must(unlink(ipc_path("pipes/served1")));
	must(rmdir(ipc_path("sockets/servers/s1")));
	must(rmdir(ipc_path("sockets/servers/s2")));
}

START_TEST(test_inodes_are_below_32_bits_and_differ)
{
	struct stat attr;
	int fd;

	make_objects();
	fd = (int)must(open(ipc_path("sockets/servers/s1/connect"), O_RDWR));
	must(stat(ipc.dir, &attr));
	note(".", attr.st_ino);
	walk("", look_at_number);
	/* Each object made so far counts, with its place in info/ and three files there. */
	ck_assert_uint_gt(n_seen, 8 * N_EACH * 4);
	must(close(fd));
	remove_objects();
}
END_TEST

/* An object that is made again may get the old name, but not the old inode number. */
START_TEST(test_inodes_of_the_next_object_are_others)
{
	static const char *const kinds[] = {"pipes", "queues", "shm", "events"};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		char name[64];
		struct stat attr[2];

		snprintf(name, sizeof(name), "%s/again", kinds[k]);
		for (int i = 0; i < 2; i++) {
			command("create %s/again # %d", kinds[k], i);
			must(stat(ipc_path(name), &attr[i]));
			must(unlink(ipc_path(name)));
		}
		ck_assert_msg(attr[0].st_ino != attr[1].st_ino, "%s", name);
	}
}
END_TEST

static void cycle(void)
{
	int id = (int)must(msgget(IPC_PRIVATE, 0600));

	must(msgctl(id, IPC_RMID, NULL));
}

/*
 * An identifier has more bits than an inode number, but the numbers of existing objects still
 * differ.
 */
START_TEST(test_inodes_of_system_v_objects_that_came_after_many)
{
	int ids[3];

	for (int i = 0; i < 3; i++) {
		for (int round = 0; round < N_CYCLES; round++)
			cycle();
		ids[i] = (int)must(msgget(1000 + i, IPC_CREAT | 0600));
	}
	ck_assert_int_gt(ids[2], 1 << 22);
	walk("sysv", look_at_number);
	walk("info/sysv", look_at_number);
	ck_assert_uint_gt(n_seen, 3 * 4);
}
END_TEST

#ifdef __x86_64__

enum { OLD_LSTAT = 107, OLD_GETDENTS = 141, OLD_GETPID = 20, ROOM = 1 << 16 };

static char *low; /* memory that a 32-bit program can address */

/* Makes a call as a 32-bit program does. On most machines the kernel supports this. */
static long call32(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static int try_run(void *arg)
{
	signal(SIGSEGV, SIG_DFL);
	return call32(OLD_GETPID, 0, 0, 0) == getpid() ? 0 : 1;
}

static void look_as_32_bits(const char *name, const struct stat *attr, const struct dirent *entry)
{
	const char *path = ipc_path(name);
	long r;
	int fd;

	strcpy(low, path);
	r = call32(OLD_LSTAT, (long)low, (long)(low + PATH_MAX), 0);
	ck_assert_msg(r == 0, "stat of %s: %ld", name, r);
	if (!S_ISDIR(attr->st_mode) || is_of_addresses(name))
		return;
	fd = (int)must(open(path, O_RDONLY | O_DIRECTORY));
	r = call32(OLD_GETDENTS, fd, (long)low, ROOM);
	ck_assert_msg(r > 0, "getdents of %s: %ld", name, r);
	must(close(fd));
}

START_TEST(test_inodes_can_be_had_by_programs_of_32_bits)
{
	pid_t child = child_start(try_run, NULL);
	int status = child_end(child);

	if (status != 0) {
		printf("# no system calls of 32 bits on this machine\n");
		return;
	}
	low = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		   0);
	ck_assert_ptr_ne(low, MAP_FAILED);
	make_objects();
	walk("", look_as_32_bits);
	remove_objects();
}
END_TEST

#endif

int main(void)
{
	Suite *suite = suite_create("inodes");
	TCase *tcase = suite_case(suite, "inodes", 60);

	tcase_add_test(tcase, test_inodes_are_below_32_bits_and_differ);
	tcase_add_test(tcase, test_inodes_of_the_next_object_are_others);
	tcase_add_test(tcase, test_inodes_of_system_v_objects_that_came_after_many);
#ifdef __x86_64__
	tcase_add_test(tcase, test_inodes_can_be_had_by_programs_of_32_bits);
#endif
	return suite_run(suite);
}
