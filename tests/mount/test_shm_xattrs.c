// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended attributes of regions. Each call is made natively and through the mount, and must give
 * the same result.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/regions.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char value[65536];

static int call_set_user(const char *path)
{
	return setxattr(path, "user.b", "b", 1, 0);
}

static int call_get_user(const char *path)
{
	return (int)getxattr(path, "user.a", value, sizeof(value));
}

static int call_remove_user(const char *path)
{
	return removexattr(path, "user.a");
}

static int call_set_trusted(const char *path)
{
	return setxattr(path, "trusted.b", "b", 1, 0);
}

static int call_get_trusted(const char *path)
{
	return (int)getxattr(path, "trusted.a", value, sizeof(value));
}

static int call_set_security(const char *path)
{
	return setxattr(path, "security.b", "b", 1, 0);
}

static int call_get_security(const char *path)
{
	return (int)getxattr(path, "security.a", value, sizeof(value));
}

static int call_set_caps(const char *path)
{
	return setxattr(path, CAPS, region_caps, sizeof(region_caps), 0);
}

static int call_set_unknown(const char *path)
{
	return setxattr(path, "unknown.a", "a", 1, 0);
}

static int call_set_default_list(const char *path)
{
	return setxattr(path, "system.posix_acl_default", "\2\0\0\0", 4, 0);
}

static int (*const calls[])(const char *path) = {
	call_set_user,    call_get_user,         call_remove_user,  call_set_trusted,
	call_set_caps,    call_get_trusted,      call_set_security, call_get_security,
	call_set_unknown, call_set_default_list,
};

static void set_three(void)
{
	must(setxattr("/dev/shm/x", "user.a", "1", 1, 0));
	must(setxattr("/dev/shm/x", "trusted.a", "2", 1, 0));
	must(setxattr("/dev/shm/x", "security.a", "3", 1, 0));
}

START_TEST(test_shm_xattrs_are_the_callers_to_use)
{
	static const mode_t modes[] = {0666, 0644, 0600, 0200, 0};
	const unsigned users[] = {NOBODY, OWNER, 0};

	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		for (size_t u = 0; u < 3; u++) {
			int errors[WAYS];

			for (int way = 0; way < WAYS; way++) {
				region_make(modes[m]);
				set_three();
				errors[way] = region_errno(users[u], calls[_i], way);
			}
			ck_assert_msg(errors[0] == errors[1],
				      "call %d, mode %o, user %u: %s, not %s", _i, modes[m],
				      users[u], strerrorname_np(errors[1]),
				      strerrorname_np(errors[0]));
		}
	}
}
END_TEST

static int list_run(void *ret_)
{
	char names[WAYS][256];
	ssize_t n[WAYS];

	for (int way = 0; way < WAYS; way++)
		n[way] = listxattr(region_path(way), names[way], sizeof(names[way]));
	return n[0] > 0 && n[0] == n[1] && memcmp(names[0], names[1], (size_t)n[0]) == 0 ? 0 : EDOM;
}

START_TEST(test_shm_xattrs_are_listed_as_natively)
{
	region_make(0666);
	set_three();
	must(setxattr(region_path(1), "user.\x01\xff\n", "x", 1, 0));
	child_must(list_run, NULL);
	child_must_as(NOBODY, list_run, NULL); /* sees no trusted attribute */
}
END_TEST

START_TEST(test_shm_xattrs_are_the_regions_own)
{
	const char *path = region_path(1);
	char found[4];

	region_make(0666);
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (char)i;
	must(setxattr(path, "user.long", value, sizeof(value), 0));
	memset(value, 0, sizeof(value));
	ck_assert_int_eq(must(getxattr(path, "user.long", NULL, 0)), sizeof(value));
	must_fail(getxattr(path, "user.long", value, sizeof(value) - 1), ERANGE);
	ck_assert_int_eq(must(getxattr("/dev/shm/x", "user.long", value, sizeof(value))),
			 sizeof(value));
	ck_assert_int_eq(value[65535], -1);
	must(setxattr(path, "user.empty", "", 0, XATTR_CREATE));
	ck_assert_int_eq(must(getxattr(path, "user.empty", found, sizeof(found))), 0);
	must_fail(setxattr(path, "user.empty", "x", 1, XATTR_CREATE), EEXIST);
	must_fail(setxattr(path, "user.other", "x", 1, XATTR_REPLACE), ENODATA);
	must(setxattr(path, "user.empty", "x", 1, XATTR_REPLACE));
	must(removexattr(path, "user.empty"));
	must_fail(removexattr("/dev/shm/x", "user.empty"), ENODATA);
}
END_TEST

/* The list u::rw-, u:nobody:rw-, g::r--, m::rw-, o::--- (linux/posix_acl_xattr.h). */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, rights;
		uint32_t id;
	} entries[5];
} list = {2, {{1, 6, -1}, {2, 6, NOBODY}, {4, 4, -1}, {16, 6, -1}, {32, 0, -1}}};

static int make_run(void *way)
{
	umask(077);
	return open(region_path(*(int *)way), O_CREAT | O_EXCL | O_RDWR, 0666) < 0 ? errno : 0;
}

static mode_t mode_made(int way, ssize_t *ret_size, char *ret_list)
{
	struct stat attr;

	child_must_as(OWNER, make_run, &way);
	must(stat("/dev/shm/x", &attr));
	*ret_size = getxattr("/dev/shm/x", "system.posix_acl_access", ret_list, 64);
	must(unlink("/dev/shm/x"));
	return attr.st_mode;
}

START_TEST(test_shm_xattrs_list_of_new_ones_counts_and_no_umask)
{
	char lists[WAYS][64];
	ssize_t sizes[WAYS];

	ck_assert_uint_eq(mode_made(1, &sizes[0], lists[0]), S_IFREG | 0600);
	must(setxattr("/dev/shm", "system.posix_acl_default", &list, sizeof(list), 0));
	ck_assert_uint_eq(mode_made(0, &sizes[0], lists[0]), S_IFREG | 0660);
	ck_assert_uint_eq(mode_made(1, &sizes[1], lists[1]), S_IFREG | 0660);
	ck_assert_int_eq(sizes[0], sizeof(list));
	ck_assert_int_eq(sizes[1], sizes[0]);
	ck_assert_mem_eq(lists[1], lists[0], (size_t)sizes[0]);
}
END_TEST

/* Objects that the daemon keeps, such as events, have no extended attributes. */
START_TEST(test_shm_xattrs_are_of_regions_alone)
{
	char found[64];

	close((int)must(open(ipc_path("events/e"), O_CREAT | O_WRONLY, 0666)));
	must_fail(setxattr(ipc_path("events/e"), "user.a", "1", 1, 0), EOPNOTSUPP);
	must_fail(getxattr(ipc_path("events/e"), "user.a", found, sizeof(found)), EOPNOTSUPP);
	ck_assert_int_eq(must(listxattr(ipc_path("events/e"), found, sizeof(found))), 0);
	must(unlink(ipc_path("events/e")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shm_xattrs");
	TCase *tcase = suite_case(suite, "xattrs", 60);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		case_add_needing(tcase, test_shm_xattrs_are_the_callers_to_use, (int)i, NEEDS);
	case_add_needing(tcase, test_shm_xattrs_are_listed_as_natively, 0, NEEDS);
	case_add_needing(tcase, test_shm_xattrs_are_the_regions_own, 0, NEEDS);
	case_add_needing(tcase, test_shm_xattrs_list_of_new_ones_counts_and_no_umask, 0,
			 NEEDS ":posix_acl");
	tcase_add_test(tcase, test_shm_xattrs_are_of_regions_alone);
	return suite_run(suite);
}
