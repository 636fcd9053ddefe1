/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of state.h share: what lies where in the memory, and what this process knows of
 * it.
 *
 *     header | areas | tables | heap
 *
 * All of that is addresses at first. A part has memory once it is reserved, so that to write there
 * can't fail: a page that the kernel can't provide would be a SIGBUS.
 */
#ifndef IPCFS_STATE_MEMORY_H
#define IPCFS_STATE_MEMORY_H

#include "lib/base/state.h"

enum {
	STATE_PAGE_LOG2 = 12,
	STATE_PAGE = 1 << STATE_PAGE_LOG2,
	STATE_BINS = 128,   /* of runs, by their length */
	STATE_CLASSES = 23, /* of blocks that share a page, by their size */
	STATE_SHARED_MAX = STATE_PAGE / 2,
	STATE_UNIT = 16, /* what sizes of such blocks are multiples of */
	STATE_BLOCK_MIN = 32,
	STATE_PAGE_BLOCKS = STATE_PAGE / STATE_BLOCK_MIN,
};

#define STATE_MAGIC UINT64_C(0x3045544154535049) /* "IPSTATE0" */

struct state_header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_tables;
	uint64_t size; /* of everything */
	uint64_t table_size;
	uint64_t heap_size;
	uint32_t used[STATE_N_TABLES]; /* slots given out so far, for lib/base/slots.c */
};

enum state_page_kind {
	PAGE_IN_USE, /* of a block, or not looked at */
	PAGE_WET,    /* of a free run that has memory */
	PAGE_DRY,    /* of a free run without memory, or with some that can go at any time */
	PAGE_BLOCK,  /* the first of a block that has pages for itself */
	PAGE_SHARED, /* has blocks of one class */
};

/*
 * One page of the heap. Of a free run, the first and the last page are filled in; of a block, the
 * first. Indices of pages are never 0, so 0 is none.
 */
struct state_page {
	uint32_t n;          /* pages of the run or of the block */
	uint32_t next, prev; /* in its bin; of a shared page, among those with free blocks */
	uint8_t kind;        /* enum state_page_kind */
	uint8_t class;       /* PAGE_SHARED */
	uint16_t n_free;     /* PAGE_SHARED: free blocks; these are in `free` */
	uint64_t free[STATE_PAGE_BLOCKS / 64];
};

/* Free runs of one kind. */
struct state_bins {
	uint32_t first[STATE_BINS];
	uint64_t is_filled[STATE_BINS / 64]; /* which bins have a run */
	uint32_t n_pages;
};

struct state {
	char *base;
	struct state_header sizes; /* as the header had them when the memory was mapped */
	int fd;                    /* -1: private memory */
	unsigned *n_handles;       /* of private memory, which they share */
	size_t reserved[STATE_N_TABLES];

	/* The heap. */
	char *heap;
	size_t map_size;          /* of the memory that `pages` and `claimed` lie in */
	struct state_page *pages; /* one for each page of the heap */
	uint64_t *claimed;        /* a bit for each page, for state_claim() */
	uint32_t claimed_end;     /* no page from here on is claimed */
	uint32_t n_pages;
	uint32_t top; /* pages from here on were never used */
	struct state_bins wet, dry;
	uint32_t shared[STATE_CLASSES]; /* shared pages that have a free block, by class */
	uint8_t class_of[STATE_SHARED_MAX / STATE_UNIT + 1]; /* by size in units, rounded up */
	bool is_settled;
};

/* Reserves a part of the memory, in bytes from its beginning. Fails with -ENOMEM. */
int state_reserve(const struct state *state, uint64_t offset, uint64_t size);
/* Gives back the memory of a part, which reads as zeroes after that. */
void state_unreserve(const struct state *state, uint64_t offset, uint64_t size);

/* Makes a heap in which nothing is claimed or allocated. Fails with -ENOMEM. */
int state_heap_init(struct state *state);
void state_heap_fini(struct state *state);

/* Allocates a run of pages, and reserves it. Returns the first; 0 if there is no memory. */
uint32_t state_run_alloc(struct state *state, uint32_t n);
/* Frees pages, which need not be those of one call. `kind` is PAGE_WET or PAGE_DRY. */
void state_run_free(struct state *state, uint32_t first, uint32_t n, enum state_page_kind kind);
/* Gives back the memory of pages, and frees them. */
void state_run_drop(struct state *state, uint32_t first, uint32_t n);

/* For lists of pages. */
void state_page_link(struct state *state, uint32_t *list, uint32_t page);
void state_page_unlink(struct state *state, uint32_t *list, uint32_t page);

#endif
