// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount names its supervisor, but the mount may be another user's, who could name any process.
 * So only a process that has a supervisor's name gets the signal. Who may send it there is the
 * kernel's to decide.
 */
#include "fs/replace.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fs/log.h"
#include "fs/mount_words.h"
#include "fs/process_name.h"
#include "fs/supervisor_replace.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/quote.h"

#define PATIENCE   (20 * CLOCK_S) /* more than the supervisor's */
#define LOOK_AGAIN (10 * CLOCK_MS)

struct supervisor_words {
	int pid; /* 0: there is no supervisor */
	unsigned n_answers;
	char version[64];
	char text[REPLACE_SIZE]; /* the attribute */
	const char *answer;      /* in it */
};

static int look(const char *path, struct supervisor_words *words)
{
	ssize_t n = getxattr(path, REPLACE_XATTR, words->text, sizeof(words->text) - 1);
	const char *answer;

	if (n < 0)
		return errno == EOPNOTSUPP || errno == ENODATA ? -EPROTO : -errno;
	words->text[n] = '\0';
	answer = strstr(words->text, " answer=");
	if (!answer || sscanf(words->text, "pid=%d answers=%u version=%63s", &words->pid,
			      &words->n_answers, words->version) != 3)
		return -EPROTO;
	words->answer = answer + strlen(" answer=");
	return 0;
}

static int ask(int pid)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	if (!process_has_name(pid, SUPERVISOR_NAME))
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0) < 0 ? -errno : 0;
}

/* Waits for another answer than the latest one. */
static int await(const char *path, struct supervisor_words *words)
{
	const struct timespec again = {.tv_nsec = LOOK_AGAIN};
	int64_t end = clock_now() + PATIENCE;
	unsigned n_answers = words->n_answers;
	int r;

	do {
		nanosleep(&again, NULL);
		r = look(path, words);
	} while (r == 0 && words->n_answers == n_answers && clock_now() < end);
	return r == 0 && words->n_answers == n_answers ? -ETIMEDOUT : r;
}

static int find(const char *path, struct supervisor_words *words)
{
	unsigned long flags;
	bool allows_others;
	int r = mount_words_find(path, &flags, &allows_others);

	if (r == -EINVAL)
		log_line(LOG_ERR, "%s: no ipcfs is mounted here", path);
	if (r < 0)
		return r;
	r = look(path, words);
	if (r == -EPROTO && geteuid() != 0)
		log_line(LOG_ERR, "%s: only root and the user who has mounted it may replace it",
			 path);
	else if (r == -EPROTO)
		log_line(LOG_ERR, "%s: this ipcfs is of a version that cannot be replaced", path);
	else if (r == 0 && words->pid == 0)
		log_line(LOG_ERR,
			 "%s: has no supervisor (-o supervise=yes), so it cannot be "
			 "replaced",
			 path);
	else if (r < 0)
		log_line(LOG_ERR, "%s: %s", path, strerror(-r));
	return r == 0 && words->pid == 0 ? -ENOTSUP : r;
}

int replace(const char *path)
{
	CLEANUP_FREE char *quoted = quote_text(path), *version = NULL;
	struct supervisor_words words = {0};
	int r = find(path, &words);

	if (r < 0)
		return 1;
	r = ask(words.pid);
	if (r == 0)
		r = await(path, &words);
	if (r < 0)
		log_line(LOG_ERR, "%s: the supervisor, process %d: %s", path, words.pid,
			 strerror(-r));
	else if (*words.answer)
		log_line(LOG_ERR, "%s: not replaced: %s", path, words.answer);
	else if (quoted && (version = quote_text(words.version)))
		printf("%s: served by ipcfs %s now\n", quoted, version);
	return r < 0 || *words.answer ? 1 : 0;
}
