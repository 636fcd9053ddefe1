/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups by name.
 */
#ifndef IPCFS_ACCOUNT_H
#define IPCFS_ACCOUNT_H

#include "lib/host/caller.h"
#include "lib/host/host.h"

enum account_sort { ACCOUNT_USER, ACCOUNT_GROUP };

/*
 * Looks the name up in /etc/passwd or /etc/group, and then wherever else nsswitch.conf(5) says,
 * which may take as long as a network does. Fails with -ENOENT if there is no such name. -EAGAIN
 * and -EINPROGRESS are those of job_run().
 */
int account_find(struct host *host, struct caller *caller, enum account_sort sort, const char *name,
		 unsigned long *ret_id);

#endif
