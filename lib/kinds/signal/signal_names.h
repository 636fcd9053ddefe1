/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of signals, as kill(1) reads and writes them.
 */
#ifndef IPCFS_SIGNAL_NAMES_H
#define IPCFS_SIGNAL_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* The greatest number of a signal, and the size of the longest name with its NUL. */
#define SIGNAL_MAX  64
#define SIGNAL_NAME 12
/* The size of a list of all names with its NUL. */
#define SIGNAL_LIST (SIGNAL_MAX * SIGNAL_NAME)

/*
 * Returns the number of the signal that the `size` bytes of `text` name: TERM, SIGTERM, term, 15,
 * RTMIN, RTMIN+2, RTMAX-1 …; 0 is no signal, but is accepted. Returns -EINVAL for anything else.
 */
int signal_number(const char *text, size_t size);

/* Writes the name: TERM, RTMIN+2, or for a signal that has none, its number. */
const char *signal_name(int number, char name[static SIGNAL_NAME]);

/*
 * Writes the names of the signals in a set as /proc/PID/status has it, where bit 0 is signal 1:
 * "HUP,TERM", or "none".
 */
const char *signal_list(uint64_t set, char list[static SIGNAL_LIST]);

#endif
