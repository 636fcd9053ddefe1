/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who reads the log may be waiting for the mount. So as long as the mount lives, the supervisor
 * does not write there itself.
 */
#ifndef IPCFS_ASIDE_H
#define IPCFS_ASIDE_H

#include <stdbool.h>

/*
 * Returns true in a new process, which logs to where the daemon's lines go, keeps nothing of the
 * mount open, and has to end by _exit(2). The caller itself gets false, even if there is none.
 */
bool aside(void);

#endif
