/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for peers, for the daemon: who looks is not in it, and can be killed.
 *
 * A look reads what other users' processes can make wait for ever (scan.h), so it has processes of
 * its own. Those are not forked by the daemon, whose memory may be large and would be copied on the
 * loop (1.7 ms for each 100 MB), but by a helper that is forked once, at the start, when the daemon
 * has no threads and hardly any memory. It ends with the daemon.
 */
#ifndef IPCFS_SCANNER_H
#define IPCFS_SCANNER_H

#include "lib/host/caller.h"
#include "lib/host/host.h"
#include "lib/host/job.h"
#include "lib/info/peers.h"

struct scan;
struct scanner;

/* Starts the helper. -ENOMEM */
int scanner_new(struct host *host, struct scanner **ret_scanner);

/* Ends it. All scans have been freed before. NULL is nothing. */
void scanner_free(struct scanner *scanner);

/*
 * A look for processes that have any of the targets open or mapped; `targets` is borrowed. The
 * memory is charged to the reader: -ENOBUFS. -ENOMEM, -EMFILE.
 */
int scan_new(struct scanner *scanner, const struct caller *reader,
	     const struct peer_target *targets, size_t n_targets, struct scan **ret_scan);

/* Gives it up if it is under way. NULL is nothing. */
void scan_free(struct scan *scan);

/*
 * Goes on: -EAGAIN: call it again, when others have had their turn. -EINPROGRESS: the waiter will
 * be resumed. 0: it is done. -EIO: it has ended without a result.
 */
int scan_step(struct scan *scan, struct waiter *waiter);

/* What was found by one that is done, as long as it is there. On any thread. */
struct peers scan_result(struct scan *scan);

#endif
