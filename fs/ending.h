/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that come while the daemon ends.
 *
 * Workers may be in long calls, and the daemon waits for them. Meanwhile the mount is still there,
 * and a process that closes one of its files waits for the answer (FUSE_FLUSH) and can't give up,
 * even when it is killed. So requests that end something are still answered. All others fail with
 * -ENOTCONN; otherwise users could put off the end for ever.
 */
#ifndef IPCFS_ENDING_H
#define IPCFS_ENDING_H

struct session;

/* Answers requests until the workers are done, or the mount is gone. */
void ending_answer(struct session *session);

#endif
