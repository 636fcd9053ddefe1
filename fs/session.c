// SPDX-License-Identifier: GPL-2.0-or-later
/* The order in which a mount begins and ends; and the loop's sources, /dev/fuse and signals. */
#include "fs/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/asked.h"
#include "fs/background.h"
#include "fs/ending.h"
#include "fs/found.h"
#include "fs/handle.h"
#include "fs/home.h"
#include "fs/bounds.h"
#include "fs/listing.h"
#include "fs/log.h"
#include "fs/mounting.h"
#include "fs/notify.h"
#include "fs/ops.h"
#include "fs/option_cluster.h"
#include "fs/request.h"
#include "fs/supervisor.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"
#include "lib/tree/config.h"
#include "lib/tree/remote_lines.h"
#include "lib/tree/root.h"

#define LOOP_NICE (-5)

/* Requests taken in a row before other descriptors have their turn. */
#define REQUESTS_IN_A_ROW 64

/* Begins to serve users. A negative `result` says why no FIFOs can be kept. */
static void session_begun(struct session *session, int result)
{
	if (result < 0) {
		log_line(LOG_ERR,
			 "pipes: FIFOs cannot be kept, so all pipes are served by the daemon: %s",
			 strerror(-result));
		session->host.pipes.by_daemon = true;
	}
	session->is_early = false;
	early_answer(session);
	if (session->is_next) {
		/* Before the first answer: whoever has it may kill this daemon, too. */
		supervisor_ready();
		takeover_answer(session);
		buffers_hold(&session->host.buffers);
		/* The former daemon may have been killed just before it told them. */
		background_ready();
		notify_ready();
		return;
	}
	takeover_note_tree(session);
	supervisor_area(session->host.state)->can_follow =
		features_has(&session->host.features, FEATURE_RESEND);
	background_ready();
	supervisor_ready();
	found_tell(&session->host.features);
	notify_ready();
}

/* The first request, INIT, has been answered: the mount works. */
static void session_ready(struct session *session)
{
	struct statx attr = {0};

	/* Answered by the kernel alone: the daemon can't ask itself. */
	statx(AT_FDCWD, session->options->mount_point, AT_STATX_DONT_SYNC, STATX_INO, &attr);
	session->host.dev = makedev(attr.stx_dev_major, attr.stx_dev_minor);
	session->is_ready = true;
	found_find(session);
	session->is_early = true;
	tree_begin(session, session_begun);
}

/*
 * Raises the priority of the loop. All users wait for this one thread, and each could have hundreds
 * of processes that compete with it for the processors. Without the right to raise it, the priority
 * stays as it is. Other threads and processes work for one user each, at the usual priority.
 */
static void prefer_loop(void)
{
	setpriority(PRIO_PROCESS, 0, LOOP_NICE);
}

/* The same for a mount that another daemon has begun. */
static int session_go_on(struct session *session)
{
	const struct takeover_area *area = state_area(session->host.state, STATE_SESSION);
	int r;

	prefer_loop();
	session->host.dev = area->dev; /* by now something else may be at the mount point */
	session->is_ready = true;
	found_find(session);
	if (tree_adopt(session, area->tree_fd, area->dir_fd) < 0)
		session->host.pipes.by_daemon = true;
	r = takeover_adopt(session);
	if (r < 0)
		return r;
	session_begun(session, 0);
	asked_configure_rest(session);
	return 0;
}

int session_receive(struct session *session)
{
	int n;

	session->buffer.mem = buffers_next(&session->host.buffers);
	do
		n = fuse_session_receive_buf(session->fuse, &session->buffer);
	while (n == -EINTR || (n == -EAGAIN && spin_again(&session->spin)));
	if (n > 0)
		spin_found(&session->spin);
	return n;
}

static const struct fuse_in_header *header_of(const struct session *session)
{
	return session->buffer.mem;
}

static void device_dispatch(struct loop_source *source, uint32_t events)
{
	struct session *session = CONTAINER_OF(source, struct session, device);

	spin_begin(&session->spin);
	for (int i = 0; i < REQUESTS_IN_A_ROW && !fuse_session_exited(session->fuse); i++) {
		if (session_receive(session) <= 0)
			break;
		if (session->is_early && early_keep(session))
			continue;
		if (!session->is_ready)
			takeover_note_init(session);
		journal_take_up(&session->host, takeover_number(header_of(session)->unique));
		fuse_session_process_buf(session->fuse, &session->buffer);
		if (!session->is_ready && !fuse_session_exited(session->fuse))
			session_ready(session);
		loop_run_tasks(session->loop);
		journal_take_up(&session->host, 0);
	}
	if (fuse_session_exited(session->fuse) || (events & (EPOLLERR | EPOLLHUP)))
		loop_stop(session->loop);
}

static void log_text(int priority, const char *text)
{
	log_line(priority, "%s", text);
}

static int session_mount(struct session *session)
{
	const struct options *options = session->options;
	int flags, r = 0;

	if (session->is_next)
		r = takeover_mount(session);
	else
		session->fuse = mounting_mount(session, options);
	if (r < 0 || !session->fuse)
		return r < 0 ? r : -EIO; /* the log says why */
	session->is_mounted = true;
	session->host.is_serving = true;
	session->device.fd = fuse_session_fd(session->fuse);
	session->device.dispatch = device_dispatch;
	flags = fcntl(session->device.fd, F_GETFL);
	if (flags < 0 || fcntl(session->device.fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return loop_add(session->loop, &session->device, EPOLLIN);
}

static void tell_missing(const char *path, int error)
{
	log_line(LOG_WARNING, "%s: not available on this machine: %s", path, strerror(-error));
}

static int session_root(struct session *session)
{
	const struct caller nobody = {0};
	struct found found = {0};
	int r = root_new(&session->host, tell_missing, &session->root_space);

	if (r < 0)
		return r;
	found.entry.space = space_ref(session->root_space);
	return inode_get(session, &found, &nobody, &session->root);
}

static int session_prepare(struct session *session)
{
	struct namespaces own;
	int r = bounds_check_timeouts();

	bounds_raise_files();
	if (r == 0)
		r = home_enter(session->options, takeover_ipc_fd(session), &own);
	if (r == 0)
		r = loop_new(&session->loop);
	if (r == 0)
		r = host_init(&session->host, session->loop, session->host.state);
	records_init(&session->host);
	session->host.supervisor = supervisor_pid();
	session->host.log = log_text;
	if (r == 0 && session->is_next)
		r = takeover_tables(session);
	if (r == 0)
		r = step_clock_init(&session->steps, session->loop);
	if (r < 0)
		return r;
	home_settle(&session->host, session->options, &own);
	session->host.features.off = session->options->without;
	session->host.pipes = session->options->pipes;
	option_cluster_set(&session->host, &session->options->cluster);
	session->io_max = bounds_io_max();
	r = tree_prepare(session);
	if (r < 0)
		return r;
	spin_init(&session->spin, session->options->spin);
	bounds_set(&session->host, session->options);
	bounds_warn_pipes(session->options);
	umask(0); /* the kernel has already applied the caller's */
	r = session_root(session);
	if (r == 0 && !session->is_next && asked_configure(session) > 0 &&
	    session->options->is_config_strict)
		r = -EINVAL;
	return r < 0 ? r : asked_listen(session);
}

int session_init(struct session *session, const struct options *options, struct state *state,
		 bool is_next)
{
	int r;

	*session = (struct session){.options = options,
				    .is_next = is_next,
				    .host.state = state,
				    .signals.fd = -1,
				    .supervisor.fd = -1,
				    .watchdog.fd = -1,
				    .device.fd = -1,
				    .tree.mounts.fd = -1};
	slots_place(&session->inodes, sizeof(struct inode_record), state, STATE_INODES);
	slots_place(&session->handles, sizeof(struct handle_record), state, STATE_HANDLES);
	slots_place(&session->listings, sizeof(struct listing_record), state, STATE_LISTINGS);
	r = session_prepare(session);
	if (r == 0)
		r = session_mount(session);
	if (r == 0 && is_next)
		r = session_go_on(session);
	if (r < 0 && r != -EINVAL && r != -EIO && r != -ENOTSUP && !(is_next && r == -ENODEV))
		log_line(LOG_ERR, "%s: cannot be %s: %s", options->mount_point,
			 is_next ? "taken over" : "mounted", strerror(-r));
	return r;
}

int session_run(struct session *session)
{
	int r;

	prefer_loop();
	r = loop_run(session->loop);

	notify_stopping();
	supervisor_area(session->host.state)->is_ended = true;
	session->is_ending = true;
	host_stop_sleepers(&session->host);
	request_end_all(session);
	job_end_all(&session->host);
	loop_run_tasks(session->loop);
	ending_answer(session);
	return r;
}

void session_fini(struct session *session)
{
	host_stop_workers(&session->host);
	/* Unmounts first: threads may sleep in the mount itself, where nobody answers any more. */
	if (session->is_mounted) {
		mounting_spare_others(session->options->mount_point, session->host.dev,
				      session->device.fd);
		fuse_session_unmount(session->fuse);
	}
	if (session->is_next)
		takeover_unmount(session);
	host_stop(&session->host);
	early_forget(session);
	takeover_free(&session->takeover);
	if (session->fuse) {
		handle_free_all(session);
		listing_free_all(session);
		fuse_session_destroy(session->fuse);
	}
	inode_forget_all(session);
	slots_fini(&session->inodes);
	slots_fini(&session->handles);
	slots_fini(&session->listings);
	root_free(&session->host, session->root_space);
	tree_end(session);
	if (session->signals.fd >= 0)
		close(session->signals.fd);
	if (session->supervisor.fd >= 0)
		close(session->supervisor.fd);
	if (session->watchdog.fd >= 0)
		close(session->watchdog.fd);
	step_clock_fini(&session->steps, session->loop);
	host_fini(&session->host);
	loop_free(session->loop);
}
