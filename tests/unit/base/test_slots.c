/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for objects. While a number is given out, it finds its own object and record, and never
 * those of another number. That is so wherever the records lie.
 */
#include "lib/base/slots.h"

#include "tests/unit/fixture.h"

enum { MANY = 100000 };

/* A record whose size is not a multiple of eight bytes. */
struct sample {
	uint32_t number;
	char text[7];
};

static struct slots slots;
static char objects[MANY]; /* only their addresses are used */
static uint64_t ids[MANY];

static struct state *state; /* NULL: the table is in its own memory */

static void slots_setup(void)
{
	slots_init(&slots, sizeof(struct sample));
}

static void slots_setup_placed(void)
{
	must(state_new(true, &state));
	slots_place(&slots, sizeof(struct sample), state, STATE_FILES);
}

static void slots_teardown(void)
{
	slots_fini(&slots);
	state_free(state);
}

static uint64_t add(int i)
{
	must(slots_add(&slots, &objects[i], &ids[i]));
	return ids[i];
}

static void must_be_unknown(uint64_t id)
{
	ck_assert_ptr_null(slots_object(&slots, id));
	ck_assert_ptr_null(slots_record(&slots, id));
}

START_TEST(test_slots_id_finds_its_object)
{
	add(0);
	add(1);
	ck_assert_uint_ne(ids[0], ids[1]);
	ck_assert_ptr_eq(slots_object(&slots, ids[0]), &objects[0]);
	ck_assert_ptr_eq(slots_object(&slots, ids[1]), &objects[1]);
}
END_TEST

START_TEST(test_slots_small_number_is_no_id)
{
	ck_assert_uint_ge(add(0), UINT64_C(1) << 32);
	must_be_unknown(0);
	must_be_unknown(1);
}
END_TEST

START_TEST(test_slots_never_given_finds_nothing)
{
	must_be_unknown(UINT64_C(1) << 32);
	add(0);
	must_be_unknown(ids[0] + 1);
	must_be_unknown(ids[0] + (UINT64_C(1) << 32));
	must_be_unknown(UINT64_MAX);
}
END_TEST

START_TEST(test_slots_removed_finds_nothing)
{
	add(0);
	add(1);
	slots_remove(&slots, ids[0]);
	must_be_unknown(ids[0]);
	ck_assert_ptr_eq(slots_object(&slots, ids[1]), &objects[1]);
}
END_TEST

START_TEST(test_slots_used_again_has_another_id)
{
	add(0);
	slots_remove(&slots, ids[0]);
	add(1);
	ck_assert_uint_eq((uint32_t)ids[1], (uint32_t)ids[0]);
	ck_assert_uint_ne(ids[1], ids[0]);
	must_be_unknown(ids[0]);
	ck_assert_ptr_eq(slots_object(&slots, ids[1]), &objects[1]);
}
END_TEST

START_TEST(test_slots_used_again_has_an_empty_record)
{
	static const struct sample empty;

	memset(slots_record(&slots, add(0)), 0xff, sizeof(struct sample));
	slots_remove(&slots, ids[0]);
	ck_assert_mem_eq(slots_record(&slots, add(1)), &empty, sizeof(empty));
}
END_TEST

START_TEST(test_slots_generation_wraps_to_one)
{
	struct slot *slot = (struct slot *)slots_record(&slots, add(0)) - 1;

	slots_remove(&slots, ids[0]);
	slot->generation = UINT32_MAX - 1;
	add(1);
	ck_assert_uint_eq(ids[1] >> 32, UINT32_MAX);
	slots_remove(&slots, ids[1]);
	add(2);
	ck_assert_uint_eq(ids[2] >> 32, 1);
	must_be_unknown(ids[1]);
	must_be_unknown((uint32_t)ids[2]);
}
END_TEST

START_TEST(test_slots_grow_moves_no_record)
{
	struct sample *first = slots_record(&slots, add(0));

	for (int i = 1; i < MANY; i++)
		add(i);
	ck_assert_ptr_eq(slots_record(&slots, ids[0]), first);
}
END_TEST

START_TEST(test_slots_many_keep_their_records_apart)
{
	for (int i = 0; i < MANY; i++) {
		struct sample *sample = slots_record(&slots, add(i));

		sample->number = (uint32_t)i;
		memset(sample->text, i, sizeof(sample->text));
	}
	for (int i = 0; i < MANY; i++) {
		const struct sample *sample = slots_record(&slots, ids[i]);

		ck_assert_ptr_eq(slots_object(&slots, ids[i]), &objects[i]);
		ck_assert_uint_eq(sample->number, (uint32_t)i);
		ck_assert_int_eq(sample->text[0], (char)i);
		ck_assert_int_eq(sample->text[6], (char)i);
	}
}
END_TEST

START_TEST(test_slots_removed_are_used_before_new_ones)
{
	for (int i = 0; i < MANY; i++)
		add(i);
	for (int i = 0; i < MANY; i += 2)
		slots_remove(&slots, ids[i]);
	for (int i = 0; i < MANY; i += 2) {
		uint64_t old = ids[i];

		ck_assert_uint_lt((uint32_t)add(i), MANY);
		must_be_unknown(old);
	}
	for (int i = 0; i < MANY; i++)
		ck_assert_ptr_eq(slots_object(&slots, ids[i]), &objects[i]);
}
END_TEST

START_TEST(test_slots_next_goes_through_all)
{
	uint64_t id = 0;

	ck_assert_uint_eq(slots_next(&slots, 0), 0);
	for (int i = 0; i < 1000; i++)
		add(i);
	for (int i = 0; i < 1000; i += 3)
		slots_remove(&slots, ids[i]);
	for (int i = 0; i < 1000; i++) {
		if (i % 3 == 0)
			continue;
		id = slots_next(&slots, id);
		ck_assert_uint_eq(id, ids[i]);
	}
	ck_assert_uint_eq(slots_next(&slots, id), 0);
}
END_TEST

START_TEST(test_slots_next_after_removed_goes_on)
{
	uint64_t id = 0;
	int n = 0;

	for (int i = 0; i < 1000; i++)
		add(i);
	while ((id = slots_next(&slots, id)) != 0) {
		slots_remove(&slots, id);
		n++;
	}
	ck_assert_int_eq(n, 1000);
	ck_assert_uint_eq(slots_next(&slots, 0), 0);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* ASan's report of a failed allocation leaves a file open */
START_TEST(test_slots_without_memory_enomem)
{
	size_t stride = slots.stride;
	uint64_t id = 7;
	int n = 0;

	while (n < 1 << SLOTS_FIRST_LOG2)
		add(n++);
	/* No machine has the memory for a second chunk of records of this size. */
	slots.stride = SIZE_MAX / 2;
	for (int i = 0; i < 2; i++)
		must_fail(slots_add(&slots, &objects[n], &id), ENOMEM);
	slots.stride = stride;
	ck_assert_uint_eq(id, 7);
	add(n++);
	for (int i = 0; i < n; i++)
		ck_assert_ptr_eq(slots_object(&slots, ids[i]), &objects[i]);
}
END_TEST
#endif

int main(void)
{
	const TTest *const tests[] = {
		test_slots_id_finds_its_object,
		test_slots_small_number_is_no_id,
		test_slots_never_given_finds_nothing,
		test_slots_removed_finds_nothing,
		test_slots_used_again_has_another_id,
		test_slots_used_again_has_an_empty_record,
		test_slots_generation_wraps_to_one,
		test_slots_grow_moves_no_record,
		test_slots_many_keep_their_records_apart,
		test_slots_removed_are_used_before_new_ones,
		test_slots_next_goes_through_all,
		test_slots_next_after_removed_goes_on,
#ifndef __SANITIZE_ADDRESS__
		test_slots_without_memory_enomem,
#endif
		NULL,
	};
	Suite *suite = suite_create("slots");

	tcase_add_checked_fixture(suite_add(suite, "own", tests), slots_setup, slots_teardown);
	tcase_add_checked_fixture(suite_add(suite, "placed", tests), slots_setup_placed,
				  slots_teardown);
	return suite_run(suite);
}
