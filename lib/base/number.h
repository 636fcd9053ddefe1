/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as a shell writes them into a file: `echo 3 > NAME`.
 */
#ifndef IPCFS_NUMBER_H
#define IPCFS_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number with blanks around it, without a NUL behind. -EINVAL, -ERANGE */
int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number);

/* The longest text of several, bytes: somebody reads it at a stretch. */
#define NUMBERS_TEXT_MAX 65536

/*
 * Adds up one such number a line; an empty line is nothing. Returns how many there are. -EINVAL
 * also for a text that stdio seems to have cut within a number; -ERANGE: a number, or the sum, is
 * more than `max`; -EMSGSIZE.
 */
int number_parse_lines(const char *text, size_t size, uint64_t max, uint64_t *ret_sum);

#endif
