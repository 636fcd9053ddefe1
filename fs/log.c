// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/log.h"

#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static bool is_syslog;
static bool is_journal; /* stderr is a stream to the journal, which takes "<N>" as the priority */

static void log_va(int priority, const char *format, va_list args)
{
	if (is_syslog) {
		vsyslog(priority, format, args);
		return;
	}
	if (is_journal)
		fprintf(stderr, "<%d>", priority);
	vfprintf(stderr, format, args);
}

void log_line(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!is_syslog && !is_journal)
		fputs("ipcfs: ", stderr);
	log_va(priority, format, args);
	if (!is_syslog)
		fputc('\n', stderr);
	va_end(args);
}

static void log_fuse(enum fuse_log_level level, const char *format, va_list args)
{
	log_va((int)level, format, args);
}

/* $JOURNAL_STREAM may be inherited by one whose stderr is something else: systemd.exec(5). */
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
