// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bitmap, searched from the number taken last. The bitmap doubles before the search starts over
 * at 1, so that a number is reused as late as possible.
 */
#include "lib/base/numbers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD 64

void numbers_fini(struct numbers *numbers)
{
	free(numbers->words);
	*numbers = (struct numbers){0};
}

static bool grow(struct numbers *numbers)
{
	unsigned n = numbers->n_words ? 2 * numbers->n_words : 16;
	uint64_t *grown;

	if (n * WORD > NUMBERS_MOST)
		return false;
	grown = reallocarray(numbers->words, n, sizeof(*grown));
	if (!grown)
		return false;
	memset(grown + numbers->n_words, 0, (n - numbers->n_words) * sizeof(*grown));
	if (!numbers->n_words)
		grown[0] = 1; /* 0 is never given out */
	numbers->words = grown;
	numbers->n_words = n;
	return true;
}

/* Returns the first free number from `from` on, or 0. */
static unsigned find_free(const struct numbers *numbers, unsigned from)
{
	uint64_t mask = ~(uint64_t)0 << from % WORD;

	for (unsigned i = from / WORD; i < numbers->n_words; i++) {
		uint64_t free = ~numbers->words[i] & mask;

		if (free)
			return i * WORD + (unsigned)__builtin_ctzll(free);
		mask = ~(uint64_t)0;
	}
	return 0;
}

uint64_t numbers_take(struct numbers *numbers)
{
	unsigned number = find_free(numbers, numbers->last + 1);

	if (!number && grow(numbers))
		number = find_free(numbers, numbers->last + 1);
	if (!number)
		number = find_free(numbers, 1);
	if (!number)
		return NUMBERS_MOST + numbers->n_beyond++;
	numbers->words[number / WORD] |= (uint64_t)1 << number % WORD;
	numbers->last = number;
	return number;
}

void numbers_claim(struct numbers *numbers, uint64_t number)
{
	if (number >= NUMBERS_MOST) {
		if (numbers->n_beyond <= number - NUMBERS_MOST)
			numbers->n_beyond = number - NUMBERS_MOST + 1;
		return;
	}
	while (number >= (uint64_t)numbers->n_words * WORD)
		if (!grow(numbers))
			return;
	numbers->words[number / WORD] |= (uint64_t)1 << number % WORD;
}

void numbers_give(struct numbers *numbers, uint64_t number)
{
	if (number < (uint64_t)numbers->n_words * WORD)
		numbers->words[number / WORD] &= ~((uint64_t)1 << number % WORD);
}
