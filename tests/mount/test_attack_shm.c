// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access to regions and semaphores where more than the mode counts.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { OWNER = 4321, NOBODY = 65534 };

#define NEEDS    "passthrough:posix_acl"
#define ACL_NAME "system.posix_acl_access"

/* linux/posix_acl_xattr.h */
enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 16, OTHER = 32 };

struct acl {
	uint32_t version;
	struct {
		uint16_t tag, rights;
		uint32_t id;
	} entries[5];
};

/* The list u::rw-, u:nobody:NAMED, g::GROUP, m::rw-, o::OTHERS. */
static struct acl acl_of(uint16_t named, uint16_t group, uint16_t others)
{
	return (struct acl){
		.version = 2,
		.entries = {{USER_OBJ, 6, UINT32_MAX},
			    {USER, named, NOBODY},
			    {GROUP_OBJ, group, UINT32_MAX},
			    {MASK, 6, UINT32_MAX},
			    {OTHER, others, UINT32_MAX}},
	};
}

/* Makes a file in /dev/shm. */
static int make(const char *path, mode_t mode)
{
	static const char zeroes[4096];
	int fd = (int)must(open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	must(write(fd, zeroes, strstr(path, "sem.") ? 32 : sizeof(zeroes)));
	must(fchmod(fd, mode));
	return fd;
}

static void set_list(const char *path, struct acl acl)
{
	must(setxattr(path, ACL_NAME, &acl, sizeof(acl), 0));
}

static const char *const places[][2] = {{"/dev/shm/x", "shm/x"}, {"/dev/shm/sem.x", "sems/x"}};

struct access {
	const char *name;
	int flags;
};

static int open_run(void *arg)
{
	const struct access *access = arg;

	return open(ipc_path(access->name), access->flags) < 0 ? errno : 0;
}

static int open_code(const char *name, int flags)
{
	return child_code_as(NOBODY, open_run, &(struct access){name, flags});
}

START_TEST(test_attack_shm_opens_what_a_list_denies_him)
{
	close(make(places[_i][0], 0666));
	set_list(places[_i][0], acl_of(0, 6, 6));
	ck_assert_int_eq(open_code(places[_i][1], O_RDONLY), EACCES);
	ck_assert_int_eq(open_code(places[_i][1], O_WRONLY), EACCES);
	ck_assert_int_eq(open_code(places[_i][1], O_RDWR), EACCES);
}
END_TEST

/* The mode shows the mask as the group's bits, 0660, but the user's group has no rights. */
START_TEST(test_attack_shm_opens_by_the_mask)
{
	close(make(places[_i][0], 0600));
	must(chown(places[_i][0], 0, NOBODY));
	set_list(places[_i][0], acl_of(0, 0, 0));
	ck_assert_int_eq(open_code(places[_i][1], O_RDONLY), EACCES);
	ck_assert_int_eq(open_code(places[_i][1], O_RDWR), EACCES);
}
END_TEST

START_TEST(test_attack_shm_list_that_grants_counts)
{
	close(make(places[_i][0], 0600));
	set_list(places[_i][0], acl_of(6, 0, 0));
	ck_assert_int_eq(open_code(places[_i][1], O_RDWR), 0);
	ck_assert_int_eq(open_code(places[_i][1], O_RDONLY), 0);
}
END_TEST

static int set_list_run(void *name)
{
	struct acl acl = acl_of(6, 6, 6);

	return setxattr(ipc_path(name), ACL_NAME, &acl, sizeof(acl), 0) < 0 ? errno : 0;
}

START_TEST(test_attack_shm_list_is_the_owners_to_set)
{
	const char *path = ipc_path(places[_i][1]);
	struct acl acl = acl_of(4, 0, 0), found = {0};

	close(make(places[_i][0], 0644));
	must_fail(getxattr(path, ACL_NAME, &found, sizeof(found)), ENODATA);
	ck_assert_int_eq(child_code_as(NOBODY, set_list_run, (void *)places[_i][1]), EPERM);
	set_list(path, acl);
	ck_assert_int_eq(must(getxattr(places[_i][0], ACL_NAME, &found, sizeof(found))),
			 sizeof(found));
	ck_assert_mem_eq(&found, &acl, sizeof(acl));
	ck_assert_int_eq(must(getxattr(path, ACL_NAME, &found, sizeof(found))), sizeof(found));
	ck_assert_mem_eq(&found, &acl, sizeof(acl));
	must(removexattr(path, ACL_NAME));
	must_fail(getxattr(places[_i][0], ACL_NAME, &found, sizeof(found)), ENODATA);
}
END_TEST

static int exec_run(void *path)
{
	execl(path, path, "60", NULL);
	return errno;
}

static void copy_program(const char *path)
{
	int from = (int)must(open(path, O_RDONLY));
	int to = make("/dev/shm/x", 0755);
	struct stat attr;

	must(fstat(from, &attr));
	must(lseek(to, 0, SEEK_SET));
	ck_assert_int_eq(must(sendfile(to, from, NULL, (size_t)attr.st_size)), attr.st_size);
	close(to);
	close(from);
}

START_TEST(test_attack_shm_reads_a_program_that_runs)
{
	char begin[4];
	int ends[2];
	int reader;
	pid_t runner;

	copy_program("/bin/sleep");
	must(pipe2(ends, O_CLOEXEC));
	runner = child_start(exec_run, "/dev/shm/x");
	close(ends[1]);
	ck_assert_int_eq(must(read(ends[0], begin, 1)), 0); /* end-of-file: it runs now */
	reader = (int)must(open(ipc_path("shm/x"), O_RDONLY));
	ck_assert_int_eq(must(read(reader, begin, 4)), 4);
	ck_assert_mem_eq(begin, "\177ELF", 4);
	must_fail(open(ipc_path("shm/x"), O_WRONLY), ETXTBSY);
	ck_assert(!child_has_ended(runner, 0));
	must(kill(runner, SIGKILL));
	child_end(runner);
	close(reader);
	close(ends[0]);
}
END_TEST

START_TEST(test_attack_shm_reader_keeps_no_program_from_starting)
{
	int reader;

	copy_program("/bin/true");
	reader = (int)must(open(ipc_path("shm/x"), O_RDONLY | O_CLOEXEC));
	child_must(exec_run, "/dev/shm/x");
	close(reader);
}
END_TEST

START_TEST(test_attack_shm_reader_breaks_no_lease_of_a_reader)
{
	int fd = make("/dev/shm/x", 0666);
	int native, reader;
	char byte[1];

	close(fd);
	signal(SIGIO, SIG_IGN);
	native = (int)must(open("/dev/shm/x", O_RDONLY));
	reader = (int)must(open(ipc_path("shm/x"), O_RDONLY));
	must(fcntl(native, F_SETLEASE, F_RDLCK));
	close((int)must(open(ipc_path("shm/x"), O_RDONLY)));
	ck_assert_int_eq(must(read(reader, byte, 1)), 1);
	ck_assert_int_eq(must(fcntl(native, F_GETLEASE)), F_RDLCK);
	close(reader);
	close(native);
}
END_TEST

static volatile sig_atomic_t n_breaks;

static void count_break(int signal)
{
	n_breaks++;
}

static bool is_broken(void *arg)
{
	return n_breaks > 0;
}

START_TEST(test_attack_shm_lease_keeps_nobody_else_waiting)
{
	struct access access = {"shm/x", O_RDONLY};
	int native;
	pid_t reader;

	close(make("/dev/shm/x", 0666));
	close(make("/dev/shm/y", 0666));
	signal(SIGIO, count_break);
	native = (int)must(open("/dev/shm/x", O_RDWR));
	must(fcntl(native, F_SETLEASE, F_WRLCK));
	reader = child_start_as(NOBODY, open_run, &access);
	ck_assert(wait_until(is_broken, NULL, 10000));
	ck_assert_int_eq(open_code("shm/x", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
	ck_assert_int_eq(open_code("shm/y", O_RDONLY), 0);
	ck_assert(!child_has_ended(reader, 0));
	must(fcntl(native, F_SETLEASE, F_UNLCK));
	ck_assert_int_eq(child_end(reader), 0);
	close(native);
}
END_TEST

static void set_flags(int fd, int flags)
{
	must(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

START_TEST(test_attack_shm_attributes_of_the_file_count)
{
	int fd = make("/dev/shm/x", 0666);
	char byte;
	int user;

	set_flags(fd, FS_IMMUTABLE_FL);
	must_fail(open(ipc_path("shm/x"), O_WRONLY), EPERM);
	must_fail(truncate(ipc_path("shm/x"), 0), EPERM);
	user = (int)must(open(ipc_path("shm/x"), O_RDONLY));
	ck_assert_int_eq(must(read(user, &byte, 1)), 1);
	close(user);
	set_flags(fd, FS_APPEND_FL);
	must_fail(open(ipc_path("shm/x"), O_WRONLY), EPERM);
	user = (int)must(open(ipc_path("shm/x"), O_WRONLY | O_APPEND));
	ck_assert_int_eq(must(write(user, "x", 1)), 1);
	close(user);
	set_flags(fd, 0);
	ck_assert_int_eq(must(pread(fd, &byte, 1, 4096)), 1);
	ck_assert_int_eq(byte, 'x');
	close(fd);
}
END_TEST

static int use_run(void *arg)
{
	int fd = open(ipc_path("shm/x"), O_RDWR);

	if (fd < 0 || fchmod(fd, 0400) < 0 || ftruncate(fd, 8192) < 0 ||
	    fallocate(fd, 0, 0, 12288) < 0 || pwrite(fd, "x", 1, 0) != 1)
		return errno;
	return lseek(fd, 0, SEEK_HOLE) == 4096 ? 0 : EDOM; /* unwritten space is a hole */
}

START_TEST(test_attack_shm_open_file_keeps_its_right)
{
	close(make("/dev/shm/x", 0600));
	must(chown("/dev/shm/x", OWNER, OWNER));
	child_must_as(OWNER, use_run, NULL);
}
END_TEST

static int write_run(void *flags)
{
	int fd = open(ipc_path("shm/x"), O_WRONLY | *(int *)flags);

	return fd < 0 || write(fd, "x", 1) != 1 ? errno : 0;
}

START_TEST(test_attack_shm_writes_what_keeps_set_id_bits)
{
	const int flags[] = {0, O_TRUNC, O_APPEND, O_NONBLOCK, O_NONBLOCK | O_TRUNC};
	struct stat attr;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		close(make("/dev/shm/x", 06777));
		child_must_as(NOBODY, write_run, (void *)&flags[i]);
		must(stat("/dev/shm/x", &attr));
		ck_assert_uint_eq(attr.st_mode & 07777, 0777);
	}
}
END_TEST

static int make_run(void *name)
{
	int fd = open(ipc_path(name), O_RDWR | O_CREAT | O_EXCL, 0);

	return fd < 0 || pwrite(fd, "x", 1, 0) != 1 ? errno : 0;
}

START_TEST(test_attack_shm_maker_uses_it_whatever_its_mode)
{
	child_must_as(NOBODY, make_run, "shm/x");
	ck_assert_int_eq(open_code("shm/x", O_RDONLY), EACCES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack_shm");
	TCase *rights = suite_case(suite, "rights", 30);
	TCase *uses = suite_case(suite, "uses", 60);

	for (int i = 0; i < 2; i++) {
		case_add_needing(rights, test_attack_shm_opens_what_a_list_denies_him, i, NEEDS);
		case_add_needing(rights, test_attack_shm_opens_by_the_mask, i, NEEDS);
		case_add_needing(rights, test_attack_shm_list_that_grants_counts, i, NEEDS);
		case_add_needing(rights, test_attack_shm_list_is_the_owners_to_set, i, NEEDS);
	}
	case_add_needing(uses, test_attack_shm_reads_a_program_that_runs, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_reader_keeps_no_program_from_starting, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_reader_breaks_no_lease_of_a_reader, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_lease_keeps_nobody_else_waiting, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_attributes_of_the_file_count, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_open_file_keeps_its_right, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_writes_what_keeps_set_id_bits, 0, NEEDS);
	case_add_needing(uses, test_attack_shm_maker_uses_it_whatever_its_mode, 0, NEEDS);
	return suite_run(suite);
}
