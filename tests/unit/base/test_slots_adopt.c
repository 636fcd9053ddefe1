/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table that another process has left: its ids go on, wherever that process was killed, and a
 * table that can't be right is refused.
 */
#include "lib/base/slots.h"

#include "tests/unit/fixture.h"

enum { MANY = 100000, FEW = 100 };

struct sample {
	uint32_t number;
	char text[7];
};

static struct state *state;
static struct slots slots;
static char objects[MANY]; /* only their addresses are used */
static uint64_t ids[MANY];

static void place(void)
{
	slots_place(&slots, sizeof(struct sample), state, STATE_OBJECTS);
}

static void setup_private(void)
{
	must(state_new(false, &state));
	place();
}

static void setup_shared(void)
{
	must(state_new(true, &state));
	place();
}

static void teardown(void)
{
	slots_fini(&slots);
	state_free(state);
}

/* As if this process had ended: returns what the next one gets when it adopts the table. */
static int adopt(void)
{
	struct state *next;

	must(state_restart(state, &next));
	slots_fini(&slots);
	state_free(state);
	state = next;
	place();
	return slots_adopt(&slots);
}

static struct slot *slot_at(uint32_t index)
{
	size_t size;

	return (void *)((char *)state_table(state, STATE_OBJECTS, &size) + index * slots.stride);
}

static void add(int i)
{
	struct sample *sample;

	must(slots_add(&slots, &objects[i], &ids[i]));
	sample = slots_record(&slots, ids[i]);
	ck_assert_uint_eq(sample->number, 0);
	sample->number = (uint32_t)i;
	memset(sample->text, i, sizeof(sample->text));
}

static void must_have(int i)
{
	const struct sample *sample = slots_record(&slots, ids[i]);

	ck_assert_ptr_nonnull(sample);
	ck_assert_uint_eq(sample->number, (uint32_t)i);
	ck_assert_int_eq(sample->text[6], (char)i);
}

static void must_be_unknown(uint64_t id)
{
	ck_assert_ptr_null(slots_object(&slots, id));
	ck_assert_ptr_null(slots_record(&slots, id));
}

START_TEST(test_adopt_nothing)
{
	must(adopt());
	ck_assert_uint_eq(slots_next(&slots, 0), 0);
	add(0);
	must_have(0);
}
END_TEST

START_TEST(test_adopt_records_without_objects)
{
	add(0);
	add(1);
	must(adopt());
	must_have(0);
	must_have(1);
	ck_assert_ptr_null(slots_object(&slots, ids[0]));
	slots_set_object(&slots, ids[0], &objects[5]);
	ck_assert_ptr_eq(slots_object(&slots, ids[0]), &objects[5]);
	ck_assert_ptr_null(slots_object(&slots, ids[1]));
	slots_remove(&slots, ids[0]);
	must_be_unknown(ids[0]);
	slots_remove(&slots, ids[1]);
	must_be_unknown(ids[1]);
}
END_TEST

START_TEST(test_adopt_many)
{
	for (int i = 0; i < MANY; i++)
		add(i);
	for (int i = 0; i < MANY; i += 3)
		slots_remove(&slots, ids[i]);
	for (int round = 0; round < 3; round++) {
		must(adopt());
		for (int i = 0; i < MANY; i++) {
			if (i % 3 == 0)
				must_be_unknown(ids[i]);
			else
				must_have(i);
		}
	}
	/* The free slots are used, each once, and their former ids find nothing. */
	for (int i = 0; i < MANY; i += 3) {
		uint64_t old = ids[i];

		add(i);
		must_be_unknown(old);
		ck_assert_uint_lt((uint32_t)ids[i], MANY);
	}
	for (int i = 0; i < MANY; i++)
		must_have(i);
	ck_assert_uint_eq(*state_table_used(state, STATE_OBJECTS), MANY);
}
END_TEST

/* slots_add() was killed before it had counted a new slot. */
START_TEST(test_adopt_new_slot_that_is_half_made)
{
	add(0);
	add(1);
	add(2);
	*state_table_used(state, STATE_OBJECTS) = 2;
	must(adopt());
	must_have(0);
	must_have(1);
	must_be_unknown(ids[2]);
	add(3);
	must_have(3);
	ck_assert_uint_eq((uint32_t)ids[3], 2);
}
END_TEST

/* slots_add() was killed before it had given out a slot that it used again. */
START_TEST(test_adopt_used_slot_that_is_half_made)
{
	uint64_t old;

	add(0);
	add(1);
	old = ids[0];
	slots_remove(&slots, ids[0]);
	slot_at(0)->generation++;
	memset(slot_at(0) + 1, 0xff, sizeof(struct sample));
	must(adopt());
	must_be_unknown(old);
	must_be_unknown(old + (UINT64_C(1) << 32));
	add(0);
	ck_assert_uint_eq((uint32_t)ids[0], 0);
	ck_assert_uint_eq(ids[0] >> 32, 3);
	must_have(1);
}
END_TEST

START_TEST(test_adopt_more_than_there_are_eproto)
{
	size_t size;

	add(0);
	state_table(state, STATE_OBJECTS, &size);
	*state_table_used(state, STATE_OBJECTS) = 2;
	must_fail(adopt(), EPROTO);
	*state_table_used(state, STATE_OBJECTS) = 1;
	must(adopt());
	must_have(0);
}
END_TEST

START_TEST(test_adopt_more_than_fit_eproto)
{
	size_t size;

	add(0);
	state_table(state, STATE_OBJECTS, &size);
	*state_table_used(state, STATE_OBJECTS) = (uint32_t)(size / slots.stride + 1);
	must_fail(adopt(), EPROTO);
}
END_TEST

/*
 * Whether what was adopted can be used as a table, whatever is in it: no slot is given out twice.
 * (Without ck_assert(), each of which is a system call.)
 */
static bool is_usable(void)
{
	static bool is_given[3 * FEW];
	uint64_t id = 0;
	int n = 0;

	memset(is_given, 0, sizeof(is_given));
	while ((id = slots_next(&slots, id)) != 0 && n <= FEW) {
		is_given[(uint32_t)id] = n % 2 == 0;
		if (slots_object(&slots, id))
			return false;
		memset(slots_record(&slots, id), 1, sizeof(struct sample));
		if (n++ % 2)
			slots_remove(&slots, id);
		else
			slots_set_object(&slots, id, &objects[0]);
	}
	for (int i = 0; i < 2 * FEW; i++) {
		if (slots_add(&slots, &objects[i], &id) < 0 || (uint32_t)id >= 3 * FEW ||
		    is_given[(uint32_t)id] || slots_object(&slots, id) != &objects[i])
			return false;
		is_given[(uint32_t)id] = true;
	}
	return n <= FEW;
}

START_TEST(test_adopt_with_a_wrong_bit_is_harmless)
{
	size_t size;
	char *table = state_table(state, STATE_OBJECTS, &size);
	static char right[(FEW + 1) * 40];
	size_t length = FEW * slots.stride;
	int n_refused = 0;

	for (int i = 0; i < FEW; i++)
		add(i);
	for (int i = 0; i < FEW; i += 7)
		slots_remove(&slots, ids[i]);
	ck_assert_uint_le(length, sizeof(right));
	memcpy(right, table, length);
	for (size_t i = 0; i < length * 8; i++) {
		int r;

		table[i / 8] ^= (char)(1 << i % 8);
		slots_fini(&slots);
		place();
		r = slots_adopt(&slots);
		ck_assert(r == 0 || r == -EPROTO);
		if (r == 0)
			ck_assert(is_usable());
		else
			n_refused++;
		memcpy(table, right, length);
		*state_table_used(state, STATE_OBJECTS) = FEW;
	}
	ck_assert_int_ge(n_refused, FEW);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_adopt_nothing,
		test_adopt_records_without_objects,
		test_adopt_many,
		test_adopt_new_slot_that_is_half_made,
		test_adopt_used_slot_that_is_half_made,
		test_adopt_more_than_there_are_eproto,
		test_adopt_more_than_fit_eproto,
		test_adopt_with_a_wrong_bit_is_harmless,
		NULL,
	};
	Suite *suite = suite_create("slots_adopt");

	tcase_add_checked_fixture(suite_add(suite, "private", tests), setup_private, teardown);
	tcase_add_checked_fixture(suite_add(suite, "shared", tests), setup_shared, teardown);
	return suite_run(suite);
}
