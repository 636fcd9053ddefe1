/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a call on the loop's thread from sleeping for long. Some calls may wait for as long as a
 * stranger likes, even though everything that they work on is non-blocking.
 */
#ifndef IPCFS_IMPATIENCE_H
#define IPCFS_IMPATIENCE_H

/*
 * Starts sending this thread a signal, again and again, which makes any call that it sleeps in fail
 * with EINTR. Fails with -ENOMEM or -ENOBUFS; then no signal is sent.
 */
int impatience_begin(void);

/* Stops interrupting this thread. Only after an impatience_begin() that succeeded. */
void impatience_end(void);

#endif
