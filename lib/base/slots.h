/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids for objects, to be given to the outside instead of pointers.
 *
 * An id is the index of a slot with the slot's generation above it. The generation changes each
 * time the slot is given out, so an id that is out of date finds nothing. No id is below 1 << 32,
 * so small numbers are free for other meanings.
 *
 * A slot holds a record and a pointer to an object of this process. The record is the owner's; it
 * has no pointers in it, and could be in memory that is shared with another process. It stays where
 * it is for as long as its id is valid: the table grows by chunks, each as large as all chunks
 * before it together, and no chunk is moved. Memory is kept until slots_fini().
 */
#ifndef IPCFS_SLOTS_H
#define IPCFS_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/state.h"

enum {
	SLOTS_FIRST_LOG2 = 6, /* the first chunk has 1 << this slots */
	SLOTS_CHUNKS = 32 - SLOTS_FIRST_LOG2,
};

/* Precedes each record. */
struct slot {
	uint32_t generation; /* 0: never given out */
	uint32_t next;       /* the next free slot, or a mark that this one is given out */
};

struct slots_chunk {
	char *records;  /* each preceded by its struct slot; in `state`, if the table lies there */
	void **objects; /* one for each record */
};

struct slots {
	size_t stride;       /* bytes from one record to the next */
	struct state *state; /* where the records lie; NULL: in memory of their own */
	enum state_table table;
	uint32_t *used; /* what the next process will find as n_slots; NULL without a state */
	struct slots_chunk chunks[SLOTS_CHUNKS];
	uint32_t n_slots; /* all slots, given out or free; indices are below this */
	uint32_t free;    /* the first in the list of slots that were given back */
};

/* Makes an empty table. Records of `record_size` bytes are aligned as a uint64_t is. */
void slots_init(struct slots *slots, size_t record_size);

/* As slots_init(), but the records lie in a table of `state`, which is borrowed. */
void slots_place(struct slots *slots, size_t record_size, struct state *state,
		 enum state_table table);
/*
 * Takes over the records that another process has left in the table: all that are given out, still
 * without objects. One of them may be all zeroes still, and its id unknown to anybody. Fails with
 * -EPROTO if the table can't be right, or with -ENOMEM.
 */
int slots_adopt(struct slots *slots);
/* Sets the object of an id, which must be valid and have none yet. */
void slots_set_object(struct slots *slots, uint64_t id, void *object);

/* Frees the records, but not the objects, which belong to the table's owner. */
void slots_fini(struct slots *slots);

/* Gives `object`, which is not NULL, an id and a record of zeroes. Fails with -ENOMEM. */
int slots_add(struct slots *slots, void *object, uint64_t *ret_id);

/* Returns the object that has this id, or NULL if no object has it, or no longer. */
void *slots_object(const struct slots *slots, uint64_t id);
/* Returns the record of the object that has this id, or NULL in the same cases. */
void *slots_record(const struct slots *slots, uint64_t id);

/* Frees the slot of an id, which must be valid. */
void slots_remove(struct slots *slots, uint64_t id);

/*
 * For iterating. Returns the id after `id`, or the first id if `id` is 0; 0 if there is none. `id`
 * may have been removed in the meantime.
 */
uint64_t slots_next(const struct slots *slots, uint64_t id);

#endif
