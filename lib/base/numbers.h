/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small numbers for things that come and go. One that is given back is not taken again before all
 * others have had their turn, so that who remembers it is not misled soon.
 */
#ifndef IPCFS_NUMBERS_H
#define IPCFS_NUMBERS_H

#include <stdint.h>

/* There are those below this; the memory is a bit for each, once so many have been taken. */
#define NUMBERS_MOST (1U << 20)

struct numbers {
	uint64_t *words; /* a bit for each that is taken */
	unsigned n_words, last;
	uint64_t n_beyond;
};

/* All zeroes: none is taken. */
void numbers_fini(struct numbers *numbers);

/*
 * From 1 on. Where all are taken, or without memory, one from NUMBERS_MOST on, which never comes
 * again.
 */
uint64_t numbers_take(struct numbers *numbers);
void numbers_give(struct numbers *numbers, uint64_t number);

#endif
