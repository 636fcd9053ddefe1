// SPDX-License-Identifier: GPL-2.0-or-later
/* SIGHUP has the configuration read again. SIGTERM, SIGINT or the supervisor's end ends it all. */
#include "fs/asked.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "fs/notify.h"
#include "fs/session.h"
#include "fs/supervisor.h"
#include "fs/watchdog.h"
#include "lib/base/cleanup.h"
#include "lib/tree/config.h"
#include "lib/tree/reaper.h"
#include "lib/tree/remote_lines.h"

static void tell_fault(const char *path, unsigned line, const char *text)
{
	if (line)
		log_line(LOG_ERR, "%s:%u: %s", path, line, text);
	else
		log_line(LOG_ERR, "%s: %s", path, text);
}

int asked_configure(struct session *session)
{
	reapers_end(&session->host);
	remote_lines_forget(&session->host);
	if (session->options->config)
		return config_read(&session->host, session->options->config, tell_fault);
	return geteuid() == 0 ? config_read_system(&session->host, tell_fault) : 0;
}

static void signals_dispatch(struct loop_source *source, uint32_t events)
{
	struct session *session = CONTAINER_OF(source, struct session, signals);
	struct signalfd_siginfo info;
	uint32_t n_reloads;

	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR2)
		raise(SIGKILL); /* between two requests: fs/supervisor_replace.h */
	if (info.ssi_signo != SIGHUP) {
		loop_stop(session->loop);
		return;
	}
	n_reloads = supervisor_reloads();
	notify_reloading();
	asked_configure(session);
	supervisor_reloaded(n_reloads);
	if (session->is_ready)
		notify_ready();
}

static void supervisor_dispatch(struct loop_source *source, uint32_t events)
{
	loop_stop(CONTAINER_OF(source, struct session, supervisor)->loop);
}

int asked_listen(struct session *session)
{
	sigset_t set;
	int r;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* lib/channel/lease.h */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	session->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	session->signals.dispatch = signals_dispatch;
	if (session->signals.fd < 0)
		return -errno;
	r = loop_add(session->loop, &session->signals, EPOLLIN);
	session->supervisor.dispatch = supervisor_dispatch;
	if (r == 0)
		r = supervisor_watch(session->loop, &session->supervisor);
	return r < 0 ? r : watchdog_start(session->loop, &session->watchdog);
}

void asked_configure_rest(struct session *session)
{
	const char *path = session->options->config;

	if (path || geteuid() == 0)
		config_read_left(&session->host, path, tell_fault);
}
