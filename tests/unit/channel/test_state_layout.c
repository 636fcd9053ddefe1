/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon adopts what another version of it has left only if the layout of the state is the same.
 * So whoever changes a record has to change STATE_VERSION as well, and this test says so.
 *
 * It knows each field by name, place and size. What the fields of a kind mean, struct
 * object_record's words say, it can't know.
 */
#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/listing.h"
#include "fs/supervisor.h"
#include "fs/takeover.h"
#include "lib/base/slots.h"
#include "lib/base/state_memory.h"
#include "lib/channel/journal.h"
#include "lib/channel/lock_files.h"
#include "lib/channel/lock_table.h"
#include "lib/channel/locks.h"
#include "lib/channel/record.h"
#include "lib/kinds/pipe/pipe_record.h"
#include "lib/kinds/pipe/store_piece.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/fixture.h"

/* The layout of this version, by layout_hash(). A new hash needs a new version. */
static const struct {
	uint32_t version;
	uint64_t hash;
} known = {.version = 1, .hash = UINT64_C(0x6716761f776b78cf)};

struct field {
	const char *record, *name; /* `name` NULL: the record as a whole */
	size_t offset, size, align;
};

#define WHOLE(type)                                          \
	{                                                    \
#type, NULL, 0, sizeof(type), _Alignof(type) \
	}
#define FIELD(type, member)                                                          \
	{                                                                            \
#type, #member, offsetof(type, member), sizeof(((type *)0)->member), \
			_Alignof(__typeof__(((type *)0)->member))                    \
	}

/* Each record is followed by its fields, in their order. */
static const struct field fields[] = {
	WHOLE(struct state_header),
	FIELD(struct state_header, magic),
	FIELD(struct state_header, version),
	FIELD(struct state_header, n_tables),
	FIELD(struct state_header, size),
	FIELD(struct state_header, table_size),
	FIELD(struct state_header, heap_size),
	FIELD(struct state_header, used),
	WHOLE(struct slot),
	FIELD(struct slot, generation),
	FIELD(struct slot, next),
	WHOLE(struct supervisor_area),
	FIELD(struct supervisor_area, supervisor),
	FIELD(struct supervisor_area, daemon),
	FIELD(struct supervisor_area, n_daemons),
	FIELD(struct supervisor_area, poison),
	FIELD(struct supervisor_area, died),
	FIELD(struct supervisor_area, started),
	FIELD(struct supervisor_area, ready),
	FIELD(struct supervisor_area, can_follow),
	FIELD(struct supervisor_area, is_ended),
	FIELD(struct supervisor_area, unmounter),
	FIELD(struct supervisor_area, ready_fd),
	FIELD(struct supervisor_area, n_answers),
	FIELD(struct supervisor_area, answer),
	WHOLE(struct takeover_area),
	FIELD(struct takeover_area, device),
	FIELD(struct takeover_area, tree_fd),
	FIELD(struct takeover_area, dir_fd),
	FIELD(struct takeover_area, init_size),
	FIELD(struct takeover_area, dev),
	FIELD(struct takeover_area, init),
	WHOLE(struct journal),
	FIELD(struct journal, request),
	FIELD(struct journal, is_again),
	FIELD(struct journal, step),
	FIELD(struct journal, reader),
	FIELD(struct journal, file),
	FIELD(struct journal, size),
	FIELD(struct journal, most),
	FIELD(struct journal, before),
	FIELD(struct journal, word),
	FIELD(struct journal, writer),
	FIELD(struct journal, object),
	FIELD(struct journal, done),
	FIELD(struct journal, handed),
	FIELD(struct journal, accepted),
	FIELD(struct journal, place),
	FIELD(struct journal, unnamed),
	FIELD(struct journal, renamed),
	FIELD(struct journal, old_name),
	FIELD(struct journal, accepted_whole),
	WHOLE(struct inode_record),
	FIELD(struct inode_record, nodeid),
	FIELD(struct inode_record, n_lookups),
	FIELD(struct inode_record, object),
	FIELD(struct inode_record, looked),
	FIELD(struct inode_record, number),
	FIELD(struct inode_record, pid),
	FIELD(struct inode_record, n_handles),
	FIELD(struct inode_record, told_size),
	FIELD(struct inode_record, backing_id),
	FIELD(struct inode_record, n_backed),
	FIELD(struct inode_record, is_directory),
	FIELD(struct inode_record, has_number),
	FIELD(struct inode_record, is_listed),
	FIELD(struct inode_record, is_charged),
	FIELD(struct inode_record, uid),
	FIELD(struct inode_record, older),
	FIELD(struct inode_record, newer),
	WHOLE(struct selector),
	FIELD(struct selector, is_set),
	FIELD(struct selector, value),
	WHOLE(struct handle_record),
	FIELD(struct handle_record, nodeid),
	FIELD(struct handle_record, file),
	FIELD(struct handle_record, opened),
	FIELD(struct handle_record, poll),
	FIELD(struct handle_record, is_polled),
	FIELD(struct handle_record, is_backed),
	FIELD(struct handle_record, long_read),
	WHOLE(struct long_read),
	FIELD(struct long_read, thread),
	FIELD(struct long_read, end),
	WHOLE(struct listing_record),
	FIELD(struct listing_record, fh),
	FIELD(struct listing_record, nodeid),
	FIELD(struct listing_record, uid),
	FIELD(struct listing_record, error),
	FIELD(struct listing_record, opened),
	FIELD(struct listing_record, entries),
	FIELD(struct listing_record, n_allocated),
	FIELD(struct listing_record, size),
	FIELD(struct listing_record, n_entries),
	FIELD(struct listing_record, is_unread),
	WHOLE(struct object_record),
	FIELD(struct object_record, space),
	FIELD(struct object_record, is_kept),
	FIELD(struct object_record, fds),
	FIELD(struct object_record, message_max),
	FIELD(struct object_record, made),
	FIELD(struct object_record, words),
	FIELD(struct object_record, tapped),
	FIELD(struct object_record, attributes),
	FIELD(struct object_record, charged),
	FIELD(struct object_record, maker),
	FIELD(struct object_record, name),
	WHOLE(struct attributes),
	FIELD(struct attributes, ino),
	FIELD(struct attributes, mode),
	FIELD(struct attributes, uid),
	FIELD(struct attributes, gid),
	FIELD(struct attributes, atime),
	FIELD(struct attributes, mtime),
	FIELD(struct attributes, ctime),
	FIELD(struct attributes, btime),
	WHOLE(struct file_record),
	FIELD(struct file_record, object),
	FIELD(struct file_record, uid),
	FIELD(struct file_record, gid),
	FIELD(struct file_record, flags),
	FIELD(struct file_record, fd),
	FIELD(struct file_record, number),
	FIELD(struct file_record, mark),
	FIELD(struct file_record, words),
	FIELD(struct file_record, rest),
	FIELD(struct file_record, rest_size),
	FIELD(struct file_record, is_frozen),
	FIELD(struct file_record, rest_offset),
	WHOLE(struct lock),
	FIELD(struct lock, owner),
	FIELD(struct lock, file),
	FIELD(struct lock, first),
	FIELD(struct lock, last),
	FIELD(struct lock, pid),
	FIELD(struct lock, uid),
	FIELD(struct lock, type),
	FIELD(struct lock, is_flock),
	WHOLE(struct ring_record),
	FIELD(struct ring_record, head_number),
	FIELD(struct ring_record, head_offset),
	FIELD(struct ring_record, tail_number),
	FIELD(struct ring_record, tail_offset),
	FIELD(struct ring_record, kept_number),
	FIELD(struct ring_record, whole),
	FIELD(struct ring_record, memory),
	WHOLE(struct ring_reader_record),
	FIELD(struct ring_reader_record, joined),
	FIELD(struct ring_reader_record, taken),
	FIELD(struct ring_reader_record, missed),
	WHOLE(struct topic_record),
	FIELD(struct topic_record, ring),
	FIELD(struct topic_record, n_opened),
	FIELD(struct topic_record, n_dropped),
	FIELD(struct topic_record, keep),
	FIELD(struct topic_record, modes),
	FIELD(struct topic_record, capacity),
	WHOLE(struct topic_reader_record),
	FIELD(struct topic_reader_record, place),
	FIELD(struct topic_reader_record, n_dropped),
	FIELD(struct topic_reader_record, pid),
	WHOLE(struct store_record),
	FIELD(struct store_record, first),
	FIELD(struct store_record, put),
	FIELD(struct store_record, taken),
	WHOLE(struct store_piece),
	FIELD(struct store_piece, next),
	FIELD(struct store_piece, begin),
	FIELD(struct store_piece, room),
	FIELD(struct store_piece, buffer),
	FIELD(struct store_piece, place),
	FIELD(struct store_piece, is_charged),
	WHOLE(struct pipe_record),
	FIELD(struct pipe_record, capacity),
	FIELD(struct pipe_record, has_no_end),
	FIELD(struct pipe_record, store),
	FIELD(struct pipe_record, n_opened),
	FIELD(struct pipe_record, n_opened_next),
	FIELD(struct pipe_record, opened),
	FIELD(struct pipe_record, is_kept),
	FIELD(struct pipe_record, node),
	FIELD(struct pipe_record, charged),
	WHOLE(struct write_record),
	FIELD(struct write_record, request),
	FIELD(struct write_record, done),
};

enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

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

	for (int i = 0; i < N_FIELDS; i++) {
		const struct field *field = &fields[i];
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

	for (int i = 0; i < N_FIELDS; i++) {
		const struct field *field = &fields[i];

		if (field->name) {
			ck_assert_msg(field->offset == aligned(end, field->align),
				      "%s: a field before %s is not in the list", field->record,
				      field->name);
			end = field->offset + field->size;
		}
		if (i + 1 == N_FIELDS || !fields[i + 1].name) {
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
