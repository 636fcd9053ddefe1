/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that the kernel knows of a thread's identity. The functions make only system calls, so a
 * process of child_start() may call them.
 */
#ifndef TESTS_UNIT_IDENTITY_H
#define TESTS_UNIT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct identity {
	uid_t ruid, euid, suid, fsuid;
	gid_t rgid, egid, sgid, fsgid;
	int n_groups;
	gid_t groups[64];
	uint64_t capabilities; /* effective */
};

/* Returns the identity of the calling thread. */
struct identity identity_get(void);
bool identity_equal(const struct identity *a, const struct identity *b);
bool identity_has_groups(const struct identity *identity, int n, const gid_t *groups);

#endif
