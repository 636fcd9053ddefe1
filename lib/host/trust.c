// SPDX-License-Identifier: GPL-2.0-or-later
/* Ordinary users often have a group of their own, and a umask that lets the group write. */
#include "lib/host/trust.h"

#include <unistd.h>

enum trust trust_of(const struct stat *attr)
{
	uid_t self = geteuid();
	mode_t others = self == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;

	if (attr->st_uid != 0 && attr->st_uid != self)
		return TRUST_NO_OWNER;
	return attr->st_mode & others ? TRUST_NO_MODE : TRUST_FULL;
}
