/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splits a line into words as a shell does, with the escapes of fstab(5) and info/.
 *
 *     'any bytes'     as they stand
 *     "any bytes"     as they stand, except the escapes
 *     \NNN, \xNN      the byte with that octal or hexadecimal number, which must not be 0
 *     \ and another   that character as it stands; letters and digits are refused
 *
 * A quoted part may begin and end within a word; no quote extends beyond its line. "#" at the
 * beginning of a word begins a comment.
 */
#ifndef IPCFS_WORDS_H
#define IPCFS_WORDS_H

/*
 * Takes the next word out of *text, which is overwritten and then points behind the word. *ret_word
 * is NULL if there is none. Fails with -EINVAL; *ret_fault, a literal, says what is wrong with the
 * word.
 */
int words_next(char **text, char **ret_word, const char **ret_fault);

#endif
