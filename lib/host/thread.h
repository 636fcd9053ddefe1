/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process a thread belongs to. FUSE reports the thread that makes a request.
 */
#ifndef IPCFS_THREAD_H
#define IPCFS_THREAD_H

#include <sys/types.h>

/*
 * Returns the process of a thread that exists now, or 0 if that is unknown. `last` is the process
 * that was found last, or 0: if the thread is one of that process, /proc need not be read.
 */
pid_t thread_process(pid_t thread, pid_t last);
/* The same, but returns 0 where /proc would have to be read. */
pid_t thread_process_quickly(pid_t thread, pid_t last);

#endif
