// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs of pages in the heap.
 *
 * A free run is wet if it has memory, and dry if not. A run is never of both sorts: what was used
 * and freed is wet, and is used again without a call of the kernel. When much of the heap is wet,
 * all of it is made dry, so that memory for a peak is not kept for ever. Neighbours of the same
 * sort are joined, and dry pages at the top are as if they had never been used.
 *
 * The pages of a run say nothing about it themselves: what is known of them is in state::pages.
 */
#include "lib/base/state_memory.h"

/* Reserves at least so many pages at once. */
#define PAGES_STEP 64u
/* So many pages can be wet, and one for every four that are in use. */
#define PAGES_WET_MAX 512u
/* How many runs are looked at that may be too short. */
#define TRIES 8

/* Runs in a bin are longer than all those in the bins below it. */
static unsigned bin_of(uint32_t n)
{
	unsigned log2 = 31 - (unsigned)__builtin_clz(n);

	return n < 4 ? n : log2 * 4 + ((n >> (log2 - 2)) & 3) - 4;
}

static struct state_bins *bins_of(struct state *state, enum state_page_kind kind)
{
	return kind == PAGE_WET ? &state->wet : &state->dry;
}

void state_page_link(struct state *state, uint32_t *list, uint32_t page)
{
	state->pages[page].prev = 0;
	state->pages[page].next = *list;
	if (*list)
		state->pages[*list].prev = page;
	*list = page;
}

void state_page_unlink(struct state *state, uint32_t *list, uint32_t page)
{
	const struct state_page *entry = &state->pages[page];

	if (entry->next)
		state->pages[entry->next].prev = entry->prev;
	if (entry->prev)
		state->pages[entry->prev].next = entry->next;
	else
		*list = entry->next;
}

static void run_insert(struct state *state, uint32_t first, uint32_t n, enum state_page_kind kind)
{
	struct state_bins *bins = bins_of(state, kind);
	struct state_page *pages = &state->pages[first];
	unsigned bin = bin_of(n);

	pages[n - 1].kind = pages[0].kind = (uint8_t)kind;
	pages[n - 1].n = pages[0].n = n;
	state_page_link(state, &bins->first[bin], first);
	bins->is_filled[bin / 64] |= UINT64_C(1) << bin % 64;
	bins->n_pages += n;
}

static void run_remove(struct state *state, uint32_t first)
{
	struct state_page *pages = &state->pages[first];
	struct state_bins *bins = bins_of(state, pages->kind);
	unsigned bin = bin_of(pages->n);

	state_page_unlink(state, &bins->first[bin], first);
	if (!bins->first[bin])
		bins->is_filled[bin / 64] &= ~(UINT64_C(1) << bin % 64);
	bins->n_pages -= pages->n;
	pages[pages->n - 1].kind = pages[0].kind = PAGE_IN_USE;
}

/* Returns the first run in the bins from `bin` on, or 0. */
static uint32_t bins_first(const struct state_bins *bins, unsigned bin)
{
	for (unsigned i = bin / 64; i < STATE_BINS / 64; i++) {
		uint64_t filled = bins->is_filled[i];

		if (i == bin / 64)
			filled &= UINT64_MAX << bin % 64;
		if (filled)
			return bins->first[i * 64 + (unsigned)__builtin_ctzll(filled)];
	}
	return 0;
}

/* Returns a run of at least `n` pages, or 0. */
static uint32_t run_find(const struct state *state, const struct state_bins *bins, uint32_t n)
{
	unsigned bin = bin_of(n);
	uint32_t run = bins->first[bin];

	for (int i = 0; run && i < TRIES; i++) {
		if (state->pages[run].n >= n)
			return run;
		run = state->pages[run].next;
	}
	return bins_first(bins, bin + 1);
}

/* Takes the first `n` pages out of a free run. */
static void run_take(struct state *state, uint32_t first, uint32_t n)
{
	enum state_page_kind kind = state->pages[first].kind;
	uint32_t rest = state->pages[first].n - n;

	run_remove(state, first);
	if (rest > 0)
		run_insert(state, first + n, rest, kind);
}

static uint64_t page_offset(const struct state *state, uint32_t page)
{
	return (uint64_t)(state->heap - state->base) + ((uint64_t)page << STATE_PAGE_LOG2);
}

/* Takes pages that have no memory, from a run or from the top, and reserves them. */
static uint32_t run_wet(struct state *state, uint32_t n)
{
	uint32_t first = run_find(state, &state->dry, n);
	uint32_t most = first ? state->pages[first].n : state->n_pages - state->top;
	uint32_t taken = n < PAGES_STEP ? PAGES_STEP : n;

	if (most < n)
		return 0;
	if (taken > most)
		taken = most;
	if (state_reserve(state, page_offset(state, first ? first : state->top),
			  (uint64_t)taken << STATE_PAGE_LOG2) < 0)
		return 0;
	if (first) {
		run_take(state, first, taken);
	} else {
		first = state->top;
		state->top += taken;
	}
	if (taken > n)
		state_run_free(state, first + n, taken - n, PAGE_WET);
	return first;
}

/* Gives back all memory that no block uses. */
static void runs_dry(struct state *state)
{
	uint32_t run;

	while ((run = bins_first(&state->wet, 0)) != 0) {
		uint32_t n = state->pages[run].n;

		run_remove(state, run);
		state_run_drop(state, run, n);
	}
}

uint32_t state_run_alloc(struct state *state, uint32_t n)
{
	uint32_t first = run_find(state, &state->wet, n);

	if (first) {
		run_take(state, first, n);
		return first;
	}
	first = run_wet(state, n);
	if (first || !bins_first(&state->wet, 0))
		return first;
	runs_dry(state);
	return run_wet(state, n);
}

static bool is_too_wet(const struct state *state)
{
	uint32_t in_use = state->top - state->wet.n_pages - state->dry.n_pages;

	return state->wet.n_pages > PAGES_WET_MAX + in_use / 4;
}

void state_run_free(struct state *state, uint32_t first, uint32_t n, enum state_page_kind kind)
{
	const struct state_page *pages = state->pages;

	if (pages[first - 1].kind == kind) {
		first -= pages[first - 1].n;
		n += pages[first].n;
		run_remove(state, first);
	}
	if (first + n < state->top && pages[first + n].kind == kind) {
		uint32_t next = first + n;

		n += pages[next].n;
		run_remove(state, next);
	}
	if (kind == PAGE_DRY && first + n == state->top)
		state->top = first;
	else
		run_insert(state, first, n, kind);
	if (kind == PAGE_WET && is_too_wet(state))
		runs_dry(state);
}

void state_run_drop(struct state *state, uint32_t first, uint32_t n)
{
	state_unreserve(state, page_offset(state, first), (uint64_t)n << STATE_PAGE_LOG2);
	state_run_free(state, first, n, PAGE_DRY);
}
