/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that outlives a process: what is made in it is found again, and what is no such memory is
 * refused.
 */
#include "lib/base/state.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/state_memory.h"
#include "tests/unit/fixture.h"

enum { KIB = 1024 };

static struct state *state;

static void state_setup_private(void)
{
	must(state_new(false, &state));
}

static void state_setup_shared(void)
{
	must(state_new(true, &state));
}

static void state_teardown(void)
{
	state_free(state);
}

/* As if this process had ended, and another one had begun. */
static void restart(void)
{
	struct state *next;

	must(state_restart(state, &next));
	state_free(state);
	state = next;
}

static struct state_header *header(void)
{
	return (void *)((char *)state_area(state, 0) - STATE_AREA_SIZE);
}

/* Opens the memory once more. */
static int open_again(void)
{
	struct state *next;
	int fd = (int)must_call(dup(state_fd(state)));
	int r = state_open(fd, &next);

	if (r < 0)
		close(fd);
	else
		state_free(next);
	return r;
}

START_TEST(test_state_areas_are_found_again)
{
	char *area = state_area(state, STATE_JOURNAL);

	ck_assert_int_eq(area[0], 0);
	ck_assert_int_eq(area[STATE_AREA_SIZE - 1], 0);
	memset(area, 7, STATE_AREA_SIZE);
	restart();
	area = state_area(state, STATE_JOURNAL);
	ck_assert_int_eq(area[0], 7);
	ck_assert_int_eq(area[STATE_AREA_SIZE - 1], 7);
	ck_assert_int_eq(*(char *)state_area(state, STATE_SESSION), 0);
}
END_TEST

START_TEST(test_state_tables_are_found_again)
{
	size_t size;
	char *table = state_table(state, STATE_FILES, &size);

	ck_assert_uint_ge(size, KIB * KIB);
	must(state_table_reserve(state, STATE_FILES, 100000));
	ck_assert_int_eq(table[99999], 0);
	table[99999] = 1;
	*state_table_used(state, STATE_FILES) = 3;
	restart();
	table = state_table(state, STATE_FILES, &size);
	ck_assert_int_eq(table[99999], 1);
	ck_assert_uint_eq(*state_table_used(state, STATE_FILES), 3);
	ck_assert_uint_eq(*state_table_used(state, STATE_LOCKS), 0);
}
END_TEST

START_TEST(test_state_tables_are_apart)
{
	size_t size;

	for (int i = 0; i < STATE_N_TABLES; i++) {
		must(state_table_reserve(state, i, 1));
		memset(state_table(state, i, &size), i + 1, 1);
		must(state_table_reserve(state, i, KIB * KIB));
		((char *)state_table(state, i, &size))[KIB * KIB - 1] = (char)(i + 1);
	}
	for (int i = 0; i < STATE_N_TABLES; i++) {
		const char *table = state_table(state, i, &size);

		ck_assert_int_eq(table[0], i + 1);
		ck_assert_int_eq(table[1], 0);
		ck_assert_int_eq(table[KIB * KIB - 1], i + 1);
	}
}
END_TEST

START_TEST(test_state_table_that_is_full_enomem)
{
	size_t size;

	state_table(state, STATE_FILES, &size);
	must_fail(state_table_reserve(state, STATE_FILES, size + 1), ENOMEM);
	must_fail(state_table_reserve(state, STATE_FILES, SIZE_MAX), ENOMEM);
	must(state_table_reserve(state, STATE_FILES, 1));
}
END_TEST

START_TEST(test_state_of_its_own_has_no_descriptor)
{
	ck_assert_int_eq(state_fd(state), -1);
}
END_TEST

START_TEST(test_state_is_shared_with_a_child)
{
	char *area = state_area(state, STATE_JOURNAL);
	char *block = state_alloc(state, 10);
	pid_t child = (pid_t)must_call(fork());
	int status;

	if (child == 0) {
		area[5] = 6;
		block[5] = 7;
		_exit(0);
	}
	ck_assert_int_eq(must_call(waitpid(child, &status, 0)), child);
	ck_assert_int_eq(area[5], 6);
	ck_assert_int_eq(block[5], 7);
}
END_TEST

/* A process that reads the table and the block, and is killed for it. */
START_TEST(test_state_hidden_a_child_has_only_areas)
{
	size_t size;
	char *area = state_area(state, STATE_JOURNAL);
	volatile char *hidden[] = {state_alloc(state, 10), state_table(state, STATE_INODES, &size)};
	int status;

	must(state_table_reserve(state, STATE_INODES, 1));
	state_hide(state);
	for (int i = 0; i < 2; i++) {
		pid_t child = (pid_t)must_call(fork());

		if (child == 0) {
			signal(SIGSEGV, SIG_DFL); /* it is no fault for a sanitizer to report */
			area[5] = (char)(area[5] + 1);
			area[6] = *hidden[i];
			_exit(0);
		}
		ck_assert_int_eq(must_call(waitpid(child, &status, 0)), child);
		ck_assert_int_ne(status, 0);
		*hidden[i] = 7;
	}
	if (state_fd(state) >= 0)
		ck_assert_int_eq(area[5], 2);
}
END_TEST

START_TEST(test_state_descriptor_is_enough)
{
	int fd = (int)must_call(dup(state_fd(state)));

	strcpy(state_area(state, STATE_SESSION), "hello");
	state_free(state);
	must(state_open(fd, &state));
	ck_assert_int_eq(state_fd(state), fd);
	ck_assert_str_eq(state_area(state, STATE_SESSION), "hello");
}
END_TEST

START_TEST(test_state_that_is_empty_is_small)
{
	struct stat st;

	must_call(fstat(state_fd(state), &st));
	ck_assert_int_le(st.st_blocks / 2, 512);
}
END_TEST

START_TEST(test_state_cannot_be_cut)
{
	ck_assert_int_lt(ftruncate(state_fd(state), 0), 0);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(test_state_of_another_version_eproto)
{
	header()->version++;
	must_fail(open_again(), EPROTO);
	header()->version--;
	must(open_again());
}
END_TEST

START_TEST(test_state_open_other_files_einval)
{
	struct state *next;
	int zero = (int)must_call(open("/dev/zero", O_RDWR | O_CLOEXEC));
	int memory = (int)must_call(memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING));

	must_fail(state_open(zero, &next), EINVAL);
	must_fail(state_open(-1, &next), EINVAL);
	must_fail(state_open(memory, &next), EINVAL);
	must_call(pwrite(memory, header(), sizeof(*header()), 0));
	must_fail(state_open(memory, &next), EINVAL);
	must_call(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK));
	must_fail(state_open(memory, &next), EINVAL);
	close(zero);
	close(memory);
}
END_TEST

START_TEST(test_state_open_for_reading_einval)
{
	char path[64];
	struct state *next;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", state_fd(state));
	fd = (int)must_call(open(path, O_RDONLY | O_CLOEXEC));
	must_fail(state_open(fd, &next), EINVAL);
	close(fd);
}
END_TEST

/* Each bit of the header is wrong once. Only counts can be wrong and be sound. */
START_TEST(test_state_open_with_a_wrong_bit_is_refused)
{
	struct state_header right = *header();
	size_t counts = offsetof(struct state_header, used);

	for (size_t i = 0; i < sizeof(right) * 8; i++) {
		int r;

		((uint8_t *)header())[i / 8] ^= (uint8_t)(1 << i % 8);
		r = open_again();
		if (i / 8 >= counts)
			ck_assert(r == 0 || r == -EINVAL);
		else
			ck_assert(r == -EINVAL || r == -EPROTO);
		*header() = right;
	}
	must(open_again());
}
END_TEST

START_TEST(test_state_without_descriptors_emfile)
{
	struct state *next;

	fixture_limit_descriptors(0);
	must_fail(state_new(true, &next), EMFILE);
	must(state_new(false, &next));
	fixture_unlimit_descriptors();
	state_free(next);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* ASan itself maps more than that */
static void limit(int resource, rlim_t most)
{
	must_call(setrlimit(resource, &(struct rlimit){most, most}));
}

/* Lets the process map so many MiB more. */
static void limit_addresses(rlim_t mib)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	limit(RLIMIT_AS, pages * (rlim_t)sysconf(_SC_PAGESIZE) + mib * KIB * KIB);
}

START_TEST(test_state_with_few_addresses_is_smaller)
{
	struct state *next;
	size_t size;

	limit_addresses(1024);
	for (int i = 0; i < 2; i++) {
		must(state_new(i == 1, &next));
		state_table(next, STATE_FILES, &size);
		ck_assert_uint_ge(size, KIB * KIB);
		ck_assert_uint_le(size, 64 * KIB * KIB);
		must(state_table_reserve(next, STATE_FILES, size));
		ck_assert_ptr_nonnull(state_alloc(next, 16 * KIB * KIB));
		ck_assert_ptr_null(state_alloc(next, (size_t)1 << 30));
		state_free(next);
	}
	limit_addresses(64);
	for (int i = 0; i < 2; i++)
		must_fail(state_new(i == 1, &next), ENOMEM);
}
END_TEST

START_TEST(test_state_with_small_files_is_smaller)
{
	struct state *next;

	limit(RLIMIT_FSIZE, (rlim_t)1 << 30);
	must(state_new(true, &next));
	ck_assert_ptr_nonnull(state_alloc(next, 16 * KIB * KIB));
	state_free(next);
}
END_TEST
#endif

static Suite *state_suite(void)
{
	const TTest *const tests[] = {
		test_state_areas_are_found_again,
		test_state_tables_are_found_again,
		test_state_tables_are_apart,
		test_state_table_that_is_full_enomem,
		NULL,
	};
	const TTest *const own[] = {test_state_of_its_own_has_no_descriptor, NULL};
	const TTest *const shared[] = {
		test_state_is_shared_with_a_child,
		test_state_hidden_a_child_has_only_areas,
		test_state_descriptor_is_enough,
		test_state_that_is_empty_is_small,
		test_state_cannot_be_cut,
		test_state_of_another_version_eproto,
		test_state_open_other_files_einval,
		test_state_open_for_reading_einval,
		test_state_open_with_a_wrong_bit_is_refused,
		test_state_without_descriptors_emfile,
#ifndef __SANITIZE_ADDRESS__
		test_state_with_few_addresses_is_smaller,
		test_state_with_small_files_is_smaller,
#endif
		NULL,
	};
	Suite *suite = suite_create("state");

	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "private" : "shared";
		SFun setup = i == 0 ? state_setup_private : state_setup_shared;

		tcase_add_checked_fixture(suite_add(suite, name, tests), setup, state_teardown);
		tcase_add_checked_fixture(suite_add(suite, name, i == 0 ? own : shared), setup,
					  state_teardown);
	}
	return suite;
}

int main(void)
{
	return suite_run(state_suite());
}
