/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that a user chose (names, addresses, words of a command), as it may be shown to others: on a
 * terminal, in a line of a table, in a log.
 *
 * All forms are valid UTF-8 on one line without control characters. Every other byte is \xNN, and
 * so is a backslash before an x: no two texts look the same, and the bytes can be had back. Quote
 * once, where text is written; what has been quoted is not to be quoted again.
 *
 * The caller frees what is returned. NULL: no memory.
 */
#ifndef IPCFS_QUOTE_H
#define IPCFS_QUOTE_H

/* For a line of text, and for JSON, whose writer adds its own escapes. */
char *quote_text(const char *text);

/* For between the double quotes of a label in OpenMetrics or of an ID in Graphviz. */
char *quote_string(const char *text);

/* For between the double quotes of a label in Graphviz, where an ampersand begins an entity. */
char *quote_label(const char *text);

#endif
