// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "lib/host/job.h"

#define MIB ((size_t)1 << 20)
/* Threads, for all users together. */
#define WORKERS_MAX 4
/* What a name service, or a dead file server, may take to notice that nobody wants its answer. */
#define LEAVE_MS 1000

int host_init(struct host *host, struct loop *loop)
{
	struct rlimit files;
	int r;

	*host = (struct host){
		.loop = loop,
		.next_id = 1,
		.users.limits =
			{
				[USER_CHANNELS] = 16384,
				[USER_FILES] = 16384,
				[USER_HELD] = 8192,
				[USER_BYTES] = 64 * MIB,
				[USER_STORED] = 256 * MIB,
				[USER_SCANS] = 64,
				[USER_SLEEPS] = 256,
			},
	};
	/* No user is to take all that there are. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		host->users.limits[USER_DESCRIPTORS] = files.rlim_cur / 4;
	clock_gettime(CLOCK_REALTIME, &host->started);
	features_probe(&host->features);
	r = workers_new(loop, WORKERS_MAX, &host->workers);
	if (r == 0)
		r = workers_new(loop, HOST_SLEEPS_MAX, &host->sleepers);
	if (r == 0)
		r = workers_new(loop, HOST_SLEEPS_MAX, &host->walkers);
	return r < 0 ? r : host_reserve(host, HOST_IO_MAX);
}

void host_fini(struct host *host)
{
	host_stop(host);
	free(host->scratch);
	host->scratch = NULL;
	free(host->spare);
	host->spare = NULL;
}

void host_stop_sleepers(struct host *host)
{
	workers_free(TAKE_PTR(host->sleepers));
}

void host_stop_workers(struct host *host)
{
	host->is_ending = true;
	host_stop_sleepers(host);
	workers_free(TAKE_PTR(host->workers));
}

void host_stop(struct host *host)
{
	host_stop_workers(host);
	job_end_all(host);
	workers_leave(TAKE_PTR(host->walkers), LEAVE_MS);
}

int host_sleep(struct host *host, struct workers *workers, uid_t uid, struct worker_task *task)
{
	unsigned most = uid == 0 ? HOST_SLEEPS_MAX : HOST_SLEEPS_MAX - HOST_SLEEPS_ROOT;
	int r;

	/* One that found no thread would not sleep at all. */
	if (!workers || host->n_sleeping >= most)
		return -ENOBUFS;
	r = user_charge(&host->users, uid, USER_SLEEPS, 1);
	if (r < 0)
		return r;
	host->n_sleeping++;
	if (workers_submit(workers, task) == 0)
		return 0;
	host_slept(host, uid);
	return -ENOBUFS;
}

void host_slept(struct host *host, uid_t uid)
{
	host->n_sleeping--;
	user_uncharge(&host->users, uid, USER_SLEEPS, 1);
}

struct closing {
	struct worker_task task;
	int fd;
};

static void closing_work(struct worker_task *task)
{
	close(CONTAINER_OF(task, struct closing, task)->fd);
}

static void closing_done(struct worker_task *task)
{
	free(CONTAINER_OF(task, struct closing, task));
}

void host_close(struct host *host, int fd)
{
	struct closing *closing = host->workers ? malloc(sizeof(*closing)) : NULL;

	if (closing) {
		*closing = (struct closing){{.work = closing_work, .done = closing_done}, fd};
		if (workers_submit(host->workers, &closing->task) == 0)
			return;
	}
	free(closing);
	close(fd);
}

static int reserve(char **buffer, size_t *buffer_size, size_t size)
{
	char *grown;

	if (*buffer && size <= *buffer_size)
		return 0;
	grown = realloc(*buffer, size);
	if (!grown)
		return -ENOMEM;
	*buffer = grown;
	*buffer_size = size;
	return 0;
}

int host_reserve(struct host *host, size_t size)
{
	return reserve(&host->scratch, &host->scratch_size, size);
}

int host_reserve_spare(struct host *host, size_t size)
{
	return reserve(&host->spare, &host->spare_size, size);
}
