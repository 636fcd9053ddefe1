/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a line, as a shell takes them apart, with the escapes that fstab(5) and info/ have.
 *
 *     'any bytes'     as they stand
 *     "any bytes"     as they stand, but for the escapes
 *     \NNN, \xNN      the byte of that octal or hexadecimal number, but not 0
 *     \ and another   that one as it stands, if it is no letter or digit: those are refused
 *
 * A quoted part may begin and end within a word; no quote goes beyond its line. "#" where a word
 * begins is a comment.
 */
#ifndef IPCFS_WORDS_H
#define IPCFS_WORDS_H

/*
 * Takes the next word out of *text, which moves on and is overwritten. *ret_word NULL: there is
 * none. -EINVAL: *ret_fault, a literal, says what is wrong with it.
 */
int words_next(char **text, char **ret_word, const char **ret_fault);

#endif
