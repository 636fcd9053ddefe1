/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups by name.
 */
#ifndef IPCFS_ACCOUNT_H
#define IPCFS_ACCOUNT_H

#include <stdbool.h>

/*
 * Looks in /etc/passwd or /etc/group, and then, if `is_patient`, wherever else nsswitch.conf(5)
 * says, which may take as long as a network does. False: there is no such name.
 */
bool account_find_user(const char *name, bool is_patient, unsigned long *ret_id);
bool account_find_group(const char *name, bool is_patient, unsigned long *ret_id);

#endif
