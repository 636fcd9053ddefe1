// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioctl is older (Linux 6.13) than the status in its answer (6.15).
 */
#include "lib/host/exit_status.h"

#include <errno.h>
#include <linux/types.h>
#include <sys/ioctl.h>

/* In <linux/pidfd.h> from Linux 6.15 on. */
struct exit_info {
	__u64 mask, cgroup;
	__u32 ids[11];
	__s32 status;
};
#define EXIT_INFO      _IOWR(0xff, 11, struct exit_info) /* PIDFD_GET_INFO */
#define EXIT_INFO_MASK (1U << 3)                         /* PIDFD_INFO_EXIT */

int exit_status(int pidfd, int *ret_status)
{
	struct exit_info info = {.mask = EXIT_INFO_MASK};

	if (ioctl(pidfd, EXIT_INFO, &info) < 0)
		return -errno;
	if (!(info.mask & EXIT_INFO_MASK))
		return -EAGAIN;
	*ret_status = info.status;
	return 0;
}
