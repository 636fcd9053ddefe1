/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small numbers for things that come and go. A number that was given back is not taken again until
 * all others have had their turn, so that whoever still remembers it is not soon misled.
 */
#ifndef IPCFS_NUMBERS_H
#define IPCFS_NUMBERS_H

#include <stdint.h>

/*
 * The numbers are below this. Each costs one bit of memory, but only once that many have been
 * taken, whether or not they were given back.
 */
#define NUMBERS_MOST (1U << 20)

struct numbers {
	uint64_t *words; /* a bitmap of the numbers taken */
	unsigned n_words, last;
	uint64_t n_beyond; /* numbers given out from NUMBERS_MOST on */
};

/* Frees the bitmap. The struct is all zeroes then, as at first: no number is taken. */
void numbers_fini(struct numbers *numbers);

/*
 * Returns a free number, from 1 on. If all are taken, or there is no memory for more, returns one
 * from NUMBERS_MOST on, which is never used again.
 */
uint64_t numbers_take(struct numbers *numbers);
void numbers_give(struct numbers *numbers, uint64_t number);

#endif
