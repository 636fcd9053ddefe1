// SPDX-License-Identifier: GPL-2.0-or-later
/* The notification is written straight to /dev/fuse, in the kernel's own format. */
#include "fs/prune.h"

#include <linux/fuse.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* <linux/fuse.h> has this since 6.18 (protocol 7.45). */
#define NOTIFY_PRUNE 9

struct prune {
	struct fuse_out_header header;
	uint32_t count, padding;
	uint64_t spare;
	uint64_t nodeids[PRUNE_MOST];
};

bool prune_probe(int device_fd)
{
	struct prune prune = {.header = {.error = NOTIFY_PRUNE}};
	ssize_t size = offsetof(struct prune, nodeids);

	prune.header.len = (uint32_t)size;
	return write(device_fd, &prune, (size_t)size) == size;
}

void prune_send(int device_fd, const uint64_t *nodeids, unsigned n)
{
	struct prune prune = {.header = {.error = NOTIFY_PRUNE}, .count = n};
	size_t size = offsetof(struct prune, nodeids) + n * sizeof(*nodeids);

	prune.header.len = (uint32_t)size;
	memcpy(prune.nodeids, nodeids, n * sizeof(*nodeids));
	/* This may fail: names that are not dropped are tried again later. */
	if (write(device_fd, &prune, size) < 0)
		return;
}
