/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the loop's thread, around a call that may wait for as long as a stranger likes, although
 * everything about it is non-blocking.
 */
#ifndef IPCFS_IMPATIENCE_H
#define IPCFS_IMPATIENCE_H

/*
 * From here on this thread is sent a signal, again and again, that has whatever it sleeps in fail
 * with EINTR; or an error, and it is not: -ENOMEM, -ENOBUFS.
 */
int impatience_begin(void);
/* After a begin that succeeded. */
void impatience_end(void);

#endif
