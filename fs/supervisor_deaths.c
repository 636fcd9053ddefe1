// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that is killed from outside while it serves (SIGKILL) may be followed any number of
 * times. Of all other deaths it is to blame itself, and the next one will probably die like it.
 */
#include "fs/supervisor_deaths.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/aside.h"
#include "fs/background.h"
#include "fs/log.h"
#include "lib/base/clock.h"

/* The kernel sets this bit in the number of a request that it repeats: FUSE_UNIQUE_RESEND. */
#define REPEATED ((uint64_t)1 << 63)

static void note_request(struct supervisor_area *area, uint64_t request, int64_t died,
			 int64_t former)
{
	if (!request)
		return;
	if (request != area->poison.request || died - former > DEATHS_APART) {
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

void deaths_add(struct deaths *deaths, struct supervisor_area *area, struct journal *journal,
		int signal, struct death *ret_death)
{
	/* Whoever kills daemons faster than they begin is not their fault, unless none begins. */
	bool counts = signal != SIGKILL;

	deaths->n_unready = area->ready ? 0 : deaths->n_unready + 1;
	*ret_death = (struct death){.signal = signal, .request = journal->request & ~REPEATED};
	journal->request = 0;
	note_request(area, ret_death->request, area->died, deaths->last);
	deaths->last = area->died;
	ret_death->is_poison = ret_death->request && area->poison.deaths >= SUPERVISOR_POISON;
	if (area->is_ended)
		ret_death->end = "it was ending already";
	else if (!area->can_follow)
		ret_death->end = "no other daemon can go on with it";
	else if ((counts && are_too_many(deaths, area->died)) || deaths->n_unready >= DEATHS_MOST)
		ret_death->end = "too many daemons have died within a minute";
}

/* Logs the death; it goes where the daemon's lines go. */
static void log_death(const struct death *death, const char *what, const char *why)
{
	const char *name = sigabbrev_np(death->signal);
	char request[64] = "no request in hand";

	if (death->request)
		snprintf(request, sizeof(request), "request %" PRIu64 " in hand", death->request);
	log_line(LOG_ERR, "the daemon was killed by SIG%s (%s); %s%s", name ? name : "RT", request,
		 what, why);
}

void death_tell(const struct death *death)
{
	if (!aside())
		return;
	log_death(death, "the next one goes on",
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
	prctl(PR_SET_DUMPABLE, 0);
	signal(death->signal, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	raise(death->signal);
	exit(1);
}
