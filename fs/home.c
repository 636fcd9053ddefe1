// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon itself enters the namespace that it shows, before it starts any thread. */
#include "fs/home.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"

/* The mount shows the queues of the daemon's namespace, whatever namespaces its callers are in. */
int home_enter(const struct options *options, int *fd, struct namespaces *ret_own)
{
	char path[32];
	int error;

	*ret_own = (struct namespaces){0};
	namespaces_note(ret_own);
	if (!options->ipc_pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/ns/ipc", options->ipc_pid);
	if (*fd <= 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd > 0 && setns(*fd, CLONE_NEWIPC) == 0)
		return 0;
	error = errno == ENOENT ? ESRCH : errno;
	log_line(LOG_ERR, "ipcns=%u: %s", options->ipc_pid, strerror(error));
	return -ENOTSUP; /* logged */
}

void home_settle(struct host *host, const struct options *options, const struct namespaces *own)
{
	host->namespaces = *own;
	namespaces_note(&host->namespaces);
	host->namespaces.foreign = options->foreign;
	if (options->ipc_pid)
		snprintf(host->root, sizeof(host->root), "/proc/%u/root", options->ipc_pid);
	if (geteuid() == 0 && !namespaces_can_see())
		log_line(LOG_WARNING, "CAP_SYS_PTRACE: missing, so callers from other namespaces "
				      "cannot be told apart and all are served; grant it to "
				      "refuse them");
}
