// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks in the heap. Those of half a page and less share pages, each with others of its class;
 * larger ones have pages for themselves. How many bytes a block has, and where one can begin,
 * follows from its size alone. So a block can be claimed by one who knows its offset and size, and
 * the heap has no bytes but those of its blocks.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/state_memory.h"

/* A block of so many pages gives back its memory when it is freed. */
#define PAGES_LARGE 256u

/* Blocks that share pages. */
struct block_class {
	uint16_t size;
	uint16_t n;       /* in a page */
	uint32_t inverse; /* of the size, times 65536 and rounded up: a product is no division */
};

#define CLASS(size)                                           \
	{                                                     \
		size, STATE_PAGE / (size), 65536 / (size) + 1 \
	}

static const struct block_class classes[STATE_CLASSES] = {
	CLASS(32),  CLASS(48),  CLASS(64),   CLASS(80),   CLASS(96),   CLASS(112),
	CLASS(128), CLASS(160), CLASS(192),  CLASS(224),  CLASS(256),  CLASS(320),
	CLASS(384), CLASS(448), CLASS(512),  CLASS(576),  CLASS(672),  CLASS(768),
	CLASS(816), CLASS(896), CLASS(1024), CLASS(1360), CLASS(2048),
};

/* Which block of its page begins at or before a byte. */
static unsigned block_index(unsigned byte, unsigned class)
{
	return byte * classes[class].inverse >> 16;
}

int state_heap_init(struct state *state)
{
	uint32_t n = (uint32_t)(state->sizes.heap_size >> STATE_PAGE_LOG2);
	size_t pages_size = (size_t)n * sizeof(*state->pages);
	size_t size = pages_size + (n + 63) / 64 * sizeof(*state->claimed);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	unsigned class = 0;

	if (map == MAP_FAILED)
		return -ENOMEM;
	madvise(map, size, MADV_NOHUGEPAGE);
	state->map_size = size;
	state->pages = map;
	state->claimed = (void *)((char *)map + pages_size);
	state->n_pages = n;
	state->top = 1;
	for (unsigned i = 0; i <= STATE_SHARED_MAX / STATE_UNIT; i++) {
		if (i * STATE_UNIT > classes[class].size)
			class ++;
		state->class_of[i] = (uint8_t) class;
	}
	return 0;
}

void state_heap_fini(struct state *state)
{
	if (state->pages)
		munmap(state->pages, state->map_size);
}

static unsigned class_of(const struct state *state, size_t size)
{
	return state->class_of[(size + STATE_UNIT - 1) / STATE_UNIT];
}

/* How many pages a block takes that has them for itself. */
static size_t pages_of(size_t size)
{
	return (size >> STATE_PAGE_LOG2) + (size % STATE_PAGE != 0);
}

static char *page_address(const struct state *state, uint32_t page)
{
	return state->heap + ((size_t)page << STATE_PAGE_LOG2);
}

/* Makes a page one that blocks share, all of them free. */
static void shared_init(struct state *state, uint32_t page, unsigned class)
{
	struct state_page *entry = &state->pages[page];
	unsigned n = classes[class].n;

	entry->kind = PAGE_SHARED;
	entry->class = (uint8_t) class;
	entry->n_free = (uint16_t)n;
	entry->free[0] = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
	entry->free[1] = n <= 64 ? 0 : UINT64_MAX >> (STATE_PAGE_BLOCKS - n);
	state_page_link(state, &state->shared[class], page);
}

static void *shared_alloc(struct state *state, unsigned class)
{
	uint32_t page = state->shared[class];
	struct state_page *entry;
	unsigned word, bit;

	if (!page) {
		page = state_run_alloc(state, 1);
		if (!page)
			return NULL;
		shared_init(state, page, class);
	}
	entry = &state->pages[page];
	word = entry->free[0] ? 0 : 1;
	bit = (unsigned)__builtin_ctzll(entry->free[word]);
	entry->free[word] &= entry->free[word] - 1;
	if (--entry->n_free == 0)
		state_page_unlink(state, &state->shared[class], page);
	return page_address(state, page) + (word * 64 + bit) * classes[class].size;
}

void *state_alloc(struct state *state, size_t size)
{
	uint32_t page;

	if (!state->is_settled || size > state->sizes.heap_size)
		return NULL;
	if (size <= STATE_SHARED_MAX)
		return shared_alloc(state, class_of(state, size));
	page = state_run_alloc(state, (uint32_t)pages_of(size));
	if (!page)
		return NULL;
	state->pages[page].kind = PAGE_BLOCK;
	state->pages[page].n = (uint32_t)pages_of(size);
	return page_address(state, page);
}

/* Returns the bits of a word of state::claimed that stand for pages of a run, from `page` on. */
static uint64_t claimed_mask(uint32_t page, uint32_t end)
{
	uint32_t n = end - page < 64 - page % 64 ? end - page : 64 - page % 64;

	return (n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX) << page % 64;
}

static void claimed_set(struct state *state, uint32_t first, uint32_t n, bool is_claimed)
{
	if (is_claimed && first + n > state->claimed_end)
		state->claimed_end = first + n;
	for (uint32_t i = first; i < first + n; i = (i / 64 + 1) * 64) {
		if (is_claimed)
			state->claimed[i / 64] |= claimed_mask(i, first + n);
		else
			state->claimed[i / 64] &= ~claimed_mask(i, first + n);
	}
}

static bool is_claimed_in(const struct state *state, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i = (i / 64 + 1) * 64) {
		if (state->claimed[i / 64] & claimed_mask(i, first + n))
			return true;
	}
	return false;
}

static void pages_free(struct state *state, uint32_t first, uint32_t n)
{
	state->pages[first].kind = PAGE_IN_USE;
	if (!state->is_settled)
		claimed_set(state, first, n, false);
	else if (n >= PAGES_LARGE)
		state_run_drop(state, first, n);
	else
		state_run_free(state, first, n, PAGE_WET);
}

static void shared_release(struct state *state, uint32_t page, unsigned index)
{
	struct state_page *entry = &state->pages[page];
	uint32_t *list = &state->shared[entry->class];

	assert(!(entry->free[index / 64] >> index % 64 & 1));
	entry->free[index / 64] |= UINT64_C(1) << index % 64;
	if (entry->n_free++ == 0)
		state_page_link(state, list, page);
	/* The last page stays, for the next block of its class. */
	if (entry->n_free < classes[entry->class].n || (*list == page && !entry->next))
		return;
	state_page_unlink(state, list, page);
	pages_free(state, page, 1);
}

void state_release(struct state *state, void *block, size_t size)
{
	size_t offset;
	uint32_t page;

	if (!block)
		return;
	offset = (size_t)((char *)block - state->heap);
	page = (uint32_t)(offset >> STATE_PAGE_LOG2);
	if (size <= STATE_SHARED_MAX) {
		unsigned class = class_of(state, size);

		assert(state->pages[page].kind == PAGE_SHARED);
		assert(state->pages[page].class == class);
		shared_release(state, page, block_index((unsigned)(offset % STATE_PAGE), class));
		return;
	}
	assert(state->pages[page].kind == PAGE_BLOCK && state->pages[page].n == pages_of(size));
	pages_free(state, page, state->pages[page].n);
}

uint64_t state_offset(const struct state *state, const void *block)
{
	uint64_t offset = (uint64_t)((const char *)block - state->base);

	return block && offset < state->sizes.size ? offset : 0;
}

void *state_block(const struct state *state, uint64_t offset, size_t size)
{
	uint64_t begin = (uint64_t)(state->heap - state->base) + STATE_PAGE;
	uint64_t end = state->sizes.size;

	if (offset < begin || offset >= end || size > end - offset)
		return NULL;
	return state->base + offset;
}

static bool claim_shared(struct state *state, uint32_t page, unsigned begin, unsigned class)
{
	struct state_page *entry = &state->pages[page];
	unsigned index = block_index(begin, class);

	if (index * classes[class].size != begin || index >= classes[class].n)
		return false;
	if (!is_claimed_in(state, page, 1)) {
		claimed_set(state, page, 1, true);
		shared_init(state, page, class);
	}
	if (entry->kind != PAGE_SHARED || entry->class != class ||
	    !(entry->free[index / 64] >> index % 64 & 1))
		return false;
	entry->free[index / 64] &= ~(UINT64_C(1) << index % 64);
	if (--entry->n_free == 0)
		state_page_unlink(state, &state->shared[class], page);
	return true;
}

static bool claim_pages(struct state *state, uint32_t page, uint32_t n)
{
	if (n > state->n_pages - page || is_claimed_in(state, page, n))
		return false;
	claimed_set(state, page, n, true);
	state->pages[page].kind = PAGE_BLOCK;
	state->pages[page].n = n;
	return true;
}

void *state_claim(struct state *state, uint64_t offset, size_t size)
{
	uint64_t heap_begin = (uint64_t)(state->heap - state->base);
	uint64_t in_heap = offset - heap_begin;
	unsigned begin = (unsigned)(in_heap % STATE_PAGE);
	uint32_t page = (uint32_t)(in_heap >> STATE_PAGE_LOG2);
	bool is_taken;

	if (state->is_settled || offset < heap_begin || in_heap >= state->sizes.heap_size ||
	    size > state->sizes.heap_size || page == 0)
		return NULL;
	if (size <= STATE_SHARED_MAX)
		is_taken = claim_shared(state, page, begin, class_of(state, size));
	else
		is_taken = begin == 0 && claim_pages(state, page, (uint32_t)pages_of(size));
	return is_taken ? state->base + offset : NULL;
}

/* Returns the first page from `page` on that is claimed or not, or claimed_end. */
static uint32_t claimed_next(const struct state *state, uint32_t page, bool wanted)
{
	while (page < state->claimed_end) {
		uint64_t word = state->claimed[page / 64];
		uint64_t rest = (wanted ? word : ~word) & UINT64_MAX << page % 64;

		if (rest) {
			page = page / 64 * 64 + (uint32_t)__builtin_ctzll(rest);
			break;
		}
		page = (page / 64 + 1) * 64;
	}
	return page < state->claimed_end ? page : state->claimed_end;
}

void state_settle(struct state *state)
{
	uint32_t page = 1;

	if (state->is_settled)
		return;
	state->is_settled = true;
	state->top = state->n_pages;
	while (page < state->claimed_end) {
		uint32_t free = claimed_next(state, page, false);

		page = claimed_next(state, free, true);
		if (page > free)
			state_run_drop(state, free, page - free);
	}
	if (page < state->n_pages)
		state_run_drop(state, page, state->n_pages - page);
	madvise(state->claimed, state->n_pages / 8, MADV_DONTNEED);
}

bool state_is_settled(const struct state *state)
{
	return state->is_settled;
}
