// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which processes there are: the one in the background, the supervisor, the daemon, and the
 * unmounter.
 */
#include "fs/serve.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/background.h"
#include "fs/bounds.h"
#include "fs/log.h"
#include "fs/session.h"
#include "fs/supervisor.h"
#include "fs/unmounter.h"

/* Starts the unmounter. The next daemon finds that of the former one. */
static int start_unmounter(const struct options *options, struct supervisor_area *area)
{
	pid_t pid;
	int r;

	if (!options->ends_with_daemon || area->unmounter)
		return 0;
	r = unmounter_start(options->mount_point, area->supervisor, &area->daemon, &pid);
	if (r == 0)
		area->unmounter = pid;
	return r;
}

/* Serves the mount to its end. Fails after a line in the log. */
static int run(struct session *session, const struct options *options, struct supervisor_area *area)
{
	int r = start_unmounter(options, area);

	if (r == 0 && chdir("/") < 0)
		r = -errno;
	if (r == 0)
		r = session_run(session);
	if (r < 0)
		log_line(LOG_ERR, "%s: cannot be served: %s", options->mount_point, strerror(-r));
	return r;
}

/*
 * Whether the next daemon may succeed where this one could not take the mount over, because it
 * lacked something. All other errors say that what the former daemon has left makes no sense.
 */
static bool is_passing(int error)
{
	switch (-error) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EAGAIN:  /* processes, threads */
	case ENOSPC:  /* watches of epoll(7) and inotify(7) */
	case ENOBUFS: /* threads */
	case EIO:     /* libfuse, which does not tell more */
		return true;
	default:
		return false;
	}
}

/*
 * Ends a mount that can't be taken over. Its state may be wrong anywhere, so it is not looked at
 * any more, not even to free what it tells of: the kernel does that. The unmounter goes on, for
 * the device's number may be wrong, too.
 */
static _Noreturn void give_up(const struct session *session, int error)
{
	takeover_unmount(session);
	_exit(error == -ENODEV ? 0 : 1); /* -ENODEV: somebody has unmounted meanwhile */
}

static int be_daemon(const struct options *options, struct state *state, bool is_next)
{
	struct supervisor_area *area = supervisor_area(state);
	struct session session;
	int r;

	if (is_next) {
		bounds_raise_files(); /* as many are open as the former daemon might have */
		takeover_sweep(state, &area->ready_fd, 1);
	}
	r = session_init(&session, options, state, is_next);
	if (r < 0 && is_next && is_passing(r))
		_exit(SUPERVISOR_AGAIN); /* the mount has to stay */
	if (r < 0 && is_next)
		give_up(&session, r);
	if (r == 0)
		r = run(&session, options, area);
	session_fini(&session);
	unmounter_stop(area->unmounter); /* until the mount is gone, it is needed */
	return r < 0 ? 1 : 0;
}

int serve(const struct options *options)
{
	unsigned long flags;
	bool allows_others;
	int r = 0;

	if (options->adopt_fd > 0)
		return supervisor_run(options, be_daemon);
	if (mount_words_find(options->mount_point, &flags, &allows_others) == 0)
		log_line(LOG_WARNING, "%s: an ipcfs is mounted here already; this one will hide it",
			 options->mount_point);
	if (!options->is_foreground && !options->is_debug)
		r = background_start();
	if (r < 0) {
		log_line(LOG_ERR, "cannot run in the background: %s", strerror(-r));
		return 1;
	}
	return supervisor_run(options, be_daemon);
}
