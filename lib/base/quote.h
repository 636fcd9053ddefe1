/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that a user chose (names, addresses, words of a command), made safe to show to others: on a
 * terminal, in a line of a table, in a log.
 *
 * All forms are valid UTF-8 on one line without control characters. Every other byte becomes \xNN,
 * and so does a backslash before an x. So no two texts have the same quoted form, and the bytes can
 * be recovered. Quote once, where text is written; never quote quoted text again.
 *
 * The caller frees the result, which is NULL if there is no memory.
 */
#ifndef IPCFS_QUOTE_H
#define IPCFS_QUOTE_H

/* For a line of text, and for JSON, whose writer adds its own escapes. */
char *quote_text(const char *text);

/* For one word of a line: blanks are quoted as well. */
char *quote_word(const char *text);

/* For a label in OpenMetrics or an ID in Graphviz, between its double quotes. */
char *quote_string(const char *text);

/* For a label in Graphviz, between its double quotes, where an ampersand begins an entity. */
char *quote_label(const char *text);

#endif
