/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of the mount while the daemon ends.
 *
 * Workers may be at calls that take long, and are waited for. Meanwhile the mount is still there,
 * and a process that closes a file of it waits for the answer (FUSE_FLUSH) without being able to
 * give up, even when it is killed. So these are answered to the last; all else is -ENOTCONN, or
 * the end could be put off for ever.
 */
#ifndef IPCFS_ENDING_H
#define IPCFS_ENDING_H

struct session;

/* Answers until the workers are done, or the mount is gone. */
void ending_answer(struct session *session);

#endif
