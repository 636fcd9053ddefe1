/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount tells nobody anything about the daemon's memory: an inode's number is not its address
 * in the daemon.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* from Linux 6.5 on; older kernels need no flag */
#endif

enum {
	OTHER = 65534,
	MOST = 1 << 16, /* far more objects, and uses of a slot, than a test makes */
};

static const char *const names[] = {"pipes", "README", "pipes/p", "queues/q", "shm/s"};
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

/* A file handle with room for FUSE's: the nodeid's upper half, its lower half, and more. */
struct known {
	struct file_handle head;
	uint32_t words[8];
};

/* A file's nodeid as the kernel tells it to any user, or 0 with errno. */
static uint64_t nodeid_of(const char *path)
{
	struct known known = {.head.handle_bytes = sizeof(known.words)};
	const uint32_t *words = (const uint32_t *)known.head.f_handle;
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, path, &known.head, &mount_id, AT_HANDLE_FID) < 0 &&
	    (errno != EINVAL || name_to_handle_at(AT_FDCWD, path, &known.head, &mount_id, 0) < 0))
		return 0;
	return (uint64_t)words[0] << 32 | words[1];
}

static int tell_run(void *arg)
{
	int *to = arg;

	for (int i = 0; i < N_NAMES; i++) {
		uint64_t nodeid = nodeid_of(ipc_path(names[i]));

		if (nodeid == 0 || write(*to, &nodeid, sizeof(nodeid)) != sizeof(nodeid))
			return errno;
	}
	return 0;
}

/* Asks for the nodeids of all names, as an ordinary user. */
static void nodeids_look(uint64_t nodeids[N_NAMES])
{
	int ends[2];

	must(pipe(ends));
	child_must_as(OTHER, tell_run, &ends[1]);
	ck_assert_int_eq(must(read(ends[0], nodeids, N_NAMES * sizeof(*nodeids))),
			 N_NAMES * sizeof(*nodeids));
	must(close(ends[0]));
	must(close(ends[1]));
}

/*
 * Whether the daemon has memory at this address. With AddressSanitizer, it has some at every small
 * address.
 */
static bool daemon_has(uint64_t address)
{
	char path[32], line[512];
	bool is_there = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", ipc.daemon);
	maps = fopen(path, "re");
	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, end;

		ck_assert_int_eq(sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end), 2);
		is_there = is_there || (address >= start && address < end);
	}
	fclose(maps);
	return is_there;
}

START_TEST(test_numbers_of_inodes_are_no_addresses)
{
	uint64_t nodeids[N_NAMES];

	for (int i = 2; i < N_NAMES; i++)
		channel_make(names[i]);
	nodeids_look(nodeids);
	for (int i = 0; i < N_NAMES; i++) {
		ck_assert_msg(program_is_sanitized() || !daemon_has(nodeids[i]), "%s: %#" PRIx64,
			      names[i], nodeids[i]);
		/*
		 * A nodeid consists of an index and a generation, both small. None of the nodeids
		 * here is one that FUSE uses itself.
		 */
		ck_assert_uint_lt((uint32_t)nodeids[i], MOST);
		ck_assert_uint_ge(nodeids[i] >> 32, 1);
		ck_assert_uint_lt(nodeids[i] >> 32, MOST);
	}
}
END_TEST

START_TEST(test_numbers_of_root_is_fuses)
{
	ck_assert_uint_eq(nodeid_of(ipc.dir), 1);
}
END_TEST

/* If a number came back, whoever still has it would be led to another object. */
START_TEST(test_numbers_of_inodes_do_not_come_back)
{
	enum { TIMES = 200 };
	uint64_t seen[TIMES];

	for (int i = 0; i < TIMES; i++) {
		must(mkfifo(ipc_path("pipes/f"), 0600));
		seen[i] = nodeid_of(ipc_path("pipes/f"));
		ck_assert_uint_ne(seen[i], 0);
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne(seen[i], seen[j]);
		must(unlink(ipc_path("pipes/f")));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("numbers");
	TCase *tcase = suite_case(suite, "numbers", 20);

	tcase_add_test(tcase, test_numbers_of_inodes_are_no_addresses);
	tcase_add_test(tcase, test_numbers_of_root_is_fuses);
	tcase_add_test(tcase, test_numbers_of_inodes_do_not_come_back);
	return suite_run(suite);
}
