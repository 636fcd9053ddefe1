// SPDX-License-Identifier: GPL-2.0-or-later
/* A deed does what a shell command would do: it opens its paths anew each time. */
#include "tests/bench/witness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/attack.h"
#include "tests/bench/clock.h"

static int list(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return -errno;
	do
		errno = 0;
	while (readdir(dir));
	if (errno != 0) {
		int error = errno;

		closedir(dir);
		return -error;
	}
	closedir(dir);
	return 0;
}

static int list_mount(struct scene *scene)
{
	return list(scene_mount(scene, "."));
}

static int list_queues(struct scene *scene)
{
	return list(scene_mount(scene, "queues"));
}

/* As a shell's > does. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), r = 0;

	if (fd < 0)
		return -errno;
	if (*text && write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int send_message(struct scene *scene)
{
	return put(scene_mount(scene, "queues/witness"), "hello\n");
}

/* Reads back to end-of-file, as cat(1) does. */
static int pass_through_pipe(struct scene *scene)
{
	const char *path = scene_mount(scene, "pipes/witness");
	int r = put(path, "hello\n");

	if (r < 0)
		return r;
	return attack_read(path) ? 0 : -errno;
}

static int make_region(struct scene *scene)
{
	return put(scene_mount(scene, "shm/witness"), "");
}

static int read_summary(struct scene *scene)
{
	return attack_read(scene_mount(scene, "info/summary")) ? 0 : -errno;
}

static const struct {
	const char *name;
	int (*do_it)(struct scene *scene);
} deeds[N_DEEDS] = {
	{"ls", list_mount},
	{"ls queues", list_queues},
	{"echo > queues/x", send_message},
	{"echo > pipes/x; cat it", pass_through_pipe},
	{"> shm/x", make_region},
	{"cat info/summary", read_summary},
};

const char *witness_deed(int deed)
{
	return deeds[deed].name;
}

/* Empties the queue, which would otherwise be full after ten messages. */
static void receive(void)
{
	mqd_t queue = mq_open("/witness", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char message[8192];

	while (queue >= 0 && mq_receive(queue, message, sizeof(message), NULL) >= 0)
		;
	if (queue >= 0)
		mq_close(queue);
}

static void note(struct testimony *testimony, int deed, double seconds, int result)
{
	unsigned n = testimony->notes[deed].n;

	if (n < NOTES_MAX) {
		testimony->notes[deed].seconds[n] = seconds;
		testimony->notes[deed].n = n + 1;
	}
	if (result < 0) {
		testimony->notes[deed].n_failed++;
		testimony->notes[deed].error = -result;
	}
}

void witness_run(struct scene *scene, double seconds)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct testimony *testimony = &scene->testimony;
	double end = clock_now() + seconds;

	while (clock_now() < end)
		for (int deed = 0; deed < N_DEEDS; deed++) {
			double start = clock_now();
			int result;

			testimony->deed = deed;
			result = deeds[deed].do_it(scene);
			note(testimony, deed, clock_now() - start, result);
			testimony->deed = -1;
			receive();
			nanosleep(&pause, NULL);
		}
	testimony->is_done = true;
}
