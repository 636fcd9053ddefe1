// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon that was killed leaves all that it had open. What belongs to no object is of no use to
 * the next daemon: its loop, its threads' files, what it had just opened or was about to close.
 */
#include "fs/takeover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/impatience.h"
#include "lib/base/slots.h"
#include "lib/base/state.h"
#include "lib/channel/lock_files.h"
#include "lib/channel/record.h"

#define FDS_MOST ((size_t)1 << 20)

/* A set of descriptors. */
struct fds {
	bool *is_in;
	size_t n; /* those below this can be in it */
};

static void fds_add(struct fds *fds, int fd)
{
	if (fd >= 0 && (size_t)fd < fds->n)
		fds->is_in[fd] = true;
}

/*
 * Adds the descriptor of a record. A record may name one that was closed just before, or that is
 * something else by now: each has one owner.
 */
static void fds_own(struct fds *fds, int *fd)
{
	bool is_other = *fd >= 0 && ((size_t)*fd >= fds->n || fds->is_in[*fd]);

	if (is_other || (*fd >= 0 && fcntl(*fd, F_GETFD) < 0))
		*fd = -1;
	fds_add(fds, *fd);
}

static int add_objects(struct fds *fds, struct state *state)
{
	struct slots objects;
	uint64_t id = 0;
	int r;

	slots_place(&objects, sizeof(struct object_record), state, STATE_OBJECTS);
	r = slots_adopt(&objects);
	while (r == 0 && (id = slots_next(&objects, id)) != 0) {
		struct object_record *record = slots_record(&objects, id);

		for (int i = 0; i < OBJECT_FDS; i++)
			fds_own(fds, &record->fds[i]);
	}
	slots_fini(&objects);
	return r;
}

static int add_files(struct fds *fds, struct state *state)
{
	struct slots files;
	uint64_t id = 0;
	int r;

	slots_place(&files, sizeof(struct file_record), state, STATE_FILES);
	r = slots_adopt(&files);
	while (r == 0 && (id = slots_next(&files, id)) != 0) {
		struct file_record *record = slots_record(&files, id);

		fds_own(fds, &record->fd);
	}
	slots_fini(&files);
	return r;
}

static void add_lock_file(void *data, int fd)
{
	fds_add(data, fd);
}

/*
 * Among them are sockets that the former daemon had its threads close, because a stranger can have
 * the close wait for hours (lib/base/impatience.c).
 */
static void close_others(const struct fds *fds)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	bool is_impatient;

	if (!directory)
		return;
	is_impatient = impatience_begin() == 0;
	while ((entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(directory))
			continue;
		if ((size_t)fd >= fds->n || !fds->is_in[fd])
			close(fd);
	}
	if (is_impatient)
		impatience_end();
	closedir(directory);
}

void takeover_sweep(struct state *state, const int *keep, size_t n_keep)
{
	const struct takeover_area *area = state_area(state, STATE_SESSION);
	struct rlimit limit = {0};
	struct fds fds = {0};

	getrlimit(RLIMIT_NOFILE, &limit); /* a daemon raises its own to that */
	fds.n = limit.rlim_max < FDS_MOST ? limit.rlim_max : FDS_MOST;
	fds.is_in = calloc(fds.n, sizeof(*fds.is_in));
	if (!fds.is_in)
		return; /* they stay open until the mount ends, here and below */
	for (int i = 0; i <= STDERR_FILENO; i++)
		fds_add(&fds, i);
	for (size_t i = 0; i < n_keep; i++)
		fds_add(&fds, keep[i]);
	fds_add(&fds, state_fd(state));
	fds_add(&fds, area->device);
	fds_add(&fds, area->tree_fd);
	fds_add(&fds, area->dir_fd);
	fds_add(&fds, area->ipc_fd);
	if (add_objects(&fds, state) == 0 && add_files(&fds, state) == 0 &&
	    lock_files_find(state, add_lock_file, &fds) == 0)
		close_others(&fds);
	free(fds.is_in);
}
