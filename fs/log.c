// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines go to stderr, to the journal or to syslog(3), quoted: users chose parts of them. */
#include "fs/log.h"

#include <errno.h>
#include <fuse_log.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"

static bool is_syslog;
static bool is_journal; /* stderr leads to the journal, which takes "<N>" as the priority */
static bool is_keeping;
static char kept[PATH_MAX + 256]; /* log_kept() */

/*
 * Quotes every line, because users chose parts of it: a terminal must never take it for commands.
 */
static void log_text(int priority, const char *text, const char *end)
{
	CLEANUP_FREE char *quoted = text ? quote_text(text) : NULL;
	const char *line = quoted ? quoted : strerror(ENOMEM);

	if (is_syslog)
		syslog(priority, "%s", line);
	else if (is_journal)
		fprintf(stderr, "<%d>%s%s", priority, line, end);
	else
		fprintf(stderr, "%s%s", line, end);
}

void log_line(int priority, const char *format, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!is_syslog && !is_journal)
		fputs("ipcfs: ", stderr);
	log_text(priority, text, "\n");
}

/* Reports what libfuse says, whether it ends with a newline or not. */
static void log_fuse_line(int priority, char *text)
{
	text[strcspn(text, "\n")] = '\0';
	if (is_keeping && priority <= LOG_ERR)
		snprintf(kept, sizeof(kept), "%s", text);
	else
		log_line(priority, "%s%s",
			 strncmp(text, "fuse: ", 6) == 0 ? "lib" : "libfuse: ", text);
}

/* With -d, a line from libfuse may come in pieces; the last one ends with a newline. */
static void log_fuse(enum fuse_log_level level, const char *format, va_list args)
{
	CLEANUP_FREE char *text = NULL;
	int length = vasprintf(&text, format, args);
	bool is_last = length > 0 && text[length - 1] == '\n';

	if (length < 0)
		text = NULL;
	if (text && level < FUSE_LOG_DEBUG) {
		log_fuse_line((int)level, text);
		return;
	}
	if (is_last)
		text[length - 1] = '\0';
	log_text((int)level, text, is_last ? "\n" : "");
}

void log_keep_fuse(bool keep)
{
	is_keeping = keep;
	if (keep)
		*kept = '\0';
}

const char *log_kept(void)
{
	return kept;
}

/* $JOURNAL_STREAM may be inherited by a process whose stderr is something else: systemd.exec(5). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat attr;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &attr) == 0 && attr.st_dev == device && attr.st_ino == inode;
}

void log_init(void)
{
	is_journal = stderr_is_journal();
	fuse_set_log_func(log_fuse);
}

void log_to_syslog(bool to_syslog)
{
	if (to_syslog && !is_syslog)
		openlog("ipcfs", LOG_PID, LOG_DAEMON);
	is_syslog = to_syslog;
}
