/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the grammar of lib/tree/command.h, taken apart: which object, and what it should be.
 */
#ifndef IPCFS_LINE_H
#define IPCFS_LINE_H

#include <stddef.h>
#include <sys/stat.h>

#include "lib/channel/settings.h"
#include "lib/host/caller.h"
#include "lib/tree/command.h"

#define LINE_WORDS_MAX 32

struct line {
	char text[COMMAND_MAX]; /* the words are in it */
	size_t length;
	char *words[LINE_WORDS_MAX];
	size_t n_words;
	size_t n_parsed; /* words that have been understood */

	struct space *space; /* of the object, borrowed */
	char *name;
	struct settings settings; /* the kind's own keys */
	struct stat attr;
	unsigned changes; /* which of attr's are given */
	char error[COMMAND_ERROR_MAX];
};

/* Makes a line of `length` bytes, which may be too many: line_split() says so. */
void line_init(struct line *line, const char *text, size_t length);

/* Notes what is wrong, and returns `error`. */
int line_complain(struct line *line, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes the words apart, up to a comment. -EINVAL */
int line_split(struct line *line);

/* Finds the space and the name that the second word, KIND/NAME, stands for. */
int line_find_object(struct line *line, struct space *const *spaces);

/*
 * Understands the words KEY=VALUE that follow. An account may have to be waited for (-EAGAIN,
 * -EINPROGRESS, as job_run() has them): called again, it goes on at that word.
 */
int line_parse_keys(struct line *line, struct host *host, struct caller *caller);

#endif
