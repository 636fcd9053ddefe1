// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Set-ID bits and capabilities of regions, which are lost when someone writes. Each call is made
 * natively and through the mount, and must give the same result.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/regions.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int use(const char *path, int flags, int (*act)(int fd))
{
	int fd = open(path, flags);

	return fd < 0 ? -1 : act(fd);
}

static int put(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : -1;
}

static int do_nothing(int fd)
{
	return 0;
}

static int cut(int fd)
{
	return ftruncate(fd, 5);
}

static int allocate(int fd)
{
	return fallocate(fd, 0, 0, 8192);
}

static int put_by_map(int fd)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	map[0] = 'x';
	return 0;
}

static int call_write(const char *path)
{
	return use(path, O_WRONLY, put);
}

static int call_append(const char *path)
{
	return use(path, O_WRONLY | O_APPEND, put);
}

static int call_open_truncated(const char *path)
{
	return use(path, O_WRONLY | O_TRUNC, do_nothing);
}

static int call_open(const char *path)
{
	return use(path, O_RDWR, do_nothing);
}

static int call_ftruncate(const char *path)
{
	return use(path, O_WRONLY, cut);
}

static int call_truncate(const char *path)
{
	return truncate(path, 5);
}

static int call_allocate(const char *path)
{
	return use(path, O_WRONLY, allocate);
}

static int call_map(const char *path)
{
	return use(path, O_RDWR, put_by_map);
}

static int call_chown(const char *path)
{
	return chown(path, getuid(), getgid());
}

static int call_chmod(const char *path)
{
	return chmod(path, 06770);
}

static int call_remove_caps(const char *path)
{
	return removexattr(path, CAPS);
}

static int (*const calls[])(const char *path) = {
	call_write,     call_append,   call_open_truncated, call_open,
	call_ftruncate, call_truncate, call_allocate,       call_map,
	call_chown,     call_chmod,    call_remove_caps,
};

struct outcome {
	int error;
	mode_t mode;
	bool has_caps;
};

static struct outcome outcome_of(mode_t mode, unsigned id, struct region_call call)
{
	struct outcome outcome;
	struct stat attr, shown;

	region_make(mode);
	if (!(mode & 06000))
		must(setxattr("/dev/shm/x", CAPS, region_caps, sizeof(region_caps), 0));
	outcome.error = region_errno(id, call.make, call.way);
	must(stat("/dev/shm/x", &attr));
	must(stat(region_path(1), &shown));
	ck_assert_uint_eq(attr.st_mode, shown.st_mode);
	outcome.mode = attr.st_mode;
	outcome.has_caps = getxattr("/dev/shm/x", CAPS, NULL, 0) > 0;
	return outcome;
}

START_TEST(test_shm_set_id_bits_go_as_natively)
{
	const mode_t modes[] = {04777, 06777, 02777, 04666, 0777};
	const unsigned users[] = {NOBODY, OWNER};

	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		for (size_t u = 0; u < 2; u++) {
			struct outcome outcomes[WAYS];

			for (int way = 0; way < WAYS; way++)
				outcomes[way] = outcome_of(modes[m], users[u],
							   (struct region_call){calls[_i], way});
			ck_assert_msg(outcomes[0].error == outcomes[1].error &&
					      outcomes[0].mode == outcomes[1].mode &&
					      outcomes[0].has_caps == outcomes[1].has_caps,
				      "call %d, mode %o, user %u: %d %o %d, not %d %o %d", _i,
				      modes[m], users[u], outcomes[1].error, outcomes[1].mode,
				      outcomes[1].has_caps, outcomes[0].error, outcomes[0].mode,
				      outcomes[0].has_caps);
		}
	}
}
END_TEST

static int write_to(void *fd)
{
	return put(*(int *)fd) < 0 ? errno : 0;
}

START_TEST(test_shm_set_id_bits_that_come_later_go_too)
{
	struct stat attr;
	int fd;

	region_make(0777);
	fd = (int)must(open(region_path(1), O_WRONLY));
	for (int i = 0; i < 3; i++) {
		must(chmod(region_path(i % WAYS), 06777));
		child_must_as(NOBODY, write_to, &fd);
		must(stat("/dev/shm/x", &attr));
		ck_assert_uint_eq(attr.st_mode & 07777, 0777);
	}
	close(fd);
}
END_TEST

START_TEST(test_shm_cuts_by_root_leave_set_id_bits)
{
	struct stat attr;

	region_make(06777);
	must(truncate(region_path(1), 100));
	ck_assert_int_eq(call_ftruncate(region_path(1)), 0);
	must(stat("/dev/shm/x", &attr));
	ck_assert_uint_eq(attr.st_mode & 07777, 06777);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shm_bits");
	TCase *tcase = suite_case(suite, "bits", 60);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		case_add_needing(tcase, test_shm_set_id_bits_go_as_natively, (int)i, NEEDS);
	case_add_needing(tcase, test_shm_set_id_bits_that_come_later_go_too, 0, NEEDS);
	case_add_needing(tcase, test_shm_cuts_by_root_leave_set_id_bits, 0, NEEDS);
	return suite_run(suite);
}
