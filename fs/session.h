/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mount, from mount(2) to its end: libfuse's session on our event loop.
 */
#ifndef IPCFS_SESSION_H
#define IPCFS_SESSION_H

#include <fuse_lowlevel.h>

#include "fs/early.h"
#include "fs/inode.h"
#include "fs/names.h"
#include "fs/options.h"
#include "fs/recent.h"
#include "fs/show.h"
#include "fs/shrink.h"
#include "fs/spin.h"
#include "fs/step.h"
#include "fs/takeover.h"
#include "fs/tree.h"
#include "lib/base/loop.h"
#include "lib/base/slots.h"
#include "lib/channel/channel.h"
#include "lib/host/host.h"

struct session {
	const struct options *options;
	struct fuse_session *fuse;
	struct loop *loop;
	struct host host;
	struct space *root_space;
	struct inode *root;
	struct loop_source device;     /* /dev/fuse */
	struct loop_source signals;    /* signalfd */
	struct loop_source supervisor; /* its pidfd; or -1 */
	struct loop_source watchdog;   /* timerfd; or -1 */
	struct fuse_buf buffer;        /* the current request, in host::buffers */
	struct spin spin;
	size_t io_max; /* the longest read or write of one request, bytes */
	bool is_mounted, is_ready;
	bool is_early; /* ready, but only for our own threads */
	struct early_request *early;
	bool is_ending; /* no more requests are held */
	bool is_next;   /* a daemon before this one has died */
	struct takeover takeover;

	/*
	 * Everything that the kernel knows by a number, so that session_fini() finds what is left.
	 */
	struct slots inodes;      /* struct inode, by nodeid; except the root, FUSE_ROOT_ID */
	struct user_names *names; /* the owners of those inodes, by uid */
	struct shrink shrink;
	struct recent recent;
	struct slots handles;  /* struct handle, by fh */
	struct slots listings; /* struct listing, by the fh of a directory */
	struct step_clock steps;
	struct tree tree;
	struct show_told told[SHOW_TOLD_MOST];
	unsigned n_told, next_told;
	struct request *held;
	struct request *spares; /* memory for later requests */
	unsigned n_spares;
};

/*
 * Mounts; or, if a former daemon has died (`is_next`), takes the mount over from it. What outlives
 * this daemon is in `state`, which is borrowed. Fails with -errno after a line in the log, or with
 * -ENODEV without one if what was to be taken over is unmounted. Even then session_fini() must
 * follow.
 */
int session_init(struct session *session, const struct options *options, struct state *state,
		 bool is_next);

/*
 * Serves until a signal or the end of the mount; calls background_ready() once the mount answers.
 * All held requests are answered before it returns. Returns 0, or -errno of the loop.
 */
int session_run(struct session *session);

/*
 * Receives a request into session::buffer, and returns its size. Returns 0 or -ENODEV if the mount
 * is gone, -EAGAIN if there is no request.
 */
int session_receive(struct session *session);

/* Unmounts, and frees everything. */
void session_fini(struct session *session);

#endif
