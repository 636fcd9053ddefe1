/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who watches a look at all processes: a process of its own, too, between the daemon and the one
 * that looks. It never waits for another user's process itself.
 *
 * Where the one that looks comes no further for STUCK_MS, it is killed, and another goes on behind
 * the process that it was stuck at. What is left out is counted.
 */
#ifndef IPCFS_SCAN_WATCH_H
#define IPCFS_SCAN_WATCH_H

/*
 * Looks for what is in the struct scan_area in `memory`, and sets is_done. `daemon` is closed then;
 * if the other end is closed before, all is given up. For a process of one thread, which has
 * nothing else to do: returns when all that it has started has ended.
 */
void scan_watch(int daemon, int memory);

#endif
