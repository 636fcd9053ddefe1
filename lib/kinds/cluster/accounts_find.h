/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where accounts are looked up: first in the local files, then wherever nsswitch.conf(5) says.
 */
#ifndef IPCFS_ACCOUNTS_FIND_H
#define IPCFS_ACCOUNTS_FIND_H

#include "lib/kinds/cluster/accounts.h"

/* Whether /etc/passwd or /etc/group has the account. Short calls, for the loop's thread alone. */
bool accounts_here_by_name(enum account_sort sort, const char *name, uint32_t *ret_id);
bool accounts_here_by_id(enum account_sort sort, uint32_t id,
			 char ret_name[static ACCOUNTS_NAME_SIZE]);

/* How often the local files have been read in the last second. All zeroes at first. */
struct accounts_reads {
	int64_t since; /* when that second began, as clock_now() */
	unsigned n;
};
/* Whether they may be read once more now: counts it, too. */
bool accounts_may_read(struct accounts_reads *reads, int64_t now);

/*
 * The same by the name services, which may take for ever. An account without a name is named by its
 * number. Fail with -ENOENT, with -EIO if a name service does not work, or with -ENAMETOOLONG.
 */
int accounts_find_id(enum account_sort sort, const char *name, uint32_t *ret_id);
int accounts_find_name(enum account_sort sort, uint32_t id,
		       char ret_name[static ACCOUNTS_NAME_SIZE]);

#endif
