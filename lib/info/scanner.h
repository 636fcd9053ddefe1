/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scans for peers: on behalf of the daemon but outside it, so that a scan can be killed.
 *
 * Other users' processes can delay a scan for ever (scan.h), so it runs in processes of its own.
 * The daemon does not fork those itself: its memory may be large, and would be copied on the loop
 * (1.7 ms for each 100 MB). A helper forks them. It is forked once, at the start, when the daemon
 * has no threads and hardly any memory, and ends with the daemon.
 */
#ifndef IPCFS_SCANNER_H
#define IPCFS_SCANNER_H

#include "lib/host/caller.h"
#include "lib/host/host.h"
#include "lib/host/job.h"
#include "lib/info/peers.h"

struct scan;
struct scanner;

/* Starts the helper. Fails with -ENOMEM. */
int scanner_new(struct host *host, struct scanner **ret_scanner);

/* Ends the helper. All scans must have been freed before. NULL: does nothing. */
void scanner_free(struct scanner *scanner);

/*
 * Makes a scan for processes that have any of the targets open or mapped. Borrows `targets`, and
 * charges the reader for the memory. Fails with -ENOBUFS, -ENOMEM or -EMFILE.
 */
int scan_new(struct scanner *scanner, const struct caller *reader,
	     const struct peer_target *targets, size_t n_targets, struct scan **ret_scan);

/* Gives the scan up if it is under way. NULL: does nothing. */
void scan_free(struct scan *scan);

/*
 * Continues the scan. Returns 0 when it is done. -EAGAIN: call again when others have had their
 * turn; -EINPROGRESS: the waiter will be resumed; -EIO: the scan has ended without a result.
 */
int scan_step(struct scan *scan, struct waiter *waiter);

/* Returns what a scan that is done has found; the scan owns it. Runs on any thread. */
struct peers scan_result(struct scan *scan);

#endif
