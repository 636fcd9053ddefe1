// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks on what the daemon runs for the attacker: its children and its threads.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/bench/attack.h"
#include "tests/bench/must.h"

enum { N_MAKERS = 60, N_WAITS = 400 };

static void stop_children(struct scene *scene, const char *thread)
{
	const struct timespec while_stopped = {.tv_nsec = 300000000};
	char path[300];
	FILE *children;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", scene->daemon, thread);
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &pid) == 1) {
		if (kill(pid, SIGSTOP) < 0)
			continue;
		attack_strike(scene);
		/* A process of its own resumes each child a while later. */
		if (fork() == 0) {
			nanosleep(&while_stopped, NULL);
			kill(pid, SIGCONT);
			_exit(0);
		}
	}
	if (children)
		fclose(children);
}

/* Stops the daemon's children: the attacker may stop those that run as the attacker's user. */
static void hunt(struct scene *scene)
{
	char path[64];
	struct dirent *entry;

	signal(SIGCHLD, SIG_IGN);
	snprintf(path, sizeof(path), "/proc/%d/task", scene->daemon);
	for (;;) {
		DIR *threads = opendir(path);

		while (threads && (entry = readdir(threads)))
			if (entry->d_name[0] != '.')
				stop_children(scene, entry->d_name);
		if (threads)
			closedir(threads);
	}
}

void attack_child(struct scene *scene)
{
	int i;

	if (!attack_split(N_MAKERS, &i))
		hunt(scene);
	for (;;) {
		const char *path = scene_mount(scene, "queues/child-%d", i);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
		unlink(path);
	}
}

/* Each process waits for messages of a different type, and takes up one of the daemon's threads. */
void attack_waits(struct scene *scene)
{
	int i;

	close(must(open(scene_mount(scene, "sysv/queues/0x1234"), O_WRONLY | O_CREAT | O_CLOEXEC,
			0600)));
	if (!attack_split(N_WAITS, &i))
		return;
	for (;;) {
		int fd = open(scene_mount(scene, "sysv/queues/0x1234:%d", 1 + i),
			      O_RDONLY | O_CLOEXEC);
		char byte;

		attack_strike(scene);
		if (fd >= 0 && read(fd, &byte, 1) < 0) /* all threads are taken up */
			sleep(1);
		if (fd >= 0)
			close(fd);
	}
}
