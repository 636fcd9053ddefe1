/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount by an executable of the test's own, in whose place another file may be put, and "ipcfs
 * --replace". Every failure fails the test.
 */
#ifndef TESTS_MOUNT_TAKEOVER_PROGRAM_H
#define TESTS_MOUNT_TAKEOVER_PROGRAM_H

#include <stdbool.h>

/* A set-up as fixture_setup_supervised(). $IPCFS is the test's own executable from then on. */
void program_setup(void);

/* Puts another file in its place, as a package manager does. */
void program_install(void);
/* Does that with an executable that knows only another version of the state. */
void program_install_other(void);
/* Whether the supervisor and the daemon run what is installed. */
bool program_is_installed(void);

/* Starts ipcfs --replace. */
void program_replace_begin(void);
/* Waits for its end. Returns whether the mount was replaced. */
bool program_replace_end(void);

#endif
