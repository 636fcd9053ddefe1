/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watcher of a scan: also a process of its own, between the daemon and the looker, which does
 * the scan. The watcher never waits for another user's process itself.
 *
 * A looker that gets no further for STUCK_MS is killed, and another goes on behind the process at
 * which it was stuck. What is left out is counted.
 */
#ifndef IPCFS_SCAN_WATCH_H
#define IPCFS_SCAN_WATCH_H

/*
 * Scans for the keys in the struct scan_area in `memory`, sets is_done, and closes `daemon`. If the
 * other end of that socket is closed first, it gives everything up. For a process of one thread
 * that has nothing else to do: returns when all processes that it has started have ended.
 */
void scan_watch(int daemon, int memory);

#endif
