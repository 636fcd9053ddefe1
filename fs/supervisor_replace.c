// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount must never depend on the new file: it is asked in a process of its own, which keeps
 * nothing of the mount open, while the daemon serves; and it is not waited for. A daemon that dies
 * meanwhile is followed as ever.
 */
#include "fs/supervisor_replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/aside.h"
#include "fs/log.h"
#include "fs/supervisor_arguments.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/state.h"

#define ASK_PATIENCE (5 * CLOCK_S)
#define END_PATIENCE (2 * CLOCK_S)

/* supervisor_area::answer, and exit statuses of the process that asks. */
enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_CRASH,
	ANSWER_NO_FILE,
	ANSWER_DISTRUSTED,
	ANSWER_ENDING,
	ANSWER_ALONE,
	ANSWER_FAILED,
	ANSWER_CHANGED,
	N_ANSWERS
};

#define EXIT_SAME 100 /* it is the file that runs */
#define EXIT_NONE 127 /* of a process that could not execute it */

static const char *const texts[N_ANSWERS] = {
	[ANSWER_NO] = "the new executable cannot go on with this mount",
	[ANSWER_CRASH] = "the new executable crashed, or took too long, when it was asked",
	[ANSWER_NO_FILE] = "the new executable cannot be executed",
	[ANSWER_DISTRUSTED] = "the new executable, or a directory on the way to it, is another "
			      "user's, or others can write it",
	[ANSWER_ENDING] = "the mount is ending",
	[ANSWER_ALONE] = "no other daemon can go on with it",
	[ANSWER_FAILED] = "the new executable could not be executed; the former one goes on",
	[ANSWER_CHANGED] = "the new executable was changed after it was asked; the former one goes "
			   "on",
};

void replace_text(const struct supervisor_area *area, char text[static REPLACE_SIZE])
{
	const char *answer = area->answer < N_ANSWERS ? texts[area->answer] : NULL;

	snprintf(text, REPLACE_SIZE, "pid=%d answers=%u version=%s answer=%s", area->supervisor,
		 area->n_answers, IPCFS_VERSION, answer ? answer : "");
}

int replacing_init(struct replacing *replacing, const struct options *options)
{
	static const char deleted[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", replacing->path, sizeof(replacing->path) - 1);
	char *end;

	if (n < 0)
		return -errno;
	replacing->path[n] = '\0';
	end = replacing->path + n - (sizeof(deleted) - 1);
	if (end > replacing->path && strcmp(end, deleted) == 0)
		*end = '\0';
	replacing->file = mmap(NULL, sizeof(*replacing->file), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (replacing->file == MAP_FAILED) {
		replacing->file = NULL;
		return -errno;
	}
	replacing->argv = supervisor_arguments(options, replacing->last);
	return replacing->argv ? 0 : -ENOMEM;
}

void replacing_fini(struct replacing *replacing)
{
	supervisor_arguments_free(replacing->argv, replacing->last);
	replacing->argv = NULL;
	if (replacing->file)
		munmap(replacing->file, sizeof(*replacing->file));
	replacing->file = NULL;
}

static bool is_own_file(const struct executable_id *id)
{
	struct executable_id own;

	return executable_own(&own) == 0 && own.dev == id->dev && own.ino == id->ino;
}

static enum answer ask_file(struct replacing *replacing, int fd)
{
	int status;

	snprintf(replacing->last, sizeof(replacing->last), "--adopts=%d", STATE_VERSION);
	status = executable_ask(fd, replacing->argv, REPLACE_ADOPTS);
	if (status == -EPROTO)
		return ANSWER_NO;
	if (status < 0)
		return ANSWER_NO_FILE;
	if (!WIFEXITED(status))
		return ANSWER_CRASH;
	if (WEXITSTATUS(status) == EXIT_NONE)
		return ANSWER_NO_FILE;
	return WEXITSTATUS(status) == 0 ? ANSWER_YES : ANSWER_NO;
}

/* The supervisor itself waits for no file and no executable. */
static _Noreturn void be_asker(struct replacing *replacing)
{
	sigset_t none;
	int fd;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = executable_open(replacing->path, replacing->file);
	if (fd == -EPERM)
		_exit(ANSWER_DISTRUSTED);
	if (fd < 0)
		_exit(ANSWER_NO_FILE);
	if (!replacing->is_wanted && is_own_file(replacing->file))
		_exit(EXIT_SAME);
	_exit((int)ask_file(replacing, fd));
}

static enum replace_next take_reload(struct replacing *replacing)
{
	bool reloads = replacing->reloads;

	replacing->reloads = false;
	return reloads ? REPLACE_RELOAD : REPLACE_WAIT;
}

/* Nothing has happened, for that reason. */
static enum replace_next refuse(struct replacing *replacing, struct supervisor_area *area,
				enum answer answer)
{
	replacing->is_wanted = false;
	area->answer = answer;
	area->n_answers++;
	if (aside()) {
		log_line(LOG_ERR, "%s: not replaced: %s", replacing->path, texts[answer]);
		_exit(0);
	}
	return take_reload(replacing);
}

static enum replace_next ask(struct replacing *replacing, struct supervisor_area *area)
{
	pid_t pid = replacing->argv ? fork() : -1;

	if (pid == 0)
		be_asker(replacing);
	if (pid < 0 && !replacing->is_wanted)
		return take_reload(replacing);
	if (pid < 0)
		return refuse(replacing, area, ANSWER_NO_FILE);
	replacing->asked = pid;
	replacing->until = clock_now() + ASK_PATIENCE;
	return REPLACE_WAIT;
}

enum replace_next replacing_begin(struct replacing *replacing, struct supervisor_area *area,
				  int signal)
{
	if (signal == SIGHUP)
		replacing->reloads = true;
	else
		replacing->is_wanted = true;
	return replacing->asked || replacing->is_due ? REPLACE_WAIT : ask(replacing, area);
}

enum replace_next replacing_answered(struct replacing *replacing, struct supervisor_area *area,
				     int status, bool is_ending)
{
	enum replace_next next;

	replacing->asked = 0;
	replacing->until = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SAME) {
		next = take_reload(replacing);
		return replacing->is_wanted && ask(replacing, area) == REPLACE_RELOAD
			       ? REPLACE_RELOAD
			       : next;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= N_ANSWERS)
		return refuse(replacing, area, ANSWER_CRASH);
	if (WEXITSTATUS(status) != ANSWER_YES)
		return refuse(replacing, area, (enum answer)WEXITSTATUS(status));
	if (is_ending || area->is_ended)
		return refuse(replacing, area, ANSWER_ENDING);
	if (!area->can_follow)
		return refuse(replacing, area, ANSWER_ALONE);
	replacing->is_due = true;
	replacing->until = clock_now() + END_PATIENCE;
	kill(replacing->daemon, SIGUSR2);
	return REPLACE_WAIT;
}

int64_t replacing_patience(const struct replacing *replacing)
{
	int64_t left;

	if (!replacing->until)
		return -1;
	left = replacing->until - clock_now();
	return left > 0 ? left : 0;
}

void replacing_late(struct replacing *replacing)
{
	if (!replacing->until || replacing->until > clock_now())
		return;
	replacing->until = 0;
	kill(replacing->asked ? replacing->asked : replacing->daemon, SIGKILL);
}

/* Has all descriptors stay open when a file is executed. */
static int keep_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(directory))
			fcntl(fd, F_SETFD, 0);
	}
	closedir(directory);
	return 0;
}

/* Executes the file that was asked, or says why not. */
static enum answer execute(struct replacing *replacing, int state_fd)
{
	struct executable_id file;
	CLEANUP_FD int fd = executable_open(replacing->path, &file);

	if (fd < 0)
		return ANSWER_FAILED;
	if (!executable_is_same(&file, replacing->file))
		return ANSWER_CHANGED;
	snprintf(replacing->last, sizeof(replacing->last), "--adopt=%d", state_fd);
	if (keep_open() == 0)
		executable_run(fd, replacing->argv);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	return ANSWER_FAILED;
}

void replacing_execute(struct replacing *replacing, struct supervisor_area *area, int state_fd)
{
	enum answer answer;

	if (replacing->reloads)
		area->n_reloads++; /* for the next daemon, whatever it executes */
	answer = execute(replacing, state_fd);
	replacing->is_due = replacing->reloads = false;
	replacing->until = 0;
	refuse(replacing, area, answer);
}

void replacing_done(struct supervisor_area *area)
{
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	area->answer = ANSWER_YES;
	area->n_answers++;
	if (aside()) {
		log_line(LOG_NOTICE, "replaced: the mount is served by ipcfs %s now",
			 IPCFS_VERSION);
		_exit(0);
	}
}
