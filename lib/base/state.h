/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that outlives the process that serves a mount, so that the next one can go on from it.
 *
 * The memory has areas of a fixed size, tables of records (lib/base/slots.h), and blocks. Nothing
 * in it is a pointer: a block is known by its offset, and belongs to the record that names this
 * offset. Which blocks are free is not written down. The next process claims the blocks that the
 * records name, and all other memory is free. So wherever a process is killed, no block is lost or
 * given out twice.
 *
 * All errors are negative errno values.
 */
#ifndef IPCFS_STATE_H
#define IPCFS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The number of the layout of everything in the memory. A change of any record or area, or of what
 * their fields mean, needs another number: a daemon adopts only what has its own
 * (tests/unit/channel/test_state_layout.c).
 */
#define STATE_VERSION 1

enum state_area {
	STATE_HOST,       /* lib/host/host.c */
	STATE_SUPERVISOR, /* fs/supervisor.h */
	STATE_SESSION,    /* fs/takeover.h */
	STATE_JOURNAL,    /* lib/channel/journal.h */
	STATE_TREE,       /* struct tree_record, lib/host/tree_record.h */
	STATE_N_AREAS
};
#define STATE_AREA_SIZE ((size_t)65536)

enum state_table {
	STATE_INODES,     /* struct inode_record, fs/inode.h */
	STATE_HANDLES,    /* struct handle_record, fs/handle.h */
	STATE_LISTINGS,   /* struct listing_record, fs/listing.h */
	STATE_OBJECTS,    /* struct object_record, lib/channel/record.h */
	STATE_FILES,      /* struct file_record, lib/channel/record.h */
	STATE_LOCKS,      /* struct lock_record, lib/channel/lock_table.h */
	STATE_LOCK_FILES, /* struct lock_file, lib/channel/lock_files.h */
	STATE_WRITES,     /* struct write_record, lib/channel/journal.h */
	STATE_N_TABLES
};

/* Keeps the compiler from moving stores to the memory across this. */
#define STATE_ORDER() __asm__ __volatile__("" ::: "memory")

struct state;

/*
 * Makes empty memory. With `outlives`, a descriptor stands for it (state_fd()), and a forked
 * process shares it; otherwise it is the process's own. Fails with -ENOMEM, -EMFILE or -ENFILE.
 */
int state_new(bool outlives, struct state **ret_state);

/*
 * Maps the memory of a process that had another executable. Takes over the descriptor on success.
 * Fails with -EINVAL if it is no such memory, or with -EPROTO if its version is another.
 */
int state_open(int fd, struct state **ret_state);

/*
 * Returns another handle of the same memory, as the next process would get it: nothing is claimed
 * or allocated in it yet. For tests, in which no process ends. Fails with -ENOMEM.
 */
int state_restart(const struct state *state, struct state **ret_state);

/*
 * From now on, a process that this one forks does not get the tables and the blocks, which may have
 * any user's data in them: it works for one user, or for none. It has the areas.
 */
void state_hide(const struct state *state);

/* Unmaps the memory, and closes its descriptor. NULL: does nothing. */
void state_free(struct state *state);

/* The descriptor that stands for the memory; -1: it does not outlive the process. */
int state_fd(const struct state *state);

/* Returns an area, STATE_AREA_SIZE bytes, all zeroes at first. */
void *state_area(const struct state *state, enum state_area area);

/*
 * A table's memory: where its records begin, and how many bytes it may have at most. All zeroes
 * where it was never written.
 */
void *state_table(const struct state *state, enum state_table table, size_t *ret_size);
/* Makes sure that the first `size` bytes of a table can be written. Fails with -ENOMEM. */
int state_table_reserve(struct state *state, enum state_table table, size_t size);
/*
 * How many slots of a table have been given out; kept in the memory for lib/base/slots.c alone.
 */
uint32_t *state_table_used(const struct state *state, enum state_table table);

/*
 * Allocates a block, whose content is undefined, aligned as malloc() would, and to a page from a
 * page on. Returns NULL if there is no memory. Blocks of a MiB and more cost the kernel a call, as
 * do those of mmap(2).
 */
void *state_alloc(struct state *state, size_t size);
/* Frees a block of this size. NULL: does nothing. */
void state_release(struct state *state, void *block, size_t size);

/* The offset of a block, never 0; 0 for NULL, and for memory that is not in the state. */
uint64_t state_offset(const struct state *state, const void *block);
/*
 * Returns where `size` bytes at an offset are; NULL if they can't be all in blocks. This alone does
 * not take over any block: state_claim().
 */
void *state_block(const struct state *state, uint64_t offset, size_t size);

/*
 * For the next process, before it allocates anything: takes over the block of `size` bytes at an
 * offset that it found in a record. Returns the block; NULL if there can be none, or if a block
 * that was claimed before overlaps it.
 */
void *state_claim(struct state *state, uint64_t offset, size_t size);
/*
 * Ends the claims: what was not claimed is free, and can be allocated. Without this call, a state
 * that a process finds in use allocates nothing.
 */
void state_settle(struct state *state);
bool state_is_settled(const struct state *state);

/* Makes a truth that was found in a record true or false: of any other byte it would be neither. */
static inline void state_mend(bool *truth)
{
	unsigned char byte;

	memcpy(&byte, truth, 1);
	*truth = byte != 0;
}

#endif
