/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small numbers for things that come and go. A number that was given back is not taken again until
 * all other numbers have had their turn, so that whoever still remembers it is not soon misled.
 */
#ifndef IPCFS_NUMBERS_H
#define IPCFS_NUMBERS_H

#include <stdint.h>

/*
 * The numbers are below this limit. The bitmap, of one bit a number, grows as numbers are taken,
 * whether or not they were given back.
 */
#define NUMBERS_MOST (1U << 20)

struct numbers {
	uint64_t *words; /* a bitmap of the numbers taken */
	unsigned n_words, last;
	uint64_t n_beyond; /* how many numbers from NUMBERS_MOST on were given out */
};

/*
 * Frees the bitmap and makes the struct all zeroes again. In this initial state no number is taken.
 */
void numbers_fini(struct numbers *numbers);

/*
 * Returns a free number, from 1 on. If all are taken, or there is no memory for more, returns a
 * number from NUMBERS_MOST on, which is never used again.
 */
uint64_t numbers_take(struct numbers *numbers);
/* Takes this number, if there is memory to note that. */
void numbers_claim(struct numbers *numbers, uint64_t number);
/* Makes a number free again. */
void numbers_give(struct numbers *numbers, uint64_t number);

#endif
