// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that is killed from outside while it serves (SIGKILL) may be followed any number of
 * times. Of all other deaths it is to blame itself, and the next one will probably die like it. One
 * that lacks memory or descriptors when it begins ends by itself, and the next one tries again.
 */
#include "fs/supervisor_deaths.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/aside.h"
#include "fs/background.h"
#include "fs/log.h"
#include "lib/base/clock.h"

/* The kernel sets this bit in the number of a request that it repeats: FUSE_UNIQUE_RESEND. */
#define REPEATED ((uint64_t)1 << 63)

static void note_request(struct supervisor_area *area, uint64_t request)
{
	bool is_soon = area->ready >= area->died - DEATHS_SOON;

	if (!request)
		return;
	if (request != area->poison.request || !is_soon) {
		area->poison.request = request;
		area->poison.deaths = 0;
	}
	area->poison.deaths++;
}

static bool are_too_many(struct deaths *deaths, int64_t now)
{
	deaths->times[deaths->n % DEATHS_MOST] = now;
	deaths->n++;
	return deaths->n >= DEATHS_MOST &&
	       now - deaths->times[deaths->n % DEATHS_MOST] < DEATHS_TIME;
}

/* The first daemon makes the mount, for which it may have to wait. */
static bool is_awaited(const struct deaths *deaths, const struct supervisor_area *area)
{
	return area->n_daemons > 1 && !area->ready && !deaths->is_late;
}

int64_t deaths_patience(const struct deaths *deaths, const struct supervisor_area *area)
{
	int64_t left;

	if (!is_awaited(deaths, area))
		return -1;
	left = area->started + DEATHS_PATIENCE * (deaths->n_unready + 1) - clock_now();
	return left > 0 ? left : 0;
}

bool deaths_late(struct deaths *deaths, const struct supervisor_area *area)
{
	if (deaths_patience(deaths, area) != 0)
		return false;
	deaths->is_late = true;
	return true;
}

bool deaths_is_one(const struct supervisor_area *area, int status)
{
	return WIFSIGNALED(status) || (WEXITSTATUS(status) == SUPERVISOR_AGAIN && !area->ready);
}

static int64_t pause_after(unsigned n_tries)
{
	return n_tries > 0 && n_tries <= DEATHS_MOST ? DEATHS_PAUSE << (n_tries - 1) : 0;
}

void deaths_add(struct deaths *deaths, struct supervisor_area *area, struct journal *journal,
		int status, struct death *ret_death)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	/* Whoever kills daemons faster than they begin is not their fault, unless none begins. */
	bool counts = signal && signal != SIGKILL;

	deaths->n_unready = area->ready ? 0 : deaths->n_unready + 1;
	*ret_death = (struct death){.signal = signal,
				    .is_late = deaths->is_late,
				    .pause = signal ? 0 : pause_after(deaths->n_unready),
				    .request = journal->request & ~REPEATED};
	deaths->is_late = false;
	journal->request = 0;
	note_request(area, ret_death->request);
	ret_death->is_poison = ret_death->request && area->poison.deaths >= SUPERVISOR_POISON;
	if (area->is_ended)
		ret_death->end = "it was ending already";
	else if (!area->can_follow)
		ret_death->end = "no other daemon can go on with it";
	else if (deaths->n_unready >= DEATHS_MOST)
		ret_death->end = "no daemon gets to serve any more";
	else if (counts && are_too_many(deaths, area->died))
		ret_death->end = "too many daemons have died within a minute";
}

/* Logs the death; it goes where the daemon's lines go. */
static void log_death(const struct death *death, const char *what, const char *why)
{
	const char *name = sigabbrev_np(death->signal);
	char request[64] = "no request in hand", cause[64];

	if (death->request)
		snprintf(request, sizeof(request), "request %" PRIu64 " in hand", death->request);
	if (death->is_late)
		snprintf(cause, sizeof(cause), "did not get to serve, and was killed");
	else if (!death->signal)
		snprintf(cause, sizeof(cause), "could not take the mount over");
	else
		snprintf(cause, sizeof(cause), "was killed by SIG%s (%s)", name ? name : "RT",
			 request);
	log_line(LOG_ERR, "the daemon %s; %s%s", cause, what, why);
}

void death_tell(const struct death *death)
{
	bool has_begun = death->signal && !death->is_late;

	if (!aside())
		return;
	log_death(death, has_begun ? "the next one goes on" : "the next one tries again",
		  death->is_poison ? ", and answers this request with EIO" : "");
	_exit(0);
}

/*
 * Everything is closed first, so that nobody waits for the mount any more. The daemon's core is
 * what matters, not another one.
 */
void death_end(const struct death *death)
{
	sigset_t none;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (background_has_left())
		log_to_syslog(true);
	log_death(death, "the mount ends: ", death->end);
	if (!death->signal)
		exit(1);
	prctl(PR_SET_DUMPABLE, 0);
	signal(death->signal, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	raise(death->signal);
	exit(1);
}
