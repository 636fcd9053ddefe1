/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watcher of a scan: a process of its own between the daemon and the looker, which does the
 * scan. The watcher never waits for another user's process itself.
 *
 * A looker that gets no further for STUCK_MS is killed, and a new looker continues behind the
 * process at which it was stuck. The processes that were left out are counted.
 */
#ifndef IPCFS_SCAN_WATCH_H
#define IPCFS_SCAN_WATCH_H

/*
 * Scans for the keys in the struct scan_area in `memory`, sets is_done, and closes `daemon`. If the
 * other end of that socket is closed first, the watcher gives up. For a process of one thread that
 * has nothing else to do: returns when all processes that it has started have ended.
 */
void scan_watch(int daemon, int memory);

#endif
