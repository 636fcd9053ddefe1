/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as a shell writes them into a file: `echo 3 > NAME`.
 */
#ifndef IPCFS_NUMBER_H
#define IPCFS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a decimal number, which may have blanks around it. `text` needs no NUL at its end. Fails
 * with -EINVAL, or with -ERANGE if the number is more than `max`.
 */
int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number);

/*
 * Reads a length of time: a number of seconds, or one with s, m, h or d after it. Fails with
 * -EINVAL, or with -ERANGE if it is longer than NUMBER_DURATION_MAX.
 */
int number_parse_duration(const char *text, int64_t *ret_seconds);

/* A hundred years, in seconds. */
#define NUMBER_DURATION_MAX (INT64_C(36500) * 24 * 60 * 60)

/*
 * The longest text for number_parse_lines(), bytes. There is a limit because the text is parsed in
 * one go.
 */
#define NUMBERS_TEXT_MAX 65536

/*
 * Whether stdio seems to have cut the text: it fills a buffer and does not end with a newline. Its
 * last line may continue in the next write, and the two parts would be two other lines.
 */
bool number_is_cut(const char *text, size_t size);

/*
 * Adds up the numbers of a text with one number a line; empty lines are skipped. Returns how many
 * numbers there are. Fails with -EINVAL if a line is not a number, or if stdio seems to have cut
 * the text within a number; with -ERANGE if a number or the sum is more than `max`; with -EMSGSIZE
 * if the text is longer than NUMBERS_TEXT_MAX.
 */
int number_parse_lines(const char *text, size_t size, uint64_t max, uint64_t *ret_sum);

#endif
