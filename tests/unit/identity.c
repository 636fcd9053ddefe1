/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setfsuid(2) and setfsgid(2) of -1 change nothing and return the current id.
 */
#include "tests/unit/identity.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

struct identity identity_get(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	struct identity identity = {0};

	getresuid(&identity.ruid, &identity.euid, &identity.suid);
	getresgid(&identity.rgid, &identity.egid, &identity.sgid);
	identity.fsuid = (uid_t)setfsuid((uid_t)-1);
	identity.fsgid = (gid_t)setfsgid((gid_t)-1);
	identity.n_groups = getgroups(64, identity.groups);
	if (syscall(SYS_capget, &header, data) == 0)
		identity.capabilities = ((uint64_t)data[1].effective << 32) | data[0].effective;
	return identity;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->ruid == b->ruid && a->euid == b->euid && a->suid == b->suid &&
	       a->fsuid == b->fsuid && a->rgid == b->rgid && a->egid == b->egid &&
	       a->sgid == b->sgid && a->fsgid == b->fsgid && a->capabilities == b->capabilities &&
	       identity_has_groups(a, b->n_groups, b->groups);
}

bool identity_has_groups(const struct identity *identity, int n, const gid_t *groups)
{
	return identity->n_groups == n &&
	       memcmp(identity->groups, groups, (size_t)n * sizeof(*groups)) == 0;
}
