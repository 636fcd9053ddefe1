/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers: the same seed gives the same numbers.
 */
#ifndef TESTS_FUZZ_CALLS_DICE_H
#define TESTS_FUZZ_CALLS_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = (dice->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Returns a number below n. */
static inline unsigned dice_roll(struct dice *dice, size_t n)
{
	return (unsigned)(dice_next(dice) % n);
}

static inline bool dice_once_in(struct dice *dice, unsigned n)
{
	return dice_roll(dice, n) == 0;
}

#define N_ELEMENTS(array)      (sizeof(array) / sizeof((array)[0]))
#define dice_pick(dice, array) ((array)[dice_roll(dice, N_ELEMENTS(array))])

/* Returns a subset of the flags, each with a chance of one in n. */
static inline int dice_flags(struct dice *dice, const int *flags, size_t n_flags, unsigned n)
{
	int picked = 0;

	for (size_t i = 0; i < n_flags; i++)
		if (dice_once_in(dice, n))
			picked |= flags[i];
	return picked;
}

#endif
