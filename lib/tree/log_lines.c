// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread frees the text, even if nobody waits for it any more.
 */
#include "lib/tree/log_lines.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/base/clock.h"
#include "lib/host/job.h"

struct log_job {
	void (*log)(int priority, const char *text);
	char *text;
};

static int log_act(void *data)
{
	struct log_job *job = data;
	char *rest = job->text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			job->log(LOG_NOTICE, line);
	free(job->text);
	return 0;
}

int log_lines(struct host *host, struct caller *caller, char *text)
{
	struct log_job job = {host->log, text};

	return job_run(host, caller,
		       &(struct job_call){.place = JOB_ALONE,
					  .most = CLOCK_S,
					  .act = log_act,
					  .data = &job,
					  .size = sizeof(job)});
}
