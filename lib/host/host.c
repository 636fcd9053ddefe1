// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decides how many threads there are, and the default limits that ipcfs(8) names.
 */
#include "lib/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/configured.h"
#include "lib/base/impatience.h"
#include "lib/base/workers.h"
#include "lib/host/job.h"
#include "lib/host/tree_record.h"

_Static_assert(sizeof(struct tree_record) <= STATE_AREA_SIZE, "an area has this size");

#define MIB ((size_t)1 << 20)
/* The most worker threads, for all users together. */
#define WORKERS_MAX 32
/* How many of them one user may use at a time, so that others find a free one. */
#define WORKERS_SHARE 2
/* How long host_stop() waits for threads that sleep in a name service or a dead file server, ms. */
#define LEAVE_MS 1000

/* The next daemon knows what the former one has found: asking the kernel takes long. */
static void find_features(struct host *host, struct host_area *area)
{
	if (area->n_features == N_FEATURES) {
		host->features.there = (unsigned)area->features & FEATURES_ALL;
		return;
	}
	features_probe(&host->features);
	area->features = host->features.there;
	STATE_ORDER();
	area->n_features = N_FEATURES;
}

void host_probe_anew(struct state *state)
{
	struct host_area *area = state_area(state, STATE_HOST);

	area->n_features = 0;
}

int host_init(struct host *host, struct loop *loop, struct state *state)
{
	struct host_area *area = state_area(state, STATE_HOST);
	struct rlimit files;
	int r;

	*host = (struct host){
		.loop = loop,
		.state = state,
		.journal = state_area(state, STATE_JOURNAL),
		.tree = state_area(state, STATE_TREE),
		.job_clock.fd = -1,
		.nodes = {.tree_fd = -1, .dir_fd = -1},
		.users.limits =
			{
				[USER_CHANNELS] = 16384,
				[USER_FILES] = 16384,
				[USER_HELD] = 8192,
				[USER_BYTES] = 64 * MIB,
				[USER_STORED] = 256 * MIB,
				[USER_SCANS] = 64,
				[USER_SLEEPS] = 256,
				[USER_LOCKS] = 128,
				[USER_LOCKED] = 1024,
				[USER_NAMES] = 32768,
			},
	};
	/* No user may take all descriptors. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		host->users.limits[USER_DESCRIPTORS] = files.rlim_cur / 4;
	/* All users together may take all but a sixteenth, which is left to the daemon itself. */
	host->users.totals[USER_DESCRIPTORS] = host->users.limits[USER_DESCRIPTORS] / 4 * 15;
	host->users.totals[USER_SLEEPS] = HOST_SLEEPS_MAX - HOST_SLEEPS_ROOT;
	host->users.reserves[USER_SLEEPS] = HOST_SLEEPS_ROOT;
	host->users.totals[USER_LOCKS] = HOST_LOCKS_MAX - HOST_LOCKS_ROOT;
	host->users.reserves[USER_LOCKS] = HOST_LOCKS_ROOT;
	if (!host->tree->started.tv_sec)
		clock_gettime(CLOCK_REALTIME, &host->tree->started);
	host->started = host->tree->started;
	host->idle = HOST_IDLE;
	find_features(host, area);
	namespaces_note(&host->namespaces);
	buffers_init(&host->buffers, &host->users, state, &area->buffer);
	r = workers_new(loop, WORKERS_MAX, WORKERS_SHARE, &host->workers);
	if (r == 0)
		r = workers_new(loop, HOST_SLEEPS_MAX, WORKERS_AT_ONCE, &host->sleepers);
	if (r == 0)
		r = workers_new(loop, HOST_SLEEPS_MAX, WORKERS_AT_ONCE, &host->walkers);
	if (r == 0)
		r = workers_new(loop, HOST_LOCKS_MAX, WORKERS_AT_ONCE, &host->lockers);
	if (r == 0)
		r = job_clock_init(host);
	return r == 0 && state_is_settled(state) ? host_allocate(host) : r;
}

void host_fini(struct host *host)
{
	host_stop(host);
	job_clock_fini(host);
	configured_forget(host);
	buffers_fini(&host->buffers);
	slots_fini(&host->locks);
	slots_fini(&host->lock_files);
	slots_fini(&host->objects);
	slots_fini(&host->files);
	slots_fini(&host->writes);
	numbers_fini(&host->numbers);
	free(host->account_memory);
	state_release(host->state, host->scratch, host->scratch_size);
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
	workers_leave(TAKE_PTR(host->lockers), LEAVE_MS);
}

int host_know(struct host *host, struct caller *caller)
{
	int r = caller_load(caller);

	caller_note_start(caller);
	caller_queue_limit(caller);
	namespaces_check(&host->namespaces, caller, NAMESPACE_NET);
	namespaces_check(&host->namespaces, caller, NAMESPACE_IPC);
	return r;
}

static int start(struct host *host, struct workers *workers, enum user_charge what,
		 struct worker_task *task)
{
	int r;

	/* The workers have been stopped: no thread would ever take the task. */
	if (!workers)
		return -ENOBUFS;
	r = user_charge(&host->users, task->owner, what, 1);
	if (r < 0)
		return r;
	if (workers_submit(workers, task) == 0)
		return 0;
	user_uncharge(&host->users, task->owner, what, 1);
	return -ENOBUFS;
}

int host_sleep(struct host *host, struct workers *workers, uid_t uid, struct worker_task *task)
{
	task->owner = uid;
	return start(host, workers, USER_SLEEPS, task);
}

int host_lock(struct host *host, uid_t uid, struct worker_task *task)
{
	task->owner = uid;
	return start(host, host->lockers, USER_LOCKS, task);
}

void host_locked(struct host *host, uid_t uid)
{
	user_uncharge(&host->users, uid, USER_LOCKS, 1);
}

void host_slept(struct host *host, uid_t uid)
{
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

void host_close(struct host *host, uid_t uid, int fd)
{
	struct closing *closing = host->workers ? malloc(sizeof(*closing)) : NULL;
	struct stat attr;
	bool may_linger = fstat(fd, &attr) == 0 && S_ISSOCK(attr.st_mode);

	if (closing) {
		*closing = (struct closing){
			{.work = closing_work, .done = closing_done, .owner = uid}, fd};
		if (workers_submit(host->workers, &closing->task) == 0) {
			/* In close(2), the signal ends only the wait for SO_LINGER. */
			if (may_linger)
				workers_interrupt(host->workers, &closing->task);
			return;
		}
	}
	free(closing);
	may_linger = may_linger && impatience_begin() == 0;
	close(fd);
	if (may_linger)
		impatience_end();
}

int host_reserve(struct host *host, size_t size)
{
	struct host_area *area = state_area(host->state, STATE_HOST);
	uint64_t next = !area->current;
	char *grown;

	if (host->scratch && size <= host->scratch_size)
		return 0;
	grown = state_alloc(host->state, size);
	if (!grown)
		return -ENOMEM;
	if (host->scratch)
		memcpy(grown, host->scratch, host->scratch_size);
	area->scratch[next].offset = state_offset(host->state, grown);
	area->scratch[next].size = size;
	STATE_ORDER();
	area->current = next;
	state_release(host->state, host->scratch, host->scratch_size);
	host->scratch = grown;
	host->scratch_size = size;
	host->scratch_used = host->scratch_blank = 0;
	return 0;
}

int host_claim(struct host *host)
{
	const struct host_area *area = state_area(host->state, STATE_HOST);
	uint64_t current = area->current & 1;
	size_t size = area->scratch[current].size;
	char *scratch = state_claim(host->state, area->scratch[current].offset, size);

	if (!scratch || size < HOST_IO_MAX)
		return -EPROTO;
	host->scratch = scratch;
	host->scratch_size = size;
	buffers_claim(&host->buffers);
	return 0;
}

int host_allocate(struct host *host)
{
	int r = buffers_begin(&host->buffers);

	return r < 0 ? r : host_reserve(host, HOST_IO_MAX);
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

int host_reserve_spare(struct host *host, size_t size)
{
	return reserve(&host->spare, &host->spare_size, size);
}
