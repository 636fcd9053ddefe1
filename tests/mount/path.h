/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths made of a directory and a name, for tests that use threads, too. */
#ifndef TESTS_MOUNT_PATH_H
#define TESTS_MOUNT_PATH_H

/*
 * "dir/name". Valid until the 16th later call of this thread, or its end. Ends the program if there
 * is no memory.
 */
const char *path_join(const char *dir, const char *name);

#endif
