/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon adopts what another version of it has left only if the layout of the state is the same.
 * So whoever changes a record has to change STATE_VERSION as well, and this test says so.
 *
 * It knows each field by name, place and size. What the fields of a kind mean, struct
 * object_record's words say, it can't know.
 */
#include "fs/supervisor.h"
#include "fs/takeover.h"
#include "lib/base/state_memory.h"
#include "lib/channel/journal.h"
#include "tests/unit/channel/state_fields.h"
#include "tests/unit/fixture.h"

/* The layout of this version, by layout_hash(). A new hash needs a new version. */
static const struct {
	uint32_t version;
	uint64_t hash;
} known = {.version = 1, .hash = UINT64_C(0xccc1faa97fca8ad1)};

/* FNV-1a. */
static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t layout_hash(void)
{
	const uint64_t places[] = {STATE_N_AREAS, STATE_AREA_SIZE, STATE_N_TABLES, STATE_PAGE};
	uint64_t hash = hash_add(UINT64_C(0xcbf29ce484222325), places, sizeof(places));

	for (int i = 0; i < n_state_fields; i++) {
		const struct field *field = &state_fields[i];
		const uint64_t numbers[] = {field->offset, field->size};
		const char *name = field->name ? field->name : field->record;

		hash = hash_add(hash, name, strlen(name));
		hash = hash_add(hash, numbers, sizeof(numbers));
	}
	return hash;
}

/* The first byte from `end` on at which a field of this alignment can begin. */
static size_t aligned(size_t end, size_t align)
{
	return (end + align - 1) / align * align;
}

START_TEST(test_state_layout_knows_all_fields)
{
	const struct field *record = NULL;
	size_t end = 0;

	for (int i = 0; i < n_state_fields; i++) {
		const struct field *field = &state_fields[i];

		if (field->name) {
			ck_assert_msg(field->offset == aligned(end, field->align),
				      "%s: a field before %s is not in the list", field->record,
				      field->name);
			end = field->offset + field->size;
		}
		if (i + 1 == n_state_fields || !state_fields[i + 1].name) {
			ck_assert_msg(!record || aligned(end, record->align) == record->size,
				      "%s: its last field is not in the list", record->record);
		}
		if (!field->name) {
			record = field;
			end = 0;
		}
	}
}
END_TEST

START_TEST(test_state_layout_changes_with_its_version)
{
	ck_assert_msg(known.version == STATE_VERSION && known.hash == layout_hash(),
		      "The state has another layout. Count STATE_VERSION up, and say here: "
		      "{.version = %d, .hash = UINT64_C(%#018llx)}",
		      STATE_VERSION + (known.version == STATE_VERSION),
		      (unsigned long long)layout_hash());
}
END_TEST

START_TEST(test_state_layout_areas_are_large_enough)
{
	ck_assert_uint_le(sizeof(struct supervisor_area), STATE_AREA_SIZE);
	ck_assert_uint_le(sizeof(struct takeover_area), STATE_AREA_SIZE);
	ck_assert_uint_le(sizeof(struct journal), STATE_AREA_SIZE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_layout");

	suite_add(
		suite, "layout", (const TTest *const[]) {
			test_state_layout_knows_all_fields,
#if __SIZEOF_POINTER__ == 8 /* the hash is that of machines of 64 bits */
				test_state_layout_changes_with_its_version,
#endif
				test_state_layout_areas_are_large_enough, NULL,
		});
	return suite_run(suite);
}
