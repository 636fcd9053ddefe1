/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for objects: what is given to the outside in the place of a pointer.
 *
 * An id is the index of a slot and, above it, the slot's generation, which is another each time the
 * slot is given: an id that is out of date finds nothing. No id is below 1 << 32, so small numbers
 * are free for other meanings.
 *
 * A slot is a record of the owner's, which has no pointers in it and could be in memory that is
 * shared with another process; and an object of this process, which has them. A record stays where
 * it is for as long as its id lasts: chunks are added, each as large as all before it, and none is
 * moved. Their memory is kept until the end.
 */
#ifndef IPCFS_SLOTS_H
#define IPCFS_SLOTS_H

#include <stddef.h>
#include <stdint.h>

enum {
	SLOTS_FIRST_LOG2 = 6, /* of the number of slots in the first chunk */
	SLOTS_CHUNKS = 32 - SLOTS_FIRST_LOG2,
};

/* What stands before each record. */
struct slot {
	uint32_t generation; /* 0: never given */
	uint32_t next;       /* the next free slot; or that it is given */
};

struct slots_chunk {
	char *records;  /* each with its struct slot before it */
	void **objects; /* of the same slots */
};

struct slots {
	size_t stride; /* from one record to the next, bytes */
	struct slots_chunk chunks[SLOTS_CHUNKS];
	uint32_t n_slots; /* that there are, given or free: the indices below */
	uint32_t free;    /* the first of those that have been given back */
};

/* An empty table. Records of `record_size` bytes are aligned as uint64_t is. */
void slots_init(struct slots *slots, size_t record_size);

/* Frees the records. The objects are their owner's. */
void slots_fini(struct slots *slots);

/* Gives `object`, which is not NULL, an id and a record of zeroes. -ENOMEM */
int slots_add(struct slots *slots, void *object, uint64_t *ret_id);

/* What an id stands for; NULL: nothing, or no longer. */
void *slots_object(const struct slots *slots, uint64_t id);
void *slots_record(const struct slots *slots, uint64_t id);

/* Takes back an id that slots_object() knows. */
void slots_remove(struct slots *slots, uint64_t id);

/*
 * For going through all: the id after `id`, which may have been removed since; of 0 the first. 0:
 * there is none.
 */
uint64_t slots_next(const struct slots *slots, uint64_t id);

#endif
