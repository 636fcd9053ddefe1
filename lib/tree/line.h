/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the grammar of lib/tree/command.h, taken apart: which object, and what it should be.
 */
#ifndef IPCFS_LINE_H
#define IPCFS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/channel/settings.h"
#include "lib/host/caller.h"
#include "lib/tree/command.h"

#define LINE_WORDS_MAX 32

/* The keys of the verb reap, besides owner. */
struct line_reaping {
	int64_t idle;  /* seconds; -1: not given */
	int64_t every; /* seconds; 0: not given */
	bool is_dry;
};

struct line {
	char text[COMMAND_MAX]; /* words and settings point into it */
	size_t length;
	char *words[LINE_WORDS_MAX];
	size_t n_words;
	size_t n_parsed; /* words parsed so far */

	struct space *space; /* of the object, borrowed */
	char *name;
	struct settings settings; /* the kind's own keys */
	struct stat attr;
	unsigned changes;          /* which fields of `attr` are given, as enum channel_change */
	const char *owner, *group; /* the words after owner= and group= */
	struct line_reaping reaping;
	char error[COMMAND_ERROR_MAX];
};

/* Makes a line of `length` bytes. If the text is too long, line_split() fails. */
void line_init(struct line *line, const char *text, size_t length);

/* Notes what is wrong as line::error, and returns `error`. */
int line_complain(struct line *line, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Splits the line into words, up to a comment. Fails with -EINVAL. */
int line_split(struct line *line);

/*
 * Finds the space and the name that the second word, KIND/NAME, stands for. Fails with -EINVAL,
 * -EPERM or -ENAMETOOLONG.
 */
int line_find_object(struct line *line, struct space *const *spaces);

/* Finds the space that the second word, KIND, stands for. Fails with -EINVAL. */
int line_find_kind(struct line *line, struct space *const *spaces);

/*
 * Parses the words KEY=VALUE that follow. The lookup of an account may have to wait: -EAGAIN and
 * -EINPROGRESS are those of job_run(). The next call continues at that word.
 */
int line_parse_keys(struct line *line, struct host *host, struct caller *caller);
/* The same for the keys of reap. */
int line_parse_reaping(struct line *line, struct host *host, struct caller *caller);

#endif
