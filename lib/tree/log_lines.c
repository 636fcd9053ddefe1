// SPDX-License-Identifier: GPL-2.0-or-later
/* The job has a copy of the text: it may last longer than whoever asked for it. */
#include "lib/tree/log_lines.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/job.h"

struct log_job {
	void (*log)(int priority, const char *text);
	char text[];
};

static int log_act(void *data)
{
	struct log_job *job = data;
	char *rest = job->text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			job->log(LOG_NOTICE, line);
	return 0;
}

int log_lines(struct host *host, struct caller *caller, const char *text)
{
	size_t size = sizeof(struct log_job) + strlen(text) + 1;
	CLEANUP_FREE struct log_job *job = calloc(1, size);

	if (!job)
		return -ENOMEM;
	job->log = host->log;
	strcpy(job->text, text);
	return job_run(host, caller,
		       &(struct job_call){.place = JOB_ALONE,
					  .most = CLOCK_S,
					  .act = log_act,
					  .data = job,
					  .size = size,
					  .n_key = offsetof(struct log_job, text)});
}
